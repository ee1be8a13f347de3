/*
 * towrite.h: the store, opened to be committed to: with what the
 * configuration says of how much history is kept.
 */
#ifndef TOWRITE_H
#define TOWRITE_H

#include <stdint.h>

#include "../lib/err.h"
#include "cfg.h"

struct towrite {
	struct cfg_store st;	/* all zeros: not open */
};

/*
 * cfg_open() for writing.  A configuration that can't be read keeps what is
 * kept by default: it says so where it is checked, and a commit may be what
 * mends it.
 */
int	towrite_open(struct towrite *, const struct cfg *, struct err *);
/* cfg_close(); one that is not open is allowed. */
int	towrite_close(struct towrite *, const struct cfg *,
	    uint64_t *window_ns, struct err *);

#endif
