/*
 * mirror-auto.c: the process that pushes in the background.
 *
 * Each commit, and cfgfs when it starts, begins one, or wakes the one that
 * is there.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "bg.h"
#include "mirror.h"
#include "mstate.h"

#define WAIT_FIRST	5		/* seconds before the second try */
#define WAIT_MOST	600

struct autos {
	struct margs	*a;
	struct bg	 bg;
	int		 wait;		/* seconds before the next try */
	uint64_t	 head;		/* of the store, at the last wake-up */
	char		 last[512];	/* what the log has been told */
};

static uint64_t
head_now(struct margs *a)
{
	struct cfg_store	 st;
	struct err		 ignored;
	uint64_t		 head = 0;

	if (cfg_open(a->c, false, &st, &ignored) == 0) {
		head = store_head(st.s);
		(void)cfg_end(&st, -1, 0, &ignored);
	}
	return head;
}

/* The log hears of each failure once. */
static void
tell(struct autos *u, const struct conf_far *m, int rc, const struct err *e)
{
	char	 line[sizeof(u->last)];

	if (rc < 0)
		(void)snprintf(line, sizeof(line), "%s: %.400s", m->name,
		    e->msg);
	else
		(void)snprintf(line, sizeof(line), "%s: up to date", m->name);
	if (strcmp(line, u->last) == 0)
		return;
	memcpy(u->last, line, sizeof(line));
	openlog("cfg-mirror", LOG_PID, LOG_DAEMON);
	syslog(rc < 0 ? LOG_WARNING : LOG_INFO, "%s: %s",
	    u->a->c->inst.mount, line);
	closelog();
}

/* A push to each that is behind: whether all are up to date. */
static bool
round_of(struct autos *u)
{
	const struct conf_far	*m;
	struct mstate		 s;
	struct err		 e = { 0, "" };
	bool			 done = true;
	size_t			 i;
	int			 rc;

	/* What the configuration says may have changed since. */
	conf_free(&u->a->conf);
	if (conf_read(&u->a->conf, cfg_root(u->a->c), &e) < 0)
		return true;
	for (i = 0; i < u->a->conf.n; i++) {
		m = &u->a->conf.mirror[i];
		if (m->manual)
			continue;
		mstate_load(u->a->c->inst.state, m->name, &s);
		if (s.at.id != 0 && s.at.seq >= u->head && s.error[0] == '\0')
			continue;
		rc = mirror_push(u->a, m, true, &e);
		tell(u, m, rc, &e);
		/* A mirror that refuses will go on doing so. */
		if (rc < 0 && rc != -EEXIST)
			done = false;
	}
	return done;
}

/* Until all is done: then the lock is given back. */
static void
work(struct autos *u)
{
	u->wait = WAIT_FIRST;
	u->head = head_now(u->a);
	do {
		/* A slice is not mounted for each try. */
		if (bg_woken(&u->bg))
			u->head = head_now(u->a);
		if (round_of(u))
			break;
		if (bg_wait(&u->bg, u->wait * 1000))
			u->wait = WAIT_FIRST;
		else if ((u->wait *= 2) > WAIT_MOST)
			u->wait = WAIT_MOST;
	} while (access(u->a->c->inst.state, F_OK) == 0);
	bg_unlock(&u->bg);
}

/* Whether any mirror wants it. */
static bool
wanted(const struct margs *a)
{
	size_t	 i;

	for (i = 0; i < a->conf.n; i++)
		if (!a->conf.mirror[i].manual)
			return true;
	return false;
}

int
mirror_auto(struct margs *a)
{
	struct autos	 u = { .a = a, .bg = BG_NONE };
	struct err	 e;

	if (!wanted(a))
		return EX_OK;
	if (cfg_inst(a->c, &e) < 0 || bg_open(&u.bg,
	    a->c->inst.state, "mirror", &e) < 0)
		return cfg_fail(a->c, &e);
	bg_wake(&u.bg);
	if (!bg_lock(&u.bg))
		return EX_OK;
	if (bg_detach() < 0)
		return EX_FAIL;
	do
		work(&u);
	while (bg_woken(&u.bg) && bg_lock(&u.bg));
	return EX_OK;
}
