/*
 * links.c: which names of a tree are one inode.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../lib/path.h"
#include "links.h"
#include "walk.h"

int
links_add(struct links *l, uint64_t ino, const char *path)
{
	if (more_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return -ENOMEM;
	l->v[l->n].ino = ino;
	if ((l->v[l->n].path = strdup(path)) == NULL)
		return -ENOMEM;
	l->n++;
	return 0;
}

static int
lname_cmp(const void *a, const void *b)
{
	const struct lname	*x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	return path_cmp(x->path, y->path);
}

void
links_sort(struct links *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), lname_cmp);
}

struct scan {
	struct links	*l;
	struct walk_at	 at;
	const struct patt *ignore;
	struct err	*e;
};

static int
scan_one(void *arg, const char *path, bool isdir)
{
	struct scan	*s = arg;
	struct stat	 st;
	const char	*name;
	int		 dfd;

	if (s->ignore != NULL && patt_match(s->ignore, path, isdir))
		return 0;
	if (isdir)
		return WALK_DOWN;
	if ((dfd = walk_at(&s->at, path, &name)) < 0 ||
	    fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_nlink < 2)
		return 0;	/* gone meanwhile, or alone */
	if (links_add(s->l, (uint64_t)st.st_ino, path) < 0)
		return err_set(s->e, ENOMEM, "hard links of %s", path);
	return 0;
}

int
links_scan(struct links *l, int root, const struct patt *ignore,
    struct err *e)
{
	struct scan	 s = { l, { root, -1, NULL }, ignore, e };
	int		 rc;

	rc = walk_tree(root, "", scan_one, &s, e);
	walk_at_close(&s.at);
	links_sort(l);
	return rc;
}

size_t
links_of(const struct links *l, uint64_t ino, const struct lname **first)
{
	size_t	 lo = 0, hi = l->n, mid, k;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (l->v[mid].ino < ino)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (k = lo; k < l->n && l->v[k].ino == ino; k++)
		;
	*first = l->n == 0 ? NULL : &l->v[lo];
	return k - lo;
}

void
links_free(struct links *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].path);
	free(l->v);
	memset(l, 0, sizeof(*l));
}
