/*
 * mirror-pull.c: from a mirror back into a store: cfg mirror pull and
 * clone, and the copy that a restore keeps.
 *
 * All that the other host has is read into memory first, so that a slice
 * is writable for the length of a write and not of a download.
 */
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/mirror.h"
#include "mirror.h"
#include "netio.h"
#include "out.h"

static int
fetch(struct io **snap, const struct cfg *c, const struct conf_far *m,
    const struct conf_far *opt, struct err *e)
{
	struct net	*net;
	struct io	*io;
	int		 rc;

	*snap = NULL;
	if ((rc = mirror_connect(&net, c, m, opt, isatty(STDIN_FILENO),
	    e)) < 0)
		return rc;
	if ((rc = netio_open(&io, net, -1, m->url, false, 0, e)) < 0)
		return rc;
	rc = mirror_snapshot(snap, io, e);
	io_close(io);
	return rc;
}

static void
progress(void *arg, uint64_t done, uint64_t of)
{
	out_progress(arg, done, of);
}

/* What is there is brought up to date. */
static int
update(struct io *snap, struct io *to, struct mirror_job *j, struct err *e)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	int			 rc;

	*j = (struct mirror_job){ .from = snap, .to = to, .at = &at,
	    .progress = progress, .arg = (void *)"store" };
	rc = mirror_update(j, e);
	out_progress_end();
	j->at = NULL;
	if (rc == -EEXIST)	/* its words are of the other direction */
		return err_setx(e, EEXIST, "%s: has commits that the mirror "
		    "lacks; -f takes the mirror's in their place", to->name);
	return rc;
}

/* A device that holds no store, or a new file. */
static int
fill(struct io *snap, struct io *to, struct err *e)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = snap, .to = to, .at = &at,
	    .progress = progress, .arg = (void *)"store" };
	int			 rc;

	if (to->size < snap->size)
		return err_setx(e, ENOSPC, "%s: has %" PRIu64 " bytes, the "
		    "store %" PRIu64, to->name, to->size, snap->size);
	rc = mirror_fill(&j, 0, e);
	out_progress_end();
	return rc;
}

static int
make_file(struct io *snap, const char *path, struct err *e)
{
	struct slice	*s;
	struct io	*io;
	struct err	 why;
	char		*tmp;
	int		 rc, rc2;

	if (asprintf(&tmp, "%s.new", path) == -1)
		return err_set(e, ENOMEM, "%s", path);
	(void)unlink(tmp);		/* left by one that was killed */
	if ((rc = slice_create(&s, tmp, snap->size, &io, e)) == 0) {
		rc = fill(snap, io, e);
		if (rc == 0 && rename(tmp, path) == -1)	/* COMMIT POINT */
			rc = err_set(e, errno, "rename %s", tmp);
		if (rc < 0)
			(void)unlink(tmp);
		rc2 = slice_close(s, NULL, &why);
		if (rc == 0 && rc2 < 0)
			rc = err_setx(e, -rc2, "%s", why.msg);
	}
	free(tmp);
	return rc;
}

/* What path is: brought up to date where it is a store, else filled. */
static int
into(struct io *snap, const char *path, bool force, bool *made,
    struct err *e)
{
	struct mirror_job	 j;
	struct slice		*s;
	struct io		*io;
	struct err		 why;
	int			 rc, rc2;

	rc = slice_open(&s, path, true, &io, e);
	if (rc == -ENOENT) {
		*made = true;
		return make_file(snap, path, e);
	}
	if (rc < 0)
		return rc;
	if (store_probe(io))
		rc = update(snap, io, &j, e);
	else if (force) {
		*made = true;
		rc = fill(snap, io, e);
	} else
		rc = err_setx(e, EEXIST, "%s: is there, and no store; -f "
		    "overwrites it", path);
	if (force && rc < 0 && store_probe(io)) {
		*made = true;
		rc = fill(snap, io, e);
	}
	rc2 = slice_close(s, NULL, &why);
	if (rc == 0 && rc2 < 0)
		rc = err_setx(e, -rc2, "%s", why.msg);
	return rc;
}

static int
head_of(struct io *snap, uint64_t *gen, struct err *e)
{
	struct store	*s;
	int		 rc;

	if ((rc = store_open(&s, snap, e)) == 0)
		*gen = store_head(s);
	store_close(rc == 0 ? s : NULL);
	return rc;
}

void
say_here(const char *kind, const char *name, uint64_t gen)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "{\"%s\":", kind);
	json_str(&b, name);
	put_fmt(&b, ",\"generation\":%" PRIu64 "}\n", gen);
	(void)out_write(&b, false);
	buf_free(&b);
}

int
pull_into(struct cfg *c, const struct conf_far *m, const struct conf_far *opt,
    const char *path, bool force, bool *made, uint64_t *gen, struct err *e)
{
	struct io	*snap;
	int		 rc;

	*made = false;
	if ((rc = fetch(&snap, c, m, opt, e)) < 0)
		return rc;
	if ((rc = head_of(snap, gen, e)) == 0)
		rc = into(snap, path, force, made, e);
	io_close(snap);
	return rc;
}

int
mirror_pull(struct margs *a, const struct conf_far *m, struct err *e)
{
	const char	*path;
	uint64_t	 gen = 0;
	bool		 made;
	int		 rc;

	if (a->c->storepath == NULL && (rc = cfg_inst(a->c, e)) < 0)
		return rc;
	path = a->c->storepath != NULL ? a->c->storepath : a->c->inst.store;
	if (path == NULL)
		return err_setx(e, ENOENT, "%s has no store", cfg_root(a->c));
	rc = pull_into(a->c, m, &a->opt, path, a->force, &made, &gen, e);
	if (rc == 0 && a->c->json)
		say_here("mirror", m->name, gen);
	else if (rc == 0)
		(void)printf("%s: generation %" PRIu64 " is here\n", m->name,
		    gen);
	return rc;
}
