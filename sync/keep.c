/*
 * keep.c: older generations that outlive the area they were written in.
 *
 * When an area is to be written anew, those that it alone has, and that
 * are tagged or young enough, go along as hidden entries: the overlay that
 * each was, with contents that are mostly references or small deltas.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "append.h"

static int
nomem(const struct store *s, struct err *e)
{
	return err_set(e, ENOMEM, "%s", s->io->name);
}

void
store_keep(struct store *s, uint64_t least, int64_t since)
{
	s->keep = least;
	s->since = since;
}

/* ---- what is kept */

/* The generation that "/k/N..." is of; *rest is what follows the number:
 * NULL, or "t", "t/PATH", "b/PATH". */
static bool
split(const char *path, uint64_t *gen, const char **rest)
{
	const char	*p = hid_of(path);
	char		*end;

	*gen = strtoull(p, &end, 10);
	*rest = *end == '/' ? end + 1 : NULL;
	return end != p && (*end == '\0' || *end == '/');
}

bool
store_kept(const struct store *s, size_t nr, uint64_t *gen)
{
	const struct ents	*ov = &s->head;
	uint64_t		 g, best = 0, below = UINT64_MAX;
	const char		*rest;
	size_t			 i;

	for (;; nr--) {
		best = 0;
		for (i = hid_from(ov, HID_KEPT); i < ov->n &&
		    hid_kind(ov->v[i].path) == HID_KEPT; i++)
			if (split(ov->v[i].path, &g, &rest) && rest == NULL &&
			    g < below && g > best)
				best = g;
		if (nr == 0 || best == 0)
			break;
		below = best;
	}
	*gen = best;
	return best != 0;
}

static const struct ent *
info_of(const struct store *s, uint64_t gen)
{
	char	 nr[24];

	(void)snprintf(nr, sizeof(nr), "%" PRIu64, gen);
	return hid_find(&s->head, HID_KEPT, nr);
}

/* From "t/PATH" or "b/PATH" to what that is in its own overlay. */
static char *
own_path(const char *rest)
{
	const char	*p = rest[1] == '/' ? rest + 2 : rest + 1;

	if (*rest == 'b')
		return hid_path(HID_BASE, p);
	return *rest == 't' ? strdup(p) : NULL;
}

int
keep_overlay(struct store *s, uint64_t gen, struct ents *ov, struct err *e)
{
	const struct ent	*x;
	struct ent		 y;
	const char		*rest;
	uint64_t		 g;
	size_t			 i;

	memset(ov, 0, sizeof(*ov));
	if (info_of(s, gen) == NULL)
		return err_setx(e, ENOENT, "%s: no generation %" PRIu64,
		    s->io->name, gen);
	for (i = hid_from(&s->head, HID_KEPT); i < s->head.n &&
	    hid_kind(s->head.v[i].path) == HID_KEPT; i++) {
		x = &s->head.v[i];
		if (!split(x->path, &g, &rest) || g != gen || rest == NULL)
			continue;
		if (ent_copy(&y, x) < 0)
			return nomem(s, e);
		free(y.path);
		if ((y.path = own_path(rest)) == NULL) {
			ent_free(&y);
			return nomem(s, e);
		}
		if (ents_put(ov, &y) < 0)
			return nomem(s, e);
	}
	return 0;
}

int
keep_record(struct store *s, uint64_t gen, struct commit *c, struct err *e)
{
	const struct ent	*x = info_of(s, gen);
	const char		*p, *nl;
	char			*end;

	memset(c, 0, sizeof(*c));
	if (x == NULL || x->type != ENT_LNK)
		return err_setx(e, ENOENT, "%s: no generation %" PRIu64,
		    s->io->name, gen);
	c->time = strtoll(x->target, &end, 10);
	c->uid = (uint32_t)strtoul(end, &end, 10);
	p = *end == ' ' ? end + 1 : end;
	nl = p + strcspn(p, "\n");
	if (nl > p && (c->user = strndup(p, (size_t)(nl - p))) == NULL)
		return nomem(s, e);
	nl += *nl == '\n';
	if (*nl != '\0' && (c->msg = strdup(nl)) == NULL) {
		commit_free(c);
		return nomem(s, e);
	}
	return 0;
}

/* ---- what goes along */

/* A generation that may go along. */
struct old {
	uint64_t	 gen;
	bool		 tagged;
	bool		 kept;		/* it is among the hidden entries */
	size_t		 rec;		/* else the record that leads to it */
};

struct olds {
	struct old	*v;
	size_t		 n;
};

/* The tag that is just being set, or 0. */
static uint64_t
new_tag(const struct items *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].op == CHANGE_SET &&
		    hid_kind(l->v[i].e.path) == HID_TAG)
			return strtoull(l->v[i].e.target, NULL, 10);
	return 0;
}

