/*
 * copycrash.c: a copy that loses power while it is brought up to date has
 * what it had, or more of the store; and the next update finds out how
 * much, whatever its caller remembers.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copykit.h"
#include "cut.h"
#include "tap.h"

struct cuts {
	struct drive	*d;
	struct io	*from;		/* what the copy is brought to */
	struct io	*later;		/* and then: the store has gone on */
	uint64_t	 head;		/* of `from` */
	uint64_t	 least;		/* the copy has at least this */
	struct mirror_at was;		/* what the caller remembers */
	struct sim	*sim;		/* where states are looked at */
	uint64_t	 rng;
	bool		 again;		/* cut the power a second time, too, */
	uint64_t	 odds;		/* in one of so many */
	char		 at[80];
	size_t		 states;
	size_t		 seconds;
	size_t		 failed;
};

static void	second(struct cuts *, const uint8_t *, uint64_t);

/* The head, or 0 and why not. */
static uint64_t
head_of(struct drive *d, struct io *io, const char **bad)
{
	static char	 msg[1200];
	struct store	*s;
	struct err	 e = { 0, "" };
	uint64_t	 head = 0;

	*bad = NULL;
	if (store_open(&s, io, &e) < 0) {
		snprintf(msg, sizeof(msg), "open: %s", e.msg);
		*bad = msg;
		return 0;
	}
	head = store_head(s);
	if (store_damage(s) != NULL) {
		snprintf(msg, sizeof(msg), "opened to %llu: %s",
		    (unsigned long long)head, store_damage(s));
		*bad = msg;
	} else
		*bad = hist_agree(&d->h, s, head, true);
	store_close(s);
	return head;
}

static void
complain(struct cuts *c, const char *what, const char *why)
{
	if (++c->failed <= 10)
		tap_diag("%s; %s: %s", c->at, what, why);
}

/* The next update, of the store as it is or as it is later. */
static const char *
heals(struct cuts *c, bool knows, bool later)
{
	static char		 msg[1200];
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct io		*from = later ? c->later : c->from;
	const char		*bad;
	uint64_t		 want, got;

	if (knows)
		at = c->was;
	if (bring(from, &c->sim->io, &at, false, NULL) < 0) {
		snprintf(msg, sizeof(msg), "next: %s", mer.msg);
		return msg;
	}
	want = later ? drive_head(c->d) : c->head;
	got = head_of(c->d, &c->sim->io, &bad);
	if (bad == NULL && got != want)
		bad = "the next update does not bring it there";
	return bad != NULL ? bad : copy_same(from, &c->sim->io);
}

static void
state(void *arg, uint8_t *img, const char *what)
{
	struct cuts	*c = arg;
	const char	*bad;
	char		 msg[120];
	uint64_t	 head;
	bool		 knows = tap_rand(&c->rng) % 2 == 0;
	bool		 later = tap_rand(&c->rng) % 2 == 0;

	if (c->failed > 50)
		return;
	c->states++;
	sim_load(c->sim, img);
	head = head_of(c->d, &c->sim->io, &bad);
	if (bad == NULL && (head < c->least || head > c->head)) {
		snprintf(msg, sizeof(msg), "opened to %llu, not %llu to %llu",
		    (unsigned long long)head, (unsigned long long)c->least,
		    (unsigned long long)c->head);
		bad = msg;
	}
	if (bad == NULL && c->again && tap_rand(&c->rng) % c->odds == 0) {
		second(c, img, head);
		sim_load(c->sim, img);
	}
	if (bad == NULL && (bad = heals(c, knows, later)) != NULL)
		snprintf(c->at + strlen(c->at), sizeof(c->at) - strlen(c->at),
		    knows ? " (knows)" : later ? " (later)" : "");
	if (bad != NULL)
		complain(c, what, bad);
}

