/*
 * parse.c: a record's meta read back.  Nothing in it is believed: every
 * number is bounded, every path is one, the order is strict, and what is
 * made of little stays little.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "meta-int.h"

#define PATHS_MAX	(256u << 20)	/* bytes of all paths of a record */
#define CHAIN_MOST	255		/* deltas on one another */
#define CHAIN_BYTES	((uint64_t)1 << 30) /* bytes they may copy */

struct parser {
	struct rd		 r;
	enum rec_type		 type;
	const struct ents	*before;
	uint32_t		 area;
	uint64_t		 data;	/* where the next content lies */
	uint64_t		 end;	/* of the contents */
	struct blobs		*blobs;
	size_t			 nr;	/* number of the next content */
	struct change		*who;	/* makers; uid and comm alone */
	size_t			 nwho;
	size_t			 w;	/* the current one */
	size_t			 known;	/* next number of the overlay before */
	size_t			 paths;	/* bytes of paths so far */
	struct when		 last;
	struct meta		*m;
};

/* A string: *s is NULL where it is empty, and must be free of NULs. */
static int
get_str(struct rd *r, char **s)
{
	size_t		 n = rd_len(r, r->n);
	const uint8_t	*p = rd_bytes(r, n);

	*s = NULL;
	if (p == NULL || memchr(p, '\0', n) != NULL)
		return -EBADMSG;
	if (n == 0)
		return 0;
	if ((*s = malloc(n + 1)) == NULL)
		return -ENOMEM;
	memcpy(*s, p, n);
	(*s)[n] = '\0';
	return 0;
}

static uint32_t
get_u32(struct rd *r)
{
	uint64_t	 v = rd_var(r);

	if (v > UINT32_MAX)
		r->bad = true;
	return (uint32_t)v;
}

static int
get_whos(struct parser *p)
{
	const uint8_t	*c;
	size_t		 i, n;

	p->nwho = rd_len(&p->r, p->r.n / 2);
	if (p->r.bad)
		return -EBADMSG;
	if ((p->who = calloc(p->nwho + 1, sizeof(*p->who))) == NULL)
		return -ENOMEM;
	for (i = 0; i < p->nwho; i++) {
		p->who[i].uid = get_u32(&p->r);
		n = rd_u8(&p->r);
		c = rd_bytes(&p->r, n);
		if (c == NULL || n >= sizeof(p->who[i].comm) ||
		    memchr(c, '\0', n) != NULL)
			return -EBADMSG;
		memcpy(p->who[i].comm, c, n);
	}
	return p->r.bad ? -EBADMSG : 0;
}

static int
get_path(struct parser *p, const char *prev, struct step *st)
{
	size_t		 k = rd_len(&p->r, strlen(prev));
	size_t		 n = rd_len(&p->r, PATH_LIMIT + 32);
	const uint8_t	*s = rd_bytes(&p->r, n);
	char		*path;

	if (s == NULL)
		return -EBADMSG;
	p->paths += k + n;
	if (p->paths > PATHS_MAX)
		return -EBADMSG;
	if ((path = malloc(k + n + 1)) == NULL)
		return -ENOMEM;
	memcpy(path, prev, k);
	memcpy(path + k, s, n);
	path[k + n] = '\0';
	st->c.e.path = path;
	return strlen(path) == k + n && hid_ok(path) ? 0 : -EBADMSG;
}

static void
get_time(struct parser *p, struct ent *e)
{
	uint64_t	 v = rd_var(&p->r);
	int64_t		 d, s;

	if (v == 0) {
		e->mtime = (int64_t)rd_le64(&p->r);
		e->mtime_ns = rd_le32(&p->r);
		return;
	}
	d = unzigzag(v - 1);
	s = d / 1000000000;
	d = d % 1000000000 + (int64_t)p->last.ns;
	if (d < 0) {
		d += 1000000000;
		s--;
	} else if (d >= 1000000000) {
		d -= 1000000000;
		s++;
	}
	/* Two's complement, so that a hostile sum is only wrong. */
	e->mtime = (int64_t)((uint64_t)p->last.sec + (uint64_t)s);
	e->mtime_ns = (uint32_t)d;
}

