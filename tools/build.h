/*
 * build.h: inside of change: a commit while it is put together.
 */
#ifndef BUILD_H
#define BUILD_H

#include <stddef.h>
#include <stdint.h>

#include "change.h"

struct build {
	struct commit	*c;
	size_t		 cap;
	const struct pend *pend;
	const struct pers *pers;
	const struct patt *patt;
	int		 tree;
	struct change_base *base; /* never NULL */
	uint32_t	*links;	/* by a pent's link number: the store's, 0 not
				   yet given, or NOLINK */
	uint32_t	 nlinks, next;
	struct err	*e;
};

/* A change of this path behind the others; NULL: no memory. */
struct change *build_add(struct build *, enum change_op, const char *path);
/* One that sets the path to a copy of this entry. */
struct change *build_copy(struct build *, const char *path,
	    const struct ent *);
/* Take the entry that the overlay has for path, if any, away; by whom: of
 * p, which may be NULL.  0 or -ENOMEM. */
int	build_drop(struct build *, const char *path, const struct pent *p);
/* What is to be committed of path, or NULL. */
const struct pent *build_pend(const struct build *, const char *path);
/* Say of a change, all else filled in, what the base has there. */
int	build_over(struct build *, struct change *);
/* Tell of what is not pending, as the struct change_base says. */
int	build_also(struct build *);
/* In path_cmp() order; their number. */
size_t	build_sort(struct commit *);

#endif
