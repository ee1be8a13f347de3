/*
 * autosee.c: what the plan knows of the journal, and of what churns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../lib/path.h"
#include "autoplan.h"
#include "dur.h"

#define HOUR		(3600 * SECOND)
#define CHURN_MOST	4096		/* paths that are counted */

static void
path_free(struct plan_path *q)
{
	free(q->path);
	free(q->who);
}

/* Where a path is, or would be. */
static size_t
place(const struct plan *p, const char *path, bool *there)
{
	size_t	 lo = 0, hi = p->n, mid;
	int	 c = 1;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = path_cmp(p->v[mid].path, path);
		if (c == 0) {
			*there = true;
			return mid;
		}
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*there = false;
	return lo;
}

struct plan_path *
plan_find(const struct plan *p, const char *path)
{
	bool	 there;
	size_t	 i = place(p, path, &there);

	return there ? &p->v[i] : NULL;
}

struct plan_path *
plan_above(const struct plan *p, const char *path)
{
	size_t	 i;

	for (i = p->n; i-- > 0;)
		if (p->v[i].tree && path_within(path, p->v[i].path))
			return &p->v[i];
	return NULL;
}

static struct plan_path *
add(struct plan *p, const char *path)
{
	struct plan_path	*q;
	bool			 there;
	size_t			 i = place(p, path, &there);
	char			*s;

	if (there)
		return &p->v[i];
	if ((s = strdup(path)) == NULL ||
	    more_room(&p->v, p->n, &p->cap, sizeof(*p->v)) < 0) {
		free(s);
		return NULL;
	}
	q = &p->v[i];
	memmove(q + 1, q, (p->n++ - i) * sizeof(*q));
	memset(q, 0, sizeof(*q));
	q->path = s;
	return q;
}

int
plan_adopt(struct plan *p, const struct plan_path *tree, const char *path)
{
	struct plan_path	 t = *tree, *q;	/* adding moves it */
	struct plan_who		*w = NULL;

	if (t.nwho > 0 && (w = malloc(t.nwho * sizeof(*w))) == NULL)
		return -ENOMEM;
	if (t.nwho > 0)
		memcpy(w, t.who, t.nwho * sizeof(*w));
	if (plan_find(p, path) != NULL || (q = add(p, path)) == NULL) {
		free(w);
		return plan_find(p, path) != NULL ? 0 : -ENOMEM;
	}
	q->adopted = true;
	q->mark = t.mark;
	q->first = t.first;
	q->last = t.last;
	q->who = w;
	q->nwho = t.nwho;
	return 0;
}

/* ---- churn */

