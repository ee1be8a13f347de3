/*
 * treediff.c: the difference of two states of the tree, path by path.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "cfg.h"
#include "out.h"
#include "treediff.h"

#define STAT_WIDTH	40	/* columns of + and - at most */
#define WHO_MAX		3	/* how many that changed a path are named */

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
differ(struct treediff *d, struct item *it, struct err *e)
{
	struct side	 a = { &it->was, tree_content, d->a, false, NULL };
	struct side	 b = { &it->now, tree_content, d->b, false, NULL };
	bool		 can;
	size_t		 len;
	int		 rc;

	if (it->pent != NULL)
		put_who(&it->text, it->pent);
	len = it->text.len;
	if ((rc = tree_readable(d->a, &it->was, &can, e)) < 0)
		return rc;
	a.hidden = !can;
	if ((rc = tree_readable(d->b, &it->now, &can, e)) < 0)
		return rc;
	b.hidden = !can;
	a.linked = tree_linked(d->a, &it->was);
	b.linked = tree_linked(d->b, &it->now);
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
put_bar(struct buf *b, const struct treediff *d, char c, size_t n)
{
	put_fmt(b, "%s", !d->o.color || n == 0 ? "" : c == '+' ? "\033[32m" :
	    "\033[31m");
	for (; n > 0; n--)
		put_u8(b, (uint8_t)c);
	put_fmt(b, "%s", d->o.color ? "\033[m" : "");
}

static void
put_stat(struct treediff *d, const struct item *it)
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
put_json(struct treediff *d, struct item *it)
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
put_item(struct treediff *d, struct item *it)
{
	switch (d->form) {
	case DIFF_TEXT:
		put_bytes(&d->out, it->text.p, it->text.len);
		d->out.bad = d->out.bad || it->text.bad;
		break;
	case DIFF_STAT:
		put_stat(d, it);
		break;
	case DIFF_NAMES:
		out_path(&d->out, it->path);
		put_u8(&d->out, '\n');
		break;
	case DIFF_JSON:
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
one_path(struct treediff *d, const char *path, struct err *e)
{
	struct item	 it = { .path = path };
	int		 rc;

	if ((rc = tree_get(d->a, path, ENT_HASH, &it.was, &it.wknown,
	    e)) < 0)
		return rc;
	if ((rc = tree_get(d->b, path, ENT_HASH, &it.now, &it.nknown,
	    e)) < 0)
		goto out;
	if (d->a->gen == d->b->gen)
		it.pent = tree_pending(d->b->pend != NULL ? d->b : d->a,
		    path);
	if (same(&it))
		goto out;
	it.letter = letter(&it);
	if (d->form == DIFF_NAMES || (rc = differ(d, &it, e)) == 0)
		put_item(d, &it);
out:
	ent_free(&it.was);
	ent_free(&it.now);
	buf_free(&it.text);
	return rc;
}

static bool
asked_for(const struct treediff *d, const char *path)
{
	size_t	 i;

	for (i = 0; d->paths != NULL && i < d->paths->n; i++)
		if (path_within(path, d->paths->v[i]))
			return true;
	return d->paths == NULL || d->paths->n == 0;
}

static void
put_total(struct treediff *d)
{
	put_fmt(&d->out, "%zu path%s, %zu line%s added, %zu removed\n", d->n,
	    d->n == 1 ? "" : "s", d->added, d->added == 1 ? "" : "s",
	    d->removed);
}

int
treediff(struct treediff *d, const struct strs *among, struct err *e)
{
	struct strs	 all = { NULL, 0, 0 };
	size_t		 i;
	int		 rc = 0;

	d->n = d->added = d->removed = 0;
	if (among == NULL) {
		if ((rc = trees_paths(d->a, d->b, &all, e)) < 0)
			return rc;
		among = &all;
	}
	if (d->form == DIFF_JSON)
		put_fmt(&d->out, "[");
	for (i = 0; i < among->n && rc == 0; i++)
		if (asked_for(d, among->v[i]))
			rc = one_path(d, among->v[i], e);
	if (d->form == DIFF_JSON)
		put_fmt(&d->out, "]");
	if (d->form == DIFF_STAT && d->n > 0)
		put_total(d);
	strs_free(&all);
	return rc;
}