/* Power fails again, in the update that would have healed it. */
static void
second(struct cuts *c, const uint8_t *img, uint64_t head)
{
	struct sim		*sim = sim_new(c->sim->io.size, SIM_SECTOR);
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct cuts		 c2 = *c;
	uint8_t			*durable = xmemdup(img, sim->io.size);
	bool			 later = tap_rand(&c->rng) % 2 == 0;
	size_t			 i, n, from = 0;

	if (tap_rand(&c->rng) % 2 == 0)
		at = c->was;
	sim_load(sim, img);
	if (bring(later ? c->later : c->from, &sim->io, &at, false,
	    NULL) < 0) {
		complain(c, "second", mer.msg);
		goto out;
	}
	c2.again = false;
	c2.least = head;
	c2.head = later ? drive_head(c->d) : c->head;
	if (later)
		c2.from = c->later;
	c2.states = 0;
	snprintf(c2.at + strlen(c2.at), sizeof(c2.at) - strlen(c2.at),
	    ", second, from %llu", (unsigned long long)head);
	n = sim->nops == 0 ? 0 : tap_rand(&c->rng) % sim->nops;
	for (i = 0; i < n; i++) {
		if (!sim->ops[i].flush)
			continue;
		for (; from < i; from++)
			if (!sim->ops[from].flush)
				memcpy(durable + sim->ops[from].off,
				    sim->ops[from].data, sim->ops[from].n);
	}
	for (i = 0; i < 3 && n + 1 > from && sim->nops > 0; i++) {
		struct cut	 cut = { durable, sim->io.size,
		    &sim->ops[from], n + 1 - from, c->d->geom.align, 0,
		    &c2.rng, state, &c2 };

		cut_one(&cut);
	}
	c->rng = c2.rng;
	c->states += c2.states;
	c->seconds += c2.states;
	c->failed = c2.failed;
out:
	free(durable);
	sim_free(sim);
}

/* Cut the power after each operation of an update. */
static void
each_cut(struct cuts *c, struct sim *sim, const uint8_t *begun,
    size_t samples)
{
	uint8_t		*durable = xmemdup(begun, sim->io.size);
	const char	*bad;
	size_t		 i, from = 0;
	struct sim	*look = sim_new(sim->io.size, SIM_SECTOR);

	for (i = 0; i < sim->nops && c->failed <= 50; i++) {
		struct cut	 cut = { durable, sim->io.size,
		    &sim->ops[from], i + 1 - from, c->d->geom.align, samples,
		    &c->rng, state, c };
		size_t		 len = strlen(c->at);

		if (!sim->ops[i].flush) {
			snprintf(c->at + len, sizeof(c->at) - len,
			    ", operation %zu of %zu", i, sim->nops);
			(void)cut_each(&cut);
			c->at[len] = '\0';
			continue;
		}
		for (; from <= i; from++)
			if (!sim->ops[from].flush)
				memcpy(durable + sim->ops[from].off,
				    sim->ops[from].data, sim->ops[from].n);
		/* What was flushed is there for good. */
		sim_load(look, durable);
		c->least = head_of(c->d, &look->io, &bad);
		if (bad != NULL)
			complain(c, "flushed", bad);
	}
	OK(c->least == c->head);
	sim_free(look);
	free(durable);
}

static void
scenario(uint64_t size, uint32_t align, uint32_t areas, size_t rounds,
    size_t samples, uint64_t seed)
{
	struct drive		 d;
	struct cuts		 c = { .d = &d, .rng = seed, .again = true,
				    .odds = getenv("SANITIZED") == NULL ?
				    4 : 12 };
	struct sim		*copy = sim_new(size, SIM_SECTOR), *then;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	uint8_t			*begun;
	size_t			 i, n;

	c.sim = sim_new(size, SIM_SECTOR);
	if (!drive_begin(&d, size, align, areas, seed) || !go_on(&d, 6))
		goto out;
	sim_load(copy, d.sim->img);
	for (i = 0; i < rounds && c.failed <= 50; i++) {
		OK(bring(&d.sim->io, &copy->io, &at, false, NULL) == 0);
		c.least = drive_head(&d);
		c.was = at;
		sim_forget(copy);
		begun = xmemdup(copy->img, size);
		n = i % 4 == 3 ? d.moves + areas + i % 3 : 0;
		if (!(n > 0 ? drive_run(&d, 0, n) :
		    go_on(&d, 1 + tap_rand(&c.rng) % 9)))
			break;
		then = image_of(d.sim);
		c.from = &then->io;
		c.head = drive_head(&d);
		snprintf(c.at, sizeof(c.at), "align %u, %llu to %llu", align,
		    (unsigned long long)c.least, (unsigned long long)c.head);
		OK(bring(c.from, &copy->io, i % 2 == 0 ? NULL : &at, false,
		    NULL) == 0);
		if (!go_on(&d, 1 + tap_rand(&c.rng) % 5) ||
		    (i % 5 == 4 && !drive_run(&d, 0, d.moves + areas)))
			break;
		c.later = &d.sim->io;
		each_cut(&c, copy, begun, samples);
		sim_free(then);
		free(begun);
	}
	tap_diag("%llu bytes, align %u, %u areas: %zu commits, %zu moves, %zu "
	    "states, %zu of them after a second cut",
	    (unsigned long long)size, align, areas, d.done, d.moves, c.states,
	    c.seconds);
	OK(i == rounds && c.failed == 0 && c.states > 500 && c.seconds > 50);
out:
	sim_free(c.sim);
	sim_free(copy);
	drive_end(&d);
}

