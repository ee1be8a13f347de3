/*
 * cmd-restore.c: cfg restore: build the running tree from base and store;
 * what boot runs.
 *
 * All contents are read and verified before anything is applied.  What
 * can't be read of the store costs generations, and in the end the whole
 * overlay, but never the boot: that ends with 1 instead of 0, and only a
 * tree that can't be used ends with 2.
 *
 * An entry that was made over another base than this is merged with it
 * where that can be done by itself, before it is applied; else it is
 * applied as it is, and the tree's list says so (parked.h).
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "apply.h"
#include "cfg.h"
#include "copy.h"
#include "derived.h"
#include "older.h"
#include "parked.h"
#include "pin.h"
#include "rebase.h"
#include "hook.h"
#include "remote.h"
#include "restore.h"
#include "walk.h"

struct restore {
	struct cfg	*c;
	const char	*base;		/* or NULL: the tree holds it */
	const char	*dir;		/* the tree */
	const char	*copy;		/* of the store, here; or NULL */
	bool		 force;
	bool		 nohooks;	/* --no-hooks */
	bool		 but;		/* something is not as it should be */
	uint64_t	 gen;		/* the generation that is applied; 0: none */
	struct ents	 ov;
	struct buf	*data;		/* contents of ov, one for each; empty
					   where an earlier link has it */
	struct parks	 parks;		/* of which base and overlay disagree */
	int		 basefd;	/* -1: as base */
	int		 tree;
};

static void
unstage(struct restore *r)
{
	size_t	 i;

	for (i = 0; r->data != NULL && i < r->ov.n; i++)
		buf_free(&r->data[i]);
	free(r->data);
	r->data = NULL;
	ents_free(&r->ov);
}

/* The overlay of one generation with all contents, verified. */
static int
stage(struct restore *r, struct store *s, uint64_t gen, struct err *e)
{
	struct apply	 seen = APPLY_INIT(-1, false);
	struct ent	*x;
	size_t		 i;
	int		 rc;

	if ((rc = store_overlay(s, gen, &r->ov, e)) < 0)
		return rc;
	if (r->ov.n > 0 &&
	    (r->data = calloc(r->ov.n, sizeof(*r->data))) == NULL)
		rc = err_set(e, ENOMEM, "generation %llu",
		    (unsigned long long)gen);
	for (i = 0; rc == 0 && i < r->ov.n; i++) {
		x = &r->ov.v[i];
		if (x->type != ENT_REG || apply_find(&seen, x->link) != NULL)
			continue;
		rc = store_content(s, x, &r->data[i], e);
		if (rc == 0 && apply_linked(&seen, x->link, x->path) < 0)
			rc = err_set(e, ENOMEM, "%s", x->path);
	}
	apply_free(&seen);
	if (rc < 0)
		unstage(r);
	return rc;
}

/* The newest generation that can be had; none leaves the base alone. */
static void
stage_newest(struct restore *r, struct store *s)
{
	uint64_t	 head = store_head(s), oldest = store_oldest(s), g;
	struct err	 e;

	for (g = head; g > 0 && g >= oldest; g--) {
		if (stage(r, s, g, &e) == 0)
			break;
		if (g == head)
			cfg_warn(r->c, "generation %llu: %s",
			    (unsigned long long)g, e.msg);
	}
	r->gen = g >= oldest ? g : 0;
	if (g == head)
		return;
	r->but = true;
	if (g >= oldest && g > 0)
		cfg_warn(r->c, "going back from generation %llu to %llu",
		    (unsigned long long)head, (unsigned long long)g);
	else
		cfg_warn(r->c, "no generation can be read");
}

/* The content of the i-th entry: its own, or that of an earlier name. */
static const struct buf *
content(const struct restore *r, size_t i)
{
	const struct ent	*x = &r->ov.v[i];
	size_t			 k;

	for (k = 0; x->link != 0 && k < i; k++)
		if (r->ov.v[k].link == x->link && r->data[k].len > 0)
			return &r->data[k];
	return &r->data[i];
}

/* What is pinned: by the overlay, or by the base. */
static int
read_pins(const struct restore *r, int base, struct strs *pins,
    struct err *e)
{
	const struct ent	*x = ents_find(&r->ov, PIN_FILE);

	if (x == NULL)
		return pin_read(pins, base, e);
	return x->type != ENT_REG || pin_parse(pins, content(r,
	    (size_t)(x - r->ov.v))) == 0 ? 0 : err_set(e, ENOMEM, PIN_FILE);
}

