/*
 * becomemore.c: cfg becomes cfg-more for the verbs that neither a boot nor
 * a look needs: those that change something, and blame.
 */
#include "remote.h"

static int
more(const struct cfg *c)
{
	struct err	 e;

	(void)other_exec(c, "cfg-more", c->argv, &e);
	return cfg_fail(c, &e);
}

#define IN_MORE(fn)							\
int									\
fn(struct cfg *c, int argc, char **argv)				\
{									\
	(void)argc;							\
	(void)argv;							\
	return more(c);							\
}

IN_MORE(cmd_init)
IN_MORE(cmd_commit)
IN_MORE(cmd_confirm)
IN_MORE(cmd_cancel)
IN_MORE(cmd_trial)
IN_MORE(cmd_check)
IN_MORE(cmd_auto)
IN_MORE(cmd_blame)
IN_MORE(cmd_revert)
IN_MORE(cmd_rollback)
IN_MORE(cmd_reset)
IN_MORE(cmd_wear)
IN_MORE(cmd_import)
IN_MORE(cmd_export)