static bool
tagged(const struct store *s, const struct items *l, uint64_t gen)
{
	const char	*name;
	uint64_t	 g;
	size_t		 i;

	for (i = 0; store_tag_at(s, i, &name, &g); i++)
		if (g == gen)
			return true;
	return gen != 0 && new_tag(l) == gen;
}

static int
add(struct olds *l, const struct old *o)
{
	struct old	*v = realloc(l->v, (l->n + 1) * sizeof(*v));

	if (v == NULL)
		return -ENOMEM;
	l->v = v;
	l->v[l->n++] = *o;
	return 0;
}

/* Young in number; or, where the time is known, in time. */
static bool
young(const struct store *s, uint64_t gen, int64_t time)
{
	return gen + s->keep > s->seq ||
	    (s->since != 0 && time >= s->since);
}

/* Those kept so far. */
static int
list_kept(struct store *s, const struct items *items, struct olds *l,
    struct err *e)
{
	struct old	 o = { 0, false, true, 0 };
	struct commit	 c;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; rc == 0 && store_kept(s, i, &o.gen); i++) {
		if ((rc = keep_record(s, o.gen, &c, e)) < 0)
			break;
		o.tagged = tagged(s, items, o.gen);
		if ((o.tagged || young(s, o.gen, c.time)) && add(l, &o) < 0)
			rc = nomem(s, e);
		commit_free(&c);
	}
	return rc;
}

/* The first generation that the other areas have, as far as is known. */
static uint64_t
others_from(const struct store *s, uint32_t area)
{
	uint64_t	 first = s->seq;
	uint32_t	 i;

	for (i = 0; i < s->sb.areas; i++)
		if (i != area && s->area[i].state == AREA_GOOD &&
		    s->area[i].first < first)
			first = s->area[i].first;
	return first;
}

/* Whether it is worth looking what the area has below `first`. */
static bool
worth(const struct store *s, const struct items *l, uint64_t first)
{
	const char	*name;
	uint64_t	 g;
	size_t		 i;

	if (s->since != 0 || first + s->keep > s->seq)
		return true;
	for (i = 0; store_tag_at(s, i, &name, &g); i++)
		if (g <= first && info_of(s, g) == NULL)
			return true;
	g = new_tag(l);
	return g != 0 && g <= first && info_of(s, g) == NULL;
}

/* Those that only this area has. */
static int
list_area(struct store *s, uint32_t area, uint64_t first,
    const struct items *items, struct olds *l, struct err *e)
{
	const struct area	*a = &s->area[area];
	struct ents		 ov = { NULL, 0, 0 };
	struct old		 o = { 0, false, false, 0 };
	struct meta		 m;
	size_t			 k;
	int			 rc = 0;

	/* Of the first that the others have, they may have the state alone. */
	for (k = 0; rc == 0 && k < a->nrec && a->rec[k].seq <= first; k++) {
		o = (struct old){ a->rec[k].seq, tagged(s, items,
		    a->rec[k].seq), false, k };
		if (a->rec[k].type == REC_NOTE || o.gen == 0 ||
		    (o.gen == first && a->rec[k].type == REC_CHECK))
			rc = area_step(s, area, k, &ov, e);
		else if ((rc = area_meta(s, area, k, &ov, &m, e)) == 0) {
			if ((o.tagged || young(s, o.gen, m.c.time)) &&
			    info_of(s, o.gen) == NULL && add(l, &o) < 0)
				rc = nomem(s, e);
			meta_free(&m);
			if (rc == 0)
				rc = area_step(s, area, k, &ov, e);
		}
	}
	ents_free(&ov);
	/* What can't be read can't be kept. */
	return rc == -ENOMEM ? rc : 0;
}

static int
newest_first(const void *a, const void *b)
{
	const struct old	*x = a, *y = b;

	return x->gen < y->gen ? 1 : x->gen > y->gen ? -1 : 0;
}

/* An entry of the old overlay, under its new name. */
static int
put_ent(struct items *l, const struct ent *x, uint64_t gen)
{
	bool		 base = hid_kind(x->path) == HID_BASE;
	const char	*p = base ? hid_of(x->path) : x->path;
	struct item	*it;
	struct ent	 y, bare = *x;

	if (hid_is(x->path) && !base)
		return 0;
	bare.path = NULL;
	if (ent_copy(&y, &bare) < 0)
		return -ENOMEM;
	if (asprintf(&y.path, "/%c/%" PRIu64 "/%c%s%s", HID_KEPT, gen,
	    base ? 'b' : 't', *p == '\0' ? "" : "/", p) == -1) {
		y.path = NULL;
		ent_free(&y);
		return -ENOMEM;
	}
	if ((it = items_set(l, &y)) == NULL)
		return -ENOMEM;
	it->src.loc = x->loc;
	return 0;
}

