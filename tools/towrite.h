/*
 * towrite.h: the store, opened to be committed to: with what the
 * configuration says of how much history is kept.
 */
#ifndef TOWRITE_H
#define TOWRITE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "cfg.h"

struct towrite {
	struct cfg_store st;	/* all zeros: not open */
	uint64_t	 device;	/* its counter, before, */
	dev_t		 dev;		/* where there is one */
	bool		 counts;
};

/*
 * cfg_open() for writing.  A configuration that can't be read keeps what is
 * kept by default: it says so where it is checked, and a commit may be what
 * mends it.
 */
int	towrite_open(struct towrite *, const struct cfg *, struct err *);
/* cfg_close(), and what was written is noted, see wear.h; one that is not
 * open is allowed. */
int	towrite_close(struct towrite *, const struct cfg *,
	    uint64_t *window_ns, struct err *);

/* Whether the contents that are replaced in the base are kept: keep-base.
 * Reads the configuration, so not while the tree is held still. */
bool	towrite_keep_base(const struct cfg *);

#endif
