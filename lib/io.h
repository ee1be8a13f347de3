/*
 * io.h: a medium, as four functions.
 *
 * The store does all its input and output through this table, so that
 * the same code runs on a raw slice, a file, another host, and on a
 * simulated medium that loses power at will.
 *
 * Offsets and lengths are bytes.  Writes begin and end on multiples of
 * `block`; reads may be of any size.  All return 0 or -errno with *e set
 * and naming the medium.
 */
#ifndef IO_H
#define IO_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct io;

/* A piece of a medium to be read. */
struct io_range {
	void		*p;	/* where to: n bytes */
	size_t		 n;
	uint64_t	 off;
};

struct io_ops {
	/* Read exactly n bytes at off; a short medium is -EIO. */
	int	(*read)(struct io *, void *, size_t n, uint64_t off,
		    struct err *);
	/*
	 * Write exactly n bytes at off, in one request where the medium
	 * takes it.  Nothing is promised about them until flush; a medium
	 * far away may say only there that one failed.
	 */
	int	(*write)(struct io *, const void *, size_t n, uint64_t off,
		    struct err *);
	/* On 0, all earlier writes survive power loss. */
	int	(*flush)(struct io *, struct err *);
	/* Release; NULL is allowed.  Never fails: flush is what counts. */
	void	(*close)(struct io *);
	/*
	 * The two below may be NULL: io_readv() and io_order() then do it
	 * by the calls above.  A medium that is far away has them, so that
	 * many requests cost one round trip.
	 */
	/* Read n ranges. */
	int	(*readv)(struct io *, const struct io_range *, size_t n,
		    struct err *);
	/*
	 * What was written before this survives power loss wherever
	 * anything written after it does.  It need not wait; where it
	 * fails, that or a later flush says so.
	 */
	int	(*order)(struct io *, struct err *);
};

struct io {
	const struct io_ops *ops;
	const char	*name;	/* for messages; owned by the io */
	uint64_t	 size;	/* bytes of the medium, a multiple of block */
	uint32_t	 block;	/* least unit of a write: 512 or more, 2^n */
	uint32_t	 phys;	/* unit the medium itself rewrites (0 unknown) */
};

#define IO_WRITE	0x1	/* for writing too, and locked exclusively */
#define IO_NOLOCK	0x2	/* with neither lock: the caller holds one */

/*
 * Open a file or a raw device as a medium.  Writes bypass the page cache
 * (O_DIRECT) where the medium can, so that one commit is one request.
 * With IO_WRITE the medium is locked against other writers: EBUSY, with
 * the line "NAME: in use by another writer".  Readers take no lock: what they
 * read is checksummed, and a commit under way is not there yet.
 * Neither file, nor device: EINVAL.  The caller ends with io_close().
 */
int	io_open(struct io **, const char *path, int flags, struct err *);

/*
 * Make the file at path (O_EXCL, mode 0600) with `size` bytes of zeros
 * written and synced, its directory too, so that later writes change no
 * block map and no size.  EEXIST where it is there.
 */
int	io_create(const char *path, uint64_t size, struct err *);

/* A medium in memory of `size` zero bytes, for tests and dry runs. */
int	io_mem(struct io **, uint64_t size, uint32_t block, struct err *);

void	io_close(struct io *);		/* NULL is allowed */

/* readv and order, by read and flush where the medium has none. */
int	io_readv(struct io *, const struct io_range *, size_t n, struct err *);
int	io_order(struct io *, struct err *);

#endif
