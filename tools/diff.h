/*
 * diff.h: cfg diff for other verbs.
 */
#ifndef DIFF_H
#define DIFF_H

#include <stddef.h>

#include "cfg.h"
#include "work.h"

/*
 * Print how another tree, root, differs from what is running, in cfg
 * diff's usual form.  Of both it is known how they differ from w's head.
 * *n paths do.
 */
int	diff_running(struct cfg *, const struct work *w,
	    const struct pend *run, const struct pend *other, int root,
	    size_t *n, struct err *);

#endif
