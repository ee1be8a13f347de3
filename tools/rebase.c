/*
 * rebase.c: an entry of the overlay over another base.
 *
 * Three states of a path are at hand: what the base had when the entry
 * was committed (old), the entry (mine), what the base has now (theirs).
 * What only one side changed is taken, attribute by attribute; texts that
 * both changed are merged by lines.  Of all else mine stays.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "merge3.h"
#include "pers.h"
#include "pin.h"
#include "rebase.h"

const char *const rebase_word[WHY_N] = {
	[WHY_OVERLAP] = "overlap",
	[WHY_BINARY] = "binary",
	[WHY_UNKNOWN] = "unknown",
	[WHY_TYPE] = "type",
	[WHY_DELETED] = "deleted",
	[WHY_GONE] = "gone",
	[WHY_LINKED] = "linked",
	[WHY_BACK] = "back"
};

static bool
hash_same(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, HASH_LEN) == 0;
}

bool
base_content_same(const struct ent_base *b, const struct ent *x)
{
	if (b->type != x->type)
		return false;
	if (b->type == ENT_REG)
		return b->size == x->size && hash_same(&b->hash, &x->hash);
	if (b->type == ENT_LNK)
		return b->target != NULL && x->target != NULL &&
		    strcmp(b->target, x->target) == 0;
	return (b->type != ENT_CHR && b->type != ENT_BLK) ||
	    (b->major == x->major && b->minor == x->minor);
}

bool
base_same(const struct ent_base *b, const struct ent *now)
{
	return base_content_same(b, now) && (b->type == ENT_NONE ||
	    (b->uid == now->uid && b->gid == now->gid &&
	    (b->type == ENT_LNK || b->mode == now->mode)));
}

struct ent_base *
base_of(const struct ent *now)
{
	struct ent_base	*b = calloc(1, sizeof(*b));

	if (b == NULL || now->type == ENT_NONE)
		return b;
	b->type = now->type;
	b->mode = now->mode;
	b->uid = now->uid;
	b->gid = now->gid;
	b->major = now->major;
	b->minor = now->minor;
	if (b->type == ENT_REG) {
		b->size = now->size;
		b->hash = now->hash;
	}
	if (b->type == ENT_LNK && (b->target = strdup(now->target)) == NULL) {
		free(b);
		return NULL;
	}
	return b;
}

static bool
three(uint32_t old, uint32_t *mine, uint32_t theirs)
{
	if (*mine != old || theirs == old)
		return false;
	*mine = theirs;
	return true;
}

/* Mode and owner, each for itself.  Whether one was taken. */
static bool
attributes(struct ent *x, const struct ent *now)
{
	const struct ent_base	*old = x->base;
	bool			 took = false;

	if (old->type != now->type || x->type != now->type || x->link != 0)
		return false;
	if (x->type != ENT_LNK)
		took = three(old->mode, &x->mode, now->mode);
	took |= three(old->uid, &x->uid, now->uid);
	took |= three(old->gid, &x->gid, now->gid);
	return took;
}

static int
no_room(const struct ent *x, struct err *e)
{
	return err_set(e, ENOMEM, "merge %s", x->path);
}

/* Only the base has changed it. */
static int
take_target(struct ent *x, const struct ent *now, struct err *e)
{
	char	*t = strdup(now->target);

	if (t == NULL)
		return no_room(x, e);
	free(x->target);
	x->target = t;
	(void)attributes(x, now);
	return REBASE_MERGED;
}

/* The content is this one now, which is used up. */
static int
take(struct ent *x, const struct ent *now, struct buf *data, struct buf *b)
{
	buf_free(data);
	*data = *b;
	*b = (struct buf)BUF_INIT;
	x->size = data->len;
	hash_mem(&x->hash, data->p, data->len);
	(void)attributes(x, now);
	return REBASE_MERGED;
}

static int
theirs(const struct rebase *r, const struct ent *now, struct buf *b,
    struct err *e)
{
	const struct pers	 p = { r->base, NULL, NULL, NULL };

	return pers_content(&p, now, true, b, e);
}

