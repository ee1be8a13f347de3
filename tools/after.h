/*
 * after.h: what follows when the running tree was taken back.
 */
#ifndef AFTER_H
#define AFTER_H

#include <stdint.h>

#include "back.h"
#include "cfg.h"
#include "work.h"

/*
 * The hooks post-rollback, and the commands of "reload" lines for what was
 * changed; gen is what it was taken back to, msg why.  What fails is said.
 * Nothing may be held still.
 */
void	after_back(struct cfg *, const struct work *, const struct back *,
	    uint64_t gen, const char *msg);

#endif
