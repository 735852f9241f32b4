# Runs inside a container and tries to get out of it, or at what is not its own. For each attempt a line: its name, a
# tab, and what came of it: the error's number, or what it got. Arguments: the
# architecture, a file of the host, a process of the host, addresses.
use strict;
use warnings;

my ($architecture, $canary, $host_pid, @addresses) = @ARGV;
$| = 1;
my $arm = $architecture eq 'arm64';

sub number { my ($x86, $arm64) = @_; return $arm ? $arm64 : $x86 }

sub said { my ($name, $result) = @_; print "$name\t$result\n" }

sub call {
    my ($name, $number, @arguments) = @_;
    $! = 0;
    my $result = syscall($number, @arguments);
    said($name, $result == -1 ? 'error ' . ($! + 0) : "got $result");
    return $result;
}

sub put {
    my ($path, $text) = @_;
    $! = 0;
    open(my $file, '+<', $path) or return 0;
    return syswrite($file, $text);
}

sub writing {
    my ($path, $text) = @_;
    said("write $path", put($path, $text) ? 'written' : 'error ' . ($! + 0));
}

sub content {
    my ($path) = @_;
    open(my $file, '<', $path) or return undef;
    my $read = sysread($file, my $bytes, 4096);
    return $read ? $bytes : '';
}

my ($new_user, $new_mount, $new_net) = (0x10000000, 0x00020000, 0x40000000);
my $none = "\0" x 256;

# Mounts
call('mount tmpfs', number(165, 40), 'none', '/tmp', 'tmpfs', 0, 0);
call('mount bind', number(165, 40), '/proc', '/tmp', '', 4096, 0);
call('remount', number(165, 40), '', '/proc/sys', '', 32 | 4096, 0);
call('umount', number(166, 39), '/proc/kcore', 2);
call('pivot_root', number(155, 41), '/tmp', '/tmp');
call('open_tree', 428, -100, '/', 1);
call('move_mount', 429, -1, '', -1, '', 0);
call('fsopen', 430, 'tmpfs', 0);
call('fspick', 433, -100, '/', 0);
call('mount_setattr', 442, -100, '/', 0, $none, 32);

# Namespaces
call('unshare user', number(272, 97), $new_user);
call('unshare mount', number(272, 97), $new_mount);
call('unshare network', number(272, 97), $new_net);
call('clone user', number(56, 220), $new_user | 17, 0, 0, 0, 0);
call('clone3', 435, $none, 88);
if (open(my $namespace, '<', '/proc/1/ns/net')) { call('setns', number(308, 268), fileno($namespace), 0) }
else { said('setns', 'error ' . ($! + 0)) }

# Other processes, the kernel, the machine
call('ptrace attach', number(101, 117), 16, 1, 0, 0);
call('ptrace a process of the host', number(101, 117), 16, $host_pid + 0, 0, 0);
call('process_vm_readv', number(310, 270), 1, $none, 1, $none, 1, 0);
call('kcmp', number(312, 272), $$, 1, 0, 0, 0);
call('pidfd_getfd', 438, 0, 0, 0);
call('kill a process of the host', number(62, 129), $host_pid + 0, 0);
call('bpf', number(321, 280), 0, $none, 64);
call('perf_event_open', number(298, 241), $none, 0, -1, -1, 0);
call('io_uring_setup', 425, 8, $none);
call('userfaultfd', number(323, 282), 0);
call('keyctl', number(250, 219), 0, -3, 0);
call('add_key', number(248, 217), 'user', 'x', 'y', 1, -3);
call('init_module', number(175, 105), $none, 16, '');
call('finit_module', number(313, 273), 0, '', 0);
call('kexec_load', number(246, 104), 0, 0, 0, 0);
call('reboot', number(169, 142), 0xfee1dead, 672274793, 0, 0);
call('swapon', number(167, 224), '/tmp/x', 0);
call('acct', number(163, 89), '/tmp/x');
call('quotactl', number(179, 60), 0, '', 0, 0);
call('settimeofday', number(164, 170), $none, 0);
call('clock_settime', number(227, 112), 0, $none);
call('adjtimex that sets', number(159, 171), pack('I', 1) . $none);
call('sethostname', number(170, 161), 'evil', 4);
call('syslog', number(103, 116), 3, $none, 64);
call('open_by_handle_at', number(304, 265), -100, $none, 0);
call('setpriority', number(141, 140), 0, 0, -20);
unless ($arm) { call('iopl', 172, 3); call('ioperm', 173, 0, 1, 1); call('modify_ldt', 154, 17, $none, 16) }

