/*
 * peer-apply.c: what an offer of the other box would change here, and
 * whether that may be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "peer.h"
#include "tstate.h"

#define MEM_SPARE	(4u << 20)	/* bytes of a store beside contents */

int
accept_refuse(struct accept *a, enum refusal why, uint64_t gen,
    const char *line)
{
	a->no.why = why;
	a->no.gen = gen;
	if (line != NULL && a->no.line == NULL)
		a->no.line = line_of(line, strlen(line));
	return -ECANCELED;
}

/* The change of a path, where there is one that may cross. */
static const struct change *
incoming(const struct accept *a, const char *path)
{
	const struct commit	*c = &a->o->c;
	size_t			 lo = 0, hi = c->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(c->v[mid].e.path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->n && strcmp(c->v[lo].e.path, path) == 0 &&
	    !peer_never(a->never, path) ? &c->v[lo] : NULL;
}

/* Whether the head has there what is offered. */
static bool
alike(const struct accept *a, const char *path)
{
	const struct change	*x = incoming(a, path);
	const struct ent	*e = ents_find(&a->w.ov, path);

	if (x == NULL)
		return (a->o->flags & OFFER_FULL) != 0 && e == NULL;
	return x->op == CHANGE_DROP ? e == NULL :
	    e != NULL && ent_same(&x->e, e);
}

/*
 * What was committed here since generation `since`, and is not what is
 * offered: refused.  What both sides changed in the same way is no fault.
 */
static int
own_commits(struct accept *a, uint64_t since, enum refusal why,
    struct err *e)
{
	struct ents	 was = { NULL, 0, 0 };
	struct strs	 d = { NULL, 0, 0 };
	size_t		 i;
	int		 rc;

	if ((rc = store_overlay(a->w.st.s, since, &was, e)) == 0 &&
	    overlay_diff(&was, &a->w.ov, &d) < 0)
		rc = err_set(e, ENOMEM, "compare");
	for (i = 0; rc == 0 && i < d.n; i++)
		if (!peer_never(a->never, d.v[i]) && !alike(a, d.v[i]))
			refused_add(&a->no, d.v[i]);
	if (rc == 0 && a->no.n > 0)
		rc = accept_refuse(a, why, since, NULL);
	strs_free(&d);
	ents_free(&was);
	return rc;
}

/* The changes that may cross and have an entry, as a store of their own. */
static int
fill_mem(struct accept *a, struct err *e)
{
	struct commit	 c = { .n = 0 };
	uint64_t	 bytes = MEM_SPARE, gen;
	size_t		 i;
	int		 rc;

	if ((c.v = calloc(a->o->c.n + 1, sizeof(*c.v))) == NULL)
		return err_set(e, ENOMEM, "offer");
	for (i = 0; i < a->o->c.n; i++)
		if (a->o->c.v[i].op == CHANGE_SET &&
		    !peer_never(a->never, a->o->c.v[i].e.path)) {
			c.v[c.n] = a->o->c.v[i];	/* borrowed */
			bytes += c.v[c.n].data.len + 2 *
			    strlen(c.v[c.n].e.path) + c.v[c.n].e.xattrlen +
			    4096;
			c.n++;
		}
	/* One area of four is to have it all. */
	bytes = (bytes / 4096 + 1) * 4096 * 6;
	if ((rc = io_mem(&a->io, bytes, 4096, e)) == 0 &&
	    (rc = store_create(a->io, &(struct store_geom){ 0, 0 }, e)) == 0 &&
	    (rc = store_open(&a->mem, a->io, e)) == 0 && c.n > 0)
		rc = store_commit(a->mem, &c, &gen, e);
	free(c.v);
	return rc;
}

static uint32_t
last_link(const struct ents *v)
{
	uint32_t	 n = 0;
	size_t		 i;

	for (i = 0; i < v->n; i++)
		if (v->v[i].link > n)
			n = v->v[i].link;
	return n;
}

static int
put_copy(struct ents *to, const struct ent *e, uint32_t links)
{
	struct ent	 x;

	if (ent_copy(&x, e) < 0)
		return -ENOMEM;
	if (x.link != 0)
		x.link += links;
	return ents_put(to, &x);
}

/* The head's overlay with the changes: a->to. */
static int
target(struct accept *a, struct err *e)
{
	const bool	 whole = (a->o->flags & OFFER_FORCE) != 0;
	const uint32_t	 links = last_link(&a->w.ov);
	struct ents	 in = { NULL, 0, 0 };
	const struct ent *x;
	size_t		 i;
	int		 rc;

	if ((rc = fill_mem(a, e)) < 0 || (rc = store_overlay(a->mem,
	    store_head(a->mem), &in, e)) < 0)
		return rc;
	for (i = 0; i < a->w.ov.n && rc == 0; i++) {
		x = &a->w.ov.v[i];
		if (ents_find(&in, x->path) != NULL ||
		    (incoming(a, x->path) != NULL) ||
		    (whole && !peer_never(a->never, x->path)))
			continue;
		rc = put_copy(&a->to, x, 0);
	}
	for (i = 0; i < in.n && rc == 0; i++)
		rc = put_copy(&a->to, &in.v[i], links);
	if (rc == 0)
		rc = overlay_diff(&a->w.ov, &a->to, &a->touched);
	ents_free(&in);
	return rc < 0 ? err_set(e, -rc, "offer") : 0;
}

static int
no_place(struct accept *a, const char *path, const char *why)
{
	refused_add(&a->no, path);
	return accept_refuse(a, REFUSE_OTHER, 0, why);
}

/* Each entry lies in a directory, also what never crosses. */
static int
places(struct accept *a, struct err *e)
{
	const struct pers	 to = { a->w.pers.base, &a->to, NULL, NULL };
	const struct ent	*x;
	char			*dir, *slash;
	size_t			 i;
	int			 rc = 1;

	for (i = 0; i < a->to.n && rc == 1; i++) {
		x = &a->to.v[i];
		if ((slash = strrchr(x->path, '/')) == NULL)
			continue;
		if ((dir = strndup(x->path, (size_t)(slash - x->path))) ==
		    NULL)
			return err_set(e, ENOMEM, "offer");
		if (pers_over(&to, dir) != NULL || x->type != ENT_WHITEOUT)
			rc = pers_isdir(&to, dir);
		free(dir);
		if (rc == 0)
			return no_place(a, x->path, "it would lie in no "
			    "directory there");
	}
	return rc < 0 ? err_set(e, ENOMEM, "offer") : 0;
}

/* Whether a change of one path is in the way of that of another. */
static bool
in_the_way(const struct pent *p, const char *touched)
{
	if (path_within(p->path, touched))
		return true;
	return path_within(touched, p->path) &&
	    (p->was.type != ENT_DIR || p->now.type != ENT_DIR);
}

static int
pending(struct accept *a, struct err *e)
{
	struct pend	 p;
	size_t		 i, k;
	int		 rc;

	memset(&p, 0, sizeof(p));
	if ((rc = work_find(&a->w, UINT64_MAX, &p, e)) < 0)
		return rc;
	for (i = 0; i < p.n; i++)
		for (k = 0; k < a->touched.n; k++)
			if (in_the_way(&p.v[i], a->touched.v[k])) {
				refused_add(&a->no, p.v[i].path);
				break;
			}
	pend_free(&p);
	return a->no.n > 0 ? accept_refuse(a, REFUSE_PENDING, 0, NULL) : 0;
}

static int
no_trial(struct accept *a, struct err *e)
{
	struct tstate	 t;
	int		 rc;

	if ((rc = tstate_load(a->c->inst.state, &t, e)) < 0)
		return rc;
	tstate_free(&t);
	return rc == 1 ? accept_refuse(a, REFUSE_TRIAL, 0, NULL) : 0;
}

/* Compare and swap: what was agreed on must be what the sender names. */
static int
agreed(struct accept *a, struct err *e)
{
	const struct offer	*o = a->o;
	struct pair		 p;
	bool			 same;

	(void)pair_newest(a->w.st.s, o->id, &p);
	same = p.mine == o->theirs && p.theirs == o->ours;
	if ((o->flags & OFFER_FORCE) != 0)
		return (o->flags & OFFER_FULL) != 0 ? 0 :
		    err_set(e, EBADMSG, "an offer");
	if (same)
		return own_commits(a, (o->flags & OFFER_FULL) != 0 ? 0 :
		    p.mine, REFUSE_OWN, e);
	/* What is all the same needs no history. */
	if ((o->flags & OFFER_FULL) == 0 || a->touched.n > 0)
		return accept_refuse(a, REFUSE_PAIR, p.mine, NULL);
	return own_commits(a, 0, REFUSE_PAIR, e);
}

int
accept_find(struct accept *a, struct err *e)
{
	int	 rc;

	if ((rc = work_open(&a->w, a->c, e)) < 0 ||
	    (rc = conf_read(&a->conf, cfg_root(a->c), e)) < 0 ||
	    (rc = peers_excluded(&a->conf.peers, &a->never, e)) < 0 ||
	    (rc = target(a, e)) < 0 || (rc = agreed(a, e)) < 0 ||
	    (rc = no_trial(a, e)) < 0)
		return rc;
	if (a->touched.n == 0)
		return 0;
	if ((rc = places(a, e)) < 0)
		return rc;
	return pending(a, e);
}

void
accept_free(struct accept *a)
{
	refused_free(&a->no);
	strs_free(&a->touched);
	ents_free(&a->to);
	store_close(a->mem);
	io_close(a->io);
	patt_free(a->never);
	conf_free(&a->conf);
	work_close(&a->w);
}
