/*
 * gen.c: seeded, random commits like those of a box that is lived on.
 *
 * Each is made by changing a copy of the overlay at random; the commit is
 * the difference of the two.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "genop.h"
#include "simio.h"

static void
shrink(struct gen *g, struct ents *t, size_t keep)
{
	while (t->n > keep)
		ents_del(t, t->v[gen_below(g, t->n)].path);
}

/* As ent_equal(), and the same number of link group. */
static bool
unchanged(const struct ent *a, const struct ent *b)
{
	return a->link == b->link && ent_equal(a, b);
}

static void
add_change(struct gen *g, struct commit *c, enum change_op op,
    const struct ent *e)
{
	static const char *const progs[] = { "vi", "sed", "useradd", "" };
	const struct piece	*b;
	struct change		*h;
	size_t			 i;

	c->v = xrealloc(c->v, (c->n + 1) * sizeof(*c->v));
	h = &c->v[c->n++];
	memset(h, 0, sizeof(*h));
	h->op = op;
	h->uid = (uint32_t)gen_below(g, 3);
	snprintf(h->comm, sizeof(h->comm), "%s", progs[gen_below(g, 4)]);
	if (op == CHANGE_DROP) {
		h->e.path = xmemdup(e->path, strlen(e->path) + 1);
		return;
	}
	if (ent_copy(&h->e, e) != 0)
		abort();
	if (e->type != ENT_REG)
		return;
	for (i = 0; e->link != 0 && i + 1 < c->n; i++)
		if (c->v[i].op == CHANGE_SET && c->v[i].e.link == e->link)
			return;		/* it came with its other name */
	b = pool_get(g->pool, &e->hash);
	put_bytes(&h->data, b->p, b->n);
}

/* What the entry replaces in the base, often: of any kind, and a file like
 * the one that takes its place, with its content or without. */
static void
add_base(struct gen *g, struct ent *e)
{
	static const enum ent_type	 types[] = { ENT_NONE, ENT_DIR,
	    ENT_LNK, ENT_REG, ENT_REG, ENT_REG };
	const struct piece	*own;
	struct ent_base		*b;
	struct buf		 data = BUF_INIT;

	if (e->base != NULL || gen_below(g, 3) != 0)
		return;
	e->base = b = xalloc(sizeof(*b));
	memset(b, 0, sizeof(*b));
	b->type = types[gen_below(g, 6)];
	if (b->type == ENT_NONE)
		return;
	b->mode = 0644;
	b->gid = (uint32_t)gen_below(g, 2);
	if (b->type == ENT_LNK)
		b->target = xmemdup("where", sizeof("where"));
	if (b->type != ENT_REG)
		return;
	own = e->type == ENT_REG ? pool_get(g->pool, &e->hash) : NULL;
	if (own != NULL && own->n < 4096)
		put_bytes(&data, own->p, own->n);
	if (gen_below(g, 4) != 0)
		put_fmt(&data, "of the base %zu\n", gen_below(g, 1000));
	b->size = data.len;
	pool_add(g->pool, data.len == 0 ? (void *)"" : data.p, data.len,
	    &b->hash);
	b->loc = data.len > 0 && gen_below(g, 4) != 0;
	buf_free(&data);
}

static void
base_data(struct gen *g, struct change *h)
{
	const struct ent_base	*b = h->e.base;
	const struct piece	*p;

	if (b == NULL || b->type != ENT_REG || b->loc == 0)
		return;
	p = pool_get(g->pool, &b->hash);
	put_bytes(&h->base_data, p->p, p->n);
}

static void
diff(struct gen *g, const struct ents *now, struct ents *after,
    struct commit *c)
{
	size_t	 i = 0, k = 0;
	int	 cmp;

