/*
 * whole-draw.c: an operation is drawn and done to both trees, by root or
 * by a user; they agree where both give the same errno or answer.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "whole.h"

/* Few names, so that operations meet; one of them is 255 bytes long. */
static const char *const names[] = { "a", "b c", "rc.conf",
    "-nl\nx\xff" };
#define NNAMES	(sizeof(names) / sizeof(names[0]))

static unsigned
below(struct whole *w, unsigned n)
{
	return n == 0 ? 0 : (unsigned)((tap_rand(&w->rng) >> 33) % n);
}

static bool
chance(struct whole *w, unsigned percent)
{
	return below(w, 100) < percent;
}

static const char *
draw_name(struct whole *w)
{
	static char	 lengthy[256];

	if (lengthy[0] == '\0')
		memset(lengthy, 'n', 255);
	return chance(w, 3) ? lengthy : names[below(w, NNAMES)];
}

static int
no_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

/* Add "/NAME" to out: of what is there, now and then, else any.  Whether
 * to go on: where this is no directory, that would mostly fail. */
static bool
draw_step(struct whole *w, char *out, size_t size)
{
	char		 dir[PATH_MAX];
	struct stat	 st;
	struct dirent	**v = NULL;
	const char	*name = draw_name(w);
	int		 i, n = -1;
	size_t		 len = strlen(out);

	if (chance(w, 60)) {
		snprintf(dir, sizeof(dir), "%s%s", w->model, out);
		n = scandir(dir, &v, no_dots, alphasort);
	}
	if (n > 0)
		name = v[below(w, (unsigned)n)]->d_name;
	if ((size_t)snprintf(out + len, size - len, "/%s", name) >= size - len)
		abort();
	for (i = 0; i < n; i++)
		free(v[i]);
	free(v);
	snprintf(dir, sizeof(dir), "%s%s", w->model, out);
	return (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode)) || chance(w, 5);
}

/* A path in top directory `top`, of that or a few more components. */
static void
draw_path(struct whole *w, char *out, size_t size, unsigned top)
{
	unsigned	 depth = chance(w, 4) ? 0 : 1 + below(w, 3);

	snprintf(out, size, "/d%u", top);
	while (depth-- > 0 && draw_step(w, out, size))
		continue;
}

/* Targets are siblings, so that a link leads into another top directory
 * only where those may be tied together. */
static void
draw_target(struct whole *w, char *out, size_t size)
{
	const char	*name = names[below(w, NNAMES)];

	if (w->cross && chance(w, 50))
		snprintf(out, size, "../../d%u/%s", below(w, TOPS), name);
	else
		snprintf(out, size, "%s", name);
}

static size_t
draw_len(struct whole *w)
{
	if (chance(w, 1))
		return below(w, 200000);
	return chance(w, 10) ? 0 : below(w, 3000);
}

static const struct op *
draw(struct whole *w, struct draw *d)
{
	static const mode_t	 modes[] = { 0644, 0600, 0755, 0640, 0444, 0,
	    04755, 02755, 01777, 02770, 0666, 0711 };
	static const mode_t	 umasks[] = { 022, 0, 077, 027 };
	static const uid_t	 ids[] = { 0, 1000, 1001 };
	const struct op		*o;
	unsigned		 all = 0, k, top = below(w, TOPS);

	for (o = whole_ops; o->name != NULL; o++)
		all += o->weight;
	k = below(w, all);
	for (o = whole_ops; k >= o->weight; o++)
		k -= o->weight;

	draw_path(w, d->p, sizeof(d->p), top);
	draw_path(w, d->q, sizeof(d->q), w->cross ? below(w, TOPS) : top);
	/* A top directory stays one: it may only change its name. */
	if (strchr(d->p + 1, '/') == NULL && o->two)
		snprintf(d->q, sizeof(d->q), "/d%u", below(w, TOPS));
	draw_target(w, d->target, sizeof(d->target));
	d->mode = modes[below(w, sizeof(modes) / sizeof(modes[0]))];
	d->umask = umasks[below(w, 4)];
	d->as = chance(w, 12) ? ids[1 + below(w, 2)] : 0;
	d->uid = ids[below(w, 3)];
	d->gid = ids[below(w, 3)];
	d->seed = tap_rand(&w->rng) >> 1;
	d->len = draw_len(w);
	d->off = -1;
	d->slot = below(w, WHOLE_HELD);
	d->pick = below(w, 1000);
	return o;
}

/* At the top there are directories alone: so what ties two of them is
 * drawn on purpose, or never. */
static bool
allowed(const struct op *o, const struct draw *d)
{
	static const char *const tops[] = { "mkdir", "rmdir", "rename",
	    "chmod", "chown", "utimens", "setxattr", "removexattr", "acl",
	    "stat", "readdir", "access" };
	size_t	 i;

	if (strchr(d->p + 1, '/') != NULL &&
	    (!o->two || strchr(d->q + 1, '/') != NULL))
		return true;
	if (o->two && (strchr(d->p + 1, '/') != NULL) !=
	    (strchr(d->q + 1, '/') != NULL))
		return false;
	for (i = 0; i < sizeof(tops) / sizeof(tops[0]); i++)
		if (strcmp(o->name, tops[i]) == 0)
			return true;
	return false;
}

static int64_t
one(const struct op *o, const char *root, struct draw *d, int side)
{
	int64_t	 rc;

	d->side = side;
	umask(d->umask);
	if (d->as != 0 && (setegid(d->as) == -1 || seteuid(d->as) == -1))
		abort();
	rc = o->fn(root, d);
	if (d->as != 0 && (seteuid(0) == -1 || setegid(0) == -1))
		abort();
	umask(022);
	return rc;
}

static void
tell(const char *what, int64_t rc)
{
	if (rc < 0)
		fprintf(stderr, "# %s: %s\n", what, strerror((int)-rc));
	else
		fprintf(stderr, "# %s: %lld\n", what, (long long)rc);
}

/* What is at the path, as root sees it. */
static void
tell_stat(const char *root, const char *rel)
{
	char		 p[PATH_MAX];
	struct stat	 st;

	snprintf(p, sizeof(p), "%s%s", root, rel);
	if (lstat(p, &st) == -1)
		fprintf(stderr, "# %s: %s\n", root, strerror(errno));
	else
		fprintf(stderr, "# %s: mode %o, %u:%u, %ju bytes, %u links, "
		    "inode %ju\n", root, (unsigned)st.st_mode,
		    (unsigned)st.st_uid, (unsigned)st.st_gid,
		    (uintmax_t)st.st_size, (unsigned)st.st_nlink,
		    (uintmax_t)st.st_ino);
}

bool
whole_op(struct whole *w, unsigned long n)
{
	struct draw		 d;
	const struct op		*o;
	int64_t			 a, b;

	do
		o = draw(w, &d);
	while (!allowed(o, &d));
	b = one(o, w->model, &d, 1);
	a = w->view == NULL ? b : one(o, w->view, &d, 0);
	w->good += b >= 0;
	if (a == b)
		return true;
	fprintf(stderr, "# operation %lu: %s \"%s\" \"%s\" as user %u, mode"
	    " %04o, owner %u:%u, %zu bytes, pick %u\n", n, o->name, d.p,
	    o->two ? d.q : "", (unsigned)d.as, (unsigned)d.mode,
	    (unsigned)d.uid, (unsigned)d.gid, d.len, d.pick);
	tell("the view says", a);
	tell("the model says", b);
	tell_stat(w->view, d.p);
	tell_stat(w->model, d.p);
	return false;
}
