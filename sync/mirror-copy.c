/*
 * mirror-copy.c: a new copy, in order of offsets; and one in memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

#define TRIES	5

/* --- a new copy */

struct fill {
	struct sender	 s;
	uint64_t	 good;		/* bytes from the begin on that are there */
	uint64_t	 have;		/* and may be there; 0: not resumed */
	uint64_t	 since;		/* bytes written since the last flush */
};

/*
 * Bytes as they come; every now and then what was sent is made to last, and
 * waited for: of a write that failed, too, more must not be behind it.
 */
static int
put_at(struct fill *f, const uint8_t *p, size_t n, uint64_t off,
    struct err *e)
{
	struct io	*to = f->s.j->to;
	int		 rc;

	/* What is changed within will count as there the next time. */
	if (f->since >= MIRROR_CHUNK || (f->since > 0 && off < f->have)) {
		f->since = 0;
		if ((rc = to->ops->flush(to, e)) < 0)
			return rc;
	}
	if ((rc = to->ops->write(to, p, n, off, e)) < 0)
		return rc;
	f->since += n;
	f->s.j->sent += n;
	if (f->s.j->progress != NULL)
		f->s.j->progress(f->s.j->arg, f->s.j->sent, f->s.of);
	return 0;
}

/* One group from `off` on: in pieces, where that can be. */
static int
fill_group(struct fill *f, uint32_t area, size_t first, uint64_t skip,
    struct err *e)
{
	const struct area	*a = &f->s.c->s->area[area];
	uint64_t		 off = a->rec[first].off;
	size_t			 n, k;
	const uint8_t		*p;
	int			 rc;

	if ((rc = send_load(&f->s, area, first, e)) < 0)
		return rc;
	p = f->s.buf.p;
	for (n = send_len(&f->s, area, first); n > 0 && rc == 0; n -= k, p += k, off += k) {
		k = n < MIRROR_CHUNK || f->s.j->records ? n : MIRROR_CHUNK;
		if (off + k > skip)
			rc = put_at(f, p, k, off, e);
	}
	return rc;
}

/*
 * An area's records that were not sent before: by what is told to be
 * there, and by the headers, as the store may have gone on.  The last one
 * may be of a second try that was cut short, and be there in part.
 */
static int
fill_area(struct fill *f, uint32_t area, struct err *e)
{
	const struct area	*a = &f->s.c->s->area[area];
	uint64_t		 skip = 0;
	size_t			 i, n = 0;
	int			 rc = 0;

	if (f->good > 0 && (rc = front_count(f->s.c, f->s.j->to, area, &n,
	    e)) < 0)
		return rc;
	if (n > 0) {
		skip = a->rec[group_first(a, n - 1)].off;
		if (skip > f->good)
			skip = f->good;
	}
	for (i = 0; i < a->nrec && rc == 0; i = group_end(a, i))
		rc = fill_group(f, area, i, skip, e);
	return rc;
}

/*
 * What another life of the store left where this one would go on: the
 * header of each record that follows.
 */
