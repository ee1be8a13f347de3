/*
 * mirror-cmp.c: comparing a copy with the store, byte by byte.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

struct cmp {
	struct sender	 s;
	uint64_t	 done;		/* bytes compared, for progress */
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

static void
progress(struct cmp *c, uint64_t done)
{
	struct mirror_job	*j = c->s.j;

	if (j->progress != NULL)
		j->progress(j->arg, c->done + done, c->s.of);
}

/* An area's records up to the last that is there. */
static int
cmp_area(struct cmp *c, uint32_t area, size_t n, struct err *e)
{
	const struct area	*a = &c->s.c->s->area[area];
	uint64_t		 end = n < a->nrec ? a->rec[n].off : a->end;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; i < n && rc >= 0; i = group_end(a, i)) {
		if ((rc = recs_same(&c->s, area, i, group_end(a, i) < n ?
		    group_end(a, i) : n, end, e)) == 0)
			fault(c, "generation %" PRIu64 " differs%s",
			    a->rec[group_end(a, i) - 1].seq,
			    c->s.rotten ? ": the store's is damaged" : "");
		progress(c, a->rec[i].off - a->rec[0].off);
	}
	c->s.winlen = 0;
	c->done += a->end - a->rec[0].off;
	return rc < 0 ? rc : 0;
}

/* Index behind the last record of an area whose header is there: one that
 * is missing before it is a fault, and behind it, just not there yet. */
static int
present(struct cmp *c, uint32_t area, size_t *n, struct err *e)
{
	const struct area	*a = &c->s.c->s->area[area];
	bool			*have = calloc(a->nrec, sizeof(*have));
	int			 rc;

	*n = 0;
	if (have == NULL)
		return err_set(e, ENOMEM, "%s", c->s.j->to->name);
	rc = front_headers(c->s.c, c->s.j->to, area, 0, a->nrec, have, e);
	for (*n = rc == 0 ? a->nrec : 0; *n > 0 && !have[*n - 1]; --*n)
		;
	free(have);
	return rc;
}

/* An area that begins with another record than the store's, or is not
 * there; whether it should be, more than its begin says. */
static int
cmp_other(struct cmp *c, uint32_t k, bool older, uint64_t *seq,
    struct err *e)
{
	const struct chart	*ch = c->s.c;
	uint32_t		 i = ch->order[k];
	size_t			 n;
	int			 rc;

	if ((rc = present(c, i, &n, e)) < 0)
		return rc;
	if (n == 0 && older)
		fault(c, "area %" PRIu32 " is missing", i);
	if (n == 0)
		return 0;
	if (!older)
		*seq = ch->s->area[i].rec[n - 1].seq;
	return cmp_area(c, i, n, e);
}

static int
cmp_all(struct cmp *c, const struct front *f, uint64_t *seq, struct err *e)
{
	const struct chart	*ch = c->s.c;
	const struct area	*a;
	uint32_t		 k;
	size_t			 n;
	int			 rc = 0;

	if (!f->super)
		fault(c, "the superblock differs");
	if (!f->copy)
		fault(c, "the superblock's copy differs");
	for (k = 0; k < ch->n; k++) {
		a = &ch->s->area[ch->order[k]];
		c->s.of += a->end - a->rec[0].off;
	}
	for (k = 0; k < ch->n && rc == 0; k++) {
		a = &ch->s->area[ch->order[k]];
		if (!f->same[k])
			rc = cmp_other(c, k, f->any && k < f->k, seq, e);
		else if (k < f->k)
			rc = cmp_area(c, ch->order[k], a->nrec, e);
		else if ((rc = present(c, ch->order[k], &n, e)) == 0) {
			*seq = n > 0 ? a->rec[n - 1].seq : 0;
			rc = cmp_area(c, ch->order[k], n, e);
		}
	}
	return rc;
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
	if ((rc = front_find(&ch, &all, &f, e)) == 0) {
		seq = f.any ? 0 : f.seq;
		rc = cmp_all(&c, &f, &seq, e);
		front_free(&f);
	} else if (rc == -ESTALE) {
		fault(&c, "it is damaged as a whole");
		rc = 0;
	}
	if (rc == 0) {
		*behind = seq < ch.s->seq ? ch.s->seq - seq : 0;
		*j->at = (struct mirror_at){ ch.s->sb.id, seq, 0, 0 };
	}
	send_free(&c.s);
	chart_close(&ch);
	return rc < 0 ? rc : c.faults;
}
