/*
 * cmd-blame.c: cfg blame: with which generation each line of a file came,
 * who committed that, and who changed the file.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "blame.h"
#include "cfg.h"
#include "hist.h"
#include "lease.h"
#include "out.h"
#include "trees.h"
#include "work.h"

#define DATE	10		/* bytes of "2026-11-25" */

enum from { BASE, OLDER, COMMIT, PENDING };

struct origin {			/* what brought a version */
	enum from	 from;	/* OLDER: gen, or one that is not kept */
	uint64_t	 gen;
	int64_t		 time;	/* ns since 1970; 0: not known */
	char		*user;	/* who committed, or NULL; owned */
	uint32_t	 uid;	/* who changed the path with `comm` */
	char		 comm[JRN_COMM];	/* "": not known */
};

struct job {
	struct cfg	*c;
	char		*path;
	char		*vis;		/* the path, printable */
	struct blame	 b;
	struct origin	*v;		/* by number of the version */
	size_t		 n, cap;
	bool		 unread;	/* the last version could not be read */
};

/* The content of what a tree has at the path; nothing where that is no
 * regular file, or is not at hand. */
static int
content(const struct pers *p, const char *path, struct buf *b,
    struct err *e)
{
	struct ent	 x;
	bool		 known;
	int		 rc;

	if ((rc = pers_know(p, path, 0, &x, &known, e)) < 0)
		return rc;
	if (x.type == ENT_REG)
		rc = pers_content(p, &x, pers_over(p, path) == NULL, b, e);
	ent_free(&x);
	return rc;
}

/* The next version is o's; what o owns changes hands. */
static int
version(struct job *j, struct origin *o, struct buf *text, struct err *e)
{
	if (more_room(&j->v, j->n, &j->cap, sizeof(*j->v)) < 0) {
		free(o->user);
		return err_set(e, ENOMEM, "%s", j->vis);
	}
	j->v[j->n++] = *o;
	return blame_add(&j->b, text, j->n - 1, e);
}

/* What the base has: none of its lines came with a commit. */
static int
from_base(struct job *j, const struct pers *p, struct err *e)
{
	struct origin	 o = { .from = BASE };
	struct buf	 text = BUF_INIT;
	int		 rc;

	blame_free(&j->b);
	if ((rc = content(p, j->path, &text, e)) == 0)
		rc = version(j, &o, &text, e);
	buf_free(&text);
	return rc;
}

/* The change of this generation that concerns the path, or NULL. */
static const struct change *
touched(const struct job *j, const struct hist *h)
{
	size_t	 i;

	for (i = h->rec.n; i-- > 0;)
		if (path_within(j->path, h->rec.v[i].e.path))
			return &h->rec.v[i];
	return NULL;
}

static int
made_by(const struct hist *h, const struct change *ch, bool older,
    struct origin *o, struct err *e)
{
	struct buf	 b = BUF_INIT;

	memset(o, 0, sizeof(*o));
	o->from = older ? OLDER : COMMIT;
	o->gen = h->gen;
	if (!h->kept || ch == NULL)
		return 0;
	o->time = h->rec.time;
	o->uid = ch->uid;
	memcpy(o->comm, ch->comm, sizeof(o->comm) - 1);
	hist_user(h, &b);
	put_u8(&b, '\0');
	if (b.bad)
		return err_set(e, ENOMEM, "history");
	o->user = (char *)b.p;
	return 0;
}

/* One generation; `first` of those that are kept. */
static int
generation(struct job *j, const struct hist *h, bool first, struct err *e)
{
	const struct change	*ch = touched(j, h);
	struct buf		 text = BUF_INIT;
	struct origin		 o;
	int			 rc;

	if (h->kept && ch == NULL && !first)
		return 0;
	if (pers_over(&h->after, j->path) == NULL) {
		j->unread = false;
		return from_base(j, &h->after, e);
	}
	rc = content(&h->after, j->path, &text, e);
	j->unread = rc == -EBADMSG || rc == -ENOENT;
	if (j->unread) {
		/* Its lines then count as those of the version behind. */
		cfg_warn(j->c, "%s", e->msg);
		rc = 0;
	} else if (rc == 0 && (rc = made_by(h, ch, first && h->gen > 1, &o,
	    e)) == 0)
		rc = version(j, &o, &text, e);
	buf_free(&text);
	return rc;
}

