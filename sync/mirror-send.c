/*
 * mirror-send.c: groups of records, from the store to its copy, by the
 * writes that the store made: one a group, each behind the one before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "mirror-int.h"

#define LARGE	(32u << 10)	/* bytes that any medium takes at once */
#define WIN_LEN	(1u << 20)	/* bytes of the copy that are read ahead */

void
send_free(struct sender *s)
{
	buf_free(&s->buf);
	free(s->win);
	s->win = NULL;
	s->winlen = 0;
}

/* Whether the record's bytes are those that its checksums are of. */
static bool
is_whole(const struct rec *r, uint8_t *p, uint64_t id)
{
	uint8_t	*body = p + REC_LEN;
	size_t	 n = (size_t)rec_len(r) - REC_LEN;
	bool	 good;

	if (!rec_is(r, p, id))
		return false;
	rec_mask(r, body, n, r->off + REC_LEN);
	good = crc32c(0, body, r->metalen) == r->metasum &&
	    crc32c(0, body + r->metalen, n - r->metalen) == r->datasum;
	rec_mask(r, body, n, r->off + REC_LEN);
	return good;
}

/* Sector by sector, with zeros for those that can't be read. */
static int
read_rest(struct io *from, uint8_t *p, size_t n, uint64_t off, struct err *e)
{
	size_t	 k;
	int	 rc = 0;

	for (; n > 0 && rc == 0; n -= k, p += k, off += k) {
		k = SUPER_LEN - (size_t)(off % SUPER_LEN);
		if (k > n)
			k = n;
		if ((rc = from->ops->read(from, p, k, off, e)) == -EIO) {
			memset(p, 0, k);
			rc = 0;
		}
	}
	return rc;
}

/*
 * Read a record.  Sectors that can't be read are damage as any other; so
 * long as the medium itself is there, they do not keep back what came
 * after them.
 */
static int
load_rec(struct sender *s, const struct rec *r, uint8_t *p, struct err *e)
{
	struct io	*from = s->j->from;
	size_t		 n = (size_t)rec_len(r);
	int		 rc;

	rc = from->ops->read(from, p, n, r->off, e);
	if (rc == -EIO && (super_good(from, false) || super_good(from, true)))
		rc = read_rest(from, p, n, r->off, e);
	if (rc == 0 && !is_whole(r, p, s->c->s->sb.id))
		s->rotten = true;
	return rc;
}

int
send_load(struct sender *s, uint32_t area, size_t first, size_t end,
    struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	uint64_t		 n = 0;
	uint8_t			*p;
	size_t			 i;
	int			 rc = 0;

	for (i = first; i < end; i++)
		n += rec_size(&a->rec[i], s->c->s->sb.align);
	s->buf.len = 0;
	s->rotten = false;
	if (n > SIZE_MAX || (p = buf_room(&s->buf, (size_t)n)) == NULL)
		return err_set(e, ENOMEM, "%s", s->j->from->name);
	memset(p, 0, (size_t)n);
	for (i = first; i < end && rc == 0; i++) {
		rc = load_rec(s, &a->rec[i], p, e);
		p += rec_size(&a->rec[i], s->c->s->sb.align);
	}
	s->buf.len = (size_t)n;
	return rc;
}

/* Bytes of the loaded group that are sent: what pads its last record is
 * nothing to anybody. */
static size_t
send_len(const struct sender *s, const struct area *a, size_t first)
{
	const struct rec	*last = &a->rec[group_end(a, first) - 1];
	uint64_t		 n = last->off - a->rec[first].off +
	    rec_len(last), unit = s->j->to->block;

	if (s->j->records)
		return s->buf.len;
	return (size_t)((n + unit - 1) / unit * unit);
}

int
send_flush(struct sender *s, struct err *e)
{
	int	 rc = s->j->to->ops->flush(s->j->to, e);

	if (rc == 0) {
		s->ahead = 0;
		s->doubt = false;
	}
	return rc;
}

static int
put(struct sender *s, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct io	*to = s->j->to;
	int		 rc = to->ops->write(to, p, n, off, e);

	if (rc < 0)
		return rc;
	s->j->sent += n;
	if (s->j->progress != NULL)
		s->j->progress(s->j->arg, s->j->sent, s->of);
	return 0;
}

/* Whether a medium may take so many bytes by several requests, of which one
 * may fail and not the others. */
static bool
is_large(const struct sender *s, uint64_t n)
{
	return !s->j->records && n > LARGE;
}

/*
 * The loaded group, which is a large one: its header last, and only when all
 * else is there.  So, where that is there, nobody need read what follows.
 */
static int
put_large(struct sender *s, size_t n, uint64_t off, struct err *e)
{
	const size_t	 unit = s->j->to->block;
	int		 rc;

	if ((rc = put(s, s->buf.p + unit, n - unit, off + unit, e)) < 0 ||
	    (rc = send_flush(s, e)) < 0)
		return rc;
	return put(s, s->buf.p, unit, off, e);
}