	memset(c, 0, sizeof(*c));
	while (i < now->n || k < after->n) {
		cmp = i == now->n ? 1 : k == after->n ? -1 :
		    path_cmp(now->v[i].path, after->v[k].path);
		if (cmp < 0)
			add_change(g, c, CHANGE_DROP, &now->v[i]);
		else if (cmp > 0 || !unchanged(&now->v[i], &after->v[k])) {
			add_base(g, &after->v[k]);
			add_change(g, c, CHANGE_SET, &after->v[k]);
			base_data(g, &c->v[c->n - 1]);
		}
		i += cmp <= 0;
		k += cmp >= 0;
	}
	g->clock += 1 + (int64_t)gen_below(g, 1000000000);
	c->time = g->clock;
	c->uid = (uint32_t)gen_below(g, 2) * 1001;
	if (gen_below(g, 2) == 0)
		c->user = xmemdup("root", sizeof("root"));
	if (gen_below(g, 2) == 0)
		c->msg = xmemdup("why it was done", sizeof("why it was done"));
}

void
gen_commit(struct gen *g, const struct ents *now, struct commit *c,
    struct ents *after)
{
	size_t	 n = 1 + gen_below(g, g->maxops);

	ents_dup(after, now);
	if (now->n > g->maxents || gen_total(now) > g->budget)
		shrink(g, after, now->n / 2);
	while (n > 0) {
		gen_op(g, after);
		n--;
	}
	diff(g, now, after, c);
	if (c->n == 0) {	/* no commit is empty */
		commit_free(c);
		ents_free(after);
		gen_line(g, now, "filler", c, after);
	}
}

void
gen_shrink(struct gen *g, const struct ents *now, struct commit *c,
    struct ents *after)
{
	ents_dup(after, now);
	shrink(g, after, now->n / 2);
	diff(g, now, after, c);
}

void
gen_line(struct gen *g, const struct ents *now, const char *path,
    struct commit *c, struct ents *after)
{
	struct buf	 b = BUF_INIT;
	struct ent	 e;

	ents_dup(after, now);
	gen_start(g, &e, path, ENT_REG);
	put_fmt(&b, "line %zu\n", gen_below(g, SIZE_MAX));
	gen_data(g, &e, &b);
	gen_put(after, &e);
	buf_free(&b);
	diff(g, now, after, c);
}

void
gen_noise(struct gen *g, struct commit *c, struct ents *after,
    const char *path, size_t n)
{
	struct ent	*e = ents_find(after, path);
	struct buf	 b = BUF_INIT;
	size_t		 i;

	gen_fill(g, &b, n);
	gen_data(g, e, &b);
	for (i = 0; strcmp(c->v[i].e.path, path) != 0; i++)
		;
	c->v[i].e.size = e->size;
	c->v[i].e.hash = e->hash;
	buf_free(&c->v[i].data);
	c->v[i].data = b;
}

void
gen_all_kinds(struct gen *g, const struct ents *now, struct commit *c,
    struct ents *after)
{
	static const enum ent_type	 types[] = { ENT_DIR, ENT_FIFO,
	    ENT_CHR, ENT_BLK, ENT_LNK, ENT_WHITEOUT };
	struct buf	 b = BUF_INIT;
	struct ent	 e;
	char		 path[64];
	size_t		 i;

	ents_dup(after, now);
	gen_start(g, &e, "", ENT_DIR);
	gen_put(after, &e);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		snprintf(path, sizeof(path), "kind.%zu", i);
		gen_start(g, &e, path, types[i]);
		if (types[i] == ENT_LNK)
			e.target = xmemdup("../to", sizeof("../to"));
		if (types[i] == ENT_CHR)
			e.major = 1, e.minor = 3;
		if (types[i] != ENT_WHITEOUT)
			gen_xattrs(g, &e);
		gen_put(after, &e);
	}
	gen_text(g, &b, 200);
	for (i = 0; i < 3; i++) {	/* a file alone, and one of two names */
		snprintf(path, sizeof(path), "kind.0/file %zu", i);
		gen_start(g, &e, path, ENT_REG);
		gen_data(g, &e, &b);
		if (i > 0) {
			e.mode = 0640, e.uid = e.gid = 7, e.mtime = 5;
			e.mtime_ns = 6;
			free(e.xattr);
			e.xattr = NULL;
			e.xattrlen = 0;
			e.link = i == 1 ? gen_link(after) :
			    ents_find(after, "kind.0/file 1")->link;
		}
		gen_put(after, &e);
	}
	buf_free(&b);
	diff(g, now, after, c);
}