/* What the old base had; false where nobody knows. */
static int
old_content(const struct rebase *r, const struct ent *x, struct buf *b,
    bool *known, struct err *e)
{
	int	 rc = 0;

	*known = x->base->type == ENT_NONE || x->base->size == 0;
	if (*known || x->base->loc == 0 || r->s == NULL)
		return 0;
	*known = true;
	if ((rc = store_base_content(r->s, x, b, e)) < 0 && rc != -ENOMEM) {
		*known = false;		/* damaged: as if it were not there */
		rc = 0;
	}
	return rc;
}

/* Both have changed the text. */
static int
merge(const struct rebase *r, struct ent *x, struct buf *data,
    const struct ent *now, enum rebase_why *why, struct buf *text,
    struct err *e)
{
	struct buf	 o = BUF_INIT, b = BUF_INIT;
	struct merge3	 m = { .text = BUF_INIT };
	bool		 known = true;
	int		 rc;

	*why = WHY_BINARY;
	if (x->size > REBASE_MAX || now->size > REBASE_MAX)
		return REBASE_PARKED;
	if ((rc = old_content(r, x, &o, &known, e)) < 0 || !known) {
		*why = WHY_UNKNOWN;
		rc = rc < 0 ? rc : REBASE_PARKED;
		goto out;
	}
	if ((rc = theirs(r, now, &b, e)) < 0 ||
	    (rc = merge3(&o, data, &b, &m, e)) < 0)
		goto out;
	if (m.conflicts == 0) {
		rc = take(x, now, data, &m.text);
		goto out;
	}
	rc = REBASE_PARKED;
	if (!m.binary) {
		*why = WHY_OVERLAP;
		if (text != NULL) {
			*text = m.text;
			m.text = (struct buf)BUF_INIT;
		}
	}
out:
	buf_free(&o);
	buf_free(&b);
	buf_free(&m.text);
	return rc;
}

static int
parked(enum rebase_why *why, enum rebase_why is)
{
	*why = is;
	return REBASE_PARKED;
}

/* Both are of one type, and the base has another content for it. */
static int
contents(const struct rebase *r, struct ent *x, struct buf *data,
    const struct ent *now, enum rebase_why *why, struct buf *text,
    struct err *e)
{
	struct buf	 b = BUF_INIT;
	bool		 untouched = base_content_same(x->base, x);
	int		 rc;

	if (x->type == ENT_LNK)
		return untouched ? take_target(x, now, e) :
		    parked(why, WHY_OVERLAP);
	if (x->type != ENT_REG)
		return REBASE_SAME;
	if (x->link != 0)
		return parked(why, WHY_LINKED);
	if (!untouched && x->base->type != ENT_REG &&
	    x->base->type != ENT_NONE)
		return parked(why, WHY_TYPE);
	if (!untouched)
		return merge(r, x, data, now, why, text, e);
	if ((rc = theirs(r, now, &b, e)) == 0)
		rc = take(x, now, data, &b);
	buf_free(&b);
	return rc;
}

/* The base has changed. */
static int
decide(const struct rebase *r, struct ent *x, struct buf *data,
    const struct ent *now, enum rebase_why *why, struct buf *text,
    struct err *e)
{
	const struct ent_base	 mine = { .type = x->type, .size = x->size,
				    .hash = x->hash, .target = x->target,
				    .major = x->major, .minor = x->minor };

	if (base_content_same(x->base, now) ||
	    base_content_same(&mine, now))
		return attributes(x, now) ? REBASE_MERGED : REBASE_SAME;
	if (x->type == ENT_WHITEOUT)
		return now->type == ENT_NONE ? REBASE_SAME :
		    parked(why, WHY_DELETED);
	if (now->type == ENT_NONE)
		return parked(why, WHY_GONE);
	if (x->type != now->type)
		return parked(why, WHY_TYPE);
	return contents(r, x, data, now, why, text, e);
}

int
rebase_ent(const struct rebase *r, struct ent *x, struct buf *data,
    enum rebase_why *why, struct buf *text, struct err *e)
{
	const struct pers	 p = { r->base, NULL, NULL, NULL };
	struct ent		 now;
	int			 rc;

	if (x->base == NULL || pin_has(r->pins, x->path))
		return REBASE_SAME;
	if ((rc = pers_base(&p, x->path, ENT_HASH, &now, NULL, NULL, e)) < 0)
		return rc;
	rc = base_same(x->base, &now) || ent_same(x, &now) ? REBASE_SAME :
	    decide(r, x, data, &now, why, text, e);
	ent_free(&now);
	return rc;
}
