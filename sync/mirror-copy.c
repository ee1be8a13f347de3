/*
 * mirror-copy.c: a new copy, in order of offsets.
 *
 * A medium that grows gets the superblock first, by which a copy that was
 * cut short is known, and its copy last, which makes it as long as the
 * store.  One that has its size already may hold anything, another life
 * of the store too: that is no store before all of this one is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

struct fill {
	struct sender	 s;
	uint64_t	 good;		/* bytes from the begin on that are
					   there; 0: all is new */
	uint64_t	 since;		/* bytes written since the last flush */
};

/* This waits: behind a write that failed there must not be more than is
 * doubted the next time. */
static int
make_last(struct fill *f, struct err *e)
{
	if (f->since == 0)
		return 0;
	f->since = 0;
	return send_flush(&f->s, e);
}

/* Bytes as they come; every now and then what was sent is made to last. */
static int
put_at(struct fill *f, const uint8_t *p, size_t n, uint64_t off,
    struct err *e)
{
	struct io	*to = f->s.j->to;
	int		 rc = 0;

	if (f->since >= MIRROR_CHUNK)
		rc = make_last(f, e);
	if (rc < 0 || (rc = to->ops->write(to, p, n, off, e)) < 0)
		return rc;
	f->since += n;
	f->s.j->sent += n;
	if (f->s.j->progress != NULL)
		f->s.j->progress(f->s.j->arg, f->s.j->sent, f->s.of);
	return 0;
}

/* One group: in pieces, where that can be. */
static int
fill_group(struct fill *f, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &f->s.c->s->area[area];
	uint64_t		 off = a->rec[first].off;
	size_t			 n, k;
	const uint8_t		*p;
	int			 rc;

	if ((rc = send_load(&f->s, area, first, group_end(a, first),
	    e)) < 0)
		return rc;
	p = f->s.buf.p;
	for (n = f->s.buf.len; n > 0 && rc == 0; n -= k, p += k, off += k) {
		k = n < MIRROR_CHUNK || f->s.j->records ? n : MIRROR_CHUNK;
		rc = put_at(f, p, k, off, e);
	}
	return rc;
}

/* In order, from the group that has the byte at `from`. */
static int
fill_from(struct fill *f, uint32_t area, uint64_t from, struct err *e)
{
	const struct area	*a = &f->s.c->s->area[area];
	size_t			 i = 0, next;
	int			 rc = 0;

	while ((next = group_end(a, i)) < a->nrec &&
	    a->rec[next].off <= from)
		i = next;
	f->s.of += a->end - a->rec[i].off;
	for (; i < a->nrec && rc == 0; i = group_end(a, i))
		rc = fill_group(f, area, i, e);
	return rc;
}

/*
 * An area that was sent before, but for what the store has added since;
 * or another life of it.  What is written now, behind the length that the
 * copy has, nothing but its headers tells of the next time: so, as where
 * a copy is extended.
 */
static int
fill_again(struct fill *f, uint32_t area, struct err *e)
{
	const struct area	*a = &f->s.c->s->area[area];
	uint64_t		 end;
	size_t			 n, from;
	int			 rc;

	if ((rc = front_count(f->s.c, f->s.j->to, area, 0, a->nrec, &n,
	    e)) < 0)
		return rc;
	if (n == 0) {
		f->s.of += a->end - a->rec[0].off;
		return send_late(&f->s, area, e);
	}
	end = n < a->nrec ? a->rec[n].off : a->end;
	if (end >= f->good)
		return fill_from(f, area, f->good, e);
	if ((rc = send_after(&f->s, area, n - 1, 0, &from, e)) < 0)
		return rc;
	if (from < a->nrec)
		f->s.of += a->end - a->rec[from].off;
	rc = send_from(&f->s, area, from, e);
	return rc == 0 && f->s.ahead > 0 ? send_flush(&f->s, e) : rc;
}

static int
fill_area(struct fill *f, uint32_t area, struct err *e)
{
	int	 rc;

	/* So what was not synced is in one area, and at its end. */
	if ((rc = make_last(f, e)) < 0)
		return rc;
	return f->good <= area_off(f->s.c->s, area) ?
	    fill_from(f, area, 0, e) : fill_again(f, area, e);
}

/* --- over a medium that is not empty */

/*
 * No record of this store may be left behind those that are copied: it
 * would go on with them, or tell of damage.
 */
