/*
 * drivenote.c: what a store is told beside commits: tags, and trials that
 * are confirmed, replaced or forgotten.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drive.h"
#include "tap.h"

static const char *const names[DRIVE_TAGS] = { "rescue", "b.2", "c-c", "d" };

const char *
drive_tags(struct drive *d, struct store *s)
{
	const char	*name, *bad;
	uint64_t	 gen;
	size_t		 i, n = 0;

	for (i = 0; i < DRIVE_TAGS; i++)
		n += d->tag[i] != 0;
	for (i = 0; store_tag_at(s, i, &name, &gen); i++)
		;
	if (i != n)
		return "has another number of tags";
	for (i = 0; store_tag_at(s, i, &name, &gen); i++) {
		for (n = 0; n < DRIVE_TAGS; n++)
			if (strcmp(names[n], name) == 0 && d->tag[n] == gen)
				break;
		if (n == DRIVE_TAGS)
			return "has a wrong tag";
		if ((bad = hist_agree(&d->h, s, gen, true)) != NULL)
			return bad;
	}
	return NULL;
}

/* One write and one flush, or nothing at all. */
static bool
noted(struct drive *d, int rc, const struct err *e, size_t since,
    const char *what)
{
	if (rc == -ENOSPC) {
		d->full++;
		return OK(d->sim->nops == since);
	}
	return ok_rc(rc, e, what) && (d->sim->nops == since ||
	    drive_wrote(d, since));
}

bool
drive_tag(struct drive *d, bool drop)
{
	size_t		 since = d->sim->nops, i;
	uint64_t	 old = store_oldest(d->s), head = store_head(d->s);
	uint64_t	 gen = drop ? 0 : old + tap_rand(&d->g.rng) %
			    (head - old + 1);
	struct err	 e = { 0, "" };
	int		 rc;

	i = tap_rand(&d->g.rng) % DRIVE_TAGS;
	rc = store_tag(d->s, names[i], gen, &e);
	if (rc == 0)
		d->tag[i] = gen;
	return noted(d, rc, &e, since, "tag") &&
	    OK(store_head(d->s) == head);
}

bool
drive_untag(struct drive *d)
{
	struct err	 e = { 0, "" };
	size_t		 i;

	for (i = 0; i < DRIVE_TAGS; i++)
		if (d->tag[i] != 0) {
			size_t	 since = d->sim->nops;
			int	 rc = store_tag(d->s, names[i], 0, &e);

			if (!noted(d, rc, &e, since, "untag"))
				return false;
			if (rc == 0)
				d->tag[i] = 0;
		}
	return true;
}

static bool
trial_is(struct drive *d, const struct commit *c, const struct ents *after,
    int64_t until)
{
	struct trial	 t;
	struct err	 e = { 0, "" };
	bool		 good;

	if (!ok_rc(store_trial_info(d->s, &t, &e), &e, "trial's info"))
		return false;
	good = OK(t.time == c->time && t.uid == c->uid &&
	    t.deadline == until && t.paths == c->n) &&
	    OK(strcmp(t.user, c->user == NULL ? "" : c->user) == 0) &&
	    OK(strcmp(t.msg, c->msg == NULL ? "" : c->msg) == 0) &&
	    ok_same(overlay_agrees(&d->h.pool, d->s, STORE_TRIAL, after,
	    true), "trial");
	trial_free(&t);
	return good;
}

const char *
drive_trial_agrees(struct drive *d, struct store *s)
{
	const struct hist_gen	*g;
	struct trial		 t;
	struct err		 e = { 0, "" };
	int			 rc = store_trial_info(s, &t, &e);

	if (rc == -ENOENT)
		return NULL;
	if (rc < 0)
		return "what is said of the trial can't be read";
	g = hist_find(&d->trials, (uint64_t)t.time);
	trial_free(&t);
	if (g == NULL)
		return "has a trial that never was";
	return overlay_agrees(&d->h.pool, s, STORE_TRIAL, &g->ov, true);
}

static bool
confirm(struct drive *d, struct commit *c, struct ents *after)
{
	size_t		 since = d->sim->nops;
	uint64_t	 gen = 0, head = store_head(d->s);
	struct err	 e = { 0, "" };
	int		 rc = store_confirm(d->s, &gen, &e);

	if (rc == -ENOSPC) {
		d->full++;
		return OK(d->sim->nops == since);
	}
	if (!ok_rc(rc, &e, "confirm"))
		return false;
	/* Times of the trial stay, and who made it. */
	if (drive_done(d, c, after, gen, head, since) < 0)
		return false;
	return OK(store_confirm(d->s, &gen, &e) == -ENOENT);
}

bool
drive_trial(struct drive *d)
{
	struct ents	 now = { NULL, 0, 0 }, after = { NULL, 0, 0 }, dup;
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	uint64_t	 head = store_head(d->s);
	unsigned	 end = tap_rand(&d->g.rng) % 4;
	bool		 good = false;
	size_t		 since = d->sim->nops;
	struct err	 e = { 0, "" };
	int		 rc;

	if (!ok_rc(store_overlay(d->s, head, &now, &e), &e, "overlay"))
		goto out;
	gen_commit(&d->g, &now, &c, &after);
	ents_dup(&dup, &after);
	hist_add(&d->trials, (uint64_t)c.time, &dup, &c);
	rc = store_trial(d->s, &c, 77, &e);
	if (!noted(d, rc, &e, since, "trial"))
		goto out;
	good = true;
	if (rc < 0 || !(good = OK(store_head(d->s) == head) &&
	    trial_is(d, &c, &after, 77) &&
	    ok_same(hist_agree(&d->h, d->s, head, true), "during a trial")))
		goto out;
	if (end % 2 == 0)
		good = drive_reopen(d) && trial_is(d, &c, &after, 77);
	if (good && end > 0)
		good = confirm(d, &c, &after);
out:
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
	return good;
}
