/*
 * flip.c: what rotten media do to a store.
 *
 * Bits flipped, parts cut off, zeroed, exchanged or old again: opening
 * never crashes and never gives content whose hash is wrong; it falls
 * back to the newest good generation and says so; later commits work, and
 * spare what the salvaged state rests on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cut.h"
#include "drive.h"
#include "tap.h"

struct rot {
	struct drive	*d;
	struct sim	*sim;
	uint64_t	 rng;
	size_t		 states;
	size_t		 back;		/* opened to an older generation */
	size_t		 said;		/* and said that there is damage */
	size_t		 refused;	/* to be opened */
	size_t		 failed;
};

#define NEVER	UINT64_MAX	/* as least: it need not open at all */

static uint64_t
real_head(const struct rot *r)
{
	return r->d->h.v[r->d->h.n - 1].gen;
}

/* What a cut in the commit after salvage leaves: head before or after. */
struct after {
	struct rot	*r;
	uint64_t	 gen;		/* salvaged */
	const struct ents *was;		/* its overlay */
	uint64_t	 next;		/* and the commit upon it */
	const struct ents *now;
	const char	*bad;
};

static void
spared(void *arg, uint8_t *img, const char *what)
{
	struct after	*a = arg;
	struct sim	*sim = sim_new(a->r->sim->io.size, SIM_SECTOR);
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	static char	 msg[1600];
	const char	*bad = NULL;

	sim_load(sim, img);
	if (store_open(&s, &sim->io, &e) != 0)
		bad = e.msg;
	else if (store_head(s) == a->gen)
		bad = overlay_agrees(&a->r->d->h.pool, s, a->gen, a->was,
		    false);
	else if (store_head(s) == a->next)
		bad = overlay_agrees(&a->r->d->h.pool, s, a->next, a->now,
		    false);
	else
		bad = "head is neither the salvaged nor the new one";
	/* A torn write may put a flipped bit right: all is back again. */
	if (bad != NULL && s != NULL && store_head(s) > a->gen &&
	    hist_agree(&a->r->d->h, s, store_head(s), false) == NULL)
		bad = NULL;
	if (bad != NULL) {
		snprintf(msg, sizeof(msg), "cut in the commit after salvage, "
		    "%s: %.1300s", what, bad);
		a->bad = msg;
	}
	store_close(s);
	sim_free(sim);
}

/*
 * Commit upon what was salvaged; it must be there afterwards, and where it
 * `heals` it has left the damage behind.
 */
static const char *
goes_on(struct rot *r, struct store **s, const uint8_t *img, bool heals)
{
	struct ents	 now = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct gen	 g = r->d->g;
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0, head = store_head(*s);
	const char	*bad = NULL;
	struct after	 a = { r, head, &now, 0, &after, NULL };
	struct cut	 cut = { img, r->sim->io.size, NULL, 0,
	    r->d->geom.align, 0, &r->rng, spared, &a };
	size_t		 i;

	if (store_overlay(*s, head, &now, &e) != 0)
		return "no overlay for the next commit";
	gen_line(&g, &now, "next", &c, &after);
	if (store_commit(*s, &c, &gen, &e) != 0)
		bad = "the next commit failed";
	store_close(*s);
	*s = NULL;
	if (bad == NULL && store_open(s, &r->sim->io, &e) != 0)
		bad = "can't be opened after the next commit";
	else if (bad == NULL && (gen <= head || store_head(*s) != gen))
		bad = "the next commit is not the head";
	else if (bad == NULL && heals && store_damage(*s) != NULL)
		bad = "still damaged after the next commit";
	else if (bad == NULL)
		bad = overlay_agrees(&r->d->h.pool, *s, gen, &after, false);
	if (bad == NULL && tap_rand(&r->rng) % 4 == 0) {
		a.next = gen;
		cut.ops = r->sim->ops;
		cut.nops = r->sim->nops;
		for (i = 0; i < 4 && a.bad == NULL; i++)
			cut_one(&cut);
		bad = a.bad;
	}
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
	return bad;
}

/*
 * Look at a rotten medium: it opens to generation `least` or later;
 * `say`: where that is not the real head, damage is said.  NULL or why
 * it is not right.
 */
