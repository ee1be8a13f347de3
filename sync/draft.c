/*
 * draft.c: making a record: for each content the cheapest way to say it.
 *
 * What the area has already, or an earlier step of the record, is only
 * referred to; what is given is deflated or told as a delta from the
 * path's content before; what a checkpoint carries is copied.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "../lib/path.h"
#include "draft.h"
#include "meta-int.h"
#include "z.h"

/* Contents that can be referred to, by hash. */
struct seen {
	struct {
		const struct ent *e;	/* NULL: free */
		size_t		 i;
		bool		 here;	/* a step, not an entry before */
	}		*v;
	size_t		 mask;
};

static int
seen_make(struct seen *t, size_t n)
{
	size_t	 cap = 16;

	while (cap < n * 2)
		cap *= 2;
	t->mask = cap - 1;
	return (t->v = calloc(cap, sizeof(*t->v))) == NULL ? -ENOMEM : 0;
}

static size_t
seen_slot(const struct seen *t, const struct ent *e)
{
	size_t	 k = (size_t)get_le64(e->hash.b) & t->mask;

	while (t->v[k].e != NULL && (t->v[k].e->size != e->size ||
	    memcmp(t->v[k].e->hash.b, e->hash.b, HASH_LEN) != 0))
		k = (k + 1) & t->mask;
	return k;
}

static void
seen_add(struct seen *t, const struct ent *e, size_t i, bool here)
{
	size_t	 k = seen_slot(t, e);

	if (t->v[k].e != NULL)
		return;
	t->v[k].e = e;
	t->v[k].i = i;
	t->v[k].here = here;
}

static const struct blob *
blob_at(const struct draft *d, uint64_t loc)
{
	size_t	 nr = LOC_BLOB(loc);

	return nr < d->bases->n ? &d->bases->v[nr] :
	    &d->own.v[nr - d->bases->n];
}

static bool
has_content(const struct draft *d, const struct ent *e)
{
	return e->type == ENT_REG && e->size > 0 && e->loc != 0 &&
	    blob_at(d, e->loc)->enc != ENC_LOST;
}

/*
 * A content that the store has, verified.  One that can't be read any
 * more must not stop every commit from now on: it stays lost, and said.
 */
static int
carry(struct store *s, struct draft *d, const struct ent *e, uint64_t loc,
    struct blob *b, struct err *e2)
{
	const struct blob	*o;
	struct buf		 p = BUF_INIT;
	uint8_t			*room;
	int			 rc;

	o = &s->area[LOC_AREA(loc)].blobs.v[LOC_BLOB(loc)];
	rc = blob_read(s, LOC_AREA(loc), LOC_BLOB(loc), &p, e2);
	if (rc == -EBADMSG || rc == -EIO) {
		memset(b, 0, sizeof(*b));
		b->enc = ENC_LOST;
		b->size = e->size;
		b->hash = e->hash;
		d->lost++;
		store_note(s, "the content of %s is lost", e->path);
		rc = 0;
	} else if (rc == 0 && (o->enc == ENC_RAW || o->enc == ENC_PACKED)) {
		/* It is packed already. */
		*b = *o;
		rc = -ENOMEM;
		if ((room = buf_room(&d->data, (size_t)o->len)) != NULL)
			rc = blob_load(s, LOC_AREA(loc), o, room, e2);
		if (rc == 0)
			d->data.len += (size_t)o->len;
	} else if (rc == 0)
		rc = blob_make(&d->data, b, &p, &e->hash, NULL, NULL, 0);
	buf_free(&p);
	return rc;
}

/* A content that the caller gives, perhaps against the one before. */
static int
store_given(struct store *s, struct draft *d, const struct step *st,
    const struct buf *given, struct blob *b, struct err *e)
{
	const struct ent	*ref = NULL;
	struct buf		 old = BUF_INIT;
	uint64_t		 loc = 0;
	int			 rc;

	if (st->at != NOWHERE && has_content(d, &d->before->v[st->at])) {
		ref = &d->before->v[st->at];
		loc = d->old->v[st->at].loc;
		/* Without the old content, the new one is stored whole. */
		rc = blob_read(s, LOC_AREA(loc), LOC_BLOB(loc), &old, NULL);
		if (rc < 0)
			ref = NULL;
		if (rc == -ENOMEM) {
			buf_free(&old);
			return err_set(e, ENOMEM, "%s", s->io->name);
		}
	}
	rc = blob_make(&d->data, b, given, &st->c.e.hash,
	    ref == NULL ? NULL : &old,
	    ref == NULL ? NULL : blob_at(d, ref->loc),
	    ref == NULL ? 0 : LOC_BLOB(ref->loc));
	buf_free(&old);
	return rc;
}

/* Decide on step i's content: *b, and e.loc. */
static int
settle(struct store *s, struct draft *d, size_t i, struct seen *seen,
    struct blob *b, struct err *e)
{
	struct step		*st = &d->m->s.v[i];
	struct ent		*n = &st->c.e;
	const struct ent	*ref = NULL;
	size_t			 k;
	int			 rc;

