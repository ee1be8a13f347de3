/*
 * autoplan.c: deciding what is committed by itself, and when.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "autoplan.h"
#include "dur.h"

#define SLACK	(30 * SECOND)	/* at most, in which at-most seeks a pause */

/* Whether both were at it in one run of one program. */
static bool
one_run(const struct plan_path *a, const struct plan_path *b)
{
	const struct plan_who	*x, *y;
	size_t			 i, k;

	for (i = 0; i < a->nwho; i++)
		for (k = 0; k < b->nwho; k++) {
			x = &a->who[i];
			y = &b->who[k];
			if (x->uid == y->uid &&
			    strcmp(x->comm, y->comm) == 0 &&
			    x->first <= y->last + PLAN_RUN &&
			    y->first <= x->last + PLAN_RUN)
				return true;
		}
	return false;
}

/* What changes all the time, or does not count, keeps nothing waiting. */
static bool
is_noise(const struct plan_path *q)
{
	return q->held || (q->k != NULL && q->k->never);
}

/* The last change that a program which changed q made anywhere. */
static int64_t
activity(const struct plan *p, const struct plan_path *q)
{
	const struct plan_path	*o;
	int64_t			 last = q->last;
	size_t			 i, k, m;

	for (i = 0; i < p->n; i++) {
		o = &p->v[i];
		if (o->last <= last || is_noise(o))
			continue;
		for (k = 0; k < o->nwho; k++)
			for (m = 0; m < q->nwho; m++)
				if (o->who[k].last > last &&
				    o->who[k].uid == q->who[m].uid &&
				    strcmp(o->who[k].comm,
				    q->who[m].comm) == 0)
					last = o->who[k].last;
	}
	return last;
}

static int64_t
due_of(const struct plan *p, const struct plan_path *q)
{
	const struct auto_class	*k = q->k;
	int64_t			 last, due, most, slack, pause;

	if (k == NULL || k->never || k->quiet == 0 || q->held)
		return PLAN_NEVER;
	if (q->tried == q->mark)
		return q->again == 0 ? PLAN_NEVER : q->again;
	last = activity(p, q);
	due = last + k->quiet;
	/* Towards its end, any pause is good enough. */
	most = q->first + k->most;
	slack = k->most / 4 < SLACK ? k->most / 4 : SLACK;
	pause = last + PLAN_PAUSE;
	if (pause < most - slack)
		pause = most - slack;
	if (due > pause)
		due = pause;
	if (due > most)
		due = most;
	return due < p->wait ? p->wait : due;
}

/* What the first line of a class says that waits least: what lies in a
 * subtree is known only when it is compared. */
static const struct auto_class *
soonest(const struct autoconf *a)
{
	const struct auto_class	*k = NULL;
	size_t			 i;

	for (i = 0; i < a->n; i++)
		if (a->v[i].quiet != 0 &&
		    (k == NULL || a->v[i].quiet < k->quiet))
			k = &a->v[i];
	return k;
}

/* What one run changed goes together, as far as any line covers it. */
static void
close_runs(struct plan *p)
{
	size_t	 i, k;
	bool	 more = true;

	while (more) {
		more = false;
		for (i = 0; i < p->n; i++) {
			if (p->v[i].take || p->v[i].k == NULL ||
			    is_noise(&p->v[i]))
				continue;
			for (k = 0; k < p->n && !p->v[i].take; k++)
				p->v[i].take = p->v[k].take &&
				    one_run(&p->v[k], &p->v[i]);
			more |= p->v[i].take;
		}
	}
}

int64_t
plan_decide(struct plan *p, const struct autoconf *a, int64_t now)
{
	const struct plan_churn	*c;
	struct plan_path	*q;
	int64_t			 wake = PLAN_NEVER;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		q = &p->v[i];
		c = plan_churn(p, q->path);
		q->k = q->tree ? soonest(a) : auto_class(a, q->path, true);
		q->held = a->hold && c != NULL && plan_churns(c, a, now);
	}
	for (i = 0; i < p->n; i++) {
		q = &p->v[i];
		q->due = due_of(p, q);
		q->take = q->due <= now;
	}
	close_runs(p);
	for (i = 0; i < p->n; i++)
		if (!p->v[i].take && p->v[i].due < wake)
			wake = p->v[i].due;
	return wake;
}

void
plan_only(struct plan *p, size_t i)
{
	size_t	 k;

	for (k = 0; k < p->n; k++)
		p->v[k].take = k == i;
	close_runs(p);
}
