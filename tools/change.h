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
#include "walk.h"

/* What of the base goes into a commit; all may be zero. */
struct change_base {
	bool		 keep;	/* keep what the base's files hold that are
				   replaced, to be merged with the next base */
	bool		 follow; /* what has become like the base leaves the
				   overlay, pending or not */
	const struct strs *pins; /* but not these, see pin.h; what is pinned is
				   in the overlay, pending or not */
	const struct strs *mine; /* entries that are told anew, so that they
				   are known to be over the base of now */
	size_t		 nalso;	/* result: paths that are told, though they are
				   not pending ... */
	size_t		 nfollow; /* ... and that leave the overlay */
};

/*
 * Fill in c's changes, contents read from the running tree: so that the
 * persisted tree becomes like the running one in these paths and stays
 * as it is in all others.  Each entry tells what the base has in its
 * place.  `base` may be NULL.  c is the caller's, on failure too.
 */
int	change_build(struct commit *c, const struct pend *, int tree,
	    const struct pers *, const struct patt *, struct change_base *,
	    struct err *);

/*
 * The journal's records for what stays pending when a commit is done:
 * these paths, and those that the patterns left out.
 */
void	change_carry(struct buf *, const struct pend *rest,
	    const struct pend *ignored);

#endif