static const char *
look(struct rot *r, const uint8_t *img, uint64_t least, bool say)
{
	static struct err	 e;
	static char		 msg[1200];
	const struct hist_gen	*g;
	struct store		*s = NULL;
	const char		*bad = NULL;

	r->states++;
	e.msg[0] = '\0';
	sim_load(r->sim, img);
	if (store_open(&s, &r->sim->io, &e) != 0) {
		r->refused++;
		if (least != NEVER || e.msg[0] == '\0') {
			snprintf(msg, sizeof(msg), "refused: %s", e.msg);
			bad = msg;
		}
		return bad;
	}
	if (store_head(s) < real_head(r))
		r->back++;
	r->said += store_damage(s) != NULL;
	if (r->sim->nops != 0)
		bad = "opening wrote";
	else if ((least != NEVER && store_head(s) < least) ||
	    store_head(s) > real_head(r)) {
		snprintf(msg, sizeof(msg), "opened to %llu of %llu, not to "
		    "%llu or later", (unsigned long long)store_head(s),
		    (unsigned long long)real_head(r),
		    (unsigned long long)least);
		bad = msg;
	} else if (say && store_head(s) < real_head(r) &&
	    store_damage(s) == NULL) {
		snprintf(msg, sizeof(msg), "opened to %llu of %llu, and "
		    "nothing said", (unsigned long long)store_head(s),
		    (unsigned long long)real_head(r));
		bad = msg;
	}
	if (bad == NULL)
		bad = hist_agree(&r->d->h, s, store_head(s), false);
	if (bad == NULL)
		bad = drive_lenient(r->d, s, store_head(s));
	g = &r->d->h.v[tap_rand(&r->rng) % r->d->h.n];
	if (bad == NULL && g->gen <= store_head(s))
		bad = drive_lenient(r->d, s, g->gen);
	if (bad == NULL && tap_rand(&r->rng) % 4 == 0 &&
	    store_verify(s, NULL, NULL, &e) < 0)
		bad = e.msg;
	if (bad == NULL)
		bad = goes_on(r, &s, img, least != NEVER && memcmp(img,
		    r->d->sim->img, 512) == 0);
	store_close(s);
	return bad;
}

static void
report(struct rot *r, const char *bad, const char *what, uint64_t a,
    uint64_t b)
{
	if (bad == NULL)
		return;
	if (++r->failed <= 10)
		tap_diag("%s %llu %llu: %s", what, (unsigned long long)a,
		    (unsigned long long)b, bad);
}

static bool
rot_begin(struct rot *r, struct drive *d, uint64_t size, uint32_t align,
    size_t commits, size_t moves, size_t maxents)
{
	memset(r, 0, sizeof(*r));
	r->d = d;
	r->rng = tap_seed(606);
	r->sim = sim_new(size, SIM_SECTOR);
	if (!drive_begin(d, size, align, 4, r->rng))
		return false;
	if (maxents > 0) {	/* so few that every bit can be tried */
		d->g.maxents = maxents;
		d->g.budget = maxents * 50;
		d->g.maxfile = 200;
	}
	return drive_run(d, commits, moves);
}

static void
rot_end(struct rot *r)
{
	tap_diag("%zu states, %zu opened to an older generation, %zu said "
	    "damage, %zu refused", r->states, r->back, r->said, r->refused);
	OK(r->failed == 0);
	sim_free(r->sim);
	drive_end(r->d);
}

/* Which generation's commit wrote the byte last; 0: none. */
static uint64_t
writer_of(const struct drive *d, uint64_t off)
{
	size_t	 i, g;

	for (i = d->sim->nops; i-- > d->mark[0];)
		if (!d->sim->ops[i].flush && off >= d->sim->ops[i].off &&
		    off - d->sim->ops[i].off < d->sim->ops[i].n)
			break;
	if (i < d->mark[0] || i >= d->sim->nops)
		return 0;
	for (g = 1; g < d->h.n && d->mark[g] <= i; g++)
		;
	return g < d->h.n ? d->h.v[g].gen : 0;
}

