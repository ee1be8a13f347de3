/*
 * entdiff.h: the difference of one path between two trees, in git's
 * extended unified format: modes, types, links, owners, contents.
 *
 * Parts "diff --git" are what git apply and patch(1) take; parts "diff
 * --cfg" say what git has no words for, and both tools pass them over.
 */
#ifndef ENTDIFF_H
#define ENTDIFF_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"

struct side {			/* one of the two */
	const struct ent *e;	/* type ENT_NONE: not there */
	/* Give the content of a regular file, appended. */
	int		(*content)(void *, const struct ent *, struct buf *,
			    struct err *);
	void		*arg;
	bool		 hidden;	/* this user could not read it */
	const char	*linked;	/* another name of the same inode, or
					   NULL where there is none */
};

struct entdiff_opts {
	unsigned	 context;	/* lines around, usually 3 */
	bool		 color;
	bool		 safe;		/* for a terminal: no control
					   characters but tabs */
};

struct entdiff_stat {
	size_t		 added, removed;	/* lines */
	bool		 binary;
};

/*
 * Append the difference of `path`; nothing where both look the same.
 * Where a side is hidden that is all that is said.
 */
int	entdiff(const char *path, const struct side *a, const struct side *b,
	    const struct entdiff_opts *, struct buf *out,
	    struct entdiff_stat *, struct err *);

/*
 * Whether the user of this process could read the content of path, by
 * the modes and owners in e and its parent directories (dirs: entries of
 * them, from the root down).  Root can.
 */
bool	entdiff_readable(const struct ent *e, const struct ent *dirs,
	    size_t ndirs);

#endif
