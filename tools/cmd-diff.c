/*
 * cmd-diff.c: cfg diff: two states of the tree compared: what is running,
 * a generation, the base.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "cfg.h"
#include "lease.h"
#include "out.h"
#include "treediff.h"
#include "work.h"

struct diff {
	struct cfg	*c;
	struct treediff	 t;
	const char	*basedir;	/* --base, or NULL */
	const char	*from, *to;	/* as named; NULL: as is usual */
	struct strs	 paths;		/* only at or below these; none: all */
	struct tree	 a, b;
};

static int
all_paths(struct diff *d, struct err *e)
{
	int	 rc;

	if ((rc = treediff(&d->t, NULL, e)) < 0)
		return rc;
	if (d->t.form == DIFF_JSON)
		put_u8(&d->t.out, '\n');
	return out_end(&d->t.out, d->t.form != DIFF_JSON, e);
}

static bool
is(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* A tree that is no more than named by the user. */
static int
open_named(struct tree *t, struct store *s, const char *name, int base,
    struct err *e)
{
	uint64_t	 gen = 0;
	int		 rc = 0;

	if (!is(name, "@base"))
		rc = cfg_gen(s, name, &gen, e);
	return rc < 0 ? rc : tree_open(t, s, gen, base, e);
}

/* One of the two is what is running. */
static int
with_running(struct diff *d, struct err *e)
{
	struct work	 w;
	struct pend	 p = { 0 };
	struct tree	*run, *other;
	const char	*name;
	int		 rc;

	if ((rc = work_open(&w, d->c, e)) < 0)
		return rc;
	lease_try_settle(&w, d->c);
	if ((rc = work_find(&w, UINT64_MAX, &p, e)) < 0)
		goto out;
	run = is(d->from, "@running") ? &d->a : &d->b;
	other = run == &d->a ? &d->b : &d->a;
	name = run == &d->a ? d->to : d->from;
	if (name == NULL || is(name, "@running"))
		name = "@0";
	if ((rc = tree_open(run, w.st.s, w.head, w.pers.base, e)) < 0)
		goto out;
	tree_run(run, &p, w.tree);
	rc = open_named(other, w.st.s, name, w.pers.base, e);
	if (rc == 0)
		rc = all_paths(d, e);
out:
	pend_free(&p);
	work_close(&w);
	return rc;
}

static int
generations(struct diff *d, struct err *e)
{
	struct cfg_store	 st = { 0 };
	int			 base = -1, rc;

	if ((rc = cfg_read(d->c, &st, e)) < 0 ||
	    (rc = cfg_base(d->c, d->basedir, &base, e)) < 0)
		goto out;
	if (d->from == NULL)
		d->from = store_head(st.s) > store_oldest(st.s) ? "@-1" :
		    "@base";
	if ((rc = open_named(&d->a, st.s, d->from, base, e)) == 0 &&
	    (rc = open_named(&d->b, st.s, d->to == NULL ? "@0" : d->to, base,
	    e)) == 0)
		rc = all_paths(d, e);
out:
	return cfg_end(&st, base, rc, e);
}

/* Names of states first, then paths: those behind "--" are paths all. */
static int
arguments(struct diff *d, char **argv, int n, int free_from, struct err *e)
{
	char	*path;
	int	 i, rc = 0;

	for (i = 0; i < n && i < free_from && i < 2 && *argv[i] == '@'; i++)
		*(i == 0 ? &d->from : &d->to) = argv[i];
	if (i < n && d->c->storepath == NULL && (rc = cfg_inst(d->c, e)) < 0)
		return rc;
	for (; i < n && rc == 0; i++)
		if ((rc = cfg_path(d->c, argv[i], &path, e)) == 0)
			rc = strs_put(&d->paths, path);
	return rc;
}

static int
options(struct diff *d, int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "base", required_argument, NULL, 'b' },
		{ "name-only", no_argument, NULL, 'n' },
		{ "stat", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	unsigned long long	 v;
	char			*end;
	int			 ch;

	while ((ch = getopt_long(argc, argv, "U:", lo, NULL)) != -1)
		switch (ch) {
		case 'U':
			v = strtoull(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != '\0')
				return -1;
			d->t.o.context = v > 1000000000 ? 1000000000 :
			    (unsigned)v;
			break;
		case 'b':
			d->basedir = optarg;
			break;
		case 'n':
			d->t.form = DIFF_NAMES;
			break;
		case 's':
			d->t.form = DIFF_STAT;
			break;
		default:
			return -1;
		}
	return 0;
}

int
cmd_diff(struct cfg *c, int argc, char **argv)
{
	struct diff	 d = { .c = c, .t = { .o = { .context = 3 } } };
	struct err	 e = { 0 };
	const int	 behind = cfg_behind(argc, argv);
	int		 rc;

	if (options(&d, argc, argv) == -1)
		return cfg_usage(c);
	if (c->json)
		d.t.form = DIFF_JSON;
	d.t.o.color = c->color && !c->json;
	d.t.o.safe = d.t.o.color ||
	    (d.t.form == DIFF_TEXT && isatty(STDOUT_FILENO));
	d.t.a = &d.a;
	d.t.b = &d.b;
	d.t.paths = &d.paths;
	rc = arguments(&d, argv + optind, argc - optind,
	    argc - optind - behind, &e);
	if (rc == 0) {
		if (is(d.from, "@running") || is(d.to, "@running") ||
		    (d.to == NULL && c->storepath == NULL))
			rc = with_running(&d, &e);
		else
			rc = generations(&d, &e);
	}
	tree_close(&d.a);
	tree_close(&d.b);
	strs_free(&d.paths);
	buf_free(&d.t.out);
	return rc < 0 ? cfg_fail(c, &e) : d.t.n > 0 ? EX_NO : EX_OK;
}
