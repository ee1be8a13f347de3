/*
 * seal-map.c: where the parts of a sealed copy lie, and what of them is
 * in clear.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../lib/crc.h"
#include "seal-int.h"

#define MAGIC		"CFGSEAL1"
#define VERSION		1
#define SUM_AT		(SH_LEN - 4)
#define FRAME_MAGIC	0x46536663u	/* "cfSF" */
#define FRAME_VERSION	1
#define SIZE_MOST	(INT64_MAX / 4)	/* twice that can't overflow */

bool
seal_blank(const uint8_t *p, size_t n)
{
	size_t	 i;

	for (i = 0; i < n && p[i] == 0; i++)
		;
	return i == n;
}

uint64_t
seal_tag(const uint8_t salt[SEAL_SALT])
{
	return get_le64(salt);
}

int
seal_fits(const struct super *sb, const char *name, struct err *e)
{
	if (!super_geom_ok(sb) || sb->size > SIZE_MOST)
		return err_setx(e, EINVAL, "%s: a store of this geometry "
		    "can't be sealed", name);
	/* Who reads it has one in memory. */
	if (sb->area > SEAL_AREA)
		return err_setx(e, EFBIG, "%s: the store's areas have %"
		    PRIu64 " bytes, more than the %u that can be sealed",
		    name, sb->area, SEAL_AREA);
	return 0;
}

static uint64_t
area_below(const struct super *sb)
{
	return sb->area / sb->align * (sb->align + SEAL_OVER);
}

uint64_t
seal_bytes(const struct super *sb)
{
	return 2 * SH_LEN + sb->areas * area_below(sb);
}

uint64_t
seal_area(const struct super *sb, uint32_t area)
{
	return SH_LEN + area * area_below(sb);
}

bool
seal_in_area(const struct super *sb, uint64_t off, uint32_t *area)
{
	if (off < sb->first || (off - sb->first) / sb->area >= sb->areas)
		return false;
	*area = (uint32_t)((off - sb->first) / sb->area);
	return true;
}

/* Areas lie one behind another on both sides, so this knows of none. */
uint64_t
seal_place(const struct super *sb, uint64_t off)
{
	return SH_LEN + (off - sb->first) / sb->align *
	    (sb->align + SEAL_OVER);
}

uint64_t
seal_size(const uint8_t super[SUPER_LEN])
{
	struct super	 sb;

	if (super_parse(super, "", &sb, NULL) < 0 ||
	    seal_fits(&sb, "", NULL) < 0)
		return 0;
	return seal_bytes(&sb);
}

/* --- the copy's header */

void
seal_head_put(uint8_t b[SH_LEN], const struct seal_head *h)
{
	memset(b, 0, SH_LEN);
	memcpy(b, MAGIC, 8);
	set_le32(b + 8, VERSION);
	set_le64(b + 16, h->sb.size);
	set_le32(b + 24, h->sb.align);
	set_le32(b + 28, h->sb.areas);
	set_le64(b + 32, h->sb.area);
	set_le64(b + 40, h->sb.first);
	memcpy(b + 48, h->salt, SEAL_SALT);
}

void
seal_head_sum(uint8_t b[SH_LEN])
{
	set_le32(b + SUM_AT, crc32c(0, b, SUM_AT));
}

bool
seal_head_magic(const uint8_t *b)
{
	return memcmp(b, MAGIC, 8) == 0;
}

int
seal_head_get(const uint8_t b[SH_LEN], struct seal_head *h)
{
	memset(h, 0, sizeof(*h));
	if (!seal_head_magic(b))
		return -EINVAL;
	if (get_le32(b + SUM_AT) != crc32c(0, b, SUM_AT))
		return -EBADMSG;
	if (get_le32(b + 8) > VERSION)
		return -EPROTONOSUPPORT;
	h->sb.size = get_le64(b + 16);
	h->sb.align = get_le32(b + 24);
	h->sb.areas = get_le32(b + 28);
	h->sb.area = get_le64(b + 32);
	h->sb.first = get_le64(b + 40);
	memcpy(h->salt, b + 48, SEAL_SALT);
	if (get_le32(b + 8) != VERSION || get_le32(b + 12) != 0 ||
	    seal_fits(&h->sb, "", NULL) < 0)
		return -EBADMSG;
	return 0;
}

/* --- frames */

void
seal_frame_put(uint8_t b[SF_CLEAR], const struct seal_frame *f)
{
	memset(b, 0, SF_CLEAR);
	set_le32(b, FRAME_MAGIC);
	b[4] = FRAME_VERSION;
	b[5] = f->type;
	set_le64(b + 8, f->tag);
	set_le64(b + 16, f->off);
	set_le64(b + 24, f->seq);
	set_le32(b + 32, f->gen);
	set_le32(b + 36, f->units);
	set_le64(b + 40, f->len);
	set_le32(b + 48, f->sum);
	set_le32(b + 52, crc32c(0, b, 52));
}

bool
seal_frame_get(const uint8_t b[SF_CLEAR], const struct super *sb,
    uint64_t tag, uint64_t off, struct seal_frame *f)
{
	uint32_t	 area;
	uint64_t	 left;

	memset(f, 0, sizeof(*f));
	if (get_le32(b) != FRAME_MAGIC ||
	    get_le32(b + 52) != crc32c(0, b, 52) || b[4] != FRAME_VERSION ||
	    b[6] != 0 || b[7] != 0)
		return false;
	f->type = b[5];
	f->tag = get_le64(b + 8);
	f->off = get_le64(b + 16);
	f->seq = get_le64(b + 24);
	f->gen = get_le32(b + 32);
	f->units = get_le32(b + 36);
	f->len = get_le64(b + 40);
	f->sum = get_le32(b + 48);
	if (f->tag != tag || f->off != off || off % sb->align != 0 ||
	    !seal_in_area(sb, off, &area))
		return false;
	left = sb->first + (area + UINT64_C(1)) * sb->area - off;
	return f->len >= REC_LEN && f->len <= left &&
	    (f->len + sb->align - 1) / sb->align == f->units;
}
