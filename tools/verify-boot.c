/*
 * verify-boot.c: cfg verify --boot: what the next boot would give, with
 * this base or that of another image.  The tree is built by the code of
 * cfg restore, in the state directory, as that is in RAM, and compared
 * with what is running.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "parked.h"
#include "remote.h"
#include "restore.h"
#include "treediff.h"
#include "walk.h"
#include "work.h"

struct boot {
	struct cfg	*c;
	struct work	 w;
	const char	*base;
	const char	*dir;		/* the tree that it gives */
	int		 tree;
	bool		 but;		/* not as it was committed last */
};

/* 1: there would be none. */
static int
build(struct boot *b, struct err *e)
{
	const struct inst	*in = &b->c->inst;
	struct cfg		 c = *b->c;
	int			 rc;

	c.storepath = in->store != NULL ? in->store : remote_store(&c);
	if (c.storepath == NULL)
		return err_setx(e, EINVAL, "%s has no store", in->mount);
	rc = restore_tree(&c, b->base, b->dir);
	b->but = rc == EX_NO;
	if (rc > EX_NO)
		return 1;		/* that it failed is said */
	b->tree = open(b->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return b->tree == -1 ? err_set(e, errno, "open %s", b->dir) : 0;
}

/* What would be merged, and what not. */
static int
say_parked(struct boot *b, struct err *e)
{
	struct parks	 p;
	struct buf	 out = BUF_INIT;
	size_t		 i;
	int		 rc;

	if (b->c->json)
		return 0;
	if ((rc = parks_read(&p, b->tree, e)) < 0)
		return rc;
	for (i = 0; i < p.n; i++) {
		put_fmt(&out, "%s ", park_word[p.v[i].state]);
		out_path(&out, p.v[i].path);
		if (p.v[i].state != PARK_MERGED)
			put_fmt(&out, "\t%s", rebase_text[p.v[i].why]);
		put_u8(&out, '\n');
	}
	parks_free(&p);
	return out_end(&out, false, e);
}

/* Both trees are of the head and the base here, with what is pending. */
static int
show(struct boot *b, const struct pend *run, const struct pend *boot,
    size_t *n, struct err *e)
{
	struct tree	 from = { 0 }, to = { 0 };
	struct treediff	 d = { .form = b->c->json ? DIFF_JSON : DIFF_TEXT,
			    .o = { .context = 3 }, .a = &from, .b = &to };
	int		 rc;

	d.o.color = b->c->color && !b->c->json;
	d.o.safe = d.o.color || (!b->c->json && isatty(STDOUT_FILENO));
	if ((rc = tree_open(&from, b->w.st.s, b->w.head, b->w.pers.base,
	    e)) == 0 && (rc = tree_open(&to, b->w.st.s, b->w.head,
	    b->w.pers.base, e)) == 0) {
		tree_run(&from, run, b->w.tree);
		tree_run(&to, boot, b->tree);
		rc = treediff(&d, NULL, e);
	}
	if (rc == 0 && b->c->json)
		put_u8(&d.out, '\n');
	if (rc == 0)
		rc = out_end(&d.out, !b->c->json, e);
	*n = d.n;
	buf_free(&d.out);
	tree_close(&from);
	tree_close(&to);
	return rc;
}

static int
compare(struct boot *b, size_t *n, struct err *e)
{
	struct pend	 run = { 0 }, boot = { 0 };
	int		 rc;

	if ((rc = work_find(&b->w, UINT64_MAX, &run, e)) == 0 &&
	    (rc = pend_find_all(&boot, b->tree, -1, UINT64_MAX, &b->w.pers,
	    b->w.patt, e)) == 0)
		rc = show(b, &run, &boot, n, e);
	pend_free(&run);
	pend_free(&boot);
	return rc;
}

static void
sweep(const struct boot *b)
{
	struct err	 e;

	if (b->tree != -1) {
		if (walk_clear(b->tree, &e) < 0)
			cfg_warn(b->c, "%s", e.msg);
		(void)close(b->tree);
	}
	if (b->dir != NULL && rmdir(b->dir) == -1 && errno != ENOENT)
		cfg_warn(b->c, "remove %s: %s", b->dir, strerror(errno));
}

int
verify_boot(struct cfg *c, const char *base)
{
	struct boot	 b = { .c = c, .tree = -1 };
	struct err	 e = { 0, "" };
	char		*dir = NULL;
	size_t		 n = 0;
	int		 rc;

	if (geteuid() != 0)
		return cfg_failx(c, "only root can try a boot: %s",
		    strerror(EPERM));
	if ((rc = work_open(&b.w, c, &e)) < 0)
		return cfg_fail(c, &e);
	b.base = base != NULL ? base : c->inst.base;
	if (asprintf(&dir, "%s/boot.XXXXXX", c->inst.state) == -1 ||
	    mkdtemp(dir) == NULL)
		rc = err_set(&e, errno, "%s: mkdtemp", c->inst.state);
	else
		b.dir = dir;
	if (rc == 0 && (rc = build(&b, &e)) == 0 &&
	    (rc = say_parked(&b, &e)) == 0)
		rc = compare(&b, &n, &e);
	sweep(&b);
	free(dir);
	work_close(&b.w);
	if (rc != 0)
		return rc < 0 ? cfg_fail(c, &e) : EX_FAIL;
	return n > 0 || b.but ? EX_NO : EX_OK;
}
