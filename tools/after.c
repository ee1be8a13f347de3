/*
 * after.c: what follows when the running tree was taken back.
 */
#include "after.h"
#include "conf.h"
#include "hook.h"
#include "precommit.h"

void
after_back(struct cfg *c, const struct work *w, const struct back *b,
    uint64_t gen, const char *msg)
{
	const struct strs *paths = &b->done;
	const char	*root = w->ctl == -1 ? c->inst.tree : c->inst.mount;
	struct conf	 conf;
	struct hook_env	 he = { .root = root, .gen = gen, .msg = msg,
			    .user = commit_user() };
	struct err	 e;

	if (paths->n == 0)
		return;
	if (conf_read(&conf, root, &e) < 0)
		cfg_warn(c, "%s", e.msg);	/* it is empty then */
	he.seconds = conf.rules.seconds;
	if (hook_run(c, "post-rollback", paths, &he, &e) < 0)
		cfg_warn(c, "%s", e.msg);
	reload_run(c, &conf.rules, root, paths);
	conf_free(&conf);
}
