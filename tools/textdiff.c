/*
 * textdiff.c: which lines differ, and the unified format.
 *
 * Lines are first made small numbers, equal lines the same number.  The
 * common head and tail are cut off, and lines that only one text has are
 * set aside: they differ in any case.  What is left goes through Myers'
 * algorithm in linear space: from both ends of a box of the edit graph,
 * furthest reaching paths of rising cost are followed until they meet;
 * that point splits the box in two.
 *
 * The bound: where the two have not met after COST_MAX steps, the box is
 * split at the furthest point that either has reached.  So the work is at
 * most about COST_MAX times the number of lines, however little the texts
 * have in common; the result is then still a right difference, but may
 * not be the shortest.  Up to 2 * COST_MAX differing lines in one piece it
 * is the shortest.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "textdiff.h"

#define COST_MAX	1024
#define BINARY_LOOK	8000

typedef ptrdiff_t pos;		/* of a line; -1 and beyond the end occur */

struct line {
	const uint8_t	*p;	/* in the text */
	size_t		 n;	/* its newline too, where it has one */
	pos		 cls;	/* lines of both texts that are equal have
				   the same */
};

struct text {
	struct line	*v;	/* owned */
	size_t		 n;
	bool		*differs; /* owned, of each line */
};

struct class {
	const struct line *like;	/* the first of them */
	uint64_t	 h;		/* its hash */
	bool		 in[2];		/* which text has it */
};

/* The lines that are compared, by class, and where each came from. */
struct seq {
	pos		*cls;	/* owned */
	pos		*at;	/* owned: index of the line in its text */
	pos		 n;
};

struct box {			/* a[a0..a1) against b[b0..b1) */
	pos	a0, a1, b0, b1;
};

struct search {
	struct seq	 a, b;
	struct text	*ta, *tb;
	pos		*fwd;	/* by diagonal (a - b): furthest a from the
				   start; owned, with an offset of b.n + 1 */
	pos		*bwd;	/* and from the end */
	struct box	*todo;	/* owned stack */
	size_t		 ntodo, captodo;
};

bool
text_binary(const uint8_t *p, size_t n)
{
	if (n > BINARY_LOOK)
		n = BINARY_LOOK;
	return n > 0 && memchr(p, 0, n) != NULL;
}

static int
text_split(struct text *t, const uint8_t *p, size_t n)
{
	const uint8_t	*q, *end = n > 0 ? p + n : p;
	size_t		 k = 0;

	for (q = p; q < end; k++) {
		q = memchr(q, '\n', (size_t)(end - q));
		q = q == NULL ? end : q + 1;
	}
	if ((t->v = calloc(k + 1, sizeof(*t->v))) == NULL ||
	    (t->differs = calloc(k + 1, sizeof(*t->differs))) == NULL)
		return -ENOMEM;
	for (q = p; q < end; p = q) {
		q = memchr(p, '\n', (size_t)(end - p));
		q = q == NULL ? end : q + 1;
		t->v[t->n].p = p;
		t->v[t->n++].n = (size_t)(q - p);
	}
	return 0;
}

static void
text_free(struct text *t)
{
	free(t->v);
	free(t->differs);
}

