/*
 * delta.c: copy and insert at byte grain.
 *
 * A delta is a list of operations, each an insertion and then a copy
 * from the old content (either may be empty), and the inserted text.  The
 * text is deflated, with what stood at these places in the old content
 * as the dictionary, where that is smaller; so are the operations.
 * cfgstore(5) has the layout.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta.h"
#include "z.h"
#include "zz.h"

#define WIN		8	/* bytes that are hashed to find a match */
#define TRIES		16	/* candidates looked at for each */
#define NEAR		16	/* bytes that a replacement differs in length */
#define NEAR_INS	64	/* and bytes of it, to be looked for first */
#define INDEX_MAX	(1u << 20) /* positions of the old content indexed */
#define AROUND		256	/* bytes of the old text around a gap, and */
#define GAP_MAX		4096	/* most bytes of a gap, in the dictionary */
#define DICT_MAX	32768

/* Where each window of the old content is. */
struct index {
	const uint8_t	*p;
	size_t		 n;
	size_t		 step;		/* every step'th position is there */
	uint32_t	*head;		/* by hash: 1 + number of position */
	uint32_t	*next;		/* 1 + the next of the same hash */
	unsigned	 bits;		/* of the hash */
};

struct maker {
	struct buf	 ops;
	struct buf	 text;
	struct buf	 dict;
	size_t		 done;		/* bytes of the new content covered */
	size_t		 opos;		/* end of the last copy in the old */
};

static uint32_t
win_hash(const uint8_t *p, unsigned bits)
{
	return (uint32_t)(get_le64(p) * 0x9e3779b97f4a7c15u >> (64 - bits));
}

static int
index_make(struct index *x, const uint8_t *p, size_t n)
{
	size_t	 i, k;
	uint32_t h;

	x->p = p;
	x->n = n;
	x->step = n / INDEX_MAX + 1;
	k = n < WIN ? 0 : (n - WIN) / x->step + 1;
	for (x->bits = 8; x->bits < 20 && (size_t)1 << x->bits < k; x->bits++)
		;
	x->head = calloc((size_t)1 << x->bits, sizeof(*x->head));
	x->next = calloc(k + 1, sizeof(*x->next));
	if (x->head == NULL || x->next == NULL)
		return -ENOMEM;
	/* From the end, so that the first of equal windows is met first. */
	for (i = k; i-- > 0;) {
		h = win_hash(p + i * x->step, x->bits);
		x->next[i] = x->head[h];
		x->head[h] = (uint32_t)i + 1;
	}
	return 0;
}

