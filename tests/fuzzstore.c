/*
 * fuzzstore.c: hostile records, their checksums right, do the reader of
 * the store no harm, and no content with another hash is given out.
 *
 * The input is a list of records for the first area: type, flags, length
 * of the meta and of the contents (le16 each), meta, contents.  The meta
 * is inflated: what lies behind the checksums and deflate is the target.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "../sync/store-int.h"
#include "../sync/z.h"
#include "drive.h"
#include "fuzzrun.h"

#define SIZE	(64 * 1024)

static void
put_record(struct sim *sim, const struct super *sb, struct rec *r,
    const uint8_t *meta, const uint8_t *data)
{
	uint8_t	*to = sim->img + r->off;

	r->metasum = crc32c(0, meta, r->metalen);
	r->datasum = crc32c(0, data, r->datalen);
	rec_put(to, r, sb->id);
	memcpy(to + REC_LEN, meta, r->metalen);
	memcpy(to + REC_LEN + r->metalen, data, r->datalen);
	rec_mask(r, to + REC_LEN, r->metalen + r->datalen, r->off + REC_LEN);
}

/* Write the input's records, chained as they should be. */
static void
lay(struct sim *sim, const struct super *sb, const uint8_t *p, size_t n)
{
	struct rd	 in = { p, n, false };
	struct rec	 r;
	uint64_t	 seq = 0, off = sb->first;
	uint64_t	 end = sb->first + sb->area;
	uint32_t	 parent = 0;

	while (in.n > 6) {
		memset(&r, 0, sizeof(r));
		r.type = rd_u8(&in);
		r.flags = rd_u8(&in);
		r.metalen = r.rawlen = rd_le16(&in);
		r.datalen = rd_le16(&in);
		if (r.metalen > in.n)
			r.metalen = r.rawlen = (uint32_t)in.n;
		if (r.datalen > in.n - r.metalen)
			r.datalen = in.n - r.metalen;
		if (off + rec_size(&r, sb->align) > end)
			return;
		r.gen = 1;
		r.parent = parent;
		seq += r.type == REC_CHECK && seq > 0 ? 0 : 1;
		r.seq = seq;
		r.life = 77;
		r.nonce = off == sb->first ? 77 : off;
		r.off = off;
		put_record(sim, sb, &r, in.p, in.p + r.metalen);
		(void)rd_bytes(&in, r.metalen + r.datalen);
		parent = r.sum;
		off += rec_size(&r, sb->align);
	}
}

static void
use_contents(struct store *s, const struct ents *ov)
{
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT;
	struct hash	 h;
	size_t		 i;

	for (i = 0; i < ov->n; i++) {
		if (ov->v[i].type != ENT_REG)
			continue;
		b.len = 0;
		if (store_content(s, &ov->v[i], &b, &e) != 0) {
			FUZZ_MUST(e.msg[0] != '\0');
			continue;
		}
		hash_mem(&h, b.p == NULL ? (const void *)"" : b.p, b.len);
		FUZZ_MUST(b.len == ov->v[i].size);
		FUZZ_MUST(memcmp(&h, &ov->v[i].hash, sizeof(h)) == 0);
	}
	buf_free(&b);
}

/* A commit on top, which must then be the head. */
static void
use_commit(struct sim *sim, struct store *s)
{
	struct ents	 now = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	struct pool	 pool = { NULL, 0, 0 };
	struct gen	 g = { 1, 10, 1000, 1000, 3, 1, &pool };
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct store	*again = NULL;
	struct err	 e = { 0, "" };
	uint64_t	 gen = 0;

	if (store_overlay(s, store_head(s), &now, &e) != 0)
		return;
	gen_line(&g, &now, "line", &c, &after);
	if (store_commit(s, &c, &gen, &e) == 0) {
		FUZZ_MUST(store_open(&again, &sim->io, &e) == 0);
		FUZZ_MUST(store_head(again) == gen);
		FUZZ_MUST(overlay_agrees(&pool, again, gen, &after, false) ==
		    NULL);
	}
	store_close(again);
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
	pool_free(&pool);
}

