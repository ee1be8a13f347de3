/*
 * mirrorcrash.c: whenever the other host loses power, or one write of
 * many, the copy is what it was or newer, and the next update heals it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/store-int.h"
#include "cut.h"
#include "mirkit.h"
#include "tap.h"

static struct err	 er;

struct crash {
	struct drive	*d;
	struct away	*to;	/* where states are opened */
	struct mirror_at at;	/* of the last update that was done */
	uint64_t	 sure;	/* its generation */
	uint64_t	 rng;
	const char	*what;	/* scenario */
	size_t		 every;	/* of so many states one is looked at */
	size_t		 states;
	size_t		 newer;	/* opened to more than they had */
	size_t		 failed;
};

/* Nothing older than it had, nothing that never was: NULL, or what. */
static const char *
holds(struct crash *k, uint64_t *head)
{
	static char	 msg[1400];
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	const char	*r;

	if (store_open(&s, &k->to->io, &e) < 0) {
		snprintf(msg, sizeof(msg), "%.1000s", e.msg);
		return msg;
	}
	*head = store_head(s);
	if (*head < k->sure) {
		snprintf(msg, sizeof(msg), "opened to %llu, it had %llu; %.900s",
		    (unsigned long long)*head, (unsigned long long)k->sure,
		    store_damage(s) == NULL ? "" : store_damage(s));
		r = msg;
	} else
		r = hist_agree(&k->d->h, s, *head, true);
	store_close(s);
	return r;
}

/* The next update, knowing and not knowing. */
static const char *
heals(struct crash *k, const uint8_t *img, bool knows)
{
	static char	 msg[1400];
	struct mirror_at at = k->at, none = { 0, 0, 0, 0 };
	struct err	 e = { 0, "" };
	const char	*r;
	int		 rc;

	sim_load(k->to->sim, img);
	away_begin(k->to);
	rc = update(&k->d->sim->io, &k->to->io, knows ? &at : &none, false,
	    NULL, &e);
	if (rc < 0) {
		snprintf(msg, sizeof(msg), "then: %.1000s", e.msg);
		return msg;
	}
	r = copy_agrees(k->d, &k->to->io, store_head(k->d->s));
	if (r != NULL) {
		snprintf(msg, sizeof(msg), "then, %s: %.1000s", knows ?
		    "knowing" : "not knowing", r);
		return msg;
	}
	return NULL;
}

/* All that the mirror sends must be there, byte by byte. */
static const char *
whole_now(struct crash *k)
{
	uint64_t	 behind = 0;

	return compare(&k->d->sim->io, &k->to->io, &behind) == 0 &&
	    behind == 0 ? NULL : "then: it differs from the store";
}

static void
state(void *arg, uint8_t *img, const char *what)
{
	struct crash	*k = arg;
	uint64_t	 head = 0;
	bool		 first = tap_rand(&k->rng) % 2;
	const char	*r;

	if (k->failed > 10 || tap_rand(&k->rng) % k->every != 0)
		return;
	k->states++;
	sim_load(k->to->sim, img);
	if ((r = holds(k, &head)) == NULL &&
	    (r = heals(k, img, first)) == NULL)
		r = whole_now(k);
	if (r == NULL && k->states % 4 == 0 &&
	    (r = heals(k, img, !first)) == NULL)
		r = whole_now(k);
	k->newer += head > k->sure;
	if (r != NULL && k->failed++ < 6)
		tap_diag("%s; %s: %s", k->what, what, r);
}

/* Cut the power after each operation of the log in `rec`: in all ways that
 * there are, or in a few. */
static void
replay(struct crash *k, const struct sim *rec, const uint8_t *before,
    size_t samples)
{
	size_t		 size = rec->io.size, i, n, from = 0;
	uint8_t		*durable = xmemdup(before, size);
	struct cut	 cut = { durable, size, NULL, 0,
	    k->d->geom.align, samples, &k->rng, state, k };

	for (i = 0; i < rec->nops && k->failed <= 10; i++) {
		if (!rec->ops[i].flush) {
			cut.ops = &rec->ops[from];
			cut.nops = i + 1 - from;
			if (samples > 0)
				(void)cut_each(&cut);
			for (n = 0; samples == 0 && n < 20; n++)
				cut_one(&cut);
			continue;
		}
		for (; from <= i; from++)
			if (!rec->ops[from].flush)
				memcpy(durable + rec->ops[from].off,
				    rec->ops[from].data, rec->ops[from].n);
	}
	free(durable);
}

struct scene {
	struct drive	 d;
	struct away	*cp;
	struct crash	 k;
	uint8_t		*before;
};

static bool
scene_begin(struct scene *s, uint32_t align, uint32_t nareas, uint64_t seed)
{
	struct mirror_job	 j = { .at = &s->k.at };
	const uint64_t		 size = 64 * 1024;

	memset(s, 0, sizeof(*s));
	s->cp = away_new(size, size);
	s->k.to = away_new(size, size);
	s->k.d = &s->d;
	s->k.rng = seed;
	s->before = xalloc(size);
	s->k.every = env_count("SOAK", 1, false) > 1 ? 1 : 12;
	if (!drive_begin(&s->d, size, align, nareas, seed) ||
	    !commits(&s->d, 4 + seed % 13))
		return false;
	j.from = &s->d.sim->io;
	j.to = &s->cp->io;
	s->k.sure = store_head(s->d.s);
	return ok_rc(mirror_fill(&j, 0, &er), &er, "fill");
}

static void
scene_end(struct scene *s)
{
	drive_end(&s->d);
	away_free(s->cp);
	away_free(s->k.to);
	free(s->before);
}

