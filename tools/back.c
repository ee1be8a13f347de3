/*
 * back.c: find in what the running tree differs from what it is to be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "back.h"

#define TRIES	5

/* Whether an overlay need not be looked at there, the other being x. */
static bool
same(const struct ent *x, const struct ent *y)
{
	return x->link == y->link && ent_same(x, y);
}

/* A path in which the two differ; with all below it where just one has a
 * directory, as the other may have had something of that name. */
static int
add(const struct pers *a, const struct pers *b, const char *path,
    struct strs *out)
{
	int	 x = pers_isdir(a, path), y = pers_isdir(b, path);

	if (x < 0 || y < 0)
		return -ENOMEM;
	return strs_path(out, "", path, x != y);
}

/* The paths in which two overlays differ. */
static int
differing(const struct pers *a, const struct pers *b, struct strs *out)
{
	const struct ents	*x = a->ov, *y = b->ov;
	size_t			 i = 0, k = 0;
	int			 c, rc = 0;

	while (rc == 0 && (i < x->n || k < y->n)) {
		c = i == x->n ? 1 : k == y->n ? -1 :
		    path_cmp(x->v[i].path, y->v[k].path);
		if (c != 0 || !same(&x->v[i], &y->v[k]))
			rc = add(a, b, c <= 0 ? x->v[i].path : y->v[k].path,
			    out);
		i += c <= 0;
		k += c >= 0;
	}
	return rc;
}

/* Whether one of both has a directory there, and the other has not. */
static bool
comes_or_goes(const struct back *b, const char *dir)
{
	const struct pent	*v = b->pend.v;
	size_t			 lo = 0, hi = b->pend.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(v[mid].path, dir) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->pend.n && strcmp(v[lo].path, dir) == 0 &&
	    (v[lo].was.type == ENT_DIR) != (v[lo].now.type == ENT_DIR);
}

static bool
asked_for(const struct back *b, const char *path)
{
	const char	*p;
	size_t		 i;

	for (i = 0; i < b->paths.n; i++) {
		p = b->paths.v[i];
		if (path_within(path, p) && (!b->exact ||
		    strcmp(path, p) == 0 || comes_or_goes(b, p)))
			return true;
	}
	return b->paths.n == 0;
}

/*
 * What is asked for, and the directories that must be there again for it.
 * One whose place was taken by something else is not swept away unasked.
 */
static int
choose(struct back *b, struct err *e)
{
	const struct pent	*p;
	const char		*last = "";
	char			*vis;
	size_t			 i;

	if ((b->sel = calloc(b->pend.n + 1, sizeof(*b->sel))) == NULL)
		return err_set(e, ENOMEM, "compare");
	for (i = b->pend.n; i-- > 0;) {
		p = &b->pend.v[i];
		b->sel[i] = asked_for(b, p->path);
		if (!b->sel[i] && p->was.type == ENT_DIR &&
		    p->now.type != ENT_DIR && *last != '\0' &&
		    path_within(last, p->path)) {
			if (p->now.type != ENT_NONE) {
				vis = path_vis(p->path);
				(void)err_setx(e, ENOTDIR, "%s is not a "
				    "directory now: name it as well",
				    vis == NULL ? "?" : vis);
				free(vis);
				return -ENOTDIR;
			}
			b->sel[i] = true;
		}
		b->nsel += b->sel[i];
		if (b->sel[i] && p->was.type != ENT_NONE)
			last = p->path;
	}
	return 0;
}

/* Compare once, with the head that the work has. */
static int
compare(struct back *b, struct work *w, struct err *e)
{
	struct strs	 more = { NULL, 0, 0 };
	int		 rc;

	ents_free(&b->own);
	b->to = (struct pers){ w->pers.base, b->ov, b->s, NULL };
	if (b->ov == NULL) {
		b->to.ov = &b->own;
		b->to.s = w->st.s;
		if ((rc = store_overlay(w->st.s, b->gen == BACK_HEAD ?
		    w->head : b->gen, &b->own, e)) < 0)
			return rc;
	}
	if ((rc = differing(&w->pers, &b->to, &more)) < 0)
		rc = err_set(e, ENOMEM, "compare");
	else
		rc = work_find_at(w, &b->to, &more, &b->pend, e);
	strs_free(&more);
	return rc;
}

int
back_find(struct back *b, struct work *w, struct cfg *c, struct err *e)
{
	int	 i, rc;

	/* The journal names what differs from the head of the moment it is
	 * read in; that is known to be ours only afterwards. */
	for (i = 0; i < TRIES; i++) {
		if ((rc = compare(b, w, e)) < 0 ||
		    (rc = work_moved(w, c, e)) < 0)
			return rc;
		if (rc == 0)
			return choose(b, e);
		pend_free(&b->pend);
		if ((rc = work_head(w, c, e)) < 0)
			return rc;
	}
	return err_setx(e, EAGAIN, "others commit all the time: given up "
	    "after %d tries", TRIES);
}

void
back_free(struct back *b)
{
	strs_free(&b->paths);
	strs_free(&b->done);
	pend_free(&b->pend);
	free(b->sel);
	ents_free(&b->own);
	links_free(&b->base);
	apply_free(&b->a);
	memset(b, 0, sizeof(*b));
}