/* The loaded group. */
static int
send_loaded(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 n = group_end(a, first) - first, len;
	int			 rc = 0;

	/* Were more under way, MIRROR_AHEAD that are there in a row could
	 * all be behind one that failed. */
	if (s->ahead + n >= MIRROR_AHEAD)
		rc = send_flush(s, e);
	else if (s->ahead > 0 || s->doubt)
		rc = io_order(s->j->to, e);
	if (rc < 0)
		return rc;
	len = send_len(s, a, first);
	rc = is_large(s, len) ? put_large(s, len, a->rec[first].off, e) :
	    put(s, s->buf.p, len, a->rec[first].off, e);
	s->ahead += n;
	return rc;
}

int
send_group(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	int			 rc;

	rc = send_load(s, area, first, group_end(a, first), e);
	return rc < 0 ? rc : send_loaded(s, area, first, e);
}

int
send_from(struct sender *s, uint32_t area, size_t from, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	int			 rc = 0;

	for (; from < a->nrec && rc == 0; from = group_end(a, from))
		rc = send_group(s, area, from, e);
	return rc;
}

/*
 * The loaded group, which begins an area: its header last, behind all else
 * and over what is all there already.
 */
static int
send_begin(struct sender *s, uint32_t area, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 n = send_len(s, a, 0);
	uint8_t			 head[REC_LEN];
	int			 rc = io_order(s->j->to, e);

	if (rc < 0 || s->j->records)	/* one that is torn does not open */
		return rc < 0 ? rc : put(s, s->buf.p, n, a->rec[0].off, e);
	memcpy(head, s->buf.p, REC_LEN);
	memset(s->buf.p, 0, REC_LEN);
	if ((rc = put(s, s->buf.p, n, a->rec[0].off, e)) < 0 ||
	    (rc = io_order(s->j->to, e)) < 0)
		return rc;
	memcpy(s->buf.p, head, REC_LEN);
	return put(s, s->buf.p, s->j->to->block, a->rec[0].off, e);
}

int
send_late(struct sender *s, uint32_t area, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	int			 rc;

	if ((rc = send_from(s, area, group_end(a, 0), e)) < 0 ||
	    (rc = send_load(s, area, 0, group_end(a, 0), e)) < 0 ||
	    (rc = send_begin(s, area, e)) < 0)
		return rc;
	return send_flush(s, e);
}

/* Read the copy from off on, as far as `ahead`; n bytes at the least. */
static int
fill_window(struct sender *s, size_t n, uint64_t off, uint64_t ahead,
    struct err *e)
{
	struct io		*to = s->j->to;
	struct io_range		 v;
	uint64_t		 len = n;
	int			 rc;

	if (ahead > off && ahead - off > len)
		len = ahead - off < WIN_LEN ? ahead - off : WIN_LEN;
	if (len > to->size - off)
		len = to->size - off;
	if (s->win == NULL && (s->win = malloc(WIN_LEN)) == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	s->winlen = 0;
	v = (struct io_range){ s->win, (size_t)len, off };
	if ((rc = io_readv(to, &v, 1, e)) < 0)
		return rc;
	s->winoff = off;
	s->winlen = (size_t)len;
	return 0;
}

/* Whether the copy has these n bytes at off. */
static int
bytes_same(struct sender *s, const uint8_t *mine, size_t n, uint64_t off,
    uint64_t ahead, struct err *e)
{
	struct io	*to = s->j->to;
	size_t		 k;
	int		 rc = 1;

	if (off > to->size || n > to->size - off)
		return 0;
	for (; n > 0 && rc == 1; n -= k, mine += k, off += k) {
		k = n < WIN_LEN ? n : WIN_LEN;
		rc = 0;
		if (off < s->winoff || off + k > s->winoff + s->winlen) {
			rc = fill_window(s, k, off, ahead, e);
			/* Of a sealed one, something there does not open:
			 * then each record by itself. */
			if (rc == -EBADMSG)
				rc = fill_window(s, k, off, 0, e);
		}
		if (rc == 0)
			rc = memcmp(s->win + (off - s->winoff), mine, k) == 0;
	}
	return rc == -EBADMSG ? 0 : rc;
}

int
recs_same(struct sender *s, uint32_t area, size_t first, size_t end,
    uint64_t ahead, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 i;
	int			 rc;

	if ((rc = send_load(s, area, first, end, e)) < 0)
		return rc;
	for (i = first, rc = 1; i < end && rc == 1; i++)
		rc = bytes_same(s, s->buf.p + (a->rec[i].off -
		    a->rec[first].off), (size_t)rec_len(&a->rec[i]),
		    a->rec[i].off, ahead, e);
	return rc;
}

/* The copy's records from `first` to before `end`, exactly and one behind
 * another, in one look. */
static int
fetch_recs(struct sender *s, const struct area *a, size_t first, size_t end,
    struct buf *b, struct err *e)
{
	struct io_range	*v = calloc(end - first, sizeof(*v));
	struct io	*to = s->j->to;
	size_t		 i, n = 0, total = 0;
	uint8_t		*p = NULL;
	int		 rc = 0;

