/*
 * trees.c: states of the tree that can be compared.
 *
 * A generation is the base with an overlay; what is running is a
 * generation with what is pending.  So two states can differ only in the
 * paths of their overlays, in what is pending, and below a directory that
 * only one of them has: the rest of the tree is never looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "entdiff.h"
#include "trees.h"

int
pers_know(const struct pers *p, const char *path, int flags, struct ent *x,
    bool *known, struct err *e)
{
	const struct ent	*o = pers_over(p, path);
	int			 rc = 0;

	*known = p->base != -1 || o != NULL;
	if (p->base != -1)
		return pers_get(p, path, flags, x, NULL, e);
	/* What the overlay has has its parents, be they the base's. */
	memset(x, 0, sizeof(*x));
	if (o != NULL && o->type != ENT_WHITEOUT && strcmp(o->path, path) ==
	    0)
		rc = ent_copy(x, o);
	else if ((x->path = strdup(path)) == NULL)
		rc = -ENOMEM;
	return rc < 0 ? err_set(e, -rc, "compare") : 0;
}

int
tree_open(struct tree *t, struct store *s, uint64_t gen, int base,
    struct err *e)
{
	memset(t, 0, sizeof(*t));
	t->gen = gen;
	t->root = -1;
	t->pers = (struct pers){ base, &t->ov, s, NULL };
	return gen == 0 ? 0 : store_overlay(s, gen, &t->ov, e);
}

void
tree_over(struct tree *t, const struct pers *p)
{
	memset(t, 0, sizeof(*t));
	t->root = -1;
	t->pers = *p;
}

void
tree_run(struct tree *t, const struct pend *p, int root)
{
	t->pend = p;
	t->root = root;
}

void
tree_close(struct tree *t)
{
	ents_free(&t->ov);
}

