#   terminal.pl PIDFILE PROGRAM ARGUMENT…
# Runs a program on a new terminal: its input and output are this program's, terminal sizes come as lines
# "columns rows" on descriptor 3. Ends with the program's exit code. Node can make no terminals.
# crun joins this terminal with one inside the container, but hands on its first size alone: later ones are set on
# the terminal of the process whose number crun wrote into PIDFILE.
use strict;
use warnings;
use Fcntl;
use POSIX ();

my ($UNLOCK, $NUMBER, $CONTROL, $SIZE) = (0x40045431, 0x80045430, 0x540E, 0x5414);

my $pid_file = shift @ARGV;
sysopen(my $terminal, '/dev/ptmx', O_RDWR | O_NOCTTY) or die "no terminal: $!\n";
my $unlocked = pack('i', 0);
ioctl($terminal, $UNLOCK, $unlocked) or die "no terminal: $!\n";
my $number = pack('I', 0);
ioctl($terminal, $NUMBER, $number) or die "no terminal: $!\n";
my $name = '/dev/pts/' . unpack('I', $number);

# Sizes that are there already hold from the start.
open(my $sizes, '<&=', 3) or die "no sizes: $!\n";
fcntl($sizes, F_SETFL, O_NONBLOCK);

my $pending = '';
sub resize {
    my $read = sysread($sizes, $pending, 4096, length $pending);
    while ($pending =~ s/^(\d+) (\d+)\n//) {
        my $size = pack('S4', $2, $1, 0, 0);
        ioctl($terminal, $SIZE, $size);
        ioctl($_, $SIZE, $size) for inner();
    }
    return defined $read ? $read > 0 : 1;
}
sub inner {
    open(my $file, '<', $pid_file) or return ();
    my $pid = <$file>;
    return () unless $pid && $pid =~ /^(\d+)/;
    my $other;
    return sysopen($other, "/proc/$1/fd/0", O_RDWR | O_NOCTTY) ? ($other) : ();
}
my $more_sizes = resize();

my $child = fork();
die "fork: $!\n" unless defined $child;
if ($child == 0) {
    POSIX::setsid();
    sysopen(my $slave, $name, O_RDWR) or die "$name: $!\n";
    ioctl($slave, $CONTROL, 0);
    # What is typed before the program has taken the terminal must not be echoed.
    my $mode = POSIX::Termios->new;
    $mode->getattr(fileno $slave);
    $mode->setlflag(0);
    $mode->setoflag(0);
    $mode->setattr(fileno $slave, POSIX::TCSANOW());
    POSIX::dup2(fileno $slave, $_) for 0 .. 2;
    close $terminal;
    exec @ARGV or POSIX::_exit(127);
}

my $input_open = 1;
while (1) {
    my $wanted = '';
    vec($wanted, fileno $terminal, 1) = 1;
    vec($wanted, 0, 1) = 1 if $input_open;
    vec($wanted, 3, 1) = 1 if $more_sizes;
    next if select(my $ready = $wanted, undef, undef, undef) < 0;
    $more_sizes = resize() if $more_sizes && vec($ready, 3, 1);
    if (vec($ready, fileno $terminal, 1)) {
        my $read = sysread($terminal, my $data, 65536);
        last unless $read;
        write_all(*STDOUT, $data) or last;
    }
    if ($input_open && vec($ready, 0, 1)) {
        my $read = sysread(STDIN, my $data, 4096);
        if ($read) { write_all($terminal, $data) or last }
        else { $input_open = 0 }
    }
}
close $terminal;
waitpid($child, 0);
POSIX::_exit($? & 127 ? 128 + ($? & 127) : $? >> 8);

sub write_all {
    my ($to, $data) = @_;
    while (length $data) {
        my $written = syswrite($to, $data);
        return 0 unless $written;
        $data = substr($data, $written);
    }
    return 1;
}
