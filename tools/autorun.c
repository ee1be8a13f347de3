/*
 * autorun.c: a commit that nobody asked for: the same program with the same
 * checks, for just the paths that are due and differ.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../lib/path.h"
#include "auto.h"
#include "bg.h"
#include "dur.h"
#include "lease.h"
#include "out.h"
#include "shutdown.h"
#include "spawn.h"
#include "wear.h"
#include "work.h"

#define AGAIN_FIRST	(600 * SECOND)	/* after what was refused, without a
					   change: it may be the medium */
#define AGAIN_MOST	(6 * 3600 * SECOND)
#define CHILD_MOST	3600		/* seconds: each check has its own */

extern char	**environ;

void
auto_tell(struct autos *u, int level, const char *line)
{
	if (strcmp(u->last, line) == 0)
		return;
	(void)snprintf(u->last, sizeof(u->last), "%s", line);
	openlog("cfg", LOG_PID, LOG_DAEMON);
	syslog(level, "%s: autocommit: %.500s", u->c->inst.mount, line);
	closelog();
}

static bool
is_dir(const struct pent *p)
{
	return p->now.type == ENT_DIR || p->was.type == ENT_DIR;
}

static const struct pent *
pent_find(const struct pend *p, const char *path)
{
	size_t	 lo = 0, hi = p->n, mid;
	int	 c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((c = path_cmp(p->v[mid].path, path)) == 0)
			return &p->v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* What is taken, against what differs: 1 where the plan has new paths. */
static int
compare(struct autos *u, const struct pend *p, int64_t now)
{
	struct plan		*l = &u->plan;
	struct plan_path	*q;
	size_t			 i;
	int			 more = 0;

	for (i = 0; i < p->n; i++) {
		if (plan_find(l, p->v[i].path) != NULL ||
		    (q = plan_above(l, p->v[i].path)) == NULL || !q->take)
			continue;
		if (plan_adopt(l, q, p->v[i].path) < 0)
			return -ENOMEM;
		more = 1;
	}
	for (i = 0; i < l->n; i++) {
		q = &l->v[i];
		if (!q->take)
			continue;
		if (q->tree)
			q->tried = q->mark;
		else if (pent_find(p, q->path) == NULL)
			plan_equal(l, q, now);
	}
	return more;
}

/* Other names of an inode go with it. */
static void
mark_links(const struct autos *u, const struct pend *p, bool *marked)
{
	const struct auto_class	*k;
	size_t			 i, j;

	for (i = 0; i < p->n; i++)
		for (j = 0; marked[i] && p->v[i].now.link != 0 && j < p->n;
		    j++) {
			if (marked[j] || p->v[j].now.link != p->v[i].now.link)
				continue;
			k = auto_class(&u->conf.autos, p->v[j].path, false);
			marked[j] = k != NULL && !k->never;
		}
}

/* The paths of what is taken, and differs. */
static int
choose(struct autos *u, const struct pend *p, struct strs *paths,
    struct err *e)
{
	const struct plan_path	*q;
	bool			*marked = calloc(p->n + 1, sizeof(*marked));
	size_t			 i;
	int			 rc;

	if (marked == NULL)
		return err_set(e, ENOMEM, "autocommit");
	for (i = 0; i < p->n; i++) {
		q = plan_find(&u->plan, p->v[i].path);
		marked[i] = q != NULL && q->take && (!q->tree ||
		    auto_class(&u->conf.autos, q->path, is_dir(&p->v[i])) !=
		    NULL);
	}
	mark_links(u, p, marked);
	rc = shutdown_pick(p, marked, paths, e);
	free(marked);
	return rc;
}

static int
write_list(struct autos *u, const struct strs *paths, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 fd, rc;

	for (i = 0; i < paths->n; i++)
		put_fmt(&b, "%s/%s", u->c->inst.mount, paths->v[i]),
		    put_u8(&b, '\0');
	fd = rc = bg_file(u->c->inst.state, AUTO_KIND, "paths", O_WRONLY |
	    O_CREAT | O_TRUNC, e);
	if (fd >= 0) {
		rc = b.bad ? -ENOMEM : out_fd(fd, &b);
		(void)close(fd);
		if (rc < 0)
			(void)err_set(e, -rc, "write the list of paths");
	}
	buf_free(&b);
	return rc;
}

/* The first and the last line that a program said, as one. */
static void
gist(const struct buf *out, char *line, size_t len)
{
	const char	*s = (const char *)out->p, *nl;
	size_t		 n = out->len;
	int		 first, last;

	while (n > 0 && s[n - 1] == '\n')
		n--;
	nl = n == 0 ? NULL : memchr(s, '\n', n);
	first = nl == NULL ? 0 : (int)(nl - s);
	for (last = 0; (size_t)last < n && s[n - 1 - (size_t)last] != '\n';)
		last++;
	if (n == 0)
		return;
	(void)snprintf(line, len, "%.*s%s%.*s", first > 240 ? 240 : first, s,
	    first > 0 ? " " : "", last > 240 ? 240 : last,
	    s + n - (size_t)last);
}

/* 0, or 1 where it is refused: *line says why. */
static int
run(struct autos *u, char *line, size_t len, struct err *e)
{
	char		*list = NULL, self[256];
	struct buf	 out = BUF_INIT;
	struct spawn	 sp = { .file = self, .env = environ, .in = -1,
			    .seconds = CHILD_MOST, .out = &out };
	const char	*argv0 = *u->c->argv;
	int		 rc;

	(void)snprintf(self, sizeof(self), "%s", argv0);
	if (strchr(argv0, '/') == NULL &&
	    !spawn_find(argv0, strlen(argv0), self, sizeof(self)))
		return err_set(e, ENOENT, "run %s", argv0);
	if (asprintf(&list, "%s/" AUTO_KIND "/paths", u->c->inst.state) == -1)
		return err_set(e, ENOMEM, "autocommit");
	char	*argv[] = { self, (char *)"-m", u->c->inst.mount,
		    (char *)"commit", (char *)"-m", (char *)"autocommit",
		    (char *)"--paths-from", list, NULL };
	sp.argv = argv;
	if ((rc = spawn_run(&sp, e)) == 1) {
		(void)snprintf(line, len, "%.400s", e->msg);
		gist(&out, line, len);
	}
	buf_free(&out);
	free(list);
	return rc;
}

/* What came of it, for all that is taken. */
static void
settle(struct autos *u, const struct pend *p, bool refused, int64_t now)
{
	struct plan_path	*q;
	size_t			 i;

	for (i = 0; i < u->plan.n; i++) {
		q = &u->plan.v[i];
		if (!q->take || q->tree || pent_find(p, q->path) == NULL)
			continue;
		q->tried = q->mark;
		q->again = refused ? now + u->backoff : 0;
		/* What comes now is a change of its own. */
		if (!refused)
			q->mark = q->tried = q->nwho = 0;
	}
}

/* One commit of what is taken.  1: refused. */
static int
one(struct autos *u, const struct pend *p, int64_t now, struct err *e)
{
	struct strs	 paths = { NULL, 0, 0 };
	char		 line[512] = "";
	int		 rc;

	rc = choose(u, p, &paths, e);
	if (rc < 0 || paths.n == 0)
		goto out;
	if ((rc = write_list(u, &paths, e)) < 0 ||
	    (rc = run(u, line, sizeof(line), e)) < 0)
		goto out;
	settle(u, p, rc == 1, now);
	free(u->plan.failed);
	u->plan.failed = NULL;
	if (rc == 1) {
		auto_tell(u, LOG_WARNING, line);
		u->plan.failed = strdup(line);
	} else
		u->last[0] = '\0';
out:
	strs_free(&paths);
	return rc;
}

/* Together they are refused: so one run after the other. */
static int
apart(struct autos *u, const struct pend *p, int64_t now, struct err *e)
{
	bool	*was = calloc(u->plan.n + 1, sizeof(*was));
	char	*failed = NULL;
	size_t	 i, k;
	int	 rc = 0;

	if (was == NULL)
		return err_set(e, ENOMEM, "autocommit");
	for (i = 0; i < u->plan.n; i++)
		was[i] = u->plan.v[i].take && !u->plan.v[i].tree;
	for (i = 0; rc >= 0 && i < u->plan.n; i++) {
		if (!was[i])
			continue;
		plan_only(&u->plan, i);
		for (k = 0; k < u->plan.n; k++)
			if (u->plan.v[k].take)
				was[k] = false;
		if ((rc = one(u, p, now, e)) == 1 && failed == NULL &&
		    u->plan.failed != NULL)
			failed = strdup(u->plan.failed);
	}
	if (u->plan.failed == NULL)
		u->plan.failed = failed;
	else
		free(failed);
	free(was);
	return rc < 0 ? rc : 0;
}

/* Whether what is taken is more than one run. */
static bool
many(struct plan *p)
{
	size_t	 i, all = 0, some = 0;

	for (i = 0; i < p->n; i++)
		all += p->v[i].take ? 1 : 0;
	for (i = 0; i < p->n && !p->v[i].take; i++)
		;
	if (i < p->n) {
		bool	*was = calloc(p->n, sizeof(*was));
		size_t	 k;

		if (was == NULL)
			return false;
		for (k = 0; k < p->n; k++)
			was[k] = p->v[k].take;
		plan_only(p, i);
		for (k = 0; k < p->n; k++) {
			some += p->v[k].take ? 1 : 0;
			p->v[k].take = was[k];
		}
		free(was);
	}
	return some < all;
}

int
auto_commit(struct autos *u, int64_t now, struct err *e)
{
	struct work	 w;
	struct pend	 p;
	int		 rc;

	if ((rc = work_open(&w, u->c, e)) < 0)
		return rc;
	lease_try_settle(&w, u->c);
	rc = work_find(&w, UINT64_MAX, &p, e);
	work_close(&w);
	if (rc < 0)
		return rc;
	if (u->backoff == 0)
		u->backoff = AGAIN_FIRST;
	if ((rc = compare(u, &p, now)) == 1) {
		(void)plan_decide(&u->plan, &u->conf.autos, now);
		rc = compare(u, &p, now);
	}
	if (rc < 0)
		rc = err_set(e, -rc, "autocommit");
	else if ((rc = one(u, &p, now, e)) == 1 && many(&u->plan))
		rc = apart(u, &p, now, e);
	if (rc == 1 && (u->backoff *= 2) > AGAIN_MOST)
		u->backoff = AGAIN_MOST;
	else if (rc == 0)
		u->backoff = AGAIN_FIRST;
	pend_free(&p);
	return rc < 0 ? rc : 0;
}
