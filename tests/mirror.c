/*
 * mirror.c: a copy of a store follows it, at any distance, and what is no
 * copy of it is left alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/store-int.h"
#include "mirkit.h"
#include "tap.h"

#ifndef EMEDIUMTYPE
#define EMEDIUMTYPE EINVAL
#endif

#define SIZE	(64 * 1024)

static struct drive	 d;	/* the store of the running case */
static struct away	*cp;	/* and its copy */
static struct err	 er;

/* A store with some commits, and a copy of it that is up to date. */
static bool
begin(uint64_t size, uint32_t align, uint32_t nareas, uint64_t seed,
    struct mirror_at *at)
{
	struct mirror_job	 j = { .from = NULL, .at = at };

	memset(at, 0, sizeof(*at));
	er.msg[0] = '\0';
	cp = away_new(size, size);
	if (!drive_begin(&d, size, align, nareas, seed) || !commits(&d, 5))
		return false;
	j.from = &d.sim->io;
	j.to = &cp->io;
	return ok_rc(mirror_fill(&j, 0, &er), &er, "fill") &&
	    ok_same(copy_agrees(&d, &cp->io, store_head(d.s)), "fill");
}

static void
finish(void)
{
	drive_end(&d);
	away_free(cp);
	cp = NULL;
}

/* Update, and the copy is as the store. */
static bool
follows(struct mirror_at *at, bool whole, const char *what)
{
	struct mirror_job	 j;
	int			 rc = update(&d.sim->io, &cp->io, at, whole,
	    &j, &er);

	return ok_rc(rc, &er, what) && OK(cp->sim->bad == 0) &&
	    OK(at->seq == store_head(d.s)) &&
	    ok_same(copy_agrees(&d, &cp->io, store_head(d.s)), what);
}

static void
random_run(uint64_t size, uint32_t align, uint32_t nareas, uint64_t seed)
{
	struct mirror_at	 at, none = { 0, 0, 0, 0 };
	uint64_t		 rng = tap_seed(seed), behind = 0;
	size_t			 i, n;
	bool			 ok = begin(size, align, nareas, rng, &at);

	for (i = 0; ok && i < 60; i++) {
		n = tap_rand(&rng) % 4 == 0 ? 12 + tap_rand(&rng) % 30 :
		    tap_rand(&rng) % 3;
		if (!commits(&d, n))
			break;
		if (tap_rand(&rng) % 3 == 0)
			at = none;
		ok = follows(&at, tap_rand(&rng) % 8 == 0, "update");
		if (ok && i % 10 == 0)
			ok = OK(compare(&d.sim->io, &cp->io, &behind) == 0) &&
			    OK(behind == 0);
	}
	tap_diag("%zu commits, %zu areas begun", d.done, d.moves);
	OK(ok && d.moves > 3);
	finish();
}

static void
a_copy_follows(void)
{
	random_run(64 * 1024, 512, 4, 11);
	random_run(64 * 1024, 4096, 3, 12);
	random_run(128 * 1024, 512, 3, 13);
	random_run(256 * 1024, 4096, 4, 14);
}

static void
far_behind(void)
{
	struct mirror_at	 at, none = { 0, 0, 0, 0 };
	size_t			 n;
	bool			 ok = begin(SIZE, 512, 4, tap_seed(21), &at);

	for (n = 1; ok && n < 10; n++) {
		ok = areas(&d, n) && follows(n % 2 ? &at : &none, false,
		    "areas behind");
		memset(&none, 0, sizeof(none));
	}
	OK(ok);
	finish();
}

/* --- what is no copy, or is more than one */

