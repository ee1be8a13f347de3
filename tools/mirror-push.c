/*
 * mirror-push.c: cfg mirror push and verify: the store, read into memory,
 * and its copy.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/mirror.h"
#include "mirror.h"
#include "mstate.h"
#include "out.h"
#include "push.h"

/* One look at one mirror. */
struct look {
	struct margs		*a;
	const struct conf_far	*m;
	struct mstate		 st;
	struct push		 job;
	struct net_result	 r;
	bool			 quiet;
	int64_t			 last;	/* ns, when progress was told */
};

/* Its state is kept where a box has a place for it, and it has a name. */
static const char *
statedir(const struct look *l)
{
	return l->a->c->storepath == NULL &&
	    conf_mirror(&l->a->conf, l->m->name) == l->m ?
	    l->a->c->inst.state : NULL;
}

static void
progress(struct look *l, uint64_t done, uint64_t of)
{
	struct buf	 b = BUF_INIT;
	int64_t		 now = out_now();

	if (!l->a->c->json) {
		out_progress(l->m->name, done, of);
		return;
	}
	if (now - l->last < 1000000000)
		return;
	l->last = now;
	put_fmt(&b, "{\"mirror\":");
	json_str(&b, l->m->name);
	put_fmt(&b, ",\"done\":%" PRIu64 ",\"of\":%" PRIu64 "}\n", done, of);
	(void)out_write(&b, false);
	buf_free(&b);
}

static void
say_fault(const struct look *l, const struct rd *body)
{
	struct buf	 b = BUF_INIT;
	char		*line = strndup((const char *)body->p, body->n);

	if (line == NULL)
		return;
	if (l->a->c->json) {
		put_fmt(&b, "{\"mirror\":");
		json_str(&b, l->m->name);
		put_fmt(&b, ",\"fault\":");
		json_str(&b, line);
		put_fmt(&b, "}\n");
	} else {
		put_fmt(&b, "%s: ", l->m->name);
		out_text(&b, line, strlen(line));
		put_u8(&b, '\n');
	}
	(void)out_write(&b, false);
	buf_free(&b);
	free(line);
}

static void
frame(void *arg, char type, struct rd *body)
{
	struct look	*l = arg;
	uint64_t	 done, of;

	if (l->quiet)
		return;
	if (type == 'l')
		say_fault(l, body);
	if (type != 'p')
		return;
	done = rd_le64(body);
	of = rd_le64(body);
	if (!body->bad)
		progress(l, done, of);
}

/* The store in memory, so that its slice is free again at once. */
static int
snapshot(struct look *l, struct err *e)
{
	struct cfg_store	 st;
	int			 rc;

	if ((rc = cfg_open(l->a->c, false, &st, e)) < 0)
		return rc;
	rc = mirror_snapshot(&l->job.from, st.io, e);
	return cfg_end(&st, -1, rc, e);
}

/* The network first: while it is away, the slice is not touched. */
static int
run(struct look *l, net_job *job, struct err *e)
{
	struct net	*net;
	int		 rc;

	rc = mirror_connect(&net, l->a->c, l->m, &l->a->opt,
	    !l->quiet && isatty(STDIN_FILENO), e);
	if (rc < 0)
		return rc;
	if ((rc = snapshot(l, e)) == 0 &&
	    (rc = net_start(net, job, &l->job, e)) == 0)
		rc = net_wait(net, frame, l, &l->r, e);
	out_progress_end();
	net_close(net);
	io_close(l->job.from);
	l->job.from = NULL;
	return rc;
}

static int
begin(struct look *l, struct margs *a, const struct conf_far *m, bool quiet,
    struct err *e)
{
	int	 rc;

	memset(l, 0, sizeof(*l));
	l->a = a;
	l->m = m;
	l->quiet = quiet;
	l->last = out_now();
	/* Nobody has to have a store on another host twice. */
	if (a->c->storepath == NULL && (rc = cfg_inst(a->c, e)) < 0)
		return rc;
	if (statedir(l) != NULL)
		mstate_load(statedir(l), m->name, &l->st);
	l->job.at = l->st.at;
	l->job.force = a->force;
	l->job.whole = a->whole || l->st.whole;
	return 0;
}

