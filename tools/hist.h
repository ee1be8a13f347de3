/*
 * hist.h: going through a store's generations, oldest first, knowing at
 * each what was there before it.
 */
#ifndef HIST_H
#define HIST_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../sync/store.h"
#include "pers.h"

struct hist {
	struct store	*s;
	struct ents	 ov;	/* overlay before generation gen */
	struct pers	 before; /* the same over the base */
	struct ents	 next;	/* overlay after it, see hist_ahead() */
	struct pers	 after;
	bool		 ahead;
	uint64_t	 gen;	/* where we are */
	bool		 at;	/* rec is gen's, else gen comes before it */
	struct commit	 rec;	/* its record, empty where kept is false */
	bool		 kept;	/* the store still has the record */
	bool		 alone;	/* it is a trial, or one that is kept beside
				   the others: none follows it */
};

/*
 * Begin before generation `from` (1 or more; the oldest where that is
 * later).  base: descriptor or -1 where it is not at hand; the caller's.
 */
int	hist_open(struct hist *, struct store *, uint64_t from, int base,
	    struct err *);
/* Begin before this very one, which may be one that is kept beside the
 * others, or the trial: then none follows it. */
int	hist_one(struct hist *, struct store *, uint64_t gen, int base,
	    struct err *);
/* To be called before the first hist_next(): keep up h->after, too, which
 * is what there is after the generation that we are at. */
int	hist_ahead(struct hist *, struct err *);
/* Go to the next generation: 1, 0 after the newest, or -errno. */
int	hist_next(struct hist *, struct err *);
/* Fill in what the path of a change was before: ENT_NONE where there was
 * nothing.  *known is false where only the base could say. */
int	hist_was(struct hist *, const char *path, struct ent *was,
	    bool *known, struct err *);
/*
 * What a change of this generation was: 'A' added, 'D' deleted, 'T' of
 * another type, 'm' in mode, owner or attributes only, 'B' following the
 * base again, 'M' else, or where only the base could tell.  'E' on error.
 * flags: without ENT_HASH, a file of the base is not read for whether it is
 * 'M' or 'm'.
 */
char	hist_letter(struct hist *, const struct change *, int flags,
	    struct err *);
/* Who committed where the record is kept; and the head of a JSON object,
 * up to the message. */
void	hist_user(const struct hist *, struct buf *);
void	hist_json(const struct hist *, struct buf *);
void	hist_close(struct hist *);

#endif
