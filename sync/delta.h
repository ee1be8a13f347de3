/*
 * delta.h: a content as the difference from the one before it.
 */
#ifndef DELTA_H
#define DELTA_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"

#define OPS_PACKED	0x01	/* how a delta is stored: operations and */
#define TEXT_PACKED	0x02	/* inserted text, deflated or not */

/*
 * Append what makes `to` (n bytes) of `from` (fn bytes), with *how a set
 * of the bits above.  -ENOMEM.
 */
int	delta_make(struct buf *out, uint8_t *how, const uint8_t *from,
	    size_t fn, const uint8_t *to, size_t n);

/*
 * Apply: fill exactly n bytes at `to`.  -EBADMSG where the dn bytes at d
 * are no delta from these fn bytes to n others; -ENOMEM.
 */
int	delta_apply(uint8_t *to, size_t n, const uint8_t *from, size_t fn,
	    uint8_t how, const uint8_t *d, size_t dn);

#endif