# Sockets
for (['AF_ALG', 38, 5], ['AF_VSOCK', 40, 1], ['AF_PACKET', 17, 3], ['raw AF_INET', 2, 3]) {
    my ($name, $family, $type) = @$_;
    call("socket $name", number(41, 198), $family, $type, $name =~ /raw/ ? 1 : 0);
}

# Devices
call('mknod disk', number(259, 33), -100, '/tmp/disk', 0060600, 254 << 8);
call('mknod memory', number(259, 33), -100, '/tmp/memory', 0020600, (1 << 8) | 1);
for my $device ('/dev/mem', '/dev/kmsg', '/dev/vda', '/dev/sda', '/dev/loop0', '/dev/fuse', '/dev/kvm', '/dev/net/tun') {
    said("open $device", open(my $file, '<', $device) ? 'opened' : 'error ' . ($! + 0));
}

# The kernel's files
writing('/proc/sys/kernel/core_pattern', '|/tmp/x');
writing('/proc/sys/kernel/modprobe', '/tmp/x');
writing('/proc/sys/vm/overcommit_memory', '1');
writing('/proc/sys/net/ipv4/ip_forward', '1');
writing('/proc/sysrq-trigger', 'b');
writing('/sys/kernel/uevent_helper', '/tmp/x');
writing('/proc/self/oom_score_adj', '-1000');
for my $path (glob('/sys/fs/cgroup/*/release_agent'), glob('/sys/fs/cgroup/{,*/}cgroup.procs')) {
    said('write to a control group', $path) if put($path, '1');
}
said('control groups', 'tried');
# What is masked is there and has nothing in it; what was only forbidden would be an error.
my @masked = map { "/proc/$_" }
    qw(acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats);
for my $path (@masked, '/sys/devices/virtual/powercap', '/sys/firmware', '/sys/fs/selinux') {
    $! = 0;
    my ($folder, $found);
    if (!-d $path) { $found = content($path) }
    elsif (opendir($folder, $path)) { $found = join '', grep { !/^\.\.?$/ } readdir $folder }
    said("read $path", !defined $found ? 'error ' . ($! + 0) : length $found ? 'read' : 'empty');
}

# Files of the host
my $up = '../' x 20;
my @ways = ($canary, "/proc/1/root$canary", "/proc/self/root/$up$canary", "/proc/1/cwd/$up$canary");
push @ways, map { "$_/$up$canary" } glob('/proc/[0-9]*/fd/*');
chdir '/tmp';
mkdir '/tmp/jail';
if (opendir(my $outside, '/tmp') && chroot('/tmp/jail')) {
    # The classic way out of a chroot leads to the container's own root at most.
    chdir $outside;
    chdir '..' for 1 .. 20;
    chroot '.';
    push @ways, "$up$canary", ".$canary";
}
my @read = grep { defined content($_) } @ways;
said('files of the host', @read ? "read @read" : 'none');
my @processes = grep { -e "/proc/$_" && $_ > 64 } map { m{(\d+)$} ? $1 : () } glob('/proc/[0-9]*');
said('processes that are seen', scalar(@processes) ? "@processes" : 'its own');

my $status = content('/proc/self/status');
said($_, $status =~ /^$_:\t(\S+)/m ? $1 : '?') for 'NoNewPrivs', 'Seccomp', 'CapEff', 'CapBnd', 'CapInh', 'CapAmb';
said('ids', content('/proc/self/uid_map') =~ /^\s*0\s+(\d+)\s+(\d+)/ ? "$1 $2" : '?');

# Bombs that burst in its own hands
# As many as the descriptors go, those that were open before among them: the number of the next one is the limit.
my @files;
my $last = 0;
while (@files < 2_000_000) { open(my $file, '<', '/dev/null') or last; push @files, $file; $last = fileno($file) }
said('open files', 'error ' . ($! + 0) . ' at ' . ($last + 1));
@files = ();
my @children;
while (@children < 5_000) {
    my $child = fork();
    last unless defined $child;
    if ($child == 0) { sleep 100; exit 0 }
    push @children, $child;
}
said('forks', 'error ' . ($! + 0) . ' after ' . scalar(@children));
kill 'KILL', @children;
waitpid $_, 0 for @children;

# Addresses that are not its own
use IO::Socket::INET;
for my $address (@addresses) {
    my $socket = IO::Socket::INET->new(PeerAddr => $address, Proto => 'tcp', Timeout => 1);
    said("connect $address", $socket ? 'connected' : 'no');
}
said('end', 'reached');
