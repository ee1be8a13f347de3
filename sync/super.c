/*
 * super.c: the superblock, in the first and in the last 512 bytes of the
 * medium, written once.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "../lib/crc.h"
#include "store-int.h"

#define MAGIC		"CFGSTORE"
#define VERSION		1
#define KNOWN_INCOMPAT	0u		/* features that we can */
#define SUM_AT		(SUPER_LEN - 4)

void
super_put(uint8_t buf[SUPER_LEN], const struct super *sb)
{
	memset(buf, 0, SUPER_LEN);
	memcpy(buf, MAGIC, 8);
	set_le32(buf + 8, VERSION);
	set_le32(buf + 12, sb->compat);
	set_le32(buf + 16, sb->rocompat);
	set_le32(buf + 20, sb->incompat);
	set_le64(buf + 24, sb->id);
	set_le64(buf + 32, sb->size);
	set_le32(buf + 40, sb->align);
	set_le32(buf + 44, sb->areas);
	set_le64(buf + 48, sb->area);
	set_le64(buf + 56, sb->first);
	set_le32(buf + SUM_AT, crc32c(0, buf, SUM_AT));
}

static bool
has_magic(const uint8_t *buf)
{
	return memcmp(buf, MAGIC, 8) == 0;
}

static bool
whole(const uint8_t *buf)
{
	return has_magic(buf) && get_le32(buf + SUM_AT) ==
	    crc32c(0, buf, SUM_AT);
}

static uint64_t
copy_off(const struct io *io)
{
	return io->size - SUPER_LEN;
}

static int
super_load(struct io *io, bool copy, uint8_t buf[SUPER_LEN], struct err *e)
{
	memset(buf, 0, SUPER_LEN);
	if (io->size < 2 * SUPER_LEN)
		return 0;
	return io->ops->read(io, buf, SUPER_LEN, copy ? copy_off(io) : 0, e);
}

bool
store_probe(struct io *io)
{
	uint8_t	 buf[SUPER_LEN];

	return (super_load(io, false, buf, NULL) == 0 && has_magic(buf)) ||
	    (super_load(io, true, buf, NULL) == 0 && has_magic(buf));
}

bool
super_good(struct io *io, bool copy)
{
	uint8_t	 buf[SUPER_LEN];

	return super_load(io, copy, buf, NULL) == 0 && whole(buf);
}

bool
super_geom_ok(const struct super *sb)
{
	if (sb->align < ALIGN_LEAST || sb->align > ALIGN_MOST ||
	    (sb->align & (sb->align - 1)) != 0 ||
	    sb->areas < AREAS_LEAST || sb->areas > AREAS_MOST)
		return false;
	return sb->first >= SUPER_LEN && sb->first % sb->align == 0 &&
	    sb->area >= 2 * (uint64_t)sb->align &&
	    sb->area % sb->align == 0 && sb->size >= STORE_LEAST &&
	    sb->first < sb->size && sb->area < sb->size &&
	    sb->first + SUPER_LEN <= sb->size &&
	    sb->area <= (sb->size - SUPER_LEN - sb->first) / sb->areas;
}

static int
super_get(const uint8_t *buf, const char *name, struct super *sb,
    struct err *e)
{
	sb->version = get_le32(buf + 8);
	sb->compat = get_le32(buf + 12);
	sb->rocompat = get_le32(buf + 16);
	sb->incompat = get_le32(buf + 20);
	sb->id = get_le64(buf + 24);
	sb->size = get_le64(buf + 32);
	sb->align = get_le32(buf + 40);
	sb->areas = get_le32(buf + 44);
	sb->area = get_le64(buf + 48);
	sb->first = get_le64(buf + 56);
	if (sb->version > VERSION)
		return err_setx(e, EPROTONOSUPPORT, "%s: format version %"
		    PRIu32 " is newer than this program's (%d)", name,
		    sb->version, VERSION);
	if ((sb->incompat & ~KNOWN_INCOMPAT) != 0)
		return err_setx(e, EPROTONOSUPPORT, "%s: the store has "
		    "features (0x%" PRIx32 ") that this program is too old for",
		    name, sb->incompat & ~KNOWN_INCOMPAT);
	if (sb->version != VERSION || !super_geom_ok(sb))
		return err_setx(e, EBADMSG, "%s: impossible superblock", name);
	return 0;
}

int
super_parse(const uint8_t buf[SUPER_LEN], const char *name, struct super *sb,
    struct err *e)
{
	if (!whole(buf))
		return err_setx(e, EINVAL, "%s: not a cfgfs store", name);
	return super_get(buf, name, sb, e);
}

int
super_read(struct io *io, struct super *sb, bool *copied, struct err *e)
{
	uint8_t		 buf[SUPER_LEN], copy[SUPER_LEN];
	struct err	 e1 = { 0, "" }, e2 = { 0, "" };
	int		 r1, r2;

	*copied = false;
	if ((r1 = super_load(io, false, buf, &e1)) == 0 && whole(buf))
		return super_get(buf, io->name, sb, e);
	*copied = true;
	if ((r2 = super_load(io, true, copy, &e2)) == 0 && whole(copy))
		return super_get(copy, io->name, sb, e);
	if (r1 < 0 || r2 < 0)
		return err_setx(e, r1 < 0 ? -r1 : -r2, "%s",
		    r1 < 0 ? e1.msg : e2.msg);
	if (has_magic(buf) || has_magic(copy))
		return err_setx(e, EBADMSG, "%s: both superblocks are damaged",
		    io->name);
	return err_setx(e, EINVAL, "%s: not a cfgfs store", io->name);
}