static int
refer(const struct ent *from, struct ent *e)
{
	if (from->type != ENT_REG || from->size == 0 || from->loc == 0)
		return -EBADMSG;
	e->size = from->size;
	e->hash = from->hash;
	e->loc = from->loc;
	return 0;
}

/*
 * What a delta may be against beside the path's own content before: that
 * of a step so many before (even), or of an entry of this number (odd).
 */
static const struct ent *
get_near(struct parser *p)
{
	const struct steps	*s = &p->m->s;
	uint64_t		 k = rd_var(&p->r);
	const struct ent	*e;

	if (p->r.bad || k < 2 - k % 2)
		return NULL;
	if (k % 2 != 0)
		return k / 2 < p->before->n ? &p->before->v[k / 2] : NULL;
	if (k / 2 >= s->n)
		return NULL;
	e = &s->v[s->n - 1 - k / 2].c.e;
	return s->v[s->n - 1 - k / 2].c.op == CHANGE_SET &&
	    e->type == ENT_REG ? e : NULL;
}

/* The delta's base: a content in this same area. */
static int
get_base(struct parser *p, const struct ent *ref, bool near, struct blob *b)
{
	const struct blob	*base;

	if (ref == NULL || ref->loc == 0 || LOC_AREA(ref->loc) != p->area ||
	    LOC_BLOB(ref->loc) >= p->nr)
		return -EBADMSG;
	b->base = LOC_BLOB(ref->loc);
	base = &p->blobs->v[b->base];
	b->depth = base->depth + 1;
	b->full = near ? b->len : base->full + b->len;
	if (base->enc == ENC_LOST || b->depth > CHAIN_MOST ||
	    (b->depth > 4 && b->depth * b->size > CHAIN_BYTES))
		return -EBADMSG;
	return 0;
}

static int
get_content(struct parser *p, const struct ent *ref, struct ent *e)
{
	const struct steps	*s = &p->m->s;
	struct blob		 b;
	const uint8_t		*h;
	uint64_t		 k;
	bool			 near;
	int			 rc;

	memset(&b, 0, sizeof(b));
	b.enc = rd_u8(&p->r);
	near = (b.enc & 0x0f) == ENC_NEAR;
	if (near || (b.enc & 0x0f) == ENC_DELTA) {
		b.how = b.enc >> 4;
		b.enc = ENC_DELTA;
	}
	if (b.enc == ENC_HEAD || b.enc == ENC_HERE) {
		k = rd_var(&p->r);
		if (b.enc == ENC_HEAD)
			return k < p->before->n ?
			    refer(&p->before->v[k], e) : -EBADMSG;
		/* The last of the steps is the one being read. */
		return k > 0 && k < s->n && s->v[s->n - 1 - k].c.op ==
		    CHANGE_SET ? refer(&s->v[s->n - 1 - k].c.e, e) : -EBADMSG;
	}
	k = (uint64_t)unzigzag(rd_var(&p->r)) + (ref == NULL ? 0 : ref->size);
	if (near && (ref = get_near(p)) == NULL)
		return -EBADMSG;
	if (p->r.bad || k > CONTENT_MAX || (b.enc > ENC_LOST &&
	    (b.enc != ENC_HASH || !hid_is(e->path))))
		return -EBADMSG;
	e->size = b.size = k;
	hash_mem(&e->hash, "", 0);
	e->loc = 0;
	if (k == 0)
		return b.enc == ENC_RAW ? 0 : -EBADMSG;
	if ((h = rd_bytes(&p->r, HASH_LEN)) == NULL)
		return -EBADMSG;
	memcpy(e->hash.b, h, HASH_LEN);
	if (b.enc == ENC_HASH)
		return 0;
	b.hash = e->hash;
	b.off = p->data;
	b.len = b.enc == ENC_RAW ? k : b.enc == ENC_LOST ? 0 : rd_var(&p->r);
	b.full = b.len;
	if (p->r.bad || b.len > p->end - p->data)
		return -EBADMSG;
	/* Deflate makes at most 1032 bytes of one. */
	if (b.enc == ENC_PACKED && b.size > b.len * 1032)
		return -EBADMSG;
	if (b.enc == ENC_DELTA && (rc = get_base(p, ref,
	    near, &b)) < 0)
		return rc;
	p->data += b.len;
	if (p->nr == p->blobs->n && (rc = blobs_add(p->blobs, &b)) < 0)
		return rc;
	e->loc = LOC(p->area, p->nr);
	p->nr++;
	return 0;
}

