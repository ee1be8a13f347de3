/*
 * commit.c: appending a commit, one contiguous write and one flush.
 *
 * It goes behind the last record of the head's area.  Where it does not
 * fit, or something there is damaged, it goes into another area, behind a
 * checkpoint of the state before it; and where even these two do not fit
 * together, as one record that carries the state after it.  What can't
 * be done is known before anything is written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "draft.h"
#include "meta-int.h"

/* A commit on its way. */
struct job {
	const struct commit *c;
	struct meta	 m;		/* what of it the record will say */
	struct source	*src;		/* for each of its steps */
	struct plan	 plan;		/* of the head after it */
	struct ents	 moved;		/* head, shallow, with new locs */
	struct meta	 base;		/* the checkpoint's, steps shallow */
	struct source	*basesrc;
	struct draft	 check;		/* first record of a fresh area */
	struct draft	 rec;		/* the commit */
	struct area	 next;		/* what the fresh area will be */
	uint32_t	 area;		/* where it goes */
	bool		 fresh;		/* that is not the head's */
	bool		 whole;		/* `check` is commit and state in one */
	struct buf	 out;		/* what is written */
	uint64_t	 off;		/* and where */
};

static void
job_undo(struct job *j)
{
	draft_free(&j->check);
	draft_free(&j->rec);
	memset(&j->check, 0, sizeof(j->check));
	memset(&j->rec, 0, sizeof(j->rec));
	free(j->moved.v);
	memset(&j->moved, 0, sizeof(j->moved));
	free(j->base.s.v);		/* shallow */
	memset(&j->base, 0, sizeof(j->base));
	free(j->basesrc);
	j->basesrc = NULL;
	area_reset(&j->next);
	j->out.len = 0;
	j->whole = false;
}

static void
job_free(struct job *j)
{
	job_undo(j);
	buf_free(&j->out);
	plan_free(&j->plan);
	steps_free(&j->m.s);
	free(j->src);
}

static int
nomem(const struct store *s, struct err *e)
{
	return err_set(e, ENOMEM, "%s", s->io->name);
}

/* The entry as it is stored: what its type has no use for is zero. */
static void
canonical(struct ent *e)
{
	e->loc = 0;
	if (e->type != ENT_REG) {
		e->size = 0;
		memset(&e->hash, 0, sizeof(e->hash));
	}
	if (e->type != ENT_LNK) {
		free(e->target);
		e->target = NULL;
	}
	if (e->type != ENT_CHR && e->type != ENT_BLK)
		e->major = e->minor = 0;
	if (e->xattrlen == 0) {
		free(e->xattr);
		e->xattr = NULL;
	}
	if (e->type == ENT_WHITEOUT) {
		free(e->xattr);
		e->xattr = NULL;
		e->xattrlen = 0;
		e->mode = e->uid = e->gid = e->mtime_ns = e->link = 0;
		e->mtime = 0;
	}
}

static bool
same_content(const struct ent *a, const struct ent *b)
{
	return a->type == ENT_REG && a->size == b->size &&
	    memcmp(a->hash.b, b->hash.b, HASH_LEN) == 0;
}

/* A content that is not given: an earlier change or the head has it. */
static int
find_data(const struct store *s, struct job *j, const struct ent *e,
    struct source *src, struct err *err)
{
	size_t	 i;

	for (i = j->m.s.n - 1; i-- > 0;)
		if (j->src[i].given != NULL &&
		    same_content(&j->m.s.v[i].c.e, e)) {
			src->given = j->src[i].given;
			return 0;
		}
	for (i = 0; i < s->head.n; i++)
		if (same_content(&s->head.v[i], e)) {
			src->loc = s->head.v[i].loc;
			return 0;
		}
	return err_setx(err, EINVAL, "%s: no content given", e->path);
}

/* The last step's content: it must be what the entry says. */
static int
check_data(const struct store *s, const struct change *c, struct job *j,
    struct err *e)
{
	struct ent	*n = &j->m.s.v[j->m.s.n - 1].c.e;
	struct source	*src = &j->src[j->m.s.n - 1];
	struct hash	 h;

	if (n->type != ENT_REG)
		return 0;
	if (c->data.len == 0 && n->size > 0)
		return find_data(s, j, n, src, e);
	hash_mem(&h, c->data.len == 0 ? (const void *)"" : c->data.p,
	    c->data.len);
	if (c->data.len != n->size ||
	    memcmp(h.b, n->hash.b, HASH_LEN) != 0)
		return err_setx(e, EINVAL, "%s: content of another size or "
		    "hash than its entry", c->e.path);
	src->given = &c->data;
	return 0;
}

