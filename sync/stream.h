/*
 * stream.h: a stream of bytes to another host, that never blocks.
 * SSH gives one (ssh.h), a socket gives one (stream_fd()); what is spoken
 * over it (sftp.h) does not know which.
 */
#ifndef STREAM_H
#define STREAM_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"

struct stream {
	/* Bytes read; 0 at the end; -EAGAIN: none now; -errno with *e set. */
	ssize_t	(*read)(struct stream *, void *, size_t, struct err *);
	/* Bytes taken, the same way. */
	ssize_t	(*write)(struct stream *, const void *, size_t,
		    struct err *);
	/*
	 * Wait until reading (or, with `writing`, also writing) may make
	 * progress.  0, or -ETIMEDOUT after ms milliseconds in which not a
	 * byte came or went ("HOST: no answer for 30 seconds").
	 */
	int	(*wait)(struct stream *, int writing, int ms, struct err *);
	void	(*close)(struct stream *);
	const char *name;	/* for messages; owned by the stream */
	uint64_t in, out;	/* bytes so far */
};

/* On a connected socket, which is made non-blocking and, on 0, taken over:
 * closing the stream closes it. */
int	stream_fd(struct stream **, int fd, const char *name, struct err *);
void	stream_close(struct stream *);	/* NULL is allowed */

#endif
