/*
 * copies.c: a copy that is brought up to date is the store, and costs no
 * more than it must.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/store-int.h"
#include "copykit.h"
#include "tap.h"

/* A store after some commits, and an empty medium for its copy. */
static bool
both(struct drive *d, struct sim **copy, uint64_t size, uint32_t align,
    uint32_t areas, size_t commits, uint64_t seed)
{
	*copy = sim_new(size, SIM_SECTOR);
	return drive_begin(d, size, align, areas, seed) && go_on(d, commits);
}

static bool
filled(struct drive *d, struct io *to, struct mirror_at *at)
{
	struct mirror_job	 j = { .from = &d->sim->io, .to = to,
	    .at = at };

	mer = (struct err){ 0, "" };
	return ok_rc(mirror_fill(&j, 0, &mer), &mer, "fill") &&
	    OK(at->seq == drive_head(d));
}

static bool
is_right(struct drive *d, struct io *to)
{
	return ok_same(copy_holds(d, to, drive_head(d)), "copy") &&
	    ok_same(copy_same(&d->sim->io, to), "copy");
}

/* All generations that the store gives, the copy gives too. */
static bool
as_old(struct drive *d, struct io *to)
{
	struct store	*s;
	uint64_t	 oldest;

	if (!OK(store_open(&s, to, &mer) == 0))
		return false;
	oldest = store_oldest(s);
	store_close(s);
	return OK(oldest <= store_oldest(d->s));
}

static void
one_run(uint64_t size, uint32_t align, uint32_t areas, uint64_t seed)
{
	struct drive		 d;
	struct sim		*copy;
	struct far		 f;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	uint64_t		 rng = seed, sent, moves;
	size_t			 i, far = 0;

	if (!both(&d, &copy, size, align, areas, 3, seed))
		goto out;
	far_begin(&f, copy, size);
	if (!filled(&d, &f.io, &at))
		goto out;
	for (i = 0; i < 40; i++) {
		moves = d.moves;
		if (i % 10 == 5 ? !drive_run(&d, 0, d.moves + areas +
		    tap_rand(&rng) % 3) : !go_on(&d, 1 + tap_rand(&rng) % 5))
			break;
		far += d.moves - moves >= areas;
		if (tap_rand(&rng) % 3 == 0)
			memset(&at, 0, sizeof(at));
		if (!ok_rc(bring(&d.sim->io, &f.io, &at,
		    tap_rand(&rng) % 8 == 0, NULL), &mer, "update") ||
		    !OK(at.seq == drive_head(&d)) ||
		    !is_right(&d, &f.io) || !as_old(&d, &f.io))
			break;
		far_reset(&f);
		if (!ok_rc(bring(&d.sim->io, &f.io, &at, false, &sent),
		    &mer, "again") || !OK(sent == 0 && f.writes == 0 &&
		    f.flushes == 0 && f.readvs == 1 && f.reads == 0))
			break;
	}
	tap_diag("%llu bytes, align %u, %u areas: %zu commits, %zu moves, %zu "
	    "times all round", (unsigned long long)size, align, areas, d.done,
	    d.moves, far);
	OK(i == 40 && far > 0 && copy->bad == 0);
out:
	drive_end(&d);
	sim_free(copy);
}

static void
random_runs(void)
{
	uint64_t	 seed = tap_seed(811);

	one_run(64 * 1024, 512, 4, seed);
	one_run(64 * 1024, 4096, 3, seed + 1);
	one_run(128 * 1024, 512, 3, seed + 2);
	one_run(256 * 1024, 4096, 5, seed + 3);
}

static void
what_one_commit_costs(void)
{
	struct drive		 d;
	struct sim		*copy;
	struct far		 f;
	struct mirror_at	 at = { 0, 0, 0, 0 }, none;
	uint64_t		 sent, moves;
	size_t			 i, seen = 0;
	struct store_space	 sp;

	if (!both(&d, &copy, 256 * 1024, 512, 4, 30, tap_seed(2)))
		goto out;
	far_begin(&f, copy, 256 * 1024);
	filled(&d, &f.io, &at);
	for (i = 0; i < 30; i++) {
		moves = d.moves;
		if (drive_commit(&d, DRIVE_LINE) != 1)
			continue;
		store_space(d.s, &sp);
		far_reset(&f);
		OK(bring(&d.sim->io, &f.io, &at, false, &sent) == 0);
		OK(f.readvs == 1 && f.reads == 0 && f.writes == 1 &&
		    f.flushes == 1 && f.orders == 0);
		OK(sent == f.wr && sent <= sp.written);
		OK(f.rd <= SUPER_LEN + (4 + 3) * REC_LEN);
		if (d.moves > moves)
			continue;
		if (seen++ == 0)
			tap_diag("%llu bytes are read, %llu written",
			    (unsigned long long)f.rd,
			    (unsigned long long)f.wr);
		/* Where nobody remembers, the last record is read, too. */
		memset(&none, 0, sizeof(none));
		if (drive_commit(&d, DRIVE_LINE) != 1 || d.moves > moves)
			continue;
		far_reset(&f);
		OK(bring(&d.sim->io, &f.io, &none, false, NULL) == 0);
		OK(f.readvs == 2 && f.reads == 0 && f.writes == 1 &&
		    f.flushes == 1 && f.orders == 1);
		at = none;
	}
	OK(seen > 5);
	is_right(&d, &f.io);
out:
	drive_end(&d);
	sim_free(copy);
}

