/*
 * trial-keep.c: the process that waits for the end of a trial, and takes
 * the running tree back.
 *
 * It belongs to no terminal and no session, so it outlives who began the
 * trial.  Should it die, the next look at the status or start of cfgfs begins
 * it again; and a boot undoes a trial without it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "after.h"
#include "bg.h"
#include "dur.h"
#include "remote.h"
#include "spawn.h"
#include "trial.h"

#define WARN_AT		(60 * SECOND)	/* before the end, all are told */
#define ASK_EVERY	(3 * SECOND)	/* whether it may be confirmed */
#define ASK_MOST	10		/* seconds that takes */
#define AGAIN		(5 * SECOND)	/* after a failure */

struct keep {
	struct cfg	*c;
	struct bg	 bg;
	int64_t		 warned;	/* of the trial with this time */
	char		 last[512];	/* failure that the log has */
};

static void
failed(struct keep *k, const struct err *e)
{
	if (strcmp(k->last, e->msg) == 0)
		return;
	(void)snprintf(k->last, sizeof(k->last), "%.500s", e->msg);
	openlog("cfg", LOG_PID, LOG_DAEMON);
	syslog(LOG_ERR, "%s: trial: %s", k->c->inst.mount, e->msg);
	closelog();
}

/* Whether the condition holds. */
static bool
holds(struct keep *k, const struct tstate *t)
{
	char		*argv[] = { (char *)"sh", (char *)"-c", t->confirm_if,
			    NULL };
	char		*env[] = { (char *)"PATH=" SPAWN_PATH, NULL };
	struct spawn	 sp = { .file = "/bin/sh", .argv = argv, .env = env,
			    .in = -1 };
	int64_t		 left = tstate_left(t) / SECOND;
	struct err	 ignored;

	(void)k;
	sp.seconds = left < 1 ? 1 : left < ASK_MOST ? (unsigned)left :
	    ASK_MOST;
	return spawn_run(&sp, &ignored) == 0;
}

/* It may have been prolonged, confirmed or cancelled meanwhile: then that
 * is found. */
static void
confirm(struct keep *k)
{
	struct err	 e;
	uint64_t	 gen;

	if (trial_confirm(k->c, &gen, &e) < 0)
		failed(k, &e);
	else
		mirror_run(k->c, "auto", NULL);
}

static void
warn(struct keep *k, const struct tstate *t, int64_t left)
{
	struct buf	 b = BUF_INIT;

	if (left > WARN_AT || k->warned == t->time)
		return;
	k->warned = t->time;
	put_fmt(&b, "the trial by %s is taken back in ",
	    t->user == NULL ? "?" : t->user);
	dur_put(&b, left);
	put_fmt(&b, ", unless someone says `cfg confirm'");
	put_u8(&b, '\0');
	if (!b.bad)
		trial_tell(k->c, (char *)b.p);
	buf_free(&b);
}

/* One look: how long to wait then, in ns; 0: nothing is left to do. */
static int64_t
look(struct keep *k)
{
	struct tstate	 t;
	struct err	 e;
	int64_t		 left, wait = AGAIN;
	int		 rc;

	if ((rc = tstate_load(k->c->inst.state, &t, &e)) == 0)
		return 0;
	if (rc < 0)
		failed(k, &e);
	else if ((left = tstate_left(&t)) <= 0) {
		if ((rc = trial_back(k->c, true, &e)) < 0)
			failed(k, &e);
		else
			wait = 1;		/* and look again */
	} else {
		warn(k, &t, left);
		wait = left > WARN_AT ? left - WARN_AT : left;
		if (t.confirm_if != NULL && holds(k, &t))
			confirm(k);
		if (t.confirm_if != NULL && wait > ASK_EVERY)
			wait = ASK_EVERY;
	}
	tstate_free(&t);
	return wait;
}

int
trial_keep(struct cfg *c)
{
	struct keep	 k = { .c = c, .bg = BG_NONE };
	struct err	 e;
	int64_t		 wait;

	if (cfg_inst(c, &e) < 0 ||
	    bg_open(&k.bg, c->inst.state, "trial", &e) < 0)
		return cfg_fail(c, &e);
	bg_wake(&k.bg);
	if (!bg_lock(&k.bg))
		return EX_OK;
	if (bg_detach() < 0)
		return EX_FAIL;
	do {
		(void)bg_woken(&k.bg);
		while ((wait = look(&k)) > 0 &&
		    access(c->inst.state, F_OK) == 0) {
			if (wait > 3600 * SECOND)
				wait = 3600 * SECOND;
			/* Never early: rounded up. */
			(void)bg_wait(&k.bg, (int)((wait + 999999) / 1000000));
			(void)bg_woken(&k.bg);
		}
		bg_unlock(&k.bg);
	} while (bg_woken(&k.bg) && bg_lock(&k.bg));
	return EX_OK;
}
