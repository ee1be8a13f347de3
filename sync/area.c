/*
 * area.c: reading an area, a checkpoint followed by commits.
 *
 * The records that hold are those of an unbroken chain from the first:
 * each of this area's life, numbered one up, and naming the checksum of
 * the one before.  Behind them lies what the area held in an earlier
 * life, or a write that a power cut tore.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "store-int.h"
#include "z.h"

#define WIN_LEN		65536u	/* bytes read ahead, where one by one, */
#define WIN_LEAST	4096u	/* and after a jump */
#define CHUNK		65536u

uint64_t
area_off(const struct store *s, uint32_t area)
{
	return s->sb.first + area * s->sb.area;
}

static uint64_t
area_end(const struct store *s, uint32_t area)
{
	return area_off(s, area) + s->sb.area;
}

int
win_read(struct store *s, void *p, size_t n, uint64_t off, struct err *e)
{
	uint64_t	 from;
	size_t		 len;
	int		 rc;

	if (n > WIN_LEN / 2)
		return s->io->ops->read(s->io, p, n, off, e);
	if (off < s->winoff || off + n > s->winoff + s->winlen) {
		from = off & ~(uint64_t)(SUPER_LEN - 1);
		/* Going on where the window ends? */
		len = off >= s->winoff && off - s->winoff <=
		    s->winlen + WIN_LEAST ? WIN_LEN : WIN_LEAST;
		if (n > len - SUPER_LEN)
			len = WIN_LEN;
		if (from > s->io->size || off + n > s->io->size)
			return err_set(e, EIO, "read %s", s->io->name);
		if (len > s->io->size - from)
			len = (size_t)(s->io->size - from);
		s->winlen = 0;
		rc = s->io->ops->read(s->io, s->win, len, from, e);
		if (rc < 0)	/* perhaps only what is not needed is bad */
			return s->io->ops->read(s->io, p, n, off, e);
		s->winoff = from;
		s->winlen = len;
	}
	memcpy(p, s->win + (off - s->winoff), n);
	return 0;
}

void
area_reset(struct area *a)
{
	free(a->rec);
	free(a->blobs.v);
	memset(a, 0, sizeof(*a));
}

/* The header at off: 1 with *r, 0 where there is none, or -errno. */
static int
header_at(struct store *s, uint32_t area, uint64_t off, struct rec *r,
    struct err *e)
{
	uint8_t	 buf[REC_LEN];
	int	 rc;

	if (off >= area_end(s, area) || area_end(s, area) - off < REC_LEN)
		return 0;
	if ((rc = win_read(s, buf, sizeof(buf), off, e)) < 0)
		return rc;
	return rec_get(buf, s->sb.id, off, area_end(s, area), r) ? 1 : 0;
}

int
area_head(struct store *s, uint32_t area, struct rec *r, struct err *e)
{
	struct area	*a = &s->area[area];
	uint8_t		 buf[SUPER_LEN];
	size_t		 i;
	int		 rc;

	area_reset(a);
	a->state = AREA_BAD;
	if ((rc = win_read(s, buf, sizeof(buf), area_off(s, area), e)) < 0)
		return rc;
	if (rec_get(buf, s->sb.id, area_off(s, area), area_end(s, area), r) &&
	    (r->type == REC_CHECK || r->type == REC_WHOLE) &&
	    r->life == r->nonce) {
		a->state = AREA_GOOD;
		a->gen = r->gen;
		a->life = r->life;
		a->first = r->seq;
		a->whole = r->type == REC_WHOLE;
		return 0;
	}
	for (i = 0; i < sizeof(buf) && buf[i] == 0; i++)
		;
	if (i == sizeof(buf))
		a->state = AREA_BLANK;
	return 0;
}

uint64_t
area_scan(struct store *s, uint32_t area, uint64_t from, uint32_t gen,
    uint64_t life, uint32_t *top)
{
	uint64_t	 end = area_end(s, area), seq = 0;
	struct rec	 r;

	if (end - from > SCAN_MAX)
		end = from + SCAN_MAX;
	while (from < end) {
		/* What can't be read can't vouch for anything. */
		if (header_at(s, area, from, &r, NULL) != 1 ||
		    (life != 0 ? r.life != life : r.gen <= gen)) {
			from += s->sb.align;
			continue;
		}
		if (r.gen > *top)
			*top = r.gen;
		/* Only what follows a flush proves that there was one. */
		if ((r.type == REC_COMMIT || r.type == REC_NOTE) &&
		    (r.flags & REC_FIRST) == 0 &&
		    r.seq > seq)
			seq = r.seq;
		from += rec_size(&r, s->sb.align);
	}
	return seq;
}

