/*
 * z.c: raw deflate by zlib; the only file that knows zlib.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <zlib.h>

#include "z.h"

/* Large contents are rare, and nobody wants to wait for them. */
#define LEVEL_BEST	(4u << 20)	/* bytes up to which level 9 is taken */
#define LEVEL_FAIR	(16u << 20)	/* and level 6 */

/*
 * What deflate takes for its tables is cleared at each start: for what is
 * small that would be most of the work.
 */
static void
tables(size_t n, int *window, int *memory)
{
	*window = n <= 3800 ? 12 : n <= 15000 ? 14 : 15;
	*memory = n <= 3800 ? 6 : n <= 15000 ? 8 : 9;
}

int
z_pack(struct buf *out, const void *in, size_t n, const void *dict,
    size_t dictlen)
{
	z_stream	 z;
	uint8_t		*room;
	size_t		 bound;
	int		 level, window, memory, rc;

	if (n > UINT_MAX / 2 || dictlen > UINT_MAX)
		return -EFBIG;
	level = n <= LEVEL_BEST ? 9 : n <= LEVEL_FAIR ? 6 : 1;
	memset(&z, 0, sizeof(z));
	tables(n + dictlen, &window, &memory);
	if (deflateInit2(&z, level, Z_DEFLATED, -window, memory,
	    Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	bound = deflateBound(&z, (uLong)n);
	rc = -ENOMEM;
	if ((room = buf_room(out, bound)) == NULL)
		goto out;
	if (dictlen > 0 && deflateSetDictionary(&z, dict,
	    (uInt)dictlen) != Z_OK)
		goto out;
	/* zlib takes what it reads as not const. */
	z.next_in = (Bytef *)(uintptr_t)in;
	z.avail_in = (uInt)n;
	z.next_out = room;
	z.avail_out = (uInt)bound;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		goto out;
	out->len += bound - z.avail_out;
	rc = 0;
out:
	(void)deflateEnd(&z);	/* only frees */
	return rc;
}

int
z_unpack(void *out, size_t outlen, const void *in, size_t n,
    const void *dict, size_t dictlen)
{
	z_stream	 z;
	uint8_t		 none;
	int		 rc;

	if (n > UINT_MAX || outlen > UINT_MAX || dictlen > UINT_MAX)
		return -EBADMSG;
	memset(&z, 0, sizeof(z));
	if (inflateInit2(&z, -15) != Z_OK)
		return -ENOMEM;
	if (dictlen > 0 && inflateSetDictionary(&z, dict,
	    (uInt)dictlen) != Z_OK) {
		(void)inflateEnd(&z);
		return -ENOMEM;
	}
	z.next_in = (Bytef *)(uintptr_t)in;
	z.avail_in = (uInt)n;
	z.next_out = outlen == 0 ? &none : out;
	z.avail_out = (uInt)outlen;
	switch (inflate(&z, Z_FINISH)) {
	case Z_STREAM_END:
		rc = z.avail_in == 0 && z.avail_out == 0 ? 0 : -EBADMSG;
		break;
	case Z_MEM_ERROR:
		rc = -ENOMEM;
		break;
	default:
		rc = -EBADMSG;
	}
	(void)inflateEnd(&z);	/* only frees */
	return rc;
}
