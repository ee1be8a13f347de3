/*
 * entdiff.c: the difference of one path, in git's extended format.
 *
 * What git has words for is a part "diff --git", which git apply and
 * patch(1) take: contents, modes, files and symbolic links that come and
 * go.  What it has none for (owners, extended attributes, hard links,
 * directories, devices) is a part of its own, "diff --cfg": both pass it
 * over, while git apply refuses a "diff --git" part in which it finds
 * nothing that it knows.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "attr.h"
#include "entdiff.h"
#include "out.h"
#include "textdiff.h"

#define BOLD	"\033[1m"
#define RED	"\033[31m"
#define GREEN	"\033[32m"
#define CYAN	"\033[36m"
#define PLAIN	"\033[m"

struct job {
	const char	*path;
	const struct entdiff_opts *o;
	struct buf	*out;
	struct entdiff_stat *st;
	struct err	*e;
};

static enum ent_type
type_of(const struct side *s)
{
	if (s->e == NULL || s->e->type == ENT_WHITEOUT)
		return ENT_NONE;
	return s->e->type;
}

static const struct kind {
	uint16_t	 fmt;		/* S_IFMT's bits, as git has them */
	char		 word[18];
} kinds[] = {
	[ENT_NONE] = { 0100000, "file" },
	[ENT_REG] = { 0100000, "file" },
	[ENT_DIR] = { 0040000, "directory" },
	[ENT_LNK] = { 0120000, "file" },
	[ENT_FIFO] = { 0010000, "fifo" },
	[ENT_CHR] = { 0020000, "character device" },
	[ENT_BLK] = { 0060000, "block device" },
	[ENT_WHITEOUT] = { 0100000, "file" },
	[ENT_SOCK] = { 0140000, "socket" },
};

static unsigned
full_mode(const struct ent *e)
{
	return kinds[e->type].fmt | (e->type == ENT_LNK ? 0 : e->mode);
}

/* "a/path", in quotes where it must be, or has a blank: both programs
 * find the ends of such names only so. */
static void
put_name(struct buf *b, const char *side, const char *path)
{
	char		*full = path_join(side, *path == '\0' ? "." : path);
	char		*vis = full == NULL ? NULL : path_vis(full);
	const char	*q;

	if (vis == NULL)
		b->bad = true;
	else {
		q = *vis != '"' && strchr(vis, ' ') != NULL ? "\"" : "";
		put_fmt(b, "%s%s%s", q, vis, q);
	}
	free(full);
	free(vis);
}

static void
put_line(const struct job *w, const char *color, const char *p, size_t n)
{
	if (w->o->color)
		put_fmt(w->out, "%s", color);
	if (w->o->safe)
		out_text(w->out, p, n);
	else
		put_bytes(w->out, p, n);
	put_fmt(w->out, "%s\n", w->o->color ? PLAIN : "");
}

/* Lines with colours and made safe: those of a head where one is given,
 * else those of "@@" parts.  The buffer is freed. */
static void
put_lines(const struct job *w, const char *color, struct buf *t)
{
	const char	*p = (const char *)t->p, *end = p + t->len, *q;

	for (; !t->bad && p < end; p = q + 1) {
		if ((q = memchr(p, '\n', (size_t)(end - p))) == NULL)
			q = end;
		put_line(w, color != NULL ? color : *p == '@' ? CYAN :
		    *p == '-' ? RED : *p == '+' ? GREEN : "", p,
		    (size_t)(q - p));
	}
	w->out->bad = w->out->bad || t->bad;
	buf_free(t);
}

/* A line of a part's head. */
static void
put_head(const struct job *w, const char *word, const char *rest)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "%s%s", word, rest);
	put_lines(w, BOLD, &b);
}

static void
put_first(const struct job *w, const char *kind)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "diff --%s ", kind);
	put_name(&b, "a", w->path);
	put_u8(&b, ' ');
	put_name(&b, "b", w->path);
	put_lines(w, BOLD, &b);
}