/* Many that are missing: several under way, but never too many. */
static void
many_at_once(void)
{
	struct drive		 d;
	struct sim		*copy;
	struct far		 f;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	size_t			 i, moves;

	if (!both(&d, &copy, 1024 * 1024, 512, 4, 5, tap_seed(9)))
		goto out;
	far_begin(&f, copy, 1024 * 1024);
	filled(&d, &f.io, &at);
	moves = d.moves;
	for (i = 0; i < 100; i++)
		OK(drive_commit(&d, DRIVE_LINE) == 1);
	OK(d.moves == moves);
	far_reset(&f);
	OK(bring(&d.sim->io, &f.io, &at, false, NULL) == 0);
	OK(f.writes == 100 && f.readvs <= 2);
	OK(f.flushes <= 100 / (MIRROR_AHEAD - 1) + 1);
	OK(f.orders + f.flushes == 100);
	is_right(&d, &f.io);
out:
	drive_end(&d);
	sim_free(copy);
}

/* The power cut of a flush is taken for granted: whatever is written goes
 * behind an order of what was there before it. */
static void
each_behind_the_other(void)
{
	struct drive		 d;
	struct sim		*copy;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	size_t			 i, k;

	if (!both(&d, &copy, 64 * 1024, 512, 4, 5, tap_seed(31)))
		goto out;
	filled(&d, &copy->io, &at);
	for (i = 0; i < 10; i++) {
		go_on(&d, 7);
		sim_forget(copy);
		OK(bring(&d.sim->io, &copy->io, i % 2 == 0 ? NULL : &at,
		    false, NULL) == 0);
		for (k = 1; k < copy->nops; k++)
			OK(copy->ops[k].flush || copy->ops[k - 1].flush);
		OK(copy->nops > 0 && copy->ops[copy->nops - 1].flush);
	}
out:
	drive_end(&d);
	sim_free(copy);
}

/* --- new copies */

/* A store of some megabytes, of noise. */
static bool
big(struct drive *d, uint64_t size, uint64_t seed)
{
	size_t	 i;

	if (!drive_begin(d, size, 4096, 4, seed))
		return false;
	for (i = 0; i < 12; i++)
		if (drive_commit(d, i % 3 == 2 ? DRIVE_SHRINK :
		    DRIVE_FILL) < 0)
			return false;
	return true;
}

#define BIG	(6u << 20)

/* What was written since the last order: half of it is gone. */
static void
lose(struct sim *copy, uint64_t *rng)
{
	size_t	 i, o;

	for (i = copy->synced; i < copy->nops; i++)
		for (o = 0; !copy->ops[i].flush && o < copy->ops[i].n;
		    o += SIM_SECTOR)
			if (tap_rand(rng) % 2 == 0)
				memset(copy->img + copy->ops[i].off + o, 0,
				    SIM_SECTOR);
	sim_forget(copy);
}

/* Half of the copy is there: how many bytes of it count is told by size
 * alone, and what was not synced is lost. */
