/*
 * box.c: base, running tree, journal and overlay for tests.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "../tools/apply.h"
#include "../tools/change.h"
#include "../tools/copy.h"
#include "../tools/pers.h"
#include "../tools/walk.h"
#include "box.h"
#include "tap.h"
#include "tree.h"

void
box_new(struct box *b, int base)
{
	struct err	 e;
	bool		 left = false;

	memset(b, 0, sizeof(*b));
	b->all = true;
	b->base = base;
	b->run = t_dir();
	b->state = t_dir();
	if (copy_tree(base, b->run, &left, &e) < 0)
		errx(2, "%s", e.msg);
}

void
box_free(struct box *b)
{
	size_t	 i;

	pend_free(&b->pend);
	ents_free(&b->ov);
	patt_free(b->patt);
	for (i = 0; i < b->nblobs; i++)
		buf_free(&b->blobs[i].b);
	free(b->blobs);
	buf_free(&b->jrn);
	t_sweep();
}

void
box_ignore(struct box *b, const char *patterns)
{
	struct err	 e;

	patt_free(b->patt);
	b->patt = NULL;
	if (patterns != NULL && (patt_new(&b->patt, &e) < 0 ||
	    patt_add(b->patt, patterns, strlen(patterns), "test", &e) < 0))
		errx(2, "%s", e.msg);
}

void
box_note(struct box *b, const char *path, enum jrn_op op, int flags,
    unsigned uid, const char *comm)
{
	struct jrn_rec	 r = { .op = op, .flags = (uint8_t)flags, .uid = uid,
			    .count = 1, .time = ++b->clock };
	int		 fd;

	(void)strncpy(r.comm, comm, sizeof(r.comm) - 1);
	r.path = path;
	r.pathlen = strlen(path);
	if (b->jrn.len == 0)
		jrn_put_head(&b->jrn, 1);
	jrn_put(&b->jrn, &r);
	fd = openat(b->state, "journal.1", O_WRONLY | O_CREAT | O_TRUNC,
	    0600);
	if (write(fd, b->jrn.p, b->jrn.len) != (ssize_t)b->jrn.len)
		err(2, "journal");
	(void)close(fd);
}

void
box_find(struct box *b)
{
	struct pers	 p = { b->base, &b->ov, NULL, NULL };
	struct err	 e = { 0, "" };

	pend_free(&b->pend);
	if ((b->all ? pend_find_all : pend_find)(&b->pend, b->run,
	    b->jrn.len == 0 ? -1 : b->state, UINT64_MAX, &p, b->patt, &e) < 0)
		errx(2, "%s", e.msg);
}

void
box_expect(struct box *b, const char *lines)
{
	struct buf	 o = BUF_INIT;
	size_t		 i;

	box_find(b);
	for (i = 0; i < b->pend.n; i++)
		put_fmt(&o, "%c %s\n", pend_letter(&b->pend.v[i]),
		    b->pend.v[i].path);
	put_u8(&o, '\0');
	if (!OK(strcmp((char *)o.p, lines) == 0))
		tap_diag("have:\n%swant:\n%s", (char *)o.p, lines);
	buf_free(&o);
}

static const struct buf *
blob(const struct box *b, const struct hash *h)
{
	size_t	 i;

	for (i = 0; i < b->nblobs; i++)
		if (memcmp(b->blobs[i].h.b, h->b, HASH_LEN) == 0)
			return &b->blobs[i].b;
	return NULL;
}

/* What a store does with one change. */
static void
take(struct box *b, struct change *c)
{
	if (c->op == CHANGE_DROP) {
		OK(ents_find(&b->ov, c->e.path) != NULL);
		ents_del(&b->ov, c->e.path);
		return;
	}
	if (c->e.type == ENT_REG && blob(b, &c->e.hash) == NULL) {
		b->blobs = realloc(b->blobs,
		    (b->nblobs + 1) * sizeof(*b->blobs));
		b->blobs[b->nblobs].h = c->e.hash;
		b->blobs[b->nblobs++].b = c->data;
		memset(&c->data, 0, sizeof(c->data));
	}
	if (ents_put(&b->ov, &c->e) < 0)
		errx(2, "out of memory");
}

/* The rules of an overlay, and that a whiteout hides something. */
static void
check_overlay(const struct box *b)
{
	const struct ent	*x, *cover = NULL;
	size_t			 i;

	for (i = 0; i < b->ov.n; i++) {
		x = &b->ov.v[i];
		if (cover != NULL && !OK(!path_within(x->path, cover->path)))
			tap_diag("%s below %s", x->path, cover->path);
		if (x->type != ENT_DIR)
			cover = x;
		if (x->type == ENT_WHITEOUT && !OK(t_there(b->base, x->path)))
			tap_diag("%s", x->path);
		if (x->type == ENT_REG)
			OK(blob(b, &x->hash) != NULL);
	}
}

int
box_commit(struct box *b, char *const *paths)
{
	struct pers	 p = { b->base, &b->ov, NULL, NULL };
	struct commit	 c;
	struct pend	 rest;
	struct buf	 carry = BUF_INIT;
	struct err	 e;
	size_t		 i;
	int		 n;

	memset(&c, 0, sizeof(c));
	box_find(b);
	if (pend_split(&b->pend, paths, paths != NULL, &rest, &e) < 0 ||
	    change_build(&c, &b->pend, b->run, &p, b->patt, NULL,
	    &e) < 0)
		errx(2, "%s", e.msg);
	for (i = 0; i < c.n; i++)
		OK(i == 0 || path_cmp(c.v[i - 1].e.path, c.v[i].e.path) < 0);
	for (i = 0; i < c.n; i++)
		take(b, &c.v[i]);
	check_overlay(b);
	change_carry(&carry, &rest, &b->pend);
	if (b->jrn.len > 0) {
		if (jrn_replace(b->state, 1, &carry, &e) < 0)
			errx(2, "%s", e.msg);
		b->jrn.len = 0;
		jrn_put_head(&b->jrn, 1);
		put_bytes(&b->jrn, carry.p, carry.len);
	}
	n = (int)c.n;
	for (i = 0; i < c.n; i++) {
		ent_free(&c.v[i].e);
		buf_free(&c.v[i].data);
	}
	free(c.v);
	pend_free(&rest);
	buf_free(&carry);
	return n;
}

int
box_restores(struct box *b)
{
	struct apply		 a;
	const struct ent	*x;
	const struct buf	*d;
	struct err		 e;
	bool			 left = false;
	size_t			 i;
	int			 to = t_dir(), same;

	a = (struct apply)APPLY_INIT(to, false);
	if (copy_tree(b->base, to, &left, &e) < 0)
		errx(2, "%s", e.msg);
	for (i = 0; i < b->ov.n; i++) {
		x = &b->ov.v[i];
		d = x->type == ENT_REG ? blob(b, &x->hash) : NULL;
		if (apply_ent(&a, x, d == NULL ? NULL : d->p,
		    d == NULL ? 0 : d->len, &e) < 0)
			errx(2, "%s", e.msg);
	}
	apply_free(&a);
	same = t_same(to, b->run, 0);
	t_drop();
	return same;
}