/* The path on this side, where it is there. */
static void
put_side(struct buf *b, const struct job *w, const char *side,
    const struct side *s)
{
	if (type_of(s) != ENT_NONE)
		put_name(b, side, w->path);
	else
		put_fmt(b, "/dev/null");
}

static void
put_label(const struct job *w, const char *mark, const char *side,
    const struct side *s)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "%s", mark);
	put_side(&b, w, side, s);
	put_lines(w, BOLD, &b);
}

static int
get_content(const struct job *w, const struct side *s, struct buf *b)
{
	int	 rc = 0;

	switch (type_of(s)) {
	case ENT_REG:
		rc = s->content(s->arg, s->e, b, w->e);
		break;
	case ENT_LNK:
		put_bytes(b, s->e->target, strlen(s->e->target));
		break;
	default:
		break;
	}
	if (rc == 0 && b->bad)
		rc = err_set(w->e, ENOMEM, "%s", w->path);
	return rc;
}

/* Labels and "@@" parts of two contents, either of which may be none. */
static int
put_contents(const struct job *w, const struct side *a,
    const struct side *b)
{
	struct buf	 ca = BUF_INIT, cb = BUF_INIT, t = BUF_INIT;
	size_t		 add = 0, del = 0;
	int		 rc;

	if ((rc = get_content(w, a, &ca)) < 0 ||
	    (rc = get_content(w, b, &cb)) < 0)
		goto out;
	if (text_binary(ca.p, ca.len) || text_binary(cb.p, cb.len)) {
		w->st->binary = true;
		put_fmt(&t, "Binary files ");
		put_side(&t, w, "a", a);
		put_fmt(&t, " and ");
		put_side(&t, w, "b", b);
		put_fmt(&t, " differ");
		put_lines(w, "", &t);
		goto out;
	}
	if ((rc = text_unified(ca.p, ca.len, cb.p, cb.len, w->o->context, &t,
	    &add, &del, w->e)) < 0)
		goto out;
	w->st->added += add;
	w->st->removed += del;
	if (t.len > 0) {
		put_label(w, "--- ", "a", a);
		put_label(w, "+++ ", "b", b);
		put_lines(w, NULL, &t);
	}
out:
	buf_free(&ca);
	buf_free(&cb);
	buf_free(&t);
	return rc;
}

static void
put_mode(const struct job *w, const char *word, const struct ent *e)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "%s %06o", word, full_mode(e));
	put_lines(w, BOLD, &b);
}

static void
put_id(struct buf *b, const struct ent *e)
{
	struct hash	 h = { { 0 } };

	if (e != NULL && e->type == ENT_REG && e->size == 0) {
		put_fmt(b, "e69de29");	/* git's: patch knows it as empty */
		return;
	}
	if (e != NULL && e->type == ENT_LNK)
		hash_mem(&h, e->target, strlen(e->target));
	else if (e != NULL)
		h = e->hash;
	put_fmt(b, "%02x%02x%02x%x", h.b[0], h.b[1], h.b[2], h.b[3] >> 4);
}

/*
 * patch(1) knows links, and contents that come or go though they are
 * empty, only by git's line with the ids of both: here the beginnings of
 * our own hashes, which neither program looks up.
 */
static void
put_index(const struct job *w, const struct ent *a, const struct ent *b)
{
	struct buf	 l = BUF_INIT;

	put_fmt(&l, "index ");
	put_id(&l, a);
	put_fmt(&l, "..");
	put_id(&l, b);
	if (a != NULL && b != NULL && full_mode(a) == full_mode(b))
		put_fmt(&l, " %06o", full_mode(a));
	put_lines(w, BOLD, &l);
}

/* ---- what git has no words for: lines, gathered first */

static void
add_owner(struct buf *l, const char *word, const struct ent *e)
{
	put_fmt(l, "%s owner %u:%u\n", word, e->uid, e->gid);
}

static void
add_kind(struct buf *l, const char *word, const struct ent *e)
{
	put_fmt(l, "%s %s", word, kinds[e->type].word);
	if (e->type == ENT_CHR || e->type == ENT_BLK)
		put_fmt(l, " %u:%u", e->major, e->minor);
	put_fmt(l, " mode %06o\n", full_mode(e));
}

