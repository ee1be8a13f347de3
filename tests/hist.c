/*
 * hist.c: what a store should hold, and whether it does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "hist.h"
#include "simio.h"

static size_t
slot(const struct pool *p, const struct hash *h)
{
	size_t	 i = get_le32(h->b) & (p->cap - 1);

	while (p->v[i].p != NULL && memcmp(&p->v[i].h, h, sizeof(*h)) != 0)
		i = (i + 1) & (p->cap - 1);
	return i;
}

static void
pool_grow(struct pool *p)
{
	struct pool	 big = { NULL, p->n, p->cap == 0 ? 64 : p->cap * 2 };
	size_t		 i;

	big.v = xalloc(big.cap * sizeof(*big.v));
	for (i = 0; i < p->cap; i++)
		if (p->v[i].p != NULL)
			big.v[slot(&big, &p->v[i].h)] = p->v[i];
	free(p->v);
	*p = big;
}

void
pool_add(struct pool *p, const void *data, size_t n, struct hash *h)
{
	size_t	 i;

	if (p->n * 2 >= p->cap)
		pool_grow(p);
	hash_mem(h, data, n);
	i = slot(p, h);
	if (p->v[i].p == NULL) {
		p->v[i] = (struct piece){ *h, xmemdup(data, n), n };
		p->n++;
	}
}

const struct piece *
pool_get(const struct pool *p, const struct hash *h)
{
	const struct piece	*b = p->cap == 0 ? NULL : &p->v[slot(p, h)];

	return b == NULL || b->p == NULL ? NULL : b;
}

void
pool_free(struct pool *p)
{
	size_t	 i;

	for (i = 0; i < p->cap; i++)
		free(p->v[i].p);
	free(p->v);
	memset(p, 0, sizeof(*p));
}

void
ents_dup(struct ents *to, const struct ents *from)
{
	struct ent	 e;
	size_t		 i;

	memset(to, 0, sizeof(*to));
	for (i = 0; i < from->n; i++)
		if (ent_copy(&e, &from->v[i]) != 0 || ents_put(to, &e) != 0)
			abort();
}

static char *
xstr(const char *s)
{
	return s == NULL ? NULL : xmemdup(s, strlen(s) + 1);
}

static void
commit_dup(struct commit *to, const struct commit *from)
{
	size_t	 i;

	*to = *from;
	to->user = xstr(from->user);
	to->msg = xstr(from->msg);
	to->v = xalloc(from->n * sizeof(*to->v));
	for (i = 0; i < from->n; i++) {
		to->v[i] = from->v[i];
		to->v[i].data = (struct buf)BUF_INIT;
		to->v[i].base_data = (struct buf)BUF_INIT;
		put_bytes(&to->v[i].base_data, from->v[i].base_data.p,
		    from->v[i].base_data.len);
		put_bytes(&to->v[i].data, from->v[i].data.p,
		    from->v[i].data.len);
		if (ent_copy(&to->v[i].e, &from->v[i].e) != 0)
			abort();
	}
}

void
hist_init(struct hist *h)
{
	struct commit	 none = { 0, 0, NULL, NULL, NULL, 0 };
	struct ents	 empty = { NULL, 0, 0 };

	memset(h, 0, sizeof(*h));
	hist_add(h, 0, &empty, &none);
}

void
hist_free(struct hist *h)
{
	while (h->n > 0) {
		h->n--;
		ents_free(&h->v[h->n].ov);
		commit_free(&h->v[h->n].c);
	}
	free(h->v);
	pool_free(&h->pool);
}

const struct hist_gen *
hist_find(const struct hist *h, uint64_t gen)
{
	size_t	 i;

	for (i = h->n; i-- > 0;)
		if (h->v[i].gen == gen)
			return &h->v[i];
	return NULL;
}

void
hist_add(struct hist *h, uint64_t gen, struct ents *ov,
    const struct commit *c)
{
	if (h->n == h->cap) {
		h->cap = h->cap == 0 ? 64 : h->cap * 2;
		h->v = xrealloc(h->v, h->cap * sizeof(*h->v));
	}
	h->v[h->n].gen = gen;
	h->v[h->n].before = 0;
	h->v[h->n].ov = *ov;
	commit_dup(&h->v[h->n].c, c);
	memset(ov, 0, sizeof(*ov));
	h->n++;
}

void
hist_cut(struct hist *h, uint64_t gen)
{
	while (h->n > 1 && h->v[h->n - 1].gen > gen) {
		h->n--;
		ents_free(&h->v[h->n].ov);
		commit_free(&h->v[h->n].c);
	}
}

static bool
str_equal(const char *a, const char *b)
{
	return (a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0);
}

/* One that came without its content may find it in the store: a is what
 * the store has. */
