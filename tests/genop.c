/*
 * genop.c: random changes of an overlay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "genop.h"
#include "simio.h"
#include "tap.h"

#define PATH_ROOM	4096

size_t
gen_below(struct gen *g, size_t n)
{
	return n == 0 ? 0 : (size_t)(tap_rand(&g->rng) % n);
}

static const char *const words[] = { "rc.conf", "passwd", "hosts", "pf.conf",
    "ssh", "ppp", "a b", ".hidden", "new\nline", "\xff\xfe", "rc.d", "local",
    ("gr\xc3\xbc\xc3\x9f" "e"), "z" };

/* A path that could get an entry: nothing above it is no directory. */
static bool
placeable(const struct ents *t, const char *path)
{
	char		 up[PATH_ROOM];
	const char	*p = path;
	struct ent	*e;

	while ((p = strchr(p, '/')) != NULL) {
		memcpy(up, path, (size_t)(p - path));
		up[p - path] = '\0';
		e = ents_find(t, up);
		if (e != NULL && e->type != ENT_DIR)
			return false;
		p++;
	}
	return true;
}

/* A path without an entry that can have one; false: found none. */
static bool
fresh(struct gen *g, const struct ents *t, char *path)
{
	unsigned	 tries, depth;
	size_t		 n;

	for (tries = 0; tries < 20; tries++) {
		depth = 1 + (unsigned)gen_below(g, 3);
		for (n = 0; depth > 0; depth--)
			n += (size_t)snprintf(path + n, PATH_ROOM - n,
			    "%s%s", n == 0 ? "" : "/",
			    words[gen_below(g, sizeof(words) / sizeof(words[0]))]);
		if (gen_below(g, 40) == 0) {	/* the longest name */
			path[n++] = '/';
			memset(path + n, 'n', PATH_NAME_MAX);
			path[n + PATH_NAME_MAX] = '\0';
		}
		if (ents_find(t, path) == NULL && placeable(t, path))
			return true;
	}
	return false;
}

size_t
gen_total(const struct ents *t)
{
	size_t	 i, sum = 0;

	for (i = 0; i < t->n; i++)
		sum += t->v[i].size;
	return sum;
}

/* An entry of this type (ENT_NONE: any), or NULL. */
static struct ent *
pick(struct gen *g, const struct ents *t, enum ent_type type)
{
	size_t	 i, at = gen_below(g, t->n);

	for (i = 0; i < t->n; i++, at++)
		if (type == ENT_NONE || t->v[at % t->n].type == type)
			return &t->v[at % t->n];
	return NULL;
}

static void
clear_below(struct ents *t, const char *path)
{
	size_t	 i = 0;

	while (i < t->n)
		if (strcmp(t->v[i].path, path) != 0 &&
		    path_within(t->v[i].path, path))
			ents_del(t, t->v[i].path);
		else
			i++;
}

void
gen_put(struct ents *t, struct ent *e)
{
	if (e->type != ENT_DIR)
		clear_below(t, e->path);
	if (ents_put(t, e) != 0)
		abort();
}

void
gen_xattrs(struct gen *g, struct ent *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 n = gen_below(g, 40);

	free(e->xattr);
	e->xattr = NULL;
	e->xattrlen = 0;
	if (gen_below(g, 3) == 0)
		return;
	put_bytes(&b, "user.color", sizeof("user.color"));
	put_le32(&b, (uint32_t)n);
	put_zero(&b, n);
	if (gen_below(g, 2) == 0) {
		put_bytes(&b, "user.origin", sizeof("user.origin"));
		put_le32(&b, 4);
		put_le32(&b, (uint32_t)tap_rand(&g->rng));
	}
	e->xattr = b.p;
	e->xattrlen = b.len;
}

static void
set_attrs(struct gen *g, struct ent *e)
{
	e->mode = e->type == ENT_LNK ? 0777 : (uint32_t)gen_below(g, 010000);
	e->uid = gen_below(g, 8) == 0 ? UINT32_MAX - 1 : (uint32_t)gen_below(g, 70000);
	e->gid = (uint32_t)gen_below(g, 5);
	e->mtime = (int64_t)(tap_rand(&g->rng) % 4000000000u) - 1000000000;
	e->mtime_ns = (uint32_t)gen_below(g, 1000000000);
}