static int
scrub(struct fill *f, uint32_t area, struct err *e)
{
	struct store	*s = f->s.c->s;
	struct io	*to = f->s.j->to;
	uint64_t	 off = s->area[area].state == AREA_GOOD ?
	    s->area[area].end : area_off(s, area);
	uint64_t	 end = area_off(s, area) + s->sb.area;
	uint8_t		*buf = malloc(MIRROR_CHUNK);
	struct rec	 r;
	size_t		 n, i;
	int		 rc = 0;

	if (buf == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	for (; off < end && rc == 0; off += n) {
		n = end - off < MIRROR_CHUNK ? (size_t)(end - off) :
		    MIRROR_CHUNK;
		rc = to->ops->read(to, buf, n, off, e);
		for (i = 0; i < n && rc == 0; i += s->sb.align) {
			if (!rec_get(buf + i, s->sb.id, off + i, end, &r))
				continue;
			memset(buf + i, 0, s->sb.align);
			rc = to->ops->write(to, buf + i, s->sb.align, off + i,
			    e);
		}
	}
	free(buf);
	return rc;
}

static int
no_supers(struct io *to, struct err *e)
{
	uint8_t	*zero = calloc(1, to->block);
	int	 rc;

	if (zero == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	rc = to->ops->write(to, zero, to->block, to->size - to->block, e);
	if (rc == 0)
		rc = to->ops->write(to, zero, to->block, 0, e);
	free(zero);
	return rc < 0 ? rc : to->ops->flush(to, e);
}

static int
fill_over(struct fill *f, struct err *e)
{
	struct store	*s = f->s.c->s;
	uint32_t	 i;
	int		 rc = no_supers(f->s.j->to, e);

	for (i = 0; i < s->sb.areas && rc == 0; i++) {
		if ((rc = scrub(f, i, e)) == 0 &&
		    s->area[i].state == AREA_GOOD)
			rc = fill_area(f, i, e);
	}
	if (rc < 0 || (rc = send_flush(&f->s, e)) < 0 ||
	    (rc = send_super(&f->s, true, e)) < 0)
		return rc;
	return send_super(&f->s, false, e);
}

/* --- one that grows */

static int
fill_new(struct fill *f, struct err *e)
{
	struct store	*s = f->s.c->s;
	uint32_t	 i;
	int		 rc = send_super(&f->s, false, e);

	for (i = 0; i < s->sb.areas && rc == 0; i++)
		if (s->area[i].state == AREA_GOOD)
			rc = fill_area(f, i, e);
	/* Last: a copy is as long as the store when all is there. */
	if (rc < 0 || (rc = make_last(f, e)) < 0)
		return rc;
	return send_super(&f->s, true, e);
}

static uint64_t
longest(const struct chart *c)
{
	const struct area	*a;
	uint64_t		 n = 0, len;
	uint32_t		 k;
	size_t			 i;

	for (k = 0; k < c->n; k++) {
		a = &c->s->area[c->order[k]];
		for (i = 0; i < a->nrec; i = group_end(a, i)) {
			len = (group_end(a, i) < a->nrec ?
			    a->rec[group_end(a, i)].off : a->end) -
			    a->rec[i].off;
			if (len > n)
				n = len;
		}
	}
	return n;
}

int
mirror_fill(struct mirror_job *j, uint64_t have, struct err *e)
{
	struct fill	 f = { .s = { .j = j } };
	struct chart	 c;
	uint64_t	 margin;	/* bytes that may not have been synced */
	bool		 over;
	int		 rc;

	j->sent = j->was = 0;
	if ((rc = chart_open(&c, j->from, e)) < 0)
		return rc;
	f.s.c = &c;
	margin = 2 * MIRROR_CHUNK + (j->records ? longest(&c) : 0);
	f.good = have > margin ? have - margin : 0;
	f.s.doubt = true;
	over = have == 0 && !j->records && j->to->size >= c.s->sb.size;
	if (c.s->sb.align % j->to->block != 0)
		rc = err_setx(e, EINVAL, "%s: its blocks are too large",
		    j->to->name);
	else if ((rc = over ? fill_over(&f, e) : fill_new(&f, e)) == 0)
		rc = send_flush(&f.s, e);
	if (rc == 0)
		mirror_now(&c, j->at);
	send_free(&f.s);
	chart_close(&c);
	return rc;
}
