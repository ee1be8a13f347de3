/*
 * copyodd.c: copies that are not what they should be.  What only they have
 * is not written over; what is damaged in them is mended or said.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/store-int.h"
#include "copykit.h"
#include "tap.h"

#define SIZE	(64 * 1024)

#ifdef EMEDIUMTYPE
#define NO_COPY	(-EMEDIUMTYPE)
#else
#define NO_COPY	(-EINVAL)
#endif

/* The same store on two media, which then go their own ways. */
struct pair {
	struct drive	 d;
	struct sim	*copy;
	struct store	*s;		/* on the copy */
	struct gen	 g;
	struct mirror_at at;
};

static bool
pair_begin(struct pair *p, uint32_t align, uint32_t areas, size_t commits,
    uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	p->copy = sim_new(SIZE, SIM_SECTOR);
	if (!drive_begin(&p->d, SIZE, align, areas, seed) ||
	    !go_on(&p->d, commits))
		return false;
	sim_load(p->copy, p->d.sim->img);
	p->g = p->d.g;
	p->g.rng = seed + 99;
	if (!ok_rc(bring(&p->d.sim->io, &p->copy->io, &p->at, false, NULL),
	    &mer, "update"))
		return false;
	sim_forget(p->copy);
	return true;
}

static void
pair_end(struct pair *p)
{
	store_close(p->s);
	drive_end(&p->d);
	sim_free(p->copy);
}

/* n commits on the copy alone, each of about this many bytes of noise. */
static void
stray(struct pair *p, size_t n, size_t bytes)
{
	struct ents	 now, after;
	struct commit	 c;
	struct err	 e = { 0, "" };
	uint64_t	 gen;

	if (!ok_rc(store_open(&p->s, &p->copy->io, &e), &e, "open copy"))
		return;
	for (; n > 0; n--) {
		memset(&after, 0, sizeof(after));
		memset(&c, 0, sizeof(c));
		OK(store_overlay(p->s, store_head(p->s), &now, &e) == 0);
		gen_line(&p->g, &now, "stray", &c, &after);
		if (bytes > 0)
			gen_noise(&p->g, &c, &after, "stray", bytes);
		ok_rc(store_commit(p->s, &c, &gen, &e), &e, "stray");
		commit_free(&c);
		ents_free(&now);
		ents_free(&after);
	}
	store_close(p->s);
	p->s = NULL;
	sim_forget(p->copy);
}

/* It is a witness, with and without memory, and stays as it is. */
static bool
refused(struct pair *p, int want, const char *words)
{
	struct mirror_at	 at;
	uint8_t			*was = xmemdup(p->copy->img, SIZE);
	bool			 ok = true;
	int			 k, rc;

	for (k = 0; k < 4; k++) {
		at = p->at;
		if (k % 2 == 1)
			memset(&at, 0, sizeof(at));
		rc = bring(&p->d.sim->io, &p->copy->io, &at, k >= 2, NULL);
		if (rc != want || strstr(mer.msg, words) == NULL) {
			tap_diag("%d not %d: %s", rc, want,
			    rc == 0 ? "done" : mer.msg);
			ok = false;
		}
	}
	return OK(ok) && OK(p->copy->nops == 0) &&
	    OK(memcmp(was, p->copy->img, SIZE) == 0) ? (free(was), true) :
	    (free(was), false);
}

static void
ahead(void)
{
	struct pair	 p;
	uint64_t	 seed = tap_seed(71);
	size_t		 i;
	char		 words[120];

	for (i = 0; i < 24; i++) {
		if (!pair_begin(&p, i % 2 == 0 ? 512 : 4096, 3 + i % 2,
		    3 + i, seed + i))
			break;
		stray(&p, 1 + i % 9, i % 3 == 0 ? 5000 : 0);
		snprintf(words, sizeof(words), "the mirror is ahead: it has "
		    "generation %llu, this store %llu",
		    (unsigned long long)drive_head(&p.d) + 1 + i % 9,
		    (unsigned long long)drive_head(&p.d));
		if (!refused(&p, -EEXIST, words))
			tap_diag("number %zu", i);
		pair_end(&p);
	}
	OK(i == 24);
}

