/*
 * fault.c: what a failing medium does to a store.
 *
 * The nth write, flush or read fails, or does half, or lies, once or for
 * good.  After it the store is as it was or closed to writing; opened
 * anew it has the old head or the new one, and takes the next commit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "drive.h"
#include "tap.h"

#define SIZE	(64 * 1024)
#define RUN	6		/* commits in a run that a fault strikes */

struct run {			/* one run under a fault */
	struct drive	*d;	/* gives pool and geometry */
	struct sim	*sim;
	struct store	*s;
	struct gen	 g;
	uint64_t	 rng;
	struct want {		/* what the store may open to */
		uint64_t	 gen;
		struct ents	 ov;
	}		 v[RUN + 2];
	size_t		 n;
	size_t		 sure;	/* v[sure] was acknowledged */
	bool		 lied;	/* the medium, at a flush */
	bool		 halves; /* of writes are done, each time */
	char		 at[160];
	size_t		 states;
	size_t		 struck;
};

static bool
agrees(struct run *r, struct store *s, size_t i, const char *what)
{
	char	 where[200];

	snprintf(where, sizeof(where), "%s, %s", r->at, what);
	return ok_same(overlay_agrees(&r->d->h.pool, s, r->v[i].gen,
	    &r->v[i].ov, true), where);
}

/* Open what the medium holds now; it must be right, and take a commit. */
static void
opens_right(struct run *r, struct sim *sim, const char *what)
{
	struct ents	 after = { NULL, 0, 0 };
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct gen	 g = r->g;
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0;
	size_t		 i;

	r->states++;
	if (!ok_rc(store_open(&s, &sim->io, &e), &e, r->at))
		goto out;
	for (i = r->lied ? 0 : r->sure; i < r->n; i++)
		if (r->v[i].gen == store_head(s))
			break;
	if (!OK(i < r->n)) {
		tap_diag("%s, %s: opened to %llu, sure of %llu", r->at, what,
		    (unsigned long long)store_head(s),
		    (unsigned long long)r->v[r->sure].gen);
		goto out;
	}
	if (!agrees(r, s, i, what))
		goto out;
	/* Two areas that are half overwritten are a fault of the medium. */
	if (!r->lied && !(OK(store_damage(s) == NULL) &&
	    (r->halves || OK(store_verify(s, NULL, NULL, &e) == 0))))
		tap_diag("%s, %s: %s", r->at, what, store_damage(s) == NULL ?
		    "faults found" : store_damage(s));
	gen_line(&g, &r->v[i].ov, "next", &c, &after);
	if (!ok_rc(store_commit(s, &c, &gen, &e), &e, r->at))
		goto out;
	store_close(s);
	s = NULL;
	if (ok_rc(store_open(&s, &sim->io, &e), &e, r->at) &&
	    OK(store_head(s) == gen))
		ok_same(overlay_agrees(&r->d->h.pool, s, gen, &after, true),
		    r->at);
out:
	store_close(s);
	commit_free(&c);
	ents_free(&after);
}

static void
cut_state(void *arg, uint8_t *img, const char *what)
{
	struct run	*r = arg;
	struct sim	*sim = sim_new(SIZE, SIM_SECTOR);

	sim_load(sim, img);
	opens_right(r, sim, what);
	sim_free(sim);
}

/* After a failed commit: as it was, or closed to writing. */
static void
stands(struct run *r, const struct commit *c)
{
	size_t		 n = r->sim->nops;
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0;

	OK(store_head(r->s) == r->v[r->sure].gen);
	agrees(r, r->s, r->sure, "after the failure, still open");
	if (!store_failed(r->s))
		return;
	OK(store_commit(r->s, c, &gen, &e) < 0 && e.msg[0] != '\0');
	OK(r->sim->nops == n);
	OK(store_failed(r->s));
}

/* Where a write failed nothing more is written; a failed flush is final. */
static void
keeps_away(struct run *r, int rc, size_t since)
{
	struct store_space	 sp;
	uint64_t		 off;

	if (r->sim->on == SIM_FLUSHES) {
		OK(rc == 0 ? r->lied : store_failed(r->s));
		return;
	}
	if (rc != 0)
		return;
	OK(r->sim->nops >= since + 2);
	off = r->sim->ops[r->sim->nops - 2].off;
	store_space(r->s, &sp);
	OK((off - sp.align) / sp.area != (r->sim->hit_off - sp.align) /
	    sp.area);
}

