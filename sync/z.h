/*
 * z.h: raw deflate (RFC 1951).
 */
#ifndef Z_H
#define Z_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"

/*
 * Append the deflated form of n bytes, of which the reader will know the
 * dictionary (dictlen may be 0; its last 32 KiB count).  -ENOMEM.
 */
int	z_pack(struct buf *out, const void *in, size_t n, const void *dict,
	    size_t dictlen);

/*
 * Inflate n bytes into exactly outlen ones.  -EBADMSG where they are not
 * exactly that: a short, a longer, or a damaged stream; -ENOMEM.
 */
int	z_unpack(void *out, size_t outlen, const void *in, size_t n,
	    const void *dict, size_t dictlen);

#endif
