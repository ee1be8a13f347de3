/*
 * cmd-status.c: cfg status: what is pending, who changed it, and how much
 * room the store has.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "autoconf.h"
#include "cfg.h"
#include "dur.h"
#include "lease.h"
#include "out.h"
#include "older.h"
#include "parked.h"
#include "pend.h"
#include "remote.h"
#include "tstate.h"
#include "walk.h"
#include "work.h"

/* A program's name is whatever a program calls itself. */
static void
put_comm(struct buf *b, const char *comm)
{
	out_path(b, *comm == '\0' ? "?" : comm);
}

static void
put_pent(struct buf *b, const struct pent *p)
{
	const struct who	*w;
	size_t			 i;

	put_fmt(b, "%c ", pend_letter(p));
	out_path(b, p->path);
	for (i = 0; i < p->nwho; i++) {
		w = &p->who[i];
		put_fmt(b, "%s%s: ", i == 0 ? "\t" : "; ", cfg_user(w->uid));
		put_comm(b, w->comm);
		put_fmt(b, ", ");
		out_time(b, w->time);
		if (w->count > 1)
			put_fmt(b, ", %u changes", w->count);
	}
	put_u8(b, '\n');
}

/* Whether the next commits may find no room. */
static bool
low(const struct store_space *sp)
{
	return sp->left < 3 * sp->written || sp->left < sp->size / 10;
}

/* What a new base has to do with the paths. */
static void
put_parks(struct buf *b, const struct parks *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++) {
		if (l->v[i].state == PARK_TAKEN)
			continue;	/* pending, and nothing else */
		put_fmt(b, "%s ", park_word[l->v[i].state]);
		out_path(b, l->v[i].path);
		put_fmt(b, "%s\n", l->v[i].state == PARK_CONFLICT ?
		    "\tsee cfg resolve" : "");
	}
}

static void
put_text(struct buf *b, const struct work *w, const struct pend *p,
    const struct parks *l, const struct store_space *sp)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		put_pent(b, &p->v[i]);
	put_parks(b, l);
	if (p->n == 0)
		put_fmt(b, "nothing pending");
	else
		put_fmt(b, "%zu pending", p->n);
	put_fmt(b, " since generation %llu", (unsigned long long)w->head);
	if (p->nignored > 0)
		put_fmt(b, ", %zu ignored", p->nignored);
	if (p->nsock > 0)
		put_fmt(b, ", %zu socket%s left out", p->nsock,
		    p->nsock == 1 ? "" : "s");
	if (p->nhidden > 0)
		put_fmt(b, ", %zu not yours to read", p->nhidden);
	put_fmt(b, "\nstore: ");
	out_size(b, sp->left);
	put_fmt(b, " of ");
	out_size(b, sp->size);
	put_fmt(b, " left for the next commit%s\n", low(sp) ? ": LOW" : "");
}

/* The trial that runs; for root, one that has lost who would end it is
 * given another. */
static int
put_trial(struct buf *b, const struct cfg *c, struct err *e)
{
	struct tstate	 t;
	int		 rc;

	if ((rc = tstate_load(c->inst.state, &t, e)) != 1)
		return rc;
	if (geteuid() == 0 && trial_run(c) != EX_OK)
		cfg_warn(c, "nobody waits for the end of the trial");
	if (c->json) {
		put_fmt(b, ",\"trial\":{\"seconds_left\":%lld,\"user\":",
		    (long long)(tstate_left(&t) / SECOND));
		json_str(b, t.user == NULL ? "" : t.user);
		put_fmt(b, ",\"generation\":%llu}",
		    (unsigned long long)t.gen);
	} else {
		put_fmt(b, "TRIAL by ");
		out_path(b, t.user == NULL ? "?" : t.user);
		put_fmt(b, ": ");
		dur_put(b, tstate_left(&t));
		put_fmt(b, " left, then back to generation %llu: `cfg "
		    "confirm' keeps it\n", (unsigned long long)t.gen);
	}
	tstate_free(&t);
	return 0;
}

static void
put_json_who(struct buf *b, const struct who *w)
{
	put_fmt(b, "{\"uid\":%u,\"user\":", w->uid);
	json_str(b, cfg_user(w->uid));
	put_fmt(b, ",\"pid\":%u,\"program\":", w->pid);
	json_str(b, w->comm);
	put_fmt(b, ",\"changes\":%u,\"time_ns\":%lld}", w->count,
	    (long long)w->time);
}

