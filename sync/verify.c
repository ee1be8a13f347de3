/*
 * verify.c: reading and checking everything; and what space there is.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "store-int.h"

struct check {
	struct store	*s;
	void		(*fn)(void *, const char *);
	void		*arg;
	int		 faults;
};

static void fault(struct check *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
fault(struct check *c, const char *fmt, ...)
{
	char	 line[1024];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	c->faults++;
	if (c->fn != NULL)
		c->fn(c->arg, line);
}

static int
check_records(struct check *c, uint32_t i, struct err *e)
{
	struct store		*s = c->s;
	const struct area	*a = &s->area[i];
	size_t			 k;
	int			 rc;

	for (k = 0; k < a->nrec; k++) {
		rc = area_data(s, &a->rec[k], e);
		if (rc == -EBADMSG || rc == -EIO)
			fault(c, "area %" PRIu32 ": generation %" PRIu64
			    ": contents are damaged", i, a->rec[k].seq);
		else if (rc < 0)
			return rc;
	}
	return 0;
}

/* Each content is asked for under the names that the overlay has. */
static int
check_contents(struct check *c, const struct ents *ov, uint32_t i,
    bool *seen, struct err *e)
{
	struct store	*s = c->s;
	struct buf	 b = BUF_INIT;
	struct err	 why = { 0, "" };
	size_t		 k, nr;
	int		 rc = 0;

	for (k = 0; k < ov->n && rc == 0; k++) {
		nr = LOC_BLOB(ov->v[k].loc);
		if (ov->v[k].loc == 0 || seen[nr])
			continue;
		seen[nr] = true;
		b.len = 0;
		rc = blob_read(s, i, nr, &b, &why);
		if (rc == -EBADMSG || rc == -EIO) {
			fault(c, "area %" PRIu32 ": %s: content is damaged", i,
			    ov->v[k].path);
			rc = 0;
		}
	}
	buf_free(&b);
	return rc < 0 ? err_setx(e, -rc, "%s", why.msg) : 0;
}

static int
check_area(struct check *c, uint32_t i, struct err *e)
{
	struct store	*s = c->s;
	struct area	*a = &s->area[i];
	struct ents	 ov = { NULL, 0, 0 };
	bool		*seen;
	size_t		 k;
	int		 rc;

	if ((seen = calloc(a->blobs.n + 1, sizeof(*seen))) == NULL)
		return err_set(e, ENOMEM, "%s", s->io->name);
	if ((rc = check_records(c, i, e)) < 0)
		goto out;
	for (k = 0; k < a->nrec && rc == 0; k++) {
		if ((rc = area_step(s, i, k, &ov, e)) == 0)
			rc = check_contents(c, &ov, i, seen, e);
		else if (rc == -EBADMSG || rc == -EIO) {
			fault(c, "area %" PRIu32 ": generation %" PRIu64
			    " can't be read", i, a->rec[k].seq);
			rc = 0;
			break;
		}
	}
out:
	free(seen);
	ents_free(&ov);
	return rc;
}

static int
check_other(struct check *c, uint32_t i, struct err *e)
{
	struct store	*s = c->s;
	struct area	*a = &s->area[i];
	struct ents	 ov = { NULL, 0, 0 };
	struct rec	 r;
	int		 rc;

	if (i == s->cur)
		return check_area(c, i, e);
	if (!a->loaded) {
		if ((rc = area_head(s, i, &r, e)) < 0) {
			fault(c, "area %" PRIu32 " can't be read", i);
			return rc == -EIO ? 0 : rc;
		}
		/* Neither a blank nor a torn one has anything to check. */
		if (a->state != AREA_GOOD)
			return 0;
		rc = area_load(s, i, &ov, e);
		ents_free(&ov);
		if (rc < 0 && rc != -EBADMSG && rc != -EIO)
			return rc;
		if (rc < 0) {
			if (a->lost != 0)
				fault(c, "area %" PRIu32 ": its checkpoint is "
				    "damaged", i);
			a->state = AREA_BAD;
			return 0;
		}
	}
	if (a->lost != 0)
		fault(c, "area %" PRIu32 ": generations up to %" PRIu64
		    " are behind a damaged record", i, a->lost);
	return check_area(c, i, e);
}

/*
 * The area that comes next may have been torn when it was about to be
 * overwritten, by a power cut or a write that failed; and in that case
 * the one after it too.  What those lack is no fault.
 */
static int
check_next(struct check *c, struct err *e)
{
	struct store	*s = c->s;
	struct check	 quiet = { s, NULL, NULL, 0 };
	uint32_t	 next = area_pick(s, s->cur);
	uint32_t	 then = area_pick(s, next);
	int		 rc;

	if ((rc = check_other(&quiet, next, e)) < 0)
		return rc;
	if (s->area[next].state == AREA_BAD || quiet.faults > 0)
		return 0;
	return check_other(c, then, e);
}

int
store_verify(struct store *s, void (*fn)(void *, const char *), void *arg,
    struct err *e)
{
	struct check	 c = { s, fn, arg, 0 };
	uint32_t	 i, next = area_pick(s, s->cur);
	uint32_t	 then = area_pick(s, next);
	int		 rc;

	s->winlen = 0;		/* what is checked is what is there now */
	if (!super_good(s->io, false))
		fault(&c, "the first superblock is damaged");
	if (!super_good(s->io, true))
		fault(&c, "the last superblock is damaged");
	if (s->damage != NULL)
		fault(&c, "%s", s->damage);
	for (i = 0; i < s->sb.areas; i++)
		if (i != next && i != then &&
		    (rc = check_other(&c, i, e)) < 0)
			return rc;
	rc = check_next(&c, e);
	return rc < 0 ? rc : c.faults;
}

/* About the bytes of a checkpoint of the head. */
static uint64_t
live(const struct store *s)
{
	const struct area	*a = &s->area[s->cur];
	const struct ent	*e;
	uint64_t		 n = REC_LEN + 32;
	size_t			 i;

	for (i = 0; i < s->head.n; i++) {
		e = &s->head.v[i];
		n += 40 + strlen(path_base(e->path)) + e->xattrlen;
		if (e->target != NULL)
			n += strlen(e->target);
		if (e->loc != 0)
			n += a->blobs.v[LOC_BLOB(e->loc)].full;
	}
	return (n + s->sb.align - 1) / s->sb.align * s->sb.align;
}

void
store_space(const struct store *s, struct store_space *sp)
{
	const struct area	*a = &s->area[s->cur];
	uint64_t		 here;

	here = s->fresh ? 0 : area_off(s, s->cur) + s->sb.area - a->end;
	sp->size = s->sb.size;
	sp->align = s->sb.align;
	sp->area = s->sb.area;
	sp->live = live(s);
	sp->left = sp->live >= sp->area ? 0 : sp->area - sp->live;
	if (here > sp->left)
		sp->left = here;
	sp->written = s->written;
}
