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
#include "diff.h"
#include "entdiff.h"
#include "lease.h"
#include "out.h"
#include "trees.h"
#include "work.h"

#define STAT_WIDTH	40	/* columns of + and - at most */
#define WHO_MAX		3	/* how many that changed a path are named */

enum form { TEXT, STAT, NAMES, JSON };

struct diff {
	struct cfg	*c;
	enum form	 form;
	struct entdiff_opts o;
	const char	*basedir;	/* --base, or NULL */
	const char	*from, *to;	/* as named; NULL: as is usual */
	struct strs	 paths;		/* only at or below these; none: all */
	struct tree	 a, b;
	struct buf	 out;
	size_t		 n;		/* paths that differ */
	size_t		 added, removed; /* lines in all of them */
};

/* What there is to say of one path. */
struct item {
	const char	*path;
	struct ent	 was, now;
	bool		 wknown, nknown;	/* else only the base knows */
	char		 letter;
	const struct pent *pent;		/* or NULL */
	struct buf	 text;
	struct entdiff_stat st;
	bool		 hidden;
};

/* Who made the change: lines that patch(1) passes over. */
static void
put_who(struct buf *b, const struct pent *p)
{
	const struct who	*w;
	size_t			 i;

	i = p->nwho > WHO_MAX ? p->nwho - WHO_MAX : 0;
	for (; i < p->nwho; i++) {
		w = &p->who[i];
		put_fmt(b, "changed by %s with ", cfg_user(w->uid));
		out_path(b, *w->comm == '\0' ? "?" : w->comm);
		put_fmt(b, ", ");
		out_time(b, w->time);
		put_u8(b, '\n');
	}
}

/* A part that says one thing in words. */
static void
put_words(struct item *it, const char *words)
{
	char	*a = path_join("a", *it->path == '\0' ? "." : it->path);
	char	*b = path_join("b", *it->path == '\0' ? "." : it->path);

	if (a == NULL || b == NULL)
		it->text.bad = true;
	else {
		put_fmt(&it->text, "diff --cfg ");
		out_path(&it->text, a);
		put_u8(&it->text, ' ');
		out_path(&it->text, b);
		put_fmt(&it->text, "\n%s\n", words);
	}
	free(a);
	free(b);
}

static int
differ(struct diff *d, struct item *it, struct err *e)
{
	struct side	 a = { &it->was, tree_content, &d->a, false, NULL };
	struct side	 b = { &it->now, tree_content, &d->b, false, NULL };
	bool		 can;
	size_t		 len;
	int		 rc;

	if (it->pent != NULL)
		put_who(&it->text, it->pent);
	len = it->text.len;
	if ((rc = tree_readable(&d->a, &it->was, &can, e)) < 0)
		return rc;
	a.hidden = !can;
	if ((rc = tree_readable(&d->b, &it->now, &can, e)) < 0)
		return rc;
	b.hidden = !can;
	a.linked = tree_linked(&d->a, &it->was);
	b.linked = tree_linked(&d->b, &it->now);
	if (!it->wknown)
		put_words(it, it->now.type == ENT_NONE ?
		    "deleted; a is as in the base, which is not at hand" :
		    "a is as in the base, which is not at hand");
	else if (!it->nknown)
		put_words(it, "b is as in the base, which is not at hand");
	rc = entdiff(it->path, &a, &b, &d->o, &it->text, &it->st, e);
	if (rc == -EACCES && geteuid() != 0) {
		/* What the modes don't say: another system's rules. */
		it->text.len = len;
		a.hidden = true;
		rc = entdiff(it->path, &a, &b, &d->o, &it->text, &it->st, e);
	}
	it->hidden = a.hidden || b.hidden;
	if (rc == 0 && it->text.len == len)
		put_words(it, "hard links changed");
	return rc;
}

static void
put_bar(struct buf *b, const struct diff *d, char c, size_t n)
{
	put_fmt(b, "%s", !d->o.color || n == 0 ? "" : c == '+' ? "\033[32m" :
	    "\033[31m");
	for (; n > 0; n--)
		put_u8(b, (uint8_t)c);
	put_fmt(b, "%s", d->o.color ? "\033[m" : "");
}