static bool
line_same(const struct line *a, const struct line *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static uint64_t
line_hash(const struct line *l)
{
	uint64_t	 h = 0xcbf29ce484222325u;	/* FNV-1a */
	size_t		 i;

	for (i = 0; i < l->n; i++)
		h = (h ^ l->p[i]) * 0x100000001b3u;
	return h ^ h >> 32;
}

/* Give the lines [from, to) of text number `which` their classes. */
static void
classify(struct text *t, size_t from, size_t to, int which,
    struct class *cl, pos *ncl, pos *slot, size_t mask)
{
	struct line	*l;
	uint64_t	 h;
	size_t		 i, s;

	for (i = from; i < to; i++) {
		l = &t->v[i];
		h = line_hash(l);
		for (s = h & mask; slot[s] != 0; s = (s + 1) & mask)
			if (cl[slot[s] - 1].h == h &&
			    line_same(cl[slot[s] - 1].like, l))
				break;
		if (slot[s] == 0) {
			slot[s] = ++*ncl;
			cl[*ncl - 1].h = h;
			cl[*ncl - 1].like = l;
		}
		l->cls = slot[s] - 1;
		cl[l->cls].in[which] = true;
	}
}

/* The lines [from, to) that the other text has too; others differ. */
static int
seq_make(struct seq *s, struct text *t, size_t from, size_t to,
    const struct class *cl)
{
	size_t	 i;
	pos	 c;

	if ((s->cls = calloc(to - from + 1, sizeof(*s->cls))) == NULL ||
	    (s->at = calloc(to - from + 1, sizeof(*s->at))) == NULL)
		return -ENOMEM;
	for (i = from; i < to; i++) {
		c = t->v[i].cls;
		if (!cl[c].in[0] || !cl[c].in[1]) {
			t->differs[i] = true;
			continue;
		}
		s->cls[s->n] = c;
		s->at[s->n++] = (pos)i;
	}
	return 0;
}

/* Fill in both sequences from the lines between common head and tail. */
static int
search_prepare(struct search *s)
{
	struct text	*a = s->ta, *b = s->tb;
	struct class	*cl = NULL;
	size_t		 head, ae = a->n, be = b->n, size;
	pos		*slot = NULL, ncl = 0;
	int		 rc = -ENOMEM;

	for (head = 0; head < ae && head < be; head++)
		if (!line_same(&a->v[head], &b->v[head]))
			break;
	while (ae > head && be > head && line_same(&a->v[ae - 1],
	    &b->v[be - 1])) {
		ae--;
		be--;
	}
	for (size = 16; size < 2 * (ae - head + be - head); size *= 2)
		;
	cl = calloc(ae - head + be - head + 1, sizeof(*cl));
	slot = calloc(size, sizeof(*slot));
	if (cl != NULL && slot != NULL) {
		classify(a, head, ae, 0, cl, &ncl, slot, size - 1);
		classify(b, head, be, 1, cl, &ncl, slot, size - 1);
		rc = seq_make(&s->a, a, head, ae, cl);
		if (rc == 0)
			rc = seq_make(&s->b, b, head, be, cl);
	}
	free(cl);
	free(slot);
	return rc;
}

/* One step more from the start of the box; true where the two met. */
static bool
step_fwd(struct search *s, const struct box *x, pos lo, pos hi,
    pos blo, pos bhi, bool meet, pos *ma, pos *mb)
{
	pos	*f = s->fwd, d, i, j;

	for (d = hi; d >= lo; d -= 2) {
		i = f[d - 1] < f[d + 1] ? f[d + 1] : f[d - 1] + 1;
		j = i - d;
		while (i < x->a1 && j < x->b1 && s->a.cls[i] == s->b.cls[j]) {
			i++;
			j++;
		}
		f[d] = i;
		if (meet && d >= blo && d <= bhi && s->bwd[d] <= i) {
			*ma = i;
			*mb = j;
			return true;
		}
	}
	return false;
}

/* The same from its end. */
static bool
step_bwd(struct search *s, const struct box *x, pos lo, pos hi,
    pos flo, pos fhi, bool meet, pos *ma, pos *mb)
{
	pos	*r = s->bwd, d, i, j;

	for (d = hi; d >= lo; d -= 2) {
		i = r[d - 1] < r[d + 1] ? r[d - 1] : r[d + 1] - 1;
		j = i - d;
		while (i > x->a0 && j > x->b0 &&
		    s->a.cls[i - 1] == s->b.cls[j - 1]) {
			i--;
			j--;
		}
		r[d] = i;
		if (meet && d >= flo && d <= fhi && i <= s->fwd[d]) {
			*ma = i;
			*mb = j;
			return true;
		}
	}
	return false;
}

/* Too dear: the point that is furthest from where its path began. */
static void
give_up(const struct search *s, const struct box *x, pos flo, pos fhi,
    pos blo, pos bhi, pos *ma, pos *mb)
{
	pos	 d, i, j, far = -1, back = -1;

	for (d = fhi; d >= flo; d -= 2) {
		i = s->fwd[d] < x->a1 ? s->fwd[d] : x->a1;
		if ((j = i - d) > x->b1) {
			j = x->b1;
			i = j + d;
		}
		if (i - x->a0 + j - x->b0 > far) {
			far = i - x->a0 + j - x->b0;
			*ma = i;
			*mb = j;
		}
	}
	for (d = bhi; d >= blo; d -= 2) {
		i = s->bwd[d] > x->a0 ? s->bwd[d] : x->a0;
		if ((j = i - d) < x->b0) {
			j = x->b0;
			i = j + d;
		}
		if (x->a1 - i + x->b1 - j > back) {
			back = x->a1 - i + x->b1 - j;
			if (back > far) {
				*ma = i;
				*mb = j;
			}
		}
	}
}

/*
 * A point on a shortest (or, past COST_MAX, some) path through the box,
 * which begins and ends with lines that differ.
 */
static void
split(struct search *s, const struct box *x, pos *ma, pos *mb)
{
	const pos	 dmin = x->a0 - x->b1, dmax = x->a1 - x->b0;
	const pos	 f0 = x->a0 - x->b0, b0 = x->a1 - x->b1;
	const bool	 odd = ((f0 - b0) & 1) != 0;
	pos		 flo = f0, fhi = f0, blo = b0, bhi = b0;
	int		 cost;

	s->fwd[f0] = x->a0;
	s->bwd[b0] = x->a1;
	for (cost = 1; ; cost++) {
		/* One diagonal wider on each side that is in the box. */
		if (flo > dmin)
			s->fwd[--flo - 1] = -1;
		else
			flo++;
		if (fhi < dmax)
			s->fwd[++fhi + 1] = -1;
		else
			fhi--;
		if (step_fwd(s, x, flo, fhi, blo, bhi, odd, ma, mb))
			return;
		if (blo > dmin)
			s->bwd[--blo - 1] = PTRDIFF_MAX;
		else
			blo++;
		if (bhi < dmax)
			s->bwd[++bhi + 1] = PTRDIFF_MAX;
		else
			bhi--;
		if (step_bwd(s, x, blo, bhi, flo, fhi, !odd, ma, mb))
			return;
		if (cost >= COST_MAX) {
			give_up(s, x, flo, fhi, blo, bhi, ma, mb);
			return;
		}
	}
}

static int
todo_push(struct search *s, pos a0, pos a1, pos b0, pos b1)
{
	if (more_room(&s->todo, s->ntodo, &s->captodo, sizeof(*s->todo)) < 0)
		return -ENOMEM;
	s->todo[s->ntodo++] = (struct box){ a0, a1, b0, b1 };
	return 0;
}

/* Mark what differs in all boxes on the stack. */
static int
search_run(struct search *s)
{
	struct box	 x;
	pos		 i = 0, j = 0;
	int		 rc = 0;

	while (s->ntodo > 0 && rc == 0) {
		x = s->todo[--s->ntodo];
		while (x.a0 < x.a1 && x.b0 < x.b1 &&
		    s->a.cls[x.a0] == s->b.cls[x.b0]) {
			x.a0++;
			x.b0++;
		}
		while (x.a0 < x.a1 && x.b0 < x.b1 &&
		    s->a.cls[x.a1 - 1] == s->b.cls[x.b1 - 1]) {
			x.a1--;
			x.b1--;
		}
		if (x.a0 == x.a1) {
			for (; x.b0 < x.b1; x.b0++)
				s->tb->differs[s->b.at[x.b0]] = true;
		} else if (x.b0 == x.b1) {
			for (; x.a0 < x.a1; x.a0++)
				s->ta->differs[s->a.at[x.a0]] = true;
		} else {
			split(s, &x, &i, &j);
			if ((rc = todo_push(s, i, x.a1, j, x.b1)) == 0)
				rc = todo_push(s, x.a0, i, x.b0, j);
		}
	}
	return rc;
}

static int
search(struct text *a, struct text *b)
{
	struct search	 s = { .ta = a, .tb = b };
	pos		*f = NULL, *r = NULL;
	size_t		 n;
	int		 rc;

	if ((rc = search_prepare(&s)) < 0)
		goto out;
	n = (size_t)(s.a.n + s.b.n) + 3;
	f = calloc(n, sizeof(*f));
	r = calloc(n, sizeof(*r));
	if (f == NULL || r == NULL) {
		rc = -ENOMEM;
		goto out;
	}
	s.fwd = f + s.b.n + 1;
	s.bwd = r + s.b.n + 1;
	if ((rc = todo_push(&s, 0, s.a.n, 0, s.b.n)) == 0)
		rc = search_run(&s);
out:
	free(f);
	free(r);
	free(s.todo);
	free(s.a.cls);
	free(s.a.at);
	free(s.b.cls);
	free(s.b.at);
	return rc;
}

/*
 * The marks as runs.  A run of one side alone is moved down as far as the
 * same lines follow, as diff(1) and git show it; so it may join the next.
 */
static int
runs(const struct text *a, const struct text *b, struct hunk **hp,
    size_t *np)
{
	struct hunk	*h = NULL, x;
	size_t		 i = 0, j = 0, n = 0, cap = 0;

	for (;;) {
		while (i < a->n && j < b->n && !a->differs[i] &&
		    !b->differs[j]) {
			i++;
			j++;
		}
		if (i == a->n && j == b->n)
			break;
		x = (struct hunk){ i, i, j, j };
again:
		while (x.a1 < a->n && a->differs[x.a1])
			x.a1++;
		while (x.b1 < b->n && b->differs[x.b1])
			x.b1++;
		if (x.a1 < a->n && x.b1 < b->n &&
		    ((x.b0 == x.b1 && line_same(&a->v[x.a0], &a->v[x.a1])) ||
		    (x.a0 == x.a1 && line_same(&b->v[x.b0], &b->v[x.b1])))) {
			x.a0++;
			x.a1++;
			x.b0++;
			x.b1++;
			goto again;
		}
		if (more_room(&h, n, &cap, sizeof(*h)) < 0) {
			free(h);
			return -ENOMEM;
		}
		h[n++] = x;
		i = x.a1;
		j = x.b1;
	}
	*hp = h;
	*np = n;
	return 0;
}

/* Both texts split, and the runs in which they differ. */
static int
compare(struct text *ta, const uint8_t *a, size_t an, struct text *tb,
    const uint8_t *b, size_t bn, struct hunk **h, size_t *nh, struct err *e)
{
	int	 rc;

	*h = NULL;
	*nh = 0;
	if ((rc = text_split(ta, a, an)) < 0 ||
	    (rc = text_split(tb, b, bn)) < 0 ||
	    (rc = search(ta, tb)) < 0 ||
	    (rc = runs(ta, tb, h, nh)) < 0)
		return err_set(e, -rc, "compare lines");
	return 0;
}

int
text_hunks(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
    struct hunk **h, size_t *nh, struct err *e)
{
	struct text	 ta = { 0 }, tb = { 0 };
	int		 rc;

	rc = compare(&ta, a, an, &tb, b, bn, h, nh, e);
	text_free(&ta);
	text_free(&tb);
	return rc;
}

static void
put_lines(struct buf *out, char mark, const struct text *t, size_t from,
    size_t to)
{
	const struct line	*l;

	for (; from < to; from++) {
		l = &t->v[from];
		put_u8(out, (uint8_t)mark);
		put_bytes(out, l->p, l->n);
		if (l->p[l->n - 1] != '\n')
			put_fmt(out, "\n\\ No newline at end of file\n");
	}
}

/* "12,3": where lines [from, to) are, counted from 1; none are after. */
static void
put_range(struct buf *out, size_t from, size_t to)
{
	put_fmt(out, "%zu", to > from ? from + 1 : from);
	if (to - from != 1)
		put_fmt(out, ",%zu", to - from);
}

/* One "@@" part: these runs, and the lines around. */
static void
put_part(struct buf *out, const struct text *a, const struct text *b,
    const struct hunk *h, size_t n, size_t context)
{
	const struct hunk	*l = &h[n - 1];
	size_t			 before, after, i, at;

	before = h->a0 < context ? h->a0 : context;
	after = a->n - l->a1 < context ? a->n - l->a1 : context;
	put_fmt(out, "@@ -");
	put_range(out, h->a0 - before, l->a1 + after);
	put_fmt(out, " +");
	put_range(out, h->b0 - before, l->b1 + after);
	put_fmt(out, " @@\n");
	at = h->a0 - before;
	for (i = 0; i < n; i++) {
		put_lines(out, ' ', a, at, h[i].a0);
		put_lines(out, '-', a, h[i].a0, h[i].a1);
		put_lines(out, '+', b, h[i].b0, h[i].b1);
		at = h[i].a1;
	}
	put_lines(out, ' ', a, at, at + after);
}

int
text_unified(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
    unsigned context, struct buf *out, size_t *added, size_t *removed,
    struct err *e)
{
	struct text	 ta = { 0 }, tb = { 0 };
	struct hunk	*h = NULL;
	size_t		 nh = 0, i, k;
	int		 rc;

	*added = *removed = 0;
	rc = compare(&ta, a, an, &tb, b, bn, &h, &nh, e);
	for (i = 0; rc == 0 && i < nh; i += k) {
		for (k = 1; i + k < nh; k++)
			if ((h[i + k].a0 - h[i + k - 1].a1) / 2 > context ||
			    h[i + k].a0 - h[i + k - 1].a1 > 2 * (size_t)context)
				break;
		put_part(out, &ta, &tb, h + i, k, context);
	}
	for (i = 0; rc == 0 && i < nh; i++) {
		*removed += h[i].a1 - h[i].a0;
		*added += h[i].b1 - h[i].b0;
	}
	if (rc == 0 && out->bad)
		rc = err_set(e, ENOMEM, "compare lines");
	free(h);
	text_free(&ta);
	text_free(&tb);
	return rc;
}
