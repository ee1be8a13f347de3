/*
 * osfs.h: what fstab(5) says of this machine's file systems.
 */
#ifndef OSFS_H
#define OSFS_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct os_fs {			/* a line of it */
	char		*from;	/* owned: as it is there */
	char		*dir;	/* owned: without a slash at its end */
	bool		 noauto;
};

/* All lines; no file is no line.  osdep-*-mnt.c give this, by the next one. */
int	os_fstab(struct os_fs **, size_t *n, struct err *);
/* Append one.  -ENOMEM. */
int	os_fstab_add(struct os_fs **, size_t *n, size_t *cap,
	    const char *from, const char *dir, bool noauto, struct err *);
void	os_fstab_free(struct os_fs *, size_t n);

/*
 * The directory, as a new string, of the innermost file system that
 * fstab(5) has for path, if that is marked noauto; else -ENOENT.
 */
int	os_fstab_noauto(const char *path, char **dir, struct err *);

#endif
