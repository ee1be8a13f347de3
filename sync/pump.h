/*
 * pump.h: a socket that never blocks, with a buffer in front of it: what
 * is sent is taken whole, and goes out as the socket takes it.
 */
#ifndef PUMP_H
#define PUMP_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"

#define PUMP_FIRST	4096
#define PUMP_BUDGET	(1024u * 1024)	/* a good one */

struct pump {
	int		 fd;		/* the caller's */
	struct buf	 out;		/* what waits to be sent, from: */
	size_t		 sent;
	bool		 ended;		/* the other side closed, or: */
	int		 failed;	/* errno of the socket */
	size_t		 budget;	/* bytes that may yet be received: one
					   call of a library that reads on while
					   something comes must end */
	uint64_t	 nin, nout;	/* bytes that came and went */
	uint8_t		 first[PUMP_FIRST]; /* what came first */
	size_t		 nfirst;
};

/* Bytes that wait to be sent. */
size_t	pump_waiting(const struct pump *);
/* Send what waits, as far as the socket takes it. */
void	pump_flush(struct pump *);
/*
 * As send(2) and recv(2), but -errno.  All n bytes are taken, or -EAGAIN
 * where a megabyte waits already; nothing is received while half of
 * that does (who makes us answer must read the answers), nor when the
 * budget is used up.
 */
ssize_t	pump_send(struct pump *, const void *, size_t n);
ssize_t	pump_recv(struct pump *, void *, size_t n);
/* Wait until something came, or could be sent, at most ms: 1 (a signal,
 * too), or 0 when nothing happened. */
int	pump_wait(struct pump *, int ms);

/* Milliseconds of a clock that only goes forward. */
int64_t	pump_now(void);

#endif
