/*
 * work.h: what a verb holds that compares the running tree with the
 * persisted one: both trees, the store's head, the daemon if it runs.
 */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/ent.h"
#include "../lib/err.h"
#include "cfg.h"
#include "patt.h"
#include "pend.h"
#include "pers.h"

struct work {
	struct cfg_store st;	/* opened for reading */
	uint64_t	 head;	/* generation that is compared with */
	struct ents	 ov;	/* its overlay */
	int		 tree;	/* running tree: through the view where it is
				   mounted, so that changes are journaled */
	int		 state;	/* state directory */
	int		 ctl;	/* the daemon's control socket; -1: none runs */
	struct pers	 pers;	/* base with ov over it */
	struct patt	*patt;	/* what never counts */
	size_t		 nsock;	/* sockets that lease_settle() met: the journal
				   does not name them any more */
};

/*
 * Open all that for c's instance (cfg_inst() is done here).  Says on
 * stderr where no daemon runs: then work_find() compares everything.
 * On failure nothing stays open.
 */
int	work_open(struct work *, struct cfg *, struct err *);
/* Open the store for reading anew, and take its head for what persisted
 * is: after it was closed, or someone else has committed. */
int	work_head(struct work *, struct cfg *, struct err *);
/* What is pending, by the journal's segments up to `upto`. */
int	work_find(struct work *, uint64_t upto, struct pend *, struct err *);
/* The same, compared with another tree than the head's, by all of the
 * journal: `more` as pend_find_more(). */
int	work_find_at(struct work *, const struct pers *to,
	    const struct strs *more, struct pend *, struct err *);
/* Whether someone has committed since the head was read: 1, 0 or -errno. */
int	work_moved(const struct work *, const struct cfg *, struct err *);
/* Remove what a revert that was killed has left; not during a freeze. */
void	work_sweep(const struct work *, const struct pend *);
void	work_close(struct work *);

#endif
