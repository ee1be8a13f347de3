/*
 * mirror.h: bring a copy of a store up to date, from one medium to
 * another.  It knows nothing of hosts: the tests use media in memory.
 *
 * A copy is a store with the same bytes at the same offsets, as far as
 * records reach; what lies behind an area's last record is not copied.
 * It is extended by the same writes and flushes in the same order as
 * the store was: so a cut at any byte, or a crash of the other side,
 * leaves what a power cut leaves of a store, the newest complete
 * generation.  Areas are written in the order of their generations.
 *
 * How far the copy is, its own record headers say.  Each record goes out
 * behind a flush of the one before it (io_order()), and at most
 * MIRROR_AHEAD records are under way; so, where MIRROR_AHEAD headers in a row
 * are as they should be, all before them is, and only their own contents
 * are in doubt, as a write may be lost in part while later ones are not:
 * these are compared, unless the caller knows that they were synced, or they
 * are large ones, whose header goes out when all else is there.  What the
 * copy has is not written again: a power cut could tear it.
 */
#ifndef MIRROR_H
#define MIRROR_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../lib/io.h"

#define MIRROR_AHEAD	8

/* How far a copy is: the last record that was synced. */
struct mirror_at {
	uint64_t	 id;		/* of the store; 0: nothing is known */
	uint64_t	 seq;		/* generation */
	uint64_t	 off;		/* of the record */
	uint32_t	 sum;		/* of its header */
};

struct mirror_job {
	struct io	*from;		/* the store that is copied */
	struct io	*to;		/* the copy; must be >= as large, but
					   see mirror_fill() */
	struct mirror_at *at;		/* in: what is known; out: what is
					   synced now; untouched on error */
	bool		 records;	/* `to` takes whole records alone: it is
					   a sealed one */
	bool		 whole;		/* believe no header: compare all bytes
					   of the copy and send what differs */
	/* May be NULL: told of bytes done and to do, now and then. */
	void		(*progress)(void *, uint64_t done, uint64_t of);
	void		*arg;
	/* Out: */
	uint64_t	 sent;		/* bytes written to the copy */
	uint64_t	 was;		/* generation that the copy had, 0 none */
};

/*
 * Extend the copy.  0: it is up to date and flushed (nothing was written
 * where nothing was missing).
 *
 *	-EEXIST		"NAME: the mirror is ahead: it has generation 12, this
 *			store 9" or "NAME: the mirror has other commits than
 *			this store after generation 9": it is a witness of
 *			what was lost here; untouched
 *	-EMEDIUMTYPE (EINVAL where there is none)
 *			"NAME: not a copy of this store": another store, or no
 *			store at all; untouched
 *	-ESTALE		the copy is damaged in a way that only copying it anew
 *			mends (both superblocks, shorter than its areas): the
 *			caller calls mirror_fill() on a new file
 *
 * Where the superblock's copy, or the superblock, is bad, it is mended.
 */
int	mirror_update(struct mirror_job *, struct err *);

/*
 * Fill a new, empty or half filled medium (or one that may be written over:
 * what another life of the store left there is blanked), in order of
 * offsets, nothing of which counts before all of it is there: the caller
 * then renames it.  Every MIRROR_CHUNK bytes it is made to last; so of a copy
 * that was cut short, `have` bytes long, all is good below have less two
 * chunks (of a sealed one, less the longest record, too), and is not sent
 * again.  What lies behind the records is left out.  A store that others
 * write to meanwhile is given as a mirror_snapshot().
 */
#define MIRROR_CHUNK	(1u << 20)
int	mirror_fill(struct mirror_job *, uint64_t have, struct err *);

/*
 * Read all of the copy's records and compare them with the store's.  fn is
 * told of each difference in one line.  Returns how many, or -errno; a
 * copy that only lacks the newest records differs in nothing, *behind
 * is set to the generations it lacks.
 */
int	mirror_compare(struct mirror_job *, uint64_t *behind,
	    void (*fn)(void *, const char *), void *arg, struct err *);

/*
 * Read the records of a store into a medium in memory
 * of the same size, so that a slice need not stay mounted while a
 * network is slow.  A commit meanwhile does no harm: what it tore is left
 * out, or it is all read again.
 */
int	mirror_snapshot(struct io **snap, struct io *store, struct err *);

#endif
