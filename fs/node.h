/*
 * node.h: what the kernel knows of the tree: its inodes and their names.
 *
 * A node is one inode that the kernel holds a count on, or a directory
 * that such a one lies below.  Its number is the RAM disk's inode number,
 * with those of the root and of 1 (the kernel's name for the root)
 * exchanged.  It holds no descriptor, but is reached by directory and
 * name; of several hard links those names are known that were looked up.
 * Only a node whose last known name was taken away holds a descriptor,
 * until the kernel forgets it.
 */
#ifndef NODE_H
#define NODE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"

struct node;

struct name {
	struct name	*hnext;	/* in the table, by directory and name */
	struct name	*next;	/* other names of this node */
	struct node	*dir;	/* where it lies */
	struct node	*node;	/* what it names */
	uint32_t	 hash;	/* of dir and s */
	char		 s[];	/* the name, NUL-terminated */
};

struct node {
	struct node	*hnext;	/* in the table, by inode number */
	struct name	*names;	/* those known; none: see fd */
	uint64_t	 ino;	/* on the RAM disk */
	uint64_t	 nlookup; /* the kernel's count */
	uint32_t	 kids;	/* names whose dir this is */
	uint32_t	 type;	/* S_IFMT bits */
	int		 fd;	/* kept since the last name went, or -1 */
	int16_t		 slot;	/* in the cache of descriptors, or -1 */
	bool		 nocap;	/* known to have no security.capability */
};

struct nodes {
	struct node	**byino; /* buckets, 2^n */
	struct name	**byname; /* buckets, as many */
	size_t		 nbuckets;
	size_t		 count;	/* nodes */
	size_t		 nnames;
	struct node	*root;	/* never forgotten */
	uint64_t	 rootino;
	/* Called for a node about to be freed. */
	void		(*gone)(void *arg, struct node *);
	void		*arg;
};

/* 0 or -ENOMEM. */
int	nodes_init(struct nodes *, uint64_t rootino);
void	nodes_free(struct nodes *);

/* Inode number to node id and back (it is the same exchange). */
uint64_t node_id(const struct nodes *, uint64_t ino);

struct node *node_get(const struct nodes *, uint64_t ino);

/*
 * The node of the inode *st that was found as `name` in dir, made where
 * it is not there; the name is noted.  NULL: no memory.
 */
struct node *node_enter(struct nodes *, struct node *dir, const char *name,
	    const struct stat *st);

/* What is known under this name, or NULL. */
struct name *name_find(const struct nodes *, const struct node *dir,
	    const char *name);
/* The name is gone.  Its node stays, perhaps without any name; so does
 * its directory, which the caller releases where nobody may count on it. */
void	name_drop(struct nodes *, struct name *);
/* The node has a further name, or keeps it.  0 or -ENOMEM. */
int	name_add(struct nodes *, struct node *, struct node *dir,
	    const char *name);

/*
 * Free the node if nobody counts on it, and then the directories that
 * were kept for it alone.  The caller has closed its descriptors.
 */
void	node_release(struct nodes *, struct node *);

/*
 * Put the path of `name` in dir ("" for the root: name NULL), with a NUL
 * that len does not count.  0, -ENOMEM, -ENAMETOOLONG past PATH_LIMIT, or
 * -ESTALE where dir has no name any more.
 */
int	node_path(const struct node *dir, const char *name, struct buf *);

/* Whether n is dir or one of the directories above it. */
bool	node_above(const struct node *n, const struct node *dir);

#endif