static bool
refused(int want, bool whole, struct mirror_at *at)
{
	uint8_t			*before = xmemdup(cp->sim->img, cp->io.size);
	struct mirror_at	 was = *at;
	struct mirror_job	 j;
	int			 rc;
	bool			 ok;

	away_begin(cp);
	er.msg[0] = '\0';
	rc = update(&d.sim->io, &cp->io, at, whole, &j, &er);
	if (rc != want)
		tap_diag("%d, not %d: %s", rc, want, er.msg);
	ok = OK(rc == want) && OK(er.msg[0] != '\0') &&
	    OK(cp->writes == 0 && j.sent == 0) &&
	    OK(memcmp(before, cp->sim->img, cp->io.size) == 0) &&
	    OK(memcmp(&was, at, sizeof(was)) == 0);
	free(before);
	return ok;
}

static bool
refused_anyhow(int want, const struct mirror_at *at)
{
	struct mirror_at	 none = { 0, 0, 0, 0 }, known = *at;

	return refused(want, false, &none) && refused(want, true, &none) &&
	    refused(want, false, &known) && refused(want, true, &known);
}

/* The store falls back to this image, as it was restored from a copy. */
static void
fall_back(const uint8_t *img, uint64_t gen)
{
	struct err	 e = { 0, "" };

	store_close(d.s);
	d.s = NULL;
	sim_load(d.sim, img);
	hist_cut(&d.h, gen);
	if (ok_rc(store_open(&d.s, &d.sim->io, &e), &e, "fall back"))
		OK(store_head(d.s) == gen);
}

/* The copy goes on for `theirs` commits that the store then loses, and
 * the store for `ours`; at is of the last one that both have. */
static void
fork_off(uint64_t seed, size_t theirs, size_t ours)
{
	struct mirror_at	 at, last;
	uint8_t			*img;
	uint64_t		 gen;

	if (!begin(SIZE, 512, 4, seed, &at) ||
	    !commits(&d, seed % 40) || !follows(&at, false, "common")) {
		finish();
		return;
	}
	img = xmemdup(d.sim->img, SIZE);
	gen = store_head(d.s);
	last = at;
	if (commits(&d, theirs) && follows(&last, false, "ahead")) {
		fall_back(img, gen);
		/* Where the store has gone round, nobody can tell. */
		if (commits(&d, ours) && store_oldest(d.s) <= gen &&
		    (!refused_anyhow(-EEXIST, &at) ||
		    !refused(-EEXIST, false, &last)))
			tap_diag("seed %llu: they %zu, we %zu",
			    (unsigned long long)seed, theirs, ours);
	}
	free(img);
	finish();
}

static void
ahead_is_a_witness(void)
{
	uint64_t	 seed = tap_seed(31);
	size_t		 n;

	for (n = 0; n < 6; n++) {
		fork_off(seed + 7 * n, 1, 0);
		fork_off(seed + 7 * n, 1 + 9 * n, 0);
	}
}

static void
diverged_is_a_witness(void)
{
	uint64_t	 seed = tap_seed(41);
	size_t		 n;

	for (n = 0; n < 40; n++) {
		fork_off(seed + n, 1, 1);
		fork_off(seed + n, 1 + n % 3, 1 + n % 4);
		fork_off(seed + n, 1 + n, 2);
		fork_off(seed + n, 1, 1 + n);
	}
}

/* The store loses its newest area, and goes on from the one before. */
static void
lost_area_is_a_witness(void)
{
	struct mirror_at	 at;

	if (begin(SIZE, 512, 4, tap_seed(45), &at) && areas(&d, 2) &&
	    commits(&d, 2) && follows(&at, false, "before")) {
		memset(d.sim->img + area_off(d.s, d.s->cur), 0x77, 512);
		store_close(d.s);
		d.s = NULL;
		if (ok_rc(store_open(&d.s, &d.sim->io, &er), &er, "open") &&
		    OK(store_head(d.s) < at.seq)) {
			hist_cut(&d.h, store_head(d.s));
			if (commits(&d, 1))
				refused_anyhow(-EEXIST, &at);
		}
	}
	finish();
}

