/*
 * precommit.c: what is done around a commit: hooks, checks, hooks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "hook.h"
#include "lease.h"
#include "out.h"
#include "precommit.h"

const char *
commit_user(void)
{
	const char	*user = getlogin();

	return user == NULL ? cfg_user((uint32_t)getuid()) : user;
}

static int
put_paths(struct strs *l, const struct pend *p)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		if (strs_put(l, strdup(p->v[i].path)) < 0)
			return -ENOMEM;
	return 0;
}

/* What is pending now of what is asked for. */
static int
look(struct work *w, char *const *paths, size_t n, struct pend *p,
    struct err *e)
{
	int	 rc;

	if ((rc = work_find(w, UINT64_MAX, p, e)) == 0)
		pend_select(p, paths, n);
	return rc;
}

/* The time limit, from a configuration that may be bad: that is told
 * where it is checked. */
static unsigned
limit(const char *root)
{
	struct conf	 conf;
	struct err	 ignored;
	unsigned	 n = 0;

	if (conf_read(&conf, root, &ignored) == 0) {
		n = conf.rules.seconds;
		conf_free(&conf);
	}
	return n;
}

static int
run_hooks(struct precommit *pc, const char *hook, const struct strs *paths,
    uint64_t gen, struct err *e)
{
	const bool	 pre = strcmp(hook, "pre-commit") == 0;
	struct hook_env	 he = { .root = pc->root, .gen = gen, .msg = pc->msg,
			    .user = commit_user(), .seconds = limit(pc->root),
			    .veto = pre && !pc->force,
			    .failed = pre && pc->force ? &pc->forced : NULL };
	size_t		 i, had = pc->forced.n;
	int		 rc = hook_run(pc->c, hook, paths, &he, e);

	for (i = had; i < pc->forced.n; i++)
		cfg_warn(pc->c, "hook %s failed", pc->forced.v[i]);
	return rc;
}

/* A hook may change what is pending, and what is ignored: *p is found anew
 * behind it. */
static int
hooks_first(struct precommit *pc, struct work *w, char *const *paths,
    size_t n, struct pend *p, struct err *e)
{
	struct strs	 l = { NULL, 0, 0 };
	int		 rc;

	pc->hooked = true;
	if (p->n == 0 || !hook_there(pc->root, "pre-commit"))
		return 0;
	if (put_paths(&l, p) < 0)
		rc = err_set(e, ENOMEM, "commit");
	else
		rc = run_hooks(pc, "pre-commit", &l, w->head + 1, e);
	strs_free(&l);
	if (rc < 0)
		return rc;
	pend_free(p);
	patt_free(w->patt);
	if ((rc = patt_load(&w->patt, w->tree, e)) < 0)
		return rc;
	if (w->ctl != -1)
		os_settle(w->tree);
	return look(w, paths, n, p, e);
}

/* One check that failed, on standard error. */
static void
say_failed(const struct precommit *pc, const struct check *k)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;

	put_fmt(&b, "cfg: %s: ", pc->c->verb);
	for (i = 0; i < k->paths.n && i < 3; i++) {
		put_fmt(&b, "%s", i == 0 ? "" : ", ");
		out_path(&b, k->paths.v[i]);
	}
	if (k->paths.n > i)
		put_fmt(&b, " and %zu more", k->paths.n - i);
	put_fmt(&b, ": %s says:\n", check_tool(k));
	check_words(&b, k, "    ");
	if (!b.bad)
		hook_show(&b);
	buf_free(&b);
}

static int
judge(struct precommit *pc, int bad, struct err *e)
{
	const struct check	*k;
	size_t			 i, j;

	for (i = 0; i < pc->checks.n; i++) {
		k = &pc->checks.v[i];
		if (k->ok)
			continue;
		say_failed(pc, k);
		for (j = 0; pc->force && j < k->paths.n; j++)
			if (strs_put(&pc->forced, strdup(k->paths.v[j])) < 0)
				return err_set(e, ENOMEM, "commit");
	}
	if (bad > 0 && !pc->force)
		return err_setx(e, ECANCELED, "not committed: %d check%s "
		    "failed; --force commits all the same", bad,
		    bad == 1 ? "" : "s");
	return 0;
}

int
precommit_may(struct err *e)
{
	const char	*from = getenv("CFG_HOOK");

	return from == NULL || strcmp(from, "pre-commit") != 0 ? 0 :
	    err_setx(e, EDEADLK, "not from within a pre-commit hook");
}

int
precommit_run(struct precommit *pc, struct work *w, char *const *paths,
    size_t n, struct err *e)
{
	struct pend	 p;
	int		 rc;

	pc->root = pc->checks.root = w->ctl == -1 ? pc->c->inst.tree :
	    pc->c->inst.mount;
	pc->checks.tree = w->tree;
	if (!pc->hooked)
		lease_try_settle(w, pc->c);
	if ((rc = look(w, paths, n, &p, e)) < 0)
		return rc;
	if (!pc->hooked)
		rc = hooks_first(pc, w, paths, n, &p, e);
	if (rc == 0 && (rc = checks_plan(&pc->checks, &p, e)) == 0) {
		pc->sign = pc->checks.sign;
		if ((rc = checks_run(&pc->checks, e)) >= 0)
			rc = judge(pc, rc, e);
	}
	pend_free(&p);
	return rc;
}

int
precommit_same(struct precommit *pc, const struct pend *p, struct err *e)
{
	int	 rc = checks_plan(&pc->checks, p, e);

	return rc < 0 ? rc :
	    memcmp(&pc->checks.sign, &pc->sign, sizeof(pc->sign)) == 0;
}

int
precommit_msg(const struct precommit *pc, char **msg, struct err *e)
{
	struct strs	 once = { NULL, 0, 0 };
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 rc = 0;

	*msg = NULL;
	if (pc->msg == NULL && pc->forced.n == 0)
		return 0;
	for (i = 0; rc == 0 && i < pc->forced.n; i++)
		rc = strs_put(&once, strdup(pc->forced.v[i]));
	strs_sort(&once);
	put_fmt(&b, "%s%s", pc->msg == NULL ? "" : pc->msg,
	    pc->msg != NULL && once.n > 0 ? "\n\n" : "");
	for (i = 0; i < once.n; i++) {
		put_fmt(&b, "%sforced: ", i == 0 ? "" : "\n");
		out_path(&b, once.v[i]);
	}
	put_u8(&b, '\0');
	strs_free(&once);
	if (rc < 0 || b.bad) {
		buf_free(&b);
		return err_set(e, ENOMEM, "commit");
	}
	*msg = (char *)b.p;
	return 0;
}

void
precommit_done(struct precommit *pc, const struct pend *p, uint64_t gen)
{
	pc->gen = gen;
	if (put_paths(&pc->paths, p) < 0)
		cfg_warn(pc->c, "hooks: out of memory");
}

void
precommit_end(struct precommit *pc)
{
	struct err	 e;

	checks_free(&pc->checks);
	if (pc->gen != 0 && run_hooks(pc, "post-commit", &pc->paths,
	    pc->gen, &e) < 0)
		cfg_warn(pc->c, "%s", e.msg);
	strs_free(&pc->paths);
	strs_free(&pc->forced);
}
