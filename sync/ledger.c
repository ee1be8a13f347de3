/*
 * ledger.c: what was written, as far as the records are still there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store-int.h"

struct book {
	struct store	*s;
	int		(*fn)(void *, const struct store_write *);
	void		*arg;
	struct store_write w;		/* the next to be told; path and
					   stored are owned by it */
	uint64_t	 checkpoint;	/* bytes of one that the next record
					   was written with */
};

/* Bytes that this very record holds of a content. */
static uint64_t
stored(const struct store *s, uint32_t area, const struct rec *r,
    const struct ent *x)
{
	const struct blobs	*b = &s->area[area].blobs;
	size_t			 nr = LOC_BLOB(x->loc);

	if (x->type != ENT_REG || x->loc == 0 || LOC_AREA(x->loc) != area ||
	    nr >= b->n || b->v[nr].off < r->off ||
	    b->v[nr].off >= r->off + rec_size(r, s->sb.align))
		return 0;
	return b->v[nr].len;
}

/* The paths that the record changed. */
static int
paths(struct book *k, uint32_t area, const struct rec *r, struct meta *m)
{
	const char	**path = calloc(m->s.n + 1, sizeof(*path));
	uint64_t	*len = calloc(m->s.n + 1, sizeof(*len));
	size_t		 i;

	k->w.path = path;
	k->w.stored = len;
	if (path == NULL || len == NULL)
		return -ENOMEM;
	for (i = 0; i < m->s.n; i++) {
		if (m->s.v[i].carried || hid_is(m->s.v[i].c.e.path))
			continue;
		path[k->w.n] = m->s.v[i].c.e.path;
		len[k->w.n++] = stored(k->s, area, r, &m->s.v[i].c.e);
	}
	return 0;
}

static int
one(struct book *k, uint32_t area, const struct rec *r, struct meta *m)
{
	int	 rc;

	/* That of an empty store was written when the store was made. */
	if ((r->flags & REC_FIRST) == 0)
		k->checkpoint = 0;
	k->w = (struct store_write){ .gen = r->seq, .time = m->c.time,
	    .bytes = rec_size(r, k->s->sb.align) + k->checkpoint,
	    .area = r->type == REC_WHOLE || k->checkpoint > 0,
	    .note = r->type == REC_NOTE };
	k->checkpoint = 0;
	if ((rc = paths(k, area, r, m)) == 0)
		rc = k->fn(k->arg, &k->w);
	free((void *)(uintptr_t)k->w.path);
	free((void *)(uintptr_t)k->w.stored);
	return rc;
}

static int
of_area(struct book *k, uint32_t area, struct err *e)
{
	struct store		*s = k->s;
	const struct area	*a = &s->area[area];
	struct ents		 ov = { NULL, 0, 0 };
	struct meta		 m;
	const char		*bad;
	size_t			 i;
	int			 rc = 0;

	k->checkpoint = 0;
	for (i = 0; rc == 0 && i < a->nrec; i++) {
		if (a->rec[i].type > REC_NOTE)
			continue;
		if ((rc = area_meta(s, area, i, &ov, &m, e)) < 0)
			break;
		if (a->rec[i].type == REC_CHECK)
			k->checkpoint = rec_size(&a->rec[i], s->sb.align);
		else
			rc = one(k, area, &a->rec[i], &m);
		if (rc == -ENOMEM)
			(void)err_set(e, ENOMEM, "%s", s->io->name);
		if (rc == 0 && overlay_apply(&ov, &m.s, &bad) < 0)
			rc = err_set(e, EBADMSG, "%s: ledger", s->io->name);
		meta_free(&m);
	}
	ents_free(&ov);
	return rc;
}

int
store_ledger(struct store *s, int (*fn)(void *, const struct store_write *),
    void *arg, struct err *e)
{
	struct book	 k = { .s = s, .fn = fn, .arg = arg };
	struct ents	 ov = { NULL, 0, 0 };
	struct area	*a;
	uint32_t	 i;
	int		 rc = 0;

	for (i = 0; rc == 0 && i < s->sb.areas; i++) {
		a = &s->area[i];
		if (a->state == AREA_GOOD && !a->loaded &&
		    area_load(s, i, &ov, NULL) < 0)
			a->state = AREA_BAD;
		ents_free(&ov);
		if (a->state == AREA_GOOD)
			rc = of_area(&k, i, e);
	}
	return rc;
}
