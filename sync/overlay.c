/*
 * overlay.c: from one overlay to the next, by a commit's steps.
 *
 * A whiteout, or what is no directory, takes the entries below it along:
 * so an overlay never has any there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "store-int.h"

void
steps_free(struct steps *s)
{
	size_t	 i;

	for (i = 0; i < s->n; i++)
		ent_free(&s->v[i].c.e);
	free(s->v);
	s->v = NULL;
	s->n = 0;
}

/* Names in order, each with a NUL, a length and a value. */
static bool
xattr_ok(const uint8_t *p, size_t n)
{
	struct rd	 r = { p, n, false };
	const uint8_t	*nul;
	const char	*prev = NULL, *name;

	while (r.n > 0) {
		name = (const char *)r.p;
		if ((nul = memchr(r.p, '\0', r.n)) == NULL || *name == '\0')
			return false;
		(void)rd_bytes(&r, (size_t)(nul - r.p) + 1);
		(void)rd_bytes(&r, rd_le32(&r));
		if (r.bad || (prev != NULL && strcmp(prev, name) >= 0))
			return false;
		prev = name;
	}
	return true;
}

bool
overlay_ent_ok(const struct ent *e)
{
	if (e->path == NULL || !hid_ok(e->path))
		return false;
	if (e->type < ENT_REG || e->type > ENT_WHITEOUT)
		return false;
	if (e->path[0] == '\0' && e->type != ENT_DIR)
		return false;
	if ((e->type == ENT_LNK) != (e->target != NULL) ||
	    (e->target != NULL && e->target[0] == '\0'))
		return false;
	return (e->mode & ~07777u) == 0 && e->mtime_ns < 1000000000 &&
	    (e->type == ENT_REG ? e->size <= CONTENT_MAX : e->size == 0) &&
	    (e->xattrlen == 0 || xattr_ok(e->xattr, e->xattrlen));
}

/* Whether nothing can lie below it.  Hidden entries are no tree. */
static bool
blocks(const struct ent *e)
{
	return e->type != ENT_DIR && !hid_is(e->path);
}

/* Steps that only change entries in place, and no directory to a file. */
static bool
in_place(const struct ents *ov, const struct steps *s)
{
	size_t	 i;

	for (i = 0; i < s->n; i++)
		if (s->v[i].c.op != CHANGE_SET || s->v[i].at == NOWHERE ||
		    blocks(&ov->v[s->v[i].at]) != blocks(&s->v[i].c.e))
			return false;
	return true;
}

void
plan_free(struct plan *p)
{
	free(p->from);
	free(p->v);
	free(p->gone);
	memset(p, 0, sizeof(*p));
}

/* Old entries from *i on that lie below e go with it. */
static void
take_below(const struct ents *ov, size_t *i, const struct ent *e,
    struct plan *p)
{
	if (!blocks(e))
		return;
	for (; *i < ov->n && path_within(ov->v[*i].path, e->path); (*i)++)
		p->gone[*i] = true;
}

static void
merge(const struct ents *ov, const struct steps *s, struct plan *p)
{
	const struct step	*st;
	size_t			 i = 0, j;

	for (j = 0; j < s->n; j++) {
		st = &s->v[j];
		while (i < ov->n &&
		    path_cmp(ov->v[i].path, st->c.e.path) < 0)
			p->from[p->n++] = &ov->v[i++];
		if (i < ov->n && path_cmp(ov->v[i].path, st->c.e.path) == 0)
			p->gone[i++] = true;
		if (st->c.op != CHANGE_SET)
			continue;
		p->from[p->n++] = &st->c.e;
		take_below(ov, &i, &st->c.e, p);
	}
	while (i < ov->n)
		p->from[p->n++] = &ov->v[i++];
}

int
overlay_plan(const struct ents *ov, const struct steps *s, struct plan *p,
    const char **bad)
{
	const char	*cover = NULL;
	size_t		 i;

	memset(p, 0, sizeof(*p));
	if (in_place(ov, s))
		return 0;
	p->from = calloc(ov->n + s->n + 1, sizeof(*p->from));
	p->v = calloc(ov->n + s->n + 1, sizeof(*p->v));
	p->gone = calloc(ov->n + 1, sizeof(*p->gone));
	if (p->from == NULL || p->v == NULL || p->gone == NULL) {
		plan_free(p);
		return -ENOMEM;
	}
	merge(ov, s, p);
	for (i = 0; i < p->n; i++) {
		if (cover != NULL && path_within(p->from[i]->path, cover)) {
			*bad = p->from[i]->path;
			plan_free(p);
			return -EINVAL;
		}
		cover = blocks(p->from[i]) ? p->from[i]->path : NULL;
	}
	return 0;
}

void
overlay_do(struct ents *ov, struct steps *s, struct plan *p)
{
	size_t	 i;

	if (p->v == NULL) {
		for (i = 0; i < s->n; i++) {
			ent_free(&ov->v[s->v[i].at]);
			ov->v[s->v[i].at] = s->v[i].c.e;
			memset(&s->v[i].c.e, 0, sizeof(s->v[i].c.e));
		}
		return;
	}
	for (i = 0; i < p->n; i++)
		p->v[i] = *p->from[i];
	for (i = 0; i < ov->n; i++)
		if (p->gone[i])
			ent_free(&ov->v[i]);
	free(ov->v);
	for (i = 0; i < s->n; i++)
		if (s->v[i].c.op == CHANGE_SET)
			memset(&s->v[i].c.e, 0, sizeof(s->v[i].c.e));
	ov->v = p->v;
	ov->n = ov->cap = p->n;
	p->v = NULL;
	plan_free(p);
}

int
overlay_apply(struct ents *ov, struct steps *s, const char **bad)
{
	struct plan	 p;
	int		 rc;

	if ((rc = overlay_plan(ov, s, &p, bad)) == 0)
		overlay_do(ov, s, &p);
	return rc;
}
