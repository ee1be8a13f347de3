/*
 * sim.c: the simulated medium does what the tests of the store rest on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "simio.h"
#include "tap.h"

#define SIZE	(16 * 1024)

static struct sim *
with_writes(size_t n)
{
	struct sim	*s = sim_new(SIZE, SIM_SECTOR);
	uint8_t		 b[SIM_SECTOR];
	size_t		 i;

	for (i = 0; i < n; i++) {
		memset(b, (int)i + 1, sizeof(b));
		OK(s->io.ops->write(&s->io, b, sizeof(b), (i * 2 + 1) *
		    sizeof(b), NULL) == 0);
	}
	return s;
}

struct seen {
	size_t	 n;
	size_t	 whole;		/* states of whole sectors, old or new */
	uint8_t	 subset[16];	/* of the first four writes, seen */
	size_t	 strays;	/* sectors changed that no write was near */
	uint32_t unit;
};

static void
see(void *arg, uint8_t *img, const char *what)
{
	struct seen	*v = arg;
	size_t		 i, k, set = 0;
	bool		 whole = true;

	(void)what;
	v->n++;
	for (i = 0; i < SIZE / SIM_SECTOR; i++) {
		uint8_t	*p = img + i * SIM_SECTOR;

		for (k = 1; k < SIM_SECTOR && p[k] == p[0]; k++)
			;
		if (k < SIM_SECTOR || (p[0] != 0 && p[0] != (i + 1) / 2))
			whole = false;
		else if (p[0] != 0)
			set |= 1u << (p[0] - 1);
		if (p[0] != 0 && i * SIM_SECTOR >= 8 * SIM_SECTOR /
		    v->unit * v->unit + v->unit)
			v->strays++;
	}
	if (whole) {
		v->whole++;
		v->subset[set & 15] = 1;
	}
}

static void
cuts(uint32_t unit)
{
	struct sim	*s = with_writes(4);
	uint64_t	 rng = tap_seed(1);
	struct seen	 v = { 0, 0, { 0 }, 0, unit };
	struct cut	 c = { s->durable, SIZE, s->ops, s->nops, unit, 10,
	    &rng, see, &v };
	size_t		 i, n = 0;

	OK(cut_each(&c) == v.n);
	for (i = 0; i < 16; i++)
		n += v.subset[i];
	OK(n == 16);			/* every subset */
	OK(v.n > v.whole + 16);		/* and torn ones */
	OK(v.strays == 0);
	sim_free(s);
}

static void
every_subset_and_tears(void)
{
	cuts(512);
	cuts(4096);
}

static void
a_flush_makes_durable(void)
{
	struct sim	*s = with_writes(3);

	OK(s->synced == 0 && s->durable[512] == 0 && s->img[512] == 1);
	OK(s->io.ops->flush(&s->io, NULL) == 0);
	OK(s->synced == s->nops && memcmp(s->durable, s->img, SIZE) == 0);
	sim_free(s);
}

static void
faults_strike_when_told(void)
{
	struct sim	*s = sim_new(SIZE, SIM_SECTOR);
	uint8_t		 b[2048];
	const struct io_ops *o = s->io.ops;

	memset(b, 9, sizeof(b));
	sim_fail(s, SIM_WRITES, SIM_EIO, 1, false);
	OK(o->write(&s->io, b, 512, 0, NULL) == 0);
	OK(o->write(&s->io, b, 512, 512, NULL) == -EIO && s->img[512] == 0);
	OK(o->write(&s->io, b, 512, 1024, NULL) == 0 && s->hits == 1);
	sim_fail(s, SIM_WRITES, SIM_SHORT, 0, true);
	OK(o->write(&s->io, b, 2048, 4096, NULL) == -EIO);
	OK(s->img[4096 + 1023] == 9 && s->img[4096 + 1024] == 0);
	OK(o->write(&s->io, b, 512, 0, NULL) == -EIO && s->hits == 2);
	sim_fail(s, SIM_FLUSHES, SIM_LIE, 0, false);
	OK(o->flush(&s->io, NULL) == 0 && s->durable[0] == 0);
	OK(o->flush(&s->io, NULL) == 0 && s->durable[0] == 9);
	OK(o->write(&s->io, b, 512, 8192, NULL) == 0);
	sim_fail(s, SIM_FLUSHES, SIM_LOSE, 0, false);
	OK(o->flush(&s->io, NULL) == -EIO && s->img[8192] == 0);
	OK(s->bad == 0 && o->write(&s->io, b, 511, 0, NULL) == -EINVAL);
	OK(s->bad == 1);
	OK(o->read(&s->io, b, 1024, SIZE - 512, NULL) == -EIO);
	sim_free(s);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "every subset of what was not flushed, and every sector "
		    "torn", every_subset_and_tears },
		{ "a flush makes durable", a_flush_makes_durable },
		{ "faults strike when they are told to",
		    faults_strike_when_told },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
