/*
 * peer-do.c: an offer that was accepted: the running tree is changed, and
 * committed as a trial, by the code of "cfg commit --trial".
 */
#include <sys/wait.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "back.h"
#include "hook.h"
#include "peer.h"
#include "tstate.h"

#define SAID_MOST	2000		/* bytes of what a check says */

static int
touched(const struct accept *a, struct strs *paths)
{
	size_t	 i;

	for (i = 0; i < a->touched.n; i++)
		if (strs_put(paths, strdup(a->touched.v[i])) < 0)
			return -ENOMEM;
	return 0;
}

static void
first_fault(void *arg, const struct pent *p, const char *why)
{
	struct accept	*a = arg;

	if (why != NULL && p != NULL && a->no.line == NULL)
		a->no.line = line_of(why, strlen(why));
}

/* The running tree, in these paths, as the head has it. */
static int
undo(struct accept *a, struct err *e)
{
	struct back	 b = { .gen = BACK_HEAD };
	int		 rc;

	if (touched(a, &b.paths) < 0)
		rc = err_set(e, ENOMEM, "offer");
	else if ((rc = back_find(&b, &a->w, a->c, e)) == 0 &&
	    (rc = back_do(&b, &a->w, a->c, e)) == 0 && b.nfailed > 0)
		rc = err_setx(e, EIO, "the tree could not be taken back: "
		    "look at `cfg status' there");
	back_free(&b);
	return rc;
}

/* The words of cfg commit. */
static int
words(const struct accept *a, struct strs *w, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*s;
	size_t		 i;
	int		 rc;

	put_fmt(&b, "from %s%s%s", a->o->from, *a->o->msg == '\0' ? "" : ": ",
	    a->o->msg);
	put_u8(&b, '\0');
	rc = b.bad ? -ENOMEM : 0;
	if (asprintf(&s, "%us", (unsigned)a->o->trial) == -1)
		s = NULL;
	if (rc < 0 || strs_put(w, strdup("commit")) < 0 ||
	    strs_put(w, strdup("--trial")) < 0 || strs_put(w, s) < 0 ||
	    strs_put(w, strdup("-m")) < 0 ||
	    strs_put(w, strdup((char *)b.p)) < 0 ||
	    strs_put(w, strdup("--")) < 0)
		rc = -ENOMEM;
	for (i = 0; rc == 0 && i < a->touched.n; i++)
		rc = strs_path(w, a->c->inst.mount, a->touched.v[i], false);
	if (rc == 0)
		rc = strs_put(w, strdup(""));
	buf_free(&b);
	return rc < 0 ? err_set(e, ENOMEM, "offer") : 0;
}

static void
commit_here(struct cfg *c, const struct strs *w, int out)
{
	const char	*verb = "commit";
	int		 rc;

	if (dup2(out, STDOUT_FILENO) == -1 || dup2(out, STDERR_FILENO) == -1)
		_exit(EX_FAIL);
	(void)close(out);
	w->v[w->n - 1] = NULL;
	c->verb = verb;
	c->json = c->color = false;
#ifdef __GLIBC__
	optind = 0;			/* getopt(3) begins anew */
#else
	optind = optreset = 1;
#endif
	rc = cmd_commit(c, (int)w->n - 1, w->v);
	(void)fflush(stdout);
	_exit(rc);
}

/* What it says, up to its end; the trial's own process keeps no pipe. */
static void
hear(int fd, struct buf *said)
{
	uint8_t	 p[1024];
	ssize_t	 n;

	while ((n = read(fd, p, sizeof(p))) > 0 || (n == -1 && errno == EINTR))
		if (n > 0 && said->len < SAID_MOST)
			put_bytes(said, p, (size_t)n);
}

/* Commit, in a process of its own, whose words are caught.  1: refused. */
static int
commit(struct accept *a, struct buf *said, struct err *e)
{
	struct strs	 w = { NULL, 0, 0 };
	int		 p[2], status = 0, rc;
	pid_t		 pid;

	if ((rc = words(a, &w, e)) < 0)
		goto out;
	if (pipe(p) == -1) {
		rc = err_set(e, errno, "commit");
		goto out;
	}
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		(void)close(p[0]);
		commit_here(a->c, &w, p[1]);
	}
	(void)close(p[1]);
	if (pid == -1)
		rc = err_set(e, errno, "fork");
	else {
		hear(p[0], said);
		while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
			;
		rc = !WIFEXITED(status) || WEXITSTATUS(status) != EX_OK;
	}
	(void)close(p[0]);
out:
	strs_free(&w);
	return rc;
}

/* Which trial runs now; 0: nothing had to be committed. */
static int
which_trial(struct accept *a, struct err *e)
{
	struct tstate	 t;
	int		 rc;

	if ((rc = tstate_load(a->c->inst.state, &t, e)) == 1)
		a->trial = t.time;
	tstate_free(&t);
	return rc < 0 ? rc : 0;
}

static int
refuse_undone(struct accept *a, enum refusal why, const char *line,
    struct err *e)
{
	struct err	 ignored;
	int		 rc;

	/* The store was closed, for the commit. */
	if ((rc = work_head(&a->w, a->c, &ignored)) < 0 ||
	    (rc = undo(a, e)) < 0)
		return rc;
	return accept_refuse(a, why, 0, line);
}

static int
change(struct accept *a, struct back *b, struct err *e)
{
	int	 rc;

	if (touched(a, &b->paths) < 0)
		return err_set(e, ENOMEM, "offer");
	if ((rc = back_find(b, &a->w, a->c, e)) < 0 || b->nsel == 0)
		return rc;
	if ((rc = back_do(b, &a->w, a->c, e)) < 0)
		return rc;
	a->n = b->ndone;
	return 0;
}

int
accept_do(struct accept *a, struct err *e)
{
	struct back	 b = { .gen = BACK_HEAD, .ov = &a->to, .s = a->mem,
			    .exact = true, .tell = first_fault, .arg = a };
	struct buf	 said = BUF_INIT;
	struct err	 why;
	int		 rc;

	if ((rc = change(a, &b, e)) < 0 || b.nsel == 0)
		goto out;
	if (b.nfailed > 0) {
		rc = refuse_undone(a, REFUSE_OTHER, NULL, e);
		goto out;
	}
	a->w.pers.s = NULL;
	if (a->w.st.s != NULL && (rc = cfg_close(&a->w.st, NULL, e)) < 0)
		goto out;
	if ((rc = commit(a, &said, e)) != 0) {
		put_u8(&said, '\0');
		rc = refuse_undone(a, REFUSE_CHECK, rc < 0 ? e->msg :
		    (char *)said.p, &why);
		if (rc != -ECANCELED)
			*e = why;
		goto out;
	}
	if ((rc = which_trial(a, e)) == 0)
		reload_run(a->c, &a->conf.rules, a->c->inst.mount, &b.done);
out:
	buf_free(&said);
	back_free(&b);
	return rc;
}
