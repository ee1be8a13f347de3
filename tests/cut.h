/*
 * cut.h: what a power cut can leave of writes that were not flushed.
 *
 * Given the medium as the last flush left it and the writes since, every
 * state is made and handed to a function: sectors dropped and reordered
 * (all subsets where there are few, samples beyond), and one unit torn,
 * with garbage in its place, each with the others before it, around it,
 * or at random.  The unit is one sector for a medium that keeps the
 * neighbours of what it was writing, else the unit that it rewrites.
 */
#ifndef CUT_H
#define CUT_H

#include "simio.h"

struct cut {
	const uint8_t		*durable; /* the medium at the last flush */
	size_t			 size;	/* its bytes */
	const struct sim_op	*ops;	/* since then; flushes are ignored */
	size_t			 nops;
	uint32_t		 unit;	/* bytes lost with a torn sector */
	size_t			 samples; /* where not all can be tried */
	uint64_t		*rng;
	/* Called for each state; it may write to img.  `what` names it. */
	void			(*fn)(void *, uint8_t *img, const char *what);
	void			*arg;
};

/* Make all states; returns how many. */
size_t	cut_each(const struct cut *);
/* Make one at random. */
void	cut_one(const struct cut *);

#endif
