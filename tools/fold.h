/*
 * fold.h: the journal's records, folded into the set of suspects: paths
 * that may differ, and who touched them.
 */
#ifndef FOLD_H
#define FOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"
#include "pend.h"

struct susp {
	char		*path;	/* owned */
	bool		 tree;	/* and all below it */
	bool		 moved;	/* who did it did so to all below, too */
	struct who	*who;	/* owned; in order of time; may be none */
	size_t		 nwho;
};

struct fold {			/* in path_cmp() order, each path once */
	struct susp	*v;
	size_t		 n, cap;
	bool		 damaged; /* the journal is: look everywhere */
};

/* Read the segments up to `upto` in this state directory. */
int	fold_journal(struct fold *, int statedir, uint64_t upto,
	    struct err *);
/* Another suspect; fold_sort() is then due.  -ENOMEM. */
int	fold_add(struct fold *, const char *path, bool tree);
/* In order, the same paths joined.  -ENOMEM. */
int	fold_sort(struct fold *);
const struct susp *fold_find(const struct fold *, const char *path);
/*
 * Who changed path: its own records, and where those of a renamed
 * directory above it.  *who is a new array.  -ENOMEM.
 */
int	fold_who(const struct fold *, const char *path, struct who **who,
	    size_t *n);
void	fold_free(struct fold *);

#endif
