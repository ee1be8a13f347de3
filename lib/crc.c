/*
 * crc.c: CRC-32C by four tables, a word at a time.
 */
#include "crc.h"

static uint32_t	tab[4][256];

static void
crc_init(void)
{
	uint32_t	 c;
	unsigned	 i, k;

	for (i = 0; i < 256; i++) {
		c = i;
		for (k = 0; k < 8; k++)
			c = (c & 1) != 0 ? c >> 1 ^ 0x82f63b78u : c >> 1;
		tab[0][i] = c;
	}
	for (k = 1; k < 4; k++)
		for (i = 0; i < 256; i++)
			tab[k][i] = tab[k - 1][i] >> 8 ^
			    tab[0][tab[k - 1][i] & 0xff];
}

uint32_t
crc32c(uint32_t crc, const void *data, size_t n)
{
	const uint8_t	*p = data;

	/* Idempotent, so that a race of two threads does no harm. */
	if (tab[0][1] == 0)
		crc_init();
	crc = ~crc;
	for (; n >= 4; n -= 4, p += 4) {
		crc ^= p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		    (uint32_t)p[3] << 24;
		crc = tab[3][crc & 0xff] ^ tab[2][crc >> 8 & 0xff] ^
		    tab[1][crc >> 16 & 0xff] ^ tab[0][crc >> 24];
	}
	for (; n > 0; n--, p++)
		crc = crc >> 8 ^ tab[0][(crc ^ *p) & 0xff];
	return ~crc;
}
