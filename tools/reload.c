/*
 * reload.c: have programs read again what was changed under them, as the
 * configuration's "reload" lines say.
 */
#include <stdbool.h>
#include <string.h>

#include "../lib/buf.h"
#include "hook.h"
#include "rules.h"
#include "spawn.h"

static bool
covers_one(const struct rule *r, const struct strs *paths)
{
	size_t	 i;

	for (i = 0; i < paths->n; i++)
		if (rule_covers(r, paths->v[i], false))
			return true;
	return false;
}

static void
run_command(const struct cfg *c, const struct rule *r, const char *root,
    unsigned seconds)
{
	char		*env[] = { (char *)"PATH=" SPAWN_PATH, NULL };
	char		 tool[256];
	struct strs	 argv = { NULL, 0, 0 };
	struct buf	 said = BUF_INIT;
	struct err	 e = { 0, "" };
	int		 rc;

	if (words_expand(&r->cmd, "", root, &argv) < 0)
		cfg_warn(c, "reload: out of memory");
	else if (!spawn_find(argv.v[0], strlen(argv.v[0]), tool, sizeof(tool)))
		cfg_warn(c, "reload: %s: there is no such program", argv.v[0]);
	else {
		rc = spawn_run(&(struct spawn){ .file = tool, .argv = argv.v,
		    .env = env, .in = -1, .seconds = seconds, .out = &said },
		    &e);
		hook_show(&said);
		if (rc != 0)
			cfg_warn(c, "reload: %s: %s", argv.v[0], e.msg);
	}
	buf_free(&said);
	strs_free(&argv);
}

void
reload_run(const struct cfg *c, const struct rules *s, const char *root,
    const struct strs *paths)
{
	size_t	 i, k;
	bool	 done;

	for (i = 0; i < s->nreload; i++) {
		if (!covers_one(&s->reload[i], paths))
			continue;
		done = false;
		for (k = 0; !done && k < i; k++)
			done = words_same(&s->reload[k].cmd,
			    &s->reload[i].cmd) &&
			    covers_one(&s->reload[k], paths);
		if (!done)
			run_command(c, &s->reload[i], root, rules_seconds(s));
	}
}
