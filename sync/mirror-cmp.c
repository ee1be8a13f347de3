/*
 * mirror-cmp.c: comparing a copy with the store, byte by byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mirror-int.h"

struct cmp {
	struct sender	 s;
	void		(*fn)(void *, const char *);
	void		*arg;
	int		 faults;
};

static void	fault(struct cmp *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));

static void
fault(struct cmp *c, const char *fmt, ...)
{
	char	 line[128];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	c->faults++;
	if (c->fn != NULL)
		c->fn(c->arg, line);
}

/* The first n records of an area. */
static int
cmp_area(struct cmp *c, uint32_t area, size_t n, struct err *e)
{
	const struct area	*a = &c->s.c->s->area[area];
	struct mirror_job	*j = c->s.j;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; i < n && rc >= 0; i = group_end(a, i)) {
		if ((rc = group_same(&c->s, area, i, e)) == 0)
			fault(c, "generation %" PRIu64 " differs",
			    a->rec[group_end(a, i) - 1].seq);
		if (j->progress != NULL)
			j->progress(j->arg, a->rec[i].off,
			    c->s.c->s->sb.size);
	}
	return rc < 0 ? rc : 0;
}

/* What lies behind the last header that is there may be damaged, too. */
static int
cmp_front(struct cmp *c, uint32_t area, uint64_t *seq, struct err *e)
{
	const struct area	*a = &c->s.c->s->area[area];
	size_t			 n, i, last;
	int			 rc;

	if ((rc = front_count(c->s.c, c->s.j->to, area, &n, e)) < 0)
		return rc;
	if (n == 0) {
		fault(c, "area %" PRIu32 ": its begin differs", area);
		return 0;
	}
	*seq = a->rec[n - 1].seq;
	if ((rc = cmp_area(c, area, n, e)) < 0)
		return rc;
	last = n;
	for (i = n; i < a->nrec && rc >= 0; i = group_end(a, i))
		if ((rc = group_same(&c->s, area, i, e)) == 1)
			last = group_end(a, i);
	if (rc >= 0 && last > n) {
		fault(c, "generation %" PRIu64 " differs", a->rec[n].seq);
		*seq = a->rec[last - 1].seq;
	}
	return rc < 0 ? rc : 0;
}

static int
cmp_all(struct cmp *c, const struct front *f, uint64_t *seq, struct err *e)
{
	const struct chart	*ch = c->s.c;
	uint32_t		 k;
	int			 rc = 0;

	if (!f->super)
		fault(c, "the superblock differs");
	if (!f->copy)
		fault(c, "the superblock's copy differs");
	if (!f->any) {
		fault(c, "no area is the store's");
		return 0;
	}
	for (k = 0; k < f->k && rc == 0; k++) {
		if (f->same[k])
			rc = cmp_area(c, ch->order[k],
			    ch->s->area[ch->order[k]].nrec, e);
		else
			fault(c, "area %" PRIu32 ": its begin differs",
			    ch->order[k]);
	}
	return rc < 0 ? rc : cmp_front(c, ch->order[f->k], seq, e);
}

int
mirror_compare(struct mirror_job *j, uint64_t *behind,
    void (*fn)(void *, const char *), void *arg, struct err *e)
{
	struct mirror_job	 all = *j;
	struct cmp		 c = { .s = { .j = &all }, .fn = fn,
	    .arg = arg };
	struct mirror_at	 none = { 0, 0, 0, 0 };
	struct chart		 ch;
	struct front		 f;
	uint64_t		 seq = 0;
	int			 rc;

	*behind = 0;
	all.whole = true;
	all.at = &none;
	if ((rc = chart_open(&ch, j->from, e)) < 0)
		return rc;
	c.s.c = &ch;
	if ((rc = front_find(&ch, &all, &f, e)) == -ESTALE) {
		fault(&c, "it is damaged as a whole");
		rc = 0;
	} else if (rc == 0) {
		rc = cmp_all(&c, &f, &seq, e);
		front_free(&f);
	}
	if (rc == 0 && seq < ch.s->seq)
		*behind = ch.s->seq - seq;
	if (rc == 0)
		*j->at = (struct mirror_at){ ch.s->sb.id, seq, 0, 0 };
	send_free(&c.s);
	chart_close(&ch);
	return rc < 0 ? rc : c.faults;
}
