/*
 * mirror-look.c: how far a copy is, and whether it is one.
 *
 * One look at its superblock and at some headers tells, where all is
 * well.  A header that is there proves all before it, since each record
 * was sent behind a flush of the one before; but for those that were
 * under way when a write failed, at most MIRROR_AHEAD.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

#define BATCH	4096		/* headers that are asked for at once */
/* Records that are looked at where nothing is known: MIRROR_AHEAD that are
 * there, and some that may be missing behind them. */
#define WINDOW	(MIRROR_AHEAD + 4)

/* A header of the copy's, at a place where one may be. */
struct probe {
	uint8_t		 b[REC_LEN];
	uint64_t	 off;
};

/* The one look.  Its window is where the newest record of the copy is
 * expected. */
struct look {
	struct chart	*c;
	struct mirror_job *j;
	struct front	*f;
	uint8_t		 super[SUPER_LEN];
	struct probe	*p;		/* all of them, owned: */
	struct probe	*head;		/* of each area */
	struct probe	*win;		/* of records from..to of area w */
	struct probe	*next;		/* of what is behind that area's last */
	uint32_t	 w;		/* index in chart.order */
	size_t		 from;
	size_t		 to;
	bool		 known;		/* record `from` was synced, if there */
	bool		 forked;	/* the copy has commits of its own */
	uint64_t	 fork;		/* after this generation */
};

static const struct area *
area_of(const struct chart *c, uint32_t k)
{
	return &c->s->area[c->order[k]];
}

/* Read headers, and `more`; what lies behind the copy's end is zeros. */
static int
probe(struct io *to, struct probe *p, size_t n, const struct io_range *more,
    struct err *e)
{
	struct io_range	*v = calloc(n + 1, sizeof(*v));
	size_t		 i, k = 0;
	int		 rc;

