/*
 * osdisk.h: the partitions of this machine, for who looks for a place.  osdep-linux-disk.c and osdep-freebsd-disk.c each give this.
 */
#ifndef OSDISK_H
#define OSDISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct os_part {
	char		*dev;	/* owned: "/dev/mmcblk0p3" */
	char		*name;	/* owned: what the partition table calls it;
				   NULL: nothing */
	char		*id;	/* owned: its PARTUUID; NULL: not known */
	uint64_t	 size;	/* bytes */
	bool		 used;	/* mounted, swapped to, or part of something */
};

/*
 * All partitions, and the disks without any that are hardware; not what can't
 * be written to, nor what has no medium.  In order of their names.
 */
int	os_parts(struct os_part **, size_t *n, struct err *);
void	os_parts_free(struct os_part *, size_t n);
/* Append one, for those who make the list: what it owns is taken over.
 * -ENOMEM. */
int	os_parts_add(struct os_part **, size_t *n, size_t *cap,
	    struct os_part *);
void	os_parts_sort(struct os_part *, size_t n);

/* The device, or the path, that a name means which fstab(5) or a setting
 * has ("PARTLABEL=cfg", "/dev/gpt/cfg"): a new string; NULL: there is none. */
char	*os_dev_named(const char *);

/* Whether the conventions of FreeBSD hold here: rc.conf(5), /conf. */
bool	os_bsd(void);

/*
 * The partitions that FreeBSD's kern.geom.confxml, a string, tells of.
 */
int	geom_parts(const char *xml, struct os_part **, size_t *n,
	    struct err *);

#endif