static int
make_step(const struct store *s, const struct change *c, struct job *j,
    struct err *e)
{
	struct step	*st = &j->m.s.v[j->m.s.n];
	struct ent	*known;

	known = ents_find(&s->head, c->e.path);
	/* What follows the base already needs no word. */
	if (c->op == CHANGE_DROP && known == NULL)
		return 0;
	memset(st, 0, sizeof(*st));
	st->c.op = c->op;
	st->c.uid = c->uid;
	memcpy(st->c.comm, c->comm, sizeof(st->c.comm) - 1);
	st->at = known == NULL ? NOWHERE : (size_t)(known - s->head.v);
	if (c->op == CHANGE_DROP) {
		if ((st->c.e.path = strdup(c->e.path)) == NULL)
			return nomem(s, e);
	} else if (ent_copy(&st->c.e, &c->e) < 0)
		return nomem(s, e);
	j->m.s.n++;
	if (c->op == CHANGE_DROP)
		return 0;
	canonical(&st->c.e);
	if (!overlay_ent_ok(&st->c.e))
		return err_setx(e, st->c.e.size > CONTENT_MAX ? EFBIG : EINVAL,
		    "%s: can't be stored", c->e.path);
	return check_data(s, c, j, e);
}

static int
make_steps(struct store *s, struct job *j, struct err *e)
{
	const struct commit	*c = j->c;
	const char		*bad;
	size_t			 i;
	int			 rc;

	j->m.c.time = c->time;
	j->m.c.uid = c->uid;
	j->m.c.user = c->user;
	j->m.c.msg = c->msg;
	j->m.s.v = calloc(c->n + 1, sizeof(*j->m.s.v));
	j->src = calloc(c->n + 1, sizeof(*j->src));
	if (j->m.s.v == NULL || j->src == NULL)
		return nomem(s, e);
	for (i = 0; i < c->n; i++) {
		if (c->v[i].e.path == NULL ||
		    !path_ok(c->v[i].e.path, strlen(c->v[i].e.path)) ||
		    (i > 0 && path_cmp(c->v[i - 1].e.path,
		    c->v[i].e.path) >= 0) ||
		    (c->v[i].op != CHANGE_SET && c->v[i].op != CHANGE_DROP))
			return err_setx(e, EINVAL, "changes out of order");
		if ((rc = make_step(s, &c->v[i], j, e)) < 0)
			return rc;
	}
	rc = overlay_plan(&s->head, &j->m.s, &j->plan, &bad);
	if (rc == -EINVAL)
		return err_setx(e, EINVAL, "%s: below what is no directory",
		    bad);
	return rc < 0 ? nomem(s, e) : 0;
}

static uint64_t
nonce(void)
{
	uint64_t	 v = 0;

	while (v == 0)
		os_random(&v, sizeof(v));
	return v;
}

/* Behind the head's last record. */
static int
place_here(struct store *s, struct job *j, struct err *e)
{
	struct area		*a = &s->area[s->cur];
	const struct rec	*last = &a->rec[a->nrec - 1];
	struct draft		*d = &j->rec;
	uint64_t		 end = area_off(s, s->cur) + s->sb.area;
	int			 rc;

	j->area = s->cur;
	j->fresh = false;
	*d = (struct draft){ .m = &j->m, .src = j->src, .before = &s->head,
	    .old = &s->head, .bases = &a->blobs, .area = s->cur,
	    .r = { .type = REC_COMMIT, .gen = a->gen, .parent = last->sum,
	    .seq = s->seq + 1, .life = a->life, .nonce = nonce(),
	    .off = a->end } };
	if ((rc = draft_make(s, d, e)) < 0)
		return rc;
	if (rec_size(&d->r, s->sb.align) > end - a->end)
		return -ENOSPC;
	j->off = d->r.off;
	return draft_put(s, d, &j->out, e);
}

/*
 * The area for a checkpoint: one never used, or no good, or the oldest;
 * never the head's own, nor that in which a write has just failed.
 */
uint32_t
area_pick(const struct store *s, uint32_t avoid)
{
	uint32_t	 i, k, best = s->cur;

	for (k = 1; k < s->sb.areas; k++) {
		i = (s->cur + k) % s->sb.areas;
		if (i == avoid)
			continue;
		if (s->area[i].state != AREA_GOOD)
			return i;
		if (best == s->cur || s->area[i].gen < s->area[best].gen)
			best = i;
	}
	return best;
}

/* A generation above all that any area may hold, seen or not. */
static uint32_t
next_gen(const struct store *s)
{
	uint32_t	 i, g = s->maxgen + 1;

	for (i = 0; i < s->sb.areas; i++)
		if (s->area[i].state == AREA_BAD)
			g++;
	return g;
}