static struct plan_churn *
churn_at(struct plan *p, const char *path, size_t *at)
{
	size_t	 lo = 0, hi = p->nchurn, mid;
	int	 c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((c = path_cmp(p->churn[mid].path, path)) == 0)
			return &p->churn[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*at = lo;
	return NULL;
}

const struct plan_churn *
plan_churn(const struct plan *p, const char *path)
{
	size_t	 at;

	return churn_at((struct plan *)(uintptr_t)p, path, &at);
}

/* The hours go by. */
static void
turn(struct plan_churn *c, int64_t now)
{
	if (now - c->since < HOUR)
		return;
	c->before = now - c->since < 2 * HOUR ? c->n : 0;
	c->backs_before = now - c->since < 2 * HOUR ? c->backs : 0;
	c->n = c->backs = 0;
	c->since = now - (now - c->since) % HOUR;
}

/* Of the hour before, as much as is within the last hour. */
static uint32_t
sliding(uint32_t n, uint32_t before, int64_t since, int64_t now)
{
	int64_t	 in = now - since;

	if (in >= 2 * HOUR)
		return 0;
	if (in >= HOUR)
		return (uint32_t)((double)n * (double)(2 * HOUR - in) / HOUR);
	return n + (uint32_t)((double)before * (double)(HOUR - in) / HOUR);
}

uint32_t
plan_rate(const struct plan_churn *c, int64_t now)
{
	return sliding(c->n, c->before, c->since, now);
}

bool
plan_churns(const struct plan_churn *c, const struct autoconf *a, int64_t now)
{
	return plan_rate(c, now) >= auto_churn_limit(a) ||
	    sliding(c->backs, c->backs_before, c->since, now) >= PLAN_BACKS;
}

/* What did not change for long is forgotten. */
static void
churn_sweep(struct plan *p, int64_t now)
{
	size_t	 i, k = 0;

	for (i = 0; i < p->nchurn; i++)
		if (now - p->churn[i].since >= 2 * HOUR)
			free(p->churn[i].path);
		else
			p->churn[k++] = p->churn[i];
	p->nchurn = k;
}

static struct plan_churn *
churn_of(struct plan *p, const char *path, int64_t now)
{
	struct plan_churn	*c;
	size_t			 at;
	char			*s;

	if ((c = churn_at(p, path, &at)) != NULL) {
		turn(c, now);
		return c;
	}
	if (p->nchurn >= CHURN_MOST || (s = strdup(path)) == NULL)
		return NULL;
	if (more_room(&p->churn, p->nchurn, &p->churn_cap,
	    sizeof(*p->churn)) < 0) {
		free(s);
		return NULL;
	}
	c = &p->churn[at];
	memmove(c + 1, c, (p->nchurn++ - at) * sizeof(*c));
	memset(c, 0, sizeof(*c));
	c->path = s;
	c->since = now;
	return c;
}

void
plan_equal(struct plan *p, struct plan_path *q, int64_t now)
{
	struct plan_churn	*c = churn_of(p, q->path, now);

	q->tried = q->mark;
	q->again = 0;
	if (c != NULL)
		c->backs++;
}

/* ---- the journal */

/* Changes the program made, of which the journal knows the first one's
 * time, as far as they were in the last hour. */
static uint32_t
recent(uint32_t n, int64_t age)
{
	return age <= HOUR ? n : (uint32_t)((double)n * HOUR / (double)age);
}

/* One program that changed q. */
static int
see_who(struct plan *p, struct plan_path *q, const struct who *w, int64_t now,
    int64_t wall)
{
	struct plan_churn	*c;
	struct plan_who		*v;
	int64_t			 age = wall > w->time ? wall - w->time : 0;
	uint32_t		 n = w->count == 0 ? 1 : w->count;
	size_t			 i;

	/* It was not there when the journal was read before. */
	if (p->looked != 0 && age > now - p->looked)
		age = now - p->looked;
	if (age > now)
		age = now;
	for (i = 0; i < q->nwho; i++)
		if (q->who[i].uid == w->uid &&
		    strcmp(q->who[i].comm, w->comm) == 0)
			break;
	if (i == q->nwho) {
		if ((v = realloc(q->who, (i + 1) * sizeof(*v))) == NULL)
			return -ENOMEM;
		q->who = v;
		q->nwho++;
		v[i] = (struct plan_who){ .uid = w->uid, .first = now - age,
		    .last = n > 1 ? now : now - age };
		memcpy(v[i].comm, w->comm, sizeof(v[i].comm));
		v[i].count = 0;
	} else if (q->who[i].count == n)
		return 0;
	else
		q->who[i].last = now;
	v = &q->who[i];
	if (v->last > q->last)
		q->last = v->last;
	if ((c = churn_of(p, q->path, now)) != NULL) {
		c->n += n > v->count ? recent(n - v->count, v->count == 0 ?
		    age : 0) : n;
		memcpy(c->comm, v->comm, sizeof(c->comm));
	}
	v->count = n;
	return 0;
}

/* A number that another state of the counts does not have. */
static uint64_t
mark_of(const struct susp *s)
{
	uint64_t	 m = UINT64_C(0xcbf29ce484222325);
	size_t		 i;

	for (i = 0; i < s->nwho; i++) {
		m = (m ^ s->who[i].count) * UINT64_C(0x100000001b3);
		m = (m ^ (uint64_t)s->who[i].time) * UINT64_C(0x100000001b3);
	}
	return m == 0 ? 1 : m;
}

static int
see_path(struct plan *p, const struct susp *s, int64_t now, int64_t wall)
{
	struct plan_path	*q = add(p, s->path);
	const uint64_t		 mark = mark_of(s);
	size_t			 i;
	int			 rc = 0;

	if (q == NULL)
		return -ENOMEM;
	q->tree = s->tree;
	q->adopted = false;
	if (q->mark == mark)
		return 0;
	if (q->mark == 0)
		q->first = q->last = s->nwho == 0 ? now : 0;
	q->mark = mark;
	for (i = 0; rc == 0 && i < s->nwho; i++)
		rc = see_who(p, q, &s->who[i], now, wall);
	for (i = 0; i < q->nwho; i++)
		if (q->first == 0 || q->who[i].first < q->first)
			q->first = q->who[i].first;
	return rc;
}

/* Take out what the journal does not name any more, or what is ignored. */
static void
sweep(struct plan *p, const struct fold *f, const struct patt *patt)
{
	struct plan_path	*q;
	size_t			 i, k = 0;

	for (i = 0; i < p->n; i++) {
		q = &p->v[i];
		q->tree = q->tree && fold_find(f, q->path) != NULL;
		q->gone = fold_find(f, q->path) == NULL && !q->adopted;
		if (!q->tree && patt != NULL && patt_match(patt, q->path,
		    false))
			q->gone = true;
	}
	for (i = 0; i < p->n; i++)
		if (p->v[i].adopted && plan_above(p, p->v[i].path) == NULL &&
		    fold_find(f, p->v[i].path) == NULL)
			p->v[i].gone = true;
	for (i = 0; i < p->n; i++)
		if (p->v[i].gone)
			path_free(&p->v[i]);
		else
			p->v[k++] = p->v[i];
	p->n = k;
}

int
plan_see(struct plan *p, const struct fold *f, const struct patt *patt,
    int64_t now, int64_t wall)
{
	const struct susp	*s;
	size_t			 i;
	int			 rc = 0;

	sweep(p, f, patt);
	churn_sweep(p, now);
	for (i = 0; rc == 0 && i < f->n; i++) {
		s = &f->v[i];
		if (patt == NULL || s->tree ||
		    !patt_match(patt, s->path, false))
			rc = see_path(p, s, now, wall);
	}
	p->looked = now;
	return rc;
}

void
plan_end(struct plan *p)
{
	while (p->n > 0)
		path_free(&p->v[--p->n]);
	while (p->nchurn > 0)
		free(p->churn[--p->nchurn].path);
	free(p->v);
	free(p->churn);
	free(p->failed);
	memset(p, 0, sizeof(*p));
}
