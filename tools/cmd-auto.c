/*
 * cmd-auto.c: cfg auto: the process that commits by itself, and what status
 * says of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "auto.h"
#include "dur.h"
#include "out.h"
#include "wear.h"

struct show {
	struct cfg	*c;
	struct conf	 conf;
	struct plan	 plan;
	struct patt	*patt;
	int64_t		 now;		/* os_uptime() */
	struct buf	 b;
};

/* What will be, by the plan and the journal as they are now. */
static int
see(struct show *s, struct err *e)
{
	struct fold	 f = { NULL, 0, 0, false };
	int		 fd, rc;

	fd = open(cfg_root(s->c), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_set(e, errno, "%s", cfg_root(s->c));
	rc = patt_load(&s->patt, fd, e);
	(void)close(fd);
	if (rc < 0)
		return rc;
	fd = open(s->c->inst.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_set(e, errno, "%s", s->c->inst.state);
	if ((rc = autostate_load(&s->plan, s->c->inst.state, e)) == 0 &&
	    (rc = fold_journal(&f, fd, UINT64_MAX, e)) == 0 &&
	    plan_see(&s->plan, &f, s->patt, s->now, out_now()) < 0)
		rc = err_set(e, ENOMEM, "auto");
	fold_free(&f);
	(void)close(fd);
	(void)plan_decide(&s->plan, &s->conf.autos, s->now);
	return rc;
}

static void
put_due(struct show *s)
{
	const struct plan_path	*q;
	int64_t			 left;
	size_t			 i, n = 0;

	if (s->c->json)
		put_fmt(&s->b, ",\"autocommit\":[");
	for (i = 0; i < s->plan.n; i++) {
		q = &s->plan.v[i];
		if (q->due == PLAN_NEVER || q->tree || q->tried == q->mark)
			continue;
		left = q->due > s->now ? q->due - s->now : 0;
		if (s->c->json) {
			put_fmt(&s->b, "%s{", n++ == 0 ? "" : ",");
			json_name(&s->b, "path", q->path);
			put_fmt(&s->b, ",\"seconds\":%" PRId64 "}",
			    left / SECOND);
			continue;
		}
		out_path(&s->b, q->path);
		put_fmt(&s->b, ": committed by itself in ");
		dur_put(&s->b, left);
		put_u8(&s->b, '\n');
	}
	if (s->c->json)
		put_u8(&s->b, ']');
}

static void
put_churn(struct show *s)
{
	const struct plan_churn	*c;
	const struct auto_class	*k;
	size_t			 i, n = 0;
	bool			 held;

	if (s->c->json)
		put_fmt(&s->b, ",\"churn\":[");
	for (i = 0; i < s->plan.nchurn; i++) {
		c = &s->plan.churn[i];
		k = auto_class(&s->conf.autos, c->path, false);
		if (!plan_churns(c, &s->conf.autos, s->now) ||
		    (k != NULL && k->never))
			continue;
		held = s->conf.autos.hold && k != NULL;
		if (s->c->json) {
			put_fmt(&s->b, "%s{", n++ == 0 ? "" : ",");
			json_name(&s->b, "path", c->path);
			put_fmt(&s->b, ",\"changes\":%" PRIu32 ",\"held\":%s}",
			    plan_rate(c, s->now), held ? "true" : "false");
			continue;
		}
		put_fmt(&s->b, "churn: ");
		out_path(&s->b, c->path);
		put_fmt(&s->b, ": %" PRIu32 " changes in an hour by ",
		    plan_rate(c, s->now));
		out_path(&s->b, *c->comm == '\0' ? "?" : c->comm);
		put_fmt(&s->b, "%s: add `autocommit ", held ? ", held back" :
		    "");
		out_path(&s->b, c->path);
		put_fmt(&s->b, " never' to cfgfs/config, or the path to "
		    "cfgfs/ignore\n");
	}
	if (s->c->json)
		put_u8(&s->b, ']');
}

static void
put_refused(struct show *s)
{
	if (s->plan.failed == NULL)
		return;
	if (s->c->json) {
		put_fmt(&s->b, ",\"autocommit_refused\":");
		json_str(&s->b, s->plan.failed);
	} else {
		put_fmt(&s->b, "autocommit refused: ");
		out_path(&s->b, s->plan.failed);
		put_u8(&s->b, '\n');
	}
}

static void
put_budget(struct show *s, uint64_t spent, int64_t wait, const char *path,
    uint64_t cost)
{
	if (s->c->json) {
		put_fmt(&s->b, ",\"budget\":{\"bytes\":%" PRIu64
		    ",\"spent\":%" PRIu64 ",\"wait_seconds\":%" PRId64,
		    s->conf.autos.budget, spent, wait / SECOND);
		if (path != NULL) {
			put_fmt(&s->b, ",");
			json_name(&s->b, "most", path);
		}
		put_u8(&s->b, '}');
		return;
	}
	if (wait == 0)
		return;
	put_fmt(&s->b, "budget: ");
	out_size(&s->b, spent);
	put_fmt(&s->b, " of ");
	out_size(&s->b, s->conf.autos.budget);
	put_fmt(&s->b, " written in 24 hours: nothing is committed by itself "
	    "for another ");
	dur_put(&s->b, wait);
	if (path != NULL) {
		put_fmt(&s->b, "; most of it for ");
		out_path(&s->b, path);
		put_fmt(&s->b, " (");
		out_size(&s->b, cost);
		put_fmt(&s->b, ")");
	}
	put_u8(&s->b, '\n');
}

/* What was written, and what cost most of it. */
static int
see_budget(struct show *s, struct err *e)
{
	struct cfg_store	 st;
	struct wear_lines	 l = { NULL, 0, 0 };
	struct wear_cost	*v = NULL;
	uint64_t		 spent = 0;
	int64_t			 now = out_now(), wait;
	size_t			 i, n = 0;
	int			 rc;

	if (s->conf.autos.budget == 0)
		return 0;
	if ((rc = cfg_open(s->c, false, &st, e)) < 0)
		return rc;
	if ((rc = wear_day(s->c, st.s, now, &l, e)) == 0 &&
	    (rc = wear_costs(st.s, now - WEAR_DAY, &v, &n, e)) == 0) {
		for (i = 0; i < l.n; i++)
			spent += l.v[i].bytes;
		wait = wear_until(&l, s->conf.autos.budget, now);
		put_budget(s, spent, wait, n == 0 ? NULL : v[0].path,
		    n == 0 ? 0 : v[0].bytes);
	}
	wear_costs_free(v, n);
	free(l.v);
	return cfg_end(&st, -1, rc, e);
}

/* What status adds: lines, or members of its object. */
static int
lag(struct cfg *c)
{
	struct show	 s = { .c = c, .now = os_uptime() };
	struct err	 e;
	int		 rc;

	if ((rc = cfg_inst(c, &e)) < 0 ||
	    (rc = conf_read(&s.conf, cfg_root(c), &e)) < 0)
		return cfg_fail(c, &e);
	if ((rc = see(&s, &e)) == 0) {
		put_due(&s);
		put_churn(&s);
		put_refused(&s);
		rc = see_budget(&s, &e);
	}
	if (rc == 0)
		rc = out_end(&s.b, false, &e);
	buf_free(&s.b);
	patt_free(s.patt);
	plan_end(&s.plan);
	conf_free(&s.conf);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}

int
cmd_auto(struct cfg *c, int argc, char **argv)
{
	if (getopt(argc, argv, "") != -1 || c->storepath != NULL ||
	    argc - optind > 1)
		return cfg_usage(c);
	if (optind < argc)
		return strcmp(argv[optind], "status") == 0 ? lag(c) :
		    cfg_usage(c);
	if (geteuid() != 0)
		return cfg_failx(c, "only root commits: %s", strerror(EPERM));
	return auto_process(c);
}