static void
note(struct look *l, int rc, const struct err *e)
{
	struct err	 why;

	if (statedir(l) == NULL)
		return;
	mstate_tried(&l->st, rc, e);
	if (mstate_save(statedir(l), l->m->name, &l->st, &why) < 0)
		cfg_warn(l->a->c, "%s", why.msg);
}

static void
say_json(const struct look *l)
{
	const struct net_result	*r = &l->r;
	struct buf		 b = BUF_INIT;

	put_fmt(&b, "{\"mirror\":");
	json_str(&b, l->m->name);
	put_fmt(&b, ",\"generation\":%" PRIu64 ",\"was\":%" PRIu64
	    ",\"sent\":%" PRIu64 ",\"bytes_out\":%" PRIu64 ",\"bytes_in\":%"
	    PRIu64 ",\"waits\":%" PRIu64 ",\"fsync\":%s}\n", r->at.seq,
	    r->was, r->sent, r->out, r->in, r->waits,
	    r->nosync ? "false" : "true");
	(void)out_write(&b, false);
	buf_free(&b);
}

static void
say_pushed(const struct look *l)
{
	const struct net_result	*r = &l->r;
	uint64_t		 n = r->at.seq - r->was;

	if (r->nosync && r->sent > 0)
		cfg_warn(l->a->c, "%s: its server has no fsync: a power cut "
		    "there may take the newest back", l->m->name);
	if (r->gap)
		cfg_warn(l->a->c, "%s: its server can't replace a file: there "
		    "was a moment without one", l->m->name);
	if (l->a->c->json)
		say_json(l);
	else if (r->sent == 0)
		(void)printf("%s: up to date, generation %" PRIu64 "\n",
		    l->m->name, r->at.seq);
	else if (n > 0 && r->was < r->at.seq)
		(void)printf("%s: generation %" PRIu64 ", %" PRIu64
		    " generation%s in %" PRIu64 " bytes\n", l->m->name,
		    r->at.seq, n, n == 1 ? "" : "s", r->sent);
	else
		(void)printf("%s: generation %" PRIu64 ", mended with %"
		    PRIu64 " bytes\n", l->m->name, r->at.seq, r->sent);
}

int
mirror_push(struct margs *a, const struct conf_far *m, bool quiet,
    struct err *e)
{
	struct look	 l;
	int		 rc;

	if ((rc = begin(&l, a, m, quiet, e)) < 0)
		return rc;
	if ((rc = run(&l, job_push, e)) == 0) {
		l.st.at = l.r.at;
		l.st.whole = false;
	}
	note(&l, rc, e);
	if (rc == 0 && !quiet)
		say_pushed(&l);
	return rc;
}

static void
say_verified(const struct look *l)
{
	const struct net_result	*r = &l->r;
	struct buf		 b = BUF_INIT;

	if (l->a->c->json) {
		put_fmt(&b, "{\"mirror\":");
		json_str(&b, l->m->name);
		put_fmt(&b, ",\"generation\":%" PRIu64 ",\"behind\":%" PRIu64
		    ",\"faults\":%" PRIu64 "}\n", r->at.seq, r->behind,
		    r->faults);
		(void)out_write(&b, false);
		buf_free(&b);
	} else
		(void)printf("%s: %" PRIu64 " fault%s, %" PRIu64
		    " generation%s behind\n", l->m->name, r->faults,
		    r->faults == 1 ? "" : "s", r->behind,
		    r->behind == 1 ? "" : "s");
}

int
mirror_verify(struct margs *a, const struct conf_far *m, struct err *e)
{
	struct look	 l;
	int		 rc;

	if ((rc = begin(&l, a, m, false, e)) < 0 ||
	    (rc = run(&l, job_compare, e)) < 0)
		return rc;
	say_verified(&l);
	if (l.r.faults > 0 && statedir(&l) != NULL) {
		l.st.whole = true;
		note(&l, 0, NULL);
	}
	return l.r.faults > 0 ? 1 : 0;
}