int
area_data(struct store *s, const struct rec *r, struct err *e)
{
	uint64_t	 off = r->off + REC_LEN + r->metalen, left = r->datalen;
	uint32_t	 sum = 0;
	uint8_t		*buf;
	size_t		 n;
	int		 rc = 0;

	if (left == 0)
		return r->datasum == 0 ? 0 : -EBADMSG;
	if ((buf = malloc(CHUNK)) == NULL)
		return err_set(e, ENOMEM, "%s", s->io->name);
	for (; left > 0 && rc == 0; left -= n, off += n) {
		n = left < CHUNK ? (size_t)left : CHUNK;
		if ((rc = win_read(s, buf, n, off, e)) < 0)
			break;
		rec_mask(r, buf, n, off);
		sum = crc32c(sum, buf, n);
	}
	free(buf);
	return rc < 0 ? rc : sum == r->datasum ? 0 : -EBADMSG;
}

/* The raw meta of a record: a new buffer in *raw. */
static int
load_meta(struct store *s, const struct rec *r, uint8_t **raw, struct err *e)
{
	uint8_t	*p;
	int	 rc;

	*raw = NULL;
	if ((p = malloc((size_t)r->metalen + 1)) == NULL)
		return err_set(e, ENOMEM, "%s", s->io->name);
	if ((rc = win_read(s, p, r->metalen, r->off + REC_LEN, e)) < 0)
		goto out;
	rec_mask(r, p, r->metalen, r->off + REC_LEN);
	rc = -EBADMSG;
	if (crc32c(0, p, r->metalen) != r->metasum)
		goto out;
	if ((r->flags & REC_PACKED) == 0) {
		*raw = p;
		return 0;
	}
	if (r->rawlen / 1032 > r->metalen)
		goto out;
	rc = -ENOMEM;
	if ((*raw = malloc((size_t)r->rawlen + 1)) == NULL)
		goto out;
	rc = z_unpack(*raw, r->rawlen, p, r->metalen, NULL, 0);
out:
	free(p);
	if (rc < 0) {
		free(*raw);
		*raw = NULL;
	}
	return rc;
}

/* As area_meta(), for a record that need not be among a->rec yet. */
static int
read_meta(struct store *s, uint32_t area, const struct rec *r,
    const struct ents *before, struct meta *m, struct err *e)
{
	struct area	*a = &s->area[area];
	uint64_t	 data = r->off + REC_LEN + r->metalen;
	uint8_t		*raw;
	int		 rc;

	if ((rc = load_meta(s, r, &raw, e)) == 0)
		rc = meta_get((struct rd){ raw, r->rawlen, false }, r->type,
		    before, area, data, data + r->datalen, &a->blobs, r->blob,
		    m);
	free(raw);
	if (rc == -EBADMSG || rc == -ENOMEM)
		return err_set(e, -rc, "%s: generation %" PRIu64,
		    s->io->name, r->seq);
	return rc;
}

int
area_meta(struct store *s, uint32_t area, size_t i,
    const struct ents *before, struct meta *m, struct err *e)
{
	return read_meta(s, area, &s->area[area].rec[i], before, m, e);
}

int
area_step(struct store *s, uint32_t area, size_t i, struct ents *ov,
    struct err *e)
{
	const struct rec	*r = &s->area[area].rec[i];
	const char		*bad;
	struct meta		 m;
	int			 rc;

	if (r->type > REC_NOTE)
		return 0;
	if ((rc = area_meta(s, area, i, ov, &m, e)) < 0)
		return rc;
	if ((rc = overlay_apply(ov, &m.s, &bad)) < 0)
		rc = err_set(e, rc == -EINVAL ? EBADMSG : -rc,
		    "%s: generation %" PRIu64, s->io->name, r->seq);
	meta_free(&m);
	return rc;
}