static void
put_stat(struct diff *d, const struct item *it)
{
	size_t	 n = it->st.added + it->st.removed, plus = it->st.added;
	size_t	 minus = it->st.removed;

	put_fmt(&d->out, "%c ", it->letter);
	out_path(&d->out, it->path);
	if (it->hidden)
		put_fmt(&d->out, " | content hidden");
	else if (it->st.binary)
		put_fmt(&d->out, " | binary");
	else if (n > 0) {
		if (n > STAT_WIDTH) {
			plus = (plus * STAT_WIDTH + n - 1) / n;
			minus = STAT_WIDTH - plus;
		}
		put_fmt(&d->out, " | %zu ", n);
		put_bar(&d->out, d, '+', plus);
		put_bar(&d->out, d, '-', minus);
	}
	put_u8(&d->out, '\n');
}

static void
put_json_side(struct buf *b, const char *key, const struct ent *x)
{
	static const char *const type[] = { "none", "file", "directory",
	    "symlink", "fifo", "chardev", "blockdev", "none", "socket" };

	if (x->type == ENT_NONE || x->type == ENT_WHITEOUT) {
		put_fmt(b, ", \"%s\": null", key);
		return;
	}
	put_fmt(b, ", \"%s\": {\"type\": \"%s\", \"mode\": \"%04o\", "
	    "\"uid\": %u, \"gid\": %u}", key, type[x->type], x->mode, x->uid,
	    x->gid);
}

static void
put_json(struct diff *d, struct item *it)
{
	const struct who	*w;
	struct buf		*b = &d->out;
	size_t			 i;

	put_fmt(b, "%s{", d->n > 0 ? ",\n " : "");
	json_name(b, "path", it->path);
	put_fmt(b, ", \"change\": \"%c\"", it->letter);
	put_json_side(b, "old", &it->was);
	put_json_side(b, "new", &it->now);
	put_fmt(b, ", \"added\": %zu, \"removed\": %zu, \"binary\": %s, "
	    "\"hidden\": %s, \"who\": [", it->st.added, it->st.removed,
	    it->st.binary ? "true" : "false", it->hidden ? "true" : "false");
	for (i = 0; it->pent != NULL && i < it->pent->nwho; i++) {
		w = &it->pent->who[i];
		put_fmt(b, "%s{\"uid\": %u, \"user\": ", i > 0 ? ", " : "",
		    w->uid);
		json_str(b, cfg_user(w->uid));
		put_fmt(b, ", \"pid\": %u, \"program\": ", w->pid);
		json_str(b, w->comm);
		put_fmt(b, ", \"changes\": %u, \"time_ns\": %lld}", w->count,
		    (long long)w->time);
	}
	put_fmt(b, "], \"diff\": ");
	put_u8(&it->text, '\0');
	if (it->text.bad)
		b->bad = true;
	else
		json_str(b, (const char *)it->text.p);
	put_u8(b, '}');
}

static void
put_item(struct diff *d, struct item *it)
{
	switch (d->form) {
	case TEXT:
		put_bytes(&d->out, it->text.p, it->text.len);
		d->out.bad = d->out.bad || it->text.bad;
		break;
	case STAT:
		put_stat(d, it);
		break;
	case NAMES:
		out_path(&d->out, it->path);
		put_u8(&d->out, '\n');
		break;
	case JSON:
		put_json(d, it);
		break;
	}
	d->n++;
	d->added += it->st.added;
	d->removed += it->st.removed;
}

/* Whether the two are the same as far as is known. */
static bool
same(const struct item *it)
{
	if (!it->wknown && !it->nknown)
		return true;
	/* Neither tree has it, be it by a whiteout. */
	if (it->was.type == ENT_NONE && it->now.type == ENT_NONE &&
	    it->wknown && it->nknown)
		return true;
	if (it->pent != NULL && it->pent->relinked)
		return false;
	return it->wknown && it->nknown && ent_same(&it->was, &it->now);
}

static char
letter(const struct item *it)
{
	const struct pent	 p = { .was = it->was, .now = it->now };

	if (it->wknown && it->nknown)
		return pend_letter(&p);
	if (it->wknown)
		return it->was.type == ENT_NONE ? 'A' : 'M';
	return it->now.type == ENT_NONE ? 'D' : 'M';
}

