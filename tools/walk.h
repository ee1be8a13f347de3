/*
 * walk.h: lists of paths, and going through a directory tree without
 * recursion and without holding a descriptor for each level.
 */
#ifndef WALK_H
#define WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "../lib/buf.h"
#include "../lib/err.h"

struct strs {			/* strings, each owned */
	char	**v;
	size_t	  n;
	size_t	  cap;
};

/* Take over s (NULL: out of memory already).  -ENOMEM: s is freed. */
int	strs_put(struct strs *, char *s);
/* The same with formatted text. */
int	strs_fmt(struct strs *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* The same with a new string: "dir/name", or "dir/name/" where `isdir`. */
int	strs_path(struct strs *, const char *dir, const char *name, bool isdir);
/* In path_cmp() order, each once. */
void	strs_sort(struct strs *);
bool	strs_has(const struct strs *, const char *);	/* sorted ones */
void	strs_free(struct strs *);

/*
 * The paths of what the directory `dir` below root holds, directories
 * with a slash at the end, in no order.  -ENOENT, -ENOTDIR, -ELOOP
 * (without a line in e) where it isn't one.
 */
int	walk_list(int root, const char *dir, struct strs *, struct err *);

/*
 * Call fn for each path below dir (not for dir itself), a directory
 * before what it holds, siblings in order; `isdir`: it is one.  fn gives
 * WALK_DOWN to go into a directory, 0 not to, or -errno, which ends the
 * walk.  What vanishes under way is passed over, and what this user may
 * not read, but for root.
 */
#define WALK_DOWN 1
int	walk_tree(int root, const char *dir,
	    int (*fn)(void *, const char *path, bool isdir), void *arg,
	    struct err *);

/*
 * The directory of a path, kept open for the next path in the same one.
 * Start with { root, -1, NULL }; end with walk_at_close().
 */
struct walk_at {
	int	 root;
	int	 fd;		/* the directory, or -errno where none is */
	char	*dir;		/* owned: its path with a slash, NULL: none */
};
/* A descriptor that is the walk_at's, or -errno, as path_parent(). */
int	walk_at(struct walk_at *, const char *path, const char **name);
void	walk_at_close(struct walk_at *);

/*
 * Append what the file holds, not waiting should it be a fifo.  0 or
 * -errno, without a line: -EFBIG where it is longer than max bytes.
 */
int	walk_slurp(int root, const char *path, size_t max, struct buf *);

/*
 * Remove what path names, with all below it; nothing there is 0.  Never
 * crosses into another file system: -EBUSY where one is mounted.
 */
int	walk_remove(int root, const char *path, struct err *);
/* Empty root, but for what is mounted below it and the way there. */
int	walk_clear(int root, struct err *);

#endif