static int
get_body(struct parser *p, const struct ent *ref, struct ent *e)
{
	switch (e->type) {
	case ENT_REG:
		return get_content(p, ref, e);
	case ENT_LNK:
		free(e->target);
		return get_str(&p->r, &e->target);
	case ENT_CHR:
	case ENT_BLK:
		e->major = get_u32(&p->r);
		e->minor = get_u32(&p->r);
		return 0;
	case ENT_DIR:
	case ENT_FIFO:
	case ENT_WHITEOUT:
	case ENT_SOCK:
	case ENT_NONE:
		break;
	}
	return -EBADMSG;
}

static int
get_xattr(struct rd *r, struct ent *e)
{
	size_t		 n = rd_len(r, r->n);
	const uint8_t	*p = rd_bytes(r, n);

	if (p == NULL)
		return -EBADMSG;
	free(e->xattr);
	e->xattr = NULL;
	e->xattrlen = 0;
	if (n == 0)
		return 0;
	if ((e->xattr = malloc(n)) == NULL)
		return -ENOMEM;
	memcpy(e->xattr, p, n);
	e->xattrlen = n;
	return 0;
}

/* The fields of an entry; ref is what it edits, or NULL. */
static int
get_fields(struct parser *p, const struct ent *ref, struct ent *e)
{
	uint8_t	 mask;
	int	 rc;

	if (ref == NULL) {
		e->type = rd_u8(&p->r);
		e->mode = meta_mode(e->type);
		if (e->type == ENT_WHITEOUT)
			return p->r.bad ? -EBADMSG : 0;
		if (e->type == ENT_REG)
			hash_mem(&e->hash, "", 0);
		e->mtime = p->last.sec;
		e->mtime_ns = p->last.ns;
	}
	mask = rd_u8(&p->r);
	if (p->r.bad || (mask & ~HAS_ALL) != 0)
		return -EBADMSG;
	if ((mask & HAS_MODE) != 0)
		e->mode = get_u32(&p->r);
	if ((mask & HAS_OWNER) != 0) {
		e->uid = get_u32(&p->r);
		e->gid = get_u32(&p->r);
	}
	if ((mask & HAS_TIME) != 0)
		get_time(p, e);
	if ((mask & HAS_XATTR) != 0 && (rc = get_xattr(&p->r, e)) < 0)
		return rc;
	if ((mask & HAS_LINK) != 0)
		e->link = get_u32(&p->r);
	if ((mask & HAS_BODY) != 0 && (rc = get_body(p, ref, e)) < 0)
		return rc;
	p->last = (struct when){ e->mtime, e->mtime_ns };
	return p->r.bad || !overlay_ent_ok(e) ? -EBADMSG : 0;
}

/* The path of a step, and where it is in the overlay before. */
static int
get_place(struct parser *p, uint8_t op, const char *prev, struct step *st)
{
	const struct ent	*ref;
	size_t			 k;

	st->at = NOWHERE;
	if ((op & OP_KNOWN) == 0)
		return get_path(p, prev, st);
	k = rd_len(&p->r, p->before->n - p->known);
	if (p->r.bad || k >= p->before->n - p->known)
		return -EBADMSG;
	st->at = p->known + k;
	p->known = st->at + 1;
	ref = &p->before->v[st->at];
	if ((op & OP_KIND) == OP_EDIT)
		return ent_copy(&st->c.e, ref);
	return (st->c.e.path = strdup(ref->path)) == NULL ? -ENOMEM : 0;
}

