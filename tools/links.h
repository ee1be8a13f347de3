/*
 * links.h: which names of a tree are one inode.
 */
#ifndef LINKS_H
#define LINKS_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"
#include "patt.h"

struct links {			/* in order of inode, then path */
	struct lname {
		uint64_t	 ino;
		char		*path;	/* owned */
	}		*v;
	size_t		 n, cap;
};

/* All names, below root, of inodes that say they have more than one;
 * without what the patterns leave out (ignore may be NULL). */
int	links_scan(struct links *, int root, const struct patt *ignore,
	    struct err *);
/* The names of this inode: their number, *first set. */
size_t	links_of(const struct links *, uint64_t ino,
	    const struct lname **first);
/* Add one name; links_sort() is then due.  -ENOMEM. */
int	links_add(struct links *, uint64_t ino, const char *path);
void	links_sort(struct links *);
void	links_free(struct links *);

#endif
