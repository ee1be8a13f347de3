/*
 * tree.h: directory trees for tests: made from a few calls, and written
 * down to the last bit, so that two can be compared as text.
 */
#ifndef TREE_H
#define TREE_H

#include "../lib/buf.h"

/* A new empty directory on a RAM disk where there is one; a descriptor.
 * All are removed by t_sweep(). */
int	t_dir(void);
/* The name of the i-th directory of t_dir(), from 0; NULL behind. */
const char *t_dirname(int i);
void	t_sweep(void);
void	t_drop(void);			/* the newest alone */

/* Make what is named, and the directories above it; a file is replaced. */
void	t_file(int root, const char *path, const char *content);
void	t_mkdir(int root, const char *path);
void	t_symlink(int root, const char *path, const char *target);
void	t_fifo(int root, const char *path);
void	t_link(int root, const char *from, const char *to);
void	t_chmod(int root, const char *path, unsigned mode);
void	t_rm(int root, const char *path);	/* and all below it */
void	t_rename(int root, const char *from, const char *to);
/* The time of last change, in seconds. */
void	t_time(int root, const char *path, long s);
char	*t_read(int root, const char *path);	/* owned by the caller */
int	t_there(int root, const char *path);

/*
 * One line for each path: type, mode, owner, target, size, hash, extended
 * attributes, hard-link group; with `times` times too.  A string.
 */
char	*t_snap(int root, int times);
/* Whether both give the same; else the first difference as comment. */
int	t_same(int a, int b, int times);

#endif
