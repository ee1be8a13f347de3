/*
 * trees.h: states of the tree that can be compared: the base, a
 * generation, what is running.
 */
#ifndef TREES_H
#define TREES_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "pend.h"
#include "pers.h"
#include "walk.h"

/*
 * pers_get() where the base may not be at hand (descriptor -1): *known is
 * false where only it could tell; e is then ENT_NONE.
 */
int	pers_know(const struct pers *, const char *path, int flags,
	    struct ent *, bool *known, struct err *);

struct tree {
	uint64_t	 gen;	/* generation; 0: the base; for what is
				   running, the one it is pending against */
	struct ents	 ov;	/* its overlay; owned; see tree_over() */
	struct pers	 pers;	/* over the base */
	const struct pend *pend; /* running: what differs; or NULL */
	int		 root;	/* running: descriptor of its root */
};

/* A generation, with the base's descriptor or -1; both are the caller's,
 * and the tree stays where it is: pers points into it. */
int	tree_open(struct tree *, struct store *, uint64_t gen, int base,
	    struct err *);
/* The same of what is known already; all in it stays the caller's. */
void	tree_over(struct tree *, const struct pers *);
/* Make it what is running, root being its descriptor. */
void	tree_run(struct tree *, const struct pend *, int root);
void	tree_close(struct tree *);

/* What is pending of a path; NULL: nothing. */
const struct pent *tree_pending(const struct tree *, const char *path);
/* The entry of a path; the caller frees it.  *known is false where only
 * the base could tell, which is not at hand. */
int	tree_get(const struct tree *, const char *path, int flags,
	    struct ent *, bool *known, struct err *);
/* Its content, appended: entdiff.h's form, arg being the tree. */
int	tree_content(void *arg, const struct ent *, struct buf *,
	    struct err *);
/* Another name of e's inode, or NULL. */
const char *tree_linked(const struct tree *, const struct ent *e);
/* Whether this user could read what x is, in this tree. */
int	tree_readable(const struct tree *, const struct ent *x, bool *can,
	    struct err *);

/* Add to these paths what lies below those at which just one of the two
 * has a directory, and put them in order. */
int	trees_below(const struct tree *, const struct tree *, struct strs *,
	    struct err *);
/* The paths in which the two can differ, in order. */
int	trees_paths(const struct tree *, const struct tree *, struct strs *,
	    struct err *);

#endif
