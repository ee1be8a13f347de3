/*
 * b64.c: base64 (RFC 4648, section 4), as SSH's files have it.
 */
#include "b64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789+/";

static int
value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

ssize_t
b64_get(const uint8_t *p, size_t n, uint8_t *out, size_t len)
{
	uint32_t	 bits = 0;
	size_t		 i, k = 0, chars = 0, pads = 0;
	int		 v;

	for (i = 0; i < n; i++) {
		if (p[i] == ' ' || (p[i] >= '\t' && p[i] <= '\r'))
			continue;
		chars++;
		if (p[i] == '=') {
			pads++;
			continue;
		}
		if (pads > 0 || (v = value(p[i])) < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
		if (chars % 4 == 1)
			continue;
		if (k == len)
			return -1;
		out[k++] = (uint8_t)(bits >> (6 - 2 * ((chars - 1) % 4)));
	}
	/* The bits that are left over in front of padding must be zeros. */
	if (chars % 4 != 0 || pads > 2 ||
	    (bits & ((1u << 2 * pads) - 1)) != 0)
		return -1;
	return (ssize_t)k;
}

void
b64_put(struct buf *b, const uint8_t *p, size_t n)
{
	uint32_t	 v;
	size_t		 i, k, have;

	for (i = 0; i < n; i += 3) {
		have = n - i < 3 ? n - i : 3;
		v = (uint32_t)p[i] << 16;
		if (have > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (have > 2)
			v |= p[i + 2];
		for (k = 0; k < 4; k++)
			put_u8(b, k > have ? '=' :
			    (uint8_t)digits[v >> (18 - 6 * k) & 63]);
	}
}