static int
history(struct job *j, struct store *s, int base, struct err *e)
{
	const struct ents	 none = { NULL, 0, 0 };
	const struct pers	 p = { base, &none, s, NULL };
	struct hist		 h;
	uint64_t		 first;
	int			 rc;

	if ((rc = hist_open(&h, s, 1, base, e)) < 0 ||
	    (rc = hist_ahead(&h, e)) < 0 || (rc = from_base(j, &p, e)) < 0)
		goto out;
	first = h.gen + 1;
	while ((rc = hist_next(&h, e)) == 1)
		if ((rc = generation(j, &h, h.gen == first, e)) < 0)
			break;
	if (rc == 0 && j->unread)
		rc = err_setx(e, EBADMSG, "%s: its newest version can't be "
		    "read", j->vis);
out:
	hist_close(&h);
	return rc;
}

/* What is running, where that differs. */
static int
pending(struct job *j, struct tree *t, struct err *e)
{
	const struct pent	*p = tree_pending(t, j->path);
	struct origin		 o = { .from = PENDING };
	struct buf		 text = BUF_INIT;
	const struct who	*w;
	int			 rc;

	if (p == NULL || p->now.type != ENT_REG)
		return 0;
	if (p->nwho > 0) {
		w = &p->who[p->nwho - 1];
		o.time = w->time;
		o.uid = w->uid;
		memcpy(o.comm, w->comm, sizeof(o.comm));
	}
	if ((rc = tree_content(t, &p->now, &text, e)) == 0)
		rc = version(j, &o, &text, e);
	buf_free(&text);
	return rc;
}

/* Whether there is a text, and one for this user to see. */
static int
check(const struct job *j, const struct tree *t, struct err *e)
{
	struct ent	 x;
	bool		 known, can = true;
	int		 rc;

	if ((rc = tree_get(t, j->path, 0, &x, &known, e)) < 0)
		return rc;
	if (!known)
		rc = err_setx(e, ENOENT, "%s: the store does not have it; "
		    "whether the base has, --base tells", j->vis);
	else if (x.type == ENT_NONE || x.type == ENT_WHITEOUT)
		rc = err_set(e, ENOENT, "%s", j->vis);
	else if (x.type != ENT_REG)
		rc = err_setx(e, EINVAL, "%s: not a regular file", j->vis);
	else if ((rc = tree_readable(t, &x, &can, e)) == 0 && !can)
		rc = err_set(e, EACCES, "%s", j->vis);
	ent_free(&x);
	return rc;
}

static void
put_label(struct buf *b, const struct origin *o)
{
	switch (o->from) {
	case BASE:
		put_fmt(b, "base");
		break;
	case OLDER:
		put_fmt(b, "<=@%llu", (unsigned long long)o->gen);
		break;
	case COMMIT:
		put_fmt(b, "@%llu", (unsigned long long)o->gen);
		break;
	case PENDING:
		put_fmt(b, "pending");
		break;
	}
}

/* "alice/vi(root)": who committed what who made with which program. */
static void
put_who(struct buf *b, const struct origin *o)
{
	if (o->user != NULL)
		put_fmt(b, "%s", o->user);
	if (*o->comm == '\0')
		return;
	put_fmt(b, "%s", o->user == NULL ? "" : "/");
	out_text(b, o->comm, strlen(o->comm));
	put_fmt(b, "(%s)", cfg_user(o->uid));
}

static void
pad(struct buf *b, size_t from, size_t width)
{
	while (b->len - from < width)
		put_u8(b, ' ');
}

/* What stands before the lines of one version, `w` being the widths of its
 * label and of who; they are widened where out is NULL. */
static void
put_origin(struct buf *out, const struct origin *o, size_t *w)
{
	struct buf	 b = BUF_INIT;
	size_t		 at;

	put_label(&b, o);
	if (out == NULL && b.len > w[0])
		w[0] = b.len;
	pad(&b, 0, w[0] + 2);
	at = b.len;
	if (o->time != 0)
		out_time(&b, o->time);
	b.len = b.len > at + DATE ? at + DATE : b.len;
	pad(&b, at, DATE + 1);
	at = b.len;
	put_who(&b, o);
	if (out == NULL && b.len - at > w[1])
		w[1] = b.len - at;
	pad(&b, at, w[1]);
	if (out != NULL) {
		put_bytes(out, b.p, b.len);
		out->bad = out->bad || b.bad;
	}
	buf_free(&b);
}

static void
put_json(struct buf *out, const struct origin *o, size_t line,
    const char *text, size_t n)
{
	static const char *const	 from[] = { [BASE] = "base",
	    [OLDER] = "older", [COMMIT] = "commit", [PENDING] = "pending" };
	char				*s = strndup(text, n);

	put_fmt(out, "%s{\"line\": %zu, \"from\": \"%s\"", line > 1 ?
	    ",\n " : "", line, from[o->from]);
	if (o->gen > 0)
		put_fmt(out, ", \"generation\": %llu",
		    (unsigned long long)o->gen);
	if (o->time != 0)
		put_fmt(out, ", \"time_ns\": %lld", (long long)o->time);
	if (o->user != NULL) {
		put_fmt(out, ", \"user\": ");
		json_str(out, o->user);
	}
	if (*o->comm != '\0') {
		put_fmt(out, ", \"program\": ");
		json_str(out, o->comm);
		put_fmt(out, ", \"by\": ");
		json_str(out, cfg_user(o->uid));
	}
	put_fmt(out, ", ");
	if (s == NULL)
		out->bad = true;
	else
		json_name(out, "text", s);
	free(s);
	put_u8(out, '}');
}

