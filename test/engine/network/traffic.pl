# Serves TCP on port 80: to "out N" it answers with N bytes, to "in N" with "ok" once it has N more. By UDP, on the same
# number, it answers "by udp".
use strict;
use warnings;
use Socket;

socket(my $udp, AF_INET, SOCK_DGRAM, 0) or die $!;
bind($udp, sockaddr_in(80, INADDR_ANY)) or die $!;
socket(my $tcp, AF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($tcp, SOL_SOCKET, SO_REUSEADDR, 1);
bind($tcp, sockaddr_in(80, INADDR_ANY)) or die $!;
listen($tcp, 8) or die $!;

if (fork() == 0) {
    while (my $from = recv($udp, my $asked, 2048, 0)) { send($udp, 'by udp', 0, $from) }
    exit;
}
$| = 1;
print "ready\n";
while (accept(my $client, $tcp)) {
    my ($what, $size) = split ' ', <$client>;
    if ($what eq 'out') {
        my $piece = 'x' x 65536;
        for (my $left = $size; $left > 0;) {
            my $sent = syswrite($client, $piece, $left < 65536 ? $left : 65536) or last;
            $left -= $sent;
        }
    } else {
        for (my $left = $size; $left > 0;) {
            my $got = read($client, my $piece, $left < 65536 ? $left : 65536) or last;
            $left -= $got;
        }
        syswrite($client, "ok\n");
    }
    close($client);
}