static int
one_path(struct diff *d, const char *path, struct err *e)
{
	struct item	 it = { .path = path };
	int		 rc;

	if ((rc = tree_get(&d->a, path, ENT_HASH, &it.was, &it.wknown,
	    e)) < 0)
		return rc;
	if ((rc = tree_get(&d->b, path, ENT_HASH, &it.now, &it.nknown,
	    e)) < 0)
		goto out;
	if (d->a.gen == d->b.gen)
		it.pent = tree_pending(d->b.pend != NULL ? &d->b : &d->a,
		    path);
	if (same(&it))
		goto out;
	it.letter = letter(&it);
	if (d->form == NAMES || (rc = differ(d, &it, e)) == 0)
		put_item(d, &it);
out:
	ent_free(&it.was);
	ent_free(&it.now);
	buf_free(&it.text);
	return rc;
}

static bool
asked_for(const struct diff *d, const char *path)
{
	size_t	 i;

	for (i = 0; i < d->paths.n; i++)
		if (path_within(path, d->paths.v[i]))
			return true;
	return d->paths.n == 0;
}

static int
all_paths(struct diff *d, struct err *e)
{
	struct strs	 s;
	size_t		 i;
	int		 rc;

	if ((rc = trees_paths(&d->a, &d->b, &s, e)) < 0)
		return rc;
	if (d->form == JSON)
		put_fmt(&d->out, "[");
	for (i = 0; i < s.n && rc == 0; i++)
		if (asked_for(d, s.v[i]))
			rc = one_path(d, s.v[i], e);
	if (d->form == JSON)
		put_fmt(&d->out, "]\n");
	if (d->form == STAT && d->n > 0)
		put_fmt(&d->out, "%zu path%s, %zu line%s added, %zu "
		    "removed\n", d->n, d->n == 1 ? "" : "s", d->added,
		    d->added == 1 ? "" : "s", d->removed);
	strs_free(&s);
	return rc < 0 ? rc : out_end(&d->out, d->form != JSON, e);
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
			d->o.context = v > 1000000000 ? 1000000000 :
			    (unsigned)v;
			break;
		case 'b':
			d->basedir = optarg;
			break;
		case 'n':
			d->form = NAMES;
			break;
		case 's':
			d->form = STAT;
			break;
		default:
			return -1;
		}
	return 0;
}

int
diff_running(struct cfg *c, const struct work *w, const struct pend *run,
    const struct pend *other, int root, size_t *n, struct err *e)
{
	struct diff	 d = { .c = c, .form = c->json ? JSON : TEXT,
	    .o = { .context = 3 } };
	int		 rc;

	d.o.color = c->color && !c->json;
	d.o.safe = d.o.color || (!c->json && isatty(STDOUT_FILENO));
	if ((rc = tree_open(&d.a, w->st.s, w->head, w->pers.base, e)) == 0 &&
	    (rc = tree_open(&d.b, w->st.s, w->head, w->pers.base, e)) == 0) {
		tree_run(&d.a, run, w->tree);
		tree_run(&d.b, other, root);
		rc = all_paths(&d, e);
	}
	*n = d.n;
	tree_close(&d.a);
	tree_close(&d.b);
	buf_free(&d.out);
	return rc;
}

int
cmd_diff(struct cfg *c, int argc, char **argv)
{
	struct diff	 d = { .c = c, .form = c->json ? JSON : TEXT,
	    .o = { .context = 3 } };
	struct err	 e = { 0 };
	int		 behind, i, rc;

	/* How many arguments are behind "--", before getopt moves them. */
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		;
	behind = i < argc ? argc - i - 1 : 0;
	if (options(&d, argc, argv) == -1)
		return cfg_usage(c);
	if (c->json)
		d.form = JSON;
	d.o.color = c->color && !c->json;
	d.o.safe = d.o.color || (d.form == TEXT && isatty(STDOUT_FILENO));
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
	buf_free(&d.out);
	return rc < 0 ? cfg_fail(c, &e) : d.n > 0 ? EX_NO : EX_OK;
}
