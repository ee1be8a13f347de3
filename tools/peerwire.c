/*
 * peerwire.c: what is in the frames between two boxes of a pair.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "attr.h"
#include "peerwire.h"

#define MAGIC		"cfgfs peer"
#define MAGIC_LEN	10
#define TEXT_MOST	4096		/* bytes of a message */
#define TARGET_MOST	4095
#define XATTR_MOST	(1u << 20)
#define TRIAL_MOST	3600

/* ---- texts */

char *
line_of(const void *p, size_t n)
{
	char	*s = strndup(p == NULL ? "" : p, n), *c;

	for (c = s; c != NULL && *c != '\0'; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return s;
}

static void
put_text(struct buf *b, const char *s)
{
	size_t	 n = s == NULL ? 0 : strlen(s);

	if (n > TEXT_MOST)
		n = TEXT_MOST;
	put_var(b, n);
	put_bytes(b, s, n);
}

static char *
get_text(struct rd *r)
{
	size_t		 n = rd_len(r, TEXT_MOST);
	const uint8_t	*p = rd_bytes(r, n);

	return r->bad ? NULL : line_of(p, n);
}

/* ---- hello */

void
hello_put(struct buf *b, const struct peer_hello *h, bool peer)
{
	put_bytes(b, MAGIC, MAGIC_LEN);
	put_le16(b, PEER_VERSION);
	put_le64(b, h->id);
	if (!peer)
		return;
	put_le64(b, h->head);
	put_le64(b, h->mine);
	put_le64(b, h->yours);
}

int
hello_get(struct rd *r, struct peer_hello *h, bool peer, struct err *e)
{
	const uint8_t	*m = rd_bytes(r, MAGIC_LEN);
	unsigned	 version = rd_le16(r);

	memset(h, 0, sizeof(*h));
	if (r->bad || memcmp(m, MAGIC, MAGIC_LEN) != 0)
		return err_setx(e, EPROTO, "it is not cfgfs that answers "
		    "there");
	if (version != PEER_VERSION)
		return err_setx(e, EPROTO, "it speaks version %u, and this "
		    "is %u", version, PEER_VERSION);
	h->id = rd_le64(r);
	if (peer) {
		h->head = rd_le64(r);
		h->mine = rd_le64(r);
		h->yours = rd_le64(r);
	}
	if (r->bad || r->n != 0 || h->id == 0 || h->mine > h->head)
		return err_setx(e, EPROTO, "a hello that is none");
	return 0;
}

/* ---- an offer */

/* Whether its content is with an earlier one of these. */
static bool
is_later(const struct commit *c, size_t at)
{
	size_t	 i;

	if (c->v[at].e.link == 0)
		return false;
	for (i = 0; i < at; i++)
		if (c->v[i].op == CHANGE_SET &&
		    c->v[i].e.link == c->v[at].e.link)
			return true;
	return false;
}

static void
put_entry(struct buf *b, const struct change *x, bool later)
{
	const struct ent	*e = &x->e;

	put_u8(b, (uint8_t)e->type);
	put_le32(b, e->mode);
	put_le32(b, e->uid);
	put_le32(b, e->gid);
	put_le64(b, (uint64_t)e->mtime);
	put_le32(b, e->mtime_ns);
	put_le32(b, e->major);
	put_le32(b, e->minor);
	put_le32(b, e->link);
	put_var(b, e->target == NULL ? 0 : strlen(e->target));
	put_bytes(b, e->target, e->target == NULL ? 0 : strlen(e->target));
	put_var(b, e->xattrlen);
	put_bytes(b, e->xattr, e->xattrlen);
	put_var(b, later ? 0 : x->data.len);
	put_bytes(b, x->data.p, later ? 0 : x->data.len);
}

void
offer_put(struct buf *b, const struct offer *o)
{
	const struct change	*x;
	size_t			 i, n;

	put_le64(b, o->id);
	put_le64(b, o->gen);
	put_le64(b, o->ours);
	put_le64(b, o->theirs);
	put_le32(b, o->flags);
	put_le32(b, o->trial);
	put_text(b, o->from);
	put_text(b, o->msg);
	put_var(b, o->c.n);
	for (i = 0; i < o->c.n; i++) {
		x = &o->c.v[i];
		n = strlen(x->e.path);
		put_u8(b, (uint8_t)x->op);
		put_var(b, n);
		put_bytes(b, x->e.path, n);
		if (x->op == CHANGE_SET)
			put_entry(b, x, is_later(&o->c, i));
	}
}

static bool
xattr_ok(const struct ent *e)
{
	struct rd	 r = { e->xattr, e->xattrlen, false };
	const char	*name, *last = NULL;
	const uint8_t	*v;
	size_t		 n;

	while (attr_next(&r, &name, &v, &n)) {
		if (*name == '\0' || (last != NULL && strcmp(last, name) >= 0))
			return false;
		last = name;
	}
	return !r.bad;
}

/* Bytes behind their length, a NUL behind them, or NULL where there are none;
 * *rc is set where that fails. */
static void *
get_bytes(struct rd *r, size_t max, size_t *len, int *rc)
{
	size_t		 n = rd_len(r, max);
	const uint8_t	*p = rd_bytes(r, n);
	uint8_t		*s = NULL;

	*len = 0;
	if (*rc == 0 && r->bad)
		*rc = -EBADMSG;
	if (*rc < 0 || n == 0)
		return NULL;
	if ((s = malloc(n + 1)) == NULL) {
		*rc = -ENOMEM;
		return NULL;
	}
	memcpy(s, p, n);
	s[n] = '\0';
	*len = n;
	return s;
}

static bool
entry_ok(const struct change *x, size_t target)
{
	const struct ent	*e = &x->e;
	const bool		 dev = e->type == ENT_CHR || e->type == ENT_BLK;

	if (e->type < ENT_REG || e->type > ENT_WHITEOUT ||
	    (e->mode & ~07777u) != 0 || e->mtime_ns >= 1000000000)
		return false;
	if ((e->type == ENT_LNK) != (target > 0) ||
	    (target > 0 && strlen(e->target) != target))
		return false;
	if ((x->data.len > 0 && e->type != ENT_REG) || !xattr_ok(e))
		return false;
	if (e->link != 0 && (e->type == ENT_DIR || e->type == ENT_WHITEOUT))
		return false;
	return dev || (e->major == 0 && e->minor == 0);
}

static int
get_entry(struct rd *r, struct change *x)
{
	struct ent	*e = &x->e;
	size_t		 target = 0;
	int		 rc = 0;

	e->type = rd_u8(r);
	e->mode = rd_le32(r);
	e->uid = rd_le32(r);
	e->gid = rd_le32(r);
	e->mtime = (int64_t)rd_le64(r);
	e->mtime_ns = rd_le32(r);
	e->major = rd_le32(r);
	e->minor = rd_le32(r);
	e->link = rd_le32(r);
	e->target = get_bytes(r, TARGET_MOST, &target, &rc);
	e->xattr = get_bytes(r, XATTR_MOST, &e->xattrlen, &rc);
	x->data.p = get_bytes(r, PEER_TOTAL, &x->data.len, &rc);
	x->data.cap = x->data.len;
	if (rc < 0)
		return rc;
	if (!entry_ok(x, target))
		return -EBADMSG;
	if (e->type == ENT_REG) {
		e->size = x->data.len;
		hash_mem(&e->hash, x->data.p, x->data.len);
	}
	return 0;
}

/* What is of a hard link has the content of its first name. */
static int
join(struct commit *c)
{
	struct ent	*a, *b;
	size_t		 i, k;

	for (i = 0; i < c->n; i++) {
		a = &c->v[i].e;
		for (k = 0; a->link != 0 && k < i; k++) {
			b = &c->v[k].e;
			if (b->link != a->link)
				continue;
			if (b->type != a->type || c->v[i].data.len > 0)
				return -EBADMSG;
			a->size = b->size;
			a->hash = b->hash;
			if (!ent_same(a, b))
				return -EBADMSG;
			break;
		}
	}
	return 0;
}

/* The change of the path that is the first n bytes of this one, or NULL. */
static const struct change *
find(const struct commit *c, const char *path, size_t n)
{
	size_t	 lo = 0, hi = c->n, mid;
	char	*s = strndup(path, n);

	while (s != NULL && lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(c->v[mid].e.path, s) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	hi = s != NULL && lo < c->n && strcmp(c->v[lo].e.path, s) == 0;
	free(s);
	return hi ? &c->v[lo] : NULL;
}

/* In order, each once, and nothing below what is no directory. */
static bool
place_ok(const struct commit *c, const char *path, enum change_op op)
{
	const struct change	*x;
	const char		*p;

	if (c->n > 0 && path_cmp(c->v[c->n - 1].e.path, path) >= 0)
		return false;
	for (p = path; op == CHANGE_SET && (p = strchr(p, '/')) != NULL; p++)
		if ((x = find(c, path, (size_t)(p - path))) != NULL &&
		    x->op == CHANGE_SET && x->e.type != ENT_DIR)
			return false;
	return true;
}

static int
get_change(struct rd *r, struct commit *c, size_t *total)
{
	struct change	*x = &c->v[c->n];
	size_t		 n;
	int		 rc = 0;

	x->op = rd_u8(r);
	x->e.path = get_bytes(r, PATH_LIMIT, &n, &rc);
	if (rc < 0)
		return rc;
	if (n == 0 || strlen(x->e.path) != n || !path_ok(x->e.path, n) ||
	    !place_ok(c, x->e.path, x->op))
		rc = -EBADMSG;
	else if (x->op == CHANGE_SET)
		rc = get_entry(r, x);
	else if (x->op != CHANGE_DROP)
		rc = -EBADMSG;
	*total += x->data.len;
	c->n++;				/* to be freed, whatever it is */
	return rc == 0 && *total > PEER_TOTAL ? -EBADMSG : rc;
}

int
offer_get(struct rd *r, struct offer *o, struct err *e)
{
	size_t	 n, cap = 0, total = 0;
	int	 rc = 0;

	memset(o, 0, sizeof(*o));
	o->id = rd_le64(r);
	o->gen = rd_le64(r);
	o->ours = rd_le64(r);
	o->theirs = rd_le64(r);
	o->flags = rd_le32(r);
	o->trial = rd_le32(r);
	o->from = get_text(r);
	o->msg = get_text(r);
	n = rd_len(r, PEER_PATHS);
	if (r->bad || o->from == NULL || o->msg == NULL || o->id == 0 ||
	    o->gen == 0 || o->ours > o->gen || o->trial == 0 ||
	    o->trial > TRIAL_MOST)
		rc = -EBADMSG;
	while (rc == 0 && o->c.n < n) {
		if (more_room(&o->c.v, o->c.n, &cap, sizeof(*o->c.v)) < 0)
			rc = -ENOMEM;
		else {
			memset(&o->c.v[o->c.n], 0, sizeof(*o->c.v));
			rc = get_change(r, &o->c, &total);
		}
	}
	if (rc == 0 && (r->bad || r->n != 0))
		rc = -EBADMSG;
	if (rc == 0)
		rc = join(&o->c);
	if (rc < 0)
		offer_free(o);
	return rc < 0 ? err_set(e, -rc, "an offer") : 0;
}

void
offer_free(struct offer *o)
{
	free(o->from);
	free(o->msg);
	commit_free(&o->c);
	memset(o, 0, sizeof(*o));
}

/* ---- a refusal */

void
refused_add(struct refused *f, const char *path)
{
	f->n++;
	/* The number counts them all, should memory be short. */
	if (f->paths.n < PEER_NAMED)
		(void)strs_put(&f->paths, strdup(path));
}

void
refused_put(struct buf *b, const struct refused *f)
{
	size_t	 i, n;

	put_u8(b, (uint8_t)f->why);
	put_le64(b, f->gen);
	put_le32(b, f->n);
	put_var(b, f->paths.n);
	for (i = 0; i < f->paths.n; i++) {
		n = strlen(f->paths.v[i]);
		put_var(b, n);
		put_bytes(b, f->paths.v[i], n);
	}
	put_text(b, f->line);
}

int
refused_get(struct rd *r, struct refused *f, struct err *e)
{
	char	*s;
	size_t	 i, k, n;
	int	 rc = 0;

	memset(f, 0, sizeof(*f));
	f->why = rd_u8(r);
	f->gen = rd_le64(r);
	f->n = rd_le32(r);
	n = rd_len(r, PEER_NAMED);
	for (i = 0; rc == 0 && i < n; i++) {
		s = get_bytes(r, PATH_LIMIT, &k, &rc);
		if (s != NULL && strlen(s) == k && path_ok(s, k))
			rc = strs_put(&f->paths, s);
		else {
			free(s);
			rc = rc < 0 ? rc : -EBADMSG;
		}
	}
	f->line = get_text(r);
	if (rc == 0 && (r->bad || r->n != 0 || f->line == NULL ||
	    f->why < REFUSE_PAIR || f->why > REFUSE_OTHER))
		rc = -EBADMSG;
	if (rc < 0) {
		refused_free(f);
		return err_set(e, -rc, "a refusal");
	}
	return 0;
}

void
refused_free(struct refused *f)
{
	strs_free(&f->paths);
	free(f->line);
	memset(f, 0, sizeof(*f));
}
