/*
 * buf.c: a growing byte buffer and array, and a bounded reader over bytes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

void
buf_free(struct buf *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

uint8_t *
buf_room(struct buf *b, size_t n)
{
	size_t	 cap;
	uint8_t	*p;

	if (b->bad)
		return NULL;
	if (n <= b->cap - b->len && b->p != NULL)
		return b->p + b->len;
	if (n > SIZE_MAX / 2 - b->len - 64) {
		b->bad = true;
		return NULL;
	}
	cap = b->len + n;
	if (cap < b->cap * 2)
		cap = b->cap * 2;
	if (cap < 64)
		cap = 64;
	if ((p = realloc(b->p, cap)) == NULL) {
		b->bad = true;
		return NULL;
	}
	b->p = p;
	b->cap = cap;
	return p + b->len;
}

void
put_bytes(struct buf *b, const void *src, size_t n)
{
	uint8_t	*p;

	if (n == 0 || (p = buf_room(b, n)) == NULL)
		return;
	memcpy(p, src, n);
	b->len += n;
}

void
put_zero(struct buf *b, size_t n)
{
	uint8_t	*p;

	if (n == 0 || (p = buf_room(b, n)) == NULL)
		return;
	memset(p, 0, n);
	b->len += n;
}

void
put_u8(struct buf *b, uint8_t v)
{
	put_bytes(b, &v, 1);
}

void
put_le16(struct buf *b, uint16_t v)
{
	uint8_t	 t[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	put_bytes(b, t, sizeof(t));
}

void
put_le32(struct buf *b, uint32_t v)
{
	uint8_t	 t[4];

	set_le32(t, v);
	put_bytes(b, t, sizeof(t));
}

void
put_le64(struct buf *b, uint64_t v)
{
	uint8_t	 t[8];

	set_le64(t, v);
	put_bytes(b, t, sizeof(t));
}

void
put_var(struct buf *b, uint64_t v)
{
	uint8_t	 t[10];
	size_t	 n = 0;

	do {
		t[n] = (uint8_t)(v & 0x7f);
		v >>= 7;
		if (v != 0)
			t[n] |= 0x80;
		n++;
	} while (v != 0);
	put_bytes(b, t, n);
}

void
put_fmt(struct buf *b, const char *fmt, ...)
{
	va_list	 ap;
	uint8_t	*p;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || (p = buf_room(b, (size_t)n + 1)) == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf((char *)p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

int
more_room(void *vp, size_t n, size_t *cap, size_t size)
{
	size_t	 more = *cap == 0 ? 16 : *cap * 2;
	void	*old, *v;

	if (n < *cap)
		return 0;
	memcpy(&old, vp, sizeof(old));	/* it points to any type */
	if (more > SIZE_MAX / size || (v = realloc(old, more * size)) == NULL)
		return -ENOMEM;
	memcpy(vp, &v, sizeof(v));
	*cap = more;
	return 0;
}

void
set_le32(uint8_t *p, uint32_t v)
{
	int	 i;

	for (i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void
set_le64(uint8_t *p, uint64_t v)
{
	int	 i;

	for (i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

uint16_t
get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

uint32_t
get_le32(const uint8_t *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

uint64_t
get_le64(const uint8_t *p)
{
	return get_le32(p) | (uint64_t)get_le32(p + 4) << 32;
}

const uint8_t *
rd_bytes(struct rd *r, size_t n)
{
	const uint8_t	*p = r->p;

	if (r->bad || n > r->n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	r->n -= n;
	return p;
}

uint8_t
rd_u8(struct rd *r)
{
	const uint8_t	*p = rd_bytes(r, 1);

	return p == NULL ? 0 : *p;
}

uint16_t
rd_le16(struct rd *r)
{
	const uint8_t	*p = rd_bytes(r, 2);

	return p == NULL ? 0 : get_le16(p);
}

uint32_t
rd_le32(struct rd *r)
{
	const uint8_t	*p = rd_bytes(r, 4);

	return p == NULL ? 0 : get_le32(p);
}

uint64_t
rd_le64(struct rd *r)
{
	const uint8_t	*p = rd_bytes(r, 8);

	return p == NULL ? 0 : get_le64(p);
}

uint64_t
rd_var(struct rd *r)
{
	uint64_t	 v = 0;
	uint8_t		 c;
	int		 i;

	for (i = 0; i < 10; i++) {
		c = rd_u8(r);
		if (r->bad)
			return 0;
		/* The tenth byte holds the one bit that is left. */
		if (i == 9 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << (7 * i);
		if ((c & 0x80) == 0)
			return v;
	}
	r->bad = true;
	return 0;
}

size_t
rd_len(struct rd *r, size_t max)
{
	uint64_t	 v = rd_var(r);

	if (v > max) {
		r->bad = true;
		return 0;
	}
	return (size_t)v;
}
