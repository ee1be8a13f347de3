/*
 * proxy.c: a TCP proxy on loopback that behaves as a long line does, or as
 * one that fails: it delays, cuts, stalls, garbles and dribbles, and it
 * counts what went over it.
 *
 *	proxy [options] LISTENPORT TARGETPORT
 *		LISTENPORT 0: any that is free
 *
 *	--delay MS		each byte leaves MS after it came
 *	--rate BYTES		a second, each way
 *	--cut-out N, --cut-in N	close both sides when N bytes have gone to
 *				the server (out), or to the client (in)
 *	--stall-out N, --stall-in N
 *				pass nothing more then, either way
 *	--garble-in N		flip a bit of byte N (from 0) to the client
 *	--dribble		a byte a packet
 *
 * N counts for each connection.  It ends on SIGTERM.  Standard output:
 *
 *	ready PORT		it listens
 *	done OUT IN FLIGHTS	at the end of a connection: the bytes each
 *				way, and how often the client may have
 *				waited: the longest chain of things sent
 *				that each had an answer to the one before.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CONNS		64		/* at one time; more wait */
#define LINE		(1 << 20)	/* bytes under way, one way */
#define MARKS		4096		/* pieces of them */
#define PIECE		(64 << 10)	/* read at once */
#define SLOW_PIECE	1024		/* the same where there is a rate */
#define NS		UINT64_C(1000000000)
#define NEVER		UINT64_MAX

enum { OUT, IN };			/* to the server, to the client */

/* One piece that came. */
struct mark {
	uint64_t	end;		/* its last byte's position, plus 1 */
	uint64_t	due;		/* when it leaves, ns */
	unsigned	flight;		/* of the client that it belongs to */
};

/* One direction: a ring of bytes, and the pieces in it. */
struct line {
	uint8_t		*buf;		/* LINE bytes, at position % LINE */
	struct mark	*mark;		/* MARKS of them */
	size_t		 first, n;	/* the oldest mark, and how many */
	uint64_t	 came, went;	/* positions */
	uint64_t	 busy;		/* when the rate lets more in, ns */
	uint64_t	 close_due;	/* the source's close, or NEVER */
	unsigned	 flight;	/* the highest that has arrived */
	bool		 shut;		/* nothing goes any more */
};

struct conn {
	int		 fd[2];		/* where OUT goes to, and IN */
	struct line	 line[2];
	unsigned	 flights;
	bool		 stalled;
	bool		 over;
};

struct opts {
	uint64_t	delay;		/* ns */
	uint64_t	rate;		/* bytes/s, or 0 */
	uint64_t	cut[2];		/* positions, or NEVER */
	uint64_t	stall[2];
	uint64_t	garble;		/* in IN */
	bool		dribble;
};

struct proxy {
	struct opts	 o;
	int		 listen;
	uint16_t	 target;
	struct conn	*conn[CONNS];
	size_t		 n;
	struct pollfd	 pfd[1 + 2 * CONNS];
};

static volatile sig_atomic_t stop;

static void
on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static uint64_t
now_ns(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);	/* cannot fail */
	return (uint64_t)ts.tv_sec * NS + (uint64_t)ts.tv_nsec;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* ---- one direction */

static void
line_init(struct line *l)
{
	l->buf = malloc(LINE);
	l->mark = calloc(MARKS, sizeof(*l->mark));
	if (l->buf == NULL || l->mark == NULL)
		err(2, "line");
	l->close_due = NEVER;
}

/* How much may be read now, in one piece. */
static size_t
line_room(const struct line *l, const struct opts *o)
{
	uint64_t	 room = LINE - (l->came - l->went);

	if (l->close_due != NEVER || l->shut || l->n == MARKS)
		return 0;
	room = least(room, LINE - l->came % LINE);
	return least(room, o->rate > 0 ? SLOW_PIECE : PIECE);
}

static void
line_came(struct line *l, const struct opts *o, size_t n, uint64_t now,
    unsigned flight)
{
	struct mark	*m = &l->mark[(l->first + l->n++) % MARKS];

	if (l->busy < now)
		l->busy = now;
	if (o->rate > 0)
		l->busy += n * NS / o->rate;
	l->came += n;
	m->end = l->came;
	m->due = l->busy + o->delay;
	m->flight = flight;
}

/* When there is something to do on it. */
static uint64_t
line_due(const struct line *l)
{
	if (l->shut)
		return NEVER;
	return l->n > 0 ? l->mark[l->first].due : l->close_due;
}

/* How much of its oldest piece may leave: up to where trouble waits. */
static size_t
line_ready(const struct line *l, const struct opts *o, int way)
{
	uint64_t	 end = l->mark[l->first].end;

	end = least(end, l->went - l->went % LINE + LINE);
	end = least(end, least(o->cut[way], o->stall[way]));
	return o->dribble && end > l->went ? 1 : end - l->went;
}

