/*
 * cut.c: what a power cut can leave of writes that were not flushed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "tap.h"

#define CUT_ALL	10	/* atoms of which every subset is tried */

struct atom {			/* one sector of one write */
	const uint8_t	*data;
	uint64_t	 off;
};

struct job {
	const struct cut *c;
	struct atom	 *v;	/* in the order of the writes */
	size_t		  n;
	bool		 *on;	/* which of them have reached the medium */
	uint8_t		 *img;	/* scratch */
	size_t		  made;
};

enum garbage { G_NOISE, G_ZERO, G_ONES, G_HALF, G_KINDS };

static void
job_begin(struct job *j, const struct cut *c)
{
	size_t	 i, o, most = 0;

	memset(j, 0, sizeof(*j));
	j->c = c;
	for (i = 0; i < c->nops; i++)
		most += c->ops[i].n / SIM_SECTOR;
	j->v = xalloc((most + 1) * sizeof(*j->v));
	j->on = xalloc(most + 1);
	j->img = xalloc(c->size);
	for (i = 0; i < c->nops; i++) {
		const struct sim_op	*w = &c->ops[i];

		if (w->flush)
			continue;
		/* A sector that doesn't change makes no state of its own. */
		for (o = 0; o < w->n; o += SIM_SECTOR)
			if (c->nops > 2 || memcmp(c->durable + w->off + o,
			    w->data + o, SIM_SECTOR) != 0)
				j->v[j->n++] = (struct atom){ w->data + o,
				    w->off + o };
	}
}

static void
job_end(struct job *j)
{
	free(j->v);
	free(j->on);
	free(j->img);
}

static void
build(struct job *j)
{
	size_t	 i;

	memcpy(j->img, j->c->durable, j->c->size);
	for (i = 0; i < j->n; i++)
		if (j->on[i])
			memcpy(j->img + j->v[i].off, j->v[i].data,
			    SIM_SECTOR);
}

static void
give(struct job *j, const char *what)
{
	j->made++;
	j->c->fn(j->c->arg, j->img, what);
}

static void
spoil(struct job *j, size_t atom, enum garbage g)
{
	uint64_t	 at = j->v[atom].off / j->c->unit * j->c->unit;
	size_t		 i, n = j->c->unit;

	if (at + n > j->c->size)
		n = j->c->size - at;
	switch (g) {
	case G_NOISE:
		for (i = 0; i < n; i++)
			j->img[at + i] = (uint8_t)(tap_rand(j->c->rng) >> 32);
		break;
	case G_ZERO:
		memset(j->img + at, 0, n);
		break;
	case G_ONES:
		memset(j->img + at, 0xff, n);
		break;
	case G_HALF:	/* torn inside of the sector itself */
		memcpy(j->img + at, j->c->durable + at, n);
		memcpy(j->img + j->v[atom].off, j->v[atom].data,
		    1 + tap_rand(j->c->rng) % (SIM_SECTOR - 1));
		break;
	case G_KINDS:
		abort();
	}
}

static void
choose(struct job *j, unsigned percent)
{
	size_t	 i;

	for (i = 0; i < j->n; i++)
		j->on[i] = tap_rand(j->c->rng) % 100 < percent;
}

static void
subsets(struct job *j)
{
	char	 what[80];
	size_t	 i, k;

	if (j->n <= CUT_ALL) {
		for (k = 0; k < (size_t)1 << j->n; k++) {
			for (i = 0; i < j->n; i++)
				j->on[i] = k >> i & 1;
			snprintf(what, sizeof(what), "subset %#zx of %zu", k,
			    j->n);
			build(j);
			give(j, what);
		}
		return;
	}
	for (k = 0; k <= j->n; k++) {
		for (i = 0; i < j->n; i++)
			j->on[i] = i < k;
		snprintf(what, sizeof(what), "first %zu of %zu", k, j->n);
		build(j);
		give(j, what);
	}
	for (k = 0; k < j->c->samples; k++) {
		static const unsigned	 dense[] = { 50, 90, 97, 10 };

		choose(j, dense[k % 4]);
		snprintf(what, sizeof(what), "sample %zu of %zu", k, j->n);
		build(j);
		give(j, what);
	}
}

static const char *garbage_name[] = { "noise", "zeros", "ones", "half" };
static const char *rest_name[] = { "none later", "all others", "some others" };

static void
torn(struct job *j, size_t k, enum garbage g, unsigned rest)
{
	char	 what[80];
	size_t	 i;

	choose(j, 50);
	for (i = 0; i < j->n && rest < 2; i++)
		j->on[i] = rest == 1 || i < k;
	build(j);
	spoil(j, k, g);
	snprintf(what, sizeof(what), "sector %zu of %zu torn, %s, %s", k,
	    j->n, garbage_name[g], rest_name[rest]);
	give(j, what);
}

static void
tears(struct job *j)
{
	size_t	 k, all = j->n * G_KINDS * 3, step = 1;

	if (j->n > CUT_ALL && all > j->c->samples)
		step = all / (j->c->samples + 1) + 1;
	if (step % 2 == 0 || step % 3 == 0)	/* or a kind is never met */
		step = step / 6 * 6 + 7;
	for (k = 0; k < all; k += step) {
		size_t	 atom = k / (G_KINDS * 3);

		torn(j, atom, (enum garbage)(k / 3 % G_KINDS), k % 3);
	}
}

size_t
cut_each(const struct cut *c)
{
	struct job	 j;

	job_begin(&j, c);
	subsets(&j);
	tears(&j);
	job_end(&j);
	return j.made;
}

void
cut_one(const struct cut *c)
{
	struct job	 j;

	job_begin(&j, c);
	if (j.n > 0 && tap_rand(c->rng) % 2 == 0) {
		torn(&j, tap_rand(c->rng) % j.n,
		    (enum garbage)(tap_rand(c->rng) % G_KINDS),
		    (unsigned)(tap_rand(c->rng) % 3));
	} else {
		choose(&j, 20 + 30 * (unsigned)(tap_rand(c->rng) % 3));
		build(&j);
		give(&j, "some sectors");
	}
	job_end(&j);
}
