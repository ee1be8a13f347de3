/*
 * cmd-check.c: cfg check: what validators say of what is pending, or of
 * some paths whether they are pending or not.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "cfg.h"
#include "check.h"
#include "lease.h"
#include "out.h"
#include "pend.h"
#include "walk.h"
#include "work.h"

struct all {			/* what is pending, and what is asked for */
	struct pend	 p;
	size_t		 cap;
	int		 tree;
	struct err	*e;
};

/* Add a path that is not pending; 1: it is a directory, 0: it is not. */
static int
put_path(struct all *a, const char *path)
{
	struct pent	 p;
	const char	*name;
	size_t		 i;
	int		 dfd, rc;

	memset(&p, 0, sizeof(p));
	if ((dfd = path_parent(a->tree, path, &name)) < 0)
		return 0;		/* not there: pending, or nothing */
	rc = ent_read(dfd, name, path, 0, &p.now, NULL, NULL, a->e);
	(void)close(dfd);
	if (rc < 0)
		return rc;
	if ((rc = p.now.type == ENT_DIR) == 1 || p.now.type == ENT_NONE)
		goto out;
	for (i = 0; i < a->p.n; i++)
		if (strcmp(a->p.v[i].path, path) == 0)
			goto out;
	if (more_room(&a->p.v, a->p.n, &a->cap, sizeof(p)) < 0 ||
	    (p.path = strdup(path)) == NULL)
		rc = err_set(a->e, ENOMEM, "%s", path);
	else {
		a->p.v[a->p.n++] = p;
		return rc;
	}
out:
	ent_free(&p.now);
	return rc;
}

static int
visit(void *arg, const char *path, bool isdir)
{
	int	 rc = put_path(arg, path);

	return rc < 0 ? rc : isdir ? WALK_DOWN : 0;
}

static int
put_below(struct all *a, const char *path)
{
	const size_t	 had = a->p.n;
	char		*vis;
	size_t		 i;
	int		 rc;

	if ((rc = *path == '\0' ? 1 : put_path(a, path)) == 1)
		return walk_tree(a->tree, path, visit, a, a->e);
	if (rc < 0 || a->p.n > had)
		return rc;
	for (i = 0; i < a->p.n; i++)
		if (path_within(a->p.v[i].path, path))
			return 0;
	vis = path_vis(path);
	rc = err_setx(a->e, ENOENT, "%s: neither there nor pending",
	    vis == NULL ? "?" : vis);
	free(vis);
	return rc;
}

/* The room of what pend_find() gave is not known: move it. */
static int
collect(struct all *a, const struct strs *paths)
{
	struct pent	*v = NULL;
	size_t		 i;
	int		 rc = 0;

	pend_select(&a->p, paths->v, paths->n);
	if (a->p.n > 0) {
		if ((v = malloc(a->p.n * sizeof(*v))) == NULL)
			return err_set(a->e, ENOMEM, "check");
		memcpy(v, a->p.v, a->p.n * sizeof(*v));
		free(a->p.v);
		a->p.v = v;
	}
	a->cap = a->p.n;
	for (i = 0; rc == 0 && i < paths->n; i++)
		rc = put_below(a, paths->v[i]);
	return rc;
}

static void
put_text(struct buf *b, const struct check *k)
{
	size_t	 i;

	for (i = 0; i < k->paths.n; i++) {
		put_fmt(b, k->ok ? "ok " : "failed ");
		out_path(b, k->paths.v[i]);
		put_fmt(b, " (%s)\n", check_tool(k));
	}
	if (!k->ok)
		check_words(b, k, "    ");
}

static void
put_json(struct buf *b, const struct check *k)
{
	struct buf	 w = BUF_INIT;
	size_t		 i;

	put_fmt(b, "{\"paths\":[");
	for (i = 0; i < k->paths.n; i++) {
		put_fmt(b, i == 0 ? "{" : ",{");
		json_name(b, "path", k->paths.v[i]);
		put_u8(b, '}');
	}
	put_fmt(b, "],\"tool\":");
	json_str(b, check_tool(k));
	put_fmt(b, ",\"command\":[");
	for (i = 0; i < k->argv.n; i++) {
		put_fmt(b, i == 0 ? "" : ",");
		json_str(b, k->argv.v[i]);
	}
	put_fmt(b, "],\"ok\":%s", k->ok ? "true" : "false");
	if (!k->ok) {
		check_words(&w, k, "");
		put_u8(&w, '\0');
		put_fmt(b, ",\"says\":");
		json_str(b, w.bad ? "" : (const char *)w.p);
		buf_free(&w);
	}
	put_u8(b, '}');
}

static int
report(const struct cfg *c, const struct checks *k, int bad, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 rc;

	if (c->json)
		put_fmt(&b, "{\"checks\":[");
	for (i = 0; i < k->n; i++) {
		if (c->json)
			put_fmt(&b, i == 0 ? "" : ",");
		(c->json ? put_json : put_text)(&b, &k->v[i]);
	}
	if (c->json)
		put_fmt(&b, "],\"failed\":%d}\n", bad);
	else if (k->n == 0)
		put_fmt(&b, "nothing to check\n");
	rc = out_end(&b, false, e);
	return rc < 0 ? rc : bad > 0 ? EX_NO : EX_OK;
}

static int
check(struct cfg *c, struct work *w, const struct strs *paths, struct err *e)
{
	struct all	 a = { .tree = w->tree, .e = e };
	struct checks	 k;
	int		 rc;

	memset(&k, 0, sizeof(k));
	k.root = w->ctl == -1 ? c->inst.tree : c->inst.mount;
	k.tree = w->tree;
	if ((rc = work_find(w, UINT64_MAX, &a.p, e)) < 0)
		return rc;
	if ((rc = collect(&a, paths)) == 0 &&
	    (rc = checks_plan(&k, &a.p, e)) == 0 &&
	    (rc = checks_run(&k, e)) >= 0)
		rc = report(c, &k, rc, e);
	checks_free(&k);
	pend_free(&a.p);
	return rc;
}

int
cmd_check(struct cfg *c, int argc, char **argv)
{
	struct strs	 paths = { NULL, 0, 0 };
	struct work	 w;
	struct err	 e;
	char		*p;
	int		 rc;

	if (getopt(argc, argv, "") != -1 || c->storepath != NULL)
		return cfg_usage(c);
	if (geteuid() != 0)
		return cfg_failx(c, "only root checks: %s", strerror(EPERM));
	if ((rc = work_open(&w, c, &e)) < 0)
		return cfg_fail(c, &e);
	for (; rc == 0 && optind < argc; optind++)
		if ((rc = cfg_path(c, argv[optind], &p, &e)) == 0 &&
		    strs_put(&paths, p) < 0)
			rc = err_set(&e, ENOMEM, "check");
	if (rc == 0) {
		lease_try_settle(&w, c);
		rc = check(c, &w, &paths, &e);
	}
	strs_free(&paths);
	work_close(&w);
	return rc < 0 ? cfg_fail(c, &e) : rc;
}
