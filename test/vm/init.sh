#!/bin/busybox sh
# The guest's first program: puts the host's files, read-only, under a folder in memory, and goes there.
set -e
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read -r module; do insmod "/modules/$module"; done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 host /lower
mount -t tmpfs -o mode=755 upper /upper
mkdir /upper/files /upper/work
mount -t overlay -o lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work root /root
mkdir -p /root/usr/lib/modules /root/mnt/share
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=512000 modules /root/usr/lib/modules
mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 share /root/mnt/share
for name in proc sys dev; do umount "/$name"; done
exec switch_root /root /bin/sh /mnt/share/share.sh