/* The overlay over the base of now.  What fails stays as it is. */
static void
rebase(struct restore *r, struct store *s)
{
	struct strs	 pins = { NULL, 0, 0 };
	struct rebase	 rb = { s, r->basefd != -1 ? r->basefd : r->tree,
			    &pins };
	enum rebase_why	 why = WHY_OVERLAP;
	struct err	 e;
	size_t		 i;
	int		 rc;

	if (read_pins(r, rb.base, &pins, &e) < 0)
		cfg_warn(r->c, "%s", e.msg);
	for (i = 0; i < r->ov.n; i++) {
		rc = rebase_ent(&rb, &r->ov.v[i], &r->data[i], &why, NULL,
		    &e);
		if (rc == REBASE_MERGED)
			rc = parks_put(&r->parks, r->ov.v[i].path,
			    PARK_MERGED, WHY_BACK);
		else if (rc == REBASE_PARKED)
			rc = parks_put(&r->parks, r->ov.v[i].path,
			    PARK_CONFLICT, why);
		if (rc == -ENOMEM)
			(void)err_set(&e, ENOMEM, "merge");
		if (rc < 0)
			cfg_warn(r->c, "%s", e.msg);
	}
	strs_free(&pins);
}

static void
read_store(struct restore *r)
{
	struct cfg_store	 st;
	struct err		 e;

	if (r->copy != NULL) {
		if (remote_copy(r->c, r->c->storepath, r->copy, &e) < 0) {
			cfg_warn(r->c, "%s; from %s", e.msg, r->copy);
			r->but = true;
		}
		r->c->storepath = r->copy;
	}
	if (cfg_open(r->c, false, &st, &e) < 0) {
		cfg_warn(r->c, "%s", e.msg);
		r->but = true;
		return;
	}
	if (store_damage(st.s) != NULL)
		r->but = true;
	if (store_cut(st.s) != 0)
		cfg_warn(r->c, "generation %llu is begun and not whole: cut "
		    "short, or damaged",
		    (unsigned long long)store_cut(st.s));
	stage_newest(r, st.s);
	rebase(r, st.s);
	if (cfg_close(&st, NULL, &e) < 0) {
		cfg_warn(r->c, "%s", e.msg);
		r->but = true;
	}
}

/* The directory, empty where the base is to be copied into it. */
static int
open_tree(struct restore *r, struct err *e)
{
	struct strs	 l = { NULL, 0, 0 };
	struct stat	 st, top;
	int		 rc = 0;

	if (r->base != NULL && mkdirat(AT_FDCWD, r->dir, 0755) == -1 &&
	    errno != EEXIST)
		return err_set(e, errno, "mkdir %s", r->dir);
	r->tree = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->tree == -1)
		return err_set(e, errno, "open %s", r->dir);
	if (r->base == NULL)
		return 0;
	if (fstat(r->tree, &st) == -1 || stat("/", &top) == -1)
		return err_set(e, errno, "%s", r->dir);
	if (st.st_dev == top.st_dev && st.st_ino == top.st_ino)
		return err_setx(e, EINVAL, "%s: not into the root directory",
		    r->dir);
	if ((rc = walk_list(r->tree, "", &l, e)) == 0 && l.n > 0)
		rc = r->force ? walk_clear(r->tree, e) :
		    err_set(e, ENOTEMPTY, "%s", r->dir);
	strs_free(&l);
	return rc;
}

static int
copy_base(struct restore *r, struct err *e)
{
	bool	 left = false;
	int	 rc = copy_tree(r->basefd, r->tree, &left, e);

	if (rc == 0 && left)
		cfg_warn(r->c, "%s: it can't hold all extended attributes",
		    r->dir);
	return rc;
}

static int
apply_overlay(struct restore *r, struct err *e)
{
	struct apply	 a = APPLY_INIT(r->tree, false);
	const struct ent *x, *first = NULL;
	const struct buf *b;
	char		*vis;
	size_t		 i, out = 0;
	int		 rc = 0;

	for (i = 0; rc >= 0 && i < r->ov.n; i++) {
		x = &r->ov.v[i];
		b = content(r, i);
		rc = apply_ent(&a, x, b->p, b->len, e);
		if (rc == 1 && out++ == 0)
			first = x;
	}
	if (out > 0) {
		vis = path_vis(first->path);
		cfg_warn(r->c, "%zu left out, as the base has no directory "
		    "for them: %s%s", out, vis == NULL ? "?" : vis,
		    out > 1 ? ", ..." : "");
		free(vis);
	}
	if (a.left)
		cfg_warn(r->c, "%s: it can't hold all extended attributes",
		    r->dir);
	apply_free(&a);
	return rc < 0 ? rc : 0;
}

