/*
 * past.h: the window into history, ".cfg" in the root of a view: what the
 * daemon and cfg-hist, which shows it, know of each other.
 *
 * cfg-hist has a stream socket as its standard input, and one argument,
 * the state directory.  By the socket it gets FUSE requests as the kernel
 * wrote them: INIT first, then those that concern nodes of the window,
 * each at most PAST_ASK bytes; it sends the answers, each at most
 * PAST_ANSWER bytes.  ENOSYS is none, as the kernel takes it to be of the
 * whole view.  It may not take its time with the end: where the socket
 * has none any more it has to end, too.
 */
#ifndef LIB_PAST_H
#define LIB_PAST_H

#include <stdint.h>

#define PAST_NAME	".cfg"
#define PAST_ASK	1024	/* bytes of the longest request */
#define PAST_ANSWER	(131072 + 4096)

/* Ids of the window's nodes, which are their inode numbers too, have this
 * bit, which no RAM disk gives; it alone is the window itself.  What that
 * looks like is for the daemon to say. */
#define PAST_BIT	((uint64_t)1 << 63)
#define PAST_ROOT	PAST_BIT

#endif