static void
strangers(void)
{
	struct mirror_at	 at;
	struct drive		 other;

	if (begin(SIZE, 512, 4, tap_seed(51), &at)) {
		if (drive_begin(&other, SIZE, 512, 4, 52)) {
			sim_load(cp->sim, other.sim->img);
			refused_anyhow(-EMEDIUMTYPE, &at);
		}
		drive_end(&other);
		memset(cp->sim->img, 0, SIZE);
		refused_anyhow(-EMEDIUMTYPE, &at);
		memset(cp->sim->img, 0xa5, SIZE);
		refused_anyhow(-EMEDIUMTYPE, &at);
		cp->io.size = 512;
		refused_anyhow(-EMEDIUMTYPE, &at);
		cp->io.size = 0;
		refused_anyhow(-EMEDIUMTYPE, &at);
	}
	finish();
}

/* --- damage */

static void
superblocks(void)
{
	struct mirror_at	 at;

	if (!begin(SIZE, 512, 4, tap_seed(61), &at))
		goto out;
	memset(cp->sim->img, 0x55, 100);
	if (follows(&at, false, "no superblock"))
		OK(super_good(&cp->io, false));
	memset(cp->sim->img + SIZE - 100, 0x55, 100);
	if (follows(&at, true, "no copy of it"))
		OK(super_good(&cp->io, true));
	memset(cp->sim->img + 16, 0x55, 496);
	memset(cp->sim->img + SIZE - 100, 0x55, 100);
	refused_anyhow(-ESTALE, &at);
out:
	finish();
}

static void
cut_short(void)
{
	struct mirror_at	 at, none = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .at = &at };
	uint64_t		 rng = tap_seed(71), len;
	size_t			 i;

	if (!begin(SIZE, 512, 4, rng, &at) || !areas(&d, 3))
		goto out;
	for (i = 0; i < 40; i++) {
		len = i < 8 ? 512 * (i + 1) : tap_rand(&rng) % (SIZE / 512) *
		    512;
		cp->io.size = len;
		refused_anyhow(len < 512 ? -EMEDIUMTYPE : -ESTALE, &at);
		away_free(cp);
		cp = away_new(0, SIZE);
		j.from = &d.sim->io;
		j.to = &cp->io;
		if (!ok_rc(mirror_fill(&j, 0, &er), &er, "anew") ||
		    !OK(cp->io.size == SIZE) ||
		    !ok_same(copy_agrees(&d, &cp->io, store_head(d.s)),
		    "anew") || !commits(&d, 1) ||
		    !follows(i % 2 ? &at : &none, false, "then"))
			break;
		memset(&none, 0, sizeof(none));
	}
	OK(i == 40);
out:
	finish();
}

static void
flips(void)
{
	struct mirror_at	 at, none;
	uint64_t		 rng = tap_seed(81), behind;
	size_t			 i, k, n, healed = 0;
	int			 rc;

	if (!begin(SIZE, 512, 4, rng, &at) || !areas(&d, 2))
		goto out;
	if (!follows(&at, false, "before"))
		goto out;
	for (i = 0; i < 600; i++) {
		n = tap_rand(&rng) % 2 == 0 ? 1 : 1 + tap_rand(&rng) % 300;
		for (k = 0; k < n; k++)
			cp->sim->img[tap_rand(&rng) % SIZE] ^=
			    (uint8_t)(1u << tap_rand(&rng) % 8);
		if (i % 4 == 0 && !commits(&d, 1))
			break;
		memset(&none, 0, sizeof(none));
		er.msg[0] = '\0';
		if (i % 3 == 0) {	/* no crash, and not a wrong head */
			rc = update(&d.sim->io, &cp->io, i % 2 ? &none : &at,
			    false, NULL, &er);
			if (!OK(rc == 0 || rc == -ESTALE || rc == -EMEDIUMTYPE))
				tap_diag("%zu: %d %s", i, rc, er.msg);
			memset(&none, 0, sizeof(none));
		}
		rc = update(&d.sim->io, &cp->io, &none, true, NULL, &er);
		if (rc == -ESTALE || rc == -EMEDIUMTYPE) {
			sim_load(cp->sim, d.sim->img);
			continue;
		}
		healed++;
		if (!ok_rc(rc, &er, "whole") ||
		    !OK(compare(&d.sim->io, &cp->io, &behind) == 0) ||
		    !OK(behind == 0) || !ok_same(copy_agrees(&d, &cp->io,
		    store_head(d.s)), "whole"))
			break;
	}
	tap_diag("%zu of %zu healed", healed, i);
	OK(i == 600 && healed > 300);
out:
	finish();
}

