/*
 * walk.h: lists of paths, and going through a directory tree without
 * recursion and without holding a descriptor for each level.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../lib/err.h"

struct strs {			/* strings, each owned */
	char	**v;
	size_t	  n;
	size_t	  cap;
};

/* Take over s (NULL: out of memory already).  -ENOMEM: s is freed. */
int	strs_put(struct strs *, char *s);
/* In path_cmp() order, each once. */
void	strs_sort(struct strs *);
bool	strs_has(const struct strs *, const char *);	/* sorted ones */
void	strs_free(struct strs *);

/*
 * The paths of what the directory `dir` below root holds, in no order.
 * -ENOENT, -ENOTDIR, -ELOOP (without a line in e) where it isn't one.
 */
int	walk_list(int root, const char *dir, struct strs *, struct err *);

/*
 * Call fn for each path below dir (not for dir itself), a directory
 * before what it holds, siblings in order.  fn gives WALK_DOWN to go into
 * a directory, 0 not to, or -errno, which ends the walk.  What vanishes
 * under way is passed over.
 */
#define WALK_DOWN 1
int	walk_tree(int root, const char *dir,
	    int (*fn)(void *, const char *path), void *arg, struct err *);

/*
 * Remove what path names, with all below it; nothing there is 0.  Never
 * crosses into another file system: -EBUSY where one is mounted.
 */
int	walk_remove(int root, const char *path, struct err *);

#endif