static void
diverged(void)
{
	struct pair	 p;
	uint64_t	 seed = tap_seed(72);
	size_t		 i;
	char		 words[120];

	for (i = 0; i < 40; i++) {
		if (!pair_begin(&p, i % 2 == 0 ? 512 : 4096, 3 + i % 2,
		    3 + i, seed + i))
			break;
		snprintf(words, sizeof(words), "other commits than this "
		    "store after generation %llu",
		    (unsigned long long)drive_head(&p.d));
		stray(&p, 1 + i % 4, i % 3 == 0 ? 5000 : 0);
		/* As long as the store still has where they parted. */
		if (!go_on(&p.d, 1 + i % 3))
			break;
		if (i % 5 != 4 && !refused(&p, -EEXIST, "other commits"))
			tap_diag("number %zu", i);
		if (i % 5 == 0 && p.d.moves == 0)
			OK(strstr(mer.msg, words) != NULL);
		pair_end(&p);
	}
}

/* The store has lost its newest area, or the end of it, and went on. */
static void
lost_here(void)
{
	struct pair		 p;
	struct store_space	 sp;
	struct err		 e = { 0, "" };
	struct store		*s;
	uint64_t		 seed = tap_seed(73), at;
	size_t			 i, tried = 0;
	uint32_t		 cur;

	for (i = 0; i < 24; i++) {
		if (!pair_begin(&p, i % 2 == 0 ? 512 : 4096, 4, 20 + i,
		    seed + i))
			break;
		store_space(p.d.s, &sp);
		cur = p.d.s->cur;
		at = i % 3 == 0 ? area_off(p.d.s, cur) :
		    p.d.s->area[cur].rec[p.d.s->area[cur].nrec / 2].off;
		store_close(p.d.s);
		p.d.s = NULL;
		sim_forget(p.d.sim);
		memset(p.d.sim->img + at, 0x55, 512);
		if (!OK(store_open(&s, &p.d.sim->io, &e) == 0))
			break;
		if (store_head(s) < drive_head(&p.d)) {
			tried++;
			if (!refused(&p, -EEXIST, "ahead"))
				tap_diag("number %zu", i);
			/* It goes on from there: in another area. */
			hist_cut(&p.d.h, store_head(s));
			p.d.s = s;
			s = NULL;
			go_on(&p.d, 1 + i % 3);
			if (!refused(&p, -EEXIST, "other commits"))
				tap_diag("number %zu, on", i);
		}
		store_close(s);
		pair_end(&p);
	}
	OK(tried > 12);
}

/* What the store has lost of an older area the copy keeps. */
static void
older_lost_here(void)
{
	struct pair		 p;
	struct err		 e = { 0, "" };
	uint64_t		 seed = tap_seed(74), oldest, then;
	size_t			 i, kept = 0, moves;
	uint32_t		 k, cur;
	struct store		*s;

	for (i = 0; i < 12; i++) {
		if (!pair_begin(&p, i % 2 == 0 ? 512 : 4096, 4, 60, seed + i))
			break;
		cur = p.d.s->cur;
		if (!OK(store_open(&s, &p.copy->io, &e) == 0))
			break;
		oldest = store_oldest(s);
		store_close(s);
		for (k = 0; k < 4; k++)		/* all older ones */
			if (k != cur)
				memset(p.d.sim->img + area_off(p.d.s, k) +
				    (i % 3) * 512, 0xaa, 512);
		sim_forget(p.d.sim);
		moves = p.d.moves;
		OK(drive_commit(&p.d, DRIVE_LINE) >= 0);
		ok_rc(bring(&p.d.sim->io, &p.copy->io,
		    i % 2 == 0 ? &p.at : NULL, i % 3 == 0, NULL), &mer,
		    "update");
		if (!OK(store_open(&s, &p.copy->io, &e) == 0))
			break;
		OK(store_head(s) == drive_head(&p.d));
		then = store_oldest(s);
		/* Unless the next area took the place of the oldest. */
		OK(then == oldest || p.d.moves > moves);
		kept += then == oldest;
		ok_same(hist_agree(&p.d.h, s, store_head(s), true), "kept");
		if (then == oldest)
			ok_same(hist_agree(&p.d.h, s, oldest, true), "kept");
		store_close(s);
		pair_end(&p);
	}
	OK(kept >= 6);
}

