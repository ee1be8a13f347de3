/*
 * apply.h: put entries into a tree, one after another in path_cmp()
 * order: as restore does at boot, and as an editor does in a live one.
 *
 * Each file comes by a temporary name and a rename, so that whoever reads
 * it meanwhile sees the old or the new one.  Nothing is ever written
 * outside of the tree: every step is from a descriptor, and a parent that
 * is no directory ends it.
 */
#ifndef APPLY_H
#define APPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/ent.h"
#include "../lib/err.h"

struct apply {
	int		 root;	/* of the tree; the caller's */
	bool		 live;	/* directories' times change as they do when
				   others work in the tree; else they stay */
	bool		 left;	/* an extended attribute could not be held */
	struct apply_link {
		uint32_t	 link;
		char		*path;	/* owned: where the inode is */
	}		*v;	/* in order of link */
	size_t		 n, cap;
};

#define APPLY_INIT(root, live) { (root), (live), false, NULL, 0, 0 }

/*
 * Make path what the entry says; NONE or WHITEOUT: remove it with all
 * below it.  data: content of a regular file, len bytes; it is not looked
 * at where an earlier entry of the same link number is in place.  0; 1:
 * left out, since its parent is no directory; or -errno, and then the
 * path is as it was.
 */
int	apply_ent(struct apply *, const struct ent *, const void *data,
	    size_t len, struct err *);
/* Say that path has this link number already.  -ENOMEM. */
int	apply_linked(struct apply *, uint32_t link, const char *path);
/* Where the inode of this link number is, or NULL. */
const char *apply_find(const struct apply *, uint32_t link);
void	apply_free(struct apply *);
/* Whether path has a temporary name of a process that is no more. */
bool	apply_orphan(const char *path);

/*
 * Make a symbolic link, fifo or device as e says, with its mode at once:
 * a later chmod(2) by name could meet what another user put there.
 */
int	apply_node(int dfd, const char *name, const struct ent *e);

#endif
