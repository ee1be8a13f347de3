/*
 * b64.h: base64 (RFC 4648, section 4), as SSH's files have it.
 */
#ifndef B64_H
#define B64_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"

/*
 * Decode n characters; blanks and newlines among them count for nothing.
 * Returns the bytes put to out, or -1: other characters, no padding, or
 * more than len bytes.
 */
ssize_t	b64_get(const uint8_t *, size_t n, uint8_t *out, size_t len);
void	b64_put(struct buf *, const uint8_t *, size_t);

#endif