/* One commit of the run; false ends the run. */
static bool
step(struct run *r, size_t i)
{
	struct commit	 c;
	struct ents	 after;
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0, head = store_head(r->s);
	size_t		 hits = r->sim->hits, since = r->sim->nops;
	int		 rc;

	if (i % 2 == 0)
		gen_line(&r->g, &r->v[r->sure].ov, "run", &c, &after);
	else
		gen_commit(&r->g, &r->v[r->sure].ov, &c, &after);
	rc = store_commit(r->s, &c, &gen, &e);
	if (rc == -ENOSPC && r->sim->hits == hits) {	/* really full */
		commit_free(&c);
		ents_free(&after);
		return true;
	}
	if (r->sim->hits > hits)
		keeps_away(r, rc, since);
	r->v[r->n] = (struct want){ head + 1, after };
	r->n++;
	if (rc == 0) {
		OK(gen == head + 1);
		r->sure = r->n - 1;
	} else {
		OK(r->sim->hits > hits && e.msg[0] != '\0');
		stands(r, &c);
	}
	commit_free(&c);
	return rc == 0;
}

static void
examine(struct run *r)
{
	struct cut	 cut = { r->sim->durable, SIZE,
	    r->sim->ops + r->sim->synced, r->sim->nops - r->sim->synced,
	    r->d->geom.align, 10, &r->rng, cut_state, r };
	struct sim	*sim = sim_new(SIZE, SIM_SECTOR);
	bool		 lied = r->lied;
	size_t		 i;

	sim_load(sim, r->sim->img);
	r->lied = false;	/* nothing is lost without a cut */
	opens_right(r, sim, "without a cut");
	r->lied = lied;
	sim_free(sim);
	for (i = 0; i < 6 && cut.nops > 0; i++)
		cut_one(&cut);
}

static void
strike_once(struct drive *d, const uint8_t *img, const struct hist_gen *at,
    enum sim_on on, enum sim_fault fault, size_t nth, bool for_good,
    struct run *sum)
{
	struct run	 r;
	struct err	 e = { 0, "" };
	size_t		 i;

	memset(&r, 0, sizeof(r));
	r.d = d;
	r.g = d->g;
	r.rng = d->g.rng + nth + 1;
	r.lied = fault == SIM_LIE;
	r.halves = for_good && (fault == SIM_SHORT || fault == SIM_TORN);
	r.v[0].gen = at->gen;
	ents_dup(&r.v[0].ov, &at->ov);
	r.n = 1;
	snprintf(r.at, sizeof(r.at), "align %u, generation %llu, fault %d of "
	    "%d at %zu%s", d->geom.align, (unsigned long long)at->gen,
	    (int)fault, (int)on, nth, for_good ? " for good" : "");
	r.sim = sim_new(SIZE, SIM_SECTOR);
	sim_load(r.sim, img);
	if (ok_rc(store_open(&r.s, &r.sim->io, &e), &e, r.at)) {
		sim_fail(r.sim, on, fault, nth, for_good);
		for (i = 0; i < RUN && step(&r, i); i++)
			if (r.lied && r.sim->hits > 0 && i > nth)
				break;
		if (i < RUN && !r.lied && !store_failed(r.s)) {
			sim_fail(r.sim, on, SIM_NONE, 0, false);
			OK(step(&r, i));	/* it goes on as if nothing */
		}
		sum->struck += r.sim->hits > 0;
	}
	store_close(r.s);
	sim_fail(r.sim, on, SIM_NONE, 0, false);
	examine(&r);
	sum->states += r.states;
	for (i = 0; i < r.n; i++)
		ents_free(&r.v[i].ov);
	sim_free(r.sim);
}

