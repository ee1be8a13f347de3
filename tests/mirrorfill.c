/*
 * mirrorfill.c: a new copy is right however often its making was cut
 * short, and so is a copy in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/store-int.h"
#include "cut.h"
#include "mirkit.h"
#include "tap.h"

#define SIZE	(6u << 20)

static struct drive	 d;
static struct away	*cp;
static struct err	 er;

static int
fill(uint64_t have, bool records, uint64_t *sent)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = &d.sim->io, .to = &cp->io,
	    .at = &at, .records = records };
	int			 rc = mirror_fill(&j, have, &er);

	*sent = j.sent;
	if (rc < 0)
		OK(at.id == 0);
	else
		OK(at.seq == store_head(d.s));
	return rc;
}

static bool
same_bytes(void)
{
	uint64_t	 behind = 1;

	return OK(cp->sim->bad == 0) && OK(cp->io.size >= d.sim->io.size) &&
	    OK(compare(&d.sim->io, &cp->io, &behind) == 0) &&
	    OK(behind == 0);
}

static bool
is_whole(const char *what)
{
	return same_bytes() &&
	    ok_same(copy_agrees(&d, &cp->io, store_head(d.s)), what);
}

/* A store that has gone round, of large records. */
static bool
large(uint64_t seed)
{
	size_t	 i;

	if (!drive_begin(&d, SIZE, 4096, 4, seed))
		return false;
	d.g.maxents = 60;
	while (d.moves < 5) {
		if (drive_commit(&d, DRIVE_FILL) < 0)
			return false;
		for (i = 0; i < 6; i++)
			if (drive_commit(&d, DRIVE_LINE) < 0)
				return false;
	}
	return true;
}

static void
load_state(void *arg, uint8_t *img, const char *what)
{
	(void)what;
	memcpy(((struct away *)arg)->sim->img, img, SIZE);
}

/* The host loses power; the file stays as long as it was. */
static void
power_cut(uint64_t *rng)
{
	struct sim	*s = cp->sim;
	struct away	*next = away_new(0, SIZE);
	struct cut	 cut = { s->durable, SIZE, s->ops + s->synced,
	    s->nops - s->synced, 512, 0, rng, load_state, next };

	next->io.size = cp->io.size;
	cut_one(&cut);
	away_begin(next);
	away_free(cp);
	cp = next;
}

static bool
cut_at(size_t stop, bool records, bool goes_on, uint64_t *rng)
{
	uint64_t	 sent, have = 0;
	size_t		 n;
	int		 rc = -1;

	cp = away_new(0, SIZE);
	for (n = 0; rc < 0 && n < 4; n++) {
		away_begin(cp);
		if (n == 0 && stop % 3 == 0)
			cp->fail = stop;
		else if (n < 3)
			cp->stop = n == 0 ? stop : tap_rand(rng) % 40;
		rc = fill(have, records, &sent);
		if (!OK(rc == 0 || rc == -ECONNRESET || rc == -EIO))
			break;
		if (rc < 0) {
			power_cut(rng);
			have = cp->io.size;
			if (goes_on && (tap_rand(rng) % 3 == 0 ?
			    drive_commit(&d, DRIVE_FILL) :
			    drive_commit(&d, DRIVE_LINE)) < 0)
				break;
		}
	}
	return ok_rc(rc, &er, "fill") && same_bytes();
}

static void
cut_and_resumed(bool records, uint64_t seed, size_t step)
{
	uint64_t	 rng = tap_seed(seed), full;
	size_t		 stop, n, writes = 0;
	bool		 ok = large(rng);

	cp = away_new(0, SIZE);
	if (ok && OK(fill(0, records, &full) == 0) && same_bytes())
		writes = cp->writes;
	away_free(cp);
	cp = NULL;
	for (stop = n = 0; ok && stop < writes; stop += step, n++) {
		ok = cut_at(stop, records, n % 2, &rng);
		away_free(cp);
		cp = NULL;
		if (!ok)
			tap_diag("stop at write %zu of %zu", stop, writes);
	}
	tap_diag("%llu bytes in %zu writes, cut short at %zu of them",
	    (unsigned long long)full, writes, n);
	OK(ok && n > 10 && full > 3 * MIRROR_CHUNK);
	drive_end(&d);
}

static void
resumed(void)
{
	cut_and_resumed(false, 1, 3);
}

static void
resumed_sealed(void)
{
	cut_and_resumed(true, 2, 3);
}

static void
not_sent_again(void)
{
	uint64_t	 full, rest;

	cp = away_new(0, SIZE);
	if (large(tap_seed(3)) && OK(fill(0, false, &full) == 0)) {
		away_begin(cp);
		if (OK(fill(cp->io.size, false, &rest) == 0)) {
			tap_diag("%llu bytes, then %llu",
			    (unsigned long long)full,
			    (unsigned long long)rest);
			OK(rest < full * 2 / 3);
			is_whole("twice");
		}
	}
	away_free(cp);
	drive_end(&d);
}