static void
not_a_copy(void)
{
	struct pair	 p, other;
	uint64_t	 rng = tap_seed(75);
	size_t		 i;

	if (!pair_begin(&p, 512, 4, 10, rng) ||
	    !pair_begin(&other, 512, 4, 10, rng))
		return;
	sim_load(p.copy, other.copy->img);	/* its id is another */
	refused(&p, NO_COPY, "not a copy of this store");
	memset(p.copy->img, 0, SIZE);
	refused(&p, NO_COPY, "not a copy of this store");
	for (i = 0; i < SIZE; i++)
		p.copy->img[i] = (uint8_t)(tap_rand(&rng) >> 40);
	refused(&p, NO_COPY, "not a copy of this store");
	/* Only the superblock's copy is another's: that is mended. */
	sim_load(p.copy, p.d.sim->img);
	memcpy(p.copy->img + SIZE - 512, other.copy->img + SIZE - 512, 512);
	OK(bring(&p.d.sim->io, &p.copy->io, NULL, true, NULL) == 0);
	OK(memcmp(p.copy->img, p.d.sim->img, SIZE) == 0);
	pair_end(&other);
	pair_end(&p);
}

static void
supers_mended(void)
{
	struct pair	 p;
	size_t		 i;

	if (!pair_begin(&p, 4096, 3, 10, tap_seed(76)))
		return;
	for (i = 0; i < 4; i++) {
		memset(p.copy->img + (i % 2 == 0 ? 0 : SIZE - 512), 0xff,
		    512);
		go_on(&p.d, i / 2);
		OK(bring(&p.d.sim->io, &p.copy->io, &p.at, i % 2 == 1,
		    NULL) == 0);
		OK(memcmp(p.copy->img, p.d.sim->img, 512) == 0);
		OK(memcmp(p.copy->img + SIZE - 512,
		    p.d.sim->img + SIZE - 512, 512) == 0);
		ok_same(copy_same(&p.d.sim->io, &p.copy->io), "mended");
	}
	p.copy->img[20] ^= 1;
	p.copy->img[SIZE - 512 + 20] ^= 1;
	sim_forget(p.copy);
	refused(&p, -ESTALE, "damaged");
	pair_end(&p);
}

/* However short it is, it is said, or filled. */
static void
truncated(void)
{
	struct pair		 p;
	struct sim		*cut;
	struct far		 f;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .at = &at };
	uint64_t		 n;
	int			 rc;

	if (!pair_begin(&p, 512, 4, 30, tap_seed(77)))
		return;
	for (n = 0; n < SIZE; n += 512) {
		cut = sim_new(SIZE, SIM_SECTOR);
		memcpy(cut->img, p.copy->img, n);
		sim_forget(cut);
		far_begin(&f, cut, n);
		rc = bring(&p.d.sim->io, &f.io, n % 1024 == 0 ? &at : NULL,
		    n % 3 == 0, NULL);
		OK(rc == (n < 512 ? NO_COPY : -ESTALE));
		OK(f.writes == 0);
		j.from = &p.d.sim->io;
		j.to = &f.io;
		ok_rc(mirror_fill(&j, n, &mer), &mer, "fill");
		ok_same(copy_holds(&p.d, &f.io, drive_head(&p.d)), "fill");
		ok_same(copy_same(&p.d.sim->io, &f.io), "fill");
		sim_free(cut);
	}
	pair_end(&p);
}

/*
 * Anything may have happened to the copy: a whole update brings it there, or
 * says that it can't; one that trusts headers does no harm.
 */