static void
add_xattr(struct buf *l, const char *word, const char *name)
{
	char	*vis = path_vis(name);

	if (vis == NULL)
		l->bad = true;
	else
		put_fmt(l, "%s xattr %s\n", word, vis);
	free(vis);
}

/* Names only: two sorted lists, side by side. */
static void
add_xattrs(struct buf *l, const struct ent *a, const struct ent *b)
{
	struct rd	 ra = { NULL, 0, false }, rb = { NULL, 0, false };
	const char	*na = NULL, *nb = NULL;
	const uint8_t	*va = NULL, *vb = NULL;
	size_t		 ka = 0, kb = 0;
	bool		 ha, hb;
	int		 c;

	if (a != NULL)
		ra = (struct rd){ a->xattr, a->xattrlen, false };
	if (b != NULL)
		rb = (struct rd){ b->xattr, b->xattrlen, false };
	ha = attr_next(&ra, &na, &va, &ka);
	hb = attr_next(&rb, &nb, &vb, &kb);
	while (ha || hb) {
		c = !ha ? 1 : !hb ? -1 : strcmp(na, nb);
		if (c < 0)
			add_xattr(l, "deleted", na);
		else if (c > 0)
			add_xattr(l, "new", nb);
		else if (ka != kb || (ka > 0 && memcmp(va, vb, ka) != 0))
			add_xattr(l, "changed", na);
		if (c <= 0)
			ha = attr_next(&ra, &na, &va, &ka);
		if (c >= 0)
			hb = attr_next(&rb, &nb, &vb, &kb);
	}
}

static void
add_link(struct buf *l, const char *word, const char *side,
    const char *linked)
{
	put_fmt(l, "%s hard link ", word);
	if (linked == NULL)
		put_fmt(l, "none");
	else
		put_name(l, side, linked);
	put_u8(l, '\n');
}

static void
add_links(struct buf *l, const struct side *a, const struct side *b)
{
	if (a->linked == NULL && b->linked == NULL)
		return;
	if (a->linked != NULL && b->linked != NULL &&
	    strcmp(a->linked, b->linked) == 0)
		return;
	if (type_of(a) != ENT_NONE)
		add_link(l, "old", "a", a->linked);
	if (type_of(b) != ENT_NONE)
		add_link(l, "new", "b", b->linked);
}

/* The lines as a part, where there are any. */
static void
put_cfg_part(const struct job *w, struct buf *l)
{
	if (l->len > 0)
		put_first(w, "cfg");
	put_lines(w, BOLD, l);
}

static bool
has_content(enum ent_type t)
{
	return t == ENT_REG || t == ENT_LNK;
}

/* One side alone: what came, or what went. */
static int
one_side(const struct job *w, const struct side *s, bool came)
{
	static const struct ent	 no = { .type = ENT_NONE };
	const struct side	 none = { .e = &no };
	const enum ent_type	 t = type_of(s);
	const char		*word = came ? "new" : "deleted";
	struct buf		 l = BUF_INIT;

	if (t == ENT_NONE)
		return 0;
	if (!has_content(t))
		add_kind(&l, word, s->e);
	if (came && (s->e->uid != 0 || s->e->gid != 0))
		add_owner(&l, word, s->e);
	if (came) {
		add_xattrs(&l, NULL, s->e);
		add_links(&l, &none, s);
	}
	put_cfg_part(w, &l);
	if (!has_content(t))
		return 0;
	put_first(w, "git");
	put_mode(w, came ? "new file mode" : "deleted file mode", s->e);
	put_index(w, came ? NULL : s->e, came ? s->e : NULL);
	return came ? put_contents(w, &none, s) : put_contents(w, s, &none);
}

/* Whether what is in them differs: content, target. */
static bool
content_differs(const struct ent *a, const struct ent *b)
{
	if (a->type == ENT_LNK)
		return strcmp(a->target, b->target) != 0;
	return a->type == ENT_REG && (a->size != b->size ||
	    memcmp(&a->hash, &b->hash, sizeof(a->hash)) != 0);
}

