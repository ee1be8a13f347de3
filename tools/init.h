/*
 * init.h: making a store where nothing is that anyone may want to keep.
 */
#ifndef INIT_H
#define INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"

struct init {
	const struct cfg *c;
	const char	*path;
	uint64_t	 size;		/* of a new file; 0: 1 MB */
	struct store_geom geom;
	bool		 force;		/* overwrite what is there */
};

/*
 * Make the store, in a new file where there is none.  -EEXIST: something is
 * there, and e says what.
 */
int	init_store(const struct init *, struct err *);

/* What lies on a medium, as far as it is known: "a UFS2 file system"; or
 * NULL. */
const char *init_holds(struct io *);

/* "64K", "1M", "2G", "65536" as bytes: 0, -EINVAL, -ERANGE. */
int	init_size(const char *, uint64_t *);

#endif