static int
get_step(struct parser *p, const char *prev, struct step *st)
{
	const struct ent	*ref = NULL;
	uint8_t			 op = rd_u8(&p->r);
	bool			 whole = p->type == REC_CHECK ||
				    p->type == REC_WHOLE;
	int			 rc;

	if (p->r.bad || (op & ~OP_ALL) != 0 || (op & OP_KIND) == OP_KIND ||
	    ((op & OP_KNOWN) == 0 && (op & OP_KIND) == OP_EDIT) ||
	    ((op & OP_CARRIED) != 0 && !whole))
		return -EBADMSG;
	if ((op & OP_WHO) != 0)
		p->w = rd_len(&p->r, p->nwho);
	st->carried = (op & OP_CARRIED) != 0;
	if (!st->carried && p->w < p->nwho) {
		st->c.uid = p->who[p->w].uid;
		memcpy(st->c.comm, p->who[p->w].comm, sizeof(st->c.comm));
	} else if (!st->carried)
		return -EBADMSG;
	if ((rc = get_place(p, op, prev, st)) < 0)
		return rc;
	if (p->m->s.n > 1 &&
	    path_cmp(prev, st->c.e.path) >= 0)
		return -EBADMSG;
	if (p->type == REC_NOTE && !hid_is(st->c.e.path))
		return -EBADMSG;
	if ((op & OP_KIND) == OP_DROP) {
		st->c.op = CHANGE_DROP;
		return whole || st->at != NOWHERE ? 0 : -EBADMSG;
	}
	st->c.op = CHANGE_SET;
	/* A path that is there is told by its number, and only so. */
	if ((op & OP_KIND) == OP_EDIT) {
		ref = &p->before->v[st->at];
		if (ref->type == ENT_WHITEOUT)
			return -EBADMSG;
	} else if (st->at == NOWHERE && ents_find(p->before, st->c.e.path))
		return -EBADMSG;
	return get_fields(p, ref, &st->c.e);
}

static int
get_steps(struct parser *p)
{
	struct steps	*s = &p->m->s;
	struct step	*v;
	const char	*prev = "";
	size_t		 n = rd_len(&p->r, p->r.n / 2), cap = 0;
	int		 rc;

	if (p->r.bad)
		return -EBADMSG;
	while (s->n < n) {
		if (s->n == cap) {
			cap = cap == 0 ? 32 : cap * 2;
			if ((v = realloc(s->v, cap * sizeof(*v))) == NULL)
				return -ENOMEM;
			s->v = v;
		}
		v = &s->v[s->n++];
		memset(v, 0, sizeof(*v));
		if ((rc = get_step(p, prev, v)) < 0)
			return rc;
		prev = v->c.e.path;
	}
	return 0;
}

/* What later versions may add is skipped: number, length, bytes. */
static int
get_tags(struct rd *r)
{
	while (r->n > 0) {
		(void)rd_var(r);
		(void)rd_bytes(r, rd_len(r, r->n));
		if (r->bad)
			return -EBADMSG;
	}
	return 0;
}

int
meta_get(struct rd r, enum rec_type type, const struct ents *before,
    uint32_t area, uint64_t data, uint64_t end, struct blobs *blobs,
    size_t first, struct meta *m)
{
	struct parser	 p;
	int		 rc;

	memset(&p, 0, sizeof(p));
	memset(m, 0, sizeof(*m));
	p.r = r;
	p.type = type;
	p.before = before;
	p.area = area;
	p.data = data;
	p.end = end;
	p.blobs = blobs;
	p.nr = first;
	p.w = SIZE_MAX;
	p.m = m;
	m->c.time = (int64_t)rd_le64(&p.r);
	m->c.uid = get_u32(&p.r);
	p.last = meta_start(m->c.time);
	if ((rc = get_str(&p.r, &m->c.user)) == 0 &&
	    (rc = get_str(&p.r, &m->c.msg)) == 0 &&
	    (rc = get_whos(&p)) == 0 &&
	    (rc = get_steps(&p)) == 0 &&
	    (rc = get_tags(&p.r)) == 0 && p.data != p.end)
		rc = -EBADMSG;
	free(p.who);
	if (rc < 0)
		meta_free(m);
	return rc;
}
