/*
 * mstate.h: what is known of a mirror since the box started: a small file
 * of lines "name value" in the state directory, in RAM.  After a reboot
 * nothing is known, and asking the mirror costs three round trips.
 */
#ifndef MSTATE_H
#define MSTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../sync/mirror.h"

struct mstate {
	struct mirror_at at;	/* what it has; id 0: unknown */
	int64_t		 when;	/* ns since 1970, when it was last reached */
	int64_t		 since;	/* when it first failed after that; 0: no */
	bool		 whole;	/* damage was found: the next push compares
				   all of it */
	char		 error[512]; /* of the last try; empty: none */
};

/* All zeros where nothing is known, or what there is can't be read. */
void	mstate_load(const char *statedir, const char *name, struct mstate *);
int	mstate_save(const char *statedir, const char *name,
	    const struct mstate *, struct err *);
void	mstate_forget(const char *statedir, const char *name);
/* Note how a try went: *e where rc is negative. */
void	mstate_tried(struct mstate *, int rc, const struct err *e);

#endif
