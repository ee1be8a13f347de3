/*
 * candlink.c: hard links among the paths that are compared.
 *
 * A change through one name of an inode changes what all names show, and
 * the journal knows of one.  So when something linked was compared, all
 * names of it are: those of the running inode, of the base's, and of the
 * overlay's group.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "cand.h"

static int
cand_cmp(const void *a, const void *b)
{
	return path_cmp(((const struct cand *)a)->p.path,
	    ((const struct cand *)b)->p.path);
}

static const struct cand *
cand_find(const struct finder *f, const char *path)
{
	struct cand	 key = { .differ = false };

	key.p.path = (char *)(uintptr_t)path;
	return f->n == 0 ? NULL :
	    bsearch(&key, f->v, f->n, sizeof(*f->v), cand_cmp);
}

static void
cand_sort(struct finder *f)
{
	if (f->n > 0)
		qsort(f->v, f->n, sizeof(*f->v), cand_cmp);
}

enum side { RUN, BASE, OVER };

static uint64_t
key_of(const struct cand *c, enum side side)
{
	switch (side) {
	case RUN:	return c->ino;
	case BASE:	return c->bino;
	case OVER:	return c->p.was.link;
	}
	return 0;
}

/* The overlay's groups. */
static int
scan_overlay(struct finder *f)
{
	const struct ents	*ov = f->pers.ov;
	size_t			 i;

	for (i = 0; ov != NULL && i < ov->n; i++) {
		if (ov->v[i].link == 0 || (f->ignore != NULL &&
		    patt_match(f->ignore, ov->v[i].path, false)))
			continue;
		if (links_add(&f->ol, ov->v[i].link, ov->v[i].path) < 0)
			return err_set(f->e, ENOMEM, "hard links");
	}
	links_sort(&f->ol);
	return 0;
}

/* Read the names of all inodes, of a tree where that is needed. */
static int
scan_trees(struct finder *f, bool *run, bool *base)
{
	bool	 r = false, b = false;
	size_t	 i;
	int	 rc = 0;

	for (i = 0; i < f->n; i++) {
		r |= f->v[i].ino != 0;
		b |= f->v[i].bino != 0;
	}
	if (r && !*run)
		rc = links_scan(&f->rl, f->run.root, f->ignore, f->e);
	if (rc == 0 && b && !*base)
		rc = links_scan(&f->bl, f->pers.base, f->ignore, f->e);
	*run |= r;
	*base |= b;
	return rc;
}

static int
u64_cmp(const void *a, const void *b)
{
	uint64_t	 x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Names on one side's groups that were not compared yet. */
static int
missing(struct finder *f, const struct links *l, enum side side,
    struct strs *out)
{
	const struct lname	*m;
	uint64_t		*keys, k;
	size_t			 i, n = 0, g;
	int			 rc = 0;

	if (l->n == 0 || f->n == 0)
		return 0;
	if ((keys = calloc(f->n, sizeof(*keys))) == NULL)
		return -ENOMEM;
	for (i = 0; i < f->n; i++)
		if ((k = key_of(&f->v[i], side)) != 0)
			keys[n++] = k;
	qsort(keys, n, sizeof(*keys), u64_cmp);
	for (i = 0; i < n && rc == 0; i++) {
		if (i > 0 && keys[i] == keys[i - 1])
			continue;
		for (g = links_of(l, keys[i], &m); g > 0 && rc == 0; g--, m++)
			if (cand_find(f, m->path) == NULL)
				rc = strs_put(out, strdup(m->path));
	}
	free(keys);
	return rc;
}

/* Whether a and b are one inode in the persisted tree. */
static bool
were_one(const struct cand *a, const struct cand *b)
{
	if (a->p.was_base != b->p.was_base)
		return false;
	if (a->p.was_base)
		return a->bino != 0 && a->bino == b->bino;
	return a->p.was.link != 0 && a->p.was.link == b->p.was.link;
}

/*
 * Whether the inode must be stored anew although it looks the same.  A
 * name that leaves a group because it is pending itself takes nothing
 * from those that stay.
 */
static bool
relinked(const struct finder *f, const struct cand *c)
{
	const struct lname	*m;
	const struct cand	*q;
	size_t			 g;

	if (c->p.was.type == ENT_NONE || c->p.now.type == ENT_NONE)
		return false;
	g = c->ino == 0 ? 0 : links_of(&f->rl, c->ino, &m);
	for (; g > 0; g--, m++) {
		q = cand_find(f, m->path);
		if (q != NULL && q != c && !were_one(c, q))
			return true;
	}
	if (c->p.was_base)
		g = c->bino == 0 ? 0 : links_of(&f->bl, c->bino, &m);
	else
		g = c->p.was.link == 0 ? 0 :
		    links_of(&f->ol, c->p.was.link, &m);
	for (; g > 0; g--, m++) {
		q = cand_find(f, m->path);
		if (q != NULL && q != c && were_one(c, q) && !q->differ &&
		    q->p.now.type != ENT_NONE &&
		    (c->ino == 0 || q->ino != c->ino))
			return true;
	}
	return false;
}

bool
cand_base_group(const struct finder *f, const struct cand *c)
{
	const struct lname	*r = NULL, *b = NULL;
	size_t			 nr, nb, i;

	nr = c->ino == 0 ? 0 : links_of(&f->rl, c->ino, &r);
	nb = c->bino == 0 ? 0 : links_of(&f->bl, c->bino, &b);
	if (nr <= 1 && nb <= 1)
		return true;
	for (i = 0; nr == nb && i < nr; i++)
		if (strcmp(r[i].path, b[i].path) != 0)
			return false;
	return nr == nb;
}

int
cand_links(struct finder *f)
{
	struct strs		 names = { NULL, 0, 0 };
	const struct lname	*m;
	size_t			 i, before;
	unsigned		 dirs;
	bool			 run = false, base = false;
	int			 rc;

	if ((rc = scan_overlay(f)) < 0)
		return rc;
	do {
		before = f->n;
		cand_sort(f);
		if ((rc = scan_trees(f, &run, &base)) < 0)
			break;
		if (missing(f, &f->rl, RUN, &names) < 0 ||
		    missing(f, &f->bl, BASE, &names) < 0 ||
		    missing(f, &f->ol, OVER, &names) < 0)
			rc = err_set(f->e, ENOMEM, "hard links");
		strs_sort(&names);
		for (i = 0; rc == 0 && i < names.n; i++)
			rc = cand_compare(f, names.v[i], &dirs);
		strs_free(&names);
	} while (rc == 0 && f->n != before);
	for (i = 0; rc == 0 && i < f->n; i++) {
		f->v[i].p.relinked = relinked(f, &f->v[i]);
		if (f->v[i].ino != 0 &&
		    links_of(&f->rl, f->v[i].ino, &m) > 1)
			f->v[i].p.now.link = (uint32_t)(m - f->rl.v) + 1;
	}
	return rc;
}
