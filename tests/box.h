/*
 * box.h: base, running tree, journal and overlay for tests, with commits
 * and restores done in memory, without a store: what change_build() tells
 * one, and what apply_ent() makes of it.
 */
#ifndef BOX_H
#define BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/jrn.h"
#include "../tools/patt.h"
#include "../tools/pend.h"

struct box {
	int		 base, run, state;	/* directories */
	struct ents	 ov;
	struct blob {
		struct hash	 h;
		struct buf	 b;
	}		*blobs;		/* all contents ever committed */
	size_t		 nblobs;
	struct pend	 pend;		/* of the last box_find() */
	struct patt	*patt;		/* or NULL */
	bool		 all;		/* compare everything */
	struct buf	 jrn;		/* records of journal.1 */
	int64_t		 clock;
};

/* A box with this base, and a running tree that is a copy of it. */
void	box_new(struct box *, int base);
void	box_free(struct box *);
void	box_ignore(struct box *, const char *patterns);	/* NULL: nothing */
/* One record into the journal. */
void	box_note(struct box *, const char *path, enum jrn_op, int flags,
	    unsigned uid, const char *comm);
/* Fill in pend. */
void	box_find(struct box *);
/* box_find(), and whether it gives these lines "LETTER PATH\n". */
void	box_expect(struct box *, const char *lines);
/* Commit these paths (NULL: all; else one); the number of changes. */
int	box_commit(struct box *, char *const *paths);
/* Whether base and overlay make the running tree. */
int	box_restores(struct box *);

#endif
