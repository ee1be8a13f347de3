/*
 * crash.c: after any power cut a store opens to the old head or to the
 * new one, whole, and takes the next commit.
 *
 * A scenario is recorded; then the power is cut after each operation, and
 * every state that the medium could be left in (cut.h) is looked at.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "drive.h"
#include "tap.h"

struct want {			/* what a state may open to */
	uint64_t	   gen;
	const struct ents *ov;
};

struct crash {			/* the looking at states */
	struct drive	*d;	/* what was recorded */
	struct sim	*sim;	/* where states are opened */
	struct want	 old;
	struct want	 new;	/* as old, where nothing was under way */
	const struct commit *lost; /* that gave new, or NULL */
	uint64_t	 sure;	/* the history is good up to here */
	bool		 again;	/* cut the power a second time too, */
	uint64_t	 odds;	/* in one of so many */
	uint64_t	 rng;
	char		 at[160]; /* where in the scenario we are */
	size_t		 states;
	size_t		 seconds; /* of them after a second cut */
	size_t		 opened_new;
	size_t		 confirmed; /* trials that were found in them */
	size_t		 failed;
};

static void
complain(struct crash *k, const char *what, const char *why)
{
	if (++k->failed <= 10)
		tap_diag("%s; %s: %s", k->at, what, why);
}

struct heard { char line[200]; };

static void
hear(void *arg, const char *line)
{
	struct heard	*h = arg;

	if (h->line[0] == '\0')
		snprintf(h->line, sizeof(h->line), "%s", line);
}

/* The store on k->sim, opened: is it as it must be?  NULL, or why not. */
static const char *
looks_right(struct crash *k, struct store *s)
{
	static struct heard	 h;
	static char		 msg[1400];
	const struct want	*w;
	const char		*bad;
	struct err		 e = { 0, "" };
	uint64_t		 head = store_head(s), gen;
	int			 rc;

	w = head == k->new.gen ? &k->new : head == k->old.gen ? &k->old :
	    NULL;
	if (w == NULL) {
		snprintf(msg, sizeof(msg), "opened to generation %llu, not "
		    "%llu or %llu; %s", (unsigned long long)head,
		    (unsigned long long)k->old.gen,
		    (unsigned long long)k->new.gen, store_damage(s) == NULL ?
		    "no damage said" : store_damage(s));
		return msg;
	}
	k->opened_new += w == &k->new;
	if (store_damage(s) != NULL)
		return store_damage(s);
	h.line[0] = '\0';
	rc = store_verify(s, hear, &h, &e);
	if (rc != 0)
		return rc < 0 ? (snprintf(msg, sizeof(msg), "verify: %s",
		    e.msg), msg) : h.line;
	if ((bad = drive_trial_agrees(k->d, s)) != NULL)
		return bad;
	gen = store_oldest(s);
	if (gen < k->sure && tap_rand(&k->rng) % 4 == 0) {
		gen += tap_rand(&k->rng) % (k->sure - gen);
		bad = drive_agree(k->d, s, gen);
		if (bad != NULL)
			return bad;
	}
	return overlay_agrees(&k->d->h.pool, s, head, w->ov, true);
}

/* Make a trial that is there the head; after opening anew, too. */
static const char *
confirms(struct crash *k, struct store **s)
{
	struct ents	 want = { NULL, 0, 0 };
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0, head = store_head(*s);
	const char	*r = NULL;
	int		 rc;

	if (store_overlay(*s, STORE_TRIAL, &want, &e) != 0)
		return "no overlay of the trial";
	rc = store_confirm(*s, &gen, &e);
	store_close(*s);
	*s = NULL;
	if (rc != 0 && rc != -ENOSPC)
		r = "the trial can't be confirmed";
	else if (store_open(s, &k->sim->io, &e) != 0)
		r = "can't be opened after confirming";
	else if (rc == 0 && (gen != head + 1 || store_head(*s) != gen))
		r = "the confirmed trial is not the head";
	else if (rc == 0)
		r = overlay_agrees(&k->d->h.pool, *s, gen, &want, true);
	k->confirmed += rc == 0;
	ents_free(&want);
	return r;
}

