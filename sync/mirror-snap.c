/*
 * mirror-snap.c: a store's records in memory, while somebody may commit.
 *
 * A commit that goes to a fresh area writes over the oldest.  What of
 * that was read before and after can't be told apart by its place, but by
 * its checksums.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

#define TRIES	5
#define ROTTEN	3		/* read so often, damage is no commit */

struct snap {
	struct sender	 s;
	size_t		 rotten;	/* records that are not whole */
};

static int
drop_area(struct snap *n, uint32_t area, struct err *e)
{
	struct io	*to = n->s.j->to;
	uint8_t		 zero[SUPER_LEN];

	memset(zero, 0, sizeof(zero));
	return to->ops->write(to, zero, sizeof(zero),
	    area_off(n->s.c->s, area), e);
}

static int
snap_area(struct snap *n, uint32_t area, struct err *e)
{
	const struct store	*s = n->s.c->s;
	const struct area	*a = &s->area[area];
	struct io		*to = n->s.j->to, *from = n->s.j->from;
	uint8_t			 now[REC_LEN];
	size_t			 i, bad = 0;
	int			 rc = 0;

	for (i = 0; i < a->nrec && rc == 0; i = group_end(a, i)) {
		if ((rc = send_load(&n->s, area, i, group_end(a, i), e)) < 0)
			break;
		bad += n->s.rotten;
		rc = to->ops->write(to, n->s.buf.p, n->s.buf.len,
		    a->rec[i].off, e);
	}
	if (rc < 0)
		return rc;
	rc = from->ops->read(from, now, REC_LEN, a->rec[0].off, e);
	if (rc == 0 && !rec_is(&a->rec[0], now, s->sb.id))
		return drop_area(n, area, e);	/* it has another life */
	n->rotten += bad;
	return rc;
}

static int
snap_all(struct snap *n, struct err *e)
{
	uint32_t	 k;
	int		 rc;

	n->rotten = 0;
	if ((rc = send_super(&n->s, false, e)) < 0 ||
	    (rc = send_super(&n->s, true, e)) < 0)
		return rc;
	for (k = 0; k < n->s.c->n && rc == 0; k++)
		rc = snap_area(n, n->s.c->order[k], e);
	return rc;
}

/* Whether the snapshot has what was there at the begin. */
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

/* One try; *done: it is good. */
static int
try(struct snap *n, struct io **snap, bool last, bool *done, struct err *e)
{
	struct chart	 c;
	int		 rc;

	if ((rc = chart_open(&c, n->s.j->from, e)) < 0)
		return rc;
	n->s.c = &c;
	rc = io_mem(snap, c.s->sb.size, SUPER_LEN, e);
	n->s.j->to = *snap;
	if (rc == 0 && (rc = snap_all(n, e)) == 0)
		*done = (n->rotten == 0 || last) && holds(*snap, c.s->seq);
	chart_close(&c);
	return rc;
}

int
mirror_snapshot(struct io **snap, struct io *from, struct err *e)
{
	struct mirror_job	 j = { .from = from };
	struct snap		 n = { .s = { .j = &j } };
	bool			 done = false;
	int			 i, rc = 0;

	*snap = NULL;
	for (i = 1; i <= TRIES && rc == 0 && !done; i++) {
		io_close(*snap);
		*snap = NULL;
		rc = try(&n, snap, i >= ROTTEN, &done, e);
	}
	send_free(&n.s);
	if (rc == 0 && !done)
		rc = err_setx(e, EAGAIN, "%s: changes all the time",
		    from->name);
	if (rc < 0) {
		io_close(*snap);
		*snap = NULL;
	}
	return rc;
}