static void
strike_all(struct drive *d, const uint8_t *img, struct run *sum)
{
	static const struct {
		enum sim_on	 on;
		enum sim_fault	 fault;
	} v[] = {
		{ SIM_WRITES, SIM_EIO }, { SIM_WRITES, SIM_ENOSPC },
		{ SIM_WRITES, SIM_SHORT }, { SIM_WRITES, SIM_TORN },
		{ SIM_FLUSHES, SIM_EIO }, { SIM_FLUSHES, SIM_ENOSPC },
		{ SIM_FLUSHES, SIM_LOSE }, { SIM_FLUSHES, SIM_LIE }
	};
	size_t	 i, nth;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		for (nth = 0; nth < RUN - 2; nth++) {
			strike_once(d, img, &d->h.v[d->h.n - 1], v[i].on,
			    v[i].fault, nth, false, sum);
			if (v[i].fault != SIM_LIE)
				strike_once(d, img, &d->h.v[d->h.n - 1],
				    v[i].on, v[i].fault, nth, true, sum);
		}
}

static void
faults(uint32_t align)
{
	struct drive	 d;
	struct run	 sum;
	size_t		 i, n = env_count("FAULTS", 20, true);

	memset(&sum, 0, sizeof(sum));
	if (drive_begin(&d, SIZE, align, 4, tap_seed(99)) &&
	    drive_run(&d, 20, 1)) {
		for (i = 0; i < n && drive_run(&d, d.done + 1, 0); i++)
			strike_all(&d, d.sim->img, &sum);
		tap_diag("align %u: %zu faults struck, %zu states looked at, "
		    "%zu moves", align, sum.struck, sum.states, d.moves);
		OK(sum.struck > n * 30 && sum.states > n * 60);
	}
	drive_end(&d);
}

static void
sector_faults(void)
{
	faults(512);
}

static void
unit_faults(void)
{
	faults(4096);
}

/* Everything that can be read, with the nth read failing. */
static bool
read_all(struct drive *d, struct sim *sim, size_t nth, bool for_good)
{
	const struct hist_gen	*g;
	struct ents		 ov = { NULL, 0, 0 };
	struct buf		 b = BUF_INIT;
	struct store		*s = NULL;
	struct err		 e = { 0, "" };
	size_t			 i;
	uint64_t		 head = d->h.v[d->h.n - 1].gen;

	sim_fail(sim, SIM_READS, SIM_EIO, nth, for_good);
	if (store_open(&s, &sim->io, &e) != 0) {
		OK(e.msg[0] != '\0' && sim->hits > 0);
		return sim->hits > 0;
	}
	g = hist_find(&d->h, store_head(s));
	OK(g != NULL && store_head(s) <= head);
	OK(store_head(s) == head || store_damage(s) != NULL);
	if (g != NULL && store_overlay(s, g->gen, &ov, &e) == 0) {
		OK(ents_equal(&ov, &g->ov));
		for (i = 0; i < ov.n; i++) {
			const struct piece *w;

			if (ov.v[i].type != ENT_REG)
				continue;
			b.len = 0;
			w = pool_get(&d->h.pool, &ov.v[i].hash);
			if (store_content(s, &ov.v[i], &b, &e) != 0)
				OK(sim->hits > 0);
			else
				OK(w != NULL && w->n == b.len && (b.len == 0 ||
				    memcmp(w->p, b.p, b.len) == 0));
		}
	} else {
		OK(sim->hits > 0);
	}
	if (store_verify(s, NULL, NULL, &e) != 0)
		OK(sim->hits > 0);
	buf_free(&b);
	ents_free(&ov);
	store_close(s);
	return sim->hits > 0;
}

static void
reads_fail(void)
{
	struct drive	 d;
	struct sim	*sim = sim_new(SIZE, SIM_SECTOR);
	size_t		 nth, good, struck = 0;

	if (drive_begin(&d, SIZE, 512, 4, tap_seed(7)) &&
	    drive_run(&d, 40, 2)) {
		sim_load(sim, d.sim->img);
		for (good = 0; good < 2; good++)
			for (nth = 0; nth < 5000; nth++) {
				if (!read_all(&d, sim, nth, good == 1))
					break;
				struck++;
			}
		tap_diag("%zu reads failed", struck);
		OK(struck >= 4);
		OK(sim->nops == 0);
		sim_fail(sim, SIM_READS, SIM_NONE, 0, false);
		OK(!read_all(&d, sim, SIZE_MAX, false));
	}
	drive_end(&d);
	sim_free(sim);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a write or flush that fails leaves the store as it was or "
		    "closed, align 512", sector_faults },
		{ "the same, align 4096", unit_faults },
		{ "a read that fails is an error or said, never wrong content",
		    reads_fail },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
