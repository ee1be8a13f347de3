/*
 * mirror.c: extending a copy of a store.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

/* Bytes of all groups of an area from `from` on. */
static uint64_t
bytes_from(const struct chart *c, uint32_t area, size_t from)
{
	const struct area	*a = &c->s->area[area];

	return from >= a->nrec ? 0 : a->end - a->rec[from].off;
}

/*
 * Where the copy's newest area goes on: behind its last record, if that is
 * known to be whole.  Else any of those that were under way together may be
 * there in part, whatever its header says.  *from is the begin of a group.
 */
static int
go_on(struct sender *s, const struct front *f, size_t *from, struct err *e)
{
	uint32_t		 k = s->c->order[f->k];
	const struct area	*a = &s->c->s->area[k];
	size_t			 i = f->last < MIRROR_AHEAD ? 0 :
	    group_first(a, f->last - (MIRROR_AHEAD - 1));
	int			 rc = 1;

	if (f->sure) {
		*from = f->last + 1;
		return 0;
	}
	while (i <= f->last && (rc = group_same(s, k, i, e)) == 1)
		i = group_end(a, i);
	*from = i;
	return rc < 0 ? rc : 0;
}

/* An area that is not there, newer than all that are. */
static int
whole_area(struct sender *s, uint32_t i, struct err *e)
{
	int	 rc = send_from(s, i, 0, e);

	/* What comes next counts only where this is complete. */
	return rc < 0 ? rc : send_flush(s, e);
}

/*
 * No area is the same: the store has gone round.  The one with the copy's
 * newest generation must not be the first that is overwritten.
 */
static int
all_areas(struct sender *s, const struct front *f, struct err *e)
{
	const uint32_t	*v = s->c->order;
	uint32_t	 k, n = s->c->n;
	bool		 swap = f->has && v[0] == f->newest;
	int		 rc = 0;

	if (swap && n == 1)
		return err_setx(e, ESTALE, "%s: the mirror is too far behind "
		    "to be extended", s->j->to->name);
	for (k = 0; k < n; k++)
		s->of += bytes_from(s->c, v[k], 0);
	if (swap && (rc = whole_area(s, v[1], e)) == 0)
		rc = send_older(s, v[0], e);
	for (k = swap ? 2 : 0; k < n && rc == 0; k++)
		rc = whole_area(s, v[k], e);
	return rc;
}

static int
extend(struct sender *s, const struct front *f, struct err *e)
{
	const uint32_t	*v = s->c->order;
	size_t		 from = 0;
	uint32_t	 k;
	int		 rc = 0;

	if (!f->any)
		return all_areas(s, f, e);
	for (k = 0; k < s->c->n; k++)
		if (k > f->k || !f->same[k])
			s->of += bytes_from(s->c, v[k], 0);
	/* Older ones that are missing: nothing rests on them. */
	for (k = 0; k < f->k && rc == 0; k++)
		if (!f->same[k])
			rc = send_older(s, v[k], e);
	if (rc < 0 || (rc = go_on(s, f, &from, e)) < 0)
		return rc;
	s->of += bytes_from(s->c, v[f->k], from);
	if ((rc = send_from(s, v[f->k], from, e)) < 0)
		return rc;
	if (f->k + 1 < s->c->n && s->ahead > 0)
		rc = send_flush(s, e);
	for (k = f->k + 1; k < s->c->n && rc == 0; k++)
		rc = whole_area(s, v[k], e);
	return rc;
}

/* Believing nothing: all groups that differ, and both superblocks. */
static int
compare_all(struct sender *s, const struct front *f, struct err *e)
{
	const uint32_t	*v = s->c->order;
	uint32_t	 k;
	int		 rc = 0;

	if (!f->any)
		return all_areas(s, f, e);
	for (k = 0; k < s->c->n && rc == 0; k++) {
		s->of += bytes_from(s->c, v[k], 0);
		rc = f->same[k] ? send_differing(s, v[k], e) :
		    k < f->k ? send_older(s, v[k], e) :
		    send_from(s, v[k], 0, e);
		if (rc == 0 && s->ahead > 0)
			rc = send_flush(s, e);
	}
	return rc;
}

/* The generation that the copy has, as far as was looked. */
static uint64_t
generation(const struct chart *c, const struct front *f)
{
	return f->any ? c->s->area[c->order[f->k]].rec[f->last].seq : 0;
}

int
mirror_update(struct mirror_job *j, struct err *e)
{
	struct sender	 s = { .j = j };
	struct chart	 c;
	struct front	 f;
	int		 rc;

	j->sent = j->was = 0;
	if ((rc = chart_open(&c, j->from, e)) < 0)
		return rc;
	s.c = &c;
	if ((rc = front_find(&c, j, &f, e)) < 0)
		goto out;
	j->was = generation(&c, &f);
	rc = j->whole ? compare_all(&s, &f, e) : extend(&s, &f, e);
	if (rc == 0 && !f.super)
		rc = send_super(&s, false, e);
	if (rc == 0 && !f.copy)
		rc = send_super(&s, true, e);
	/* Nothing was sent: but was what is there ever flushed? */
	if (rc == 0 && (s.ahead > 0 || (j->sent == 0 && !f.sure)))
		rc = send_flush(&s, e);		/* COMMIT POINT of a push */
	if (rc == 0)
		mirror_now(&c, j->at);
	front_free(&f);
out:
	send_free(&s);
	chart_close(&c);
	return rc;
}
