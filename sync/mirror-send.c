/*
 * mirror-send.c: groups of records, from the store to its copy, by the
 * writes that the store made: one a group, each behind the one before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mirror-int.h"

#define BATCH	(1u << 20)	/* bytes of the copy compared at once */

void
send_free(struct sender *s)
{
	buf_free(&s->buf);
}

/* Bytes of a record without what pads it. */
static uint64_t
rec_len(const struct rec *r)
{
	return REC_LEN + (uint64_t)r->metalen + r->datalen;
}

static uint64_t
group_size(const struct sender *s, const struct area *a, size_t first)
{
	uint64_t	 n = 0;
	size_t		 i;

	for (i = first; i < group_end(a, first); i++)
		n += rec_size(&a->rec[i], s->c->s->sb.align);
	return n;
}

int
send_load(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	struct io		*from = s->j->from;
	uint64_t		 n = group_size(s, a, first);
	uint8_t			*p;
	size_t			 i;
	int			 rc = 0;

	s->buf.len = 0;
	if (n > SIZE_MAX || (p = buf_room(&s->buf, (size_t)n)) == NULL)
		return err_set(e, ENOMEM, "%s", from->name);
	memset(p, 0, (size_t)n);
	for (i = first; i < group_end(a, first) && rc == 0; i++) {
		rc = from->ops->read(from, p, (size_t)rec_len(&a->rec[i]),
		    a->rec[i].off, e);
		p += rec_size(&a->rec[i], s->c->s->sb.align);
	}
	s->buf.len = (size_t)n;
	return rc;
}

size_t
send_len(const struct sender *s, uint32_t area, size_t first)
{
	const struct area	*a = &s->c->s->area[area];
	const struct rec	*last = &a->rec[group_end(a, first) - 1];
	uint64_t		 n = last->off - a->rec[first].off +
	    rec_len(last), unit = s->j->to->block;

	if (s->j->records)
		return s->buf.len;
	return (size_t)((n + unit - 1) / unit * unit);
}

int
send_flush(struct sender *s, struct err *e)
{
	s->ahead = 0;
	return s->j->to->ops->flush(s->j->to, e);
}

static int
put(struct sender *s, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct io	*to = s->j->to;
	int		 rc = to->ops->write(to, p, n, off, e);

	if (rc < 0)
		return rc;
	s->j->sent += n;
	if (s->j->progress != NULL)
		s->j->progress(s->j->arg, s->j->sent, s->of);
	return 0;
}

int
send_group(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 n = group_end(a, first) - first;
	int			 rc;

	if ((rc = send_load(s, area, first, e)) < 0)
		return rc;
	/* More could hide a failed one from the next look. */
	if (s->ahead + n > MIRROR_AHEAD - 1)
		rc = send_flush(s, e);
	else if (s->ahead > 0 || s->j->sent == 0)
		rc = io_order(s->j->to, e);
	if (rc == 0)
		rc = put(s, s->buf.p, send_len(s, area, first),
		    a->rec[first].off, e);
	s->ahead += n;
	return rc;
}

int
send_from(struct sender *s, uint32_t area, size_t from, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	int			 rc = 0;

	for (; from < a->nrec && rc == 0; from = group_end(a, from))
		rc = send_group(s, area, from, e);
	return rc;
}

int
send_older(struct sender *s, uint32_t area, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	struct io		*to = s->j->to;
	uint8_t			 head[REC_LEN];
	int			 rc;

	if ((rc = send_from(s, area, group_end(a, 0), e)) < 0 ||
	    (rc = send_flush(s, e)) < 0)
		return rc;
	if (s->j->records) {	/* one that is torn does not open */
		rc = send_group(s, area, 0, e);
		return rc < 0 ? rc : send_flush(s, e);
	}
	if ((rc = send_load(s, area, 0, e)) < 0)
		return rc;
	memcpy(head, s->buf.p, REC_LEN);
	memset(s->buf.p, 0, REC_LEN);
	if ((rc = put(s, s->buf.p, send_len(s, area, 0),
	    a->rec[0].off, e)) < 0 ||
	    (rc = send_flush(s, e)) < 0)
		return rc;
	memcpy(s->buf.p, head, REC_LEN);
	rc = put(s, s->buf.p, to->block, a->rec[0].off, e);
	return rc < 0 ? rc : send_flush(s, e);
}

/* Whether the copy has these n bytes at off. */
static int
bytes_same(struct io *to, const uint8_t *mine, size_t n, uint64_t off,
    struct err *e)
{
	uint8_t	*theirs;
	size_t	 k;
	int	 rc = 1;

	if (off > to->size || n > to->size - off)
		return 0;
	if ((theirs = malloc(n < BATCH ? n : BATCH)) == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	for (; n > 0 && rc == 1; n -= k, mine += k, off += k) {
		k = n < BATCH ? n : BATCH;
		rc = to->ops->read(to, theirs, k, off, e);
		if (rc == 0)
			rc = memcmp(theirs, mine, k) == 0;
	}
	free(theirs);
	/* A sealed one that does not open is one that differs. */
	return rc == -EBADMSG ? 0 : rc;
}

/* Whether the store's own contents of a group hold: 1, 0 or -errno. */
static int
group_good(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 i;
	int			 rc = 0;

	for (i = first; i < group_end(a, first) && rc == 0; i++)
		rc = area_data(s->c->s, &a->rec[i], e);
	return rc == 0 ? 1 : rc == -EBADMSG ? 0 : rc;
}

int
group_same(struct sender *s, uint32_t area, size_t first, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 i;
	int			 rc;

	if ((rc = send_load(s, area, first, e)) < 0)
		return rc;
	/* What pads a record is nothing. */
	for (i = first, rc = 1; i < group_end(a, first) && rc == 1; i++)
		rc = bytes_same(s->j->to, s->buf.p + (a->rec[i].off -
		    a->rec[first].off), (size_t)rec_len(&a->rec[i]),
		    a->rec[i].off, e);
	return rc;
}

int
send_differing(struct sender *s, uint32_t area, struct err *e)
{
	const struct area	*a = &s->c->s->area[area];
	size_t			 i;
	int			 rc = 0;

	for (i = 0; i < a->nrec && rc >= 0; i = group_end(a, i))
		if ((rc = group_same(s, area, i, e)) == 0 &&
		    (rc = group_good(s, area, i, e)) == 1)
			rc = send_group(s, area, i, e);
	return rc < 0 ? rc : 0;
}

/* A superblock fills a unit of the medium, at its begin or its end. */
int
send_super(struct sender *s, bool copy, struct err *e)
{
	struct io	*to = s->j->to;
	uint64_t	 size = to->size > s->c->s->sb.size ? to->size :
	    s->c->s->sb.size;
	uint8_t		*b = calloc(1, to->block);
	int		 rc;

	if (b == NULL)
		return err_set(e, ENOMEM, "%s", to->name);
	memcpy(b + (copy ? to->block - SUPER_LEN : 0), s->c->super,
	    SUPER_LEN);
	rc = put(s, b, to->block, copy ? size - to->block : 0, e);
	s->ahead++;
	free(b);
	return rc;
}
