/*
 * sealbad.c: where a sealed copy was damaged or tampered with, it gives
 * nothing that was not sealed so, and without the key it is seen.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "sealkit.h"
#include "tap.h"

/* The bytes below that mean something: sums, ciphers, what is in clear. */
static uint8_t *
meaning(const struct sim *sim, const struct super *sb, size_t *last)
{
	uint8_t			*map = xalloc(sim->io.size);
	uint64_t		 tag = get_le64(sim->img + 48), off, seq = 0;
	struct seal_frame	 f;

	memset(map, 1, SH_LEN);
	memset(map + sim->io.size - SH_LEN, 1, SH_LEN);
	for (off = sb->first; off < sb->first + sb->areas * sb->area;
	    off += 512) {
		size_t	 at = (size_t)seal_place(sb, off);

		if (!seal_frame_get(sim->img + at, sb, tag, off, &f))
			continue;
		memset(map + at, 1, f.len + SF_MORE);
		if (f.seq > seq) {
			seq = f.seq;
			*last = at;
		}
	}
	return map;
}

static void
every_flipped_bit_is_found(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(7, &up);
	struct super	 sb;
	size_t		 i, bit, last = 0, quiet = 0, older = 0;
	uint8_t		*map;
	uint64_t	 head;
	bool		 said, end;
	int		 rc;

	sealed_super(&sb);
	map = meaning(sim, &sb, &last);
	for (i = 0; i < sim->io.size; i++) {
		if (map[i] == 0 && i % 97 != 0)
			continue;
		end = i >= last && i < last + 1024;
		for (bit = 0; bit < (map[i] == 0 ? 1 : 8); bit++) {
			sim->img[i] ^= (uint8_t)(1u << bit);
			head = sealed_look(&sim->io, &said);
			/* Of older areas, opening a store tells nothing. */
			OK(head == 7 || (map[i] != 0 && (said || end)));
			older += head == 7 && map[i] != 0;
			rc = seal_check(&sim->io, NULL, NULL, &er);
			/* A torn end is as it should be, and in what was
			 * never used is none. */
			if (map[i] != 0)
				OK(rc > 0 || (end && rc == 0));
			else if ((i - SH_LEN) % (sb.area * 2) >= SF_REST)
				OK(rc == 0);
			quiet += map[i] != 0 && rc == 0;
			sim->img[i] ^= (uint8_t)(1u << bit);
		}
	}
	OK(quiet <= 8 * 512 && older <= 8 * (2 * SH_LEN + 512));
	OK(sealed_look(&sim->io, &said) == 7 && !said);
	free(map);
	sealed_done(sim, up);
}

/* A store that has gone round: other lives behind the ends. */
static void
flips_are_found_in_any_area(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(100, &up);
	struct super	 sb;
	size_t		 i, last = 0, missed = 0, n = 0;
	uint64_t	 rng = tap_seed(11);
	uint8_t		*map, bit;
	bool		 said;
	int		 rc;

	sealed_super(&sb);
	map = meaning(sim, &sb, &last);
	for (i = 0; i < sim->io.size; i++) {
		if (map[i] == 0 || tap_rand(&rng) % 8 != 0)
			continue;
		bit = (uint8_t)(1u << tap_rand(&rng) % 8);
		sim->img[i] ^= bit;
		rc = seal_check(&sim->io, NULL, NULL, &er);
		if (rc <= 0 && (i < last || i >= last + 1024))
			missed++;
		if (n++ % 8 == 0)
			(void)sealed_look(&sim->io, &said);
		sim->img[i] ^= bit;
	}
	if (!OK(missed == 0))
		tap_diag("missed %zu of %zu", missed, n);
	free(map);
	sealed_done(sim, up);
}

/* Put the sums right that whoever tampers puts right. */
static void
set_sums(uint8_t *p, uint64_t len)
{
	set_le32(p + 48, crc32c(0, p + SF_CLEAR, len + SF_MORE - SF_CLEAR));
	set_le32(p + 52, crc32c(0, p, 52));
}

static void
frames_hold_to_their_places(void)
{
	struct io	*up, *again;
	struct sim	*sim = sealed_both(8, &up);
	struct super	 sb;
	struct seal_frame f;
	struct rec	 r;
	uint64_t	 tag = get_le64(sim->img + 48), a, b;
	uint8_t		*img = xmemdup(sim->img, sim->io.size);
	uint8_t		 head[SUPER_LEN];
	size_t		 to, n = 0;
	bool		 said;

	sealed_super(&sb);
	for (a = sb.first; a < sb.first + 8 * 512; a += 512) {
		size_t	 from = (size_t)seal_place(&sb, a);

		if (!seal_frame_get(img + from, &sb, tag, a, &f))
			continue;
		for (b = sb.first; b < sb.first + 2 * sb.area; b += 512) {
			if (a == b)
				continue;
			to = (size_t)seal_place(&sb, b);
			memcpy(sim->img + to, img + from, 1024);
			/* As it is, and saying that it belongs there. */
			OK(sealed_look(&sim->io, &said) <= 8);
			set_le64(sim->img + to + 16, b);
			set_sums(sim->img + to, f.len);
			OK(sealed_look(&sim->io, &said) <= 8);
			OK(seal_open(&again, &sim->io, seal_test_key, false,
			    &er) == 0);
			OK(again->ops->read(again, head, REC_LEN, b,
			    &er) == 0);
			OK(!rec_get(head, sb.id, b, sb.size, &r));
			OK(again->ops->read(again, head, 512, b, &er) == 0);
			OK(!rec_get(head, sb.id, b, sb.size, &r));
			io_close(again);
			memcpy(sim->img, img, sim->io.size);
			n++;
		}
	}
	OK(n > 100);
	free(img);
	sealed_done(sim, up);
}

