/*
 * proxy.c: a TCP proxy on loopback that makes a network of it: delay, a
 * rate, cuts, stalls, garbled bytes, one byte at a time.
 *
 *	proxy [--delay MS] [--rate BYTES] [--cut-out N] [--cut-in N]
 *	    [--stall-out N] [--stall-in N] [--garble-in N] [--dribble]
 *	    LISTENPORT TARGETPORT
 *
 * "out" is from the client to the server, "in" the other way; N counts
 * bytes of a connection.  At a cut both sides are closed, at a stall
 * nothing more goes that way.  A byte leaves MS milliseconds after it came,
 * so what is pipelined stays so.  It prints "ready PORT", and at the end of
 * a connection "done OUT IN FLIGHTS": bytes, and how often the server
 * answered after the client had spoken, which is what round trips cost.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

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

#define CONNS	256
#define CHUNK	16384
#define QUEUE	(8u << 20)	/* bytes under way at the most */

struct chunk {
	struct chunk	*next;
	int64_t		 due;	/* ms */
	size_t		 n, pos;
	unsigned char	 b[];
};

struct way {			/* one direction */
	int		 from, to;
	struct chunk	*first, **last;
	size_t		 queued;
	uint64_t	 bytes;	/* that came */
	int64_t		 free;	/* when the line is free, by the rate */
	bool		 end;	/* nothing more comes */
	bool		 shut;	/* and that was passed on */
};

struct conn {
	bool		 used;
	struct way	 w[2];	/* out, in */
	bool		 asked;	/* the client spoke last */
	unsigned	 flights;
};

static struct conn	conns[CONNS];
static int64_t		delay;
static uint64_t		rate, cut[2], stall[2], garble;
static bool		dribble;
static volatile sig_atomic_t ending;