/* Update, and look at every state in which it could have been cut. */
static bool
cut_update(struct scene *s, bool whole, const char *what, size_t samples)
{
	struct mirror_at	 at = s->k.at;
	int			 rc;

	away_begin(s->cp);
	memcpy(s->before, s->cp->sim->img, s->cp->io.size);
	rc = update(&s->d.sim->io, &s->cp->io, &at, whole, NULL, &er);
	if (!ok_rc(rc, &er, what))
		return false;
	s->k.what = what;
	replay(&s->k, s->cp->sim, s->before, samples);
	s->k.at = at;
	s->k.sure = store_head(s->d.s);
	return OK(s->k.failed == 0);
}

static void
cuts(uint32_t align, uint32_t nareas, uint64_t seed, size_t steps)
{
	struct scene	 s;
	size_t		 i, samples = env_count("CRASH_SAMPLES", 200, true);
	bool		 ok = scene_begin(&s, align, nareas, tap_seed(seed));
	char		 what[80];

	for (i = 0; ok && i < steps; i++) {
		snprintf(what, sizeof(what), "align %u, seed %llu, step %zu",
		    align, (unsigned long long)seed, i);
		/* Once round, or so that the copy's newest is the oldest. */
		if (i % 4 == 3)
			ok = areas(&s.d, nareas + i / 4 % 2 * (nareas - 1));
		else
			ok = commits(&s.d, 1 + i % 3 * 5);
		ok = ok && cut_update(&s, i % 5 == 4, what,
		    i % 4 == 3 ? 0 : samples);
	}
	tap_diag("%zu states, %zu opened to newer ones; %zu areas begun",
	    s.k.states, s.k.newer, s.d.moves);
	OK(ok && s.k.states > 250 && s.k.newer > 100);
	scene_end(&s);
}

static void
power_cuts(void)
{
	cuts(512, 4, 1, 16);
	cuts(4096, 3, 2, 16);
}

/* Damage of a copy is mended under power cuts, too. */
static void
cuts_while_mending(void)
{
	struct scene	 s;
	uint64_t	 rng = tap_seed(7);
	size_t		 i, k;
	bool		 ok = scene_begin(&s, 512, 4, 7);

	for (i = 0; ok && i < 6; i++) {
		ok = areas(&s.d, 1) && cut_update(&s, false, "before", 0);
		/* An older area's begin is gone. */
		for (k = 0; ok && k < 4; k++)
			if (s.d.s->cur != k && tap_rand(&rng) % 2)
				memset(s.cp->sim->img + area_off(s.d.s,
				    (uint32_t)k), 0, 512);
		if (i % 2 == 1)
			memset(s.cp->sim->img, 0, 512);
		ok = ok && commits(&s.d, 2) && cut_update(&s, false,
		    "mended", 200) &&
		    ok_same(copy_agrees(&s.d, &s.cp->io, store_head(s.d.s)),
		    "mended");
	}
	OK(ok);
	scene_end(&s);
}

/* One write of many is lost, in part; nobody knows but the copy. */
static void
lost_write(void)
{
	struct scene		 s;
	uint64_t		 rng = tap_seed(9), behind;
	struct mirror_at	 at, was;
	size_t			 i, n, failed = 0, done = 0;
	int			 rc;
	bool			 ok = scene_begin(&s, 512, 4, 9);

	for (i = 0; ok && i < 150; i++) {
		n = i % 10 == 9 ? 60 : 1 + tap_rand(&rng) % 20;
		if (!commits(&s.d, n))
			break;
		at = was = s.k.at;
		away_begin(s.cp);
		s.cp->fail = tap_rand(&rng) % n;
		s.cp->fail_at = tap_rand(&rng) % 3 == 0 ? 0 :
		    tap_rand(&rng) % 8192;
		rc = update(&s.d.sim->io, &s.cp->io, &at, false, NULL, &er);
		failed += rc < 0;
		if (!OK(rc == 0 || (rc == -EIO && s.cp->fail != SIZE_MAX &&
		    memcmp(&at, &was, sizeof(at)) == 0)) ||
		    !OK(rc < 0 || !s.cp->lost))
			break;
		away_begin(s.cp);
		if (i % 2 == 0)
			memset(&at, 0, sizeof(at));
		if (i % 3 == 0) {	/* and again */
			was = at;
			s.cp->fail = tap_rand(&rng) % 3;
			s.cp->fail_at = tap_rand(&rng) % 4096;
			rc = update(&s.d.sim->io, &s.cp->io, &was, false,
			    NULL, &er);
			failed += rc < 0;
			away_begin(s.cp);
		}
		rc = update(&s.d.sim->io, &s.cp->io, &at, false, NULL, &er);
		if (!ok_rc(rc, &er, "then") ||
		    !OK(compare(&s.d.sim->io, &s.cp->io, &behind) == 0) ||
		    !ok_same(copy_agrees(&s.d, &s.cp->io,
		    store_head(s.d.s)), i % 2 ? "knowing" : "not knowing"))
			break;
		s.k.at = at;
		s.k.sure = store_head(s.d.s);
		done++;
	}
	tap_diag("%zu updates, %zu of them failed", done, failed);
	OK(ok && done == 150 && failed > 75);
	scene_end(&s);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "any power cut of the other host leaves the copy as it "
		    "was, or newer, and the next update heals it",
		    power_cuts },
		{ "the same while damage is mended", cuts_while_mending },
		{ "a write that was lost among others is sent again",
		    lost_write },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
