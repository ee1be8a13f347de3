/*
 * trial.c: beginning, confirming and taking back a trial.
 *
 * What is in the state directory comes first and goes last: so there is no
 * moment at which a trial runs that nobody would end.  Who ends it holds
 * the lock of tstate_hold().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "after.h"
#include "back.h"
#include "bg.h"
#include "dur.h"
#include "message.h"
#include "out.h"
#include "precommit.h"
#include "remote.h"
#include "spawn.h"
#include "towrite.h"
#include "trial.h"

static int
nomem(struct err *e)
{
	return err_set(e, ENOMEM, "trial");
}

static void
say_log(const struct cfg *c, int level, const char *line)
{
	openlog("cfg", LOG_PID, LOG_DAEMON);
	syslog(level, "%s: %s", c->inst.mount, line);
	closelog();
}

void
trial_tell(const struct cfg *c, const char *line)
{
	char		 file[64], *argv[] = { (char *)"wall", NULL };
	char		*env[] = { (char *)"PATH=" SPAWN_PATH, NULL };
	struct spawn	 sp = { .file = file, .argv = argv, .env = env,
			    .in = -1, .seconds = 10 };
	struct buf	 b = BUF_INIT;
	struct err	 ignored;

	say_log(c, LOG_WARNING, line);
	put_fmt(&b, "%s: %s\n", c->inst.mount, line);
	put_u8(&b, '\0');
	sp.text = (char *)b.p;
	if (!b.bad && spawn_find("wall", 4, file, sizeof(file)))
		(void)spawn_run(&sp, &ignored);
	buf_free(&b);
}

/* ---- beginning */

/* All paths, or those of both. */
static int
join(struct trial_job *t, struct strs *paths)
{
	size_t	 i;

	if (paths->n > 0 && t->was.paths.n == 0)
		strs_free(paths);
	for (i = 0; paths->n > 0 && i < t->was.paths.n; i++)
		if (strs_put(paths, strdup(t->was.paths.v[i])) < 0)
			return -ENOMEM;
	strs_sort(paths);
	return 0;
}

static int
refuse(const struct trial_job *t, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int64_t		 left = tstate_left(&t->was);

	dur_put(&b, left);
	put_u8(&b, '\0');
	if (left <= 0)
		(void)err_setx(e, EBUSY, "a trial has run out, and is being "
		    "taken back");
	else
		(void)err_setx(e, EBUSY, "a trial of %s runs for another %s: "
		    "confirm or cancel it, or make this a part of it with "
		    "--trial", t->was.user == NULL ? "somebody" : t->was.user,
		    b.p == NULL ? "?" : (char *)b.p);
	buf_free(&b);
	return -EBUSY;
}

int
trial_enter(struct trial_job *t, struct cfg *c, struct strs *paths,
    struct err *e)
{
	int	 rc;

	if ((rc = tstate_load(c->inst.state, &t->was, e)) < 0)
		return rc;
	t->runs = rc == 1;
	if (!t->runs)
		return 0;
	if (t->ns == 0 || tstate_left(&t->was) <= 0)
		return refuse(t, e);
	return join(t, paths) < 0 ? nomem(e) : 0;
}

int
trial_hold(struct trial_job *t, struct cfg *c, struct err *e)
{
	struct tstate	 now;
	int		 rc;

	if ((t->hold = tstate_hold(c->inst.state, e)) < 0)
		return t->hold;
	if ((rc = tstate_load(c->inst.state, &now, e)) < 0)
		return rc;
	if (now.time != t->was.time || (t->runs && tstate_left(&now) <= 0))
		rc = err_setx(e, EBUSY, "a trial has begun or ended "
		    "meanwhile: look again");
	tstate_free(&now);
	return rc < 0 ? rc : 0;
}

void
trial_leave(struct trial_job *t)
{
	if (t->hold >= 0)
		(void)close(t->hold);
	t->hold = -1;
}

int
trial_arm(struct trial_job *t, struct cfg *c, const struct strs *paths,
    int64_t time, uint64_t head, struct err *e)
{
	struct tstate	*n = &t->now;
	const char	*cond = t->confirm_if;
	size_t		 i;
	int		 rc;

	tstate_free(n);
	*n = (struct tstate){ .time = time, .until = os_uptime() + t->ns,
	    .gen = head };
	if (cond == NULL && t->runs)
		cond = t->was.confirm_if;
	if ((n->user = strdup(commit_user())) == NULL ||
	    (cond != NULL && (n->confirm_if = strdup(cond)) == NULL))
		return nomem(e);
	for (i = 0; i < paths->n; i++)
		if (strs_put(&n->paths, strdup(paths->v[i])) < 0)
			return nomem(e);
	if ((rc = tstate_save(c->inst.state, n, e)) < 0)
		return rc;
	if (trial_run(c) == EX_OK)
		return 0;
	trial_disarm(t, c);
	return err_setx(e, EIO, "the process that would end the trial can't "
	    "be begun");
}

void
trial_disarm(struct trial_job *t, struct cfg *c)
{
	struct err	 e;
	int		 rc;

	rc = t->runs ? tstate_save(c->inst.state, &t->was, &e) :
	    tstate_end(c->inst.state, &e);
	if (rc < 0)
		cfg_warn(c, "%s", e.msg);
}

void
trial_free_job(struct trial_job *t)
{
	trial_leave(t);
	tstate_free(&t->was);
	tstate_free(&t->now);
}

/* ---- confirming */

