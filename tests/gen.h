/*
 * gen.h: seeded, random commits like those of a box that is lived on.
 *
 * Every kind of entry and change: files small, big, empty, edited and
 * incompressible; directories made, renamed (deleted here, added there)
 * and replaced; links of both sorts, devices, whiteouts, drops, modes,
 * owners, times, extended attributes.
 */
#ifndef GEN_H
#define GEN_H

#include "hist.h"

struct gen {
	uint64_t	 rng;
	size_t		 maxents; /* entries of an overlay, about */
	size_t		 budget; /* bytes of all its contents together */
	size_t		 maxfile; /* bytes of one */
	unsigned	 maxops; /* random changes in one commit */
	int64_t		 clock;	/* ns since 1970; each commit is later */
	struct pool	*pool;	/* contents that were made go here */
};

/*
 * A commit on top of the overlay `now` (of the store, for its link
 * numbers), and the overlay that it must give.  The caller frees both.
 */
void	gen_commit(struct gen *, const struct ents *now, struct commit *,
	    struct ents *after);
/* One with every kind of entry in it, new or changed. */
void	gen_all_kinds(struct gen *, const struct ents *now, struct commit *,
	    struct ents *after);
/* A small one: one text file of this name gets a new line. */
void	gen_line(struct gen *, const struct ents *now, const char *path,
	    struct commit *, struct ents *after);
/* One that drops about half of what is there. */
void	gen_shrink(struct gen *, const struct ents *now, struct commit *,
	    struct ents *after);
/* Give the file `path` of such a commit n bytes that don't deflate. */
void	gen_noise(struct gen *, struct commit *, struct ents *after,
	    const char *path, size_t n);

#endif
