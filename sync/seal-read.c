/*
 * seal-read.c: reading a store out of a sealed copy.
 *
 * Headers of records are read one by one, as they are.  For all else the
 * area is opened from its begin as far as is needed, and kept: a store
 * reads one area after the other.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "seal-int.h"

#define AHEAD_LEAST	(16u << 10)	/* bytes read below at once: first, */
#define AHEAD_MOST	(1u << 20)	/* and when many follow each other */
#define SPOILT		0xff		/* what there is but does not open */

struct seal_io *
seal_of(struct io *io)
{
	return (struct seal_io *)(void *)io;	/* its first member */
}

void
seal_drop(struct seal_io *s)
{
	s->area = NO_AREA;
	s->raw.len = 0;
}

/* --- an area */

int
seal_below(struct seal_io *s, uint8_t *p, size_t n, uint64_t off,
    struct err *e)
{
	uint64_t	 size = s->below->size;
	size_t		 k = off >= size ? 0 : n;

	if (k > size - (k == 0 ? 0 : off))
		k = (size_t)(size - off);
	memset(p + k, 0, n - k);
	return k == 0 ? 0 : s->below->ops->read(s->below, p, k, off, e);
}

/* n bytes below at off, which only grows while an area is opened. */
static int
at_hand(struct seal_io *s, size_t n, uint64_t off, const uint8_t **p,
    struct err *e)
{
	uint64_t	 end = seal_area(&s->sb, s->area + 1);
	size_t		 len = s->ahead;
	int		 rc;

	if (off < s->rawoff || off - s->rawoff > s->raw.len ||
	    n > s->raw.len - (off - s->rawoff)) {
		if (len < n)
			len = n;
		if (len > end - off)
			len = (size_t)(end - off);
		if (s->ahead < AHEAD_MOST)
			s->ahead *= 2;
		s->raw.len = 0;
		if (buf_room(&s->raw, len) == NULL) {
			buf_free(&s->raw);
			return err_set(e, ENOMEM, "%s", s->io.name);
		}
		if ((rc = seal_below(s, s->raw.p, len, off, e)) < 0)
			return rc;
		s->rawoff = off;
		s->raw.len = len;
	}
	*p = s->raw.p + (off - s->rawoff);
	return 0;
}

/*
 * The header of the record at off, of its frame's first SF_REST bytes.
 * Whoever has the key wrote it, but it must still be what the frame says.
 */
static bool
open_head(const struct seal_io *s, const uint8_t *b, uint64_t off,
    struct seal_frame *f, uint8_t rec[REC_LEN])
{
	uint32_t	 area;
	struct rec	 r;

	if (!seal_in_area(&s->sb, off, &area) ||
	    !seal_frame_get(b, &s->sb, s->tag, off, f) ||
	    seal_unhead(b, &s->keys, rec) < 0)
		return false;
	if (rec_get(rec, s->sb.id, off, s->sb.first + (area + UINT64_C(1)) *
	    s->sb.area, &r) && (uint8_t)r.type == f->type &&
	    r.seq == f->seq && r.gen == f->gen &&
	    REC_LEN + (uint64_t)r.metalen + r.datalen == f->len)
		return true;
	memset(rec, 0, REC_LEN);
	return false;
}

static int
frame_whole(struct seal_io *s, const struct seal_frame *f, uint64_t at,
    uint8_t *to, struct err *e)
{
	size_t		 n = (size_t)f->len + SF_MORE;
	const uint8_t	*b;
	int		 rc;

	if ((rc = at_hand(s, n, at, &b, e)) < 0)
		return rc;
	/* Without it, the rest is zeros: the record's checksums say so. */
	if (crc32c(0, b + SF_CLEAR, n - SF_CLEAR) == f->sum)
		(void)seal_unrest(b, f, &s->keys, to + REC_LEN);
	return 0;
}

/* The next frame, or a unit without one. */
static int
open_next(struct seal_io *s, struct err *e)
{
	uint64_t	 off = s->sb.first + s->area * s->sb.area + s->done;
	uint64_t	 at = seal_place(&s->sb, off), n = s->sb.align;
	uint8_t		*to = s->open + s->done;
	struct seal_frame f;
	const uint8_t	*b;
	int		 rc;

	if ((rc = at_hand(s, SF_REST, at, &b, e)) < 0)
		return rc;
	if (open_head(s, b, off, &f, to)) {
		n *= f.units;
		memset(to + REC_LEN, 0, (size_t)n - REC_LEN);
		if ((rc = frame_whole(s, &f, at, to, e)) < 0)
			return rc;
	} else
		memset(to, seal_blank(b, SF_REST) ? 0 : SPOILT, (size_t)n);
	s->done += n;
	return 0;
}

static int
read_area(struct seal_io *s, uint32_t area, uint8_t *p, size_t n,
    uint64_t from, struct err *e)
{
	int	 rc = 0;

	if (s->area != area) {
		s->area = area;
		s->done = 0;
		s->raw.len = 0;
		s->ahead = AHEAD_LEAST;
	}
	if (s->open == NULL && (s->open = malloc((size_t)s->sb.area)) == NULL) {
		seal_drop(s);
		return err_set(e, ENOMEM, "%s", s->io.name);
	}
	while (s->done < from + n && rc == 0)
		rc = open_next(s, e);
	if (rc == 0)
		memcpy(p, s->open + from, n);
	return rc;
}

