/*
 * model.c: a store agrees with generations kept as plain trees, through
 * random commits over many compactions, in every geometry.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drive.h"
#include "tap.h"

struct shape {
	uint64_t	 size;
	uint32_t	 align;
	uint32_t	 areas;
	size_t		 commits;
	size_t		 moves;	/* to other areas, at least */
};

static void
one(const struct shape *p, uint64_t seed)
{
	struct drive	 d;
	size_t		 i, history = 0;
	char		 where[100];
	bool		 good;

	snprintf(where, sizeof(where), "%llu KiB, align %u, %u areas",
	    (unsigned long long)p->size / 1024, p->align, p->areas);
	good = drive_begin(&d, p->size, p->align, p->areas, seed);
	d.notes = true;
	for (i = 0; good && i < 20; i++) {
		good = drive_run(&d, d.done + p->commits / 20,
		    i == 19 ? p->moves : 0) &&
		    drive_commit(&d, DRIVE_FILL) >= 0 && drive_reopen(&d) &&
		    ok_same(hist_agree_all(&d.h, d.s), where) &&
		    ok_same(drive_tags(&d, d.s), where);
		if (good)
			history += store_head(d.s) - store_oldest(d.s);
		if (good && d.sim->nops > 4000)
			sim_forget(d.sim);	/* its log is not needed */
	}
	if (good) {
		struct err	 e = { 0, "" };

		OK(store_verify(d.s, NULL, NULL, &e) == 0);
		tap_diag("%s: %zu commits, %zu moves, %zu refused, on average "
		    "%zu generations back", where, d.done, d.moves, d.full,
		    history / 20);
		OK(d.full <= d.done);
		OK(d.full > 0);
		OK(history > 0);
	} else {
		OK(!"went through");
		tap_diag("failed: %s", where);
	}
	drive_end(&d);
}

static void
geometries(uint64_t size, uint32_t align, size_t commits, size_t moves)
{
	static const uint32_t	 areas[] = { 3, 4, 7 };
	uint64_t		 seed = tap_seed(4242);
	size_t			 i;

	for (i = 0; i < 3; i++) {
		struct shape	 p = { size, align, areas[i],
		    env_count("MODEL", commits, true), moves };

		/* Seven areas of 64 KiB would be one unit of 4096 each. */
		if (size / (areas[i] + 1) < 2 * align)
			continue;
		one(&p, seed + i);
	}
}

static void
small_sectors(void)
{
	geometries(64 * 1024, 512, 400, 8);
}

static void
small_units(void)
{
	geometries(64 * 1024, 4096, 300, 12);
}

static void
large_sectors(void)
{
	geometries(1024 * 1024, 512, 400, 1);
}

static void
large_units(void)
{
	geometries(1024 * 1024, 4096, 300, 2);
}

/* Create over an old store: nothing of its life shows through. */
static void
nothing_old_shows(void)
{
	struct drive	 d;
	uint8_t		*old = NULL;
	uint64_t	 rng = tap_seed(31);
	struct err	 e = { 0, "" };
	size_t		 i, at;

	if (!drive_begin(&d, 64 * 1024, 512, 4, rng) || !drive_run(&d, 60, 4))
		goto out;
	old = xmemdup(d.sim->img, 64 * 1024);
	store_close(d.s);
	d.s = NULL;
	hist_free(&d.h);
	hist_init(&d.h);
	if (!ok_rc(store_create(&d.sim->io, &d.geom, &e), &e, "create") ||
	    !drive_reopen(&d))
		goto out;
	OK(store_head(d.s) == 0 && store_oldest(d.s) == 0);
	/* The medium brings old sectors back, not where new ones are. */
	for (i = 0; i < 60; i++) {
		if (drive_commit(&d, i % 5 == 4 ? DRIVE_SHRINK :
		    DRIVE_RANDOM) < 0)
			break;
		for (at = 512; at < 63 * 1024; at += 512)
			if (at > d.end && tap_rand(&rng) % 4 == 0)
				memcpy(d.sim->img + at, old + at, 512);
		if (!drive_reopen(&d) ||
		    !ok_same(hist_agree(&d.h, d.s, store_head(d.s), true),
		    "over an old store"))
			break;
		if (d.moves > 1)
			break;
	}
	OK(d.done > 60);
out:
	free(old);
	drive_end(&d);
}

/* What `left` promises can be had, and more than fits changes nothing. */
static void
left_can_be_had(void)
{
	struct drive		 d;
	struct store_space	 sp;
	struct ents		 now = { NULL, 0, 0 }, after;
	struct commit		 c;
	struct err		 e = { 0, "" };
	uint64_t		 gen = 0;
	size_t			 ops;

	if (!drive_begin(&d, 256 * 1024, 512, 4, tap_seed(8)) ||
	    !drive_run(&d, 30, 1))
		goto out;
	store_space(d.s, &sp);
	OK(sp.size == 256 * 1024 && sp.align == 512 && sp.live > 0);
	OK(sp.left > 8192 && sp.left <= sp.area);
	OK(store_overlay(d.s, store_head(d.s), &now, &e) == 0);
	gen_line(&d.g, &now, "big", &c, &after);
	/* Noise, a little less than is left: it can't be deflated. */
	gen_noise(&d.g, &c, &after, "big", (size_t)sp.left - 1024);
	ok_rc(store_commit(d.s, &c, &gen, &e), &e, "what was left");
	ok_same(overlay_agrees(&d.h.pool, d.s, gen, &after, true), "left");
	commit_free(&c);
	ents_free(&now);
	OK(store_overlay(d.s, gen, &now, &e) == 0);
	ents_free(&after);
	gen_line(&d.g, &now, "big", &c, &after);
	gen_noise(&d.g, &c, &after, "big", (size_t)sp.area + 1024);
	ops = d.sim->nops;
	OK(store_commit(d.s, &c, &gen, &e) == -ENOSPC && e.msg[0] != '\0');
	OK(d.sim->nops == ops && !store_failed(d.s));
	OK(store_head(d.s) == gen);
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
out:
	drive_end(&d);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "64 KiB, align 512: all generations agree with the model",
		    small_sectors },
		{ "64 KiB, align 4096: all generations agree with the model",
		    small_units },
		{ "1 MiB, align 512: all generations agree with the model",
		    large_sectors },
		{ "1 MiB, align 4096: all generations agree with the model",
		    large_units },
		{ "nothing of a store's earlier life shows through",
		    nothing_old_shows },
		{ "what is left can be had, and more changes nothing",
		    left_can_be_had },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