static void
resumed(struct drive *d, const struct sim *full, size_t stop, bool lost,
    bool more, uint64_t *rng)
{
	struct sim		*copy = sim_new(BIG, SIM_SECTOR);
	struct far		 f;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = &d->sim->io, .to = &f.io,
	    .at = &at };
	uint64_t		 have, good, most = 0;
	size_t			 i;

	far_begin(&f, copy, 0);
	f.stop = stop;
	OK(mirror_fill(&j, 0, &mer) < 0 && at.id == 0);
	have = f.io.size;
	if (stop <= f.writes)	/* those that were lost did not grow it */
		for (have = 0, i = 0; i < copy->nops; i++)
			if (!copy->ops[i].flush && copy->ops[i].off +
			    copy->ops[i].n > have)
				have = copy->ops[i].off + copy->ops[i].n;
	good = have > 2 * MIRROR_CHUNK ? have - 2 * MIRROR_CHUNK : 0;
	for (i = 0; i < full->nops; i++)
		if (full->ops[i].off + full->ops[i].n > good)
			most += full->ops[i].n;
	if (lost)
		lose(copy, rng);
	sim_forget(copy);
	if (more)
		(void)drive_commit(d, DRIVE_LINE);
	far_begin(&f, copy, have);
	ok_rc(mirror_fill(&j, have, &mer), &mer, "resume");
	/* A whole record where that was sent in pieces. */
	OK(more || f.wr <= most + MIRROR_CHUNK);
	OK(f.io.size == BIG);
	if (!ok_same(copy_holds(d, &f.io, drive_head(d)), "resumed"))
		tap_diag("stopped at write %zu", stop);
	ok_same(copy_same(&d->sim->io, &f.io), "resumed");
	sim_free(copy);
}

static void
cut_short(void)
{
	struct drive	 d;
	uint64_t	 rng = tap_seed(40);
	struct sim	*copy = sim_new(BIG, SIM_SECTOR);
	struct far	 f;
	struct mirror_at at = { 0, 0, 0, 0 };
	size_t		 i, n;

	if (!big(&d, BIG, rng))
		goto out;
	far_begin(&f, copy, 0);
	filled(&d, &f.io, &at);
	OK(f.io.size == BIG && is_right(&d, &f.io));
	n = f.writes;
	OK(f.wr < BIG && f.flushes >= 5);
	tap_diag("%zu writes, %zu flushes, %llu bytes", n, f.flushes,
	    (unsigned long long)f.wr);
	for (i = 1; i <= n; i++)
		resumed(&d, copy, i, i % 2 == 0, false, &rng);
	for (i = 1; i <= n; i += 3)
		resumed(&d, copy, i, true, true, &rng);
out:
	drive_end(&d);
	sim_free(copy);
}

/* A fill that was begun twice: the second time over areas that had begun
 * another life, and then it is cut short as well. */
static void
cut_short_twice(void)
{
	struct drive	 d;
	uint64_t	 rng = tap_seed(41), have;
	struct sim	*copy, *before;
	struct far	 f;
	struct mirror_at at = { 0, 0, 0, 0 };
	struct mirror_job j = { .to = &f.io, .at = &at };
	size_t		 i, k;

	if (!big(&d, BIG, rng))
		goto out;
	before = image_of(d.sim);
	for (i = 0; i < 6; i++)
		drive_commit(&d, i % 2 == 0 ? DRIVE_SHRINK : DRIVE_FILL);
	for (k = 1; k <= 12; k++) {
		copy = sim_new(BIG, SIM_SECTOR);
		j.from = &before->io;
		far_begin(&f, copy, 0);
		f.stop = 10;	/* all but the end */
		OK(mirror_fill(&j, 0, &mer) < 0);
		have = f.io.size < BIG ? f.io.size : BIG - 4096;
		sim_forget(copy);
		j.from = &d.sim->io;
		far_begin(&f, copy, have);
		f.stop = k;
		(void)mirror_fill(&j, have, &mer);
		lose(copy, &rng);
		far_begin(&f, copy, have);
		ok_rc(mirror_fill(&j, have, &mer), &mer, "resume");
		if (!ok_same(copy_holds(&d, &f.io, drive_head(&d)), "twice"))
			tap_diag("stopped at %zu", k);
		ok_same(copy_same(&d.sim->io, &f.io), "twice");
		sim_free(copy);
	}
	sim_free(before);
out:
	drive_end(&d);
}

/* Over a medium that holds another life of the store, which had gone on:
 * nothing of that shows up, not even as damage. */
