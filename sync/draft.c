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

/* What a delta may be against. */
struct ref {
	struct buf	 old;		/* the content; `bad` is not looked at */
	const struct blob *b;		/* NULL: there is none */
	size_t		 nr;
	uint64_t	 near;		/* see get_near() in parse.c; 0: it is the
					   path's own */
};

/* An entry before, by its number. */
static int
ref_entry(struct store *s, struct draft *d, size_t at, struct ref *r)
{
	uint64_t	 loc = d->old->v[at].loc;
	int		 rc;

	/* Without the old content, the new one is stored whole. */
	rc = blob_read(s, LOC_AREA(loc), LOC_BLOB(loc), &r->old, NULL);
	if (rc < 0)
		return rc == -ENOMEM ? rc : 0;
	r->nr = LOC_BLOB(d->before->v[at].loc);
	r->b = blob_at(d, d->before->v[at].loc);
	return 0;
}

static int
ref_step(struct store *s, struct draft *d, size_t k, struct ref *r)
{
	const struct source	*src = &d->src[k];
	uint64_t		 loc = src->loc;
	int			 rc = 0;

	if (src->given != NULL) {
		put_bytes(&r->old, src->given->p, src->given->len);
		rc = r->old.bad ? -ENOMEM : 0;
	} else if (loc == 0)
		return 0;
	else
		rc = blob_read(s, LOC_AREA(loc), LOC_BLOB(loc), &r->old, NULL);
	if (rc < 0)
		return rc == -ENOMEM ? rc : 0;
	r->nr = LOC_BLOB(d->m->s.v[k].c.e.loc);
	r->b = blob_at(d, d->m->s.v[k].c.e.loc);
	return 0;
}

/* The path in the tree that an entry is about, or NULL. */
static const char *
about(const char *path)
{
	const char	*p;

	switch (hid_kind(path)) {
	case HID_NOT:
		return path;
	case HID_BASE:
	case HID_TRIAL:
	case HID_UNDER:
		return hid_of(path);
	case HID_KEPT:
		p = strchr(hid_of(path), '/');
		p = p == NULL ? NULL : strchr(p + 1, '/');
		return p == NULL ? NULL : p + 1;
	case HID_DROP:
	case HID_TAG:
	case HID_INFO:
		break;
	}
	return NULL;
}

static bool
step_has(const struct draft *d, size_t k)
{
	const struct step	*st = &d->m->s.v[k];

	return st->c.op == CHANGE_SET && has_content(d, &st->c.e);
}

/* Of the steps up to number n: where this path is; n: nowhere. */
static size_t
find_step(const struct draft *d, size_t n, const char *path)
{
	size_t	 lo = 0, hi = n, mid;
	int	 c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((c = path_cmp(d->m->s.v[mid].c.e.path, path)) == 0)
			return mid;
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return n;
}

/*
 * What step i's content may resemble: what the path had before; or what it
 * has in the tree, where the entry is hidden; or what the base had.
 */
static int
find_ref(struct store *s, struct draft *d, size_t i, struct ref *r)
{
	const struct step	*st = &d->m->s.v[i];
	const char		*p = about(st->c.e.path);
	const struct ent	*e;
	char			*under;
	size_t			 k;
	int			 rc = 0;

	if (st->at != NOWHERE && has_content(d, &d->before->v[st->at]))
		return ref_entry(s, d, st->at, r);
	if (p == NULL)
		return 0;
	if (p != st->c.e.path && (e = ents_find(d->before, p)) != NULL &&
	    has_content(d, e)) {
		k = (size_t)(e - d->before->v);
		r->near = (uint64_t)k * 2 + 1;
		return ref_entry(s, d, k, r);
	}
	if ((under = hid_path(HID_BASE, p)) == NULL)
		return -ENOMEM;
	k = find_step(d, i, under);
	if (k < i && step_has(d, k)) {
		r->near = (uint64_t)(i - k) * 2;
		rc = ref_step(s, d, k, r);
	} else if ((e = ents_find(d->before, under)) != NULL &&
	    has_content(d, e) && strcmp(under, st->c.e.path) != 0) {
		k = (size_t)(e - d->before->v);
		r->near = (uint64_t)k * 2 + 1;
		rc = ref_entry(s, d, k, r);
	}
	free(under);
	return rc;
}

/* A content that is at hand: whole, or as a delta. */
static int
make_blob(struct store *s, struct draft *d, size_t i, const struct buf *p,
    struct blob *b)
{
	struct ref	 r = { BUF_INIT, NULL, 0, 0 };
	int		 rc;

	if ((rc = find_ref(s, d, i, &r)) == 0)
		rc = blob_make(&d->data, b, p, &d->m->s.v[i].c.e.hash,
		    r.b == NULL ? NULL : &r.old, r.b, r.nr);
	if (rc == 0 && b->enc == ENC_DELTA && r.near != 0) {
		b->near = r.near;
		b->full = b->len;	/* what it rests on is carried too */
	}
	buf_free(&r.old);
	return rc;
}

/*
 * A content that the store has, verified.  One that can't be read any
 * more must not stop every commit from now on: it stays lost, and said.
 */
static int
carry(struct store *s, struct draft *d, size_t i, uint64_t loc,
    struct blob *b, struct err *e2)
{
	const struct ent	*e = &d->m->s.v[i].c.e;
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
		rc = make_blob(s, d, i, &p, b);
	buf_free(&p);
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
		rc = make_blob(s, d, i, d->src[i].given, b);
	else if (d->src[i].loc != 0)
		rc = carry(s, d, i, d->src[i].loc, b, e);
	else if (hid_is(n->path)) {
		b->enc = ENC_HASH;
		n->loc = 0;
		return 0;
	} else
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
