/*
 * frame.h: frames on a socket or a pipe: length of the body (le32), a
 * letter, the body.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>

#include "../lib/buf.h"

/* One frame; 0 or -errno, EMSGSIZE where the body has more than `most`
 * bytes.  On a socket SIGPIPE does not come. */
int	frame_send(int fd, size_t most, char type, const void *body, size_t n);
/*
 * And from there: 1 with *type and *body (emptied first), 0 at the end,
 * EBADMSG where it says that there are more than `most` bytes, ETIMEDOUT
 * where nothing comes for so many seconds (0: for ever).
 */
int	frame_recv(int fd, int seconds, size_t most, char *type,
	    struct buf *body);

#endif
