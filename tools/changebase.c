/*
 * changebase.c: what of the base goes into a commit: what each entry
 * replaces there, and the entries that are told for the base's sake alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "build.h"
#include "pin.h"
#include "rebase.h"

struct change *
build_add(struct build *b, enum change_op op, const char *path)
{
	struct change	*v;

	if (more_room(&b->c->v, b->c->n, &b->cap, sizeof(*v)) < 0)
		return NULL;
	v = &b->c->v[b->c->n];
	memset(v, 0, sizeof(*v));
	v->op = op;
	if ((v->e.path = strdup(path)) == NULL)
		return NULL;
	b->c->n++;
	return v;
}

struct change *
build_copy(struct build *b, const char *path, const struct ent *x)
{
	struct change	*v = build_add(b, CHANGE_SET, path);
	struct ent	 bare = *x;
	char		*own;

	if (v == NULL)
		return NULL;
	own = v->e.path;
	bare.base = NULL;
	if (ent_copy(&v->e, &bare) < 0) {
		v->e.path = own;
		return NULL;
	}
	free(v->e.path);
	v->e.path = own;
	return v;
}

const struct pent *
build_pend(const struct build *b, const char *path)
{
	const struct pend	*p = b->pend;
	size_t	 lo = 0, hi = p->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(p->v[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < p->n && strcmp(p->v[lo].path, path) == 0 ? &p->v[lo] :
	    NULL;
}

/*
 * What the base has in the place of this entry.  A content that was kept
 * already stays where it is; one is only kept for what can be merged.
 */
int
build_over(struct build *b, struct change *v)
{
	const struct ent	*was = b->pers->ov == NULL ? NULL :
				    ents_find(b->pers->ov, v->e.path);
	struct ent		 now;
	struct ent_base		*o;
	int			 rc;

	if (b->pers->base == -1)
		return 0;
	if ((rc = pers_base(b->pers, v->e.path, ENT_HASH, &now, NULL, NULL,
	    b->e)) < 0)
		return rc;
	if ((o = v->e.base = base_of(&now)) == NULL)
		rc = err_set(b->e, ENOMEM, "%s", v->e.path);
	else if (o->type == ENT_REG && was != NULL && was->base != NULL &&
	    base_content_same(was->base, &now))
		o->loc = was->base->loc;
	if (rc == 0 && b->base->keep && o->loc == 0 && o->type == ENT_REG &&
	    v->e.type == ENT_REG && o->size <= REBASE_MAX &&
	    !base_content_same(o, &v->e))
		rc = pers_content(b->pers, &now, true, &v->base_data, b->e);
	ent_free(&now);
	return rc;
}

static int
change_cmp(const void *a, const void *b)
{
	return path_cmp(((const struct change *)a)->e.path,
	    ((const struct change *)b)->e.path);
}

size_t
build_sort(struct commit *c)
{
	if (c->n > 0)
		qsort(c->v, c->n, sizeof(*c->v), change_cmp);
	return c->n;
}

/* Whether the commit has a word on path already; its first n are in
 * order. */
static bool
told(const struct build *b, size_t n, const char *path)
{
	size_t	 lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(b->c->v[mid].e.path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && strcmp(b->c->v[lo].e.path, path) == 0;
}

/* An entry of the overlay, as it is, over the base of now. */
static int
tell_again(struct build *b, const struct ent *x)
{
	struct change	*v = build_copy(b, x->path, x);
	int		 rc = 0;

	if (v == NULL)
		return err_set(b->e, ENOMEM, "%s", x->path);
	v->e.loc = 0;
	if (x->type == ENT_REG)
		rc = pers_content(b->pers, x, false, &v->data, b->e);
	b->base->nalso++;
	return rc < 0 ? rc : build_over(b, v);
}

static int
mine(struct build *b, size_t n)
{
	const struct strs	*l = b->base->mine;
	const struct ent	*x;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; l != NULL && i < l->n && rc == 0; i++)
		if ((x = ents_find(b->pers->ov, l->v[i])) != NULL &&
		    !told(b, n, x->path))
			rc = tell_again(b, x);
	return rc;
}

/* What is pinned, and has no entry as the base has it just so. */
static int
pin(struct build *b, const char *path)
{
	struct change	*v;
	struct ent	 now;
	uint64_t	 nlink;
	int		 rc;

	if ((rc = pers_base(b->pers, path, ENT_HASH, &now, NULL, &nlink,
	    b->e)) < 0)
		return rc;
	if (now.type != ENT_LNK && (now.type != ENT_REG || nlink > 1))
		goto out;
	if ((v = build_copy(b, path, &now)) == NULL)
		rc = err_set(b->e, ENOMEM, "%s", path);
	else if (now.type != ENT_REG || (rc = pers_content(b->pers, &now,
	    true, &v->data, b->e)) == 0)
		rc = build_over(b, v);
	b->base->nalso++;
out:
	ent_free(&now);
	return rc;
}

static int
pins(struct build *b, size_t n)
{
	const struct strs	*l = b->base->pins;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; l != NULL && i < l->n && rc == 0; i++)
		if (pers_over(b->pers, l->v[i]) == NULL &&
		    !told(b, n, l->v[i]) && build_pend(b, l->v[i]) ==
		    NULL && (b->patt == NULL ||
		    !patt_match(b->patt, l->v[i], false)))
			rc = pin(b, l->v[i]);
	return rc;
}

/* Whether the base has it just so; its content is only read where all
 * else is the same. */
static int
like_base(struct build *b, const struct ent *x)
{
	struct ent	 now;
	int		 rc;

	if ((rc = pers_base(b->pers, x->path, 0, &now, NULL, NULL, b->e)) < 0)
		return rc;
	now.hash = x->hash;
	rc = ent_same(x, &now);
	ent_free(&now);
	if (rc == 0 || x->type != ENT_REG)
		return rc;
	if ((rc = pers_base(b->pers, x->path, ENT_HASH, &now, NULL, NULL,
	    b->e)) < 0)
		return rc;
	rc = ent_same(x, &now);
	ent_free(&now);
	return rc;
}

static int
follow(struct build *b, size_t n)
{
	const struct ents	*ov = b->pers->ov;
	const struct ent	*x;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; ov != NULL && i < ov->n && rc == 0; i++) {
		x = &ov->v[i];
		if (x->link != 0 || told(b, n, x->path) ||
		    build_pend(b, x->path) != NULL ||
		    pin_has(b->base->pins, x->path))
			continue;
		if ((rc = like_base(b, x)) == 1) {
			b->base->nfollow++;
			rc = build_drop(b, x->path, NULL);
		}
	}
	return rc;
}

/* What is told though it is not pending. */
int
build_also(struct build *b)
{
	int	 rc;

	if (b->pers->base == -1 || b->pers->ov == NULL)
		return 0;
	rc = mine(b, build_sort(b->c));
	/* For the rest alone no commit is made. */
	if (rc < 0 || b->c->n == 0 || !b->base->follow)
		return rc;
	rc = pins(b, build_sort(b->c));
	return rc < 0 ? rc : follow(b, build_sort(b->c));
}
