/*
 * seal-check.c: a sealed copy, checked without its key.
 *
 * What a write that was cut short left at the end of the newest area is
 * as it should be, and so is what an earlier life of an area left behind
 * its end.  All else must be there, up to where the next area went on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "seal-int.h"

#define CHUNK		(256u << 10)

enum found {
	FOUND_NONE,		/* no frame */
	FOUND_TORN,		/* its begin alone */
	FOUND_FRAME
};

/* What an area has, as far as its frames tell. */
struct life {
	bool		 any;		/* a frame's begin at its begin */
	bool		 spoilt;	/* something else is there */
	uint32_t	 gen;
	struct seal_frame first;
	bool		 good;		/* that one is whole */
	uint64_t	 last;		/* seq of the last whole one */
	uint64_t	 end;		/* offset behind it */
	bool		 torn;		/* what follows has but its begin */
};

struct check {
	struct io	*io;
	struct seal_head h;
	uint64_t	 tag;
	struct life	*life;		/* by area */
	uint32_t	 newest;	/* the highest generation */
	uint8_t		*buf;		/* CHUNK bytes, */
	uint64_t	 at;		/* from here on */
	size_t		 have;
	void		(*fn)(void *, const char *);
	void		*arg;
	int		 faults;
};

static void	fault(struct check *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static void
fault(struct check *c, const char *fmt, ...)
{
	char	 line[160];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (c->faults < INT32_MAX)
		c->faults++;
	if (c->fn != NULL)
		c->fn(c->arg, line);
}

/* n bytes, at most CHUNK, at `at`; behind the end are zeros. */
static int
look(struct check *c, uint64_t at, size_t n, const uint8_t **p,
    struct err *e)
{
	size_t	 k;
	int	 rc;

	if (at < c->at || at - c->at > c->have ||
	    n > c->have - (at - c->at)) {
		c->have = 0;
		k = at >= c->io->size ? 0 : c->io->size - at < CHUNK ?
		    (size_t)(c->io->size - at) : CHUNK;
		memset(c->buf + k, 0, CHUNK - k);
		if (k > 0 && (rc = c->io->ops->read(c->io, c->buf, k, at,
		    e)) < 0)
			return rc;
		c->at = at;
		c->have = CHUNK;
	}
	*p = c->buf + (at - c->at);
	return 0;
}

/* The checksum of n bytes. */
static int
sum_of(struct check *c, uint64_t at, uint64_t n, uint32_t *sum,
    struct err *e)
{
	const uint8_t	*p;
	size_t		 k;
	int		 rc;

	for (*sum = 0; n > 0; n -= k, at += k) {
		k = n < CHUNK / 4 ? (size_t)n : CHUNK / 4;
		if ((rc = look(c, at, k, &p, e)) < 0)
			return rc;
		*sum = crc32c(*sum, p, k);
	}
	return 0;
}

/* What is at the record offset `off`. */
static int
frame_at(struct check *c, uint64_t off, struct seal_frame *f,
    enum found *is, bool *blank, struct err *e)
{
	uint64_t	 at = seal_place(&c->h.sb, off);
	const uint8_t	*p;
	uint32_t	 sum;
	int		 rc;

	*is = FOUND_NONE;
	if ((rc = look(c, at, SF_REST, &p, e)) < 0)
		return rc;
	*blank = seal_blank(p, SF_REST);
	if (!seal_frame_get(p, &c->h.sb, c->tag, off, f))
		return 0;
	*is = FOUND_TORN;
	if ((rc = sum_of(c, at + SF_CLEAR, f->len + SF_MORE - SF_CLEAR, &sum,
	    e)) == 0 && sum == f->sum)
		*is = FOUND_FRAME;
	return rc;
}

/* Whether f goes on where the life stands. */
static bool
follows(const struct life *l, const struct seal_frame *f)
{
	if (!l->good)
		return f->type == REC_CHECK || f->type == REC_WHOLE;
	return f->gen == l->gen && f->seq == l->last +
	    (f->type >= REC_SKIP ? 0 : 1);
}

/* The frames from an area's begin to the first that is none of them. */
static int
walk(struct check *c, uint32_t area, struct err *e)
{
	const struct super	*sb = &c->h.sb;
	struct life		*l = &c->life[area];
	uint64_t		 off = sb->first + area * sb->area;
	uint64_t		 end = off + sb->area;
	struct seal_frame	 f;
	enum found		 is;
	bool			 blank;
	int			 rc;

	for (l->end = off; off < end; l->end = off) {
		if ((rc = frame_at(c, off, &f, &is, &blank, e)) < 0)
			return rc;
		if (off == sb->first + area * sb->area) {
			l->any = is != FOUND_NONE;
			l->spoilt = !l->any && !blank;
			l->first = f;
			l->gen = l->any ? f.gen : 0;
		}
		if (is != FOUND_NONE && follows(l, &f) && is == FOUND_TORN)
			l->torn = true;
		if (is != FOUND_FRAME || !follows(l, &f))
			break;
		l->good = true;
		l->last = f.seq;
		off += (uint64_t)f.units * sb->align;
	}
	return 0;
}

/*
 * Frames behind the end of a life that belong to it, or, where it has no
 * begin, any: the last one's seq; 0: there is none.
 */
static int
behind(struct check *c, uint32_t area, uint64_t *seq, struct err *e)
{
	const struct super	*sb = &c->h.sb;
	const struct life	*l = &c->life[area];
	uint64_t		 off = l->end + sb->align;
	uint64_t		 end = sb->first + (area + UINT64_C(1)) *
	    sb->area;
	struct seal_frame	 f;
	enum found		 is;
	bool			 blank;
	int			 rc;

	for (*seq = 0; off < end; off += sb->align) {
		if ((rc = frame_at(c, off, &f, &is, &blank, e)) < 0)
			return rc;
		if (is != FOUND_FRAME || (l->any && f.gen != l->gen))
			continue;
		/* The second one of a write that was torn proves nothing. */
		if (l->any && l->gen == c->newest && !l->good &&
		    f.seq <= l->first.seq + 1)
			continue;
		if (f.seq > *seq)
			*seq = f.seq;
		off += (uint64_t)(f.units - 1) * sb->align;
	}
	return 0;
}

/* The area that was written next, where nothing lies between; or NULL. */
static const struct life *
next_life(const struct check *c, const struct life *l)
{
	uint32_t	 i;

	for (i = 0; i < c->h.sb.areas; i++)
		if (c->life[i].good && l->gen != UINT32_MAX &&
		    c->life[i].gen == l->gen + 1)
			return &c->life[i];
	return NULL;
}

static int
judge(struct check *c, uint32_t area, struct err *e)
{
	const struct life	*l = &c->life[area], *next = next_life(c, l);
	uint64_t		 seq, need = 0;
	int			 rc;

	if ((rc = behind(c, area, &seq, e)) < 0)
		return rc;
	if (l->any && next != NULL)
		need = next->first.seq -
		    (next->first.type == REC_CHECK ? 0 : 1);
	if (l->spoilt || (!l->any && seq != 0))
		fault(c, "area %" PRIu32 ": its begin is damaged", area);
	else if (l->any && !l->good && (l->gen != c->newest || seq != 0))
		fault(c, "area %" PRIu32 ": its first record, of generation %"
		    PRIu64 ", is damaged", area, l->first.seq);
	else if (l->any && (seq > l->last || need > l->last ||
	    (l->torn && l->gen != c->newest)))
		fault(c, "area %" PRIu32 ": what follows generation %" PRIu64
		    " is damaged", area, l->last);
	return 0;
}

static int
check_areas(struct check *c, struct err *e)
{
	uint32_t	 i, k, n = c->h.sb.areas;
	int		 rc;

	for (i = 0; i < n; i++) {
		if ((rc = walk(c, i, e)) < 0)
			return rc;
		if (c->life[i].any && c->life[i].gen > c->newest)
			c->newest = c->life[i].gen;
	}
	for (i = 0; i < n; i++) {
		if ((rc = judge(c, i, e)) < 0)
			return rc;
		for (k = 0; k < i; k++)
			if (c->life[i].any && c->life[k].any &&
			    c->life[i].gen == c->life[k].gen)
				fault(c, "areas %" PRIu32 " and %" PRIu32
				    " are of one generation", k, i);
	}
	return 0;
}

/* Read the header there; -EINVAL or -EBADMSG where it is none. */
static int
head_at(struct check *c, uint64_t at, uint8_t b[SH_LEN],
    struct seal_head *h, struct err *e)
{
	int	 rc;

	if (c->io->size < SH_LEN || at > c->io->size - SH_LEN)
		return -EBADMSG;
	rc = c->io->ops->read(c->io, b, SH_LEN, at, e);
	return rc < 0 ? rc : seal_head_get(b, h);
}

/* One header that can be trusted, of two that should be equal. */
static int
check_heads(struct check *c, struct err *e)
{
	uint8_t			 a[SH_LEN], b[SH_LEN];
	struct seal_head	 h;
	int			 first, last = -EBADMSG;

	first = head_at(c, 0, a, &c->h, e);
	if (first == 0)
		last = head_at(c, seal_bytes(&c->h.sb) - SH_LEN, b, &h, e);
	else if (c->io->size >= 2 * SH_LEN) {
		last = head_at(c, c->io->size - SH_LEN, b, &h, e);
		if (last == 0 && seal_bytes(&h.sb) != c->io->size)
			last = -EBADMSG;
		c->h = h;
	}
	if (first < 0 && last < 0) {
		if (first == -EPROTONOSUPPORT)
			return err_setx(e, -first, "%s: sealed in a format "
			    "that is newer than this program's", c->io->name);
		if (first == -EIO)
			return first;
		return err_setx(e, -first, first == -EINVAL ?
		    "%s: not a sealed copy" :
		    "%s: the sealed copy's header is damaged", c->io->name);
	}
	if (first < 0)
		fault(c, "the header is damaged");
	else if (last < 0)
		fault(c, c->io->size < seal_bytes(&c->h.sb) ?
		    "it is cut short" : "the header's copy is damaged");
	else if (memcmp(a, b, SH_LEN) != 0)
		fault(c, "the header and its copy differ");
	return 0;
}

int
seal_check(struct io *below, void (*fn)(void *, const char *), void *arg,
    struct err *e)
{
	struct check	 c = { .io = below, .fn = fn, .arg = arg };
	int		 rc;

	if ((rc = check_heads(&c, e)) < 0)
		return rc;
	c.tag = seal_tag(c.h.salt);
	c.life = calloc(c.h.sb.areas, sizeof(*c.life));
	c.buf = malloc(CHUNK);
	rc = c.life == NULL || c.buf == NULL ?
	    err_set(e, ENOMEM, "%s", below->name) : check_areas(&c, e);
	free(c.life);
	free(c.buf);
	return rc < 0 ? rc : c.faults;
}
