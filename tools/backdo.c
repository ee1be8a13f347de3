/*
 * backdo.c: make the running tree what it is to be.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "back.h"
#include "derived.h"

/* Numbers of the base's groups, beyond those of overlays. */
#define BASE_LINK	0x80000000u

struct job {
	struct back	*b;
	struct work	*w;
	struct err	*e;
};

static bool
differs(const struct back *b, const char *path)
{
	size_t	 lo = 0, hi = b->pend.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(b->pend.v[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < b->pend.n && strcmp(b->pend.v[lo].path, path) == 0;
}

/* A group of the overlay: join the names that are as they should be. */
static int
join_overlay(struct job *j, const struct pent *p)
{
	const struct ents	*ov = j->b->to.ov;
	size_t			 i;

	for (i = 0; i < ov->n; i++)
		if (ov->v[i].link == p->was.link &&
		    !differs(j->b, ov->v[i].path))
			return apply_linked(&j->b->a, p->was.link,
			    ov->v[i].path);
	return 0;
}

/* The same for a group of the base. */
static int
join_base(struct job *j, struct pent *p)
{
	struct back		*b = j->b;
	const struct lname	*m;
	struct ent		 base;
	uint64_t		 ino, nlink;
	size_t			 n;
	int			 rc;

	if ((rc = pers_base(&b->to, p->path, 0, &base, &ino, &nlink,
	    j->e)) < 0)
		return rc;
	ent_free(&base);
	if (nlink < 2)
		return 0;
	if (!b->base_read && (rc = links_scan(&b->base, b->to.base,
	    j->w->patt, j->e)) < 0)
		return rc;
	b->base_read = true;
	if ((n = links_of(&b->base, ino, &m)) < 2)
		return 0;
	p->was.link = BASE_LINK | (uint32_t)(m - b->base.v);
	for (; n > 0; n--, m++)
		if (pers_over(&b->to, m->path) == NULL &&
		    !differs(b, m->path))
			return apply_linked(&b->a, p->was.link, m->path);
	return 0;
}

static int
join_links(struct job *j)
{
	struct pent	*p;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; i < j->b->pend.n && rc == 0; i++) {
		p = &j->b->pend.v[i];
		if (!j->b->sel[i] || p->was.type == ENT_NONE ||
		    p->was.type == ENT_DIR)
			continue;
		if (p->was_base)
			rc = join_base(j, p);
		else if (p->was.link != 0 && join_overlay(j, p) < 0)
			rc = err_set(j->e, ENOMEM, "hard links");
	}
	return rc;
}

/* Take away what was added; a directory only when it is empty then. */
static int
take_away(struct job *j, const struct pent *p)
{
	const char	*name;
	int		 dfd, rc;

	if ((dfd = path_parent(j->w->tree, p->path, &name)) < 0)
		return dfd == -ENOENT ? 0 : err_set(j->e, -dfd, "open %s",
		    p->path);
	rc = unlinkat(dfd, name, p->now.type == ENT_DIR ? AT_REMOVEDIR : 0);
	rc = rc == -1 && errno != ENOENT ? -errno : 0;
	(void)close(dfd);
	if (rc == -ENOTEMPTY || rc == -EEXIST)
		return err_setx(j->e, -rc, "%s: stays, as it holds what does "
		    "not count as a change", p->path);
	return rc < 0 ? err_set(j->e, -rc, "remove %s", p->path) : 0;
}

static int
give_back(struct job *j, const struct pent *p)
{
	struct back	*b = j->b;
	struct buf	 data = BUF_INIT;
	int		 rc = 0;

	if (p->was.type == ENT_REG &&
	    apply_find(&b->a, p->was.link) == NULL)
		rc = pers_content(&b->to, &p->was, p->was_base, &data, j->e);
	if (rc == 0)
		rc = apply_ent(&b->a, &p->was, data.p, data.len, j->e);
	buf_free(&data);
	return rc == 1 ? err_setx(j->e, ENOTDIR, "%s: its directory is none "
	    "now", p->path) : rc;
}

static void
change(struct job *j, const struct pent *p)
{
	struct back	*b = j->b;
	int		 rc;

	rc = p->was.type == ENT_NONE ? take_away(j, p) : give_back(j, p);
	if (rc < 0)
		b->nfailed++;
	else {
		b->ndone++;
		if (strs_put(&b->done, strdup(p->path)) < 0)
			rc = err_set(j->e, ENOMEM, "%s", p->path);
	}
	if (b->tell != NULL)
		b->tell(b->arg, p, rc < 0 ? j->e->msg : NULL);
}

/* What was put into a directory has changed its time. */
static void
set_time(struct job *j, const struct ent *was)
{
	struct timespec	 t[2] = { { 0, UTIME_OMIT },
			    { (time_t)was->mtime, (long)was->mtime_ns } };
	int		 fd;

	fd = path_open(j->w->tree, was->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return;
	(void)futimens(fd, t);		/* a time alone is no change */
	(void)close(fd);
}

static void
warn_derived(void *arg, const char *line)
{
	const struct back	*b = arg;

	if (b->tell != NULL)
		b->tell(b->arg, NULL, line);
}

static void
derived_again(struct job *j, const struct cfg *c)
{
	struct ents	 done = { NULL, 0, 0 };
	struct ent	 x;
	size_t		 i;

	for (i = 0; i < j->b->pend.n; i++) {
		memset(&x, 0, sizeof(x));
		if (!j->b->sel[i] ||
		    (x.path = strdup(j->b->pend.v[i].path)) == NULL)
			continue;
		x.type = ENT_REG;	/* the path alone counts */
		(void)ents_put(&done, &x);
	}
	derived_make(j->w->tree, j->w->ctl == -1 ? c->inst.tree :
	    c->inst.mount, &done, warn_derived, j->b);
	ents_free(&done);
}

int
back_do(struct back *b, struct work *w, const struct cfg *c, struct err *e)
{
	struct job	 j = { b, w, e };
	struct pent	*v = b->pend.v;
	size_t		 i, n = b->pend.n;
	int		 rc;

	b->a = (struct apply)APPLY_INIT(w->tree, true);
	if ((rc = join_links(&j)) < 0)
		return rc;
	work_sweep(w, &b->pend);
	/* What was added goes first, the deepest before the rest. */
	for (i = n; i-- > 0;)
		if (b->sel[i] && v[i].was.type == ENT_NONE)
			change(&j, &v[i]);
	for (i = 0; i < n; i++)
		if (b->sel[i] && v[i].was.type != ENT_NONE)
			change(&j, &v[i]);
	for (i = n; i-- > 0;)
		if (b->sel[i] && v[i].was.type == ENT_DIR)
			set_time(&j, &v[i].was);
	if (b->ndone > 0)
		derived_again(&j, c);
	b->left = b->a.left;
	return 0;
}