/* Both are there, and of one type. */
static int
both_sides(const struct job *w, const struct side *a, const struct side *b)
{
	const struct ent	*x = a->e, *y = b->e;
	const bool		 mode = x->mode != y->mode &&
	    x->type != ENT_LNK;
	struct buf		 l = BUF_INIT;

	if (x->uid != y->uid || x->gid != y->gid) {
		add_owner(&l, "old", x);
		add_owner(&l, "new", y);
	}
	if ((x->type == ENT_CHR || x->type == ENT_BLK) &&
	    (x->major != y->major || x->minor != y->minor)) {
		add_kind(&l, "old", x);
		add_kind(&l, "new", y);
	} else if (mode && !has_content(x->type)) {
		put_fmt(&l, "old mode %06o\nnew mode %06o\n", full_mode(x),
		    full_mode(y));
	}
	add_xattrs(&l, x, y);
	add_links(&l, a, b);
	put_cfg_part(w, &l);
	if (!has_content(x->type) || (!mode && !content_differs(x, y)))
		return 0;
	put_first(w, "git");
	if (mode) {
		put_mode(w, "old mode", x);
		put_mode(w, "new mode", y);
	}
	if (!content_differs(x, y))
		return 0;
	put_index(w, x, y);
	return put_contents(w, a, b);
}

int
entdiff(const char *path, const struct side *a, const struct side *b,
    const struct entdiff_opts *o, struct buf *out, struct entdiff_stat *st,
    struct err *e)
{
	const struct job	 w = { path, o, out, st, e };
	int			 rc;

	memset(st, 0, sizeof(*st));
	if (type_of(a) == ENT_NONE && type_of(b) == ENT_NONE)
		return 0;
	if (a->hidden || b->hidden) {
		put_first(&w, "cfg");
		put_head(&w, "content hidden: ", "permission denied");
		rc = 0;
	} else if (type_of(a) == type_of(b))
		rc = both_sides(&w, a, b);
	else if ((rc = one_side(&w, a, false)) == 0)
		rc = one_side(&w, b, true);
	if (rc == 0 && out->bad)
		rc = err_set(e, ENOMEM, "%s", path);
	return rc;
}

static bool
in_group(gid_t gid)
{
	gid_t	*g;
	int	 n, i;
	bool	 in = getegid() == gid;

	if (in || (n = getgroups(0, NULL)) <= 0 ||
	    (g = calloc((size_t)n, sizeof(*g))) == NULL)
		return in;
	n = getgroups(n, g);
	for (i = 0; i < n && !in; i++)
		in = g[i] == gid;
	free(g);
	return in;
}

static bool
has_acl(const struct ent *e)
{
	struct rd	 r = { e->xattr, e->xattrlen, false };
	const char	*name;
	const uint8_t	*val;
	size_t		 n;

	while (attr_next(&r, &name, &val, &n))
		if (strcmp(name, "system.posix_acl_access") == 0)
			return true;
	return false;
}

/* Whether the class that this user is in has the bit (4 read, 1 search). */
static bool
may(const struct ent *e, unsigned bit)
{
	if (geteuid() == e->uid)
		return (e->mode >> 6 & bit) != 0;
	/* A list may take away what the bits seem to give. */
	if (has_acl(e))
		return false;
	if (in_group(e->gid))
		return (e->mode >> 3 & bit) != 0;
	return (e->mode & bit) != 0;
}

bool
entdiff_readable(const struct ent *e, const struct ent *dirs, size_t ndirs)
{
	size_t	 i;

	if (geteuid() == 0)
		return true;
	for (i = 0; i < ndirs; i++)
		if (dirs[i].type == ENT_DIR && !may(&dirs[i], 1))
			return false;
	return e->type == ENT_NONE || e->type == ENT_WHITEOUT ||
	    e->type == ENT_LNK || may(e, 4);
}
