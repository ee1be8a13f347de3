/*
 * treediff.h: the difference of two states of the tree, as diff, log and
 * rollback show it.
 */
#ifndef TREEDIFF_H
#define TREEDIFF_H

#include <stddef.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "entdiff.h"
#include "trees.h"
#include "walk.h"

enum diff_form {
	DIFF_TEXT,		/* unified, as entdiff.h has it */
	DIFF_STAT,		/* how many lines, and a line for all */
	DIFF_NAMES,		/* the paths alone */
	DIFF_JSON		/* an array, without a newline behind it */
};

struct treediff {
	enum diff_form	 form;
	struct entdiff_opts o;
	const struct strs *paths;	/* only at or below these; NULL or
					   none: all */
	struct tree	*a, *b;		/* from, to */
	struct buf	 out;		/* owned: what there is to print */
	size_t		 n;		/* paths that differ */
	size_t		 added, removed; /* lines in all of them */
};

/*
 * Append the difference to out, and count it.  among: paths in order, all
 * in which the two can differ; NULL: they are looked for.
 */
int	treediff(struct treediff *, const struct strs *among, struct err *);

#endif
