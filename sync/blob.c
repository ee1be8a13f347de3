/*
 * blob.c: contents, as they lie in an area.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "store-int.h"
#include "z.h"

/* A chain of deltas ends where reading it would copy more than this, */
#define CHAIN_BYTES	(4u << 20)
#define CHAIN_LEAST	4		/* but not before so many, */
#define CHAIN_MOST	255		/* and never has more. */

int
blobs_add(struct blobs *b, const struct blob *one)
{
	struct blob	*v;
	size_t		 cap;

	if (b->n == b->cap) {
		cap = b->cap == 0 ? 64 : b->cap * 2;
		if (cap > SIZE_MAX / sizeof(*v) ||
		    (v = realloc(b->v, cap * sizeof(*v))) == NULL)
			return -ENOMEM;
		b->v = v;
		b->cap = cap;
	}
	b->v[b->n++] = *one;
	return 0;
}

/* The record that holds a blob: they lie in order, as records do. */
static const struct rec *
holder(const struct area *a, const struct blob *b)
{
	size_t	 lo = 0, hi = a->nrec, mid;

	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (a->rec[mid].off <= b->off)
			lo = mid;
		else
			hi = mid;
	}
	return &a->rec[lo];
}

int
blob_load(struct store *s, uint32_t area, const struct blob *b, uint8_t *p,
    struct err *e)
{
	int	 rc;

	if (b->len == 0)
		return 0;
	rc = s->io->ops->read(s->io, p, (size_t)b->len, b->off, e);
	if (rc == 0)
		rec_mask(holder(&s->area[area], b), p, (size_t)b->len, b->off);
	return rc;
}

/* One link of the chain: b's content in *out, from that of its base. */
static int
decode(const struct blob *b, const uint8_t *p, const uint8_t *old,
    size_t oldn, uint8_t **out)
{
	int	 rc = -EBADMSG;

	if ((*out = malloc((size_t)b->size + 1)) == NULL)
		return -ENOMEM;
	switch ((enum enc)b->enc) {
	case ENC_RAW:
		if (b->len == b->size) {
			memcpy(*out, p, (size_t)b->size);
			rc = 0;
		}
		break;
	case ENC_PACKED:
		rc = z_unpack(*out, (size_t)b->size, p, (size_t)b->len,
		    NULL, 0);
		break;
	case ENC_DELTA:
		rc = delta_apply(*out, (size_t)b->size, old, oldn, b->how, p,
		    (size_t)b->len);
		break;
	case ENC_HEAD:
	case ENC_HERE:
	case ENC_LOST:
	case ENC_NEAR:
	case ENC_HASH:
		break;
	}
	if (rc < 0) {
		free(*out);
		*out = NULL;
	}
	return rc;
}

int
blob_read(struct store *s, uint32_t area, size_t nr, struct buf *out,
    struct err *e)
{
	const struct blobs	*bs = &s->area[area].blobs;
	size_t			 chain[CHAIN_MOST + 1], n = 0, oldn = 0;
	const struct blob	*b;
	uint8_t			*p = NULL, *old = NULL, *new;
	struct hash		 h;
	int			 rc;

	/* A base is always an earlier blob, so this ends. */
	for (;; nr = bs->v[nr].base) {
		chain[n++] = nr;
		if (bs->v[nr].enc != ENC_DELTA)
			break;
		if (n > CHAIN_MOST)
			return err_setx(e, EBADMSG, "%s: endless content",
			    s->io->name);
	}
	while (n-- > 0) {
		b = &bs->v[chain[n]];
		if ((p = malloc((size_t)b->len + 1)) == NULL) {
			rc = err_set(e, ENOMEM, "%s", s->io->name);
			goto out;
		}
		if ((rc = blob_load(s, area, b, p, e)) < 0) {
			free(p);
			goto out;
		}
		rc = decode(b, p, old, oldn, &new);
		free(p);
		free(old);
		old = new;
		oldn = (size_t)b->size;
		if (rc < 0) {
			(void)err_set(e, -rc, "%s: content", s->io->name);
			goto out;
		}
	}
	b = &bs->v[chain[0]];
	hash_mem(&h, old, oldn);
	if (memcmp(h.b, b->hash.b, HASH_LEN) != 0) {
		rc = err_setx(e, EBADMSG, "%s: a content is damaged",
		    s->io->name);
		goto out;
	}
	put_bytes(out, old, oldn);
	rc = out->bad ? err_set(e, ENOMEM, "%s", s->io->name) : 0;
out:
	free(old);
	return rc;
}

/* Whether one more delta may follow a blob of such a content. */
static bool
may_chain(const struct blob *base, uint64_t size)
{
	uint64_t	 most = size == 0 ? CHAIN_MOST : CHAIN_BYTES / size;

	if (most < CHAIN_LEAST)
		most = CHAIN_LEAST;
	if (most > CHAIN_MOST)
		most = CHAIN_MOST;
	return base->depth < most;
}

int
blob_make(struct buf *data, struct blob *b, const struct buf *p,
    const struct hash *h, const struct buf *old, const struct blob *base,
    size_t basenr)
{
	struct buf	 z = BUF_INIT, d = BUF_INIT;
	const struct buf *best = p;
	int		 rc = 0;

	memset(b, 0, sizeof(*b));
	b->enc = ENC_RAW;
	b->size = p->len;
	b->hash = *h;
	if (old != NULL && base != NULL && may_chain(base, p->len)) {
		rc = delta_make(&d, &b->how, old->p, old->len, p->p, p->len);
		if (rc < 0)
			goto out;
		if (d.len < best->len)
			best = &d;
	}
	/* A delta this small is not beaten: save the time. */
	if (best != &d || d.len > p->len / 64 + 16) {
		if ((rc = z_pack(&z, p->p, p->len, NULL, 0)) < 0)
			goto out;
		if (z.len <= best->len && z.len < p->len)
			best = &z;
	}
	b->len = best->len;
	b->full = b->len;
	if (best == &z)
		b->enc = ENC_PACKED;
	if (best == &d) {
		b->enc = ENC_DELTA;
		b->base = basenr;
		b->depth = base->depth + 1;
		b->full = base->full + d.len;
	}
	put_bytes(data, best->p, best->len);
	rc = data->bad ? -ENOMEM : 0;
out:
	buf_free(&z);
	buf_free(&d);
	return rc;
}