/* Commit something small; it must be there after opening anew. */
static const char *
takes_the_next(struct crash *k, struct store **s)
{
	struct ents	 now = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct gen	 g = k->d->g;	/* the same commit for each state */
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0, head = store_head(*s);
	struct trial	 t;
	const char	*r = NULL;

	if (store_trial_info(*s, &t, &e) == 0) {
		trial_free(&t);
		if (tap_rand(&k->rng) % 2 == 0)
			return confirms(k, s);
	}
	if (store_overlay(*s, head, &now, &e) != 0)
		return "no overlay for the next commit";
	gen_line(&g, &now, "next", &c, &after);
	if (store_commit(*s, &c, &gen, &e) != 0)
		r = "the next commit failed";
	store_close(*s);
	*s = NULL;
	if (r == NULL && store_open(s, &k->sim->io, &e) != 0)
		r = "can't be opened after the next commit";
	else if (r == NULL && (gen <= head || store_head(*s) != gen))
		r = "the next commit is not the head";
	else if (r == NULL)
		r = overlay_agrees(&k->d->h.pool, *s, gen, &after, true);
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
	return r;
}

static void	second(struct crash *, const uint8_t *);

static void
state(void *arg, uint8_t *img, const char *what)
{
	struct crash	*k = arg;
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	const char	*r;

	if (k->failed > 100)
		return;
	k->states++;
	sim_load(k->sim, img);
	if (store_open(&s, &k->sim->io, &e) != 0)
		r = e.msg;
	else if (k->sim->nops != 0)
		r = "opening wrote";
	else if ((r = looks_right(k, s)) == NULL)
		r = takes_the_next(k, &s);
	if (r != NULL)
		complain(k, what, r);
	store_close(s);
	if (r == NULL && k->again && tap_rand(&k->rng) % k->odds == 0)
		second(k, img);
}

/*
 * Recover from this state, and lose the power in the next commit too: the
 * very one that was lost, or another at the same time of the clock.
 */
static void
second(struct crash *k, const uint8_t *img)
{
	struct ents	 now = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct crash	 k2 = *k;
	struct gen	 g = k->d->g;
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0;
	struct sim	*sim = sim_new(k->sim->io.size, SIM_SECTOR);
	size_t		 i;
	bool		 same;

	sim_load(sim, img);
	if (!ok_rc(store_open(&s, &sim->io, &e), &e, "open") ||
	    !ok_rc(store_overlay(s, store_head(s), &now, &e), &e, "overlay"))
		goto out;
	same = k->lost != NULL && store_head(s) == k->old.gen &&
	    tap_rand(&k->rng) % 2 == 0;
	g.rng = tap_rand(&k->rng);
	gen_commit(&g, &now, &c, &after);
	if (k->lost != NULL)
		c.time = k->lost->time;
	if (store_commit(s, same ? k->lost : &c, &gen, &e) != 0) {
		if (e.code != ENOSPC)
			ok_rc(-1, &e, "commit after recovery");
		goto out;
	}
	k2.old = (struct want){ gen - 1, &now };
	k2.new = (struct want){ gen, same ? k->new.ov : &after };
	k2.again = false;
	k2.states = k2.seconds = 0;
	for (i = 0; i < 6 && sim->nops > 0; i++) {
		struct cut	 cut = { img, sim->io.size, sim->ops,
		    sim->nops, k->d->geom.align, 0, &k2.rng, state, &k2 };

		cut_one(&cut);
	}
	k->rng = k2.rng;
	k->states += k2.states;
	k->seconds += k2.states;
	k->opened_new = k2.opened_new;
	k->confirmed = k2.confirmed;
	k->failed = k2.failed;
out:
	store_close(s);
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
	sim_free(sim);
}