	b->enc = ENC_NONE;
	if (st->c.op != CHANGE_SET || n->type != ENT_REG)
		return 0;
	if (st->at != NOWHERE && d->before->v[st->at].type == ENT_REG)
		ref = &d->before->v[st->at];
	if (n->size == 0) {
		n->loc = 0;
		if (ref != NULL && ref->size > 0)
			b->enc = ENC_RAW;
		return 0;
	}
	if (ref != NULL && has_content(d, ref) && ref->size == n->size &&
	    memcmp(ref->hash.b, n->hash.b, HASH_LEN) == 0) {
		n->loc = ref->loc;
		return 0;
	}
	k = seen_slot(seen, n);
	if (seen->v[k].e != NULL) {
		b->enc = seen->v[k].here ? ENC_HERE : ENC_HEAD;
		b->base = seen->v[k].i;
		n->loc = seen->v[k].e->loc;
		return 0;
	}
	if (d->src[i].given != NULL)
		rc = store_given(s, d, st, d->src[i].given, b, e);
	else if (d->src[i].loc != 0)
		rc = carry(s, d, n, d->src[i].loc, b, e);
	else
		return err_setx(e, EINVAL, "%s: no content given", n->path);
	if (rc < 0)
		return rc == -ENOMEM ? err_set(e, ENOMEM, "%s", s->io->name) :
		    rc;
	n->loc = LOC(d->area, d->bases->n + d->own.n);
	if (blobs_add(&d->own, b) < 0)
		return err_set(e, ENOMEM, "%s", s->io->name);
	seen_add(seen, n, i, true);
	return 0;
}

/* The meta, deflated where that makes it smaller. */
static int
make_meta(struct draft *d, const struct blob *b)
{
	struct buf	 raw = BUF_INIT;
	int		 rc;

	if ((rc = meta_put(&raw, d->m, d->before, b)) < 0)
		goto out;
	rc = -EFBIG;
	if (raw.len > META_MAX)
		goto out;
	d->r.rawlen = (uint32_t)raw.len;
	if ((rc = z_pack(&d->meta, raw.p, raw.len, NULL, 0)) < 0)
		goto out;
	if (d->meta.len < raw.len)
		d->r.flags |= REC_PACKED;
	else {
		d->meta.len = 0;
		put_bytes(&d->meta, raw.p, raw.len);
	}
	rc = d->meta.bad ? -ENOMEM : 0;
out:
	buf_free(&raw);
	return rc;
}

int
draft_make(struct store *s, struct draft *d, struct err *e)
{
	const struct steps	*st = &d->m->s;
	struct seen		 seen = { NULL, 0 };
	struct blob		*b = NULL;
	size_t			 i;
	int			 rc = 0;

	b = calloc(st->n + 1, sizeof(*b));
	if (b == NULL || seen_make(&seen, d->before->n + st->n + 1) < 0) {
		rc = err_set(e, ENOMEM, "%s", s->io->name);
		goto out;
	}
	for (i = 0; i < d->before->n; i++)
		if (has_content(d, &d->before->v[i]))
			seen_add(&seen, &d->before->v[i], i, false);
	for (i = 0; i < st->n && rc == 0; i++)
		rc = settle(s, d, i, &seen, &b[i], e);
	if (rc == 0 && (rc = make_meta(d, b)) < 0)
		rc = err_set(e, -rc, "%s", s->io->name);
	d->r.metalen = (uint32_t)d->meta.len;
	d->r.datalen = d->data.len;
	d->r.metasum = crc32c(0, d->meta.p, d->meta.len);
	d->r.datasum = crc32c(0, d->data.p, d->data.len);
out:
	free(seen.v);
	free(b);
	return rc;
}

int
draft_put(struct store *s, struct draft *d, struct buf *out, struct err *e)
{
	uint64_t	 off = d->r.off + REC_LEN + d->meta.len;
	uint8_t		 head[REC_LEN];
	size_t		 i, n;

	rec_put(head, &d->r, s->sb.id);
	put_bytes(out, head, sizeof(head));
	put_bytes(out, d->meta.p, d->meta.len);
	put_bytes(out, d->data.p, d->data.len);
	n = d->meta.len + d->data.len;
	if (!out->bad)
		rec_mask(&d->r, out->p + out->len - n, n, d->r.off + REC_LEN);
	n += REC_LEN;
	put_zero(out, (size_t)(rec_size(&d->r, s->sb.align) - n));
	d->r.blob = d->bases->n;
	for (i = 0; i < d->own.n; i++) {
		d->own.v[i].off = off;
		off += d->own.v[i].len;
	}
	return out->bad ? err_set(e, ENOMEM, "%s", s->io->name) : 0;
}

void
draft_free(struct draft *d)
{
	buf_free(&d->meta);
	buf_free(&d->data);
	free(d->own.v);
	memset(&d->own, 0, sizeof(d->own));
}