static void
line_went(struct line *l, size_t n)
{
	const struct mark	*m = &l->mark[l->first];

	l->went += n;
	if (m->flight > l->flight)
		l->flight = m->flight;
	if (m->end == l->went) {
		l->first = (l->first + 1) % MARKS;
		l->n--;
	}
}

/* ---- a connection */

static void
set_up(int fd)
{
	int	 one = 1;

	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		err(2, "socket");
}

static struct sockaddr_in
loopback(uint16_t port)
{
	struct sockaddr_in	 a;

	memset(&a, 0, sizeof(a));
	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void
conn_free(struct conn *c)
{
	int	 way;

	printf("done %ju %ju %u\n", (uintmax_t)c->line[OUT].went,
	    (uintmax_t)c->line[IN].went, c->flights);
	for (way = OUT; way <= IN; way++) {
		(void)close(c->fd[way]);	/* nothing can be done */
		free(c->line[way].buf);
		free(c->line[way].mark);
	}
	free(c);
}

static void
conn_new(struct proxy *p)
{
	struct sockaddr_in	 a = loopback(p->target);
	struct conn		*c;
	int			 fd;

	if ((fd = accept(p->listen, NULL, NULL)) == -1)
		return;			/* it has gone already */
	if ((c = calloc(1, sizeof(*c))) == NULL)
		err(2, "connection");
	c->fd[IN] = fd;
	if ((c->fd[OUT] = socket(AF_INET, SOCK_STREAM, 0)) == -1)
		err(2, "socket");
	set_up(c->fd[IN]);
	set_up(c->fd[OUT]);
	line_init(&c->line[OUT]);
	line_init(&c->line[IN]);
	if (connect(c->fd[OUT], (struct sockaddr *)&a, sizeof(a)) == -1 &&
	    errno != EINPROGRESS)
		conn_free(c);
	else
		p->conn[p->n++] = c;
}

/* Take what has come for a line: out of the other side's socket. */
static void
conn_read(struct conn *c, const struct opts *o, int way)
{
	struct line	*l = &c->line[way];
	uint8_t		*at = l->buf + l->came % LINE;
	unsigned	 flight = c->line[IN].flight + 1;
	uint64_t	 now;
	ssize_t		 n;

	n = recv(c->fd[!way], at, line_room(l, o), 0);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	now = now_ns();
	if (n <= 0) {
		l->close_due = (l->busy > now ? l->busy : now) + o->delay;
		return;
	}
	if (way == IN) {
		flight = c->line[OUT].flight;
		if (o->garble >= l->came && o->garble - l->came < (size_t)n)
			at[o->garble - l->came] ^= 1;
	} else if (flight > c->flights)
		c->flights = flight;
	line_came(l, o, (size_t)n, now, flight);
}

/* Where the next byte would be one too many. */
static void
conn_trouble(struct conn *c, const struct opts *o)
{
	int	 way;

	for (way = OUT; way <= IN; way++) {
		if (c->line[way].went >= o->cut[way])
			c->over = true;
		if (c->line[way].went >= o->stall[way])
			c->stalled = true;
	}
}

/* Send what is due on a line, and its close behind all of it. */
static void
conn_write(struct conn *c, const struct opts *o, int way, uint64_t now)
{
	struct line	*l = &c->line[way];
	ssize_t		 n;

	if (line_due(l) > now)
		return;
	if (l->n > 0) {
		n = send(c->fd[way], l->buf + l->went % LINE,
		    line_ready(l, o, way), MSG_NOSIGNAL);
		if (n >= 0)
			line_went(l, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			l->shut = true;	/* nobody is there to take it */
	} else {
		(void)shutdown(c->fd[way], SHUT_WR);	/* it may have gone */
		l->shut = true;
	}
}

/* ---- all of them */

static void
watch(struct pollfd *p, int fd, short events)
{
	/* poll tells of errors unasked: again and again, until closed. */
	p->fd = events == 0 ? -1 : fd;
	p->events = events;
	p->revents = 0;
}

/* What to wait for on both sides; when this has something to do, at last. */
static uint64_t
conn_watch(const struct conn *c, const struct opts *o, struct pollfd *p,
    uint64_t now)
{
	uint64_t	 due[2] = { line_due(&c->line[OUT]),
			    line_due(&c->line[IN]) };
	int		 way;

	if (c->stalled) {
		watch(&p[OUT], -1, 0);
		watch(&p[IN], c->fd[IN], POLLRDHUP);
		return NEVER;
	}
	for (way = OUT; way <= IN; way++) {
		watch(&p[way], c->fd[way],
		    (due[way] <= now ? POLLOUT : 0) |
		    (line_room(&c->line[!way], o) > 0 ? POLLIN : 0));
	}
	return least(due[OUT] <= now ? NEVER : due[OUT],
	    due[IN] <= now ? NEVER : due[IN]);
}

static void
conn_serve(struct conn *c, const struct opts *o, const struct pollfd *p)
{
	uint64_t	 now = now_ns();
	int		 way;

	for (way = OUT; way <= IN && !c->stalled && !c->over; way++) {
		if (p[!way].revents != 0 && line_room(&c->line[way], o) > 0)
			conn_read(c, o, way);
		conn_write(c, o, way, now);
		conn_trouble(c, o);
	}
	if (c->stalled ? (p[IN].revents & (POLLRDHUP | POLLHUP | POLLERR)) :
	    c->line[OUT].shut && c->line[IN].shut)
		c->over = true;
}

/* Wait until something is to do; false: the end. */
static bool
wait_for_work(struct proxy *p, const sigset_t *mask)
{
	struct timespec	 ts;
	uint64_t	 now = now_ns(), due = NEVER;
	size_t		 i;

	watch(&p->pfd[0], p->listen, p->n < CONNS ? POLLIN : 0);
	for (i = 0; i < p->n; i++)
		due = least(due, conn_watch(p->conn[i], &p->o,
		    &p->pfd[1 + 2 * i], now));
	ts.tv_sec = (time_t)least((due - now) / NS, 3600);
	ts.tv_nsec = (long)((due - now) % NS);
	if (ppoll(p->pfd, (nfds_t)(1 + 2 * p->n), &ts, mask) == -1 &&
	    errno != EINTR)
		err(2, "poll");
	return !stop;
}

static void
run(struct proxy *p, const sigset_t *mask)
{
	size_t	 i, n, kept;

	while (wait_for_work(p, mask)) {
		for (i = kept = 0, n = p->n; i < n; i++) {
			conn_serve(p->conn[i], &p->o, &p->pfd[1 + 2 * i]);
			if (p->conn[i]->over)
				conn_free(p->conn[i]);
			else
				p->conn[kept++] = p->conn[i];
		}
		p->n = kept;
		if (p->pfd[0].revents != 0)
			conn_new(p);
	}
	for (i = 0; i < p->n; i++)
		conn_free(p->conn[i]);
}

static uint64_t
number(const char *s, uint64_t max)
{
	unsigned long long	 v;
	char			*end;

	errno = 0;
	v = strtoull(s, &end, 10);
	if (*s < '0' || *s > '9' || *end != '\0' || errno != 0 || v > max)
		errx(64, "%s: not a number up to %ju", s, (uintmax_t)max);
	return v;
}

static void
parse(struct opts *o, int argc, char **argv)
{
	static const struct option	 names[] = {
		{ "delay", 1, NULL, 0 }, { "rate", 1, NULL, 0 },
		{ "cut-out", 1, NULL, 0 }, { "cut-in", 1, NULL, 0 },
		{ "stall-out", 1, NULL, 0 }, { "stall-in", 1, NULL, 0 },
		{ "garble-in", 1, NULL, 0 }, { "dribble", 0, NULL, 0 },
		{ NULL, 0, NULL, 0 }
	};
	uint64_t			*to[] = { &o->delay, &o->rate,
	    &o->cut[OUT], &o->cut[IN], &o->stall[OUT], &o->stall[IN],
	    &o->garble };
	int				 c, i;

	while ((c = getopt_long(argc, argv, "", names, &i)) == 0) {
		if (optarg == NULL)
			o->dribble = true;
		else
			*to[i] = number(optarg, NS);
	}
	if (c != -1 || argc - optind != 2)
		errx(64, "usage: proxy [options] LISTENPORT TARGETPORT");
	o->delay *= NS / 1000;
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in	 a = loopback(port);
	socklen_t		 n = sizeof(a);
	int			 fd, one = 1;

	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) == -1 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, CONNS) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) == -1)
		err(2, "port %u", port);
	set_up(fd);
	printf("ready %u\n", ntohs(a.sin_port));
	return fd;
}

int
main(int argc, char **argv)
{
	static struct proxy	 p = { .o = { .cut = { NEVER, NEVER },
				    .stall = { NEVER, NEVER },
				    .garble = NEVER } };
	struct sigaction	 sa;
	sigset_t		 term, before;

	parse(&p.o, argc, argv);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_term;
	(void)sigemptyset(&term);
	(void)sigaddset(&term, SIGTERM);
	/* Only while it waits does SIGTERM come in. */
	if (sigprocmask(SIG_BLOCK, &term, &before) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1 ||
	    setvbuf(stdout, NULL, _IOLBF, 0) != 0)
		err(2, "signals");
	p.target = (uint16_t)number(argv[optind + 1], 65535);
	p.listen = listen_on((uint16_t)number(argv[optind], 65535));
	(void)sigdelset(&before, SIGTERM);
	run(&p, &before);
	return 0;
}