static void
flip_range(struct rot *r, uint8_t *img, uint64_t from, uint64_t to,
    size_t step)
{
	uint64_t	 head = real_head(r), area = r->d->began;
	uint64_t	 bit, w, least;

	for (bit = from * 8 + tap_rand(&r->rng) % step; bit < to * 8 &&
	    r->failed < 100; bit += step) {
		w = writer_of(r->d, bit / 8);
		/* Before the newest area nothing of the head is lost. */
		least = w == 0 || w < area ? head : w - 1;
		img[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* The last record may pass for one that was torn. */
		report(r, look(r, img, least, w < head), "bit", bit / 8,
		    bit % 8);
		img[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void
every_bit(void)
{
	struct rot	 r;
	struct drive	 d;
	uint8_t		*img;
	uint64_t	 at, first;
	size_t		 step = env_count("FLIP_STEP", 1, false);

	if (rot_begin(&r, &d, 64 * 1024, 512, 24, 2, 5)) {
		img = xmemdup(d.sim->img, 64 * 1024);
		first = d.began;
		/* The superblocks, the newest area; samples elsewhere. */
		for (at = 0; at < 64 * 1024; at += 512)
			flip_range(&r, img, at, at + 512, at == 0 ||
			    at == 64 * 1024 - 512 ? step * 5 :
			    writer_of(&d, at) >= first ? step :
			    writer_of(&d, at) > 0 ? 97 : 997);
		OK(r.states > 5000 / step && r.back > 1000 / step);
		OK(r.refused == 0);
		free(img);
	}
	rot_end(&r);
}

static void
some_bits(void)
{
	struct rot	 r;
	struct drive	 d;
	uint8_t		*img;
	size_t		 i, n = env_count("FLIPS", 1500, true);
	uint64_t	 at;

	if (rot_begin(&r, &d, 256 * 1024, 4096, 80, 4, 0)) {
		img = xmemdup(d.sim->img, 256 * 1024);
		for (i = 0; i < n; i++) {
			do
				at = tap_rand(&r.rng) % (256 * 1024);
			while (writer_of(&d, at) == 0 && at >= 4096);
			flip_range(&r, img, at, at + 1, 8);
		}
		OK(r.refused == 0);
		free(img);
	}
	rot_end(&r);
}

/* Many faults at once: nothing is promised but that nothing is wrong. */
static void
many_faults(void)
{
	struct rot	 r;
	struct drive	 d;
	uint8_t		*img;
	size_t		 i, k, n = env_count("ROTTEN", 2000, true);
	uint64_t	 from, to, len;

	if (rot_begin(&r, &d, 64 * 1024, 512, 60, 5, 0)) {
		for (i = 0; i < n && r.failed < 100; i++) {
			img = xmemdup(d.sim->img, 64 * 1024);
			for (k = tap_rand(&r.rng) % 6 + 1; k > 0; k--) {
				from = tap_rand(&r.rng) % 128;
				to = tap_rand(&r.rng) % 128;
				len = 1 + tap_rand(&r.rng) % 4;
				if (from + len > 128)
					len = 128 - from;
				switch (tap_rand(&r.rng) % 4) {
				case 0:	/* a write that went elsewhere */
					if (to + len > 128)
						len = 128 - to;
					memmove(img + to * 512,
					    img + from * 512, len * 512);
					break;
				case 1:
					memset(img + from * 512, 0, len * 512);
					break;
				case 2:
					memset(img + from * 512, 0xff,
					    len * 512);
					break;
				default:
					img[from * 512 + tap_rand(&r.rng) %
					    512] ^= (uint8_t)(1 + to);
				}
			}
			report(&r, look(&r, img, NEVER, false), "mix", i, 0);
			free(img);
		}
		OK(r.refused < r.states / 2 && r.back > 0 && r.said > 0);
	}
	rot_end(&r);
}

/*
 * Sectors as they were some commits ago.  A medium that forgets what it
 * acknowledged can make the head an older one, but never a mixture.
 */
static void
old_sectors(void)
{
	struct rot	 r;
	struct drive	 d;
	uint8_t		*img;
	size_t		 i, k, op, n = env_count("ROTTEN", 2000, true) / 2;

	if (rot_begin(&r, &d, 64 * 1024, 512, 60, 5, 0)) {
		for (i = 0; i < n && r.failed < 100; i++) {
			img = xmemdup(d.sim->img, 64 * 1024);
			for (k = tap_rand(&r.rng) % 8 + 1; k > 0; k--) {
				const struct sim_op	*w;
				size_t			 at;

				op = d.mark[0] + tap_rand(&r.rng) %
				    (d.sim->nops - d.mark[0]);
				w = &d.sim->ops[op];
				if (w->flush)
					continue;
				at = tap_rand(&r.rng) % (w->n / 512) * 512;
				memcpy(img + w->off + at, w->data + at, 512);
			}
			report(&r, look(&r, img, 0, false), "old", i, 0);
			free(img);
		}
	}
	rot_end(&r);
}

static void
areas_gone_and_swapped(void)
{
	struct rot		 r;
	struct drive		 d;
	struct store_space	 sp;
	uint8_t			*img, *area;
	uint64_t		 at, to;
	size_t			 i, k;

	if (rot_begin(&r, &d, 64 * 1024, 512, 60, 5, 0)) {
		store_space(d.s, &sp);
		area = xalloc(sp.area);
		/* Areas lie one behind another; wherever the first begins,
		 * these windows are whole ones once, and parts of two. */
		for (at = 0; at + sp.area <= 64 * 1024; at += 512) {
			img = xmemdup(d.sim->img, 64 * 1024);
			memset(img + at, at / 512 % 2 == 0 ? 0 : 0xff,
			    sp.area);
			report(&r, look(&r, img, at <= 512 ? 0 : 1, false),
			    "area gone at", at, 0);
			free(img);
		}
		for (i = 0; i < 4; i++)
			for (k = 0; k < 4; k++) {
				if (i == k)
					continue;
				at = 512 + i * sp.area;
				to = 512 + k * sp.area;
				if (at + sp.area > 65536 ||
				    to + sp.area > 65536)
					continue;
				img = xmemdup(d.sim->img, 64 * 1024);
				memcpy(area, img + at, sp.area);
				if (i < k)
					memcpy(img + at, img + to, sp.area);
				memcpy(img + to, area, sp.area);
				report(&r, look(&r, img, 0, false),
				    "areas exchanged", at, to);
				free(img);
			}
		free(area);
	}
	rot_end(&r);
}

/* The end of the medium is gone, or it has grown. */
static void
another_length(void)
{
	struct rot	 r;
	struct drive	 d;
	struct store	*s = NULL;
	struct sim	*sim;
	struct err	 e;
	uint64_t	 n;

	if (rot_begin(&r, &d, 64 * 1024, 512, 60, 5, 0)) {
		for (n = 0; n < 160; n++) {
			size_t	 have = n * 512 < 65536 ? n * 512 : 65536;

			if (n == 128)
				continue;
			sim = sim_new(n * 512 == 0 ? 512 : n * 512, 512);
			memcpy(sim->img, d.sim->img, have == 0 ? 512 : have);
			memcpy(sim->durable, sim->img, sim->io.size);
			e = (struct err){ 0, "" };
			s = NULL;
			r.states++;
			(void)store_probe(&sim->io);
			if (store_open(&s, &sim->io, &e) != 0) {
				r.refused++;
				OK(e.msg[0] != '\0' && e.code != 0);
			} else {
				r.back += store_head(s) < real_head(&r);
				OK(store_head(s) == real_head(&r) ||
				    store_damage(s) != NULL);
				report(&r, drive_lenient(&d, s,
				    store_head(s)), "length", n, 0);
			}
			store_close(s);
			OK(sim->nops == 0);
			sim_free(sim);
		}
	}
	rot_end(&r);
}

static void
not_a_store(void)
{
	struct sim	*sim = sim_new(64 * 1024, 512);
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	uint64_t	 rng = tap_seed(3);
	size_t		 i, k;

	OK(!store_probe(&sim->io));
	OK(store_open(&s, &sim->io, &e) < 0 && s == NULL);
	OK(strstr(e.msg, "not a cfgfs store") != NULL);
	for (k = 0; k < 20; k++) {
		for (i = 0; i < 64 * 1024; i++)
			sim->img[i] = (uint8_t)(tap_rand(&rng) >> 40);
		OK(!store_probe(&sim->io));
		OK(store_open(&s, &sim->io, &e) < 0);
	}
	OK(sim->nops == 0);
	sim_free(sim);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "every bit of a small store may flip", every_bit },
		{ "bits of a larger one may flip", some_bits },
		{ "many faults at once never give wrong content",
		    many_faults },
		{ "sectors that are old again never give a mixture",
		    old_sectors },
		{ "areas may be gone or exchanged", areas_gone_and_swapped },
		{ "a medium cut short is refused or said", another_length },
		{ "what is no store is refused", not_a_store },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
