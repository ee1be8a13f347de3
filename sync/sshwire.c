/*
 * sshwire.c: integers and strings as SSH has them.
 */
#include "sshwire.h"

uint32_t
sw_rd32(struct rd *r)
{
	const uint8_t	*p = rd_bytes(r, 4);

	return p == NULL ? 0 : (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

const uint8_t *
sw_rdstr(struct rd *r, size_t *n)
{
	const uint8_t	*p;

	*n = sw_rd32(r);
	if ((p = rd_bytes(r, *n)) == NULL)
		*n = 0;
	return p;
}

void
sw_put32(struct buf *b, uint32_t v)
{
	uint8_t	 t[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v };

	put_bytes(b, t, sizeof(t));
}

void
sw_putstr(struct buf *b, const void *p, size_t n)
{
	if (n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	sw_put32(b, (uint32_t)n);
	put_bytes(b, p, n);
}
