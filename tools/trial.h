/*
 * trial.h: a commit that ends by itself, unless it is confirmed.
 *
 * Its bytes are in the store, which gives the head without it, so a boot
 * undoes it.  While the box runs, a process in the background takes the
 * running tree back when the time is over.
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "tstate.h"
#include "walk.h"

/* What `commit --trial` is asked for, and does around the write. */
struct trial_job {
	int64_t		 ns;		/* how long; 0: it is no trial */
	const char	*confirm_if;
	int		 hold;		/* tstate_hold(), or -1 */
	struct tstate	 was;		/* the one that runs already */
	bool		 runs;		/* there is one */
	struct tstate	 now;
};

#define TRIAL_NONE { 0, NULL, -1, { 0 }, false, { 0 } }

/*
 * Before a commit: refuse one that is no trial while one runs (EBUSY); a
 * trial takes the paths of the one that runs into its own.
 */
int	trial_enter(struct trial_job *, struct cfg *, struct strs *paths,
	    struct err *);
/*
 * From here to trial_leave() no trial begins or ends: for the length of a
 * write, not while hooks run.  EBUSY: one has, since trial_enter().
 */
int	trial_hold(struct trial_job *, struct cfg *, struct err *);
void	trial_leave(struct trial_job *);
/*
 * Right before the trial is written: from here on the running tree goes
 * back, whatever happens to this process.  `time` names the trial, `head`
 * is what it goes back to.
 */
int	trial_arm(struct trial_job *, struct cfg *, const struct strs *paths,
	    int64_t time, uint64_t head, struct err *);
/* It could not be written: as before. */
void	trial_disarm(struct trial_job *, struct cfg *);
void	trial_free_job(struct trial_job *);

/*
 * Make the trial that runs the head.  ENOENT: none runs; ETIMEDOUT: it ran
 * out.  On 0 it is on the medium, and *gen is its number.
 */
int	trial_confirm(struct cfg *, uint64_t *gen, struct err *);
/* What follows a commit, for what was confirmed: hooks, mirrors. */
void	trial_confirmed(struct cfg *, uint64_t gen);
/*
 * Take the running tree back.  `late`: only where the time is over.  1: done,
 * 0: no trial runs, or it has time left; -errno.
 */
int	trial_back(struct cfg *, bool late, struct err *);
/* A line to the log, and to all terminals. */
void	trial_tell(const struct cfg *, const char *line);
/* The process in the background: gives an exit code. */
int	trial_keep(struct cfg *);

#endif
