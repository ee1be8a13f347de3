/*
 * history.c: older generations, and what each commit said.
 *
 * The head's area is known; the others are read when they are asked for.
 * An area gives the generations from its first record's up to where the
 * next one, in order of area generations, begins.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "append.h"

#define NO_AREA	UINT32_MAX

/* Whether an area's records can be had; reads them once. */
static bool
have(struct store *s, uint32_t i)
{
	struct area	*a = &s->area[i];
	struct ents	 ov = { NULL, 0, 0 };

	if (a->state == AREA_GOOD && !a->loaded &&
	    area_load(s, i, &ov, NULL) < 0)
		a->state = AREA_BAD;
	ents_free(&ov);
	return a->state == AREA_GOOD;
}

/* The good area of the highest generation below `gen`. */
static uint32_t
before(struct store *s, uint32_t gen)
{
	uint32_t	 i, best = NO_AREA;

	for (;;) {
		best = NO_AREA;
		for (i = 0; i < s->sb.areas; i++)
			if (s->area[i].state == AREA_GOOD &&
			    s->area[i].gen < gen && (best == NO_AREA ||
			    s->area[i].gen > s->area[best].gen))
				best = i;
		if (best == NO_AREA || have(s, best))
			return best;
	}
}

/* How many records of the area are of generations up to gen. */
static size_t
upto(const struct area *a, uint64_t gen)
{
	size_t	 lo = 0, hi = a->nrec, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (a->rec[mid].seq <= gen)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * The area that has generation gen, and the number of the record; where
 * `made`, the record that made it and not one that just carries it.
 */
static uint32_t
find(struct store *s, uint64_t gen, bool made, size_t *nr)
{
	uint32_t	 i = s->cur;
	uint64_t	 top = s->seq;
	const struct area *a;
	size_t		 k;

	while (i != NO_AREA) {
		a = &s->area[i];
		for (k = upto(a, gen); k-- > 0 && a->rec[k].seq == gen;)
			if (gen <= top && a->rec[k].type < REC_SKIP &&
			    (!made || a->rec[k].type != REC_CHECK)) {
				*nr = k;
				return i;
			}
		/* What an older area has above this was given up. */
		if (a->first - (a->whole ? 1 : 0) < top)
			top = a->first - (a->whole ? 1 : 0);
		i = before(s, a->gen);
	}
	return NO_AREA;
}

static int
no_such(const struct store *s, uint64_t gen, struct err *e)
{
	return err_setx(e, ENOENT, "%s: no generation %" PRIu64, s->io->name,
	    gen);
}

uint64_t
store_oldest(const struct store *cs)
{
	/* What is read on the way is only remembered. */
	struct store	*s = (struct store *)(uintptr_t)cs;
	uint64_t	 oldest = s->seq;
	uint32_t	 i;

	for (i = s->cur; i != NO_AREA; i = before(s, s->area[i].gen))
		if (s->area[i].first < oldest)
			oldest = s->area[i].first;
	return oldest == 0 && s->seq > 0 ? 1 : oldest;
}

static int
copy(const struct store *s, const struct ents *from, struct ents *ov,
    struct err *e)
{
	size_t	 i;

	if ((ov->v = calloc(from->n + 1, sizeof(*ov->v))) == NULL)
		return err_set(e, ENOMEM, "%s", s->io->name);
	ov->cap = from->n + 1;
	for (i = 0; i < from->n; i++) {
		if (ent_copy(&ov->v[i], &from->v[i]) < 0)
			return err_set(e, ENOMEM, "%s", s->io->name);
		ov->n++;
	}
	return 0;
}

static void
forget(struct store *s)
{
	ents_free(&s->memo.ov);
	s->memo.n = 0;
}

/*
 * Make the memo the overlay after the first n records of an area.  Who asks
 * for one generation after the other, upwards, has each record read once.
 */
static int
replay(struct store *s, uint32_t area, size_t n, struct err *e)
{
	struct memo	*m = &s->memo;
	int		 rc;

	if (m->area != area || m->life != s->area[area].life || m->n > n)
		forget(s);
	m->area = area;
	m->life = s->area[area].life;
	for (; m->n < n; m->n++)
		if ((rc = area_step(s, area, m->n, &m->ov, e)) < 0) {
			forget(s);
			return rc;
		}
	return 0;
}

int
store_overlay(struct store *s, uint64_t gen, struct ents *ov, struct err *e)
{
	uint32_t	 i;
	size_t		 nr;
	int		 rc;

	memset(ov, 0, sizeof(*ov));
	if (gen == 0)
		return 0;
	if (gen == s->seq || gen == STORE_TRIAL)
		rc = copy(s, &s->head, ov, e);
	else if ((i = find(s, gen, false, &nr)) == NO_AREA)
		rc = keep_overlay(s, gen, ov, e);
	else if ((rc = replay(s, i, nr + 1, e)) == 0)
		rc = copy(s, &s->memo.ov, ov, e);
	if (rc == 0 && hid_strip(ov) < 0)
		rc = err_set(e, ENOMEM, "%s", s->io->name);
	if (rc == 0 && gen == STORE_TRIAL)
		rc = trial_overlay(s, ov, e);
	if (rc < 0)
		ents_free(ov);
	return rc;
}

static int
content(struct store *s, const char *path, uint64_t loc, uint64_t size,
    const struct hash *h, struct buf *out, struct err *e)
{
	const struct blobs	*b;
	uint32_t		 i = LOC_AREA(loc);
	size_t			 nr = LOC_BLOB(loc);

	if (size == 0)
		return 0;
	if (loc == 0 || i >= s->sb.areas)
		return err_setx(e, EINVAL, "%s: not an entry of this store",
		    path);
	b = &s->area[i].blobs;
	if (nr >= b->n || b->v[nr].size != size ||
	    memcmp(b->v[nr].hash.b, h->b, HASH_LEN) != 0)
		return err_setx(e, ENOENT, "%s: no longer in the store",
		    path);
	return blob_read(s, i, nr, out, e);
}

int
store_content(struct store *s, const struct ent *ent, struct buf *out,
    struct err *e)
{
	if (ent->type != ENT_REG)
		return err_setx(e, EINVAL, "%s: not a regular file",
		    ent->path);
	return content(s, ent->path, ent->loc, ent->size, &ent->hash, out, e);
}

int
store_base_content(struct store *s, const struct ent *ent, struct buf *out,
    struct err *e)
{
	const struct ent_base	*b = ent->base;

	if (b == NULL || b->type != ENT_REG || (b->size > 0 && b->loc == 0))
		return err_setx(e, ENOENT, "%s: what the base had is not kept",
		    ent->path);
	return content(s, ent->path, b->loc, b->size, &b->hash, out, e);
}

void
commit_free(struct commit *c)
{
	size_t	 i;

	for (i = 0; i < c->n; i++) {
		ent_free(&c->v[i].e);
		buf_free(&c->v[i].data);
		buf_free(&c->v[i].base_data);
	}
	free(c->v);
	free(c->user);
	free(c->msg);
	memset(c, 0, sizeof(*c));
}

/* The steps that the commit made, as changes. */
static int
to_commit(struct meta *m, struct commit *c)
{
	size_t	 i;

	if ((c->v = calloc(m->s.n + 1, sizeof(*c->v))) == NULL)
		return -ENOMEM;
	c->time = m->c.time;
	c->uid = m->c.uid;
	c->user = m->c.user;
	c->msg = m->c.msg;
	m->c.user = m->c.msg = NULL;
	for (i = 0; i < m->s.n; i++) {
		if (m->s.v[i].carried || hid_is(m->s.v[i].c.e.path))
			continue;
		c->v[c->n] = m->s.v[i].c;
		if (ent_copy(&c->v[c->n].e, &m->s.v[i].c.e) < 0)
			return -ENOMEM;
		c->n++;
	}
	return 0;
}

int
store_record(struct store *s, uint64_t gen, struct commit *c, struct err *e)
{
	const char	*bad;
	struct meta	 m;
	uint32_t	 i;
	size_t		 nr;
	int		 rc;

	memset(c, 0, sizeof(*c));
	if (gen == STORE_TRIAL)
		return trial_commit(s, c, e);
	if (gen == 0)
		return no_such(s, gen, e);
	if ((i = find(s, gen, true, &nr)) == NO_AREA)
		return keep_record(s, gen, c, e);
	if ((rc = replay(s, i, nr, e)) < 0 ||
	    (rc = area_meta(s, i, nr, &s->memo.ov, &m, e)) < 0)
		return rc;
	if ((rc = to_commit(&m, c)) < 0) {
		(void)err_set(e, ENOMEM, "%s", s->io->name);
		commit_free(c);
	}
	/* It is decoded: go on to behind it. */
	if (rc == 0 && overlay_apply(&s->memo.ov, &m.s, &bad) == 0)
		s->memo.n = nr + 1;
	else
		forget(s);
	meta_free(&m);
	return rc;
}
