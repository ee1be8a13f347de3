/*
 * viewcmp.h: what two directory trees look like, and where they differ.
 */
#ifndef VIEWCMP_H
#define VIEWCMP_H

#include <sys/stat.h>

#include "../lib/buf.h"

/*
 * One line of text for what stat(2) says.  Exact: all of it, times to
 * the nanosecond and the inode too.  Otherwise the inode number, ctime
 * and atime are left out, and an mtime since the test began is "now":
 * the two trees were changed one after the other.
 */
void	view_stat(struct buf *, const struct stat *, int exact);

/* Sorted names in a directory, each with a newline; exact: with its
 * inode number and type. */
void	view_list(struct buf *, int dfd, int exact);

/*
 * Compare two trees: entries, stat, content, targets, extended
 * attributes, which names are one inode.  Exact is for two ways to the
 * same files.  Prints what differs, returns how much does.
 */
int	view_cmp(int afd, int bfd, int exact);

#endif