	if (v == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	if (more != NULL)
		v[k++] = *more;
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

int
front_headers(struct chart *c, struct io *copy, uint32_t area, size_t from,
    size_t to, bool *have, struct err *e)
{
	const struct rec	*r = c->s->area[area].rec + from;
	size_t			 n = to - from, i;
	struct probe		*p = calloc(n + 1, sizeof(*p));
	int			 rc;

	if (p == NULL)
		return err_set(e, ENOMEM, "%s", copy->name);
	for (i = 0; i < n; i++)
		p[i].off = r[i].off;
	rc = probe(copy, p, n, NULL, e);
	for (i = 0; rc == 0 && i < n; i++)
		have[i] = rec_is(&r[i], p[i].b, c->s->sb.id);
	free(p);
	return rc;
}

int
front_count(struct chart *c, struct io *copy, uint32_t area, size_t from,
    size_t to, size_t *n, struct err *e)
{
	bool	*have = calloc(BATCH, sizeof(*have));
	size_t	 i, k;
	int	 rc = 0;

	*n = from;
	if (have == NULL)
		return err_set(e, ENOMEM, "%s", copy->name);
	for (i = k = 0; i == k && *n < to && rc == 0; *n += i) {
		k = to - *n < BATCH ? to - *n : BATCH;
		rc = front_headers(c, copy, area, *n, *n + k, have, e);
		for (i = 0; rc == 0 && i < k && have[i]; i++)
			;
	}
	free(have);
	return rc;
}

/* --- the look */

/* Where the caller knows a record, and what comes then; else the last. */
static void
choose(struct look *l)
{
	const struct chart	*c = l->c;
	const struct mirror_at	*at = l->j->at;
	const struct area	*a;
	size_t			 i = 0;
	uint32_t		 k;

	for (k = c->n; at->id == c->s->sb.id && k-- > 0 && !l->known;) {
		a = area_of(c, k);
		for (i = 0; i < a->nrec && !l->known; i++)
			if (a->rec[i].off == at->off &&
			    a->rec[i].seq == at->seq &&
			    a->rec[i].sum == at->sum) {
				l->known = true;
				l->w = k;
				l->from = i;
			}
	}
	if (!l->known) {
		l->w = c->n - 1;
		a = area_of(c, l->w);
		l->from = a->nrec < WINDOW ? 0 : a->nrec - WINDOW;
	}
	a = area_of(c, l->w);
	l->to = a->nrec - l->from < WINDOW ? a->nrec : l->from + WINDOW;
}

static int
fetch(struct look *l, struct err *e)
{
	const struct store	*s = l->c->s;
	const struct area	*a;
	struct io_range		 sup = { l->super, SUPER_LEN, 0 };
	size_t			 n = s->sb.areas, i;

	choose(l);
	a = area_of(l->c, l->w);
	if ((l->p = calloc(n + WINDOW + 1, sizeof(*l->p))) == NULL)
		return err_set(e, ENOMEM, "%s", l->j->to->name);
	l->head = l->p;
	for (i = 0; i < n; i++)
		l->head[i].off = area_off(s, (uint32_t)i);
	l->win = l->p + n;
	for (i = l->from; i < l->to; i++)
		l->p[n++].off = a->rec[i].off;
	l->next = &l->p[n++];
	l->next->off = a->end < area_off(s, l->c->order[l->w]) + s->sb.area ?
	    a->end : UINT64_MAX;
	return probe(l->j->to, l->p, n, &sup, e);
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
	rc = to->ops->read(to, copy, SUPER_LEN, to->size - SUPER_LEN, e);
	if (rc < 0)
		return rc;
	l->f->copy = memcmp(copy, l->c->super, SUPER_LEN) == 0;
	if (l->f->super)
		return 0;
	if (l->f->copy)
		return super_good(to, false) ? no_copy(l, e) : 0;
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
	return rec_is(r, p->b, l->c->s->sb.id);
}

/* --- whether it has what the store has not */

static void
forked(struct look *l, uint64_t after)
{
	if (!l->forked || after < l->fork)
		l->fork = after;
	l->forked = true;
}

/*
 * A copy's area that the store has not.  That it once had it shows only in
 * that a newer one took its place.
 */
static void
check_head(struct look *l, uint32_t i, const struct rec *r)
{
	const struct area	*a = &l->c->s->area[i];
	uint64_t		 base = rec_base(r), mine;

	if (r->gen > l->c->gen)
		forked(l, base);
	else if (a->state == AREA_GOOD && r->gen >= a->gen) {
		mine = rec_base(&a->rec[0]);
		forked(l, mine < base ? mine : base);
	}
}

/* The copy's areas, against the store's; *newest: the first record of the
 * newest that the store has not, gen 0: none. */
static void
check_heads(struct look *l, struct rec *newest)
{
	const struct store	*s = l->c->s;
	struct rec		 r;
	uint32_t		 i, k;

	memset(newest, 0, sizeof(*newest));
	for (k = 0; k < l->c->n; k++) {
		i = l->c->order[k];
		l->f->same[k] = equal(l, &l->head[i], &s->area[i].rec[0]);
		if (l->f->same[k]) {
			l->f->any = true;
			l->f->k = k;
		}
	}
	for (i = 0; i < s->sb.areas; i++) {
		if (!parse(l, &l->head[i], i, &r) || r.life != r.nonce ||
		    (r.type != REC_CHECK && r.type != REC_WHOLE) ||
		    (s->area[i].state == AREA_GOOD &&
		    equal(l, &l->head[i], &s->area[i].rec[0])))
			continue;
		check_head(l, i, &r);
		if (r.gen > newest->gen)
			*newest = r;
	}
}

/* The first area of the store above this generation of areas. */
static const struct area *
above(const struct chart *c, uint32_t gen)
{
	uint32_t	 k;

	for (k = 0; k < c->n; k++)
		if (area_of(c, k)->gen > gen)
			return area_of(c, k);
	return NULL;
}

/* Whether an area went on right from a record that the store still has in
 * an area older than `gen`: then nothing was between. */
static bool
went_on(const struct chart *c, const struct area *then, uint32_t gen)
{
	const struct area	*a;
	size_t			 i;
	uint32_t		 k;

	for (k = 0; k < c->n && (a = area_of(c, k))->gen < gen; k++)
		for (i = 0; i < a->nrec; i++)
			if (a->rec[i].sum == then->rec[0].parent &&
			    a->rec[i].seq == rec_base(&then->rec[0]))
				return true;
	return false;
}

/*
 * The copy's newest area is none of the store's: that has gone round
 * meanwhile, or it went another way.  What the head rests on is told for
 * it must not be the first that is written over.
 */
static void
check_past(struct look *l, const struct rec *newest)
{
	const struct chart	*c = l->c;
	const struct area	*then;
	struct store		*s;
	struct err		 ignored;
	uint32_t		 k;

	if (newest->gen == 0 ||
	    (l->f->any && newest->gen < area_of(c, l->f->k)->gen))
		return;
	if ((then = above(c, newest->gen)) == NULL ||
	    went_on(c, then, newest->gen))
		forked(l, then == NULL ? rec_base(newest) :
		    rec_base(&then->rec[0]));
	/* One that can't be opened is no witness, and rests on nothing. */
	if (store_open(&s, l->j->to, &ignored) < 0)
		return;
	l->f->seq = s->seq;
	l->f->on = s->cur;
	l->f->rests = true;
	for (k = 0; k < c->n; k++)
		if (c->order[k] == s->cur && l->f->same[k])
			l->f->rests = false;
	if (l->f->rests && then != NULL && s->seq > rec_base(&then->rec[0]))
		forked(l, rec_base(&then->rec[0]));
	store_close(s);
}

/* --- how far it is */

/* MIRROR_AHEAD headers in a row, or all: so is what is before them. */
static bool
in_a_row(const struct look *l, const struct area *a, size_t *n)
{
	size_t	 k = l->to - l->from, i;

	for (i = 0; i < k && equal(l, &l->win[i], &a->rec[l->from + i]); i++)
		;
	*n = l->from + i;
	if (l->known)		/* it was synced, and so all before it */
		return i > 0 && (i < k || l->to == a->nrec);
	return i > 0 && (l->from == 0 || i >= MIRROR_AHEAD);
}

/* What stands behind the last record of the front that is there. */
static int
at_front(struct look *l, size_t n, struct probe *p, struct err *e)
{
	const struct area	*a = area_of(l->c, l->f->k);

	if (l->f->k == l->w && n >= l->from && n < l->to) {
		*p = l->win[n - l->from];
		return 0;
	}
	if (l->f->k == l->w && n == a->nrec) {
		*p = *l->next;
		return 0;
	}
	p->off = n < a->nrec ? a->rec[n].off : a->end;
	return probe(l->j->to, p, 1, NULL, e);
}

/*
 * Another record of this life than the store's, which names the last that
 * both have: somebody else went on with it.
 */
static int
check_front(struct look *l, struct err *e)
{
	const struct chart	*c = l->c;
	const struct area	*a = area_of(c, l->f->k);
	const struct rec	*last = &a->rec[l->f->last];
	struct probe		 p;
	struct rec		 r;
	size_t			 n = l->f->last + 1;
	int			 rc;

	if ((rc = at_front(l, n, &p, e)) < 0)
		return rc;
	if (!parse(l, &p, c->order[l->f->k], &r) || r.life != a->life ||
	    r.gen != a->gen || r.parent != last->sum)
		return 0;
	if (n < a->nrec && equal(l, &p, &a->rec[n]))
		return spoilt(l, e);	/* it was not a moment ago */
	/* The store may have lost it since, and have gone on from it. */
	if (n == a->nrec && l->f->k + 1 < c->n &&
	    area_of(c, l->f->k + 1)->rec[0].parent != last->sum)
		return 0;
	forked(l, last->seq);
	if (r.seq > l->f->seq)
		l->f->seq = r.seq;
	return 0;
}

static int
find_front(struct look *l, struct err *e)
{
	struct front		*f = l->f;
	const struct area	*a;
	size_t			 n, from = 0;
	int			 rc;

	if (!f->any)
		return 0;
	a = area_of(l->c, f->k);
	if (f->k != l->w || !in_a_row(l, a, &n)) {
		if (f->k == l->w && l->known && n > l->from)
			from = n;
		else
			l->known = false;
		rc = front_count(l->c, l->j->to, l->c->order[f->k], from,
		    a->nrec, &n, e);
		if (rc < 0)
			return rc;
	}
	if (n == 0)		/* but the first was there a moment ago */
		return spoilt(l, e);
	f->last = n - 1;
	if (f->k == l->w && l->known && f->last >= l->from)
		f->synced = l->from + 1;
	if (a->rec[f->last].seq > f->seq)
		f->seq = a->rec[f->last].seq;
	return check_front(l, e);
}

static int
witness(struct look *l, struct err *e)
{
	struct store	*s;
	struct err	 ignored;
	uint64_t	 mine = l->c->s->seq;

	if (store_open(&s, l->j->to, &ignored) == 0) {
		if (s->seq > l->f->seq)
			l->f->seq = s->seq;
		store_close(s);
	}
	if (l->f->seq > mine && l->fork >= mine)
		return err_setx(e, EEXIST, "%s: the mirror is ahead: it has "
		    "generation %" PRIu64 ", this store %" PRIu64,
		    l->j->to->name, l->f->seq, mine);
	return err_setx(e, EEXIST, "%s: the mirror has other commits than "
	    "this store after generation %" PRIu64, l->j->to->name, l->fork);
}

static int
look(struct look *l, struct err *e)
{
	struct io	*to = l->j->to;
	struct rec	 newest;
	int		 rc;

	if (to->size < SUPER_LEN)
		return no_copy(l, e);
	if ((rc = fetch(l, e)) < 0 || (rc = check_super(l, e)) < 0)
		return rc;
	if (to->size < l->c->s->sb.size)
		return spoilt(l, e);
	check_heads(l, &newest);
	check_past(l, &newest);
	if ((rc = find_front(l, e)) < 0)
		return rc;
	return l->forked ? witness(l, e) : 0;
}

int
front_find(struct chart *c, struct mirror_job *j, struct front *f,
    struct err *e)
{
	struct look	 l = { .c = c, .j = j, .f = f };
	int		 rc;

	memset(f, 0, sizeof(*f));
	if ((f->same = calloc(c->n, sizeof(*f->same))) == NULL)
		rc = err_set(e, ENOMEM, "%s", j->to->name);
	else
		rc = look(&l, e);
	free(l.p);
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