static void
rotten(void)
{
	struct pair		 p;
	struct mirror_at	 at;
	uint64_t		 rng = tap_seed(78), behind, mended = 0;
	size_t			 i, k, n = env_count("ROTTEN", 600, true);
	uint64_t		 off;
	int			 rc;

	if (!pair_begin(&p, 512, 4, 40, rng))
		return;
	for (i = 0; i < n; i++) {
		struct mirror_job	 j = { .from = &p.d.sim->io,
		    .to = &p.copy->io, .at = &at };

		sim_load(p.copy, p.d.sim->img);
		for (k = tap_rand(&rng) % 4 + 1; k > 0; k--) {
			off = tap_rand(&rng) % SIZE;
			if (tap_rand(&rng) % 3 == 0)
				memset(p.copy->img + off / 512 * 512,
				    tap_rand(&rng) % 2 == 0 ? 0 : 0xff, 512);
			else
				p.copy->img[off] ^=
				    (uint8_t)(1u << tap_rand(&rng) % 8);
		}
		sim_forget(p.copy);
		memset(&at, 0, sizeof(at));
		rc = mirror_compare(&j, &behind, NULL, NULL, &mer);
		OK(rc >= 0);
		OK(p.copy->nops == 0);
		if (i % 2 == 0) {
			at = i % 4 == 0 ? p.at : (struct mirror_at){ 0, 0, 0,
			    0 };
			rc = bring(&p.d.sim->io, &p.copy->io, &at, false,
			    NULL);
			OK(rc == 0 || rc == -ESTALE);
		}
		rc = bring(&p.d.sim->io, &p.copy->io, NULL, true, NULL);
		if (rc == -ESTALE)
			continue;
		if (!ok_rc(rc, &mer, "whole") || !ok_same(copy_holds(&p.d,
		    &p.copy->io, drive_head(&p.d)), "whole") ||
		    !ok_same(copy_same(&p.d.sim->io, &p.copy->io), "whole"))
			break;
		mended++;
	}
	tap_diag("%llu of %zu mended", (unsigned long long)mended, n);
	OK(mended > n * 9 / 10);
	pair_end(&p);
}

/* Each bit of a copy's records counts for a comparison. */
static void
every_bit_compared(void)
{
	struct pair		 p;
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .at = &at };
	const struct area	*a;
	uint64_t		 behind, off;
	size_t			 k, i, n = 0, missed = 0;

	if (!pair_begin(&p, 512, 4, 30, tap_seed(79)))
		return;
	j.from = &p.d.sim->io;
	j.to = &p.copy->io;
	for (k = 0; k < 4; k++) {
		a = &p.d.s->area[k];
		for (i = 0; a->loaded && i < a->nrec; i++)
			for (off = a->rec[i].off; off < a->rec[i].off +
			    REC_LEN + a->rec[i].metalen + a->rec[i].datalen;
			    off += 13, n++) {
				p.copy->img[off] ^= 4;
				missed += mirror_compare(&j, &behind, NULL,
				    NULL, &mer) <= 0;
				p.copy->img[off] ^= 4;
			}
	}
	OK(n > 100);
	/* The very last record's header may as well not be there yet. */
	OK(missed <= REC_LEN / 13 + 1);
	OK(mirror_compare(&j, &behind, NULL, NULL, &mer) == 0 && behind == 0);
	go_on(&p.d, 3);
	OK(mirror_compare(&j, &behind, NULL, NULL, &mer) == 0 && behind == 3);
	pair_end(&p);
}

/* --- the store itself is damaged */

static int
blind_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct far	*f = (struct far *)(void *)io;

	if (off < f->rd + 512 && off + n > f->rd && f->rd != 0)
		return err_set(e, EIO, "read %s", io->name);
	return f->sim->io.ops->read(&f->sim->io, p, n, off, e);
}

