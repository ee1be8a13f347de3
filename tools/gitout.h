/*
 * gitout.h: the history of a store as a stream for git fast-import(1):
 * for hosting and review, where git's words suffice.  Owners, modes but
 * for the executable bit, attributes, hard links, empty directories and
 * devices are not in it; a clone of the store has them.
 */
#ifndef GITOUT_H
#define GITOUT_H

#include <stddef.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../sync/store.h"

struct gitout {
	struct store	*s;
	int		 base;	/* descriptor, or -1: the overlay alone */
	/* Told of the stream piece by piece; not 0 ends it. */
	int		 (*put)(void *, const struct buf *, struct err *);
	void		*arg;
	size_t		 left;	/* out: paths that git can't have */
};

/*
 * All generations that the store still has, oldest first, as commits of
 * the branch main, with the base before them where it is at hand.  The
 * same store gives the same commits.
 */
int	git_out(struct gitout *, struct err *);

#endif