	for (i = first; i < end; i++)
		total += (size_t)rec_len(&a->rec[i]);
	if (v == NULL || (p = buf_room(b, total)) == NULL)
		rc = err_set(e, ENOMEM, "%s", to->name);
	else
		memset(p, 0, total);
	for (i = first; rc == 0 && i < end; i++) {
		v[n] = (struct io_range){ p, (size_t)rec_len(&a->rec[i]),
		    a->rec[i].off };
		p += v[n].n;
		/* What lies behind its end is not there. */
		if (v[n].off <= to->size && v[n].n <= to->size - v[n].off)
			n++;
	}
	if (rc == 0 && n > 0)
		rc = io_readv(to, v, n, e);
	b->len = total;
	free(v);
	return rc;
}

/* The first of these small records that differs, or `end`: *from. */
static int
small_same(struct sender *s, uint32_t area, size_t first, size_t end,
    size_t *from, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	struct buf		 b = BUF_INIT;
	const uint8_t		*p;
	size_t			 n;
	int			 rc;

	*from = first;
	if (first == end)
		return 0;
	rc = fetch_recs(s, a, first, end, &b, e);
	for (p = b.p; rc == 0 && *from < end; (*from)++, p += n) {
		n = (size_t)rec_len(&a->rec[*from]);
		rc = send_load(s, area, *from, *from + 1, e);
		/* One that is damaged here tells nothing. */
		if (rc == 0 && !s->rotten && memcmp(p, s->buf.p, n) != 0)
			break;
	}
	buf_free(&b);
	return rc;
}

/* Whether its header was sent when all else of it was there. */
static bool
was_large(const struct sender *s, const struct area *a, size_t i)
{
	const struct rec	*end = &a->rec[i == 0 ? group_end(a, 0) - 1 :
	    i];

	return is_large(s, end->off - a->rec[i].off + rec_len(end));
}

int
send_after(struct sender *s, uint32_t area, size_t last, size_t synced,
    size_t *from, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	uint64_t		 end = last + 1 < a->nrec ?
	    a->rec[last + 1].off : a->end;
	size_t			 i = last < MIRROR_AHEAD ? 0 :
	    last + 1 - MIRROR_AHEAD, k;
	int			 rc = 1;

	if (i < synced)
		i = synced;
	if (!s->j->records) {
		/* What comes before a large one is there as well. */
		for (k = i; k <= last; k++)
			if (was_large(s, a, k))
				i = k + 1;
		return small_same(s, area, i, last + 1, from, e);
	}
	for (; i <= last && rc == 1; i++) {
		rc = recs_same(s, area, i, i + 1, end, e);
		if (rc == 0 && s->rotten)	/* it tells nothing */
			rc = 1;
	}
	s->winlen = 0;
	*from = rc == 1 ? i : i - 1;
	return rc < 0 ? rc : 0;
}

/*
 * Whether a group that is damaged in the store is better left as it is in
 * the copy: where that has its headers.
 */
static int
leave(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 n;
	int			 rc;

	if (!s->rotten)
		return 0;
	rc = front_count(s->c, s->j->to, area, first, group_end(a, first),
	    &n, e);
	return rc < 0 ? rc : n == group_end(a, first);
}

int
send_differing(struct sender *s, uint32_t area, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 i;
	int			 rc = 0;

	for (i = 0; i < a->nrec && rc >= 0; i = group_end(a, i)) {
		rc = recs_same(s, area, i, group_end(a, i), a->end, e);
		if (rc == 0)
			rc = leave(s, area, i, e);
		if (rc == 0)
			rc = send_loaded(s, area, i, e);
	}
	s->winlen = 0;
	return rc < 0 ? rc : 0;
}

/* A superblock fills a unit of the medium, at its begin or its end. */
int
send_super(struct sender *s, bool copy, struct err *e)
{
	struct io	*to = s->j->to;
	uint64_t	 size = to->size > s->c->s->sb.size ? to->size :
	    s->c->s->sb.size;
	uint8_t		*b = calloc(1, to->block);
	int		 rc;

	if (b == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	memcpy(b + (copy ? to->block - SUPER_LEN : 0), s->c->super,
	    SUPER_LEN);
	rc = put(s, b, to->block, copy ? size - to->block : 0, e);
	free(b);
	return rc;
}
