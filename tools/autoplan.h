/*
 * autoplan.h: what is to be committed by itself, and when.
 *
 * It sees what the journal says, again and again, and remembers when each
 * count was seen to rise.  All times are os_uptime(), so that nobody who
 * sets a clock moves a deadline; they are kept over a restart of the
 * process (autostate.c).  What is decided depends on what is in here, and
 * on the time that is given, alone.
 */
#ifndef AUTOPLAN_H
#define AUTOPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/jrn.h"
#include "autoconf.h"
#include "fold.h"
#include "patt.h"

#define PLAN_RUN	(INT64_C(10) * 1000000000) /* ns: changes of one program
					   within it are one run */
#define PLAN_PAUSE	AUTO_LEAST	/* that at-most waits for */
#define PLAN_BACKS	3		/* returns to the head in an hour */
#define PLAN_NEVER	INT64_MAX

struct plan_who {		/* one user's program */
	uint32_t	 uid;
	char		 comm[JRN_COMM];
	int64_t		 first, last;	/* of its changes of the path */
	uint32_t	 count;		/* as the journal has it */
};

struct plan_path {
	char		*path;		/* owned */
	bool		 tree;		/* and all below it */
	bool		 adopted;	/* of such a one: the journal does not
					   name it */
	uint64_t	 mark;		/* another one when it changes again */
	uint64_t	 tried;		/* the mark with which nothing came of
					   it: equal to the head, or refused */
	int64_t		 again;		/* refused: tried again then; 0: not */
	int64_t		 first, last;	/* change */
	struct plan_who	*who;		/* owned */
	size_t		 nwho;
	bool		 gone;		/* while the journal is read */
	/* Decided: */
	const struct auto_class *k;	/* NULL: no line covers it */
	bool		 held;		/* as it churns */
	int64_t		 due;		/* PLAN_NEVER: not by itself */
	bool		 take;		/* now */
};

struct plan_churn {		/* of a path, pending or not */
	char		*path;		/* owned */
	char		 comm[JRN_COMM]; /* that changed it last */
	int64_t		 since;		/* begin of the hour that is counted */
	uint32_t	 n, before;	/* changes in it, and in the one before */
	uint32_t	 backs, backs_before; /* returns to the head */
};

struct plan {
	struct plan_path *v;		/* in path_cmp() order */
	size_t		 n, cap;
	struct plan_churn *churn;	/* the same */
	size_t		 nchurn, churn_cap;
	int64_t		 looked;	/* when the journal was read; 0: never */
	int64_t		 wait;		/* nothing before this: the budget */
	char		*failed;	/* owned: why the last one was refused */
};

/*
 * Take over what the journal says now (uptime `now`, wall clock `wall`),
 * but for what the patterns leave out.  -ENOMEM.
 */
int	plan_see(struct plan *, const struct fold *, const struct patt *,
	    int64_t now, int64_t wall);
/*
 * Decide: sets what is decided of each path.  The time at which there is
 * more to be done, if nothing changes; PLAN_NEVER.
 */
int64_t	plan_decide(struct plan *, const struct autoconf *, int64_t now);
/* Take path i alone, and what goes with it. */
void	plan_only(struct plan *, size_t i);

struct plan_path *plan_find(const struct plan *, const char *path);
/* The subtree in there that has this path, or NULL. */
struct plan_path *plan_above(const struct plan *, const char *path);
/* A path of a subtree, with its times and programs.  -ENOMEM. */
int	plan_adopt(struct plan *, const struct plan_path *tree,
	    const char *path);
/* It equals the head: that counts as a return. */
void	plan_equal(struct plan *, struct plan_path *, int64_t now);

/* Changes in an hour up to now, and whether it churns. */
uint32_t plan_rate(const struct plan_churn *, int64_t now);
bool	plan_churns(const struct plan_churn *, const struct autoconf *,
	    int64_t now);
const struct plan_churn *plan_churn(const struct plan *, const char *path);

void	plan_end(struct plan *);

#endif
