/*
 * mirkit.h: what the tests of the mirror share: a copy's medium that is
 * as far away as another host's, and what a copy should be.
 */
#ifndef MIRKIT_H
#define MIRKIT_H

#include "../sync/mirror.h"
#include "drive.h"

/*
 * A medium like far.h's: it has readv and order, grows where it may,
 * and says only at a flush that a write has failed.  What was written is
 * logged in `sim`, an order as a flush: what a cut leaves is the same.
 */
struct away {
	struct io	 io;		/* what the mirror is given */
	struct sim	*sim;		/* owned; its size is the most */
	bool		 grows;		/* io.size is as far as was written */
	/* Counted: */
	size_t		 reads;		/* single ones */
	size_t		 readvs;
	uint64_t	 read;		/* bytes of both */
	size_t		 writes;
	size_t		 flushes;
	size_t		 orders;
	/* Faults, by the number of the write or read: */
	size_t		 fail;		/* SIZE_MAX: no write fails */
	size_t		 fail_at;	/* bytes of it that arrive; the next
					   unit of 512 is lost, the rest not */
	bool		 lost;		/* one has failed, no flush said so */
	size_t		 stop;		/* SIZE_MAX; from this write on, all
					   fails at once: the host is gone */
	/* May be NULL: changes what was read. */
	void		(*answer)(void *, uint8_t *, size_t n, uint64_t off);
	void		*arg;
};

struct away *away_new(uint64_t size, uint64_t room);
void	away_free(struct away *);
/* Forget counts, faults and log. */
void	away_begin(struct away *);

/* Update, from what at says; the result. */
int	update(struct io *from, struct io *to, struct mirror_at *, bool whole,
	    struct mirror_job *, struct err *);
/* Differences that mirror_compare() finds, said; or -errno. */
int	compare(struct io *from, struct io *to, uint64_t *behind);
/*
 * The copy, opened, against the history: NULL, or what is wrong.  It must
 * have all that the store has from this generation to `upto`, its head.
 */
const char *copy_agrees(struct drive *, struct io *copy, uint64_t upto);
/* n commits, with refusals for lack of space in between. */
bool	commits(struct drive *, size_t n);
/* Until the store has begun n more areas. */
bool	areas(struct drive *, size_t n);

#endif
