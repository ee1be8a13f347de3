/*
 * hook.h: programs of the administrator's that run around a commit, a
 * restore and a rollback: executables in ROOT/cfgfs/hooks/NAME/, one after
 * another in order of name; and what the configuration has reloaded.
 *
 * They run while no freeze is held, so none can hold the mount up.
 */
#ifndef HOOK_H
#define HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "cfg.h"
#include "walk.h"

struct rules;

struct hook_env {
	const char	*root;		/* the tree, absolute: CFG_MOUNT */
	uint64_t	 gen;		/* CFG_GENERATION */
	const char	*msg;		/* CFG_MESSAGE; NULL: empty */
	const char	*user;		/* CFG_USER; NULL: empty */
	const char	*trial;		/* CFG_TRIAL; NULL: empty */
	unsigned	 seconds;	/* each may take; 0: SPAWN_SECONDS */
	bool		 veto;		/* the first that fails ends it all */
	struct strs	*failed;	/* gets the names of those that failed,
					   as "pre-commit/NAME"; or NULL */
};

/*
 * Run what is there as `hook`: "pre-commit" and so on; nothing there is 0.
 * Each reads the paths, one a line, as status prints them.  What belongs
 * to others than root, or may be written by them, is not run, and that is
 * said; so is what fails.  -ECANCELED: of `veto`, and e names the hook.
 */
int	hook_run(const struct cfg *, const char *hook, const struct strs *paths,
	    const struct hook_env *, struct err *);
/* Whether there is anything that it would look at. */
bool	hook_there(const char *root, const char *hook);

/*
 * After the running tree has changed in these paths by our own hand: each
 * command of the "reload" lines that cover one of them, once, in their
 * order.  What fails is said.
 */
void	reload_run(const struct cfg *, const struct rules *, const char *root,
	    const struct strs *paths);

/* What a program said, to standard error, as it is. */
struct buf;
void	hook_show(const struct buf *);

#endif