/* The process in the background has nothing to wait for any more. */
static void
wake(const struct cfg *c)
{
	struct bg	 b;
	struct err	 ignored;

	if (bg_open(&b, c->inst.state, "trial", &ignored) == 0)
		bg_wake(&b);
	bg_close(&b);
}

static int
none_runs(const struct cfg *c, struct err *e)
{
	char	*last = tstate_last(c->inst.state);

	(void)err_setx(e, ENOENT, "no trial runs%s%s", last == NULL ? "" :
	    "; the last one: ", last == NULL ? "" : last);
	free(last);
	return -ENOENT;
}

/* In the store: what is there must be the trial that runs. */
static int
confirm(struct cfg *c, const struct tstate *t, uint64_t *gen, struct err *e)
{
	struct towrite	 to = { .dev = 0 };
	struct trial	 in;
	struct err	 e2;
	int		 rc;

	if ((rc = towrite_open(&to, c, e)) < 0)
		return rc;
	if ((rc = store_trial_info(to.st.s, &in, e)) == 0) {
		if (in.time != t->time || store_head(to.st.s) != t->gen)
			rc = err_setx(e, ESTALE, "the store has something "
			    "else than the trial that runs: cancel it");
		else
			rc = store_confirm(to.st.s, gen, e);
		trial_free(&in);
	}
	if (towrite_close(&to, c, NULL, &e2) < 0 && rc == 0)
		cfg_warn(c, "%s", e2.msg);	/* but it is written */
	return rc;
}

int
trial_confirm(struct cfg *c, uint64_t *gen, struct err *e)
{
	struct tstate	 t = { 0 };
	struct err	 e2;
	char		 line[80];
	int		 hold, rc;

	if ((hold = tstate_hold(c->inst.state, e)) < 0)
		return hold;
	rc = tstate_load(c->inst.state, &t, e);
	if (rc == 0)
		rc = none_runs(c, e);
	else if (rc == 1 && tstate_left(&t) <= 0)
		rc = err_setx(e, ETIMEDOUT, "the time of the trial has run out");
	else if (rc == 1)
		rc = confirm(c, &t, gen, e);
	if (rc == 0) {
		if (tstate_end(c->inst.state, &e2) < 0)
			cfg_warn(c, "%s", e2.msg);
		(void)snprintf(line, sizeof(line), "confirmed, as generation "
		    "%" PRIu64, *gen);
		tstate_note(c->inst.state, line);
		wake(c);
		(void)snprintf(line, sizeof(line), "trial confirmed: "
		    "generation %" PRIu64, *gen);
		say_log(c, LOG_NOTICE, line);
	}
	tstate_free(&t);
	(void)close(hold);
	return rc;
}

/* ---- taking back */

struct undo {
	struct cfg	*c;
	struct back	 b;
	struct err	 first;		/* that could not be done */
};

static void
undone(void *arg, const struct pent *p, const char *why)
{
	struct undo	*u = arg;

	if (why != NULL) {
		cfg_warn(u->c, "%s", why);
		if (u->first.code == 0)
			(void)err_setx(&u->first, EIO, "%s", why);
	}
	(void)p;
}

static int
take_back(struct undo *u, struct work *w, const struct tstate *t,
    struct err *e)
{
	struct back	*b = &u->b;
	size_t		 i;
	int		 rc = 0;

	*b = (struct back){ .gen = BACK_HEAD, .tell = undone, .arg = u };
	for (i = 0; i < t->paths.n && rc == 0; i++)
		if (strs_put(&b->paths, strdup(t->paths.v[i])) < 0)
			rc = nomem(e);
	if (rc == 0 && (rc = back_find(b, w, u->c, e)) == 0)
		rc = back_do(b, w, u->c, e);
	if (rc == 0 && b->nfailed > 0) {
		*e = u->first;
		rc = -EIO;
	}
	return rc;
}

static void
say_back(struct cfg *c, const struct tstate *t, size_t n, bool late,
    uint64_t head)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "the trial by %s %s: %zu path%s as in generation %" PRIu64
	    " again", t->user == NULL ? "?" : t->user, late ? "has run out" :
	    "was cancelled", n, n == 1 ? " is" : "s are", head);
	put_u8(&b, '\0');
	if (!b.bad) {
		tstate_note(c->inst.state, late ? "it ran out, and was taken "
		    "back" : "it was cancelled");
		trial_tell(c, (char *)b.p);
	}
	buf_free(&b);
}

int
trial_back(struct cfg *c, bool late, struct err *e)
{
	struct undo	 u = { .c = c };
	struct tstate	 t = { 0 };
	struct work	 w;
	int		 hold, rc;

	if ((hold = tstate_hold(c->inst.state, e)) < 0)
		return hold;
	if ((rc = tstate_load(c->inst.state, &t, e)) != 1 ||
	    (late && tstate_left(&t) > 0)) {
		rc = rc < 0 ? rc : 0;
		goto out;
	}
	if ((rc = work_open(&w, c, e)) < 0)
		goto out;
	rc = take_back(&u, &w, &t, e);
	if (rc == 0 && (rc = tstate_end(c->inst.state, e)) == 0) {
		if (t.paths.n == 0)
			message_drop(w.state);
		/* A hook may well want to commit. */
		(void)close(hold);
		hold = -1;
		wake(c);
		say_back(c, &t, u.b.ndone, late, w.head);
		after_back(c, &w, &u.b, w.head, late ?
		    "a trial has run out" : "a trial was cancelled");
		rc = 1;
	}
	work_close(&w);
out:
	back_free(&u.b);
	tstate_free(&t);
	if (hold >= 0)
		(void)close(hold);
	return rc;
}