static int64_t
now(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
stop(int sig)
{
	(void)sig;
	ending = 1;
}

static void
finish(struct conn *c)
{
	struct chunk	*k;
	int		 i;

	(void)printf("done %llu %llu %u\n", (unsigned long long)c->w[0].bytes,
	    (unsigned long long)c->w[1].bytes, c->flights);
	(void)fflush(stdout);
	for (i = 0; i < 2; i++)
		while ((k = c->w[i].first) != NULL) {
			c->w[i].first = k->next;
			free(k);
		}
	(void)close(c->w[0].from);
	(void)close(c->w[0].to);
	c->used = false;
}

static void
tune(int fd)
{
	int	 one = 1;

	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void
welcome(int lfd, uint16_t target)
{
	struct sockaddr_in	 a = { .sin_family = AF_INET,
	    .sin_port = htons(target),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int			 c = accept(lfd, NULL, NULL), s, i;

	if (c == -1)
		return;
	for (i = 0; i < CONNS && conns[i].used; i++)
		;
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (i == CONNS || s == -1 ||
	    connect(s, (struct sockaddr *)&a, sizeof(a)) == -1) {
		(void)close(c);
		if (s != -1)
			(void)close(s);
		return;
	}
	tune(c);
	tune(s);
	memset(&conns[i], 0, sizeof(conns[i]));
	conns[i].used = true;
	conns[i].w[0] = (struct way){ .from = c, .to = s };
	conns[i].w[1] = (struct way){ .from = s, .to = c };
	conns[i].w[0].last = &conns[i].w[0].first;
	conns[i].w[1].last = &conns[i].w[1].first;
}

/* What came: into the queue.  False: the connection is cut. */
static bool
take(struct conn *c, int dir)
{
	struct way	*w = &c->w[dir];
	struct chunk	*k = malloc(sizeof(*k) + CHUNK);
	size_t		 most = dribble ? 1 : CHUNK;
	ssize_t		 n;

	if (k == NULL)
		return false;
	if (cut[dir] > 0 && cut[dir] - w->bytes < most)
		most = (size_t)(cut[dir] - w->bytes);
	n = most == 0 ? 0 : read(w->from, k->b, most);
	if (n <= 0) {
		free(k);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return true;
		w->end = true;
		return most != 0 && n == 0;
	}
	if (dir == 1 && garble > w->bytes &&
	    garble <= w->bytes + (uint64_t)n)
		k->b[garble - w->bytes - 1] ^= 0x55;
	w->bytes += (uint64_t)n;
	if (dir == 0)
		c->asked = true;
	else if (c->asked) {
		c->asked = false;
		c->flights++;
	}
	k->next = NULL;
	k->n = (size_t)n;
	k->pos = 0;
	k->due = now() + delay;
	if (rate > 0) {
		if (w->free < k->due)
			w->free = k->due;
		w->free += (int64_t)((uint64_t)n * 1000 / rate);
		k->due = w->free;
	}
	*w->last = k;
	w->last = &k->next;
	w->queued += (size_t)n;
	return true;
}

static bool
is_stalled(const struct way *w, int dir)
{
	return stall[dir] > 0 && w->bytes >= stall[dir];
}

/* What is due, out.  False: the other side is gone. */
static bool
give(struct way *w, int dir, int64_t t)
{
	struct chunk	*k;
	ssize_t		 n;

	while (!is_stalled(w, dir) && (k = w->first) != NULL && k->due <= t) {
		n = write(w->to, k->b + k->pos, k->n - k->pos);
		if (n == -1)
			return errno == EAGAIN || errno == EINTR;
		k->pos += (size_t)n;
		w->queued -= (size_t)n;
		if (k->pos < k->n)
			return true;
		if ((w->first = k->next) == NULL)
			w->last = &w->first;
		free(k);
	}
	if (w->end && w->first == NULL && !w->shut) {
		w->shut = true;
		(void)shutdown(w->to, SHUT_WR);
	}
	return true;
}

/* One look at a connection. */
static void
serve(struct conn *c, const struct pollfd *p)
{
	int64_t	 t;
	int	 i;

	for (i = 0; i < 2; i++)
		if ((p[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 &&
		    (p[i].events & POLLIN) != 0 && !take(c, i)) {
			/* What came before the cut has come. */
			(void)give(&c->w[i], i, INT64_MAX);
			finish(c);
			return;
		}
	t = now();
	for (i = 0; i < 2; i++)
		if (!give(&c->w[i], i, t)) {
			finish(c);
			return;
		}
	if (c->w[0].shut && c->w[1].shut)
		finish(c);
}

/* Milliseconds until something is due; -1: nothing is. */
static int
next_due(void)
{
	int64_t	 t = now(), least = -1, d;
	int	 i, k;

	for (i = 0; i < CONNS; i++)
		for (k = 0; conns[i].used && k < 2; k++) {
			const struct way *w = &conns[i].w[k];

			if (w->first == NULL || is_stalled(w, k))
				continue;
			d = w->first->due - t;
			/* Due, and not taken: poll for room instead. */
			d = d <= 0 ? 5 : d;
			if (least == -1 || d < least)
				least = d;
		}
	return (int)least;
}

static void
loop(int lfd, uint16_t target)
{
	static struct pollfd	 p[1 + 2 * CONNS];
	int			 i, k;

	while (!ending) {
		p[0] = (struct pollfd){ .fd = lfd, .events = POLLIN };
		for (i = 0; i < CONNS; i++)
			for (k = 0; k < 2; k++) {
				const struct way *w = &conns[i].w[k];

				p[1 + 2 * i + k] = (struct pollfd){
				    .fd = conns[i].used && !w->end ?
				    w->from : -1,
				    .events = w->queued < QUEUE ? POLLIN :
				    0 };
			}
		if (poll(p, 1 + 2 * CONNS, next_due()) == -1 &&
		    errno != EINTR)
			return;
		for (i = 0; i < CONNS; i++)
			if (conns[i].used)
				serve(&conns[i], &p[1 + 2 * i]);
		if ((p[0].revents & POLLIN) != 0)
			welcome(lfd, target);
	}
}

static int
listen_on(uint16_t port, uint16_t *is)
{
	struct sockaddr_in	 a = { .sin_family = AF_INET,
	    .sin_port = htons(port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		 len = sizeof(a);
	int			 fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one,
	    sizeof(one)) == -1 || bind(fd, (struct sockaddr *)&a,
	    sizeof(a)) == -1 || listen(fd, CONNS) == -1 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) == -1)
		return -1;
	*is = ntohs(a.sin_port);
	return fd;
}

int
main(int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "delay", required_argument, NULL, 'd' },
		{ "rate", required_argument, NULL, 'r' },
		{ "cut-out", required_argument, NULL, 'o' },
		{ "cut-in", required_argument, NULL, 'i' },
		{ "stall-out", required_argument, NULL, 'O' },
		{ "stall-in", required_argument, NULL, 'I' },
		{ "garble-in", required_argument, NULL, 'g' },
		{ "dribble", no_argument, NULL, 'b' },
		{ NULL, 0, NULL, 0 }
	};
	struct sigaction		 sa = { .sa_handler = stop };
	uint16_t			 port;
	uint64_t			*to;
	int				 ch, lfd;

	while ((ch = getopt_long(argc, argv, "", lo, NULL)) != -1) {
		to = ch == 'r' ? &rate : ch == 'o' ? &cut[0] :
		    ch == 'i' ? &cut[1] : ch == 'O' ? &stall[0] :
		    ch == 'I' ? &stall[1] : ch == 'g' ? &garble : NULL;
		if (ch == 'd')
			delay = strtoll(optarg, NULL, 10);
		else if (ch == 'b')
			dribble = true;
		else if (to != NULL)
			*to = strtoull(optarg, NULL, 10);
		else
			return 64;
	}
	if (argc - optind != 2)
		return 64;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigaction(SIGTERM, &sa, NULL);
	lfd = listen_on((uint16_t)atoi(argv[optind]), &port);
	if (lfd == -1) {
		perror("proxy");
		return 2;
	}
	(void)printf("ready %u\n", port);
	(void)fflush(stdout);
	loop(lfd, (uint16_t)atoi(argv[optind + 1]));
	return 0;
}