static int
put_info(struct items *l, uint64_t gen, const struct commit *c)
{
	struct buf	 b = BUF_INIT;
	struct ent	 x;

	memset(&x, 0, sizeof(x));
	x.type = ENT_LNK;
	x.mode = 0777;
	put_fmt(&b, "%" PRId64 " %" PRIu32 " %s\n%s", c->time, c->uid,
	    c->user == NULL ? "" : c->user, c->msg == NULL ? "" : c->msg);
	put_u8(&b, '\0');
	x.target = b.bad ? NULL : strdup((char *)b.p);
	buf_free(&b);
	if (x.target == NULL || asprintf(&x.path, "/%c/%" PRIu64, HID_KEPT,
	    gen) == -1) {
		free(x.target);
		return -ENOMEM;
	}
	return items_set(l, &x) == NULL ? -ENOMEM : 0;
}

/* Whether all its paths are short enough to be hidden. */
static bool
can_hide(const struct ents *ov)
{
	size_t	 i;

	for (i = 0; i < ov->n; i++)
		if (strlen(ov->v[i].path) > PATH_LIMIT - 24)
			return false;
	return true;
}

/* Whether all its contents can be read: a write that was torn may lie over
 * some. */
static bool
whole(struct store *s, const struct ents *ov)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;
	bool		 yes = true;

	for (i = 0; yes && i < ov->n; i++) {
		b.len = 0;
		yes = ov->v[i].loc == 0 || blob_read(s,
		    LOC_AREA(ov->v[i].loc), LOC_BLOB(ov->v[i].loc), &b,
		    NULL) == 0;
	}
	buf_free(&b);
	return yes;
}

static int
put_old(struct store *s, uint32_t area, const struct old *o, struct items *l,
    struct err *e)
{
	struct ents	 ov = { NULL, 0, 0 };
	struct commit	 c;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; i <= o->rec && rc == 0; i++)
		rc = area_step(s, area, i, &ov, e);
	if (rc < 0 || !can_hide(&ov) || !whole(s, &ov)) {
		ents_free(&ov);
		return rc == -ENOMEM ? rc : 0;
	}
	if ((rc = store_record(s, o->gen, &c, e)) == -ENOENT)
		rc = 0;		/* a checkpoint is all there is */
	if (rc == 0 && put_info(l, o->gen, &c) < 0)
		rc = nomem(s, e);
	for (i = 0; i < ov.n && rc == 0; i++)
		if (put_ent(l, &ov.v[i], o->gen) < 0)
			rc = nomem(s, e);
	commit_free(&c);
	ents_free(&ov);
	return rc == -ENOMEM ? rc : 0;
}

/* Drops for what is kept and not in the list any more. */
static int
drop_others(struct store *s, const struct olds *keep, struct items *l,
    struct err *e)
{
	const struct ents	*ov = &s->head;
	const char		*rest;
	uint64_t		 g;
	size_t			 i, k;

	for (i = hid_from(ov, HID_KEPT); i < ov->n &&
	    hid_kind(ov->v[i].path) == HID_KEPT; i++) {
		for (k = 0; k < keep->n; k++)
			if (split(ov->v[i].path, &g, &rest) &&
			    keep->v[k].gen == g)
				break;
		if (k == keep->n && items_drop(l, ov->v[i].path) < 0)
			return nomem(s, e);
	}
	return 0;
}

int
keep_items(struct store *s, uint32_t area, size_t most, struct items *l,
    size_t *some, struct err *e)
{
	uint64_t	 first = others_from(s, area);
	struct olds	 all = { NULL, 0 };
	struct ents	 ov = { NULL, 0, 0 };
	size_t		 i, n = 0;
	int		 rc;

	*some = 0;
	rc = list_kept(s, l, &all, e);
	if (rc == 0 && s->area[area].state == AREA_GOOD && worth(s,
	    l, first)) {
		if (!s->area[area].loaded &&
		    area_load(s, area, &ov, NULL) < 0)
			s->area[area].state = AREA_BAD;
		else
			rc = list_area(s, area, first, l, &all, e);
		ents_free(&ov);
	}
	if (all.n > 1)
		qsort(all.v, all.n, sizeof(*all.v), newest_first);
	for (i = 0; i < all.n; i++)
		if (all.v[i].tagged || *some < most) {
			*some += !all.v[i].tagged;
			all.v[n++] = all.v[i];
		}
	all.n = n;
	for (i = 0; i < all.n && rc == 0; i++)
		if (!all.v[i].kept)
			rc = put_old(s, area, &all.v[i], l, e);
	if (rc == 0)
		rc = drop_others(s, &all, l, e);
	free(all.v);
	return rc;
}
