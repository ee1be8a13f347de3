/*
 * check.h: validators: what programs say of files that are about to be
 * committed.  A table has those of common programs (checktab.h); "check"
 * lines of the configuration add to them, or take them off.
 *
 * Programs read the running tree, through its mount, while nothing is held
 * still; so what was checked is told by a signature over types and
 * contents, and whoever writes compares that with what is to be written.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../lib/hash.h"
#include "checktab.h"
#include "conf.h"
#include "pend.h"
#include "walk.h"

struct check {			/* one command */
	struct strs	 paths;		/* the changed paths that it is for */
	struct strs	 argv;		/* a NULL behind; none: the reader of
					   the configuration */
	const struct validator *by;	/* of the table; NULL: of a line */
	char		*file;		/* owned: the program; NULL: nowhere */
	bool		 ok;
	struct err	 why;		/* of one that is not ok */
	struct buf	 said;		/* its own words, a string */
};

struct checks {
	const char	*root;		/* the tree; absolute, borrowed */
	int		 tree;		/* the same as a descriptor; borrowed */
	struct conf	 conf;		/* the tree's configuration */
	struct check	*v;
	size_t		 n, cap;
	struct hash	 sign;		/* of all that is checked */
};

/*
 * Read the configuration and find out what is to be run for these changes:
 * for regular files each, and where a command looks at a set of files as a
 * whole for anything in it that came, went or changed, but directories.
 * A configuration that can't be read is a check that failed; the table
 * alone counts then.  What was planned before is forgotten.
 */
int	checks_plan(struct checks *, const struct pend *, struct err *);
/* Run it all: how many failed, or -errno. */
int	checks_run(struct checks *, struct err *);
void	checks_free(struct checks *);

/* Its program, by the last part of its name. */
const char *check_tool(const struct check *);
/* Its words, a line each behind `indent`, or why it failed. */
void	check_words(struct buf *, const struct check *, const char *indent);

#endif