void
gen_start(struct gen *g, struct ent *e, const char *path, enum ent_type type)
{
	memset(e, 0, sizeof(*e));
	e->path = xmemdup(path, strlen(path) + 1);
	e->type = type;
	if (type == ENT_WHITEOUT)
		return;
	set_attrs(g, e);
	if (gen_below(g, 6) == 0)
		gen_xattrs(g, e);
}

void
gen_data(struct gen *g, struct ent *e, const struct buf *b)
{
	pool_add(g->pool, b->p == NULL ? (const void *)"" : b->p, b->len,
	    &e->hash);
	e->size = b->len;
}

void
gen_text(struct gen *g, struct buf *b, size_t n)
{
	const char	*name;
	size_t		 number;

	/* One draw a line: else the compiler chooses their order. */
	while (b->len < n) {
		name = gen_below(g, 2) == 0 ? "enable" : "option";
		number = gen_below(g, 50);
		put_fmt(b, "%s_%zu=\"%zu\"\t# comment\n", name, number,
		    gen_below(g, 100000));
	}
	b->len = n;
}

void
gen_fill(struct gen *g, struct buf *b, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		put_u8(b, (uint8_t)(tap_rand(&g->rng) >> 32));
}

/* New content, as large as the budget allows. */
static void
new_data(struct gen *g, const struct ents *t, struct buf *b)
{
	size_t	 used = gen_total(t), room = used < g->budget ?
		    g->budget - used : 0;
	size_t	 n = gen_below(g, 8) == 0 ? gen_below(g, g->maxfile + 1) :
		    gen_below(g, 300);

	if (n > room)
		n = room;
	if (gen_below(g, 10) == 0)
		n = 0;
	if (gen_below(g, 4) == 0)
		gen_fill(g, b, n / 2);
	else
		gen_text(g, b, n);
}

/* A small change somewhere: some bytes go, some come. */
static void
edit(struct gen *g, const struct piece *old, struct buf *b)
{
	size_t	 at = gen_below(g, old->n + 1), cut = gen_below(g, 30);

	if (cut > old->n - at)
		cut = old->n - at;
	put_bytes(b, old->p, at);
	if (gen_below(g, 4) == 0)
		gen_fill(g, b, gen_below(g, 20));
	else
		put_fmt(b, "edit=%zu\n", gen_below(g, 1000));
	put_bytes(b, old->p + at + cut, old->n - at - cut);
	if (b->len > g->maxfile)
		b->len = g->maxfile;
}

static void
op_file(struct gen *g, struct ents *t)
{
	char		 path[PATH_ROOM];
	struct buf	 b = BUF_INIT;
	struct ent	 e;

	if (!fresh(g, t, path))
		return;
	gen_start(g, &e, path, ENT_REG);
	new_data(g, t, &b);
	gen_data(g, &e, &b);
	gen_put(t, &e);
	buf_free(&b);
}

/* Give all names of one's inode what one has (not their paths). */
static void
spread(struct ents *t, const struct ent *one)
{
	struct ent	 e;
	size_t		 i;

	for (i = 0; one->link != 0 && i < t->n; i++) {
		if (t->v[i].link != one->link || &t->v[i] == one)
			continue;
		if (ent_copy(&e, one) != 0)
			abort();
		free(e.path);
		e.path = t->v[i].path;
		t->v[i].path = NULL;
		ent_free(&t->v[i]);
		t->v[i] = e;
	}
}

static void
op_edit(struct gen *g, struct ents *t)
{
	struct ent	*e = pick(g, t, ENT_REG);
	struct buf	 b = BUF_INIT;

	if (e == NULL)
		return;
	if (gen_below(g, 5) == 0)
		new_data(g, t, &b);
	else
		edit(g, pool_get(g->pool, &e->hash), &b);
	gen_data(g, e, &b);
	e->mtime++;
	spread(t, e);
	buf_free(&b);
}

static void
op_attr(struct gen *g, struct ents *t)
{
	struct ent	*e = pick(g, t, ENT_NONE);

	if (e == NULL || e->type == ENT_WHITEOUT)
		return;
	if (gen_below(g, 2) == 0)
		set_attrs(g, e);
	else
		gen_xattrs(g, e);
	spread(t, e);
}

