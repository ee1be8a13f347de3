/*
 * pers.h: the persisted tree: a base directory with an overlay over it.
 * What is there, and what is in it.  DESIGN.md, "What persisted is".
 */
#ifndef PERS_H
#define PERS_H

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../sync/store.h"

struct pers {
	int		 base;	/* directory descriptor, or -1: base empty */
	const struct ents *ov;	/* overlay of one generation, or NULL: none */
	struct store	*s;	/* where its contents are, or NULL */
};

/*
 * The entry of a path in the persisted tree, ENT_NONE where there is
 * none.  flags as ent_read() (hashes of base files cost reading them).
 * *from_base (may be NULL): the base gave it.  Caller frees the entry.
 */
int	pers_get(const struct pers *, const char *path, int flags,
	    struct ent *, bool *from_base, struct err *);

/* The content of a regular file that pers_get() gave, appended. */
int	pers_content(const struct pers *, const struct ent *, bool from_base,
	    struct buf *, struct err *);

/*
 * Call fn for each path of the persisted tree at and below dir, each
 * directory before what it holds, siblings in order; ends early where fn
 * gives other than 0, and gives that.
 */
int	pers_walk(const struct pers *, const char *dir,
	    int (*fn)(void *, const char *path), void *arg, struct err *);

#endif
