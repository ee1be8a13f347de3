/*
 * alike.h: make one tree like another.
 */
#ifndef ALIKE_H
#define ALIKE_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/err.h"

struct alike {
	size_t	 n;		/* paths that differed */
	bool	 left;		/* an extended attribute could not be held */
};

/*
 * Make what is below `to` what is below `from` (descriptors of directories):
 * contents, types, modes, owners, extended attributes, hard links; of times
 * alone nothing is seen.  Each file comes by a rename; what a restore or a
 * revert has left in `from` for cfg itself does not cross.  Sockets are left
 * out on either side.  With `dry` only count.  Where it fails some may have
 * been done; doing it again completes it.
 */
int	tree_alike(int from, int to, bool dry, struct alike *, struct err *);

#endif
