/*
 * becomemore.c: cfg becomes cfg-more for the verbs that neither a boot nor
 * a look needs: those that change something, and blame.
 */
#include "remote.h"
#include "restore.h"

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
IN_MORE(cmd_setup)
IN_MORE(cmd_commit)
IN_MORE(cmd_confirm)
IN_MORE(cmd_cancel)
IN_MORE(cmd_trial)
IN_MORE(cmd_check)
IN_MORE(cmd_auto)
IN_MORE(cmd_blame)
IN_MORE(cmd_revert)
IN_MORE(cmd_resolve)
IN_MORE(cmd_pin)
IN_MORE(cmd_peer)
IN_MORE(cmd_rollback)
IN_MORE(cmd_reset)
IN_MORE(cmd_tag)
IN_MORE(cmd_wear)
IN_MORE(cmd_import)
IN_MORE(cmd_export)

int
verify_boot(struct cfg *c, const char *base)
{
	(void)base;
	return more(c);
}