/* Tell of what the new base was merged with, in the tree itself. */
static void
say_parked(struct restore *r)
{
	struct err	 e;
	size_t		 i, n = 0;

	if (r->parks.n == 0)
		return;
	for (i = 0; i < r->parks.n; i++)
		n += r->parks.v[i].state == PARK_CONFLICT;
	if (parks_write(&r->parks, r->tree, false, &e) < 0)
		cfg_warn(r->c, "%s", e.msg);
	cfg_warn(r->c, "the base has changed under what was committed: %zu "
	    "merged, %zu in conflict", r->parks.n - n, n);
}

static void
warn_derived(void *arg, const char *line)
{
	cfg_warn(arg, "%s", line);
}

/* The hooks of the tree; none that fails stops a boot. */
static void
run_hooks(struct restore *r, const char *root)
{
	struct hook_env	 he = { .root = root, .gen = r->gen };
	struct strs	 l = { NULL, 0, 0 };
	struct err	 e;
	size_t		 i;

	if (r->nohooks || !hook_there(root, "post-restore"))
		return;
	for (i = 0; i < r->ov.n; i++)
		if (strs_put(&l, strdup(r->ov.v[i].path)) < 0)
			break;	/* it is not worth a boot */
	if (hook_run(r->c, "post-restore", &l, &he, &e) < 0)
		cfg_warn(r->c, "%s", e.msg);
	strs_free(&l);
}

/* What is made of the tree, or runs in it, once it is complete. */
static void
follow_up(struct restore *r)
{
	char	*real = realpath(r->dir, NULL);

	if (real == NULL) {
		cfg_warn(r->c, "%s: %s", r->dir, strerror(errno));
		return;
	}
	if (r->ov.n > 0)
		derived_make(r->tree, real, &r->ov, warn_derived, r->c);
	run_hooks(r, real);
	free(real);
}

static int
restore(struct restore *r)
{
	struct err	 e = { 0, "" };
	int		 rc = 0;

	if (r->base != NULL && (r->basefd = open(r->base, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC)) == -1)
		return cfg_failx(r->c, "open %s: %s", r->base,
		    strerror(errno));
	if ((rc = open_tree(r, &e)) < 0)
		goto out;
	if (r->c->storepath != NULL)
		read_store(r);
	if (r->basefd != -1)
		rc = copy_base(r, &e);
	if (rc == 0)
		rc = apply_overlay(r, &e);
	if (rc == 0) {
		say_parked(r);
		follow_up(r);
	}
	if (rc == 0 && r->but) {
		cfg_warn(r->c, "%s is restored, but not as it was "
		    "committed last", r->dir);
		if (older_put(r->tree, r->gen, &e) < 0)
			cfg_warn(r->c, "%s", e.msg);
	}
out:
	if (r->basefd != -1)
		(void)close(r->basefd);
	if (r->tree != -1)
		(void)close(r->tree);
	unstage(r);
	parks_free(&r->parks);
	if (rc < 0)
		return cfg_fail(r->c, &e);
	return r->but ? EX_NO : EX_OK;
}

int
restore_tree(struct cfg *c, const char *base, const char *dir)
{
	struct restore	 r = { .c = c, .base = base, .dir = dir,
			    .nohooks = true, .basefd = -1, .tree = -1 };

	return restore(&r);
}

int
cmd_restore(struct cfg *c, int argc, char **argv)
{
	static const struct option lo[] = {
		{ "store", required_argument, NULL, 's' },
		{ "base", required_argument, NULL, 'b' },
		{ "copy", required_argument, NULL, 'c' },
		{ "no-hooks", no_argument, NULL, 'H' },
		{ NULL, 0, NULL, 0 }
	};
	struct restore	 r = { .c = c, .basefd = -1, .tree = -1 };
	int		 ch;

	while ((ch = getopt_long(argc, argv, "fs:b:", lo, NULL)) != -1)
		switch (ch) {
		case 'f':
			r.force = true;
			break;
		case 's':
			c->storepath = optarg;
			break;
		case 'b':
			c->base = r.base = optarg;
			break;
		case 'H':
			r.nohooks = true;
			break;
		case 'c':
			r.copy = optarg;
			break;
		default:
			return cfg_usage(c);
		}
	if (argc - optind != 1 || (r.base == NULL && c->storepath == NULL))
		return cfg_usage(c);
	if (c->storepath == NULL)
		c->storepath = remote_store(c);
	if (r.copy != NULL && c->storepath == NULL)
		return cfg_usage(c);
	r.dir = argv[optind];
	return restore(&r);
}