/* The steps from nothing to the plan's overlay, or to the head. */
static int
from_nothing(struct store *s, struct job *j, bool planned)
{
	const struct steps	*my = &j->m.s;
	size_t			 i = 0, k = 0, max = s->head.n + my->n;
	struct step		*st;
	const struct ent	*e;
	int			 cmp;

	j->base.c = j->m.c;
	j->base.s.v = calloc(max + 1, sizeof(*st));
	j->basesrc = calloc(max + 1, sizeof(*j->basesrc));
	if (j->base.s.v == NULL || j->basesrc == NULL)
		return -ENOMEM;
	if (!planned) {
		j->base.c.uid = 0;
		j->base.c.user = j->base.c.msg = NULL;
	}
	for (;;) {
		e = i < s->head.n ? &s->head.v[i] : NULL;
		st = planned && k < my->n ? &my->v[k] : NULL;
		if (e == NULL && st == NULL)
			return 0;
		cmp = e == NULL ? 1 : st == NULL ? -1 :
		    path_cmp(e->path, st->c.e.path);
		if (cmp <= 0)
			i++;
		/* Some the steps take along without saying so. */
		if (cmp < 0 && j->plan.gone != NULL && planned &&
		    j->plan.gone[i - 1])
			continue;
		if (cmp < 0) {
			j->base.s.v[j->base.s.n].c.op = CHANGE_SET;
			j->base.s.v[j->base.s.n].c.e = *e;
			j->base.s.v[j->base.s.n].carried = true;
			j->basesrc[j->base.s.n].loc = e->loc;
		} else {
			j->base.s.v[j->base.s.n] = *st;
			j->basesrc[j->base.s.n] = j->src[k++];
		}
		j->base.s.v[j->base.s.n++].at = NOWHERE;
	}
}

/* The record that begins a fresh area. */
static int
make_check(struct store *s, struct job *j, bool whole, struct err *e)
{
	static const struct ents	 none;
	static const struct blobs	 noblobs;
	const struct area		*a = &s->area[s->cur];
	struct draft			*d = &j->check;

	if (from_nothing(s, j, whole) < 0)
		return nomem(s, e);
	j->whole = whole;
	*d = (struct draft){ .m = &j->base, .src = j->basesrc,
	    .before = &none, .old = &none, .bases = &noblobs,
	    .area = j->area, .r = { .type = whole ? REC_WHOLE : REC_CHECK,
	    .gen = next_gen(s), .parent = a->rec[a->nrec - 1].sum,
	    .seq = whole ? s->seq + 1 : s->seq, .nonce = nonce(),
	    .off = area_off(s, j->area) } };
	d->r.life = d->r.nonce;
	return draft_make(s, d, e);
}

/* The commit behind the checkpoint. */
static int
make_first(struct store *s, struct job *j, struct err *e)
{
	struct draft	*d = &j->rec;
	size_t		 i;

	j->moved.v = malloc((s->head.n + 1) * sizeof(*j->moved.v));
	if (j->moved.v == NULL)
		return nomem(s, e);
	for (i = 0; i < s->head.n; i++) {
		j->moved.v[i] = s->head.v[i];
		j->moved.v[i].loc = j->base.s.v[i].c.e.loc;
	}
	j->moved.n = s->head.n;
	*d = (struct draft){ .m = &j->m, .src = j->src, .before = &j->moved,
	    .old = &s->head, .bases = &j->check.own, .area = j->area,
	    .r = { .type = REC_COMMIT, .flags = REC_FIRST,
	    .gen = j->check.r.gen, .seq = s->seq + 1,
	    .life = j->check.r.life, .nonce = nonce() } };
	return draft_make(s, d, e);
}

/* Into another area than the head's. */
static int
place_fresh(struct store *s, struct job *j, uint32_t avoid, struct err *e)
{
	uint64_t	 n;
	int		 rc;

	if (s->maxgen > UINT32_MAX - 2 * AREAS_MOST)
		return err_setx(e, EOVERFLOW, "%s: worn out", s->io->name);
	j->area = area_pick(s, avoid);
	j->fresh = true;
	j->off = area_off(s, j->area);
	if ((rc = make_check(s, j, false, e)) < 0 ||
	    (rc = make_first(s, j, e)) < 0)
		return rc;
	n = rec_size(&j->check.r, s->sb.align);
	if (n + rec_size(&j->rec.r, s->sb.align) <= s->sb.area) {
		if ((rc = draft_put(s, &j->check, &j->out, e)) < 0)
			return rc;
		j->rec.r.off = j->off + n;
		j->rec.r.parent = j->check.r.sum;
		return draft_put(s, &j->rec, &j->out, e);
	}
	job_undo(j);
	if ((rc = make_check(s, j, true, e)) < 0)
		return rc;
	n = rec_size(&j->check.r, s->sb.align);
	if (n > s->sb.area)
		return err_setx(e, ENOSPC, "%s: the commit needs %" PRIu64
		    " bytes, an area has %" PRIu64 ": No space left",
		    s->io->name, n, s->sb.area);
	return draft_put(s, &j->check, &j->out, e);
}

