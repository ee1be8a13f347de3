/*
 * auto.c: the process that commits by itself: when it looks.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/osdep.h"
#include "auto.h"
#include "bg.h"
#include "dur.h"
#include "out.h"
#include "tstate.h"
#include "wear.h"

#define LOOK_EVERY	(3 * SECOND)	/* at the journal */
#define LOOK_SOON	(1 * SECOND)	/* where something is due in */
#define SOON		(40 * SECOND)	/* this time: pauses are looked for */
#define AGAIN		(60 * SECOND)	/* where the store can't be read */
#define ALIVE_EVERY	(15 * SECOND)	/* the daemon is asked for */

/* What a file was when it was read. */
struct stamp {
	dev_t		 dev;
	ino_t		 ino;
	off_t		 size;
	int64_t		 time;
};

struct loop {
	struct autos	 u;
	struct bg	 bg;
	struct stamp	 conf, ignore;
	struct patt	*patt;
	bool		 bad;		/* the configuration can't be read */
	int64_t		 asked;		/* when the daemon was */
};

/* Whether the file is another than before. */
static bool
changed(const struct cfg *c, const char *name, struct stamp *was)
{
	struct stamp	 is = { 0, 0, -1, 0 };
	struct stat	 st;
	char		*file;
	bool		 yes;

	if (asprintf(&file, "%s/%s", cfg_root(c), name) == -1)
		return true;
	if (stat(file, &st) == 0)
		is = (struct stamp){ st.st_dev, st.st_ino, st.st_size,
		    (int64_t)st.st_mtim.tv_sec * SECOND + st.st_mtim.tv_nsec };
	free(file);
	yes = is.dev != was->dev || is.ino != was->ino ||
	    is.size != was->size || is.time != was->time;
	*was = is;
	return yes;
}

/* The configuration, and the patterns, as they are now. */
static void
reread(struct loop *l)
{
	struct autos	*u = &l->u;
	struct conf	 conf;
	struct err	 e;
	int		 fd;

	if (changed(u->c, "cfgfs/config", &l->conf)) {
		l->bad = conf_read(&conf, cfg_root(u->c), &e) < 0;
		if (l->bad)
			auto_tell(u, LOG_WARNING, e.msg);
		else {
			conf_free(&u->conf);
			u->conf = conf;
			u->plan.wait = 0;	/* the budget is another */
		}
	}
	if (!changed(u->c, PATT_FILE, &l->ignore) && l->patt != NULL)
		return;
	patt_free(l->patt);
	l->patt = NULL;
	fd = open(cfg_root(u->c), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || patt_load(&l->patt, fd, &e) < 0)
		l->patt = NULL;
	if (fd != -1)
		(void)close(fd);
}

static int
see(struct loop *l, int64_t now, struct err *e)
{
	struct autos	*u = &l->u;
	struct fold	 f = { NULL, 0, 0, false };
	int		 fd, rc;

	fd = open(u->c->inst.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_set(e, errno, "%s", u->c->inst.state);
	if ((rc = fold_journal(&f, fd, UINT64_MAX, e)) == 0 &&
	    plan_see(&u->plan, &f, l->patt, now, out_now()) < 0)
		rc = err_set(e, ENOMEM, "autocommit");
	fold_free(&f);
	(void)close(fd);
	return rc;
}

/* What may hold all of it up: a trial, the budget.  Until when; 0: nothing. */
static int64_t
held_up(struct autos *u, int64_t now)
{
	struct tstate	 t;
	struct err	 ignored;
	int64_t		 wait;
	int		 rc = tstate_load(u->c->inst.state, &t, &ignored);

	if (rc != 0) {
		if (rc == 1)
			tstate_free(&t);
		return now + LOOK_EVERY;
	}
	wait = wear_wait(u->c, u->conf.autos.budget, out_now());
	u->plan.wait = wait == 0 ? 0 : now + wait;
	return u->plan.wait;
}

/* One look: when to look again. */
static int64_t
look(struct loop *l, int64_t now)
{
	struct autos	*u = &l->u;
	struct err	 e;
	int64_t		 wake;
	size_t		 i;

	reread(l);
	if (see(l, now, &e) < 0) {
		auto_tell(u, LOG_WARNING, e.msg);
		return now + LOOK_EVERY;
	}
	wake = plan_decide(&u->plan, &u->conf.autos, now);
	for (i = 0; i < u->plan.n && !u->plan.v[i].take; i++)
		;
	if (i < u->plan.n && !l->bad && held_up(u, now) == 0) {
		if (auto_commit(u, now, &e) < 0) {
			auto_tell(u, LOG_WARNING, e.msg);
			u->plan.wait = now + AGAIN;
		}
		wake = plan_decide(&u->plan, &u->conf.autos, now);
	}
	if (autostate_save(&u->plan, u->c->inst.state, &e) < 0)
		auto_tell(u, LOG_WARNING, e.msg);
	return wake < now + SOON ? now + LOOK_SOON : now + LOOK_EVERY;
}

/* Whether there is anything to go on for. */
static bool
wanted(struct loop *l, int64_t now)
{
	struct err	 ignored;
	int		 fd;

	if (access(l->u.c->inst.state, F_OK) == -1 ||
	    (!l->bad && !auto_wanted(&l->u.conf.autos)))
		return false;
	if (l->asked != 0 && now - l->asked < ALIVE_EVERY)
		return true;
	l->asked = now;
	if ((fd = ctl_connect(l->u.c->inst.state, &ignored)) < 0)
		return false;
	(void)close(fd);
	return true;
}

static void
run(struct loop *l)
{
	int64_t	 now = os_uptime(), until;

	do {
		(void)bg_woken(&l->bg);
		until = look(l, now);
		now = os_uptime();
		if (until > now)
			(void)bg_wait(&l->bg, (int)((until - now) / 1000000 +
			    1));
		now = os_uptime();
	} while (wanted(l, now));
	bg_unlock(&l->bg);
}

int
auto_process(struct cfg *c)
{
	struct loop	 l = { .u.c = c, .bg = BG_NONE };
	struct err	 e;

	if (cfg_inst(c, &e) < 0 || conf_read(&l.u.conf, cfg_root(c), &e) < 0)
		return cfg_fail(c, &e);
	if (!auto_wanted(&l.u.conf.autos))
		return EX_OK;
	if (bg_open(&l.bg, c->inst.state, AUTO_KIND, &e) < 0)
		return cfg_fail(c, &e);
	bg_wake(&l.bg);
	if (!bg_lock(&l.bg))
		return EX_OK;
	if (bg_detach() < 0)
		return EX_FAIL;
	/* It may have been begun from within a hook. */
	(void)unsetenv("CFG_HOOK");
	(void)autostate_load(&l.u.plan, c->inst.state, &e);
	do
		run(&l);
	while (bg_woken(&l.bg) && bg_lock(&l.bg) && wanted(&l, os_uptime()));
	return EX_OK;
}
