/*
 * sealmir.c: the mirror keeps a sealed copy as it keeps one in clear.
 */
#include <stdlib.h>
#include <string.h>

#include "../sync/mirror.h"
#include "sealkit.h"
#include "tap.h"

static void
tell(void *arg, const char *line)
{
	(void)arg;
	tap_diag("%s", line);
}

/* Extend the copy; then it is the store, by all ways to look at it. */
static void
update(struct sim *sim, struct io *up, struct mirror_at *at, uint64_t was)
{
	struct mirror_job	 j = { .from = &med.io, .to = up, .at = at,
	    .records = true };
	uint64_t		 behind = 0;
	bool			 said;

	if (!OK(mirror_update(&j, &er) == 0))
		tap_diag("%s", er.msg);
	OK(j.was == was && at->seq == store_head(st));
	OK(mirror_compare(&j, &behind, tell, NULL, &er) == 0 && behind == 0);
	OK(sealed_look(&sim->io, &said) == store_head(st) && !said);
	OK(seal_check(&sim->io, tell, NULL, &er) == 0);
	OK(sim->bad == 0);
}

static void
it_is_filled_and_extended(void)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = &med.io, .at = &at,
	    .records = true };
	uint8_t			 super[SUPER_LEN];
	struct sim		*sim;
	struct io		*up;
	uint64_t		 gen;

	if (!begin(SEAL_SMALL, 512, 3))
		return;
	said_commit(45);
	OK(med.io.ops->read(&med.io, super, SUPER_LEN, 0, &er) == 0);
	sim = sim_new(seal_size(super), SIM_SECTOR);
	OK(seal_create(&up, &sim->io, seal_test_key, super, &er) == 0);
	j.to = up;
	if (!OK(mirror_fill(&j, 0, &er) == 0))
		tap_diag("%s", er.msg);
	for (gen = 46; gen < 160; gen++) {
		said_commit(gen);
		if (gen % 3 == 0)	/* nothing is known of the copy */
			memset(&at, 0, sizeof(at));
		update(sim, up, &at, gen - 1);
	}
	sealed_done(sim, up);
}

/* Damage anywhere is found and mended by a comparison of all. */
static void
damage_is_mended(void)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct sim		*sim;
	struct io		*up;
	struct mirror_job	 j = { .from = &med.io, .at = &at,
	    .records = true, .whole = true };
	uint8_t			*want;
	uint64_t		 rng = tap_seed(21), n, i, behind;
	size_t			 mended = 0;
	bool			 said;

	sim = sealed_both(60, &up);
	j.to = up;
	want = xmemdup(sim->img, sim->io.size);
	for (n = 0; n < 60; n++) {
		i = SH_LEN + tap_rand(&rng) % 100 * 1024 + n * 5 % SF_REST;
		sim->img[i] ^= 0x10;
		io_close(up);
		OK(seal_open(&up, &sim->io, seal_test_key, true, &er) == 0);
		j.to = up;
		if (!OK(mirror_update(&j, &er) == 0))
			tap_diag("%s", er.msg);
		OK(mirror_compare(&j, &behind, tell, NULL, &er) == 0);
		OK(behind == 0);
		OK(sealed_look(&sim->io, &said) == 60 && !said);
		mended += sim->img[i] == want[i];
		memcpy(sim->img, want, sim->io.size);
	}
	/* Where it lay in what was never sent, nobody minds it. */
	OK(mended > 30 && mended < 60);
	free(want);
	sealed_done(sim, up);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a sealed copy is filled and extended",
		    it_is_filled_and_extended },
		{ "damage of it is mended", damage_is_mended },
	};

	if (seal_init(&er) < 0)
		return 2;
	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
