/*
 * pin.c: paths that stay as they are, whatever a new base brings.
 */
#include <errno.h>
#include <string.h>

#include "../lib/path.h"
#include "pin.h"

#define PIN_MAX		(1024 * 1024)	/* bytes of the file */

int
pin_parse(struct strs *l, const struct buf *b)
{
	const char	*s = (const char *)b->p, *end = s, *q;
	size_t		 n;

	if (b->len > 0)
		end = s + b->len;
	for (; s < end; s = q + 1) {
		q = memchr(s, '\n', (size_t)(end - s));
		if (q == NULL)
			q = end;
		n = (size_t)(q - s);
		if (n > 0 && *s != '#' && path_ok(s, n) &&
		    strs_put(l, strndup(s, n)) < 0)
			return -ENOMEM;
	}
	return 0;
}

int
pin_read(struct strs *l, int tree, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 rc = walk_slurp(tree, PIN_FILE, PIN_MAX, &b);

	if (rc == -ENOENT || rc == -ENOTDIR)
		return 0;
	if (rc == 0)
		rc = pin_parse(l, &b);
	buf_free(&b);
	return rc < 0 ? err_set(e, -rc, "read %s", PIN_FILE) : 0;
}

bool
pin_has(const struct strs *l, const char *path)
{
	size_t	 i;

	for (i = 0; l != NULL && i < l->n; i++)
		if (path_within(path, l->v[i]))
			return true;
	return false;
}
