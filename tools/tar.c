/*
 * tar.c: entries as a POSIX pax archive.
 *
 * A member is a header of 512 bytes (ustar) and its content, padded to
 * 512.  What the header has no room for (long names, fractions of a
 * second, large numbers, extended attributes) is in an extended header
 * before it: records "length keyword=value\n", the length counting itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "tar.h"

#define BLOCK		512
#define OCT8_MAX	07777777u
#define OCT12_MAX	077777777777u

/* Offsets and lengths in a ustar header. */
#define H_NAME		0
#define H_NAME_LEN	100
#define H_MODE		100
#define H_UID		108
#define H_GID		116
#define H_SIZE		124
#define H_MTIME		136
#define H_SUM		148
#define H_TYPE		156
#define H_LINK		157
#define H_LINK_LEN	100
#define H_MAGIC		257
#define H_MAJOR		329
#define H_MINOR		337

static void
pad(struct buf *b)
{
	if (b->len % BLOCK != 0)
		put_zero(b, BLOCK - b->len % BLOCK);
}

/* One record of an extended header. */
static void
put_rec(struct buf *b, const char *key, const void *val, size_t n)
{
	size_t	 body = strlen(key) + n + 3, len = body, was;
	char	 num[24];

	/* The length's own digits may make it one digit longer. */
	do {
		was = len;
		len = body + (size_t)snprintf(num, sizeof(num), "%zu", was);
	} while (len != was);
	put_fmt(b, "%zu %s=", len, key);
	put_bytes(b, val, n);
	put_u8(b, '\n');
}

static void
put_num_rec(struct buf *b, const char *key, uint64_t v)
{
	char	 num[24];
	int	 n = snprintf(num, sizeof(num), "%llu", (unsigned long long)v);

	put_rec(b, key, num, (size_t)n);
}

static bool
is_utf8(const char *s)
{
	uint32_t	 c;
	size_t		 n;

	for (; *s != '\0'; s += n)
		if ((n = utf8_get(s, &c)) == 0)
			return false;
	return true;
}

/* Names of attributes keep "=" as GNU tar has it: "%3D". */
static void
put_xattrs(struct buf *b, const struct ent *e)
{
	struct rd	 r = { e->xattr, e->xattrlen, false };
	struct buf	 key = BUF_INIT;
	const uint8_t	*nul, *name, *val;
	size_t		 n;

	while (r.n > 0 && (nul = memchr(r.p, 0, r.n)) != NULL) {
		name = rd_bytes(&r, (size_t)(nul - r.p) + 1);
		n = rd_le32(&r);
		val = rd_bytes(&r, n);
		if (r.bad)
			break;
		key.len = 0;
		put_fmt(&key, "SCHILY.xattr.");
		for (; *name != '\0'; name++)
			if (*name == '=' || *name == '%')
				put_fmt(&key, "%%%02X", *name);
			else
				put_u8(&key, *name);
		put_u8(&key, '\0');
		if (key.bad)
			b->bad = true;
		else
			put_rec(b, (const char *)key.p, val, n);
	}
	buf_free(&key);
}

static void
put_mtime(struct buf *b, const struct ent *e)
{
	int64_t		 s = e->mtime;
	uint32_t	 ns = e->mtime_ns;
	char		 num[48];
	int		 n;

	/* A decimal fraction counts away from zero, ns count up. */
	if (s < 0 && ns > 0) {
		s++;
		ns = 1000000000 - ns;
	}
	n = snprintf(num, sizeof(num), "%s%lld.%09u", e->mtime < 0 ? "-" : "",
	    (long long)(s < 0 ? -s : s), ns);
	put_rec(b, "mtime", num, (size_t)n);
}

