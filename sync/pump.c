/*
 * pump.c: a socket that never blocks, with a buffer in front of it.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "pump.h"

#define MOST	(1024u * 1024)

size_t
pump_waiting(const struct pump *p)
{
	return p->out.len - p->sent;
}

void
pump_flush(struct pump *p)
{
	ssize_t	 k;

	while (pump_waiting(p) > 0 && p->failed == 0) {
		k = send(p->fd, p->out.p + p->sent, pump_waiting(p),
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k == -1 && errno == EINTR)
			continue;
		if (k == -1) {
			if (errno != EAGAIN && errno != EWOULDBLOCK)
				p->failed = errno;
			return;
		}
		p->sent += (size_t)k;
		p->nout += (uint64_t)k;
	}
	if (pump_waiting(p) == 0)
		p->sent = p->out.len = 0;
}

ssize_t
pump_send(struct pump *p, const void *src, size_t n)
{
	if (pump_waiting(p) > MOST)
		pump_flush(p);
	if (p->failed != 0)
		return -p->failed;
	if (pump_waiting(p) > MOST)
		return -EAGAIN;
	if (p->sent > 0) {
		memmove(p->out.p, p->out.p + p->sent, pump_waiting(p));
		p->out.len -= p->sent;
		p->sent = 0;
	}
	put_bytes(&p->out, src, n);
	if (p->out.bad) {
		p->failed = ENOMEM;
		return -ENOMEM;
	}
	pump_flush(p);
	return (ssize_t)n;
}

ssize_t
pump_recv(struct pump *p, void *to, size_t n)
{
	ssize_t	 k;
	size_t	 room = sizeof(p->first) - p->nfirst;

	if (p->failed != 0)
		return -p->failed;
	if (n > p->budget)
		n = p->budget;
	if (n == 0 || pump_waiting(p) > MOST / 2)
		return -EAGAIN;
	while ((k = recv(p->fd, to, n, MSG_DONTWAIT)) == -1 && errno == EINTR)
		;
	if (k == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return -EAGAIN;
		p->failed = errno;
		return -p->failed;
	}
	if (k == 0)
		p->ended = true;
	p->budget -= (size_t)k;
	if (room > (size_t)k)
		room = (size_t)k;
	if (room > 0)
		memcpy(p->first + p->nfirst, to, room);
	p->nfirst += room;
	p->nin += (uint64_t)k;
	return k;
}

int
pump_wait(struct pump *p, int ms)
{
	struct pollfd	 f = { p->fd, POLLIN, 0 };
	int		 rc;

	if (pump_waiting(p) > 0)
		f.events |= POLLOUT;
	if ((rc = poll(&f, 1, ms)) == -1)
		return 1;
	if ((f.revents & POLLOUT) != 0)
		pump_flush(p);
	return rc;
}

int64_t
pump_now(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);	/* it is there */
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
