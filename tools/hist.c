/*
 * hist.c: going through a store's generations, oldest first.
 *
 * The overlay before a generation is carried along: each record's changes
 * are applied to it, so that the store is read once.
 */
#include <errno.h>
#include <string.h>

#include "cfg.h"
#include "hist.h"
#include "out.h"
#include "pend.h"
#include "trees.h"

int
hist_open(struct hist *h, struct store *s, uint64_t from, int base,
    struct err *e)
{
	int	 rc = 0;

	memset(h, 0, sizeof(*h));
	h->s = s;
	if (from < store_oldest(s))
		from = store_oldest(s);
	h->before = (struct pers){ base, &h->ov, s, NULL };
	if (from > 1) {
		h->gen = from - 1;
		rc = store_overlay(s, from - 1, &h->ov, e);
		/* The oldest has no predecessor that is kept: all of it
		 * then counts as new. */
		if (rc == -ENOENT)
			rc = 0;
	}
	return rc;
}

/* Make the overlay that of h->gen, by its record or anew. */
static int
advance(struct hist *h, struct err *e)
{
	struct ent	 x;
	size_t		 i;
	int		 rc = 0;

	if (!h->kept) {
		ents_free(&h->ov);
		return store_overlay(h->s, h->gen, &h->ov, e);
	}
	for (i = 0; i < h->rec.n && rc == 0; i++) {
		const struct change	*c = &h->rec.v[i];

		if (c->op == CHANGE_DROP)
			ents_del(&h->ov, c->e.path);
		else if ((rc = ent_copy(&x, &c->e)) == 0)
			rc = ents_put(&h->ov, &x);
	}
	return rc < 0 ? err_set(e, -rc, "history") : 0;
}

int
hist_next(struct hist *h, struct err *e)
{
	int	 rc;

	if (h->at && (rc = advance(h, e)) < 0)
		return rc;
	commit_free(&h->rec);
	memset(&h->rec, 0, sizeof(h->rec));
	h->at = h->kept = false;
	if (h->gen >= store_head(h->s))
		return 0;
	h->gen++;
	rc = store_record(h->s, h->gen, &h->rec, e);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	h->at = true;
	h->kept = rc == 0;
	return 1;
}

int
hist_was(struct hist *h, const char *path, struct ent *was, bool *known,
    struct err *e)
{
	return pers_know(&h->before, path, ENT_HASH, was, known, e);
}

char
hist_letter(struct hist *h, const struct change *c, struct err *e)
{
	struct ent	 was, base;
	bool		 known;
	char		 l;

	if (hist_was(h, c->e.path, &was, &known, e) < 0)
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
	memset(h, 0, sizeof(*h));
}
