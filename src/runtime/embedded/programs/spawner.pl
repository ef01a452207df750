# Starts programs for a process to which starting one is dear, because it is large.
# Reads requests from standard input, and ends with it. A request: the length of what follows and a line end, then
# fields with a zero byte between them: id, working directory, standard input, the number of words, the program and
# its arguments, the environment as NAME=VALUE.
# An answer: "id code bytes-of-output bytes-of-errors" and a line end, then those bytes.
use strict;
use warnings;

$SIG{PIPE} = 'IGNORE';
binmode STDIN;
binmode STDOUT;
my $no_hang = 1;    # WNOHANG
my $buffer  = '';
my (%jobs, %streams);

sub answer {
    my ($text) = @_;
    while (length $text) {
        my $written = syswrite(STDOUT, $text);
        exit 0 unless defined $written;
        substr($text, 0, $written) = '';
    }
}

sub start {
    my ($id, $directory, $input, $argument_count, @rest) = @_;
    my @words = splice(@rest, 0, $argument_count);
    pipe(my $in_read, my $in_write);
    # Short enough for the pipe to take at once.
    syswrite($in_write, $input) if length $input;
    close $in_write;
    pipe(my $out_read, my $out_write);
    pipe(my $error_read, my $error_write);
    my $pid = fork();
    if (!defined $pid) {
        my $message = "fork: $!";
        return answer("$id 126 0 " . length($message) . "\n$message");
    }
    if ($pid == 0) {
        open(STDIN,  '<&', $in_read);
        open(STDOUT, '>&', $out_write);
        open(STDERR, '>&', $error_write);
        $SIG{PIPE} = 'DEFAULT';
        %ENV = map { split /=/, $_, 2 } @rest;
        if (length $directory && !chdir $directory) { syswrite(STDERR, "$directory: $!"); exit 126 }
        no warnings 'exec';
        exec { $words[0] } @words;
        syswrite(STDERR, "$words[0]: $!");
        exit 127;
    }
    $jobs{$id} = { id => $id, pid => $pid, open => 2, out => '', error => '' };
    $streams{ fileno $out_read }   = [$jobs{$id}, 'out',   $out_read];
    $streams{ fileno $error_read } = [$jobs{$id}, 'error', $error_read];
}

while (1) {
    my $wanted = '';
    vec($wanted, $_, 1) = 1 for 0, keys %streams;
    my @ending = grep { !$_->{open} } values %jobs;
    select(my $ready = $wanted, undef, undef, @ending ? 0.002 : undef);
    for my $number (grep { vec($ready, $_, 1) } keys %streams) {
        my ($job, $which, $stream) = @{ $streams{$number} };
        next if sysread($stream, $job->{$which}, 65536, length $job->{$which});
        delete $streams{$number};
        close $stream;
        $job->{open}--;
    }
    for my $job (grep { !$_->{open} } values %jobs) {
        next unless waitpid($job->{pid}, $no_hang) == $job->{pid};
        my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
        answer("$job->{id} $code " . length($job->{out}) . ' ' . length($job->{error}) . "\n$job->{out}$job->{error}");
        delete $jobs{ $job->{id} };
    }
    next unless vec($ready, 0, 1);
    sysread(STDIN, $buffer, 65536, length $buffer) or exit 0;
    while ($buffer =~ /^(\d+)\n/ && length($buffer) >= length($1) + 1 + $1) {
        my ($skip, $length) = (length($1) + 1, $1);
        my $request = substr($buffer, $skip, $length);
        substr($buffer, 0, $skip + $length) = '';
        start(split /\0/, $request, -1);
    }
}
