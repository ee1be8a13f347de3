/*
 * ctl.h: the control protocol between the daemon and cfg.
 *
 * A stream socket "ctl" in the state directory.  Each message is a
 * frame: length of what follows (le32, at most CTL_MAX), type (le32),
 * body.  The client asks, the daemon answers each request with one frame
 * of the same type and an le32 errno value first in its body (0: done).
 *
 * A commit holds a lease, of which there is one at a time: CTL_FREEZE
 * takes it, ends the current journal segment and begins a new one, and
 * holds back every change until CTL_THAW, while reads go on.  After the
 * thaw the lease lasts until the socket closes, so that a client that
 * dies undoes nothing and blocks nobody.  A freeze ends by itself after
 * CTL_FREEZE_MAX seconds; CTL_THAW then answers ETIMEDOUT, and what the
 * client read may not be of one moment: it starts again.
 */
#ifndef CTL_H
#define CTL_H

#include <stdint.h>

#include "buf.h"
#include "err.h"

#define CTL_VERSION	1
#define CTL_MAX		4096
#define CTL_FREEZE_MAX	20

enum ctl_type {
	CTL_HELLO = 1,	/* body: version; answer: version, daemon's pid */
	CTL_FREEZE = 2,	/* root only; answer: le64 last ended segment.
			   EBUSY: le32 pid of the lease's holder */
	CTL_THAW = 3,
	CTL_STATS = 4,	/* answer: text, lines "name value" */
	CTL_TREE = 5	/* root only; with the answer comes a descriptor of
			   the running tree's root, see ctl_tree() */
};

/*
 * Connect to the daemon of this state directory and say hello.  Returns
 * the socket, or -errno: ECONNREFUSED or ENOENT where none is running.
 */
int	ctl_connect(const char *statedir, struct err *);

/*
 * Ask, and wait for the answer.  *answer (emptied first) is the body
 * behind the errno value.  0, or -errno as the daemon answered or the
 * socket failed.
 */
int	ctl_call(int fd, enum ctl_type, const struct buf *body,
	    struct buf *answer, struct err *);

/*
 * The running tree itself, below the view: what is read there goes
 * through no daemon.  A directory, the caller's, or -errno (EPERM: only
 * root gets it).  For reading alone: a change there is never journaled.
 */
int	ctl_tree(int fd, struct err *);

/* Put one frame (daemon and client). */
void	ctl_put(struct buf *, enum ctl_type, const void *body, size_t n);
/*
 * Take one frame off the front of n bytes: its whole length with *type
 * and *body set, 0 where it is not complete yet, -EBADMSG where it can
 * never be one.
 */
int	ctl_get(const uint8_t *, size_t n, enum ctl_type *, struct rd *body);

#endif
