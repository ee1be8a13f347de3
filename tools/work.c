/*
 * work.c: what a comparing verb holds: opened, compared, closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/osdep.h"
#include "../lib/path.h"
#include "apply.h"
#include "work.h"

static int
open_dir(const char *path, int *fd, struct err *e)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd == -1 ? err_set(e, errno, "open %s", path) : 0;
}

int
work_head(struct work *w, struct cfg *c, struct err *e)
{
	int	 rc;

	ents_free(&w->ov);
	w->pers.s = NULL;
	if (w->st.s != NULL && (rc = cfg_close(&w->st, NULL, e)) < 0)
		return rc;
	if ((rc = cfg_open(c, false, &w->st, e)) < 0)
		return rc;
	w->head = store_head(w->st.s);
	w->pers.s = w->st.s;
	return store_overlay(w->st.s, w->head, &w->ov, e);
}

int
work_open(struct work *w, struct cfg *c, struct err *e)
{
	const struct inst	*in = &c->inst;
	int			 rc;

	memset(w, 0, sizeof(*w));
	w->tree = w->state = w->ctl = w->pers.base = -1;
	w->pers.ov = &w->ov;
	if ((rc = cfg_inst(c, e)) < 0)
		return rc;
	w->ctl = ctl_connect(in->state, e);
	if (w->ctl < 0 && w->ctl != -ENOENT && w->ctl != -ECONNREFUSED) {
		rc = w->ctl;
		goto out;
	}
	if (w->ctl < 0) {
		w->ctl = -1;
		cfg_warn(c, "cfgfs does not run on %s: everything is "
		    "compared", in->mount);
	}
	if (in->base == NULL) {
		rc = err_setx(e, ENOENT, "%s has no base", in->mount);
		goto out;
	}
	if ((rc = open_dir(w->ctl == -1 ? in->tree : in->mount, &w->tree,
	    e)) == 0 && (rc = open_dir(in->base, &w->pers.base, e)) == 0 &&
	    (rc = open_dir(in->state, &w->state, e)) == 0 &&
	    (rc = patt_load(&w->patt, w->tree, e)) == 0)
		rc = work_head(w, c, e);
	/* A change in a shared mapping is in no journal until the kernel
	 * hands it over. */
	if (rc == 0 && w->ctl != -1)
		os_settle(w->tree);
out:
	if (rc < 0)
		work_close(w);
	return rc;
}

int
work_find(struct work *w, uint64_t upto, struct pend *p, struct err *e)
{
	int	 rc;

	rc = (w->ctl == -1 ? pend_find_all : pend_find)(p, w->tree, w->state,
	    upto, &w->pers, w->patt, e);
	if (rc == 0 && p->nsock < w->nsock)
		p->nsock = w->nsock;
	return rc;
}

int
work_find_at(struct work *w, const struct pers *to, const struct strs *more,
    struct pend *p, struct err *e)
{
	if (w->ctl == -1)
		return pend_find_all(p, w->tree, w->state, UINT64_MAX, to,
		    w->patt, e);
	return pend_find_more(p, w->tree, w->state, UINT64_MAX, to, w->patt,
	    more, e);
}

int
work_moved(const struct work *w, const struct cfg *c, struct err *e)
{
	struct cfg_store	 st;
	uint64_t		 head;
	int			 rc;

	if ((rc = cfg_open(c, false, &st, e)) < 0)
		return rc;
	head = store_head(st.s);
	rc = cfg_close(&st, NULL, e);
	return rc < 0 ? rc : head != w->head;
}

void
work_sweep(const struct work *w, const struct pend *p)
{
	const char	*name;
	size_t		 i;
	int		 dfd;

	for (i = 0; i < p->nignored; i++) {
		if (!apply_orphan(p->ign[i].path) || (dfd =
		    path_parent(w->tree, p->ign[i].path, &name)) < 0)
			continue;
		if (unlinkat(dfd, name, 0) == -1)
			/* A directory, then; else it is ignored as before. */
			(void)unlinkat(dfd, name, AT_REMOVEDIR);
		(void)close(dfd);
	}
}

void
work_close(struct work *w)
{
	struct err	 e;

	if (w->st.s != NULL)
		(void)cfg_close(&w->st, NULL, &e);	/* only read from */
	ents_free(&w->ov);
	patt_free(w->patt);
	if (w->tree != -1)
		(void)close(w->tree);
	if (w->state != -1)
		(void)close(w->state);
	if (w->pers.base != -1)
		(void)close(w->pers.base);
	if (w->ctl >= 0)
		(void)close(w->ctl);
	memset(w, 0, sizeof(*w));
	w->tree = w->state = w->ctl = w->pers.base = -1;
}