static void
over_another_life(void)
{
	struct drive	 d, other;
	struct sim	*copy, *old;
	struct mirror_at at = { 0, 0, 0, 0 };
	uint64_t	 rng = tap_seed(12);
	size_t		 i, k;

	for (k = 0; k < 12; k++) {
		if (!both(&d, &copy, 64 * 1024, 512, 4,
		    4 + tap_rand(&rng) % 20, rng + k) ||
		    !drive_begin(&other, 64 * 1024, 512, 4, rng + 3))
			break;
		/* The same store goes on by itself. */
		store_close(other.s);
		sim_load(other.sim, d.sim->img);
		OK(store_open(&other.s, &other.sim->io, &mer) == 0);
		for (i = 0; i < 1 + tap_rand(&rng) % 25; i++) {
			struct ents	 now = { NULL, 0, 0 };
			struct ents	 after = { NULL, 0, 0 };
			struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
			uint64_t	 gen;

			OK(store_overlay(other.s, store_head(other.s), &now,
			    &mer) == 0);
			gen_line(&other.g, &now, "other", &c, &after);
			(void)store_commit(other.s, &c, &gen, &mer);
			commit_free(&c);
			ents_free(&now);
			ents_free(&after);
		}
		old = image_of(other.sim);
		OK(bring(&d.sim->io, &old->io, NULL, false, NULL) == -EEXIST);
		OK(old->nops == 0);
		filled(&d, &old->io, &at);
		is_right(&d, &old->io);
		/* And it goes on from there. */
		go_on(&d, 3);
		OK(bring(&d.sim->io, &old->io, &at, false, NULL) == 0);
		is_right(&d, &old->io);
		sim_free(old);
		drive_end(&other);
		drive_end(&d);
		sim_free(copy);
	}
}

/* --- in memory */

static void
snapshots(void)
{
	struct drive		 d;
	struct sim		*copy;
	struct io		*snap = NULL;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	size_t			 i;

	if (!both(&d, &copy, 64 * 1024, 512, 4, 4, tap_seed(6)))
		goto out;
	filled(&d, &copy->io, &at);
	for (i = 0; i < 20; i++) {
		go_on(&d, 3);
		if (!ok_rc(mirror_snapshot(&snap, &d.sim->io, &mer), &mer,
		    "snapshot"))
			break;
		OK(snap->size == d.sim->io.size);
		ok_same(copy_holds(&d, snap, drive_head(&d)), "snapshot");
		OK(bring(snap, &copy->io, &at, false, NULL) == 0);
		io_close(snap);
		is_right(&d, &copy->io);
	}
out:
	drive_end(&d);
	sim_free(copy);
}

/* A store in which somebody commits between any two reads. */
struct busy {
	struct io	 io;
	struct drive	*d;
	uint64_t	 rng;
	unsigned	 often;
	bool		 in;
};

static int
b_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct busy	*b = (struct busy *)(void *)io;
	struct io	*real = &b->d->sim->io;
	size_t		 half = n / 2 / 512 * 512;
	int		 rc;

	/* And in the middle of one. */
	rc = real->ops->read(real, p, half, off, e);
	if (!b->in && tap_rand(&b->rng) % b->often == 0) {
		b->in = true;
		(void)go_on(b->d, 1 + tap_rand(&b->rng) % 6);
		b->in = false;
	}
	return rc < 0 ? rc : real->ops->read(real, (uint8_t *)p + half,
	    n - half, off + half, e);
}

static const struct io_ops busy_ops = { .read = b_read };

static void
while_somebody_commits(void)
{
	struct drive		 d;
	struct sim		*copy;
	struct store		*s;
	struct busy		 b;
	struct io		*snap = NULL;
	uint64_t		 began, gen;
	size_t			 i, done = 0, was;

	if (!both(&d, &copy, 64 * 1024, 512, 3, 30, tap_seed(66)))
		goto out;
	b = (struct busy){ d.sim->io, &d, 5, 400, false };
	b.io.ops = &busy_ops;
	for (i = 0; i < 60; i++) {
		began = drive_head(&d);
		was = d.done;
		b.often = 20 + 40 * (i % 8);
		if (mirror_snapshot(&snap, &b.io, &mer) < 0) {
			OK(mer.code == EAGAIN || mer.code == EBADMSG);
			continue;
		}
		done += d.done > was;
		if (!OK(store_open(&s, snap, &mer) == 0))
			break;
		OK(store_head(s) >= began);
		for (gen = store_oldest(s); gen <= store_head(s); gen++)
			ok_same(hist_agree(&d.h, s, gen, true), "snapshot");
		OK(store_verify(s, NULL, NULL, &mer) == 0);
		store_close(s);
		io_close(snap);
	}
	tap_diag("%zu of 60 were disturbed and are good", done);
	OK(done > 10);
out:
	drive_end(&d);
	sim_free(copy);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "after an update a copy is the store, whatever went before",
		    random_runs },
		{ "one commit costs one look, one write, one flush",
		    what_one_commit_costs },
		{ "many commits go out without waiting for each",
		    many_at_once },
		{ "each write goes behind the one before",
		    each_behind_the_other },
		{ "a new copy that was cut short is gone on with",
		    cut_short },
		{ "even if the store went round and it was cut short again",
		    cut_short_twice },
		{ "of another life of the store nothing is left",
		    over_another_life },
		{ "a store in memory is the store", snapshots },
		{ "even while somebody commits", while_somebody_commits },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