/* Note the records as if they were written; undone by take_back(). */
static int
note(struct store *s, struct job *j)
{
	struct area	*a = j->fresh ? &j->next : &s->area[s->cur];
	size_t		 i;

	if (j->fresh) {
		a->state = AREA_GOOD;
		a->gen = j->check.r.gen;
		a->life = j->check.r.life;
		a->first = j->check.r.seq;
		a->whole = j->whole;
		a->loaded = true;
		if (area_append(a, &j->check.r) < 0)
			return -ENOMEM;
	}
	for (i = 0; j->fresh && i < j->check.own.n; i++)
		if (blobs_add(&a->blobs, &j->check.own.v[i]) < 0)
			return -ENOMEM;
	for (i = 0; i < j->rec.own.n; i++)
		if (blobs_add(&a->blobs, &j->rec.own.v[i]) < 0) {
			a->blobs.n -= i;
			return -ENOMEM;
		}
	if (!j->whole && area_append(a, &j->rec.r) < 0) {
		a->blobs.n -= i;
		return -ENOMEM;
	}
	a->end = j->off + j->out.len;
	return 0;
}

static void
take_back(struct store *s, struct job *j)
{
	struct area	*a = &s->area[s->cur];

	if (j->fresh)
		return;
	a->end = a->rec[--a->nrec].off;
	a->blobs.n -= j->rec.own.n;
}

/*
 * Write it, once.  *again: the medium did not take it, but may take it
 * elsewhere; the same commit, so that it does no harm where this one is
 * found there after all.
 */
static int
write_out(struct store *s, struct job *j, bool *again, struct err *e)
{
	int	 rc;

	*again = false;
	s->winlen = 0;
	if (j->fresh) {
		area_reset(&s->area[j->area]);
		s->area[j->area].state = AREA_BAD;
		s->maxgen = j->check.r.gen;
	}
	rc = s->io->ops->write(s->io, j->out.p, j->out.len, j->off, e);
	if (rc < 0) {
		*again = true;
		return rc;
	}
	return s->io->ops->flush(s->io, e);	/* COMMIT POINT */
}

/* The commit is on the medium: make it the head. */
static void
settle_in(struct store *s, struct job *j)
{
	size_t	 i, k;

	if (j->fresh) {
		s->area[j->area] = j->next;
		memset(&j->next, 0, sizeof(j->next));
		s->cur = j->area;
		s->fresh = false;
		for (i = 0; i < j->moved.n; i++)
			s->head.v[i].loc = j->moved.v[i].loc;
	}
	overlay_do(&s->head, &j->m.s, &j->plan);
	for (i = k = 0; j->whole && i < j->base.s.n; i++)
		if (j->base.s.v[i].c.op == CHANGE_SET)
			s->head.v[k++].loc = j->base.s.v[i].c.e.loc;
	s->seq++;
	s->written = j->out.len;
}

static int
place(struct store *s, struct job *j, uint32_t avoid, struct err *e)
{
	int	 rc = -ENOSPC;

	if (!s->fresh)
		rc = place_here(s, j, e);
	if (rc == -ENOSPC) {
		job_undo(j);
		rc = place_fresh(s, j, avoid, e);
	}
	if (rc == 0 && note(s, j) < 0)
		rc = nomem(s, e);
	return rc;
}

int
store_commit(struct store *s, const struct commit *c, uint64_t *gen,
    struct err *e)
{
	struct job	 j;
	bool		 again;
	int		 rc;

	if (s->failed)
		return err_setx(e, EIO, "%s: closed to writing, as a write "
		    "failed", s->io->name);
	if (s->readonly)
		return err_setx(e, EROFS, "%s: this store can only be read",
		    s->io->name);
	memset(&j, 0, sizeof(j));
	j.c = c;
	if ((rc = make_steps(s, &j, e)) < 0 ||
	    (rc = place(s, &j, s->cur, e)) < 0)
		goto out;
	if ((rc = write_out(s, &j, &again, e)) < 0) {
		take_back(s, &j);
		s->fresh = true;
		s->failed = !again;
	}
	if (rc < 0 && again) {
		job_undo(&j);
		if (place(s, &j, j.area, NULL) == 0)
			rc = write_out(s, &j, &again, e);
		s->failed = rc < 0;
	}
	if (rc == 0) {
		settle_in(s, &j);
		*gen = s->seq;
	}
out:
	job_free(&j);
	return rc;
}
