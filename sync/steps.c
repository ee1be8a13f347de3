/*
 * steps.c: from changes to the steps of a record.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "steps.h"

static int
nomem(const struct store *s, struct err *e)
{
	return err_set(e, ENOMEM, "%s", s->io->name);
}

static struct item *
room(struct items *l)
{
	struct item	*v;
	size_t		 cap;

	if (l->n == l->cap) {
		cap = l->cap == 0 ? 32 : l->cap * 2;
		if ((v = realloc(l->v, cap * sizeof(*v))) == NULL)
			return NULL;
		l->v = v;
		l->cap = cap;
	}
	v = &l->v[l->n];
	memset(v, 0, sizeof(*v));
	v->comm = "";
	v->nr = l->n++;
	return v;
}

struct item *
items_set(struct items *l, struct ent *e)
{
	struct item	*it = room(l);

	if (it == NULL) {
		ent_free(e);
		return NULL;
	}
	it->op = CHANGE_SET;
	it->e = *e;
	memset(e, 0, sizeof(*e));
	return it;
}

int
items_drop(struct items *l, const char *path)
{
	struct item	*it;
	char		*p = strdup(path);

	if (p == NULL || (it = room(l)) == NULL) {
		free(p);
		return -ENOMEM;
	}
	it->op = CHANGE_DROP;
	it->e.path = p;
	return 0;
}

int
items_clear(struct items *l, const struct ents *ov, enum hid kind)
{
	size_t	 i;
	int	 rc = 0;

	for (i = hid_from(ov, kind); rc == 0 && i < ov->n &&
	    hid_kind(ov->v[i].path) == kind; i++)
		rc = items_drop(l, ov->v[i].path);
	return rc;
}

void
items_cut(struct items *l, size_t n)
{
	size_t	 i, k = 0;

	/* They may have been sorted since. */
	for (i = 0; i < l->n; i++)
		if (l->v[i].nr >= n)
			ent_free(&l->v[i].e);
		else
			l->v[k++] = l->v[i];
	l->n = k;
}