static bool
base_equal(const struct ent_base *a, const struct ent_base *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->type == b->type && a->mode == b->mode &&
	    a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	    (a->type != ENT_REG || memcmp(&a->hash, &b->hash,
	    sizeof(a->hash)) == 0) && (a->loc != 0 || b->loc == 0) &&
	    str_equal(a->target, b->target);
}

bool
ent_equal(const struct ent *a, const struct ent *b)
{
	return base_equal(a->base, b->base) &&
	    strcmp(a->path, b->path) == 0 && a->type == b->type &&
	    a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	    a->mtime == b->mtime && a->mtime_ns == b->mtime_ns &&
	    a->major == b->major && a->minor == b->minor &&
	    a->size == b->size &&
	    (a->type != ENT_REG ||
	    memcmp(&a->hash, &b->hash, sizeof(a->hash)) == 0) &&
	    str_equal(a->target, b->target) && a->xattrlen == b->xattrlen &&
	    (a->xattrlen == 0 || memcmp(a->xattr, b->xattr, a->xattrlen) == 0);
}

/* The first entry of the hard-link group of entry i. */
static size_t
leader(const struct ents *v, size_t i)
{
	size_t	 k;

	for (k = 0; k < i; k++)
		if (v->v[i].link != 0 && v->v[k].link == v->v[i].link)
			return k;
	return i;
}

bool
ents_equal(const struct ents *a, const struct ents *b)
{
	size_t	 i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (!ent_equal(&a->v[i], &b->v[i]))
			return false;
		if ((a->v[i].link != 0 || b->v[i].link != 0) &&
		    leader(a, i) != leader(b, i))
			return false;
	}
	return true;
}

static char	 why[1400];

static const char *
differ(uint64_t gen, const char *what, const char *path, const char *more)
{
	char	*vis = path == NULL ? NULL : path_vis(path);

	snprintf(why, sizeof(why), "generation %llu: %s%s%.200s%s%s",
	    (unsigned long long)gen, what, vis == NULL ? "" : " ",
	    vis == NULL ? "" : vis, more == NULL ? "" : ": ",
	    more == NULL ? "" : more);
	free(vis);
	return why;
}

static const char *
where_differ(uint64_t gen, const struct ents *have, const struct ents *want)
{
	size_t	 i;

	for (i = 0; i < have->n && i < want->n; i++)
		if (!ent_equal(&have->v[i], &want->v[i]))
			return differ(gen, "entry differs at",
			    path_cmp(have->v[i].path, want->v[i].path) < 0 ?
			    have->v[i].path : want->v[i].path, NULL);
	if (have->n == want->n)
		return differ(gen, "hard-link groups differ", NULL, NULL);
	return have->n > want->n ?
	    differ(gen, "has too much:", have->v[i].path, NULL) :
	    differ(gen, "lacks", want->v[i].path, NULL);
}

static const char *
content_agrees(const struct pool *pool, struct store *s, uint64_t gen,
    const struct ent *x, bool base)
{
	const struct piece	*b = pool_get(pool, base ? &x->base->hash :
				    &x->hash);
	struct buf		 data = BUF_INIT;
	struct err		 e = { 0, "" };
	const char		*r = NULL;

	if ((base ? store_base_content : store_content)(s, x, &data, &e) != 0)
		r = differ(gen, "no content of", x->path, e.msg);
	else if (b == NULL || b->n != data.len ||
	    (b->n > 0 && memcmp(b->p, data.p, b->n) != 0))
		r = differ(gen, "wrong content of", x->path, NULL);
	buf_free(&data);
	return r;
}