/* --- reading */

/* Whether the header at the copy's end is as it should be. */
static int
last_good(struct seal_io *s, bool *good, struct err *e)
{
	uint8_t	 b[SH_LEN];
	int	 rc;

	rc = seal_below(s, b, SH_LEN, seal_bytes(&s->sb) - SH_LEN, e);
	*good = rc == 0 && memcmp(b, s->head, SH_LEN) == 0;
	return rc;
}

/* As much of n bytes at off as is of one kind: how much, or -errno. */
static int64_t
read_some(struct seal_io *s, uint8_t *p, size_t n, uint64_t off,
    struct err *e)
{
	uint64_t	 left, areas = s->sb.first + s->sb.areas * s->sb.area;
	uint64_t	 last = s->sb.size - SUPER_LEN;
	const uint8_t	*from = NULL;
	uint32_t	 area;
	bool		 good;
	int		 rc = 0;

	if (seal_in_area(&s->sb, off, &area)) {
		left = (off - s->sb.first) % s->sb.area;
		if (n > s->sb.area - left)
			n = (size_t)(s->sb.area - left);
		rc = read_area(s, area, p, n, left, e);
		return rc < 0 ? rc : (int64_t)n;
	}
	if (off < SUPER_LEN) {
		left = SUPER_LEN - off;
		from = s->first ? s->super + off : NULL;
	} else if (off < s->sb.first)
		left = s->sb.first - off;
	else if (off >= areas && off < last)
		left = last - off;
	else {
		left = s->sb.size - off;
		if ((rc = last_good(s, &good, e)) < 0)
			return rc;
		from = good ? s->super + (off - last) : NULL;
	}
	if (n > left)
		n = (size_t)left;
	if (from != NULL)
		memcpy(p, from, n);
	else
		memset(p, 0, n);
	return (int64_t)n;
}

bool
seal_within(const struct io *io, size_t n, uint64_t off)
{
	return off <= io->size && n <= io->size - off && n <= (size_t)PTRDIFF_MAX;
}

static int
read_any(struct seal_io *s, const struct io_range *v, struct err *e)
{
	uint8_t		*p = v->p;
	uint64_t	 off = v->off;
	size_t		 n = v->n;
	int64_t		 k;

	for (; n > 0; p += k, off += (uint64_t)k, n -= (size_t)k)
		if ((k = read_some(s, p, n, off, e)) < 0)
			return (int)k;
	return 0;
}

/* Whether it is the header of a record alone. */
static bool
is_header(const struct seal_io *s, const struct io_range *v)
{
	uint32_t	 area;

	return v->n > 0 && v->n <= REC_LEN && v->off % s->sb.align == 0 &&
	    seal_in_area(&s->sb, v->off, &area);
}

/* Ask below for the headers among these, all at once. */
static int
fetch_heads(struct seal_io *s, const struct io_range *v, size_t n,
    uint8_t *heads, struct err *e)
{
	struct io_range	*w = calloc(n, sizeof(*w));
	uint64_t	 at, size = s->below->size;
	size_t		 i, k = 0;
	int		 rc = 0;

	if (w == NULL)
		return err_set(e, ENOMEM, "%s", s->io.name);
	for (i = 0; i < n; i++) {
		if (!is_header(s, &v[i]))
			continue;
		at = seal_place(&s->sb, v[i].off);
		if (at <= size && size - at >= SF_REST)
			w[k++] = (struct io_range){ heads + i * SF_REST,
			    SF_REST, at };
	}
	if (k > 0)
		rc = io_readv(s->below, w, k, e);
	free(w);
	return rc;
}

static void
give_head(const struct seal_io *s, const uint8_t *b,
    const struct io_range *v)
{
	uint8_t			 rec[REC_LEN];
	struct seal_frame	 f;

	if (open_head(s, b, v->off, &f, rec))
		memcpy(v->p, rec, v->n);
	else
		memset(v->p, seal_blank(b, SF_REST) ? 0 : SPOILT, v->n);
}

int
seal_readv(struct io *io, const struct io_range *v, size_t n, struct err *e)
{
	struct seal_io	*s = seal_of(io);
	uint8_t		*heads;
	size_t		 i;
	int		 rc;

	for (i = 0; i < n; i++)
		if (!seal_within(io, v[i].n, v[i].off))
			return err_setx(e, EIO, "read %s: it ends before",
			    io->name);
	if (n == 0)
		return 0;
	if ((heads = calloc(n, SF_REST)) == NULL)
		return err_set(e, ENOMEM, "%s", io->name);
	rc = fetch_heads(s, v, n, heads, e);
	for (i = 0; i < n && rc == 0; i++) {
		if (is_header(s, &v[i]))
			give_head(s, heads + i * SF_REST, &v[i]);
		else
			rc = read_any(s, &v[i], e);
	}
	free(heads);
	return rc;
}

int
seal_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct io_range	 v = { p, n, off };

	/* A short one at the begin of a unit may be of a content, too: it is
	 * readv alone that asks for headers. */
	if (!seal_within(io, n, off))
		return err_setx(e, EIO, "read %s: it ends before", io->name);
	return read_any(seal_of(io), &v, e);
}