static void
use(struct sim *sim)
{
	struct store	*s = NULL;
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	struct ents	 ov = { NULL, 0, 0 };
	struct err	 e = { 0, "" };
	uint64_t	 gen, head;

	if (store_open(&s, &sim->io, &e) != 0) {
		FUZZ_MUST(e.msg[0] != '\0' && s == NULL);
		return;
	}
	head = store_head(s);
	for (gen = store_oldest(s); gen <= head; gen++) {
		if (store_overlay(s, gen, &ov, &e) == 0) {
			use_contents(s, &ov);
			ents_free(&ov);
		}
		if (store_record(s, gen, &c, &e) == 0)
			commit_free(&c);
	}
	(void)store_verify(s, NULL, NULL, &e);
	use_commit(sim, s);
	store_close(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct store_geom	 geom = { 512, 4 };
	struct sim		*sim = sim_new(SIZE, SIM_SECTOR);
	struct err		 e = { 0, "" };
	struct super		 sb;
	bool			 copied;

	FUZZ_MUST(store_create(&sim->io, &geom, &e) == 0);
	FUZZ_MUST(super_read(&sim->io, &sb, &copied, &e) == 0);
	lay(sim, &sb, p, n);
	sim_forget(sim);
	use(sim);
	sim_free(sim);
	return 0;
}

#ifndef LIBFUZZER
/* One area of a real store, as input. */
static void
seed_of(struct sim *sim, const struct super *sb, uint32_t area,
    struct buf *out)
{
	uint64_t	 off = sb->first + area * sb->area;
	uint64_t	 end = off + sb->area;
	struct buf	 raw = BUF_INIT;
	struct rec	 r;

	while (off + REC_LEN < end &&
	    rec_get(sim->img + off, sb->id, off, end, &r)) {
		uint8_t	*meta = sim->img + off + REC_LEN;

		rec_mask(&r, meta, r.metalen + r.datalen, off + REC_LEN);
		raw.len = 0;
		if ((r.flags & REC_PACKED) == 0)
			put_bytes(&raw, meta, r.metalen);
		else if (buf_room(&raw, r.rawlen) == NULL || z_unpack(raw.p,
		    r.rawlen, meta, r.metalen, NULL, 0) != 0)
			break;
		else
			raw.len = r.rawlen;
		if (raw.len > UINT16_MAX || r.datalen > UINT16_MAX)
			break;
		put_u8(out, (uint8_t)r.type);
		put_u8(out, r.flags & ~REC_PACKED);
		put_le16(out, (uint16_t)raw.len);
		put_le16(out, (uint16_t)r.datalen);
		put_bytes(out, raw.p, raw.len);
		put_bytes(out, meta + r.metalen, r.datalen);
		off += rec_size(&r, sb->align);
	}
	buf_free(&raw);
}

int
main(int argc, char **argv)
{
	struct drive	 d;
	struct super	 sb;
	struct err	 e = { 0, "" };
	struct buf	 seeds[24];
	bool		 copied;
	size_t		 i, n = 0;
	uint32_t	 a;
	int		 rc;

	for (i = 0; i < 6; i++) {
		FUZZ_MUST(drive_begin(&d, SIZE, 512, 4, i + 1));
		FUZZ_MUST(drive_run(&d, 2 + 12 * i, 0));
		FUZZ_MUST(super_read(&d.sim->io, &sb, &copied, &e) == 0);
		for (a = 0; a < 4; a++) {
			seeds[n] = (struct buf)BUF_INIT;
			seed_of(d.sim, &sb, a, &seeds[n]);
			if (seeds[n].len > 0)
				n++;
		}
		drive_end(&d);
	}
	rc = fuzz_main(argc, argv, seeds, n, 6000);
	for (i = 0; i < n; i++)
		buf_free(&seeds[i]);
	return rc;
}
#endif
