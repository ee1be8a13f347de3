/*
 * slice.h: reach a store where it lies, and leave the place as found.
 *
 * A store named by a user is a raw device, a file on a file system that
 * is mounted read-write, a file on a slice that is mounted read-only, or
 * a file on a slice that fstab(5) knows as noauto.  In the last two cases
 * writing needs a window: the slice is remounted or mounted, and put back
 * on every way out, signals included (they are held off meanwhile).
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../lib/io.h"

struct slice;

/*
 * Open the store at path as a medium; with `write`, for writing.  Where
 * the slice was not mounted it is mounted read-only for a reader, and
 * stays mounted until slice_close().
 *
 * From the moment that something is changed until slice_close(), signals
 * are blocked, and no other window is open anywhere: EBUSY after 30 s of
 * waiting for one.  So a window is kept short: no pager, no question.
 * Readers share one, in one process too; it then closes last what it opened
 * first.
 */
int	slice_open(struct slice **, const char *path, bool write,
	    struct io **, struct err *);
/* The same for writing, of a new file that io_create() makes. */
int	slice_create(struct slice **, const char *path, uint64_t size,
	    struct io **, struct err *);
/*
 * Close the medium and put the slice back as it was found.  *window_ns
 * (may be NULL) is how long it was writable or mounted, 0 where nothing
 * had to be done.  NULL is allowed.  A failure to put it back is an error.
 */
int	slice_close(struct slice *, uint64_t *window_ns, struct err *);

#endif