/* What the plain header can't say, as records. */
static void
put_records(struct buf *b, const struct ent *e, const char *name,
    const char *link)
{
	const size_t	 nl = strlen(name), ll = link == NULL ? 0 :
	    strlen(link);

	if ((nl > H_NAME_LEN && !is_utf8(name)) ||
	    (ll > H_LINK_LEN && !is_utf8(link)))
		put_rec(b, "hdrcharset", "BINARY", 6);
	if (nl > H_NAME_LEN)
		put_rec(b, "path", name, nl);
	if (ll > H_LINK_LEN)
		put_rec(b, "linkpath", link, ll);
	if (e->mtime_ns != 0 || e->mtime < 0 ||
	    (uint64_t)e->mtime > OCT12_MAX)
		put_mtime(b, e);
	if (e->uid > OCT8_MAX)
		put_num_rec(b, "uid", e->uid);
	if (e->gid > OCT8_MAX)
		put_num_rec(b, "gid", e->gid);
	if (e->type == ENT_CHR || e->type == ENT_BLK) {
		if (e->major > OCT8_MAX)
			put_num_rec(b, "SCHILY.devmajor", e->major);
		if (e->minor > OCT8_MAX)
			put_num_rec(b, "SCHILY.devminor", e->minor);
	}
	if (e->type == ENT_REG && e->size > OCT12_MAX)
		put_num_rec(b, "size", e->size);
	put_xattrs(b, e);
}

/* Octal digits that fill the field but for its NUL; too large is 0, and
 * the extended header says it. */
static void
octal(uint8_t *h, size_t len, uint64_t v)
{
	char	 num[32];
	int	 n = snprintf(num, sizeof(num), "%0*llo", (int)len - 1,
	    (unsigned long long)v);

	memcpy(h, num, (size_t)n == len - 1 ? len : 0);
	if ((size_t)n != len - 1)
		memset(h, '0', len - 1);
}

static void
copy(uint8_t *h, size_t len, const char *s)
{
	size_t	 n = strlen(s);

	memcpy(h, s, n < len ? n : len);
}

static void
put_header(struct buf *b, const struct ent *e, char type, const char *name,
    const char *link, uint64_t size)
{
	uint8_t		 h[BLOCK] = { 0 };
	unsigned	 sum = 0;
	size_t		 i;

	copy(h + H_NAME, H_NAME_LEN, name);
	octal(h + H_MODE, 8, e->mode);
	octal(h + H_UID, 8, e->uid);
	octal(h + H_GID, 8, e->gid);
	octal(h + H_SIZE, 12, size);
	octal(h + H_MTIME, 12, e->mtime < 0 ? 0 : (uint64_t)e->mtime);
	memset(h + H_SUM, ' ', 8);
	h[H_TYPE] = (uint8_t)type;
	copy(h + H_LINK, H_LINK_LEN, link == NULL ? "" : link);
	memcpy(h + H_MAGIC, "ustar\00000", 8);
	octal(h + H_MAJOR, 8, type == '3' || type == '4' ? e->major : 0);
	octal(h + H_MINOR, 8, type == '3' || type == '4' ? e->minor : 0);
	for (i = 0; i < BLOCK; i++)
		sum += h[i];
	octal(h + H_SUM, 7, sum);
	put_bytes(b, h, sizeof(h));
}

static char
type_flag(const struct ent *e)
{
	switch (e->type) {
	case ENT_REG:
		return '0';
	case ENT_LNK:
		return '2';
	case ENT_CHR:
		return '3';
	case ENT_BLK:
		return '4';
	case ENT_DIR:
		return '5';
	case ENT_FIFO:
		return '6';
	case ENT_NONE:
	case ENT_WHITEOUT:
	case ENT_SOCK:
		break;
	}
	return '\0';
}

void
tar_put(struct buf *b, const struct ent *e, const uint8_t *data, size_t n,
    const char *linked)
{
	static const struct ent	 x = { .mode = 0644 };
	struct buf		 name = BUF_INIT, rec = BUF_INIT;
	const char		*link = linked;
	char			 type = type_flag(e);

	if (type == '\0')
		return;
	if (linked != NULL)
		type = '1';
	else if (type == '2')
		link = e->target;
	if (type != '0')
		n = 0;
	put_fmt(&name, "%s%s", *e->path == '\0' ? "." : e->path,
	    type == '5' ? "/" : "");
	put_u8(&name, '\0');
	if (!name.bad)
		put_records(&rec, e, (char *)name.p, link);
	if (name.bad || rec.bad)
		b->bad = true;
	else {
		if (rec.len > 0) {
			put_header(b, &x, 'x', "pax_header", NULL, rec.len);
			put_bytes(b, rec.p, rec.len);
			pad(b);
		}
		put_header(b, e, type, (char *)name.p, link, n);
		put_bytes(b, data, n);
		pad(b);
	}
	buf_free(&name);
	buf_free(&rec);
}

void
tar_end(struct buf *b)
{
	put_zero(b, 2 * (size_t)BLOCK);
}
