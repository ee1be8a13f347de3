/*
 * sealkit.c: a store of texts, and its sealed copy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sealkit.h"
#include "tap.h"

const uint8_t	 seal_test_key[SEAL_KEY] = "not so secret, as it's in a test";

void
said_text(char out[64], uint64_t gen)
{
	(void)snprintf(out, 64, SAID " in generation %llu, %llx",
	    (unsigned long long)gen,
	    (unsigned long long)(gen * 0x9e3779b97f4a7c15u));
}

void
said_commit(uint64_t n)
{
	char	 text[64];

	while (store_head(st) < n) {
		said_text(text, store_head(st) + 1);
		if (!OK(put_text("etc/said", text) == 0))
			return;
	}
}

static void
copy_group(struct io *up, const uint8_t *p, size_t n, uint64_t off)
{
	uint8_t	*have = xalloc(n);

	OK(up->ops->read(up, have, n, off, &er) == 0);
	if (memcmp(have, p, n) != 0) {
		OK(io_order(up, &er) == 0);
		if (!OK(up->ops->write(up, p, n, off, &er) == 0))
			tap_diag("%s", er.msg);
	}
	free(have);
}

/* The records of one life of an area, by the writes that the store made. */
static void
copy_area(struct io *up, const struct super *sb, uint32_t area)
{
	uint64_t	 off = sb->first + area * sb->area, start = off;
	uint64_t	 end = off + sb->area, life;
	uint8_t		*p = xalloc(sb->area);
	struct rec	 r, next;
	size_t		 n;

	OK(med.io.ops->read(&med.io, p, sb->area, off, &er) == 0);
	life = rec_get(p, sb->id, off, end, &r) ? r.life : 0;
	while (life != 0 && off < end && rec_get(p + (off - start), sb->id,
	    off, end, &r) && r.life == life) {
		n = (size_t)rec_size(&r, sb->align);
		if (off == start && off + n < end && rec_get(p + n, sb->id,
		    off + n, end, &next) && next.life == life &&
		    (next.flags & REC_FIRST) != 0)
			n += (size_t)rec_size(&next, sb->align);
		copy_group(up, p + (off - start), n, off);
		off += n;
	}
	free(p);
}

void
sealed_send(struct io *up)
{
	struct super	 sb;
	uint32_t	 gen, best, last = 0, i, which;
	uint8_t		 b[REC_LEN];
	struct rec	 r;
	bool		 copied;

	OK(super_read(&med.io, &sb, &copied, &er) == 0);
	/* In order of generations. */
	do {
		best = UINT32_MAX;
		which = 0;
		for (i = 0; i < sb.areas; i++) {
			uint64_t	 off = sb.first + i * sb.area;

			OK(med.io.ops->read(&med.io, b, sizeof(b), off,
			    &er) == 0);
			gen = rec_get(b, sb.id, off, off + sb.area, &r) ?
			    r.gen : 0;
			if (gen > last && gen < best) {
				best = gen;
				which = i;
			}
		}
		if (best != UINT32_MAX)
			copy_area(up, &sb, which);
		last = best;
	} while (best != UINT32_MAX);
	OK(up->ops->flush(up, &er) == 0);
}

struct sim *
sealed_new(struct io **up)
{
	uint8_t		 super[SUPER_LEN];
	struct sim	*sim;

	OK(med.io.ops->read(&med.io, super, SUPER_LEN, 0, &er) == 0);
	sim = sim_new(seal_size(super), SIM_SECTOR);
	if (!OK(seal_create(up, &sim->io, seal_test_key, super, &er) == 0)) {
		tap_diag("%s", er.msg);
		exit(2);
	}
	OK((*up)->size == med.io.size && (*up)->block == 512);
	OK((*up)->ops->write(*up, super, SUPER_LEN, 0, &er) == 0);
	sealed_send(*up);
	OK((*up)->ops->write(*up, super, SUPER_LEN,
	    (*up)->size - SUPER_LEN, &er) == 0);
	OK((*up)->ops->flush(*up, &er) == 0);
	return sim;
}

/* Whether every generation says what it should, or nothing. */
static bool
read_all(struct store *s)
{
	struct ents	 ov;
	struct ent	*e;
	struct buf	 b = BUF_INIT;
	char		 want[64];
	uint64_t	 gen;
	bool		 good = true;

	for (gen = store_oldest(s); gen <= store_head(s); gen++) {
		if (gen == 0 || store_overlay(s, gen, &ov, &er) < 0)
			continue;
		said_text(want, gen);
		b.len = 0;
		if ((e = ents_find(&ov, "etc/said")) == NULL)
			good = false;
		else if (store_content(s, e, &b, &er) == 0)
			good = good && b.len == strlen(want) &&
			    memcmp(b.p, want, b.len) == 0;
		ents_free(&ov);
	}
	buf_free(&b);
	return good;
}

uint64_t
sealed_look(struct io *below, bool *said)
{
	struct store	*s;
	struct io	*up;
	uint64_t	 head = 0;

	*said = true;
	er.msg[0] = '\0';
	if (seal_open(&up, below, seal_test_key, false, &er) < 0) {
		OK(er.msg[0] != '\0');
		return 0;
	}
	if (store_open(&s, up, &er) == 0) {
		head = store_head(s);
		*said = store_damage(s) != NULL;
		if (!OK(read_all(s)))
			head = UINT64_MAX;
		store_close(s);
	} else
		OK(er.msg[0] != '\0');
	io_close(up);
	return head;
}

uint64_t
image_look(const uint8_t *img, uint64_t size, bool *said)
{
	struct io	*below;
	uint64_t	 head;

	if (io_mem(&below, size, 512, &er) < 0 ||
	    below->ops->write(below, img, (size_t)size, 0, &er) < 0)
		exit(2);
	head = sealed_look(below, said);
	io_close(below);
	return head;
}

/* A store with n generations, and its copy; the areas go round at 30. */
struct sim *
sealed_both(uint64_t n, struct io **up)
{
	if (!begin(SEAL_SMALL, 512, 3))
		exit(2);
	said_commit(n);
	return sealed_new(up);
}

void
sealed_done(struct sim *sim, struct io *up)
{
	io_close(up);
	sim_free(sim);
	finish();
}

void
sealed_super(struct super *sb)
{
	bool	 copied;

	OK(super_read(&med.io, sb, &copied, &er) == 0);
}

/* A record made by hand. */
size_t
sealed_rec(uint8_t *p, const struct super *sb, uint64_t off, uint32_t gen,
    uint8_t fill, size_t n)
{
	struct rec	 r = { .type = REC_CHECK, .gen = gen, .seq = 5,
	    .life = gen + UINT64_C(7), .nonce = gen + UINT64_C(7),
	    .datalen = n, .off = off };

	rec_put(p, &r, sb->id);
	memset(p + REC_LEN, fill, n);
	n = (size_t)rec_size(&r, sb->align);
	memset(p + REC_LEN + r.datalen, 0, n - REC_LEN - (size_t)r.datalen);
	return n;
}
