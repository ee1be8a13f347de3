/*
 * drive.c: a store on a simulated medium, driven one commit at a time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drive.h"
#include "tap.h"

bool
ok_rc(int rc, const struct err *e, const char *what)
{
	if (rc < 0)
		tap_diag("%s: %s", what, e->msg);
	return OK(rc >= 0);
}

bool
ok_same(const char *differs, const char *where)
{
	if (differs != NULL)
		tap_diag("%s: %s", where, differs);
	return OK(differs == NULL);
}

bool
drive_begin(struct drive *d, uint64_t size, uint32_t align, uint32_t areas,
    uint64_t seed)
{
	uint64_t	 area = size / (areas + 1);
	struct err	 e = { 0, "" };

	memset(d, 0, sizeof(*d));
	d->sim = sim_new(size, SIM_SECTOR);
	d->geom = (struct store_geom){ align, areas };
	hist_init(&d->h);
	hist_init(&d->trials);
	d->g = (struct gen){ seed, area / 600, area / 3, area / 4, 6,
	    1700000000000000000, &d->h.pool };
	d->mark = xalloc(sizeof(*d->mark));
	if (!ok_rc(store_create(&d->sim->io, &d->geom, &e), &e, "create") ||
	    !ok_rc(store_open(&d->s, &d->sim->io, &e), &e, "open"))
		return false;
	d->mark[0] = d->sim->nops;
	return OK(d->sim->bad == 0);
}

void
drive_end(struct drive *d)
{
	store_close(d->s);
	hist_free(&d->h);
	hist_free(&d->trials);
	free(d->mark);
	sim_free(d->sim);
}

bool
drive_reopen(struct drive *d)
{
	size_t		 n = d->sim->nops;
	struct err	 e = { 0, "" };

	store_close(d->s);
	d->s = NULL;
	return ok_rc(store_open(&d->s, &d->sim->io, &e), &e, "reopen") &&
	    OK(d->sim->nops == n) && OK(store_damage(d->s) == NULL) &&
	    OK(store_head(d->s) == d->h.v[d->h.n - 1].gen);
}

bool
drive_wrote(struct drive *d, size_t since)
{
	const struct sim_op	*w = &d->sim->ops[since];
	struct store_space	 sp;

	if (!OK(d->sim->nops == since + 2) || !OK(!w->flush && w[1].flush) ||
	    !OK(w->off % d->geom.align == 0 && w->n % d->geom.align == 0))
		return false;
	store_space(d->s, &sp);
	/* Areas lie one behind another, from the second align unit on. */
	if (w->off != d->end || (w->off - sp.align) % sp.area == 0) {
		d->moves++;
		d->before = d->began;
		d->began = store_head(d->s);
	}
	d->end = w->off + w->n;
	return OK(sp.written == w->n) && OK(sp.left <= sp.area) &&
	    OK(w->n <= sp.area);
}

static void
make(struct drive *d, enum drive_kind kind, const struct ents *now,
    struct commit *c, struct ents *after)
{
	switch (kind) {
	case DRIVE_RANDOM:
		gen_commit(&d->g, now, c, after);
		break;
	case DRIVE_KINDS:
		gen_all_kinds(&d->g, now, c, after);
		break;
	case DRIVE_LINE:
		gen_line(&d->g, now, "line", c, after);
		break;
	case DRIVE_SHRINK:
		gen_shrink(&d->g, now, c, after);
		break;
	case DRIVE_FILL:
		gen_line(&d->g, now, "fill", c, after);
		gen_noise(&d->g, c, after, "fill", (1 +
		    tap_rand(&d->g.rng) % 4) * d->sim->io.size /
		    d->geom.areas / 4);
		break;
	}
}

static int
no_space(struct drive *d, size_t since, uint64_t head)
{
	d->full++;
	return OK(d->sim->nops == since) && OK(!store_failed(d->s)) &&
	    OK(store_head(d->s) == head) &&
	    ok_same(hist_agree(&d->h, d->s, head, false), "after ENOSPC") ?
	    0 : -1;
}

