/*
 * cmd-rollback.c: cfg rollback and cfg reset: make the running tree what
 * it was at a generation, or what the base alone is.  That is a pending
 * change as any other, and a message for its commit waits with it.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "after.h"
#include "ask.h"
#include "back.h"
#include "cfg.h"
#include "message.h"
#include "older.h"
#include "out.h"
#include "treediff.h"
#include "work.h"

#define NAMED	3		/* paths that the message names */

struct job {
	struct cfg	*c;
	struct work	 w;
	struct back	 b;
	bool		 dry;
	bool		 ask;	/* on the terminal, first */
	bool		 no;	/* the answer */
};

static bool
to_head(const struct job *j)
{
	return j->b.gen == BACK_HEAD || j->b.gen == j->w.head;
}

static void
put_target(const struct job *j, struct buf *b)
{
	cfg_put_gen(b, to_head(j) ? j->w.head : j->b.gen);
}

/* With the letter of what was done: what went away is 'D'. */
static void
say(void *arg, const struct pent *p, const char *why)
{
	const struct job	*j = arg;
	struct pent		 done;
	char			*vis;

	if (why != NULL) {
		cfg_warn(j->c, "%s", why);
		return;
	}
	done = (struct pent){ .was = p->now, .now = p->was };
	vis = path_vis(*p->path == '\0' ? "." : p->path);
	(void)printf("%c %s\n", pend_letter(&done), vis == NULL ? "?" : vis);
	free(vis);
}

static void
say_end(const struct job *j)
{
	struct buf	 b = BUF_INIT;

	if (j->b.nsel == 0)
		put_fmt(&b, "nothing differs from ");
	else
		put_fmt(&b, "%zu path%s rolled back to ", j->b.ndone,
		    j->b.ndone == 1 ? "" : "s");
	put_target(j, &b);
	(void)printf("%.*s\n", (int)b.len, b.p == NULL ? "" : (char *)b.p);
	buf_free(&b);
}

/* -n: the difference from what is running to what it would be. */
static int
show(struct job *j, struct err *e)
{
	const struct back	*b = &j->b;
	struct pend		 sel = { 0 };
	struct tree		 run, to;
	struct treediff		 d = { .o = { .context = 3 }, .a = &run,
				    .b = &to };
	size_t			 i;
	int			 rc;

	if ((sel.v = calloc(b->nsel + 1, sizeof(*sel.v))) == NULL)
		return err_set(e, ENOMEM, "compare");
	for (i = 0; i < b->pend.n; i++)
		if (b->sel[i])
			sel.v[sel.n++] = b->pend.v[i];
	tree_over(&run, &b->to);
	tree_over(&to, &b->to);
	tree_run(&run, &sel, j->w.tree);
	d.form = j->c->json ? DIFF_JSON : DIFF_TEXT;
	d.o.color = j->c->color && !j->c->json;
	d.o.safe = d.o.color || (!j->c->json && isatty(STDOUT_FILENO));
	if ((rc = treediff(&d, NULL, e)) == 0) {
		if (j->c->json)
			put_u8(&d.out, '\n');
		rc = out_end(&d.out, !j->c->json, e);
	}
	buf_free(&d.out);
	free(sel.v);		/* what is in it is the pend's */
	return rc;
}

/* Say in the next commit's message what it is that is pending. */
static int
leave_message(struct job *j, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i, n = j->b.paths.n;
	int		 rc;

	if (to_head(j)) {
		if (n == 0 && j->b.nfailed == 0) {
			message_drop(j->w.state);
			older_done(j->w.tree);
		}
		return 0;
	}
	put_fmt(&b, "rollback to ");
	cfg_put_gen(&b, j->b.gen);
	for (i = 0; i < n && i < NAMED; i++) {
		put_fmt(&b, "%s ", i == 0 ? ":" : ",");
		out_path(&b, j->b.paths.v[i]);
	}
	if (n > NAMED)
		put_fmt(&b, " and %zu more", n - NAMED);
	put_u8(&b, '\0');
	rc = b.bad ? err_set(e, ENOMEM, "message") :
	    message_put(j->w.state, (char *)b.p, e);
	buf_free(&b);
	return rc;
}

