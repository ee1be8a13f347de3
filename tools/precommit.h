/*
 * precommit.h: what is done around a commit for the administrator's sake:
 * hooks and checks before it, which may refuse it, and hooks after it.
 */
#ifndef PRECOMMIT_H
#define PRECOMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "cfg.h"
#include "check.h"
#include "pend.h"
#include "walk.h"
#include "work.h"

struct precommit {
	struct cfg	*c;
	bool		 force;		/* nothing refuses; that is noted */
	const char	*msg;		/* of the commit, or NULL */
	bool		 hooked;	/* its hooks have run */
	const char	*root;		/* where programs see the tree */
	struct checks	 checks;	/* of the last look */
	struct hash	 sign;		/* what was checked */
	struct strs	 forced;	/* paths, hooks: overruled */
	struct strs	 paths;		/* what was committed */
	uint64_t	 gen;		/* as which generation; 0: none yet */
};

/* -EDEADLK: we are in a hook of another commit, which waits for us. */
int	precommit_may(struct err *);
/*
 * Run the hooks, the first time, and then the checks, for what is pending
 * of these paths (n 0: all).  Nothing is held still; the lease is free
 * the first time.  -ECANCELED: refused, and said why.
 */
int	precommit_run(struct precommit *, struct work *, char *const *paths,
	    size_t n, struct err *);
/* Whether what is to be written is what was checked: 1, 0 or -errno. */
int	precommit_same(struct precommit *, const struct pend *,
	    struct err *);
/* The commit's message, with what was overruled; a new string in *msg,
 * NULL where there is nothing to say. */
int	precommit_msg(const struct precommit *, char **msg, struct err *);
/* It is written: these changes, as this generation. */
void	precommit_done(struct precommit *, const struct pend *,
	    uint64_t gen);
/* The hooks behind it, when the lease has been given back; and the end. */
void	precommit_end(struct precommit *);

/* Who commits; valid until the next call of cfg_user(). */
const char *commit_user(void);

#endif
