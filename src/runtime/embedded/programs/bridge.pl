# Joins standard input and output with a socket that Node cannot open.
#   bridge.pl attach PATH [stdin]   conmon's attach socket (packets; the first byte says which stream it is)
#   bridge.pl tcp PORT              a port of the loopback of the network namespace this program runs in
# The latter writes "connected" to descriptor 3 once it is.
use strict;
use warnings;
use POSIX ();
use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6);

my ($kind, $target, $with_input) = @ARGV;
my $packets = $kind eq 'attach';
my $socket;
if ($packets) {
    # Socket paths are short: the last component is enough from within its directory.
    my ($directory, $name) = $target =~ m{^(.*)/([^/]+)$};
    chdir $directory or die "$directory: $!\n";
    socket($socket, PF_UNIX, SOCK_SEQPACKET, 0) or die "socket: $!\n";
    connect($socket, pack_sockaddr_un($name)) or die "$target: $!\n";
}
else {
    $with_input = 1;
    socket($socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
    if (!connect($socket, pack_sockaddr_in($target, inet_aton('127.0.0.1')))) {
        my $why = $!;
        socket($socket, PF_INET6, SOCK_STREAM, 0) or die "socket: $!\n";
        connect($socket, pack_sockaddr_in6($target, inet_pton(AF_INET6, '::1'))) or die "\l$why\n";
    }
}
if (!$packets && open(my $told, '>&=', 3)) { syswrite($told, "connected\n"); close $told }

$SIG{PIPE} = 'IGNORE';
while (1) {
    my $wanted = '';
    vec($wanted, fileno $socket, 1) = 1;
    vec($wanted, 0, 1) = 1 if $with_input;
    next if select(my $ready = $wanted, undef, undef, undef) < 0;
    if (vec($ready, fileno $socket, 1)) {
        my $read = sysread($socket, my $data, 65536);
        last unless $read;
        if ($packets) {
            my $stream = ord $data;
            write_all($stream == 3 ? *STDERR : *STDOUT, substr($data, 1)) or last if $stream == 2 || $stream == 3;
        }
        else { write_all(*STDOUT, $data) or last }
    }
    if ($with_input && vec($ready, 0, 1)) {
        my $read = sysread(STDIN, my $data, 8192);
        if ($read) { write_all($socket, $data) or last }
        else { $with_input = 0; shutdown($socket, 1) }
    }
}

sub write_all {
    my ($to, $data) = @_;
    while (length $data) {
        my $written = syswrite($to, $data);
        return 0 unless $written;
        $data = substr($data, $written);
    }
    return 1;
}