static void
op_special(struct gen *g, struct ents *t)
{
	static const enum ent_type	 kinds[] = { ENT_DIR, ENT_DIR,
	    ENT_LNK, ENT_LNK, ENT_FIFO, ENT_CHR, ENT_BLK, ENT_WHITEOUT,
	    ENT_WHITEOUT };
	enum ent_type	 type = kinds[gen_below(g, sizeof(kinds) /
	    sizeof(kinds[0]))];
	char		 path[PATH_ROOM];
	struct ent	 e, *old;

	if (gen_below(g, 3) == 0 && (old = pick(g, t, ENT_NONE)) != NULL)
		snprintf(path, sizeof(path), "%s", old->path);
	else if (!fresh(g, t, path))
		return;
	if (path[0] == '\0')	/* the root stays a directory */
		type = ENT_DIR;
	gen_start(g, &e, path, type);
	if (type == ENT_LNK) {
		char	 to[PATH_ROOM];

		fresh(g, t, to);
		e.target = xmemdup(to, strlen(to) + 1);
	}
	if (type == ENT_CHR || type == ENT_BLK) {
		e.major = (uint32_t)gen_below(g, 4096);
		e.minor = (uint32_t)tap_rand(&g->rng);
	}
	gen_put(t, &e);
}

static void
op_drop(struct gen *g, struct ents *t)
{
	struct ent	*e = pick(g, t, ENT_NONE);

	if (e != NULL)
		ents_del(t, e->path);
}

uint32_t
gen_link(const struct ents *t)
{
	uint32_t	 top = 0;
	size_t		 i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].link > top)
			top = t->v[i].link;
	return top + 1;
}

static void
op_link(struct gen *g, struct ents *t)
{
	struct ent	*e = pick(g, t, ENT_REG), other;
	char		 path[PATH_ROOM];

	if (e == NULL || !fresh(g, t, path) ||
	    gen_total(t) + e->size > g->budget)
		return;
	if (e->link == 0)
		e->link = gen_link(t);
	if (ent_copy(&other, e) != 0)
		abort();
	free(other.path);
	other.path = xmemdup(path, strlen(path) + 1);
	gen_put(t, &other);
}

/* Rename a directory: all below it goes, and comes at another name. */
static void
op_rename(struct gen *g, struct ents *t)
{
	struct ent	*d = pick(g, t, ENT_DIR), e;
	struct ents	 moved = { NULL, 0, 0 };
	char		 to[PATH_ROOM], path[2 * PATH_ROOM];
	char		*from;
	size_t		 i;

	if (d == NULL || d->path[0] == '\0' || !fresh(g, t, to) ||
	    path_within(to, d->path))
		return;
	from = xmemdup(d->path, strlen(d->path) + 1);
	for (i = 0; i < t->n; i++) {
		if (!path_within(t->v[i].path, from))
			continue;
		if (ent_copy(&e, &t->v[i]) != 0)
			abort();
		snprintf(path, sizeof(path), "%s%s", to,
		    e.path + strlen(from));
		free(e.path);
		e.path = xmemdup(path, strlen(path) + 1);
		if (strlen(path) < PATH_ROOM / 2)
			gen_put(&moved, &e);
		else
			ent_free(&e);
	}
	clear_below(t, from);
	ents_del(t, from);
	if (gen_below(g, 2) == 0) {
		gen_start(g, &e, from, ENT_WHITEOUT);
		gen_put(t, &e);
	}
	for (i = 0; i < moved.n; i++) {
		if (!placeable(t, moved.v[i].path))
			continue;
		if (ent_copy(&e, &moved.v[i]) != 0)
			abort();
		gen_put(t, &e);
	}
	ents_free(&moved);
	free(from);
}

void
gen_op(struct gen *g, struct ents *t)
{
	static const struct {
		unsigned	 weight;
		void		(*fn)(struct gen *, struct ents *);
	} ops[] = {
		{ 30, op_edit }, { 20, op_file }, { 10, op_attr },
		{ 15, op_special }, { 10, op_drop }, { 6, op_link },
		{ 3, op_rename }
	};
	size_t	 i, sum = 0, at;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		sum += ops[i].weight;
	at = gen_below(g, sum);
	for (i = 0; at >= ops[i].weight; i++)
		at -= ops[i].weight;
	ops[i].fn(g, t);
}

