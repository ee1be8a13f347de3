/*
 * hnode.h: what the kernel knows of the window: its nodes, by their ids.
 *
 * An id is a hash of what the node is, so the same thing has the same id,
 * and inode number, whenever it is asked for.  The window itself
 * (PAST_ROOT) is always there and is not in the table.
 */
#ifndef HNODE_H
#define HNODE_H

#include <stdint.h>

enum hnode_kind {
	HNODE_TREE,		/* a path in a generation */
	HNODE_LINK		/* a symbolic link to a generation: @head of
				   the time when that was the head */
};

struct hnode {
	struct hnode	*next;	/* in the table */
	uint64_t	 id;
	enum hnode_kind	 kind;
	uint64_t	 gen;	/* generation; 0: the base */
	uint64_t	 nlookup; /* the kernel's count */
	char		 path[]; /* in the generation's tree; "" for a link */
};

struct hnodes {
	struct hnode	**v;	/* buckets, 2^n; NULL: none yet */
	size_t		 nbuckets;
	size_t		 n;	/* nodes */
};

uint64_t hnode_id(enum hnode_kind, uint64_t gen, const char *path);
/* NULL: the kernel does not know it, or not from us. */
struct hnode *hnode_get(const struct hnodes *, uint64_t id);
/* The node, made where it is not there, and counted once more; NULL: no
 * memory, or another one has this id. */
struct hnode *hnode_enter(struct hnodes *, enum hnode_kind, uint64_t gen,
	    const char *path);
/* Take n off its count; at none it is gone. */
void	hnode_forget(struct hnodes *, uint64_t id, uint64_t n);
void	hnodes_free(struct hnodes *);

#endif
