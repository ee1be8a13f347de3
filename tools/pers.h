/*
 * pers.h: the persisted tree: a base directory with an overlay over it.
 * What is there, and what is in it.  DESIGN.md, "What persisted is".
 */
#ifndef PERS_H
#define PERS_H

#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../sync/store.h"
#include "walk.h"

struct pers {
	int		 base;	/* directory descriptor, or -1: base empty */
	const struct ents *ov;	/* overlay of one generation, or NULL: none */
	struct store	*s;	/* where its contents are, or NULL */
	struct walk_at	*near;	/* the base's directory that was asked for
				   last, for one who goes through it; or NULL */
};

/*
 * The entry of a path in the persisted tree, ENT_NONE where there is
 * none.  flags as ent_read() (hashes of base files cost reading them).
 * *from_base (may be NULL): the base gave it.  Caller frees the entry.
 */
int	pers_get(const struct pers *, const char *path, int flags,
	    struct ent *, bool *from_base, struct err *);

/* The base's own entry, whether it shows or not; ino and nlink (may be
 * NULL) as ent_read().  Caller frees the entry. */
int	pers_base(const struct pers *, const char *path, int flags,
	    struct ent *, uint64_t *ino, uint64_t *nlink, struct err *);

/* The entry of the overlay that decides on path: its own, or that of a
 * parent which is no directory; NULL: the base decides. */
const struct ent *pers_over(const struct pers *, const char *path);

/* The content of a regular file that pers_get() gave, appended. */
int	pers_content(const struct pers *, const struct ent *, bool from_base,
	    struct buf *, struct err *);

/* Whether path is a directory of the persisted tree: 1, 0 or -ENOMEM. */
int	pers_isdir(const struct pers *, const char *path);

/* The paths of what the persisted directory dir holds, directories with
 * a slash at the end, in no order; none where dir isn't one. */
int	pers_list(const struct pers *, const char *dir, struct strs *,
	    struct err *);

/*
 * Call fn for each path of the persisted tree at and below dir, each
 * directory before what it holds, siblings in order; ends early where fn
 * gives other than 0, and gives that.
 */
int	pers_walk(const struct pers *, const char *dir,
	    int (*fn)(void *, const char *path), void *arg, struct err *);

#endif