static void
put_text(const struct job *j, struct buf *out, const struct origin *o,
    size_t *w, const char *text, size_t n)
{
	put_origin(out, o, w);
	put_fmt(out, " | ");
	if (j->c->color || isatty(STDOUT_FILENO))
		out_text(out, text, n);
	else
		put_bytes(out, text, n);
	put_u8(out, '\n');
}

static int
show(const struct job *j, struct err *e)
{
	const struct blame	*b = &j->b;
	const char		*p = (const char *)b->text.p, *end, *q;
	struct buf		 out = BUF_INIT;
	size_t			 w[2] = { 0, 0 }, i;

	if (b->text.len > 0 && memchr(p, '\0', b->text.len) != NULL)
		return err_setx(e, EINVAL, "%s: binary", j->vis);
	for (i = 0; i < b->n; i++)
		put_origin(NULL, &j->v[b->by[i]], w);
	put_fmt(&out, "%s", j->c->json ? "[" : "");
	end = p + b->text.len;
	for (i = 0; i < b->n; i++, p = q + 1) {
		if ((q = memchr(p, '\n', (size_t)(end - p))) == NULL)
			q = end;
		if (j->c->json)
			put_json(&out, &j->v[b->by[i]], i + 1, p,
			    (size_t)(q - p));
		else
			put_text(j, &out, &j->v[b->by[i]], w, p,
			    (size_t)(q - p));
	}
	put_fmt(&out, "%s", j->c->json ? "]\n" : "");
	return out_end(&out, !j->c->json, e);
}

static int
of_store(struct job *j, const char *basedir, struct err *e)
{
	struct cfg_store	 st = { 0 };
	struct tree		 t = { 0 };
	int			 base = -1, rc;

	if ((rc = cfg_read(j->c, &st, e)) == 0 &&
	    (rc = cfg_base(j->c, basedir, &base, e)) == 0 &&
	    (rc = tree_open(&t, st.s, store_head(st.s), base, e)) == 0 &&
	    (rc = check(j, &t, e)) == 0 &&
	    (rc = history(j, st.s, base, e)) == 0)
		rc = show(j, e);
	tree_close(&t);
	return cfg_end(&st, base, rc, e);
}

/* The file that is running: where it differs from the head's, the lines
 * that came last are pending. */
static int
of_running(struct job *j, struct err *e)
{
	struct work	 w;
	struct pend	 p = { 0 };
	struct tree	 t;
	int		 rc;

	if ((rc = work_open(&w, j->c, e)) < 0)
		return rc;
	lease_try_settle(&w, j->c);
	if ((rc = work_find(&w, UINT64_MAX, &p, e)) == 0) {
		tree_over(&t, &w.pers);
		tree_run(&t, &p, w.tree);
		if ((rc = check(j, &t, e)) == 0 &&
		    (rc = history(j, w.st.s, w.pers.base, e)) == 0 &&
		    (rc = pending(j, &t, e)) == 0)
			rc = show(j, e);
	}
	pend_free(&p);
	work_close(&w);
	return rc;
}

int
cmd_blame(struct cfg *c, int argc, char **argv)
{
	struct job	 j = { .c = c };
	struct err	 e = { 0, "" };
	const char	*basedir = NULL;
	size_t		 i;
	int		 ch, rc = 0;

	while ((ch = getopt_long(argc, argv, "", cfg_base_opt,
	    NULL)) != -1) {
		if (ch != 'b')
			return cfg_usage(c);
		basedir = optarg;
	}
	if (argc - optind != 1 || (basedir != NULL && c->storepath == NULL))
		return cfg_usage(c);
	if (c->storepath == NULL)
		rc = cfg_inst(c, &e);
	if (rc == 0 && (rc = cfg_path(c, argv[optind], &j.path, &e)) == 0 &&
	    (j.vis = path_vis(j.path)) == NULL)
		rc = err_set(&e, ENOMEM, "blame");
	if (rc == 0)
		rc = c->storepath != NULL ? of_store(&j, basedir, &e) :
		    of_running(&j, &e);
	for (i = 0; i < j.n; i++)
		free(j.v[i].user);
	free(j.v);
	blame_free(&j.b);
	free(j.path);
	free(j.vis);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