static void
rot_here(void)
{
	static const struct io_ops	 blind = { .read = blind_read };
	struct pair		 p;
	struct drive		*d = &p.d;
	struct store_space	 sp;
	const struct area	*a;
	struct far		 f;
	struct io		*snap;
	uint8_t			*good;
	uint64_t		 seed = tap_seed(80), off;
	size_t			 i, done = 0, moves;

	for (i = 0; i < 12; i++) {
		if (!pair_begin(&p, 512, 4, 12 + i, seed + i))
			break;
		if (drive_commit(d, DRIVE_FILL) != 1 ||
		    drive_commit(d, DRIVE_LINE) != 1 ||
		    drive_commit(d, DRIVE_LINE) != 1)
			goto next;
		a = &d->s->area[d->s->cur];
		store_space(d->s, &sp);
		if (a->nrec < 4 || a->rec[a->nrec - 3].datalen < 1024)
			goto next;
		done++;
		OK(bring(&d->sim->io, &p.copy->io, &p.at, false, NULL) == 0);
		good = xmemdup(p.copy->img, SIZE);
		/* In the middle of a content: it opens all the same. */
		off = (a->rec[a->nrec - 3].off + REC_LEN +
		    a->rec[a->nrec - 3].metalen + 511) / 512 * 512;
		sim_forget(d->sim);
		far_begin(&f, d->sim, SIZE);
		f.io.ops = &blind;
		if (i % 2 == 0)
			memset(d->sim->img + off, 0x77, 512);
		else
			f.rd = off;	/* or it can't be read at all */
		if (ok_rc(mirror_snapshot(&snap, &f.io, &mer), &mer,
		    "snapshot")) {
			OK(bring(snap, &p.copy->io, NULL, true, NULL) == 0);
			OK(memcmp(good, p.copy->img, SIZE) == 0);
			OK(copy_same(snap, &p.copy->io) != NULL);
			io_close(snap);
			/* What comes later is not held up. */
			moves = d->moves;
			OK(drive_commit(d, DRIVE_LINE) == 1);
			OK(mirror_snapshot(&snap, &f.io, &mer) == 0);
			OK(bring(snap, &p.copy->io, NULL, false, NULL) == 0);
			/* Unless the store had to copy what is damaged. */
			if (d->moves == moves)
				ok_same(copy_holds(d, &p.copy->io,
				    drive_head(d)), "later");
			io_close(snap);
		}
		free(good);
next:
		pair_end(&p);
	}
	OK(done > 3);
}

static void
odd_media(void)
{
	struct pair		 p;
	struct sim		*big = sim_new(SIZE * 2, 4096);
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .to = &big->io, .at = &at };
	size_t			 i;

	if (!pair_begin(&p, 512, 4, 10, tap_seed(81)))
		goto out;
	j.from = &p.d.sim->io;
	OK(mirror_fill(&j, 0, &mer) == -EINVAL && big->nops == 0);
	pair_end(&p);
	if (!pair_begin(&p, 4096, 3, 10, 4))
		goto out;
	j.from = &p.d.sim->io;
	/* A larger one, in larger blocks: it may hold anything. */
	memset(big->img, 0x5a, SIZE * 2);
	OK(mirror_fill(&j, 0, &mer) == 0);
	for (i = 0; i < 6; i++) {
		ok_same(copy_holds(&p.d, &big->io, drive_head(&p.d)),
		    "larger");
		OK(copy_same(&p.d.sim->io, &big->io) == NULL);
		go_on(&p.d, 9);
		OK(bring(&p.d.sim->io, &big->io, &at, i % 2 == 0, NULL) == 0);
	}
	OK(big->bad == 0);
out:
	pair_end(&p);
	sim_free(big);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a copy that is ahead is a witness", ahead },
		{ "one that went another way is, too", diverged },
		{ "one that has what was lost here is, too", lost_here },
		{ "it keeps what the store has lost of old",
		    older_lost_here },
		{ "what is no copy is not touched", not_a_copy },
		{ "a superblock is mended", supers_mended },
		{ "a copy cut short is said, and filled", truncated },
		{ "what is rotten is mended by a whole update", rotten },
		{ "a comparison sees every byte", every_bit_compared },
		{ "damage in the store is not put over good bytes, nor holds "
		    "up what comes later", rot_here },
		{ "larger media, larger blocks", odd_media },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
