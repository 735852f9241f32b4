# Raw Ethernet frames, as hexadecimal lines. `send INTERFACE SECONDS` sends what it reads, so far apart. `hear INTERFACE` says "ready" and then
# what comes in, until a frame holds the word that it is given, for 20 s at most. Source: packet(7).
use strict;
use warnings;
use Socket;

my ($what, $interface, $until) = @ARGV;
my $everything = 3;
my $socket;
socket($socket, 17, SOCK_RAW, unpack('n', pack('S', $everything))) or die "no packet socket: $!";
my $request = pack('a16x24', $interface);
ioctl($socket, 0x8933, $request) or die "$interface: $!";
my $index = unpack('x16l', $request);
bind($socket, pack('SnlSCCa8', 17, $everything, $index, 0, 0, 0, '')) or die "cannot bind to $interface: $!";
$| = 1;

if ($what eq 'send') {
    while (my $line = <STDIN>) {
        chomp $line;
        my $frame = pack('H*', $line);
        select(undef, undef, undef, $until);
        send($socket, $frame, 0) == length($frame) or die "cannot send: $!";
    }
} else {
    alarm 20;
    print "ready\n";
    for (;;) {
        recv($socket, my $frame, 65536, 0);
        print unpack('H*', $frame), "\n";
        last if index($frame, $until) >= 0;
    }
}
