/*
 * mirror-scan.c: how far a copy of a store is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

#define BATCH	128		/* headers that are asked for at once */

/* A header of the copy's, at a place where one may be. */
struct probe {
	uint8_t		 b[REC_LEN];
	uint64_t	 off;
};

/* Read headers of the copy; what lies behind its end is zeros. */
static int
probe(struct io *to, struct probe *p, size_t n, struct io_range *more,
    size_t nmore, struct err *e)
{
	struct io_range	*v = calloc(n + nmore + 1, sizeof(*v));
	size_t		 i, k = 0;
	int		 rc;

	if (v == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	for (i = 0; i < nmore; i++)
		v[k++] = more[i];
	for (i = 0; i < n; i++) {
		memset(p[i].b, 0, REC_LEN);
		if (p[i].off <= to->size && to->size - p[i].off >= REC_LEN)
			v[k++] = (struct io_range){ p[i].b, REC_LEN,
			    p[i].off };
	}
	rc = k == 0 ? 0 : io_readv(to, v, k, e);
	free(v);
	return rc;
}

/* The same of records of an area. */
static int
probe_recs(struct chart *c, struct io *to, uint32_t area, size_t from,
    size_t n, bool *same, struct err *e)
{
	const struct rec	*r = c->s->area[area].rec + from;
	struct probe		*p = calloc(n + 1, sizeof(*p));
	uint8_t			 mine[REC_LEN];
	struct rec		 copy;
	size_t			 i;
	int			 rc;

	if (p == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	for (i = 0; i < n; i++)
		p[i].off = r[i].off;
	rc = probe(to, p, n, NULL, 0, e);
	for (i = 0; rc == 0 && i < n; i++) {
		copy = r[i];
		rec_put(mine, &copy, c->s->sb.id);
		same[i] = memcmp(mine, p[i].b, REC_LEN) == 0;
	}
	free(p);
	return rc;
}

int
front_count(struct chart *c, struct io *to, uint32_t area, size_t *n,
    struct err *e)
{
	const size_t	 all = c->s->area[area].nrec;
	bool		 same[BATCH];
	size_t		 i, k;
	int		 rc;

	for (*n = 0; *n < all; *n += k) {
		k = all - *n < BATCH ? all - *n : BATCH;
		if ((rc = probe_recs(c, to, area, *n, k, same, e)) < 0)
			return rc;
		for (i = 0; i < k && same[i]; i++)
			;
		if (i < k) {
			*n += i;
			break;
		}
	}
	return 0;
}

/* --- one look at the copy */

struct look {
	struct chart	*c;
	struct mirror_job *j;
	struct front	*f;
	uint8_t		 super[SUPER_LEN];
	struct probe	*head;		/* by area */
	struct probe	 last[PROBE];	/* of the store's newest area */
	size_t		 from;		/* record of last[0] */
	size_t		 nlast;
	struct probe	 next;		/* behind the store's last record */
	struct probe	 at;		/* where the caller knows one */
	struct probe	 after;		/* and behind that */
};

static const struct area *
newest(const struct chart *c)
{
	return &c->s->area[c->order[c->n - 1]];
}

/* Where a record behind this one is, or would be; nowhere: UINT64_MAX. */
static uint64_t
behind(const struct chart *c, uint32_t i, size_t rec)
{
	const struct area	*a = &c->s->area[i];
	uint64_t		 end = area_off(c->s, i) + c->s->sb.area;
	uint64_t		 off = rec + 1 < a->nrec ? a->rec[rec + 1].off :
	    a->end;

	return off <= end && end - off >= REC_LEN ? off : UINT64_MAX;
}

/* The same of the one that the caller knows. */
static uint64_t
behind_known(const struct look *l)
{
	const struct chart	*c = l->c;
	const struct area	*a;
	uint32_t		 k;
	size_t			 i;

	for (k = 0; k < c->n; k++) {
		a = &c->s->area[c->order[k]];
		for (i = 0; i < a->nrec; i++)
			if (a->rec[i].off == l->j->at->off)
				return behind(c, c->order[k], i);
	}
	return UINT64_MAX;
}

static int
fetch(struct look *l, struct err *e)
{
	const struct store	*s = l->c->s;
	const struct area	*a = newest(l->c);
	struct probe		*p;
	struct io_range		 sup = { l->super, SUPER_LEN, 0 };
	size_t			 n = s->sb.areas, i, k;
	int			 rc;

	if ((p = calloc(n + PROBE + 3, sizeof(*p))) == NULL)
		return err_set(e, ENOMEM, "%s", l->j->to->name);
	for (i = 0; i < n; i++)
		p[i].off = area_off(s, (uint32_t)i);
	/* Where the last synced record is known, it tells enough. */
	if (l->j->at->id == s->sb.id) {
		p[n++].off = l->j->at->off;
		p[n++].off = behind_known(l);
	} else {
		l->nlast = a->nrec < PROBE ? a->nrec : PROBE;
		l->from = a->nrec - l->nlast;
		for (i = 0; i < l->nlast; i++)
			p[n++].off = a->rec[l->from + i].off;
	}
	p[n++].off = behind(l->c, l->c->order[l->c->n - 1], a->nrec - 1);
	rc = probe(l->j->to, p, n, &sup, 1, e);
	if (rc == 0) {
		memcpy(l->head, p, s->sb.areas * sizeof(*p));
		k = s->sb.areas;
		if (l->nlast == 0) {
			l->at = p[k++];
			l->after = p[k++];
		}
		memcpy(l->last, p + k, l->nlast * sizeof(*p));
		l->next = p[n - 1];
	}
	free(p);
	return rc;
}

static int
no_copy(const struct look *l, struct err *e)
{
#ifdef EMEDIUMTYPE
	const int	 code = EMEDIUMTYPE;
#else
	const int	 code = EINVAL;
#endif
	return err_setx(e, code, "%s: not a copy of this store",
	    l->j->to->name);
}

static int
spoilt(const struct look *l, struct err *e)
{
	return err_setx(e, ESTALE, "%s: the mirror is damaged",
	    l->j->to->name);
}

/* Whose store it is. */
static int
check_super(struct look *l, struct err *e)
{
	struct io	*to = l->j->to;
	uint8_t		 copy[SUPER_LEN];
	int		 rc;

	l->f->copy = true;
	l->f->super = memcmp(l->super, l->c->super, SUPER_LEN) == 0;
	if (l->f->super && !l->j->whole)
		return 0;
	if (to->size < 2 * SUPER_LEN)
		return l->f->super ? spoilt(l, e) : no_copy(l, e);
	if ((rc = to->ops->read(to, copy, SUPER_LEN, to->size - SUPER_LEN,
	    e)) < 0)
		return rc;
	l->f->copy = memcmp(copy, l->c->super, SUPER_LEN) == 0;
	if (l->f->super || l->f->copy)
		return super_good(to, false) && !l->f->super ?
		    no_copy(l, e) : 0;
	if (super_good(to, false) || super_good(to, true) ||
	    !store_probe(to))
		return no_copy(l, e);
	return spoilt(l, e);
}

/* A record of the copy's, where it is one of this store's. */
static bool
parse(const struct look *l, const struct probe *p, uint32_t area,
    struct rec *r)
{
	return rec_get(p->b, l->c->s->sb.id, p->off,
	    area_off(l->c->s, area) + l->c->s->sb.area, r);
}

static bool
equal(const struct look *l, const struct probe *p, const struct rec *r)
{
	struct rec	 copy = *r;
	uint8_t		 mine[REC_LEN];

	rec_put(mine, &copy, l->c->s->sb.id);
	return memcmp(mine, p->b, REC_LEN) == 0;
}

static int
ahead(const struct look *l, uint64_t seq, struct err *e)
{
	return err_setx(e, EEXIST, "%s: the mirror is ahead: it has "
	    "generation %" PRIu64 ", this store %" PRIu64, l->j->to->name,
	    seq, l->c->s->seq);
}

static int
diverged(const struct look *l, uint64_t seq, struct err *e)
{
	return err_setx(e, EEXIST, "%s: the mirror has other commits than "
	    "this store after generation %" PRIu64, l->j->to->name, seq);
}

/* The generation that an area was begun upon. */
static uint64_t
base_of(const struct area *a)
{
	return a->first - (a->whole && a->first > 0 ? 1 : 0);
}

/* The store's next area after this generation of areas, or NULL. */
static const struct area *
begun_after(const struct chart *c, uint32_t gen)
{
	uint32_t	 k;

	for (k = 0; k < c->n; k++)
		if (c->s->area[c->order[k]].gen > gen)
			return &c->s->area[c->order[k]];
	return NULL;
}

/*
 * The copy's newest area, where the store has it no more: it was either
 * written over, and then the store went on from its end at the soonest; or
 * it was lost, and the copy has what nobody else has.
 */
static int
check_gone(struct look *l, struct err *e)
{
	const struct store	*s = l->c->s;
	uint32_t		 i = l->f->newest;
	const struct area	*next;
	struct probe		 p = l->head[i];
	struct rec		 r, last;
	int			 rc;

	if (!l->f->has || !parse(l, &p, i, &r) ||
	    (s->area[i].state == AREA_GOOD &&
	    equal(l, &p, &s->area[i].rec[0])) ||
	    (next = begun_after(l->c, r.gen)) == NULL)
		return 0;
	for (;;) {
		if (r.seq > base_of(next) || (r.seq == base_of(next) &&
		    r.gen + 1 == next->gen && r.type == REC_COMMIT &&
		    r.sum != next->rec[0].parent))
			return diverged(l, base_of(next), e);
		last = r;
		p.off += rec_size(&r, s->sb.align);
		if ((rc = probe(l->j->to, &p, 1, NULL, 0, e)) < 0)
			return rc;
		if (!parse(l, &p, i, &r) || r.life != last.life ||
		    r.parent != last.sum)
			return 0;
	}
}

/* Whether the store has this generation of areas, but elsewhere. */
static bool
elsewhere(const struct look *l, uint32_t i, uint32_t gen)
{
	uint32_t	 k;

	for (k = 0; k < l->c->n; k++)
		if (l->c->order[k] != i &&
		    l->c->s->area[l->c->order[k]].gen == gen)
			return true;
	return false;
}

/* The copy's areas, against the store's. */
static int
check_heads(struct look *l, struct err *e)
{
	const struct store	*s = l->c->s;
	const struct area	*a;
	struct rec		 r;
	uint32_t		 i, k, best = 0;

	for (i = 0; i < s->sb.areas; i++) {
		if (!parse(l, &l->head[i], i, &r))
			continue;
		a = &s->area[i];
		if (r.gen > l->c->gen)
			return ahead(l, r.seq, e);
		if ((a->state == AREA_GOOD &&
		    (r.gen > a->gen || (r.gen == a->gen &&
		    !equal(l, &l->head[i], &a->rec[0])))) ||
		    elsewhere(l, i, r.gen))
			return diverged(l, r.seq > 0 ? r.seq - 1 : 0, e);
		if (!l->f->has || r.gen > best) {
			l->f->has = true;
			l->f->newest = i;
			best = r.gen;
		}
	}
	for (k = 0; k < l->c->n; k++) {
		i = l->c->order[k];
		l->f->same[k] = equal(l, &l->head[i], &s->area[i].rec[0]);
		if (l->f->same[k]) {
			l->f->any = true;
			l->f->k = k;
		}
	}
	return check_gone(l, e);
}

/* Whether what stands where another record should be is one of this very
 * life: then somebody else has gone on with it. */
static int
check_next(struct look *l, struct err *e)
{
	const struct area	*a = newest(l->c);
	uint32_t		 i = l->c->order[l->c->n - 1];
	struct rec		 r;
	size_t			 k;

	if (!l->f->same[l->c->n - 1])
		return 0;
	if (parse(l, &l->next, i, &r) && r.life == a->life &&
	    r.gen == a->gen)
		return ahead(l, r.seq, e);
	for (k = 0; k < l->nlast; k++)
		if (!equal(l, &l->last[k], &a->rec[l->from + k]) &&
		    parse(l, &l->last[k], i, &r) && r.life == a->life &&
		    r.gen == a->gen)
			return diverged(l, r.seq > 0 ? r.seq - 1 : 0, e);
	return 0;
}

/* The caller's knowledge, where the copy still says the same. */
static bool
known(struct look *l, const struct area *a)
{
	const struct mirror_at	*at = l->j->at;
	size_t			 i;

	if (at->id != l->c->s->sb.id || l->nlast > 0)
		return false;
	for (i = 0; i < a->nrec; i++)
		if (a->rec[i].off == at->off)
			break;
	if (i == a->nrec || a->rec[i].sum != at->sum ||
	    !equal(l, &l->at, &a->rec[i]))
		return false;
	l->f->last = i;
	l->f->sure = true;
	return true;
}

/* MIRROR_AHEAD headers in a row that are there: so is all before them. */
static bool
in_a_row(struct look *l, const struct area *a)
{
	size_t	 k = l->nlast, top;

	while (k > 0 && !equal(l, &l->last[k - 1], &a->rec[l->from + k - 1]))
		k--;
	for (top = k; k > 0 && equal(l, &l->last[k - 1],
	    &a->rec[l->from + k - 1]); k--)
		;
	if (top == k || (top - k < MIRROR_AHEAD && l->from + k > 0))
		return false;
	l->f->last = l->from + top - 1;
	return true;
}

static int
find_last(struct look *l, struct err *e)
{
	struct front	*f = l->f;
	uint32_t	 i;
	size_t		 n;
	int		 rc;

	f->last = NONE;
	if (!f->any)
		return 0;
	i = l->c->order[f->k];
	if (known(l, &l->c->s->area[i]) ||
	    (f->k == l->c->n - 1 && l->nlast > 0 &&
	    in_a_row(l, &l->c->s->area[i])))
		return 0;
	if ((rc = front_count(l->c, l->j->to, i, &n, e)) < 0)
		return rc;
	if (n == 0)		/* but the first was there a moment ago */
		return spoilt(l, e);
	f->last = n - 1;
	return 0;
}

/*
 * What stands behind the copy's last record that is the store's: where it
 * is of that life and not to be there, the copy went on by itself.  In an
 * area that the store has left, it may be one that is damaged here.
 */
static int
check_behind(struct look *l, struct err *e)
{
	struct front		*f = l->f;
	uint32_t		 i = f->any ? l->c->order[f->k] : 0;
	const struct area	*a = &l->c->s->area[i], *next;
	struct probe		 p = l->after;
	struct rec		 r;
	uint64_t		 off;
	int			 rc;

	if (!f->any || (off = behind(l->c, i, f->last)) == UINT64_MAX)
		return 0;
	if (p.off != off) {
		/* These were looked at. */
		if (f->k == l->c->n - 1 && (off == l->next.off ||
		    (l->nlast > 0 && off >= a->rec[l->from].off)))
			return 0;
		p.off = off;
		if ((rc = probe(l->j->to, &p, 1, NULL, 0, e)) < 0)
			return rc;
	}
	if (!parse(l, &p, i, &r) || r.life != a->life || r.gen != a->gen ||
	    (f->last + 1 < a->nrec && equal(l, &p, &a->rec[f->last + 1])))
		return 0;
	next = begun_after(l->c, a->gen);
	return next != NULL && f->last + 1 == a->nrec &&
	    r.seq <= base_of(next) ? 0 : diverged(l, a->rec[f->last].seq, e);
}

int
front_find(struct chart *c, struct mirror_job *j, struct front *f,
    struct err *e)
{
	struct look	*l = calloc(1, sizeof(*l));
	int		 rc;

	memset(f, 0, sizeof(*f));
	f->same = calloc(c->n + 1, sizeof(*f->same));
	if (l != NULL)
		l->head = calloc(c->s->sb.areas, sizeof(*l->head));
	if (l == NULL || l->head == NULL || f->same == NULL) {
		rc = err_set(e, ENOMEM, "%s", j->to->name);
		goto out;
	}
	l->c = c;
	l->j = j;
	l->f = f;
	if (j->to->size < SUPER_LEN)
		rc = no_copy(l, e);
	else if ((rc = fetch(l, e)) == 0 && (rc = check_super(l, e)) == 0)
		rc = j->to->size < c->s->sb.size ? spoilt(l, e) :
		    check_heads(l, e);
	if (rc == 0 && (rc = check_next(l, e)) == 0 &&
	    (rc = find_last(l, e)) == 0)
		rc = check_behind(l, e);
out:
	if (l != NULL)
		free(l->head);
	free(l);
	if (rc < 0)
		front_free(f);
	return rc;
}

void
front_free(struct front *f)
{
	free(f->same);
	memset(f, 0, sizeof(*f));
}