const struct pent *
tree_pending(const struct tree *t, const char *path)
{
	size_t	 lo = 0, hi = t->pend == NULL ? 0 : t->pend->n, mid;
	int	 c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if ((c = path_cmp(path, t->pend->v[mid].path)) == 0)
			return &t->pend->v[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

int
tree_get(const struct tree *t, const char *path, int flags, struct ent *x,
    bool *known, struct err *e)
{
	const struct pent	*p = tree_pending(t, path);
	int			 rc;

	*known = true;
	memset(x, 0, sizeof(*x));
	if (p == NULL) {
		rc = pers_know(&t->pers, path, flags, x, known, e);
		/* What this user can't read is compared by all the rest,
		 * and then hidden. */
		if (rc == -EACCES && geteuid() != 0 && flags != 0)
			rc = pers_know(&t->pers, path, 0, x, known, e);
		return rc;
	}
	rc = ent_copy(x, &p->now);
	if (rc == 0 && x->path == NULL && (x->path = strdup(path)) == NULL)
		rc = -ENOMEM;
	return rc < 0 ? err_set(e, -rc, "compare") : 0;
}

/* A file of the running tree; one that became something else is empty. */
static int
running_content(const struct tree *t, const char *path, struct buf *b,
    struct err *e)
{
	uint8_t	*p;
	char	*vis;
	ssize_t	 n = 1;
	int	 fd, rc = 0;

	fd = path_open(t->root, path, O_RDONLY | O_NONBLOCK);
	while (fd >= 0 && rc == 0 && n > 0) {
		if ((p = buf_room(b, 65536)) == NULL)
			rc = -ENOMEM;
		else if ((n = read(fd, p, 65536)) > 0)
			b->len += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == -1)
			rc = -errno;
	}
	if (fd < 0)
		rc = fd;
	else
		(void)close(fd);	/* only read */
	if (rc < 0) {
		vis = path_vis(path);
		rc = err_set(e, -rc, "read %s", vis == NULL ? "?" : vis);
		free(vis);
	}
	return rc;
}

int
tree_content(void *arg, const struct ent *x, struct buf *b, struct err *e)
{
	const struct tree	*t = arg;

	if (tree_pending(t, x->path) != NULL)
		return running_content(t, x->path, b, e);
	return pers_content(&t->pers, x, pers_over(&t->pers, x->path) ==
	    NULL, b, e);
}

const char *
tree_linked(const struct tree *t, const struct ent *x)
{
	const struct ents	*ov = t->pers.ov;
	size_t			 i;

	if (x->link == 0)
		return NULL;
	if (tree_pending(t, x->path) != NULL) {
		for (i = 0; i < t->pend->n; i++)
			if (t->pend->v[i].now.link == x->link &&
			    strcmp(t->pend->v[i].path, x->path) != 0)
				return t->pend->v[i].path;
		return NULL;
	}
	for (i = 0; i < ov->n; i++)
		if (ov->v[i].link == x->link &&
		    strcmp(ov->v[i].path, x->path) != 0)
			return ov->v[i].path;
	return NULL;
}

int
tree_readable(const struct tree *t, const struct ent *x, bool *can,
    struct err *e)
{
	struct ent	*dirs = NULL, *v;
	const char	*p = x->path;
	char		*up;
	size_t		 n = 0, i;
	bool		 known;
	int		 rc = 0;

	*can = true;
	if (geteuid() == 0)
		return 0;
	/* The root first, then each parent. */
	for (i = 0; rc == 0; i++) {
		if (i > 0 && p[i] != '/' && p[i] != '\0')
			continue;
		if (p[i] == '\0')
			break;
		up = strndup(p, i);
		v = realloc(dirs, (n + 1) * sizeof(*v));
		if (v != NULL)
			dirs = v;
		if (up == NULL || v == NULL)
			rc = err_set(e, ENOMEM, "compare");
		else if ((rc = tree_get(t, up, 0, &dirs[n], &known, e)) == 0)
			n++;
		free(up);
	}
	if (rc == 0)
		*can = entdiff_readable(x, dirs, n);
	for (i = 0; i < n; i++)
		ent_free(&dirs[i]);
	free(dirs);
	return rc;
}

static int
add(void *arg, const char *path)
{
	return strs_put(arg, strdup(path));
}

/* All paths below a directory that one tree has and the other has not. */
static int
add_below(const struct tree *t, const char *dir, struct strs *s,
    struct err *e)
{
	return pers_walk(&t->pers, dir, add, s, e);
}

/* Add what lies below those paths at which just one has a directory. */
static int
add_hidden(const struct tree *a, const struct tree *b, struct strs *s,
    struct err *e)
{
	struct ent	 x, y;
	size_t		 i, n = s->n;
	bool		 known;
	int		 rc = 0;

	for (i = 0; i < n && rc == 0; i++) {
		if ((rc = tree_get(a, s->v[i], 0, &x, &known, e)) < 0)
			break;
		if ((rc = tree_get(b, s->v[i], 0, &y, &known, e)) == 0) {
			if (x.type == ENT_DIR && y.type != ENT_DIR)
				rc = add_below(a, s->v[i], s, e);
			else if (y.type == ENT_DIR && x.type != ENT_DIR)
				rc = add_below(b, s->v[i], s, e);
		}
		ent_free(&x);
		ent_free(&y);
	}
	return rc;
}

int
trees_below(const struct tree *a, const struct tree *b, struct strs *s,
    struct err *e)
{
	int	 rc;

	strs_sort(s);
	rc = add_hidden(a, b, s, e);
	strs_sort(s);
	return rc < 0 && e->code == 0 ? err_set(e, -rc, "compare") : rc;
}

static int
add_pending(const struct tree *t, struct strs *s)
{
	size_t	 i;
	int	 rc = 0;

	for (i = 0; t->pend != NULL && i < t->pend->n && rc == 0; i++)
		rc = add(s, t->pend->v[i].path);
	return rc;
}

int
trees_paths(const struct tree *a, const struct tree *b, struct strs *s,
    struct err *e)
{
	size_t	 i;
	int	 rc;

	memset(s, 0, sizeof(*s));
	if ((rc = add_pending(a, s)) == 0)
		rc = add_pending(b, s);
	if (a->gen != b->gen) {
		for (i = 0; i < a->ov.n && rc == 0; i++)
			rc = add(s, a->ov.v[i].path);
		for (i = 0; i < b->ov.n && rc == 0; i++)
			rc = add(s, b->ov.v[i].path);
		if (rc == 0)
			rc = trees_below(a, b, s, e);
	}
	if (rc < 0) {
		strs_free(s);
		return e->code != 0 ? rc : err_set(e, -rc, "compare");
	}
	strs_sort(s);
	return 0;
}
