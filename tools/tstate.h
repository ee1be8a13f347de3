/*
 * tstate.h: the trial that runs: STATEDIR/trial/now, in RAM, as it is the
 * running tree that is on trial; after a reboot there is none.  What a boot
 * gives is said by the store alone.
 */
#ifndef TSTATE_H
#define TSTATE_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "walk.h"

struct tstate {
	int64_t		 time;		/* ns since 1970: names the trial in the
					   store */
	int64_t		 until;		/* os_uptime() at which it ends */
	uint64_t	 gen;		/* the head that it goes back to */
	char		*user;		/* who began it; owned, as confirm_if */
	char		*confirm_if;	/* or NULL */
	struct strs	 paths;		/* that are on trial; none: all */
};

/* 1 with the trial that runs, 0 where none does, or -errno. */
int	tstate_load(const char *statedir, struct tstate *, struct err *);
int	tstate_save(const char *statedir, const struct tstate *,
	    struct err *);
/* It runs no more.  -errno. */
int	tstate_end(const char *statedir, struct err *);
void	tstate_free(struct tstate *);

/* ns that it has left; 0 or less: it has run out. */
int64_t	tstate_left(const struct tstate *);

/* How the last one ended, one line: kept to be asked for.  NULL: nothing
 * is known; else the caller's. */
void	tstate_note(const char *statedir, const char *line);
char	*tstate_last(const char *statedir);

/*
 * Who begins, ends or prolongs a trial, or commits, holds this: a descriptor
 * to be closed.  EBUSY: another does, for longer than some seconds.
 */
int	tstate_hold(const char *statedir, struct err *);

#endif