static size_t
same_from(const uint8_t *a, size_t an, const uint8_t *b, size_t bn)
{
	size_t	 i = 0, n = an < bn ? an : bn;

	while (i + 8 <= n && memcmp(a + i, b + i, 8) == 0)
		i += 8;
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* What stood around [from, to) of the old content joins the dictionary. */
static void
dict_add(struct buf *dict, const uint8_t *old, size_t n, size_t from,
    size_t to)
{
	size_t	 k;

	if (to < from)
		to = from;
	if (to - from > GAP_MAX)
		to = from + GAP_MAX;
	from = from < AROUND ? 0 : from - AROUND;
	to = n - to < AROUND ? n : to + AROUND;
	k = to - from;
	if (k > DICT_MAX - dict->len)
		k = DICT_MAX - dict->len;
	put_bytes(dict, old + from, k);
}

/* An insertion up to `at` of the new content, and a copy from `from`;
 * a copy to the new one's end has length 0. */
static void
emit(struct maker *m, const struct index *x, const uint8_t *to, size_t n,
    size_t at, size_t from, size_t len)
{
	size_t	 ins = at - m->done;

	put_var(&m->ops, ins);
	put_var(&m->ops, at + len == n ? 0 : len);
	if (len > 0)
		put_var(&m->ops, zigzag((int64_t)from - (int64_t)m->opos));
	if (ins > 0) {
		put_bytes(&m->text, to + m->done, ins);
		dict_add(&m->dict, x->p, x->n, m->opos, len > 0 ? from : x->n);
	}
	m->done = at + len;
	if (len > 0)
		m->opos = from + len;
}

static void
try_at(const struct index *x, const uint8_t *to, size_t n, size_t at,
    size_t p, size_t handicap, size_t *best, size_t *from)
{
	size_t	 len;

	if (p >= x->n)
		return;
	len = same_from(x->p + p, x->n - p, to + at, n - at);
	if (len >= WIN + handicap && len > *best + handicap) {
		*best = len;
		*from = p;
	}
}

/*
 * The best match of what begins at `at`: its length, with its place in
 * the old content in *from.  Going on about where the last copy ended is
 * cheap to say, and most often right, so this is tried first, and
 * preferred to what is hardly longer.
 */
static size_t
best_match(const struct maker *m, const struct index *x, const uint8_t *to,
    size_t n, size_t at, size_t *from)
{
	size_t	 ins = at - m->done, best = 0, k;
	uint32_t c;
	int	 i;

	try_at(x, to, n, at, m->opos, 0, &best, from);
	for (k = 0; ins <= NEAR_INS && k <= 2 * NEAR; k++)
		if (m->opos + ins + k >= NEAR)
			try_at(x, to, n, at, m->opos + ins + k - NEAR, 0,
			    &best, from);
	c = x->head[win_hash(to + at, x->bits)];
	for (i = 0; i < TRIES && c != 0; i++, c = x->next[c - 1])
		try_at(x, to, n, at, (c - 1) * x->step, 4, &best, from);
	return best;
}

static void
find_all(struct maker *m, const struct index *x, const uint8_t *to, size_t n)
{
	size_t	 at = 0, from = 0, len, k;

	while (n >= WIN && at <= n - WIN && x->n >= WIN) {
		if ((len = best_match(m, x, to, n, at, &from)) == 0) {
			at++;
			continue;
		}
		for (k = 0; at - k > m->done && from > k &&
		    to[at - k - 1] == x->p[from - k - 1];)
			k++;
		emit(m, x, to, n, at - k, from - k, len + k);
		at = m->done;
	}
	/* The common end, which windows may have missed. */
	for (k = 0; n - k > m->done && x->n > k &&
	    to[n - k - 1] == x->p[x->n - k - 1];)
		k++;
	if (k > 3)
		emit(m, x, to, n, n - k, x->n - k, k);
	if (m->done < n)
		emit(m, x, to, n, n, 0, 0);
}

/* Pack, and say whether that made it smaller by more than `cost`. */
static int
pack(struct buf *out, const struct buf *in, const struct buf *dict,
    size_t cost, bool *smaller)
{
	int	 rc = 0;

	*smaller = false;
	if (in->len > cost + 2)
		rc = z_pack(out, in->p, in->len, dict == NULL ? NULL : dict->p,
		    dict == NULL ? 0 : dict->len);
	if (rc == 0 && in->len > cost + 2)
		*smaller = out->len + cost < in->len;
	return rc;
}

int
delta_make(struct buf *out, uint8_t *how, const uint8_t *from, size_t fn,
    const uint8_t *to, size_t n)
{
	struct maker	 m = { BUF_INIT, BUF_INIT, BUF_INIT, 0, 0 };
	struct index	 x = { NULL, 0, 0, NULL, NULL, 0 };
	struct buf	 zo = BUF_INIT, zt = BUF_INIT;
	bool		 po, pt;
	int		 rc;

	if ((rc = index_make(&x, from, fn)) < 0)
		goto out;
	find_all(&m, &x, to, n);
	rc = -ENOMEM;
	if (m.ops.bad || m.text.bad || m.dict.bad)
		goto out;
	if ((rc = pack(&zo, &m.ops, NULL, 4, &po)) < 0 ||
	    (rc = pack(&zt, &m.text, &m.dict, 0, &pt)) < 0)
		goto out;
	*how = (uint8_t)((po ? OPS_PACKED : 0) | (pt ? TEXT_PACKED : 0));
	if (po) {
		put_var(out, m.ops.len);
		put_var(out, zo.len);
		put_bytes(out, zo.p, zo.len);
	} else
		put_bytes(out, m.ops.p, m.ops.len);
	if (pt)
		put_bytes(out, zt.p, zt.len);
	else
		put_bytes(out, m.text.p, m.text.len);
	rc = out->bad ? -ENOMEM : 0;
out:
	free(x.head);
	free(x.next);
	buf_free(&m.ops);
	buf_free(&m.text);
	buf_free(&m.dict);
	buf_free(&zo);
	buf_free(&zt);
	return rc;
}

/* One operation, its bounds checked against both contents. */
static bool
get_op(struct rd *r, size_t done, size_t n, size_t opos, size_t fn,
    size_t *ins, size_t *len, size_t *from)
{
	int64_t	 d;

	*ins = rd_len(r, n - done);
	*len = rd_len(r, r->bad ? 0 : n - done - *ins);
	*from = opos;
	if (r->bad)
		return false;
	if (*len == 0)
		*len = n - done - *ins;
	if (*len == 0)
		return true;
	d = unzigzag(rd_var(r));
	if (r->bad || (d < 0 ? (uint64_t)-(d + 1) >= opos :
	    (uint64_t)d > fn - opos))
		return false;
	*from = d < 0 ? opos - (size_t)-(d + 1) - 1 : opos + (size_t)d;
	return *len <= fn - *from;
}

/* The bytes of text that the operations ask for, and its dictionary. */
static bool
measure(struct rd r, size_t n, const uint8_t *old, size_t fn, size_t *text,
    size_t *opsize, struct buf *dict)
{
	size_t	 done = 0, opos = 0, ins, len, from, all = r.n;

	*text = 0;
	while (done < n) {
		if (!get_op(&r, done, n, opos, fn, &ins, &len, &from))
			return false;
		if (ins > 0)
			dict_add(dict, old, fn, opos, len > 0 ? from : fn);
		*text += ins;
		done += ins + len;
		if (len > 0)
			opos = from + len;
	}
	*opsize = all - r.n;
	return true;
}

static void
play(uint8_t *to, size_t n, const uint8_t *old, size_t fn, struct rd r,
    const uint8_t *text)
{
	size_t	 done = 0, opos = 0, ins, len, from;

	while (done < n && get_op(&r, done, n, opos, fn, &ins, &len, &from)) {
		if (ins > 0)
			memcpy(to + done, text, ins);
		text += ins;
		done += ins;
		if (len > 0) {
			memcpy(to + done, old + from, len);
			opos = from + len;
		}
		done += len;
	}
}

int
delta_apply(uint8_t *to, size_t n, const uint8_t *from, size_t fn,
    uint8_t how, const uint8_t *d, size_t dn)
{
	struct rd	 r = { d, dn, false }, ops;
	struct buf	 dict = BUF_INIT;
	uint8_t		*opbuf = NULL, *textbuf = NULL;
	const uint8_t	*z, *text;
	size_t		 raw, packed, textlen, opsize;
	int		 rc = -EBADMSG;

	if ((how & ~(OPS_PACKED | TEXT_PACKED)) != 0)
		return -EBADMSG;
	ops = r;
	if ((how & OPS_PACKED) != 0) {
		raw = rd_len(&r, dn > SIZE_MAX / 1032 ? SIZE_MAX :
		    dn * 1032);		/* deflate's best */
		packed = rd_len(&r, dn);
		if ((z = rd_bytes(&r, packed)) == NULL || raw == 0)
			goto out;
		rc = -ENOMEM;
		if ((opbuf = malloc(raw)) == NULL ||
		    (rc = z_unpack(opbuf, raw, z, packed, NULL, 0)) < 0)
			goto out;
		ops = (struct rd){ opbuf, raw, false };
	}
	rc = -EBADMSG;
	if (!measure(ops, n, from, fn, &textlen, &opsize, &dict))
		goto out;
	if (opbuf != NULL ? opsize != raw : rd_bytes(&r, opsize) == NULL)
		goto out;
	rc = -ENOMEM;
	if (dict.bad)
		goto out;
	text = r.p;
	if ((how & TEXT_PACKED) != 0) {
		if ((textbuf = malloc(textlen + 1)) == NULL ||
		    (rc = z_unpack(textbuf, textlen, r.p, r.n, dict.p,
		    dict.len)) < 0)
			goto out;
		text = textbuf;
	} else if (r.n != textlen) {
		rc = -EBADMSG;
		goto out;
	}
	play(to, n, from, fn, ops, text);
	rc = 0;
out:
	buf_free(&dict);
	free(opbuf);
	free(textbuf);
	return rc;
}
