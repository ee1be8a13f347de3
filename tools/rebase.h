/*
 * rebase.h: an entry of the overlay over a base that is another than the
 * one which it was made over: what of the new base goes into it.
 */
#ifndef REBASE_H
#define REBASE_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../sync/store.h"
#include "walk.h"

/* Bytes of the largest content of the base that is kept, or merged. */
#define REBASE_MAX	(1024 * 1024)

enum rebased {
	REBASE_SAME,		/* nothing to be done: it stays */
	REBASE_MERGED,		/* it has something of the new base now */
	REBASE_PARKED		/* it stays, though the base has something else
				   for it: somebody has to look */
};

enum rebase_why {		/* why it was parked; the words are a file's */
	WHY_OVERLAP,		/* both changed the same lines */
	WHY_BINARY,		/* both changed what is no text, or too long */
	WHY_UNKNOWN,		/* what the base had is not at hand */
	WHY_TYPE,		/* one is of another type now */
	WHY_DELETED,		/* deleted here, changed in the base */
	WHY_GONE,		/* changed here, no longer in the base */
	WHY_LINKED,		/* one of several names of a file */
	WHY_BACK,		/* it was merged, which was taken back */
	WHY_N
};
/* One word for it; and a sentence, which what boots has no need of
 * (cmd-resolve.c). */
extern const char *const rebase_word[WHY_N];
extern const char *const rebase_text[WHY_N];

struct rebase {
	struct store	*s;	/* has what the old base had; or NULL */
	int		 base;	/* the new base, a directory */
	const struct strs *pins; /* see pin.h; or NULL */
};

/*
 * Merge one entry, *data being its content: where the result is
 * REBASE_MERGED, both are that of the merge.  *text (may be NULL) gets the
 * text with marks of WHY_OVERLAP.  One of enum rebased, or -errno; then,
 * too, x and data are as they were.
 */
int	rebase_ent(const struct rebase *, struct ent *x, struct buf *data,
	    enum rebase_why *, struct buf *text, struct err *);

/* Whether the base has still what is recorded of it. */
bool	base_same(const struct ent_base *, const struct ent *now);
/* What is to be recorded of it, *now having its hash; NULL: no memory. */
struct ent_base *base_of(const struct ent *now);
/* The same content or target, and type. */
bool	base_content_same(const struct ent_base *, const struct ent *);

#endif
