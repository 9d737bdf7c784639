# A pool of blocking workers, the architecture that the project started from: each worker takes a connection and reads,
# answers, reads, answers until it ends; only then it takes the next. A connection that is kept alive holds its worker
# though nothing is asked of it, and whoever comes after the last worker waits in the listen queue.
#
# perl pool.pl THREADS|PROCESSES WORKERS BACKLOG SLEEP_MS REQUESTS
#   SLEEP_MS   each request takes so long, asleep (a call to something slow)
#   REQUESTS   a connection is closed after so many; 0 for never
use strict;
use warnings;
use Socket;

my ($kind, $workers, $backlog, $sleep_ms, $requests_max) = @ARGV;
$| = 1;
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1);
bind($listener, sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
listen($listener, $backlog) or die "listen: $!";
my ($port) = sockaddr_in(getsockname($listener));

if ($kind eq 'threads') {
    require threads;
    print "listening $port\n";
    threads->create(\&work) for 2 .. $workers;
    work();
}

my @children;
$SIG{TERM} = sub { kill 'KILL', @children; exit 0 };
for (1 .. $workers) {
    my $pid = fork // die "fork: $!";
    if ($pid == 0) { $SIG{TERM} = 'DEFAULT'; work() }
    push @children, $pid;
}
print "listening $port\n";
wait;
kill 'KILL', @children;

sub work {
    while (1) {
        accept(my $connection, $listener) or next;
        setsockopt($connection, 6, 1, 1);
        serve($connection);
        close $connection;
    }
}

sub serve {
    my ($connection) = @_;
    my $unread = '';
    my $answered = 0;
    while (1) {
        my $end;
        while (($end = index($unread, "\r\n\r\n")) < 0) {
            sysread($connection, $unread, 65536, length $unread) or return;
        }
        my ($length) = substr($unread, 0, $end) =~ /^content-length:\s*(\d+)/im;
        my $close = substr($unread, 0, $end) =~ /^connection:\s*close/im;
        my $whole = $end + 4 + ($length // 0);
        while (length $unread < $whole) {
            sysread($connection, $unread, 65536, length $unread) or return;
        }
        substr($unread, 0, $whole) = '';
        select(undef, undef, undef, $sleep_ms / 1000) if $sleep_ms > 0;
        $close = 1 if $requests_max > 0 && ++$answered >= $requests_max;
        my $word = $close ? 'close' : 'keep-alive';
        my $answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\nConnection: $word\r\n\r\n{\"success\":true}";
        syswrite($connection, $answer) or return;
        return if $close;
    }
}
