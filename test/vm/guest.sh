# What the guest does with the host's files: the mounts of a usual machine, a disk, the command, and good night.
export PATH="$repository/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
export HOME=/root TMPDIR=/disk LANG=C.UTF-8 CI=true BERTH_TEST_PATIENCE=10

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs -o mode=755 dev /dev
mkdir -p /dev/pts /dev/shm /dev/mqueue /disk
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t mqueue mqueue /dev/mqueue
mount -t tmpfs -o mode=755 run /run
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
ln -s /proc/self/fd /dev/fd
ip link set lo up

# A transaction of nft begins anew with each module that it lacks, which is slow here.
modprobe -a nf_tables nft_chain_nat nft_ct nft_fib_inet nft_limit nft_masq nft_meta_bridge nft_nat nft_redir \
  nf_conntrack_netlink bridge veth sch_tbf loop

mkfs.ext4 -q -O quota,project -E quotatype=prjquota /dev/vda
modprobe quota_v2
mount -o "$disk_options" /dev/vda /disk
chmod 1777 /disk

# Runs it, leaves its exit code where the host looks for it, and ends the machine.
run() {
  cd "$repository" || exit
  # By a pipe: a terminal as slow as this one is for lines, not for pictures.
  { "$@" 2>&1; echo $? >/mnt/share/exit-code; } | cat
  sync
  busybox poweroff -f
}