/* A content that is bad here, and good there. */
static void
only_good_one(void)
{
	struct mirror_at	 at, none = { 0, 0, 0, 0 };
	const struct area	*a;
	const struct rec	*r;
	size_t			 i, n = 0;

	if (!begin(SIZE, 512, 4, tap_seed(85), &at) || !areas(&d, 1) ||
	    !commits(&d, 8) || !follows(&at, false, "before") ||
	    !drive_reopen(&d))
		goto out;
	a = &d.s->area[d.s->cur];
	for (i = 0; i + 1 < a->nrec; i++) {
		r = &a->rec[i];
		if (r->datalen == 0)
			continue;
		d.sim->img[r->off + REC_LEN + r->metalen] ^= 1;
		n++;
	}
	OK(n > 0);
	if (ok_rc(update(&d.sim->io, &cp->io, &none, true, NULL, &er), &er,
	    "whole"))
		ok_same(copy_agrees(&d, &cp->io, store_head(d.s)), "whole");
out:
	finish();
}

/* --- what it costs */

static void
costs_little(void)
{
	struct mirror_at	 at;
	struct mirror_job	 j;
	struct store_space	 sp;
	size_t			 i;

	if (!begin(SIZE, 512, 4, tap_seed(91), &at) || !commits(&d, 3) ||
	    !follows(&at, false, "before"))
		goto out;
	for (i = 0; i < 30; i++) {
		away_begin(cp);
		if (!ok_rc(update(&d.sim->io, &cp->io, &at, false, &j, &er),
		    &er, "nothing new") || !OK(cp->readvs == 1 &&
		    cp->reads == 0 && cp->writes == 0 && cp->flushes == 0 &&
		    cp->orders == 0 && j.sent == 0) || !commits(&d, 1))
			break;
		away_begin(cp);
		if (!ok_rc(update(&d.sim->io, &cp->io, &at, false, &j, &er),
		    &er, "one commit"))
			break;
		store_space(d.s, &sp);
		if (!OK(cp->readvs == 1 && cp->reads == 0) ||
		    !OK(cp->writes == 1 && cp->flushes == 1) ||
		    !OK(cp->orders == 0 && j.sent > 0 &&
		    j.sent <= sp.written && j.sent % 512 == 0) ||
		    !OK(j.was + 1 == at.seq))
			break;
	}
	tap_diag("%zu times: one readv of %llu bytes, one write, one flush; "
	    "%zu areas begun", i, (unsigned long long)cp->read, d.moves);
	OK(i == 30 && cp->read < 1100);
out:
	finish();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a copy has what the store has, whenever it is updated",
		    a_copy_follows },
		{ "a copy catches up over any number of areas", far_behind },
		{ "a copy that has more is left alone", ahead_is_a_witness },
		{ "a copy that went on by itself is left alone",
		    diverged_is_a_witness },
		{ "a copy of an area that the store has lost is left alone",
		    lost_area_is_a_witness },
		{ "what is no copy is left alone", strangers },
		{ "one bad superblock is mended, two are not", superblocks },
		{ "a copy cut short is said to be damaged, and filled anew",
		    cut_short },
		{ "flipped bits are found and mended by a whole update",
		    flips },
		{ "a content that is damaged in the store replaces none",
		    only_good_one },
		{ "one commit is one look, one write, one flush",
		    costs_little },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
