/*
 * mirror-scan.c: what a store has that is worth copying.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

void
chart_close(struct chart *c)
{
	store_close(c->s);
	free(c->order);
	memset(c, 0, sizeof(*c));
}

/* Read an area whose records are not known yet; what does not hold is
 * not copied. */
static int
load(struct store *s, uint32_t i, struct err *e)
{
	struct ents	 ov = { NULL, 0, 0 };
	int		 rc;

	if (s->area[i].state != AREA_GOOD || s->area[i].loaded)
		return 0;
	rc = area_load(s, i, &ov, e);
	ents_free(&ov);
	if (rc == -EBADMSG || rc == -EIO) {
		s->area[i].state = AREA_BAD;
		return 0;
	}
	return rc;
}

static void
insert(struct chart *c, uint32_t i)
{
	uint32_t	 k;

	for (k = c->n++; k > 0 &&
	    c->s->area[c->order[k - 1]].gen > c->s->area[i].gen; k--)
		c->order[k] = c->order[k - 1];
	c->order[k] = i;
}

/* The superblock as it stands there: of a later program, it may say more
 * than this one knows. */
static int
load_super(struct chart *c, struct io *io, struct err *e)
{
	uint64_t	 off = super_good(io, false) ? 0 :
	    io->size - SUPER_LEN;

	return io->ops->read(io, c->super, SUPER_LEN, off, e);
}

int
chart_open(struct chart *c, struct io *io, struct err *e)
{
	uint32_t	 i;
	int		 rc;

	memset(c, 0, sizeof(*c));
	if ((rc = store_open(&c->s, io, e)) < 0)
		return rc;
	c->order = calloc(c->s->sb.areas, sizeof(*c->order));
	rc = c->order == NULL ? err_set(e, ENOMEM, "%s", io->name) :
	    load_super(c, io, e);
	for (i = 0; rc == 0 && i < c->s->sb.areas; i++)
		if ((rc = load(c->s, i, e)) == 0 &&
		    c->s->area[i].state == AREA_GOOD)
			insert(c, i);
	if (rc == 0)		/* the head's area is among them */
		c->gen = c->s->area[c->order[c->n - 1]].gen;
	else
		chart_close(c);
	return rc;
}

void
mirror_now(const struct chart *c, struct mirror_at *at)
{
	const struct area	*a = &c->s->area[c->order[c->n - 1]];
	const struct rec	*r = &a->rec[a->nrec - 1];

	*at = (struct mirror_at){ c->s->sb.id, r->seq, r->off, r->sum };
}

uint64_t
rec_base(const struct rec *r)
{
	return r->type == REC_WHOLE && r->seq > 0 ? r->seq - 1 : r->seq;
}

uint64_t
rec_len(const struct rec *r)
{
	return REC_LEN + (uint64_t)r->metalen + r->datalen;
}

bool
rec_is(const struct rec *r, const uint8_t buf[REC_LEN], uint64_t id)
{
	struct rec	 copy = *r;
	uint8_t		 mine[REC_LEN];

	rec_put(mine, &copy, id);
	return memcmp(mine, buf, REC_LEN) == 0;
}

size_t
group_end(const struct area *a, size_t first)
{
	return first == 0 && a->nrec > 1 &&
	    (a->rec[1].flags & REC_FIRST) != 0 ? 2 : first + 1;
}
