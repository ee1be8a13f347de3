/*
 * record.c: a record's header.  Its checksum covers its place on the
 * medium too, so that a copy of it anywhere else, as in the content of a
 * file, is no record.
 */
#include <string.h>

#include "../lib/crc.h"
#include "store-int.h"

#define MAGIC	0x43526663u	/* "cfRC" */
#define SUM_AT	(REC_LEN - 4)

static uint32_t
header_sum(const uint8_t *buf, uint64_t off)
{
	uint8_t	 place[8];

	set_le64(place, off);
	return crc32c(crc32c(0, place, sizeof(place)), buf, SUM_AT);
}

void
rec_put(uint8_t buf[REC_LEN], struct rec *r, uint64_t id)
{
	set_le32(buf, MAGIC);
	buf[4] = (uint8_t)r->type;
	buf[5] = r->flags;
	buf[6] = buf[7] = 0;
	set_le64(buf + 8, id);
	set_le32(buf + 16, r->gen);
	set_le32(buf + 20, r->parent);
	set_le64(buf + 24, r->seq);
	set_le64(buf + 32, r->life);
	set_le64(buf + 40, r->nonce);
	set_le32(buf + 48, r->metalen);
	set_le32(buf + 52, r->rawlen);
	set_le64(buf + 56, r->datalen);
	set_le32(buf + 64, r->metasum);
	set_le32(buf + 68, r->datasum);
	r->sum = header_sum(buf, r->off);
	set_le32(buf + SUM_AT, r->sum);
}

bool
rec_get(const uint8_t buf[REC_LEN], uint64_t id, uint64_t off, uint64_t end,
    struct rec *r)
{
	memset(r, 0, sizeof(*r));
	if (get_le32(buf) != MAGIC || get_le64(buf + 8) != id ||
	    get_le32(buf + SUM_AT) != header_sum(buf, off))
		return false;
	if (off >= end || end - off < REC_LEN)
		return false;
	r->type = buf[4];
	r->flags = buf[5];
	r->gen = get_le32(buf + 16);
	r->parent = get_le32(buf + 20);
	r->seq = get_le64(buf + 24);
	r->life = get_le64(buf + 32);
	r->nonce = get_le64(buf + 40);
	r->metalen = get_le32(buf + 48);
	r->rawlen = get_le32(buf + 52);
	r->datalen = get_le64(buf + 56);
	r->metasum = get_le32(buf + 64);
	r->datasum = get_le32(buf + 68);
	r->sum = get_le32(buf + SUM_AT);
	r->off = off;
	if ((r->type < REC_CHECK || r->type > REC_WHOLE) &&
	    r->type < REC_SKIP)
		return false;
	if ((r->flags & ~(REC_FIRST | REC_PACKED)) != 0)
		return false;
	if (r->rawlen > META_MAX || r->metalen > r->rawlen ||
	    ((r->flags & REC_PACKED) == 0 && r->metalen != r->rawlen))
		return false;
	end -= off + REC_LEN;		/* what is left for meta and data */
	return r->metalen <= end && r->datalen <= end - r->metalen;
}

static uint64_t
mix(uint64_t v)
{
	v *= 0x9e3779b97f4a7c15u;
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 27) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

void
rec_mask(const struct rec *r, uint8_t *p, size_t n, uint64_t at)
{
	uint64_t	 key = 0;
	size_t		 i;

	for (i = 0; i < n; i++, at++) {
		if (i == 0 || at % 8 == 0)
			key = mix(r->nonce + at / 8);
		p[i] ^= (uint8_t)(key >> at % 8 * 8);
	}
}

uint64_t
rec_size(const struct rec *r, uint32_t align)
{
	uint64_t	 n = REC_LEN + (uint64_t)r->metalen + r->datalen;

	return (n + align - 1) / align * align;
}