int
area_append(struct area *a, const struct rec *r)
{
	struct rec	*v;

	/* Powers of two are where there is no more room. */
	if ((a->nrec & (a->nrec - 1)) == 0) {
		v = realloc(a->rec, (a->nrec == 0 ? 1 : a->nrec * 2) *
		    sizeof(*v));
		if (v == NULL)
			return -ENOMEM;
		a->rec = v;
	}
	a->rec[a->nrec++] = *r;
	return 0;
}

/* Whether r follows the last of the area's records. */
static bool
follows(const struct area *a, const struct rec *r)
{
	const struct rec	*last;

	if (a->nrec == 0)
		return (r->type == REC_CHECK || r->type == REC_WHOLE) &&
		    r->life == r->nonce && r->life == a->life;
	last = &a->rec[a->nrec - 1];
	if (r->gen != last->gen || r->life != last->life ||
	    r->parent != last->sum)
		return false;
	return r->type >= REC_SKIP ? r->seq == last->seq :
	    r->type == REC_COMMIT && r->seq == last->seq + 1;
}

/* The chain of headers. */
static int
walk(struct store *s, uint32_t area, struct err *e)
{
	struct area	*a = &s->area[area];
	struct rec	 r;
	int		 rc;

	a->end = area_off(s, area);
	while ((rc = header_at(s, area, a->end, &r, e)) == 1) {
		if (!follows(a, &r))
			break;
		if ((rc = area_append(a, &r)) < 0)
			return err_set(e, ENOMEM, "%s", s->io->name);
		a->end += rec_size(&r, s->sb.align);
	}
	return rc < 0 ? rc : 0;
}

/* Whether record i is whole, contents too. */
static int
whole(struct store *s, const struct rec *r, struct err *e)
{
	uint8_t	*raw;
	int	 rc;

	if ((rc = load_meta(s, r, &raw, e)) == 0)
		rc = area_data(s, r, e);
	free(raw);
	return rc;
}

/*
 * Take off the end what a cut may have torn: the last write, which was
 * one record, or a first record and one more.
 */
static int
trim(struct store *s, struct area *a, struct err *e)
{
	size_t	 least = a->nrec;
	int	 rc;

	if (least > 0)
		least--;
	if (least == 1 && (a->rec[1].flags & REC_FIRST) != 0)
		least = 0;
	/* From the front: a bad first record takes the second along. */
	for (; least < a->nrec; least++) {
		rc = whole(s, &a->rec[least], e);
		if (rc == 0)
			continue;
		if (rc != -EBADMSG && rc != -EIO)
			return rc;
		if (rc == -EIO)
			a->lost = a->rec[a->nrec - 1].seq;
		a->cut = a->rec[least].seq;
		a->end = a->rec[least].off;
		a->nrec = least;
	}
	return 0;
}

static void
cut(struct area *a, size_t n)
{
	if (a->lost == 0)
		a->lost = a->rec[a->nrec - 1].seq;
	a->end = a->rec[n].off;
	a->blobs.n = a->rec[n].blob;
	a->nrec = n;
}

int
area_load(struct store *s, uint32_t area, struct ents *ov, struct err *e)
{
	struct area	*a = &s->area[area];
	uint64_t	 seq, end;
	size_t		 i;
	int		 rc;

	a->nrec = 0;
	a->blobs.n = 0;
	a->lost = 0;
	a->cut = 0;
	a->loaded = false;
	if ((rc = walk(s, area, e)) < 0 && rc != -EIO)
		return rc;
	if (rc == -EIO)		/* what lies there may be more than torn */
		a->lost = a->nrec > 0 ? a->rec[a->nrec - 1].seq + 1 :
		    a->first + 1;
	end = a->end;
	if ((rc = trim(s, a, e)) < 0)
		return rc;
	/* A torn record's own header proves nothing; what is behind does. */
	seq = area_scan(s, area, a->end + (a->end < end ? s->sb.align : 0), 0,
	    a->life, &s->maxgen);
	if (seq != 0)
		a->lost = seq;
	for (i = 0; i < a->nrec; i++) {
		a->rec[i].blob = a->blobs.n;
		if ((rc = area_step(s, area, i, ov, e)) == 0)
			continue;
		if (rc != -EBADMSG && rc != -EIO)
			return rc;
		cut(a, i);
	}
	a->loaded = true;
	return a->nrec > 0 ? 0 : -EBADMSG;
}
