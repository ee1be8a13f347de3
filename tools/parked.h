/*
 * parked.h: what became of the paths for which a restore found a new base
 * under the overlay: a list in the running tree itself, as the restore has
 * nowhere else to tell of it.
 *
 * It lives in RAM and ends with the box, since the next boot finds out the
 * same again.  A path leaves it when a commit has recorded the new base.
 */
#ifndef PARKED_H
#define PARKED_H

#include <stddef.h>

#include "../lib/err.h"
#include "pend.h"
#include "pers.h"
#include "rebase.h"

enum park_state {
	PARK_MERGED,		/* the running tree has both; pending */
	PARK_CONFLICT,		/* it has what was committed */
	PARK_MINE,		/* that is to stay: the next commit says so */
	PARK_TAKEN,		/* it was given something else; pending */
	PARK_N
};
extern const char *const park_word[PARK_N];

struct parked {
	char		*path;	/* owned */
	enum park_state	 state;
	enum rebase_why	 why;	/* it is, or would be, in conflict */
};

struct parks {
	struct parked	*v;	/* in path_cmp() order */
	size_t		 n, cap;
};

/* Add one behind the others.  -ENOMEM. */
int	parks_put(struct parks *, const char *path, enum park_state,
	    enum rebase_why);
struct parked *parks_find(const struct parks *, const char *path);
void	parks_free(struct parks *);

/*
 * Read the list of a running tree; what is no list, or not this user's to
 * read, gives none of it.
 */
int	parks_read(struct parks *, int tree, struct err *);
/* Write it: `live` as in apply.h. */
int	parks_write(const struct parks *, int tree, bool live, struct err *);
/* Take out what is done: a commit has recorded the base of now. */
int	parks_prune(struct parks *, const struct pers *, struct err *);
/*
 * Read it, take out what is done, and see it beside all that is pending:
 * what was merged or given and is reverted is in conflict.  Only what is
 * at or below one of the paths (none: all).
 */
int	parks_open(struct parks *, int tree, const struct pers *,
	    const struct pend *, const struct strs *paths, struct err *);
/* Whether a commit has one of them to tell, though it is not pending. */
bool	parks_mine(const struct parks *);

#endif
