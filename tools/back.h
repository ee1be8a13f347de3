/*
 * back.h: make the running tree what it was: at a generation, or as any
 * overlay over the base has it; in all paths or in some.
 *
 * It is done live and through the view, as an editor would: by temporary
 * name and rename, and only where something differs.  So whoever watches a
 * file sees it, the journal names it, and it is pending like any change.
 */
#ifndef BACK_H
#define BACK_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/ent.h"
#include "../lib/err.h"
#include "apply.h"
#include "cfg.h"
#include "links.h"
#include "pend.h"
#include "work.h"

#define BACK_HEAD	(UINT64_MAX - 1) /* the newest generation there is */

struct back {			/* zeros, and then: */
	/* What is asked for. */
	uint64_t	 gen;	/* a generation of the work's store, 0 being
				   the base alone, or BACK_HEAD; not looked
				   at where ov is set */
	const struct ents *ov;	/* or this overlay; the caller's */
	struct store	*s;	/* that has its contents; the caller's */
	struct strs	 paths;	/* at or below these; none: all.  Owned */
	bool		 exact;	/* not below what is and stays a directory, as
				   s has the contents of these paths alone */
	/*
	 * Told of each path when it is done: p->was is what it is now,
	 * p->now what it was before.  With `why`, one line: it could not be
	 * done.  p NULL: a warning that is of no path.  May be NULL.
	 */
	void		(*tell)(void *, const struct pent *p,
			    const char *why);
	void		*arg;
	/* What back_find() found. */
	struct pend	 pend;	/* running compared with what it is to be */
	bool		*sel;	/* by index: is to be changed */
	size_t		 nsel;	/* number of these */
	struct pers	 to;	/* what it is to be */
	/* What back_do() did. */
	size_t		 ndone, nfailed;
	struct strs	 done;	/* the paths, as they were done; owned */
	bool		 left;	/* an extended attribute could not be held */
	/* Its own. */
	struct ents	 own;	/* overlay of gen */
	struct links	 base;	/* the base's hard links, where needed */
	bool		 base_read;
	struct apply	 a;
};

/*
 * Find what differs: by the journal, and by what tells the head's overlay
 * from the other; so it costs what differs, not what is there.  A commit
 * meanwhile begins it anew.  ENOTDIR: a path that is asked for lies in a
 * directory that is something else now, which is not asked for.  The work
 * must stay open, and its head be left alone, until back_do() is done.
 */
int	back_find(struct back *, struct work *, struct cfg *, struct err *);

/*
 * Change all that was found.  What fails is told and counted, and the rest
 * is done.  Databases that come from what was changed are made anew.  One
 * that is killed is completed by doing it again.
 */
int	back_do(struct back *, struct work *, const struct cfg *,
	    struct err *);
void	back_free(struct back *);

#endif
