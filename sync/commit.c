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
#include "append.h"
#include "meta-int.h"

/* A commit on its way, or a note. */
struct job {
	const struct commit *c;
	struct items	*items;		/* what it does */
	bool		 note;		/* it touches hidden entries alone, and the
					   generation stays */
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

static uint64_t
nonce(void)
{
	uint64_t	 v = 0;

	while (v == 0)
		os_random(&v, sizeof(v));
	return v;
}

static enum rec_type
type_of(const struct job *j)
{
	return j->note ? REC_NOTE : REC_COMMIT;
}

/* The generation after it. */
static uint64_t
seq_of(const struct store *s, const struct job *j)
{
	return s->seq + (j->note ? 0 : 1);
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
	    .r = { .type = type_of(j), .gen = a->gen, .parent = last->sum,
	    .seq = seq_of(s, j), .life = a->life, .nonce = nonce(),
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

/* The steps, anew where there are some; the head has not changed. */
static int
make_steps(struct store *s, struct job *j, struct err *e)
{
	plan_free(&j->plan);
	steps_free(&j->m.s);
	free(j->src);
	j->src = NULL;
	j->m.c.time = j->c->time;
	j->m.c.uid = j->c->uid;
	j->m.c.user = j->c->user;
	j->m.c.msg = j->c->msg;
	return steps_make(s, j->items, &j->m.s, &j->src, &j->plan, e);
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
	    .area = j->area, .r = { .type = whole && !j->note ? REC_WHOLE :
	    REC_CHECK, .gen = next_gen(s), .parent = a->rec[a->nrec - 1].sum,
	    .seq = whole ? seq_of(s, j) : s->seq, .nonce = nonce(),
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
	    .r = { .type = type_of(j), .flags = REC_FIRST,
	    .gen = j->check.r.gen, .seq = seq_of(s, j),
	    .life = j->check.r.life, .nonce = nonce() } };
	return draft_make(s, d, e);
}

/* Checkpoint and commit, or both in one, for the area that was picked. */
static int
lay_fresh(struct store *s, struct job *j, struct err *e)
{
	uint64_t	 n;
	int		 rc;

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

/*
 * Into another area than the head's.  Generations that only this area has
 * and that are to be kept go along; of those that need not be, as many as
 * leave half of the area to the commits to come.
 */
static int
place_fresh(struct store *s, struct job *j, uint32_t avoid, struct err *e)
{
	const size_t	 before = j->items->n;
	size_t		 most = SIZE_MAX, some;
	int		 rc;

	if (s->maxgen > UINT32_MAX - 2 * AREAS_MOST)
		return err_setx(e, EOVERFLOW, "%s: worn out", s->io->name);
	j->area = area_pick(s, avoid);
	j->fresh = true;
	j->off = area_off(s, j->area);
	for (;;) {
		if ((rc = keep_items(s, j->area, most, j->items, &some,
		    e)) < 0 || (rc = make_steps(s, j, e)) < 0)
			return rc;
		rc = lay_fresh(s, j, e);
		if (some == 0 || (rc < 0 && rc != -ENOSPC) ||
		    (rc == 0 && j->out.len <= s->sb.area / 2))
			return rc;
		job_undo(j);
		items_cut(j->items, before);
		most = some / 2;
	}
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
		a->whole = j->check.r.type == REC_WHOLE;
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
	s->seq = seq_of(s, j);
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
store_append(struct store *s, struct items *items, const struct commit *c,
    bool isnote, struct err *e)
{
	struct job	 j = { .c = c, .items = items, .note = isnote };
	const size_t	 n = items->n;
	bool		 again;
	int		 rc;

	if (s->failed)
		return err_setx(e, EIO, "%s: closed to writing, as a write "
		    "failed", s->io->name);
	if (s->readonly)
		return err_setx(e, EROFS, "%s: this store can only be read",
		    s->io->name);
	if ((rc = make_steps(s, &j, e)) < 0)
		goto out;
	if (isnote && j.m.s.n == 0)
		goto out;		/* it says nothing new */
	if ((rc = place(s, &j, s->cur, e)) < 0)
		goto out;
	if ((rc = write_out(s, &j, &again, e)) < 0) {
		take_back(s, &j);
		s->fresh = true;
		s->failed = !again;
	}
	if (rc < 0 && again) {
		job_undo(&j);
		items_cut(items, n);	/* what that area had is gone */
		if (place(s, &j, j.area, NULL) == 0)
			rc = write_out(s, &j, &again, e);
		s->failed = rc < 0;
	}
	if (rc == 0)
		settle_in(s, &j);
out:
	job_free(&j);
	return rc;
}

int
store_commit(struct store *s, const struct commit *c, uint64_t *gen,
    struct err *e)
{
	struct items	 l = { NULL, 0, 0 };
	int		 rc;

	/* What is left of a trial ends with the next generation. */
	if ((rc = items_commit(s, &l, c, e)) == 0 &&
	    (rc = trial_clear(s, &l, e)) == 0)
		rc = store_append(s, &l, c, false, e);
	if (rc == 0)
		*gen = s->seq;
	items_free(&l);
	return rc;
}
