/*
 * merge3.c: three-way merge by lines.
 *
 * The runs by which each side differs from the old text are gone through
 * in the old text's order.  Runs of the two sides that overlap or touch
 * make one block; what lies between blocks is the same in all three, so
 * each text is read once, from front to back.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "merge3.h"
#include "textdiff.h"

struct span {			/* some lines of a text */
	const uint8_t	*p;
	size_t		 n;	/* bytes */
};

struct side {
	struct hunk	*h;	/* owned; what the old text became; none for
				   the old text itself */
	size_t		 n;
	size_t		 next;	/* first that is in no block yet */
	size_t		 shift;	/* its lines minus the old text's, so far; may
				   be below zero, modulo 2^n */
	struct span	 left;	/* what was not read yet */
	size_t		 line;	/* number of its first line */
};

struct merge {
	struct side	 old, mine, theirs;
	struct merge3	*m;
};

/* Read on up to this line. */
static struct span
take(struct side *s, size_t line)
{
	const uint8_t	*p = s->left.p, *q = p, *end;
	struct span	 x = { p, 0 };

	if (s->left.n == 0)
		return x;
	for (end = p + s->left.n; s->line < line && q < end; s->line++) {
		q = memchr(q, '\n', (size_t)(end - q));
		q = q == NULL ? end : q + 1;
	}
	x.n = (size_t)(q - p);
	s->left.p = q;
	s->left.n -= x.n;
	return x;
}

static bool
same(const struct span *a, const struct span *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* Take in the side's runs that touch the block, which ends at *end. */
static bool
grow(struct side *s, size_t *end)
{
	const struct hunk	*h;
	size_t			 from = s->next;

	for (; s->next < s->n && s->h[s->next].a0 <= *end; s->next++) {
		h = &s->h[s->next];
		if (h->a1 > *end)
			*end = h->a1;
		s->shift = h->b1 - h->a1;
	}
	return s->next > from;
}

static void
put_side(struct buf *b, const char *mark, const struct span *s)
{
	put_fmt(b, "%s\n", mark);
	put_bytes(b, s->p, s->n);
	if (s->n > 0 && s->p[s->n - 1] != '\n')
		put_u8(b, '\n');
}

/* What each has of one block. */
static void
put_block(struct merge3 *m, const struct span *o, const struct span *a,
    const struct span *b)
{
	if (same(a, b)) {
		m->both++;
		put_bytes(&m->text, a->p, a->n);
		return;
	}
	m->conflicts++;
	put_side(&m->text, MERGE3_MINE, a);
	put_side(&m->text, MERGE3_OLD, o);
	put_side(&m->text, MERGE3_OR, b);
	put_fmt(&m->text, "%s\n", MERGE3_THEIRS);
}

/* The block that begins at this line of the old text, and what is before
 * it. */
static void
block(struct merge *g, size_t start)
{
	struct side	*mi = &g->mine, *th = &g->theirs;
	struct span	 x, o, a, b;
	size_t		 end = start;
	bool		 m = false, t = false, more;

	(void)take(&g->old, start);
	x = take(mi, start + mi->shift);
	(void)take(th, start + th->shift);
	put_bytes(&g->m->text, x.p, x.n);
	do {
		more = grow(mi, &end);
		m = m || more;
		if (grow(th, &end))
			t = more = true;
	} while (more);
	o = take(&g->old, end);
	a = take(mi, end + mi->shift);
	b = take(th, end + th->shift);
	if (m && t) {
		put_block(g->m, &o, &a, &b);
	} else if (m) {
		g->m->mine++;
		put_bytes(&g->m->text, a.p, a.n);
	} else {
		g->m->theirs++;
		put_bytes(&g->m->text, b.p, b.n);
	}
}

static void
blocks(struct merge *g)
{
	const struct side	*mi = &g->mine, *th = &g->theirs;
	size_t			 start;

	while (mi->next < mi->n || th->next < th->n) {
		start = mi->next < mi->n ? mi->h[mi->next].a0 : SIZE_MAX;
		if (th->next < th->n && th->h[th->next].a0 < start)
			start = th->h[th->next].a0;
		block(g, start);
	}
	put_bytes(&g->m->text, mi->left.p, mi->left.n);
}

int
merge3(const struct buf *old, const struct buf *mine,
    const struct buf *theirs, struct merge3 *m, struct err *e)
{
	struct merge	 g = { .m = m };
	int		 rc;

	memset(m, 0, sizeof(*m));
	if (text_binary(old->p, old->len) || text_binary(mine->p, mine->len) ||
	    text_binary(theirs->p, theirs->len)) {
		m->binary = true;
		m->conflicts = 1;
		return 0;
	}
	g.old.left = (struct span){ old->p, old->len };
	g.mine.left = (struct span){ mine->p, mine->len };
	g.theirs.left = (struct span){ theirs->p, theirs->len };
	if ((rc = text_hunks(old->p, old->len, mine->p, mine->len, &g.mine.h,
	    &g.mine.n, e)) == 0 &&
	    (rc = text_hunks(old->p, old->len, theirs->p, theirs->len,
	    &g.theirs.h, &g.theirs.n, e)) == 0) {
		blocks(&g);
		if (m->text.bad)
			rc = err_set(e, ENOMEM, "merge");
	}
	free(g.mine.h);
	free(g.theirs.h);
	if (rc < 0)
		buf_free(&m->text);
	return rc;
}

static bool
line_is(const uint8_t *p, size_t n, const char *s)
{
	return n == strlen(s) && memcmp(p, s, n) == 0;
}

bool
merge3_marked(const uint8_t *p, size_t n)
{
	const uint8_t	*q;
	size_t		 k;

	for (; n > 0; p += k, n -= k) {
		q = memchr(p, '\n', n);
		k = q == NULL ? n : (size_t)(q - p);
		if (line_is(p, k, MERGE3_MINE) || line_is(p, k, MERGE3_OLD) ||
		    line_is(p, k, MERGE3_THEIRS))
			return true;
		k += q != NULL;
	}
	return false;
}
