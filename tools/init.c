/*
 * init.c: an empty store on a device or in a new file, over nothing that
 * anyone may want to keep.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/url.h"
#include "cfg.h"
#include "init.h"
#include "remote.h"

#define SIZE_DEFAULT	(1024 * 1024)
#define GRAIN		4096	/* a new file's size is a multiple of it */

/* What lies at the beginning of media that hold something. */
static const struct magic {
	const char	*what;
	uint32_t	 off;
	uint8_t		 n;
	char		 bytes[11];
} magics[] = {
	{ "an ext2, ext3 or ext4 file system", 1080, 2, "\x53\xef" },
	{ "a UFS2 file system", 65536 + 1372, 4, "\x19\x01\x54\x19" },
	{ "a UFS2 file system", 65536 + 1372, 4, "\x19\x54\x01\x19" },
	{ "a UFS1 file system", 8192 + 1372, 4, "\x54\x19\x01\x00" },
	{ "a UFS1 file system", 8192 + 1372, 4, "\x00\x01\x19\x54" },
	{ "an XFS file system", 0, 4, "XFSB" },
	{ "a btrfs file system", 65536 + 64, 8, "_BHRfS_M" },
	{ "an F2FS file system", 1024, 4, "\x10\x20\xf5\xf2" },
	{ "a squashfs file system", 0, 4, "hsqs" },
	{ "an ISO 9660 file system", 32769, 5, "CD001" },
	{ "an NTFS file system", 3, 8, "NTFS    " },
	{ "an exFAT file system", 3, 8, "EXFAT   " },
	{ "a FAT32 file system", 82, 8, "FAT32   " },
	{ "a FAT file system", 54, 8, "FAT16   " },
	{ "a FAT file system", 54, 8, "FAT12   " },
	{ "swap space", 4086, 10, "SWAPSPACE2" },
	{ "a LUKS volume", 0, 6, "LUKS\xba\xbe" },
	{ "an LVM volume", 512 + 24, 8, "LVM2 001" },
	{ "a RAID member", 4096, 4, "\xfc\x4e\x2b\xa9" },
	{ "a GPT partition table", 512, 8, "EFI PART" },
	{ "a GPT partition table", 4096, 8, "EFI PART" },
	{ "a BSD disk label", 512, 4, "\x57\x45\x56\x82" },
	/* Last: FAT's boot sectors end with it, too. */
	{ "an MBR partition table", 510, 2, "\x55\xaa" },
};

const char *
init_holds(struct io *io)
{
	const struct magic	*m;
	struct err		 ignored;
	char			 b[16];
	size_t			 i;

	for (i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		m = &magics[i];
		if (m->off + m->n <= io->size && io->ops->read(io, b, m->n,
		    m->off, &ignored) == 0 && memcmp(b, m->bytes, m->n) == 0)
			return m->what;
	}
	return NULL;
}

int
init_size(const char *s, uint64_t *v)
{
	static const char	 unit[] = "KMG";
	const char		*u;
	char			*end;
	unsigned		 shift = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	errno = 0;
	*v = strtoull(s, &end, 10);
	if (errno != 0)
		return -ERANGE;
	if (*end != '\0') {
		if ((u = strchr(unit, *end)) == NULL || end[1] != '\0')
			return -EINVAL;
		shift = 10 * (unsigned)(u - unit + 1);
	}
	if (*v > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*v <<= shift;
	return 0;
}

/* Refuse to write over what is there. */
static int
may_overwrite(const struct init *in, struct io *io, bool file,
    struct err *e)
{
	const char	*what;

	if (in->force)
		return 0;
	if (store_probe(io))
		what = "a store";
	else if ((what = init_holds(io)) == NULL && file)
		what = "a file's content";
	if (what == NULL)
		return 0;
	return err_setx(e, EEXIST, "%s: holds %s; --force overwrites it",
	    in->path, what);
}

/* Open it; with a size, make it. */
static int
reach(const struct init *in, struct cfg_store *st, uint64_t size,
    struct err *e)
{
	if (url_is(in->path))
		return remote_open(&st->io, in->c, in->path, true, size, e);
	return size == 0 ? slice_open(&st->slice, in->path, true, &st->io, e) :
	    slice_create(&st->slice, in->path, size, &st->io, e);
}

/* Open what is to be the store: what is there, or a new file. */
static int
open_or_make(const struct init *in, struct cfg_store *st, bool *made,
    struct err *e)
{
	struct stat	 sb;
	uint64_t	 size = in->size == 0 ? SIZE_DEFAULT : in->size;
	int		 rc;

	*made = false;
	if ((rc = reach(in, st, 0, e)) == -ENOENT) {
		if (size < STORE_LEAST)
			return err_setx(e, EINVAL, "%s: a store takes at "
			    "least 64K", in->path);
		size = (size + GRAIN - 1) / GRAIN * GRAIN;
		rc = reach(in, st, size, e);
		*made = rc == 0;
		return rc;
	}
	if (rc < 0)
		return rc;
	if (in->size != 0)
		return err_setx(e, EEXIST, "%s: is there and has its size; "
		    "--size is for a new file", in->path);
	/* What can't be looked at is on another host, and a file. */
	return may_overwrite(in, st->io, stat(in->path, &sb) == -1 ||
	    S_ISREG(sb.st_mode), e);
}

int
init_store(const struct init *in, struct err *e)
{
	struct cfg_store st = { 0 };
	bool		 made;
	int		 rc;

	rc = open_or_make(in, &st, &made, e);
	if (rc == 0)
		rc = store_create(st.io, &in->geom, e);
	if (rc < 0 && made)
		(void)unlink(in->path);	/* the first failure is told */
	return cfg_end(&st, -1, rc, e);
}
