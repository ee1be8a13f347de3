/*
 * peerset.c: what of a store crosses to a peer.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "peerset.h"

bool
peer_never(const struct patt *p, const char *path)
{
	/* A whiteout does not say what is not there. */
	return *path == '\0' || patt_match(p, path, false) ||
	    patt_match(p, path, true);
}

/* The first name of an entry's inode; its own where it has no other. */
static const char *
first_name(const struct ents *v, const struct ent *e)
{
	size_t	 i;

	for (i = 0; e->link != 0 && i < v->n; i++)
		if (v->v[i].link == e->link)
			return v->v[i].path;
	return e->path;
}

/* Numbers of links are each overlay's own. */
static bool
same(const struct ents *a, const struct ent *x, const struct ents *b,
    const struct ent *y)
{
	return ent_same(x, y) && strcmp(first_name(a, x),
	    first_name(b, y)) == 0;
}

int
overlay_diff(const struct ents *a, const struct ents *b, struct strs *out)
{
	size_t	 i = 0, k = 0;
	int	 c;

	while (i < a->n || k < b->n) {
		c = i == a->n ? 1 : k == b->n ? -1 :
		    path_cmp(a->v[i].path, b->v[k].path);
		if ((c != 0 || !same(a, &a->v[i], b, &b->v[k])) &&
		    strs_put(out, strdup(c <= 0 ? a->v[i].path :
		    b->v[k].path)) < 0)
			return -ENOMEM;
		i += c <= 0;
		k += c >= 0;
	}
	return 0;
}

/* All names of what has changed, as they are made one inode there. */
static int
with_links(const struct ents *to, struct strs *paths)
{
	const struct ent	*e;
	size_t			 i, k, n = paths->n;
	int			 rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		e = ents_find(to, paths->v[i]);
		for (k = 0; e != NULL && e->link != 0 && k < to->n &&
		    rc == 0; k++)
			if (to->v[k].link == e->link)
				rc = strs_put(paths, strdup(to->v[k].path));
	}
	strs_sort(paths);
	return rc;
}

/* An earlier change of the same inode, or NULL. */
static const struct change *
earlier(const struct commit *c, uint32_t link)
{
	size_t	 i;

	for (i = 0; link != 0 && i < c->n; i++)
		if (c->v[i].op == CHANGE_SET && c->v[i].e.link == link)
			return &c->v[i];
	return NULL;
}

/* The content of a file, as the peer is to have it. */
static int
fill(struct change *x, struct store *s, const struct peers *ps,
    size_t *total, struct err *e)
{
	struct buf	 raw = BUF_INIT;
	int		 rc;

	if ((*total += x->e.size) > PEER_TOTAL)
		return err_setx(e, EFBIG, "what is to be pushed is more than "
		    "%u MB", PEER_TOTAL >> 20);
	if ((rc = store_content(s, &x->e, &raw, e)) < 0)
		return rc;
	peers_subst(ps, x->e.path, raw.p, raw.len, &x->data);
	buf_free(&raw);
	if (x->data.bad)
		return err_set(e, ENOMEM, "%s", x->e.path);
	*total += x->data.len - x->e.size;	/* it may have shrunk, too */
	x->e.size = x->data.len;
	hash_mem(&x->e.hash, x->data.p, x->data.len);
	return 0;
}

static int
add(struct offer *o, struct store *s, const struct ent *was,
    const struct ent *is, const struct peers *ps, size_t *total,
    struct err *e)
{
	const struct change	*first;
	struct change		 x;
	int			 rc = 0;

	memset(&x, 0, sizeof(x));
	x.op = is != NULL ? CHANGE_SET : CHANGE_DROP;
	if (ent_copy(&x.e, is != NULL ? is : was) < 0)
		return err_set(e, ENOMEM, "push");
	if (x.op == CHANGE_SET && x.e.type == ENT_REG) {
		if ((first = earlier(&o->c, x.e.link)) == NULL)
			rc = fill(&x, s, ps, total, e);
		else {
			x.e.size = first->e.size;
			x.e.hash = first->e.hash;
		}
	}
	o->c.v[o->c.n++] = x;
	return rc;
}

int
offer_make(struct offer *o, struct store *s, uint64_t from,
    const struct peers *ps, const struct patt *never, struct err *e)
{
	struct ents	 a = { NULL, 0, 0 }, b = { NULL, 0, 0 };
	struct strs	 d = { NULL, 0, 0 };
	size_t		 i, total = 0;
	int		 rc;

	o->gen = store_head(s);
	if ((rc = store_overlay(s, from, &a, e)) < 0 ||
	    (rc = store_overlay(s, o->gen, &b, e)) < 0)
		goto out;
	if (overlay_diff(&a, &b, &d) < 0 || with_links(&b, &d) < 0 ||
	    (o->c.v = calloc(d.n + 1, sizeof(*o->c.v))) == NULL) {
		rc = err_set(e, ENOMEM, "push");
		goto out;
	}
	for (i = 0; i < d.n && rc == 0; i++)
		if (!peer_never(never, d.v[i]))
			rc = add(o, s, ents_find(&a, d.v[i]),
			    ents_find(&b, d.v[i]), ps, &total, e);
	if (rc == 0 && o->c.n > PEER_PATHS)
		rc = err_setx(e, EFBIG, "what is to be pushed is more than "
		    "%d paths", PEER_PATHS);
out:
	strs_free(&d);
	ents_free(&a);
	ents_free(&b);
	return rc;
}