/* Cut the power after each operation of the recorded scenario. */
static void
replay(struct crash *k, size_t samples)
{
	struct drive	*d = k->d;
	size_t		 size = d->sim->io.size, i, from = d->mark[0], g = 0;
	uint8_t		*durable = xalloc(size);
	struct cut	 cut = { durable, size, NULL, 0, d->geom.align,
	    samples, &k->rng, state, k };

	for (i = 0; i < d->mark[0]; i++)
		if (!d->sim->ops[i].flush)
			memcpy(durable + d->sim->ops[i].off,
			    d->sim->ops[i].data, d->sim->ops[i].n);
	for (i = d->mark[0]; i < d->sim->nops && k->failed <= 100; i++) {
		const struct sim_op	*op = &d->sim->ops[i];

		while (g + 1 < d->h.n && d->mark[g + 1] <= i)
			g++;
		snprintf(k->at, sizeof(k->at), "align %u, operation %zu, "
		    "generation %llu to come", d->geom.align, i,
		    (unsigned long long)d->h.v[g].gen + 1);
		k->old = k->new = (struct want){ d->h.v[g].gen,
		    &d->h.v[g].ov };
		k->lost = NULL;
		k->sure = k->old.gen;
		d->before = d->h.v[g].before;
		if (g + 1 < d->h.n) {
			k->new = (struct want){ d->h.v[g + 1].gen,
			    &d->h.v[g + 1].ov };
			k->lost = &d->h.v[g + 1].c;
		}
		if (!op->flush) {
			cut.ops = &d->sim->ops[from];
			cut.nops = i + 1 - from;
			(void)cut_each(&cut);	/* k counts them */
			continue;
		}
		for (; from <= i; from++)
			if (!d->sim->ops[from].flush)
				memcpy(durable + d->sim->ops[from].off,
				    d->sim->ops[from].data,
				    d->sim->ops[from].n);
		if (g + 1 < d->h.n && d->mark[g + 1] == i + 1)
			k->old = k->new;	/* acknowledged: no way back */
		k->lost = NULL;
		{
			uint8_t	*img = xmemdup(durable, size);

			state(k, img, "all durable");
			free(img);
		}
	}
	free(durable);
}

static void
scenario(uint64_t size, uint32_t align, size_t commits, size_t moves,
    size_t samples)
{
	struct drive	 d;
	struct crash	 k;
	uint64_t	 seed = tap_seed(20240611);

	memset(&k, 0, sizeof(k));
	if (drive_begin(&d, size, align, 4, seed) && (d.notes = true) &&
	    drive_run(&d, commits, moves)) {
		k.d = &d;
		k.sim = sim_new(size, SIM_SECTOR);
		k.again = true;
		k.odds = getenv("SANITIZED") == NULL ? 2 : 10;
		k.rng = seed;
		replay(&k, samples);
		tap_diag("%zu commits, %zu to another area; %zu states, %zu "
		    "of them after a second cut, %zu opened to the new head, "
		    "%zu confirmed a trial", d.done, d.moves, k.states,
		    k.seconds, k.opened_new, k.confirmed);
		OK(k.failed == 0);
		OK(k.confirmed > 10);
		OK(k.states > 1000 && k.seconds > 100);
		OK(k.opened_new > 100 && k.opened_new < k.states);
		sim_free(k.sim);
	}
	drive_end(&d);
}

static size_t
samples(void)
{
	return env_count("CRASH_SAMPLES", 50, true);
}

static void
sectors_torn(void)
{
	scenario(64 * 1024, 512, 60, 4, samples());
}

static void
neighbours_lost(void)
{
	scenario(64 * 1024, 4096, 60, 6, samples());
}

static void
larger_medium(void)
{
	scenario(256 * 1024, 512, 40, 2, samples() / 4);
}

static void
take(void *arg, uint8_t *img, const char *what)
{
	struct sim	*sim = arg;

	(void)what;
	sim_load(sim, img);
}

static bool
history_agrees(struct drive *d)
{
	uint64_t	 gen;

	for (gen = store_oldest(d->s); gen <= store_head(d->s); gen++)
		if (!ok_same(drive_agree(d, d->s, gen), "after the cut"))
			return false;
	return true;
}

/*
 * One commit after another, the power cut in each with even odds; the
 * clock stands still as often as not.  What was lost must never show up.
 */
