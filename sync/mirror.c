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

/* An area from a group on; what comes then counts only where this is
 * complete. */
static int
area_from(struct sender *s, uint32_t i, size_t from, struct err *e)
{
	int	 rc = send_from(s, i, from, e);

	return rc == 0 && s->ahead > 0 ? send_flush(s, e) : rc;
}

/*
 * Areas that are not there at all, from index k on, as the store made them.
 * The one that the copy's head is in is not the first to be written over:
 * then the next one is, and when that is there, nothing rests on this.
 */
static int
new_areas(struct sender *s, const struct front *f, uint32_t k,
    struct err *e)
{
	const uint32_t	*v = s->c->order;
	uint32_t	 i, n = s->c->n;
	bool		 swap = k < n && f->rests && v[k] == f->on;
	int		 rc = 0;

	if (swap && k + 1 == n)
		return err_setx(e, ESTALE, "%s: the mirror is too far behind "
		    "to be extended", s->j->to->name);
	for (i = k; i < n; i++)
		s->of += bytes_from(s->c, v[i], 0);
	if (swap) {
		rc = area_from(s, v[k + 1], 0, e);
		if (rc == 0)
			rc = send_late(s, v[k], e);
		k += 2;
	}
	for (i = k; i < n && rc == 0; i++)
		rc = area_from(s, v[i], 0, e);
	return rc;
}

/* Older ones that are missing: nothing rests on them, nor is it urgent.
 * Of them, the next look sees the begin alone. */
static int
old_areas(struct sender *s, const struct front *f, struct err *e)
{
	const uint32_t	*v = s->c->order;
	uint32_t	 k;
	int		 rc = 0;

	for (k = 0; f->any && k < f->k && rc == 0; k++) {
		if (f->same[k])
			continue;
		s->of += bytes_from(s->c, v[k], 0);
		rc = send_late(s, v[k], e);
	}
	return rc;
}

static int
extend(struct sender *s, const struct front *f, struct err *e)
{
	uint32_t	 i = s->c->order[f->k];
	size_t		 from = 0;
	int		 rc = 0;

	if (f->any &&
	    (rc = send_after(s, i, f->last, f->synced, &from, e)) == 0) {
		s->of += bytes_from(s->c, i, from);
		rc = area_from(s, i, from, e);
	}
	if (rc == 0)
		rc = new_areas(s, f, f->any ? f->k + 1 : 0, e);
	return rc < 0 ? rc : old_areas(s, f, e);
}

/* Believing nothing: all groups that differ. */
static int
mend(struct sender *s, const struct front *f, struct err *e)
{
	const uint32_t	*v = s->c->order;
	uint32_t	 k;
	int		 rc = 0;

	for (k = 0; f->any && k <= f->k && rc == 0; k++) {
		if (!f->same[k])
			continue;
		s->of += bytes_from(s->c, v[k], 0);
		rc = send_differing(s, v[k], e);
		if (rc == 0 && s->ahead > 0)
			rc = send_flush(s, e);
	}
	if (rc == 0)
		rc = new_areas(s, f, f->any ? f->k + 1 : 0, e);
	return rc < 0 ? rc : old_areas(s, f, e);
}

static int
run(struct sender *s, const struct front *f, struct err *e)
{
	int	 rc;

	/* What is there may be so only until the power fails. */
	s->doubt = !f->any || f->synced <= f->last;
	rc = s->j->whole ? mend(s, f, e) : extend(s, f, e);
	if (rc == 0 && !f->super)
		rc = send_super(s, false, e);
	if (rc == 0 && !f->copy)
		rc = send_super(s, true, e);
	if (rc == 0 && (s->doubt || s->ahead > 0 || !f->super || !f->copy))
		rc = send_flush(s, e);		/* COMMIT POINT of a push */
	return rc;
}

static int
check_units(const struct chart *c, const struct io *to, struct err *e)
{
	if (c->s->sb.align % to->block == 0)
		return 0;
	return err_setx(e, EINVAL, "%s: has blocks of %u bytes, the store "
	    "units of %u", to->name, (unsigned)to->block,
	    (unsigned)c->s->sb.align);
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
	if ((rc = check_units(&c, j->to, e)) == 0 &&
	    (rc = front_find(&c, j, &f, e)) == 0) {
		j->was = f.seq;
		if ((rc = run(&s, &f, e)) == 0)
			mirror_now(&c, j->at);
		front_free(&f);
	}
	send_free(&s);
	chart_close(&c);
	return rc;
}
