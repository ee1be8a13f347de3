/*
 * copy.h: copy a whole tree, as cp -Rp does, with everything that a tree
 * can hold: modes, owners, times, extended attributes, hard links,
 * symbolic links, fifos, devices, holes.  Sockets are left out.
 */
#ifndef COPY_H
#define COPY_H

#include <stdbool.h>

#include "../lib/err.h"

/*
 * Copy what is below `from` into `to` (both descriptors of directories;
 * `to` is empty but for mount points), and give `to` the attributes of
 * `from`.  *left is set where an extended attribute could not be held.
 */
int	copy_tree(int from, int to, bool *left, struct err *);

#endif
