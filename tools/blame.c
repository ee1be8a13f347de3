/*
 * blame.c: with which version of a text each of its lines came.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "blame.h"
#include "textdiff.h"

/* A last line without a newline is one, too. */
static size_t
count_lines(const struct buf *b)
{
	const uint8_t	*p = b->p, *end = p + b->len;
	size_t		 n = 0;

	for (; p < end; n++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p == NULL ? end : p + 1;
	}
	return n;
}

int
blame_add(struct blame *b, struct buf *text, size_t version, struct err *e)
{
	struct hunk	*h = NULL;
	size_t		*by, n = count_lines(text), nh, i, k = 0, was = 0;
	int		 rc;

	if (text->bad || (by = calloc(n + 1, sizeof(*by))) == NULL)
		return err_set(e, ENOMEM, "blame");
	if ((rc = text_hunks(b->text.p, b->text.len, text->p, text->len, &h,
	    &nh, e)) < 0) {
		free(by);
		return rc;
	}
	for (i = 0; i < n; i++) {
		while (k < nh && i >= h[k].b1)
			was = h[k++].a1;
		/* Where lines went and none came, they are passed over. */
		if (k < nh && i >= h[k].b0)
			by[i] = version;
		else
			by[i] = b->by[was++];
	}
	free(h);
	blame_free(b);
	b->text = *text;
	b->by = by;
	b->n = n;
	*text = (struct buf)BUF_INIT;
	return 0;
}

void
blame_free(struct blame *b)
{
	buf_free(&b->text);
	free(b->by);
	b->by = NULL;
	b->n = 0;
}