static void
put_json(struct buf *b, const struct cfg *c, const struct work *w,
    const struct pend *p, const struct parks *l,
    const struct store_space *sp)
{
	size_t	 i, k;

	put_fmt(b, "{\"mount\":");
	json_str(b, c->inst.mount);
	put_fmt(b, ",\"daemon\":%s,\"generation\":%llu,\"pending\":[",
	    w->ctl == -1 ? "false" : "true", (unsigned long long)w->head);
	for (i = 0; i < p->n; i++) {
		put_fmt(b, "%s{", i == 0 ? "" : ",");
		json_name(b, "path", p->v[i].path);
		put_fmt(b, ",\"change\":\"%c\",\"who\":[",
		    pend_letter(&p->v[i]));
		for (k = 0; k < p->v[i].nwho; k++) {
			put_fmt(b, "%s", k == 0 ? "" : ",");
			put_json_who(b, &p->v[i].who[k]);
		}
		put_fmt(b, "]}");
	}
	put_fmt(b, "],\"base\":[");
	for (i = 0; i < l->n; i++) {
		put_fmt(b, "%s{", i == 0 ? "" : ",");
		json_name(b, "path", l->v[i].path);
		put_fmt(b, ",\"state\":\"%s\"}", park_word[l->v[i].state]);
	}
	put_fmt(b, "],\"ignored\":%zu,\"sockets\":%zu,\"hidden\":%zu,"
	    "\"store\":{\"size\":%llu,\"left\":%llu,\"low\":%s}",
	    p->nignored, p->nsock, p->nhidden, (unsigned long long)sp->size,
	    (unsigned long long)sp->left, low(sp) ? "true" : "false");
}

/* Whether a path may be one that churns. */
static bool
restless(const struct pend *p)
{
	size_t	 i, k;

	for (i = 0; i < p->n; i++)
		for (k = 0; k < p->v[i].nwho; k++)
			if (p->v[i].who[k].count >= AUTO_CHURN)
				return true;
	return false;
}

static int
status(struct cfg *c, struct work *w, bool quiet, const struct strs *paths,
    struct err *e)
{
	struct store_space	 sp;
	struct buf		 b = BUF_INIT;
	struct pend		 p;
	struct parks		 l;
	struct err		 older;
	char			 head[24];
	int			 rc;

	if ((rc = work_find(w, UINT64_MAX, &p, e)) < 0)
		return rc;
	rc = parks_open(&l, w->tree, &w->pers, &p, paths, e);
	pend_select(&p, paths->v, paths->n);
	store_space(w->st.s, &sp);
	if (rc == 0 && !quiet) {
		if (older_check(w->tree, w->head, &older) < 0)
			cfg_warn(c, "%s", older.msg);
		if (c->json)
			put_json(&b, c, w, &p, &l, &sp);
		else
			put_text(&b, w, &p, &l, &sp);
		if ((rc = put_trial(&b, c, e)) == 0)
			rc = out_end(&b, false, e);
		buf_free(&b);
		(void)snprintf(head, sizeof(head), "%llu",
		    (unsigned long long)w->head);
		mirror_run(c, "lag", head);
		if (config_there(c) || restless(&p))
			(void)auto_run(c, "status");
		if (c->json)
			(void)printf("}\n");
	}
	if (rc == 0)
		rc = quiet && (p.n > 0 || parks_mine(&l)) ? EX_NO : EX_OK;
	pend_free(&p);
	parks_free(&l);
	return rc;
}

int
cmd_status(struct cfg *c, int argc, char **argv)
{
	struct strs	 paths = { NULL, 0, 0 };
	struct work	 w;
	struct err	 e;
	bool		 quiet = false;
	char		*p;
	int		 ch, rc;

	while ((ch = getopt(argc, argv, "q")) != -1) {
		if (ch != 'q')
			return cfg_usage(c);
		quiet = true;
	}
	if (c->storepath != NULL)
		return cfg_usage(c);
	if ((rc = work_open(&w, c, &e)) < 0)
		return cfg_fail(c, &e);
	for (; rc == 0 && optind < argc; optind++)
		if ((rc = cfg_path(c, argv[optind], &p, &e)) == 0 &&
		    strs_put(&paths, p) < 0)
			rc = err_set(&e, ENOMEM, "status");
	if (rc == 0) {
		lease_try_settle(&w, c);
		rc = status(c, &w, quiet, &paths, &e);
	}
	strs_free(&paths);
	work_close(&w);
	return rc < 0 ? cfg_fail(c, &e) : rc;
}