static bool
confirmed(const struct job *j)
{
	return ask_yes("%zu path%s of %s would be as in the base. Go on?",
	    j->b.nsel, j->b.nsel == 1 ? "" : "s", j->c->inst.mount);
}

static int
go_back(struct job *j, struct err *e)
{
	int	 rc;

	j->b.tell = say;
	j->b.arg = j;
	if ((rc = back_find(&j->b, &j->w, j->c, e)) < 0)
		return rc;
	if (j->dry && (j->b.nsel > 0 || j->c->json))
		return show(j, e);
	if (j->b.nsel > 0) {
		j->no = j->ask && !confirmed(j);
		if (j->no)
			return 0;
		rc = back_do(&j->b, &j->w, j->c, e);
	}
	if (rc == 0)
		say_end(j);
	if (j->b.left)
		cfg_warn(j->c, "not all extended attributes could be set");
	/* Where nothing differs, too: one that was killed has left none. */
	if (rc == 0 && !j->dry && (rc = leave_message(j, e)) == 0)
		after_back(j->c, &j->w, &j->b, to_head(j) ? j->w.head :
		    j->b.gen, "rollback");
	return rc;
}

static int
finish(struct job *j, int rc, const struct err *e)
{
	const bool	 failed = j->b.nfailed > 0;

	back_free(&j->b);
	work_close(&j->w);
	if (rc == 0 && j->no)
		(void)printf("nothing was changed\n");
	return rc < 0 ? cfg_fail(j->c, e) : failed ? EX_FAIL :
	    j->no ? EX_NO : EX_OK;
}

/* The first argument, where it names a generation: 1; else 0, or -errno. */
static int
generation(struct job *j, const char *arg, struct err *e)
{
	int	 rc;

	rc = cfg_gen(j->w.st.s, arg, &j->b.gen, e);
	if (rc == -EINVAL) {
		j->b.gen = BACK_HEAD;
		return 0;
	}
	return rc < 0 ? rc : 1;
}

int
cmd_rollback(struct cfg *c, int argc, char **argv)
{
	struct job	 j = { .c = c, .b = { .gen = BACK_HEAD } };
	struct err	 e = { 0, "" };
	const int	 behind = cfg_behind(argc, argv);
	char		*p;
	int		 ch, rc;

	while ((ch = getopt(argc, argv, "n")) != -1) {
		if (ch != 'n')
			return cfg_usage(c);
		j.dry = true;
	}
	if (c->storepath != NULL)
		return cfg_usage(c);
	if (!j.dry && geteuid() != 0)
		return cfg_failx(c, "only root rolls back: %s",
		    strerror(EPERM));
	if ((rc = work_open(&j.w, c, &e)) < 0)
		return cfg_fail(c, &e);
	if (optind < argc - behind &&
	    (rc = generation(&j, argv[optind], &e)) == 1) {
		optind++;
		rc = 0;
	}
	for (; rc == 0 && optind < argc; optind++)
		if ((rc = cfg_path(c, argv[optind], &p, &e)) == 0 &&
		    strs_put(&j.b.paths, p) < 0)
			rc = err_set(&e, ENOMEM, "rollback");
	if (rc == 0)
		rc = go_back(&j, &e);
	return finish(&j, rc, &e);
}

int
cmd_reset(struct cfg *c, int argc, char **argv)
{
	struct job	 j = { .c = c, .ask = true };
	struct err	 e = { 0, "" };
	int		 ch, rc;

	while ((ch = getopt(argc, argv, "ny")) != -1)
		switch (ch) {
		case 'n':
			j.dry = true;
			break;
		case 'y':
			j.ask = false;
			break;
		default:
			return cfg_usage(c);
		}
	if (optind < argc || c->storepath != NULL)
		return cfg_usage(c);
	if (!j.dry && geteuid() != 0)
		return cfg_failx(c, "only root resets: %s", strerror(EPERM));
	if (!j.dry && j.ask && !ask_can(c))
		return EX_FAIL;
	if ((rc = work_open(&j.w, c, &e)) < 0)
		return cfg_fail(c, &e);
	rc = go_back(&j, &e);
	return finish(&j, rc, &e);
}