static int
blank(struct fill *f, uint32_t area, struct err *e)
{
	struct store		*s = f->s.c->s;
	const struct area	*a = &s->area[area];
	struct io		*to = f->s.j->to;
	uint64_t		 end = area_off(s, area) + s->sb.area;
	uint64_t		 off = a->state == AREA_GOOD ? a->end :
	    area_off(s, area);
	uint8_t			 head[REC_LEN], *zero;
	struct rec		 r = { .metalen = 0 };
	bool			 more = true;
	int			 rc = 0;

	if ((zero = calloc(1, s->sb.align)) == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	while (rc == 0 && more && end - off >= s->sb.align) {
		if ((rc = to->ops->read(to, head, REC_LEN, off, e)) < 0)
			break;
		more = rec_get(head, s->sb.id, off, end, &r);
		rc = to->ops->write(to, zero, s->sb.align, off, e);
		if (more)
			off += rec_size(&r, s->sb.align);
	}
	free(zero);
	return rc;
}

static int
fill_all(struct fill *f, struct err *e)
{
	struct store	*s = f->s.c->s;
	bool		 used = f->good == 0 && !f->s.j->records &&
	    f->s.j->to->size >= s->sb.size;
	uint32_t	 i;
	int		 rc;

	if ((rc = send_super(&f->s, false, e)) < 0)
		return rc;
	for (i = 0; i < s->sb.areas && rc == 0; i++) {
		if (used)
			rc = blank(f, i, e);
		if (rc == 0 && s->area[i].state == AREA_GOOD)
			rc = fill_area(f, i, e);
	}
	/* Last: a copy is as long as the store when all is there. */
	return rc < 0 ? rc : send_super(&f->s, true, e);
}

static uint64_t
longest(const struct chart *c)
{
	const struct area	*a;
	uint64_t		 n = 0;
	uint32_t		 k;
	size_t			 i;

	for (k = 0; k < c->n; k++) {
		a = &c->s->area[c->order[k]];
		for (i = 0; i < a->nrec; i++)
			if (rec_size(&a->rec[i], c->s->sb.align) > n)
				n = rec_size(&a->rec[i], c->s->sb.align);
	}
	return n;
}

int
mirror_fill(struct mirror_job *j, uint64_t have, struct err *e)
{
	struct fill	 f = { .s = { .j = j } };
	struct chart	 c;
	uint64_t	 margin;
	uint32_t	 i;
	int		 rc;

	j->sent = j->was = 0;
	if ((rc = chart_open(&c, j->from, e)) < 0)
		return rc;
	f.s.c = &c;
	margin = 2 * MIRROR_CHUNK + (j->records ? longest(&c) : 0);
	f.good = have > margin ? have - margin : 0;
	f.have = f.good > 0 ? have : 0;
	for (i = 0; i < c.n; i++)
		f.s.of += c.s->area[c.order[i]].end -
		    area_off(c.s, c.order[i]);
	if ((rc = fill_all(&f, e)) == 0)
		rc = send_flush(&f.s, e);
	if (rc == 0)
		mirror_now(&c, j->at);
	send_free(&f.s);
	chart_close(&c);
	return rc;
}

/* --- one in memory */

static int
snap_area(struct sender *s, uint32_t area, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	struct rec		 r = a->rec[0];
	uint8_t			 mine[REC_LEN], now[REC_LEN];
	struct io		*to = s->j->to;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; i < a->nrec && rc == 0; i = group_end(a, i))
		if ((rc = send_load(s, area, i, e)) == 0)
			rc = to->ops->write(to, s->buf.p, s->buf.len,
			    a->rec[i].off, e);
	if (rc < 0)
		return rc;
	/* Had it been written over meanwhile, its begin were another. */
	rec_put(mine, &r, s->c->s->sb.id);
	rc = s->j->from->ops->read(s->j->from, now, REC_LEN, r.off, e);
	if (rc == 0 && memcmp(mine, now, REC_LEN) != 0) {
		memset(s->buf.p, 0, to->block);
		rc = to->ops->write(to, s->buf.p, to->block, r.off, e);
	}
	return rc;
}

static int
snap_all(struct sender *s, struct err *e)
{
	uint32_t	 k;
	int		 rc;

	if ((rc = send_super(s, false, e)) < 0 ||
	    (rc = send_super(s, true, e)) < 0)
		return rc;
	for (k = 0; k < s->c->n && rc == 0; k++)
		rc = snap_area(s, s->c->order[k], e);
	return rc;
}

/* Whether the copy has what was there at the begin. */
static bool
holds(struct io *snap, uint64_t seq)
{
	struct store	*s;
	struct err	 ignored;
	bool		 yes;

	if (store_open(&s, snap, &ignored) < 0)
		return false;
	yes = store_head(s) >= seq;
	store_close(s);
	return yes;
}

int
mirror_snapshot(struct io **snap, struct io *from, struct err *e)
{
	struct mirror_job	 j = { .from = from };
	struct sender		 s = { .j = &j };
	struct chart		 c;
	bool			 done = false;
	int			 i, rc = 0;

	*snap = NULL;
	for (i = 0; i < TRIES && rc == 0 && !done; i++) {
		io_close(*snap);
		*snap = NULL;
		if ((rc = chart_open(&c, from, e)) < 0)
			break;
		s.c = &c;
		rc = io_mem(snap, c.s->sb.size, 512, e);
		j.to = *snap;
		if (rc == 0 && (rc = snap_all(&s, e)) == 0)
			done = holds(*snap, c.s->seq);
		chart_close(&c);
	}
	send_free(&s);
	if (rc == 0 && !done)
		rc = err_setx(e, EAGAIN, "%s: changes all the time",
		    from->name);
	if (rc < 0) {
		io_close(*snap);
		*snap = NULL;
	}
	return rc;
}