static void
over_another_life(void)
{
	uint64_t	 rng = tap_seed(4), sent;
	uint8_t		*img = NULL;
	size_t		 i, k;
	struct drive	 other;

	for (i = 0; i < 24; i++) {
		const uint64_t	 size = 64 * 1024;

		cp = away_new(size, size);
		if (!drive_begin(&d, size, 512, 4, rng + i) ||
		    !commits(&d, 3 + i * 2))
			break;
		switch (i % 3) {
		case 0:		/* that of a stranger */
			if (drive_begin(&other, size, 4096, 3, 9) &&
			    commits(&other, 20))
				sim_load(cp->sim, other.sim->img);
			drive_end(&other);
			break;
		case 1:		/* noise */
			for (k = 0; k < size; k++)
				cp->sim->img[k] = (uint8_t)(tap_rand(&rng) >>
				    40);
			break;
		default:	/* its own, that it has lost */
			img = xmemdup(d.sim->img, size);
			k = store_head(d.s);
			if (!commits(&d, 1 + i))
				break;
			sim_load(cp->sim, d.sim->img);
			store_close(d.s);
			d.s = NULL;
			sim_load(d.sim, img);
			hist_cut(&d.h, k);
			ok_rc(store_open(&d.s, &d.sim->io, &er), &er, "open");
			free(img);
		}
		away_begin(cp);
		if (!OK(fill(0, false, &sent) == 0) ||
		    !is_whole("over another life"))
			break;
		away_free(cp);
		drive_end(&d);
		cp = NULL;
	}
	if (cp != NULL) {
		away_free(cp);
		drive_end(&d);
	}
	OK(i == 24);
}

/* --- in memory */

static bool
snapshot_is_same(const char *what)
{
	struct store	*s = NULL, *a = NULL;
	struct io	*snap = NULL;
	uint64_t	 behind = 1, gen;
	bool		 ok;

	ok = ok_rc(mirror_snapshot(&snap, &d.sim->io, &er), &er, what) &&
	    OK(snap->size == d.sim->io.size) &&
	    OK(compare(&d.sim->io, snap, &behind) == 0 && behind == 0) &&
	    ok_rc(store_open(&s, snap, &er), &er, what) &&
	    ok_rc(store_open(&a, &d.sim->io, &er), &er, what) &&
	    OK(store_head(s) == store_head(a));
	for (gen = ok ? store_oldest(a) : 1; ok && gen <= store_head(a); gen++)
		ok = ok_same(hist_agree(&d.h, s, gen, true), what);
	store_close(s);
	store_close(a);
	io_close(snap);
	return ok;
}

static void
snapshots(void)
{
	size_t	 i;

	if (drive_begin(&d, 64 * 1024, 512, 4, tap_seed(5))) {
		for (i = 0; i < 60; i++)
			if (!commits(&d, 1) || !snapshot_is_same("snapshot"))
				break;
		OK(i == 60);
	}
	drive_end(&d);
}

static void
snapshots_of_damage(void)
{
	uint64_t	 rng = tap_seed(6);
	uint8_t		*good;
	uint32_t	 cur, k;
	size_t		 i;
	bool		 ok = true;

	if (!drive_begin(&d, 64 * 1024, 512, 4, rng) || !areas(&d, 4)) {
		drive_end(&d);
		return;
	}
	good = xmemdup(d.sim->img, 64 * 1024);
	cur = d.s->cur;
	for (i = 0; ok && i < 40; i++) {
		memcpy(d.sim->img, good, 64 * 1024);
		k = i < 4 ? (uint32_t)i : (uint32_t)(tap_rand(&rng) % 4);
		/* An area's begin; of any one, its middle. */
		if (k != cur || i % 2 == 1)
			memset(d.sim->img + area_off(d.s, k) + (i % 2 == 0 ?
			    0 : 512 * (1 + tap_rand(&rng) % 10)), 0x77, 512);
		/* Contents of older commits may be lost: heads are not. */
		{
			struct store	*a = NULL, *s = NULL;
			struct io	*snap = NULL;

			ok = ok_rc(store_open(&a, &d.sim->io, &er), &er,
			    "damaged") && ok_rc(mirror_snapshot(&snap,
			    &d.sim->io, &er), &er, "snapshot") &&
			    ok_rc(store_open(&s, snap, &er), &er, "of it") &&
			    OK(store_head(s) == store_head(a)) &&
			    OK(store_oldest(s) == store_oldest(a)) &&
			    ok_same(drive_lenient(&d, s, store_head(s)),
			    "damaged");
			store_close(a);
			store_close(s);
			io_close(snap);
		}
	}
	OK(ok);
	free(good);
	drive_end(&d);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a new copy is right, wherever it was cut short and "
		    "resumed, by a power cut, too", resumed },
		{ "the same where whole records are sent", resumed_sealed },
		{ "what is there of a copy is not sent again",
		    not_sent_again },
		{ "a copy may be made over what was there",
		    over_another_life },
		{ "a copy in memory is the store", snapshots },
		{ "a damaged store's has what the store has",
		    snapshots_of_damage },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
