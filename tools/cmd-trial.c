/*
 * cmd-trial.c: cfg confirm, cfg cancel, and cfg trial: the end of a trial
 * commit, and what it is.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dur.h"
#include "hook.h"
#include "out.h"
#include "precommit.h"
#include "remote.h"
#include "trial.h"

/* No options, no arguments, an instance, and root where asked for. */
static int
prepare(struct cfg *c, int argc, char **argv, bool root)
{
	struct err	 e;

	if (getopt(argc, argv, "") != -1 || optind < argc ||
	    c->storepath != NULL)
		return cfg_usage(c);
	if (root && geteuid() != 0)
		return cfg_failx(c, "only root does that: %s",
		    strerror(EPERM));
	return cfg_inst(c, &e) < 0 ? cfg_fail(c, &e) : 0;
}

void
trial_confirmed(struct cfg *c, uint64_t gen)
{
	struct precommit pre = { .c = c };
	struct cfg_store st;
	struct commit	 rec;
	struct err	 e;
	size_t		 i;

	if (cfg_open(c, false, &st, &e) == 0) {
		if (store_record(st.s, gen, &rec, &e) == 0) {
			pre.root = c->inst.mount;
			pre.gen = gen;
			for (i = 0; i < rec.n; i++)
				(void)strs_put(&pre.paths,
				    strdup(rec.v[i].e.path));
			commit_free(&rec);
		}
		(void)cfg_close(&st, NULL, &e);	/* only read from */
	}
	precommit_end(&pre);
	mirror_run(c, "auto", NULL);
}

int
cmd_confirm(struct cfg *c, int argc, char **argv)
{
	struct err	 e;
	uint64_t	 gen;
	int		 rc;

	if ((rc = prepare(c, argc, argv, true)) != 0)
		return rc;
	if (trial_confirm(c, &gen, &e) < 0)
		return cfg_fail(c, &e);
	(void)printf("generation %" PRIu64 ": the trial is confirmed\n", gen);
	trial_confirmed(c, gen);
	return EX_OK;
}

int
cmd_cancel(struct cfg *c, int argc, char **argv)
{
	struct err	 e;
	int		 rc;

	if ((rc = prepare(c, argc, argv, true)) != 0)
		return rc;
	if ((rc = trial_back(c, false, &e)) < 0)
		return cfg_fail(c, &e);
	if (rc == 0)
		return cfg_failx(c, "no trial runs");
	(void)printf("the trial is cancelled; `cfg diff @head @trial' shows "
	    "what it was\n");
	return EX_OK;
}

static int
show(struct cfg *c, const struct tstate *t, bool runs, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*last = runs ? NULL : tstate_last(c->inst.state);

	if (c->json) {
		put_fmt(&b, "{\"running\":%s", runs ? "true" : "false");
		if (runs) {
			put_fmt(&b, ",\"seconds_left\":%" PRId64 ",\"user\":",
			    tstate_left(t) / SECOND);
			json_str(&b, t->user == NULL ? "" : t->user);
			put_fmt(&b, ",\"generation\":%" PRIu64, t->gen);
		}
		put_fmt(&b, "}\n");
	} else if (runs) {
		put_fmt(&b, "trial by %s: ", t->user == NULL ? "?" : t->user);
		dur_put(&b, tstate_left(t));
		put_fmt(&b, " left, then back to generation %" PRIu64 "\n",
		    t->gen);
	} else
		put_fmt(&b, "no trial runs%s%s\n", last == NULL ? "" :
		    "; the last one: ", last == NULL ? "" : last);
	free(last);
	return out_end(&b, false, e);
}

int
cmd_trial(struct cfg *c, int argc, char **argv)
{
	struct tstate	 t;
	struct err	 e;
	int		 rc;

	if (argc == 2 && strcmp(argv[1], "keep") == 0)
		return trial_keep(c);
	if ((rc = prepare(c, argc, argv, false)) != 0)
		return rc;
	if ((rc = tstate_load(c->inst.state, &t, &e)) < 0)
		return cfg_fail(c, &e);
	if (show(c, &t, rc == 1, &e) < 0) {
		tstate_free(&t);
		return cfg_fail(c, &e);
	}
	tstate_free(&t);
	return rc == 1 ? EX_OK : EX_NO;
}