void
items_free(struct items *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		ent_free(&l->v[i].e);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

/* The entry as it is stored: what its type has no use for is zero. */
static void
canonical(struct ent *e)
{
	e->loc = 0;
	if (e->type != ENT_REG) {
		e->size = 0;
		memset(&e->hash, 0, sizeof(e->hash));
	}
	if (e->type != ENT_LNK) {
		free(e->target);
		e->target = NULL;
	}
	if (e->type != ENT_CHR && e->type != ENT_BLK)
		e->major = e->minor = 0;
	if (e->xattrlen == 0) {
		free(e->xattr);
		e->xattr = NULL;
	}
	if (e->type == ENT_WHITEOUT) {
		free(e->xattr);
		e->xattr = NULL;
		e->xattrlen = 0;
		e->mode = e->uid = e->gid = e->mtime_ns = e->link = 0;
		e->mtime = 0;
	}
}

static bool
same_content(const struct ent *a, const struct ent *b)
{
	return a->type == ENT_REG && a->size == b->size &&
	    memcmp(a->hash.b, b->hash.b, HASH_LEN) == 0;
}

/* ---- a commit's changes */

/* A content must be what the entry says. */
static int
check_data(const struct change *c, struct item *it, struct err *e)
{
	struct hash	 h;

	if (c->e.type != ENT_REG)
		return 0;
	it->find = c->data.len == 0 && c->e.size > 0;
	if (it->find)
		return 0;
	hash_mem(&h, c->data.len == 0 ? (const void *)"" : c->data.p,
	    c->data.len);
	if (c->data.len != c->e.size ||
	    memcmp(h.b, c->e.hash.b, HASH_LEN) != 0)
		return err_setx(e, EINVAL, "%s: content of another size or "
		    "hash than its entry", c->e.path);
	it->src.given = &c->data;
	return 0;
}

/* What the base has there, with its content where that is given. */
static int
add_base(struct store *s, struct items *l, const struct change *c,
    struct err *e)
{
	const struct ent	*known;
	struct item		*it;
	struct hash		 h;
	struct ent		 b;

	if (hid_base(c->e.base, c->e.path, &b) < 0 ||
	    (it = items_set(l, &b)) == NULL)
		return nomem(s, e);
	if (it->e.type != ENT_REG)
		return 0;
	if (c->base_data.len > 0) {
		hash_mem(&h, c->base_data.p, c->base_data.len);
		if (c->base_data.len != it->e.size ||
		    memcmp(h.b, it->e.hash.b, HASH_LEN) != 0)
			return err_setx(e, EINVAL, "%s: not what the base "
			    "has", c->e.path);
		it->src.given = &c->base_data;
		return 0;
	}
	/* It may be here from before. */
	known = hid_find(&s->head, HID_BASE, c->e.path);
	if (known != NULL && same_content(known, &it->e))
		it->src.loc = known->loc;
	return 0;
}

static int
add_change(struct store *s, struct items *l, const struct change *c,
    struct err *e)
{
	struct ent	 x, bare = c->e;
	struct item	*it;
	int		 rc;

	bare.base = NULL;
	if (c->op == CHANGE_DROP) {
		if (items_drop(l, c->e.path) < 0)
			return nomem(s, e);
		it = &l->v[l->n - 1];
	} else if (ent_copy(&x, &bare) < 0 || (it = items_set(l, &x)) == NULL)
		return nomem(s, e);
	it->uid = c->uid;
	it->comm = c->comm;
	if (c->op == CHANGE_DROP)
		return 0;
	if ((rc = check_data(c, it, e)) < 0)
		return rc;
	return c->e.base == NULL ? 0 : add_base(s, l, c, e);
}

/* The change, if any, at the first n bytes of path. */
static const struct change *
change_at(const struct commit *c, const char *path, size_t n)
{
	size_t	 lo = 0, hi = c->n, mid;
	char	*p = strndup(path, n);
	int	 d;

	while (p != NULL && lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((d = path_cmp(c->v[mid].e.path, p)) == 0) {
			free(p);
			return &c->v[mid];
		}
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	free(p);
	return NULL;
}

/* Whether a path's entry goes, or comes to stand for another base. */
static bool
loses_base(const struct commit *c, const char *path)
{
	const struct change	*x;
	size_t			 i, n = strlen(path);

	x = change_at(c, path, n);
	if (x != NULL)
		return true;	/* its own base, if any, is set before */
	for (i = 0; i < n; i++) {
		if (path[i] != '/')
			continue;
		x = change_at(c, path, i);
		if (x != NULL && x->op == CHANGE_SET && x->e.type != ENT_DIR)
			return true;
	}
	return false;
}

static int
drop_bases(struct store *s, struct items *l, const struct commit *c,
    struct err *e)
{
	const struct ents	*ov = &s->head;
	size_t			 i;

	for (i = hid_from(ov, HID_BASE); i < ov->n &&
	    hid_kind(ov->v[i].path) == HID_BASE; i++)
		if (loses_base(c, hid_of(ov->v[i].path)) &&
		    items_drop(l, ov->v[i].path) < 0)
			return nomem(s, e);
	return 0;
}

int
items_commit(struct store *s, struct items *l, const struct commit *c,
    struct err *e)
{
	const char	*p;
	size_t		 i;
	int		 rc;

	for (i = 0; i < c->n; i++) {
		p = c->v[i].e.path;
		if (p == NULL || !path_ok(p, strlen(p)) || (i > 0 &&
		    path_cmp(c->v[i - 1].e.path, p) >= 0) ||
		    (c->v[i].op != CHANGE_SET && c->v[i].op != CHANGE_DROP))
			return err_setx(e, EINVAL, "changes out of order");
		if ((rc = add_change(s, l, &c->v[i], e)) < 0)
			return rc;
	}
	return drop_bases(s, l, c, e);
}

/* ---- steps */

static int
by_path(const void *a, const void *b)
{
	const struct item	*x = a, *y = b;
	int			 d = path_cmp(x->e.path, y->e.path);

	return d != 0 ? d : x->nr < y->nr ? -1 : x->nr > y->nr;
}

/* A content that is not given: an earlier step or the head has it. */
static int
find_data(const struct store *s, const struct steps *st,
    struct source *src, const struct ent *e, struct err *err)
{
	size_t	 i;

	for (i = st->n - 1; i-- > 0;)
		if (src[i].given != NULL &&
		    same_content(&st->v[i].c.e, e)) {
			src[st->n - 1].given = src[i].given;
			return 0;
		}
	for (i = 0; i < s->head.n; i++)
		if (same_content(&s->head.v[i], e) && s->head.v[i].loc != 0) {
			src[st->n - 1].loc = s->head.v[i].loc;
			return 0;
		}
	return err_setx(err, EINVAL, "%s: no content given", e->path);
}

/* Whether a hidden entry is there as it should be already. */
static bool
nothing_new(const struct item *it, const struct ent *known)
{
	const struct ent	*n = &it->e;

	if (known == NULL)
		return it->op == CHANGE_DROP;
	if (it->op == CHANGE_DROP || !hid_is(n->path) ||
	    n->type != known->type || n->mode != known->mode ||
	    n->uid != known->uid || n->gid != known->gid ||
	    n->mtime != known->mtime || n->mtime_ns != known->mtime_ns ||
	    n->link != known->link || n->major != known->major ||
	    n->minor != known->minor || n->xattrlen != known->xattrlen)
		return false;
	if (n->xattrlen > 0 &&
	    memcmp(n->xattr, known->xattr, n->xattrlen) != 0)
		return false;
	if (n->type == ENT_LNK)
		return strcmp(n->target, known->target) == 0;
	return n->type != ENT_REG || (same_content(n, known) &&
	    (known->loc != 0 || n->size == 0 ||
	    (it->src.given == NULL && it->src.loc == 0)));
}

static int
make_step(struct store *s, struct item *it, struct steps *l,
    struct source *src, struct err *e)
{
	struct step	*st = &l->v[l->n];
	struct ent	*known;

	if (it->op == CHANGE_SET)
		canonical(&it->e);
	known = ents_find(&s->head, it->e.path);
	/* What follows the base already needs no word. */
	if (nothing_new(it, known))
		return 0;
	memset(st, 0, sizeof(*st));
	st->c.op = it->op;
	st->c.uid = it->uid;
	memcpy(st->c.comm, it->comm, strnlen(it->comm,
	    sizeof(st->c.comm) - 1));
	st->at = known == NULL ? NOWHERE : (size_t)(known - s->head.v);
	if (ent_copy(&st->c.e, &it->e) < 0)
		return nomem(s, e);
	src[l->n++] = it->src;
	if (it->op == CHANGE_DROP)
		return 0;
	if (!overlay_ent_ok(&st->c.e))
		return err_setx(e, st->c.e.size > CONTENT_MAX ? EFBIG : EINVAL,
		    "%s: can't be stored", it->e.path);
	return it->find ? find_data(s, l, src, &st->c.e, e) : 0;
}

int
steps_make(struct store *s, struct items *l, struct steps *st,
    struct source **srcp, struct plan *plan, struct err *e)
{
	const char	*bad;
	size_t		 i;
	int		 rc;

	st->v = calloc(l->n + 1, sizeof(*st->v));
	*srcp = calloc(l->n + 1, sizeof(**srcp));
	if (st->v == NULL || *srcp == NULL)
		return nomem(s, e);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_path);
	for (i = 0; i < l->n; i++) {
		if (i > 0 && strcmp(l->v[i].e.path, l->v[i - 1].e.path) == 0)
			continue;
		if ((rc = make_step(s, &l->v[i], st, *srcp, e)) < 0)
			return rc;
	}
	rc = overlay_plan(&s->head, st, plan, &bad);
	if (rc == -EINVAL)
		return err_setx(e, EINVAL, "%s: below what is no directory",
		    bad);
	return rc < 0 ? nomem(s, e) : 0;
}