int
drive_done(struct drive *d, const struct commit *c, struct ents *after,
    uint64_t gen, uint64_t head, size_t since)
{
	d->done++;
	hist_add(&d->h, gen, after, c);
	d->mark = xrealloc(d->mark, d->h.n * sizeof(*d->mark));
	d->mark[d->h.n - 1] = d->sim->nops;
	if (!OK(gen == head + 1) || !OK(store_head(d->s) == gen) ||
	    !OK(d->sim->bad == 0) || !drive_wrote(d, since))
		return -1;
	d->h.v[d->h.n - 1].before = d->before;
	return 1;
}

int
drive_commit(struct drive *d, enum drive_kind kind)
{
	struct ents	 now = { NULL, 0, 0 }, after = { NULL, 0, 0 };
	struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
	uint64_t	 gen = 0, head = store_head(d->s);
	size_t		 since = d->sim->nops;
	struct err	 e = { 0, "" };
	int		 rc, r = -1;

	rc = store_overlay(d->s, head, &now, &e);
	if (!ok_rc(rc, &e, "overlay of the head"))
		goto out;
	make(d, kind, &now, &c, &after);
	rc = store_commit(d->s, &c, &gen, &e);
	if (rc == -ENOSPC)
		r = no_space(d, since, head);
	else if (ok_rc(rc, &e, "commit"))
		r = drive_done(d, &c, &after, gen, head, since);
out:
	commit_free(&c);
	ents_free(&now);
	ents_free(&after);
	return r;
}

const char *
drive_agree(struct drive *d, struct store *s, uint64_t gen)
{
	return gen >= d->before ? hist_agree(&d->h, s, gen, true) :
	    drive_lenient(d, s, gen);
}

const char *
drive_lenient(struct drive *d, struct store *s, uint64_t gen)
{
	struct ents	 ov = { NULL, 0, 0 };
	struct buf	 b = BUF_INIT;
	struct err	 e = { 0, "" };
	const char	*r = NULL;
	size_t		 i;

	if (store_overlay(s, gen, &ov, &e) != 0)
		return NULL;
	r = hist_agree(&d->h, s, gen, false);
	for (i = 0; r == NULL && i < ov.n; i++) {
		const struct piece *w = pool_get(&d->h.pool, &ov.v[i].hash);

		b.len = 0;
		if (ov.v[i].type == ENT_REG &&
		    store_content(s, &ov.v[i], &b, &e) == 0 &&
		    (w == NULL || w->n != b.len ||
		    (b.len > 0 && memcmp(w->p, b.p, b.len) != 0)))
			r = "an older content is wrong";
	}
	buf_free(&b);
	ents_free(&ov);
	return r;
}

bool
drive_run(struct drive *d, size_t n, size_t moves)
{
	enum drive_kind	 kind = DRIVE_KINDS;
	size_t		 tries;
	int		 r;

	/* A store that is full twice as often as not is a poor test. */
	for (tries = 0; d->done < n || d->moves < moves; tries++) {
		if (tries > 3 * n + 1000)
			return OK(!"commits get through");
		if (d->notes && tries % 5 == 2 && !drive_trial(d))
			return false;
		if (d->notes && tries % 7 == 3 &&
		    !drive_tag(d, tries % 3 == 0))
			return false;
		r = drive_commit(d, kind);
		if (r < 0 || (r == 0 && d->notes && !drive_untag(d)))
			return false;
		kind = r == 0 ? DRIVE_SHRINK :
		    d->done % 16 == 8 ? DRIVE_KINDS :
		    d->done % 5 == 0 ? DRIVE_LINE : DRIVE_RANDOM;
		if (d->done % 4 == 3 && !drive_reopen(d))
			return false;
	}
	return true;
}
