/*
 * hist.c: going through a store's generations, oldest first.
 *
 * The overlay before a generation is carried along: each record's changes
 * are applied to it, so that the store is read once.
 */
#include <errno.h>
#include <string.h>

#include "../lib/path.h"
#include "cfg.h"
#include "hist.h"
#include "out.h"
#include "pend.h"
#include "trees.h"

/* One that stands beside the others: what follows it may not be there. */
static bool
is_kept(const struct store *s, uint64_t gen)
{
	uint64_t	 g;
	size_t		 i;

	for (i = 0; store_kept(s, i, &g); i++)
		if (g == gen)
			return true;
	return false;
}

int
hist_open(struct hist *h, struct store *s, uint64_t from, int base,
    struct err *e)
{
	uint64_t	 oldest;
	int		 rc = -ENOENT;

	memset(h, 0, sizeof(*h));
	h->s = s;
	h->before = (struct pers){ base, &h->ov, s, NULL };
	h->after = (struct pers){ base, &h->next, s, NULL };
	if (from > 1 && (rc = store_overlay(s, from - 1, &h->ov, e)) < 0 &&
	    rc != -ENOENT)
		return rc;
	/* Where the oldest is is only looked for where that matters: all
	 * areas are read for it.  It has no predecessor that is kept, and
	 * all of it then counts as new. */
	if ((rc == -ENOENT || is_kept(s, from - 1)) && from < (oldest = store_oldest(s)))
		from = oldest;
	h->gen = from > 0 ? from - 1 : 0;
	return 0;
}

int
hist_one(struct hist *h, struct store *s, uint64_t gen, int base,
    struct err *e)
{
	int	 rc = hist_open(h, s, gen == STORE_TRIAL ? 1 : gen, base, e);

	if (rc < 0 || (gen != STORE_TRIAL && h->gen + 1 == gen))
		return rc;
	/* It stands beside the others. */
	h->alone = true;
	h->gen = gen;
	ents_free(&h->ov);
	return gen != STORE_TRIAL ? 0 :
	    store_overlay(s, store_head(s), &h->ov, e);
}

/* Make an overlay, of the generation before, that of h->gen: by its
 * record, or anew. */
static int
advance(struct hist *h, struct ents *ov, struct err *e)
{
	struct ent	 x;
	size_t		 i, k;
	int		 rc = 0;

	if (!h->kept) {
		ents_free(ov);
		return store_overlay(h->s, h->gen, ov, e);
	}
	for (i = 0; i < h->rec.n && rc == 0; i++) {
		const struct change	*c = &h->rec.v[i];

		if (c->op == CHANGE_DROP) {
			ents_del(ov, c->e.path);
			continue;
		}
		/* What is no directory takes along what was below it. */
		k = c->e.type == ENT_DIR ? ov->n :
		    ents_lower(ov, c->e.path);
		while (k < ov->n && path_within(ov->v[k].path, c->e.path))
			ents_del(ov, ov->v[k].path);
		if ((rc = ent_copy(&x, &c->e)) == 0)
			rc = ents_put(ov, &x);
	}
	return rc < 0 ? err_set(e, -rc, "history") : 0;
}

int
hist_ahead(struct hist *h, struct err *e)
{
	struct ent	 x;
	size_t		 i;
	int		 rc = 0;

	h->ahead = true;
	for (i = 0; i < h->ov.n && rc == 0; i++)
		if ((rc = ent_copy(&x, &h->ov.v[i])) == 0)
			rc = ents_put(&h->next, &x);
	return rc < 0 ? err_set(e, -rc, "history") : 0;
}

int
hist_next(struct hist *h, struct err *e)
{
	int	 rc;

	if (h->at && h->alone)
		return 0;
	if (h->at && (rc = advance(h, &h->ov, e)) < 0)
		return rc;
	commit_free(&h->rec);
	memset(&h->rec, 0, sizeof(h->rec));
	h->at = h->kept = false;
	if (!h->alone && h->gen >= store_head(h->s))
		return 0;
	h->gen += !h->alone;
	rc = store_record(h->s, h->gen, &h->rec, e);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	h->at = true;
	h->kept = rc == 0;
	if (h->ahead && (rc = advance(h, &h->next, e)) < 0)
		return rc;
	return 1;
}

int
hist_was(struct hist *h, const char *path, struct ent *was, bool *known,
    struct err *e)
{
	return pers_know(&h->before, path, ENT_HASH, was, known, e);
}

char
hist_letter(struct hist *h, const struct change *c, int flags,
    struct err *e)
{
	struct ent	 was, base;
	bool		 known;
	char		 l;

	if (pers_know(&h->before, c->e.path, flags, &was, &known, e) < 0)
		return 'E';
	if (c->op == CHANGE_DROP) {
		l = 'B';
		if (h->before.base != -1 && was.type != ENT_NONE) {
			if (pers_base(&h->before, c->e.path, 0, &base, NULL,
			    NULL, e) < 0)
				l = 'E';
			else if (base.type == ENT_NONE)
				l = 'D';
			ent_free(&base);
		}
	} else if (c->e.type == ENT_WHITEOUT)
		l = 'D';
	else if (!known)
		l = 'M';
	else {
		const struct pent	 p = { .was = was, .now = c->e };

		l = pend_letter(&p);
	}
	ent_free(&was);
	return l;
}

void
hist_user(const struct hist *h, struct buf *b)
{
	const char	*user = h->rec.user;

	if (user == NULL || *user == '\0')
		user = cfg_user(h->rec.uid);
	out_text(b, user, strlen(user));
}

void
hist_json(const struct hist *h, struct buf *b)
{
	const struct commit	*r = &h->rec;

	put_fmt(b, "{\"generation\": %llu", (unsigned long long)h->gen);
	if (!h->kept)
		return;
	put_fmt(b, ", \"time_ns\": %lld, \"uid\": %u, \"user\": ",
	    (long long)r->time, r->uid);
	json_str(b, r->user != NULL ? r->user : "");
	put_fmt(b, ", \"message\": ");
	json_str(b, r->msg != NULL ? r->msg : "");
}

void
hist_close(struct hist *h)
{
	commit_free(&h->rec);
	ents_free(&h->ov);
	ents_free(&h->next);
	memset(h, 0, sizeof(*h));
}