static void
chain(uint32_t align, size_t steps)
{
	struct drive	 d;
	uint64_t	 rng = tap_seed(77);
	uint8_t		*before = xalloc(64 * 1024);
	size_t		 i, cuts = 0, lost = 0;
	struct err	 e = { 0, "" };
	int64_t		 clock;
	uint64_t	 began, was;

	if (!drive_begin(&d, 64 * 1024, align, 3 + rng % 2, rng))
		goto out;
	for (i = 0; i < steps; i++) {
		struct cut	 cut = { before, 64 * 1024, NULL, 0, align, 0,
		    &rng, take, d.sim };
		struct sim	*rec;
		int		 r;

		sim_forget(d.sim);
		memcpy(before, d.sim->img, 64 * 1024);
		clock = d.g.clock;
		began = d.began;
		was = d.before;
		r = drive_commit(&d, i % 7 == 6 ? DRIVE_SHRINK :
		    i % 3 == 2 ? DRIVE_LINE : DRIVE_RANDOM);
		if (r < 0)
			break;
		if (tap_rand(&rng) % 2 == 0)
			d.g.clock = clock;
		if (r == 0 || tap_rand(&rng) % 2 == 0)
			continue;
		store_close(d.s);
		d.s = NULL;
		rec = d.sim;	/* its log is cut, and another takes over */
		cut.ops = rec->ops;
		cut.nops = rec->nops;
		d.sim = sim_new(64 * 1024, SIM_SECTOR);
		cut.arg = d.sim;
		cut_one(&cut);
		sim_free(rec);
		cuts++;
		if (!ok_rc(store_open(&d.s, &d.sim->io, &e), &e, "open"))
			break;
		if (store_head(d.s) + 1 == d.h.v[d.h.n - 1].gen) {
			hist_cut(&d.h, store_head(d.s));
			d.began = began;
			d.before = was;
			lost++;
		}
		if (!OK(store_damage(d.s) == NULL) ||
		    !OK(store_head(d.s) == d.h.v[d.h.n - 1].gen) ||
		    !OK(store_verify(d.s, NULL, NULL, &e) == 0) ||
		    !history_agrees(&d))
			break;
	}
	tap_diag("align %u: %zu commits, %zu cuts, %zu commits lost in them",
	    align, i, cuts, lost);
	OK(i == steps && lost > steps / 20);
out:
	drive_end(&d);
	free(before);
}

static void
crash_upon_crash(void)
{
	chain(512, env_count("CHAIN", 400, true));
	chain(4096, env_count("CHAIN", 400, true));
}

/* Power cuts while a store is made: over nothing, over an old store. */
struct making {
	struct drive	*d;	/* the old one */
	struct sim	*sim;
	size_t		 states;
	size_t		 old;	/* states that show the old store */
};

static void
half_made(void *arg, uint8_t *img, const char *what)
{
	struct making	*m = arg;
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	uint64_t	 head;

	m->states++;
	sim_load(m->sim, img);
	if (store_open(&s, &m->sim->io, &e) == 0 &&
	    (head = store_head(s)) != 0) {
		m->old++;	/* then with all that it had */
		if (head != m->d->h.v[m->d->h.n - 1].gen &&
		    store_damage(s) == NULL)
			ok_same("an old generation, no damage said", what);
		ok_same(hist_agree(&m->d->h, s, head, false), what);
	}
	store_close(s);
	/* However it was left, a store can be made on it. */
	s = NULL;
	if (ok_rc(store_create(&m->sim->io, &m->d->geom, &e), &e, what) &&
	    ok_rc(store_open(&s, &m->sim->io, &e), &e, what))
		OK(store_head(s) == 0);
	store_close(s);
}

static void
cut_while_made(void)
{
	struct drive	 d;
	struct making	 m = { &d, NULL, 0, 0 };
	uint64_t	 rng = tap_seed(5);
	uint8_t		*old;
	size_t		 i, from = 0;
	struct err	 e = { 0, "" };

	m.sim = sim_new(64 * 1024, SIM_SECTOR);
	if (drive_begin(&d, 64 * 1024, 512, 4, rng) && drive_run(&d, 30, 2)) {
		old = xmemdup(d.sim->img, 64 * 1024);
		sim_forget(d.sim);
		ok_rc(store_create(&d.sim->io, &d.geom, &e), &e, "create");
		for (i = 0; i < d.sim->nops; i++) {
			struct cut	 cut = { old, 64 * 1024,
			    &d.sim->ops[from], i + 1 - from, 512,
			    samples() / 2, &rng, half_made, &m };

			if (!d.sim->ops[i].flush) {
				(void)cut_each(&cut);
				continue;
			}
			for (; from <= i; from++)
				if (!d.sim->ops[from].flush)
					memcpy(old + d.sim->ops[from].off,
					    d.sim->ops[from].data,
					    d.sim->ops[from].n);
		}
		tap_diag("%zu states, %zu with the old store", m.states,
		    m.old);
		OK(m.states > 10);
		free(old);
	}
	sim_free(m.sim);
	drive_end(&d);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "any power cut leaves the old head or the new one, where "
		    "the medium keeps the neighbours of a torn sector",
		    sectors_torn },
		{ "any power cut leaves the old head or the new one, where "
		    "neighbours are lost", neighbours_lost },
		{ "the same on a larger medium", larger_medium },
		{ "what a cut has lost never shows up in later commits",
		    crash_upon_crash },
		{ "a cut while a store is made leaves the old one, none, or "
		    "an empty one", cut_while_made },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
