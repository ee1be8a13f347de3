/*
 * seg.h: the segment of the journal that is added to, mapped, and the
 * table that finds the records of a path in it.
 */
#ifndef SEG_H
#define SEG_H

#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../lib/jrn.h"

#define SEG_MAX		(8u << 20)	/* bytes of one that goes on */

struct slot {
	uint32_t	 hash;	/* of the path */
	uint32_t	 off;	/* of the record in the segment; 0: free */
	uint32_t	 pid;	/* who changed it last */
};

struct seg {
	int		 dirfd;	/* the state directory; the caller's */
	int		 fd;	/* of the segment, or -1 */
	uint8_t		*map;	/* its bytes */
	size_t		 size;	/* that are reserved and mapped */
	size_t		 used;	/* and in use */
	uint64_t	 seq;	/* its number */
	uint64_t	 nrec;	/* its records */
	struct slot	*tab;	/* open addressing, 2^n slots */
	size_t		 cap;
};

/* No segment yet, and an empty table.  0 or -ENOMEM. */
int	seg_init(struct seg *, int dirfd);
void	seg_free(struct seg *);

/*
 * Make the segment seq of these record bytes, and let it take the place
 * of the one that is mapped.  On failure that one stays.
 */
int	seg_make(struct seg *, uint64_t seq, const uint8_t *recs, size_t n,
	    struct err *);
/* Go on in the segment seq that is there.  1, or 0 where it can't be
 * used. */
int	seg_take_over(struct seg *, uint64_t seq, struct err *);

/* Reserve and map this many bytes of the segment.  0 or -errno. */
int	seg_reserve(struct seg *, size_t size);
/* Room in the table for one more record.  0 or -ENOMEM. */
int	seg_slot(struct seg *);
/* Add the bytes of one record, for which both kinds of room are there. */
void	seg_append(struct seg *, const struct buf *);

/* The slots that hold this path, one by one: `last` is the one before, or
 * NULL; NULL at the end. */
struct slot *seg_next(const struct seg *, const char *path, size_t len,
	    struct slot *last);
/* The record at a slot. */
struct jrn_rec seg_rec(const struct seg *, const struct slot *);
/* The flags of all records of this path; *n of them. */
unsigned seg_flags(const struct seg *, const char *path, size_t len, int *n);

#endif