static size_t
samples(void)
{
	return env_count("CRASH_SAMPLES", 12, true);
}

static void
sectors_torn(void)
{
	scenario(64 * 1024, 512, 4, 8, samples(), tap_seed(20250101));
}

static void
neighbours_lost(void)
{
	scenario(64 * 1024, 4096, 3, 12, samples(), tap_seed(20250102));
}

/* --- writes that fail, while others are under way behind them */

static void
lost_writes(void)
{
	struct drive		 d;
	struct sim		*copy = sim_new(64 * 1024, SIM_SECTOR), *work;
	struct far		 f;
	struct mirror_at	 at = { 0, 0, 0, 0 }, now;
	uint64_t		 rng = tap_seed(517), least;
	size_t			 i, k, n, holes = 0;
	const char		*bad;

	if (!drive_begin(&d, 64 * 1024, 512, 4, rng) || !go_on(&d, 6))
		goto out;
	sim_load(copy, d.sim->img);
	for (i = 0; i < 14; i++) {
		OK(bring(&d.sim->io, &copy->io, &at, false, NULL) == 0);
		least = drive_head(&d);
		go_on(&d, 2 + tap_rand(&rng) % 20);
		for (n = k = 1; k <= n; k++) {
			work = image_of(copy);
			far_begin(&f, work, 64 * 1024);
			f.fail = k;
			now = at;
			if (bring(&d.sim->io, &f.io, &now, false, NULL) == 0) {
				OK(f.writes < k);
				sim_free(work);
				break;
			}
			n = k + 1;
			holes += f.writes > k;
			OK(memcmp(&now, &at, sizeof(at)) == 0);
			OK(f.writes - k < MIRROR_AHEAD);
			/* What is there is right, and not less. */
			if (head_of(&d, &work->io, &bad) < least)
				ok_same("an older head", "lost write");
			if (tap_rand(&rng) % 2 == 0)
				memset(&now, 0, sizeof(now));
			far_reset(&f);
			ok_rc(bring(&d.sim->io, &f.io, &now, false, NULL),
			    &mer, "next");
			ok_same(copy_holds(&d, &f.io, drive_head(&d)),
			    "next");
			ok_same(copy_same(&d.sim->io, &f.io), "next");
			sim_free(work);
		}
	}
	tap_diag("%zu times others were under way behind it", holes);
	OK(holes > 20);
out:
	sim_free(copy);
	drive_end(&d);
}

/* Of a large record some requests fail and others do not: its header is
 * there, those of the ones behind it are, too. */
static void
torn_under_way(void)
{
	struct drive		 d;
	struct sim		*copy = sim_new(256 * 1024, SIM_SECTOR);
	struct sim		*work;
	struct mirror_at	 at = { 0, 0, 0, 0 }, now;
	uint64_t		 rng = tap_seed(518);
	size_t			 i, k, torn = 0, seen;
	const struct sim_op	*w;

	if (!drive_begin(&d, 256 * 1024, 512, 4, rng) || !go_on(&d, 6))
		goto out;
	sim_load(copy, d.sim->img);
	for (i = 0; i < 40; i++) {
		OK(bring(&d.sim->io, &copy->io, &at, false, NULL) == 0);
		sim_forget(copy);
		go_on(&d, 3 + tap_rand(&rng) % 4);
		work = image_of(copy);
		now = at;
		OK(bring(&d.sim->io, &work->io, &now, false, NULL) == 0);
		/* One of the last writes: all but its first sector is lost. */
		for (k = work->nops, seen = 0; k-- > 0 && seen < 5;) {
			w = &work->ops[k];
			if (w->flush || ++seen < 1 + tap_rand(&rng) % 3 ||
			    w->n <= SIM_SECTOR)
				continue;
			memcpy(work->img + w->off + SIM_SECTOR,
			    copy->img + w->off + SIM_SECTOR,
			    w->n - SIM_SECTOR);
			torn++;
			break;
		}
		sim_forget(work);
		now = at;
		if (tap_rand(&rng) % 2 == 0)
			memset(&now, 0, sizeof(now));
		ok_rc(bring(&d.sim->io, &work->io, &now, false, NULL), &mer,
		    "next");
		ok_same(copy_holds(&d, &work->io, drive_head(&d)), "next");
		ok_same(copy_same(&d.sim->io, &work->io), "next");
		sim_free(work);
	}
	OK(torn > 8);
out:
	sim_free(copy);
	drive_end(&d);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "any power cut leaves what was there, or more, and the "
		    "next update finds out; sectors torn", sectors_torn },
		{ "the same where neighbours of a torn sector are lost",
		    neighbours_lost },
		{ "a write that fails while others are under way is mended",
		    lost_writes },
		{ "one that fails in part, too", torn_under_way },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
