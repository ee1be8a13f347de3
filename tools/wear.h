/*
 * wear.h: what commits write, and what the medium bears.
 *
 * Nothing of that is kept on flash, as writing it down would wear it: the
 * store's own records say it, as far back as they are there.  What they do
 * not, is in RAM since the start: STATEDIR/wear, a line for each commit.
 */
#ifndef WEAR_H
#define WEAR_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "cfg.h"

#define WEAR_DAY	INT64_C(86400000000000)	/* ns */

struct wear_line {		/* one commit since the start */
	int64_t		 time;		/* ns since 1970 */
	uint64_t	 bytes;		/* that the store wrote */
	uint64_t	 device;	/* that the device wrote meanwhile, what
					   else wrote to it included; 0: it is
					   not known */
};

struct wear_lines {
	struct wear_line *v;
	size_t		 n, cap;
};

/* A commit was written; what can't be noted is not. */
void	wear_note(const struct cfg *, const struct wear_line *);
/* All of them; none where there is no file.  -ENOMEM. */
int	wear_lines(const struct cfg *, struct wear_lines *);
/* Those of the last 24 hours, by the store or from RAM, whichever knows
 * more; in order of time.  The store stays the caller's. */
int	wear_day(const struct cfg *, struct store *, int64_t now,
	    struct wear_lines *, struct err *);

/*
 * How long it is, in ns, until less than the budget (0: no limit) was
 * written in 24 hours; 0: it is so now.  What can't be read holds nothing
 * back.
 */
int64_t	wear_wait(const struct cfg *, uint64_t budget, int64_t now);
/* The same of what is known. */
int64_t	wear_until(const struct wear_lines *, uint64_t budget, int64_t now);

/*
 * What each path cost since then: the bytes of a write are divided among
 * its paths, to each what its content took and an equal part of the rest.
 * The dearest first; the caller ends with wear_costs_free().
 */
struct wear_cost {
	char		*path;		/* owned */
	uint64_t	 bytes;
	uint64_t	 writes;	/* commits that had it */
};
int	wear_costs(struct store *, int64_t since, struct wear_cost **,
	    size_t *n, struct err *);
void	wear_costs_free(struct wear_cost *, size_t n);

/* What the store's device has written since it was there; `dev` of 0 is
 * looked up.  false: nobody counts. */
bool	wear_device(const char *store, dev_t *dev, uint64_t *bytes);

#endif