/* Every frame, as an older life of the area had it. */
static void
older_lives_do_not_come_back(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(50, &up);
	uint8_t		*old = xmemdup(sim->img, sim->io.size), *now;
	size_t		 at, n = 0, same = 0;
	struct super	 sb;
	uint64_t	 head;
	bool		 said;

	sealed_super(&sb);
	said_commit(140);
	sealed_send(up);
	now = xmemdup(sim->img, sim->io.size);
	for (at = SH_LEN; at + 1024 <= sim->io.size - SH_LEN; at += 1024) {
		if (memcmp(now + at, old + at, 1024) == 0)
			continue;
		memcpy(sim->img + at, old + at, 1024);
		head = sealed_look(&sim->io, &said);
		OK(head <= 140);
		same += head == 140;
		/* With its begin, an area is one that is not written yet. */
		OK(head == 140 || said || head == 139 ||
		    (at - SH_LEN) % (sb.area * 2) == 0);
		memcpy(sim->img + at, now + at, 1024);
		n++;
	}
	OK(n > 30 && same > 0);
	free(old);
	free(now);
	sealed_done(sim, up);
}

/* Header of one life, contents of another, the sums right. */
static void
halves_belong_to_each_other(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(1, &up);
	struct super	 sb;
	uint8_t		 b[2048], *one, *p;
	size_t		 n;

	sealed_super(&sb);
	n = sealed_rec(b, &sb, sb.first, 40, 'a', 600);
	OK(up->ops->write(up, b, n, sb.first, &er) == 0);
	p = sim->img + seal_place(&sb, sb.first);
	one = xmemdup(p, 2048);
	(void)sealed_rec(b, &sb, sb.first, 40, 'b', 600);
	OK(up->ops->write(up, b, n, sb.first, &er) == 0);
	OK(up->ops->read(up, b, 1024, sb.first, &er) == 0);
	OK(b[REC_LEN] == 'b' && b[REC_LEN + 599] == 'b' &&
	    b[REC_LEN + 600] == 0);
	/* The rest alone; and with the nonce that it was sealed with. */
	memcpy(p + SF_REST, one + SF_REST, 600 + SEAL_TAG);
	set_sums(p, 676);
	io_close(up);
	OK(seal_open(&up, &sim->io, seal_test_key, true, &er) == 0);
	OK(up->ops->read(up, b, 1024, sb.first, &er) == 0);
	OK(seal_blank(b + REC_LEN, 1024 - REC_LEN));
	memcpy(p + SF_CLEAR, one + SF_CLEAR, SEAL_NONCE);
	set_sums(p, 676);
	io_close(up);
	OK(seal_open(&up, &sim->io, seal_test_key, true, &er) == 0);
	OK(up->ops->read(up, b, 1024, sb.first, &er) == 0);
	OK(memmem(b, 1024, "aaaa", 4) == NULL &&
	    memmem(b, 1024, "bbbb", 4) == NULL);
	free(one);
	sealed_done(sim, up);
}

static void
another_store_is_not_taken(void)
{
	struct io	*up, *two;
	struct sim	*sim = sealed_both(5, &up), *other;
	struct count	 mine = med;
	struct store	*my = st;
	struct super	 sb;
	uint8_t		 b[512];
	struct rec	 r;
	bool		 said;

	sealed_super(&sb);
	st = NULL;
	other = sealed_both(9, &two);
	/* The areas of the one under the header of the other. */
	memcpy(sim->img + SH_LEN, other->img + SH_LEN,
	    sim->io.size - 2 * SH_LEN);
	OK(sealed_look(&sim->io, &said) == 0);
	OK(seal_check(&sim->io, NULL, NULL, &er) > 0);
	OK(up->ops->read(up, b, 512, sb.first, &er) == 0);
	OK(!rec_get(b, sb.id, sb.first, sb.size, &r));
	sealed_done(other, two);
	med = mine;
	st = my;
	sealed_done(sim, up);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "every flipped bit is found", every_flipped_bit_is_found },
		{ "flips are found in any area",
		    flips_are_found_in_any_area },
		{ "frames hold to their places",
		    frames_hold_to_their_places },
		{ "older lives do not come back",
		    older_lives_do_not_come_back },
		{ "halves of a frame belong to each other",
		    halves_belong_to_each_other },
		{ "another store is not taken", another_store_is_not_taken },
	};

	if (seal_init(&er) < 0)
		return 2;
	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
