/*
 * change.h: from what is pending to what a commit tells the store.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../sync/store.h"
#include "patt.h"
#include "pend.h"
#include "pers.h"

/*
 * Fill in c's changes, contents read from the running tree: so that the
 * persisted tree becomes like the running one in these paths and stays
 * as it is in all others.  c is the caller's, on failure too.
 */
int	change_build(struct commit *c, const struct pend *, int tree,
	    const struct pers *, const struct patt *, struct err *);

/*
 * The journal's records for what stays pending when a commit is done:
 * these paths, and those that the patterns left out.
 */
void	change_carry(struct buf *, const struct pend *rest,
	    const struct pend *ignored);

#endif
