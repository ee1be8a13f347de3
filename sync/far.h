/*
 * far.h: a file on another host as a medium (lib/io.h): reads and writes
 * are pipelined, io_readv() is one round trip, io_order() none, and
 * flush waits for all and for the other side's fsync.
 */
#ifndef FAR_H
#define FAR_H

#include <stdint.h>

#include "../lib/err.h"
#include "../lib/io.h"
#include "sftp.h"

#define FAR_WRITE	0x1	/* for writing too */
#define FAR_CREATE	0x2	/* a new file, O_EXCL, of `size` zeros */

/*
 * Open path as a medium named "HOST:PATH"; sftp stays the caller's and
 * outlives it.  block is 512; size the file's, down to a block.  A write
 * past the end is allowed and makes the file longer (the size field is
 * kept current), so that a copy can grow.  No regular file: -EINVAL.
 */
int	far_open(struct io **, struct sftp *, const char *path, int flags,
	    uint64_t size, struct err *);
/* What the file has now, however short: bytes that can be read. */
uint64_t far_bytes(const struct io *);

#endif
