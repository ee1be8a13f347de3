/*
 * wearcost.c: what each path cost.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../lib/path.h"
#include "wear.h"

struct costs {
	struct wear_cost *v;		/* a path as often as it was written */
	size_t		 n, cap;
	int64_t		 since;
};

static int
put(struct costs *c, const char *path, uint64_t bytes)
{
	struct wear_cost	*x;

	if (more_room(&c->v, c->n, &c->cap, sizeof(*c->v)) < 0)
		return -ENOMEM;
	x = &c->v[c->n];
	*x = (struct wear_cost){ strdup(path), bytes, 1 };
	if (x->path == NULL)
		return -ENOMEM;
	c->n++;
	return 0;
}

static int
of_write(void *arg, const struct store_write *w)
{
	struct costs	*c = arg;
	uint64_t	 rest = w->bytes;
	size_t		 i;
	int		 rc = 0;

	if (w->time <= c->since || w->n == 0)
		return 0;
	for (i = 0; i < w->n; i++)
		rest -= w->stored[i] < rest ? w->stored[i] : rest;
	/* The first has what can't be divided, so that sums are right. */
	for (i = 0; rc == 0 && i < w->n; i++)
		rc = put(c, w->path[i], w->stored[i] + rest / w->n +
		    (i == 0 ? rest % w->n : 0));
	return rc;
}

static int
by_path(const void *a, const void *b)
{
	return path_cmp(((const struct wear_cost *)a)->path,
	    ((const struct wear_cost *)b)->path);
}

static int
by_cost(const void *a, const void *b)
{
	const struct wear_cost	*x = a, *y = b;

	return x->bytes > y->bytes ? -1 : x->bytes < y->bytes ? 1 :
	    path_cmp(x->path, y->path);
}

/* Each path once. */
static void
join(struct costs *c)
{
	size_t	 i, k = 0;

	qsort(c->v, c->n, sizeof(*c->v), by_path);
	for (i = 1; i < c->n; i++)
		if (strcmp(c->v[k].path, c->v[i].path) == 0) {
			c->v[k].bytes += c->v[i].bytes;
			c->v[k].writes += c->v[i].writes;
			free(c->v[i].path);
		} else
			c->v[++k] = c->v[i];
	c->n = k + 1;
	qsort(c->v, c->n, sizeof(*c->v), by_cost);
}

int
wear_costs(struct store *s, int64_t since, struct wear_cost **v, size_t *n,
    struct err *e)
{
	struct costs	 c = { .since = since };
	int		 rc = store_ledger(s, of_write, &c, e);

	if (rc == 0 && c.n > 0)
		join(&c);
	if (rc < 0)
		wear_costs_free(c.v, c.n);
	*v = rc < 0 ? NULL : c.v;
	*n = rc < 0 ? 0 : c.n;
	return rc;
}

void
wear_costs_free(struct wear_cost *v, size_t n)
{
	while (n > 0)
		free(v[--n].path);
	free(v);
}
