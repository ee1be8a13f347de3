/*
 * draft.h: a record while it is made.
 */
#ifndef DRAFT_H
#define DRAFT_H

#include "store-int.h"

/* Where a step's content comes from. */
struct source {
	const struct buf *given;	/* the caller has it, or NULL: */
	uint64_t	 loc;		/* the store has it (0: nowhere) */
};

struct draft {
	struct meta	*m;		/* the steps; their e.loc is set */
	struct source	*src;		/* for each step */
	const struct ents *before;	/* with the locs of this same area */
	const struct ents *old;		/* the same with those of the medium */
	const struct blobs *bases;	/* contents in the area before it */
	uint32_t	 area;
	struct rec	 r;		/* type, flags, gen, parent, seq, life,
					   nonce, off: the caller's */
	/* Made by draft_make(). */
	struct buf	 meta;		/* as stored */
	struct buf	 data;		/* contents */
	struct blobs	 own;		/* numbered on behind the bases */
	size_t		 lost;		/* contents that could not be read */
};

int	draft_make(struct store *, struct draft *, struct err *);
void	draft_free(struct draft *);	/* what draft_make() made */
/* Append the record's bytes, padded; the header's sum is set, and the
 * places of its contents. */
int	draft_put(struct store *, struct draft *, struct buf *, struct err *);

#endif