const char *
overlay_agrees(const struct pool *pool, struct store *s, uint64_t gen,
    const struct ents *want, bool contents)
{
	struct ents		 ov = { NULL, 0, 0 };
	struct err		 e = { 0, "" };
	const char		*r = NULL;
	size_t			 i;

	if (store_overlay(s, gen, &ov, &e) != 0)
		return differ(gen, "no overlay", NULL, e.msg);
	if (!ents_equal(&ov, want))
		r = where_differ(gen, &ov, want);
	for (i = 0; r == NULL && contents && i < ov.n; i++) {
		if (ov.v[i].type == ENT_REG)
			r = content_agrees(pool, s, gen, &ov.v[i], false);
		if (r == NULL && ov.v[i].base != NULL &&
		    ov.v[i].base->loc != 0)
			r = content_agrees(pool, s, gen, &ov.v[i], true);
	}
	ents_free(&ov);
	return r;
}

const char *
hist_agree(const struct hist *h, struct store *s, uint64_t gen, bool contents)
{
	const struct hist_gen	*g = hist_find(h, gen);

	if (g == NULL)
		return differ(gen, "was never made", NULL, NULL);
	return overlay_agrees(&h->pool, s, gen, &g->ov, contents);
}

static bool
change_equal(const struct change *a, const struct change *b)
{
	struct ent	 x = a->e, y = b->e;

	if (a->op != b->op || a->uid != b->uid ||
	    strncmp(a->comm, b->comm, sizeof(a->comm)) != 0)
		return false;
	if (a->op == CHANGE_DROP)
		return strcmp(a->e.path, b->e.path) == 0;
	x.base = NULL;		/* a record says nothing of it */
	y.base = NULL;
	return ent_equal(&x, &y);
}

/* Of one that is kept beside the others, the changes are not known. */
static bool
kept(const struct store *s, uint64_t gen)
{
	uint64_t	 g;
	size_t		 i;

	for (i = 0; store_kept(s, i, &g); i++)
		if (g == gen)
			return true;
	return false;
}

static const char *
record_agrees(const struct hist_gen *g, struct store *s)
{
	const struct commit	*w = &g->c;
	struct commit		 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct err		 e = { 0, "" };
	const char		*r = NULL;
	int			 rc = store_record(s, g->gen, &c, &e);
	size_t			 i;

	if (rc == -ENOENT)	/* only a checkpoint knows it */
		return NULL;
	if (rc != 0)
		return differ(g->gen, "no record", NULL, e.msg);
	if (c.time != w->time || c.uid != w->uid ||
	    (c.n != w->n && (c.n != 0 || !kept(s, g->gen))) ||
	    !str_equal(c.user, w->user) || !str_equal(c.msg, w->msg))
		r = differ(g->gen, "record differs", NULL, NULL);
	for (i = 0; r == NULL && i < c.n; i++)
		if (!change_equal(&c.v[i], &w->v[i]))
			r = differ(g->gen, "record differs at", c.v[i].e.path,
			    NULL);
	commit_free(&c);
	return r;
}

const char *
hist_agree_all(const struct hist *h, struct store *s)
{
	uint64_t	 head = store_head(s), old = store_oldest(s);
	const char	*r = NULL;
	size_t		 i;

	if (hist_find(h, head) == NULL || old > head)
		return differ(head, "is no head", NULL, NULL);
	for (i = 0; r == NULL && i < h->n; i++) {
		if (h->v[i].gen < old || h->v[i].gen > head)
			continue;
		r = hist_agree(h, s, h->v[i].gen, true);
		if (r == NULL && h->v[i].gen > 0)
			r = record_agrees(&h->v[i], s);
	}
	return r;
}
