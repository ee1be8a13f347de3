/*
 * lease.c: the lease on the journal, and what is done under it.
 */
#include <errno.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/jrn.h"
#include "change.h"
#include "lease.h"

static int
see_scan(void *arg, const struct jrn_rec *r)
{
	bool	*scan = arg;

	*scan |= r->op == JRN_SCAN && r->pathlen == 0;
	return 0;
}

/* Whether all is to be compared: 1, 0 or -errno. */
static int
names_all(const struct work *w, uint64_t *last, struct err *e)
{
	bool	 damaged = false, scan = false;
	int	 rc;

	rc = jrn_scan(w->state, UINT64_MAX, see_scan, &scan, &damaged, last,
	    e);
	return rc < 0 ? rc : scan || damaged;
}

int
lease_freeze(struct work *w, uint64_t *upto, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	int		 rc;

	*upto = 0;
	if (w->ctl == -1)
		return 0;
	rc = ctl_call(w->ctl, CTL_FREEZE, NULL, &b, e);
	r = (struct rd){ b.p, b.len, false };
	if (rc == -EBUSY)
		(void)err_setx(e, EBUSY, "another commit is under way "
		    "(process %u)", rd_le32(&r));
	else if (rc == 0) {
		*upto = rd_le64(&r);
		if (r.bad)
			rc = err_setx(e, EBADMSG, "cfgfs: odd answer");
	}
	buf_free(&b);
	return rc;
}

int
lease_thaw(struct work *w, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 rc;

	if (w->ctl == -1)
		return 0;
	rc = ctl_call(w->ctl, CTL_THAW, NULL, &b, e);
	buf_free(&b);
	return rc;
}

int
lease_carry(struct work *w, uint64_t upto, const struct pend *rest,
    const struct pend *ignored, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 rc;

	if (upto == 0)
		return 0;		/* not ours to replace */
	change_carry(&b, rest, ignored);
	rc = b.bad ? err_set(e, ENOMEM, "replace the journal") :
	    jrn_replace(w->state, upto, &b, e);
	buf_free(&b);
	return rc;
}

/*
 * Compare all.  In the tree below the view, which is as the journal has
 * it, that takes a tenth of the time: no file is asked for.
 */
static int
compare(struct work *w, uint64_t upto, struct pend *p, struct err *e)
{
	int	 tree, rc;

	if ((tree = ctl_tree(w->ctl, e)) < 0)
		return work_find(w, upto, p, e);
	rc = pend_find(p, tree, w->state, upto, &w->pers, w->patt, e);
	(void)close(tree);
	return rc;
}

int
lease_settle(struct work *w, struct cfg *c, struct err *e)
{
	struct err	 e2;
	struct pend	 p;
	uint64_t	 upto;
	int		 rc;

	if (w->ctl == -1 || (rc = names_all(w, &upto, e)) == 0)
		return 0;
	if (rc < 0 || (rc = lease_freeze(w, &upto, e)) < 0 ||
	    (rc = lease_thaw(w, e)) < 0 || (rc = work_head(w, c, e)) < 0 ||
	    (rc = compare(w, upto, &p, e)) < 0)
		return rc;
	w->nsock = p.nsock;
	/* If it fails, the journal names too much, which costs time. */
	(void)lease_carry(w, upto, &p, &p, &e2);
	pend_free(&p);
	return 0;
}

void
lease_try_settle(struct work *w, struct cfg *c)
{
	struct err	 e;
	int		 ctl = w->ctl;

	if (geteuid() != 0 || ctl == -1)
		return;
	/* A connection of its own: when that closes, the lease has ended. */
	w->ctl = ctl_connect(c->inst.state, &e);
	if (w->ctl >= 0) {
		/* What fails here fails again where it is told. */
		(void)lease_settle(w, c, &e);
		(void)close(w->ctl);
	}
	w->ctl = ctl;
}
