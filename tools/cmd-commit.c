/*
 * cmd-commit.c: cfg commit: persist what is pending, all of it or some
 * paths, as one record in the store.  DESIGN.md, "A commit".
 *
 * The store is opened for writing only when all that is to be written is
 * in memory and the box goes on: so a slice is writable for the length of
 * one write.  Should someone else have committed meanwhile, it is all done
 * again, compared with the new head.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/path.h"
#include "cfg.h"
#include "change.h"
#include "dur.h"
#include "lease.h"
#include "message.h"
#include "older.h"
#include "out.h"
#include "parked.h"
#include "pin.h"
#include "precommit.h"
#include "remote.h"
#include "shutdown.h"
#include "towrite.h"
#include "trial.h"
#include "walk.h"
#include "work.h"

#define TRIES	5

struct job {
	struct cfg	*c;
	struct work	 w;
	struct strs	 paths;		/* those asked for; none: all */
	bool		 dry;
	bool		 shutdown;	/* those of the configuration */
	const char	*from;		/* a file of further ones, or NULL */
	size_t		 left;		/* that a shutdown loses */
	struct precommit pre;		/* what may refuse it; the message */
	struct trial_job trial;		/* where it is one */
	/* Of one try: */
	struct pend	 pend;		/* what is committed */
	struct pend	 rest;		/* what is not */
	struct commit	 commit;
	struct change_base base;	/* what of the base goes into it */
	bool		 keep_base;	/* contents as well */
	uint64_t	 upto;		/* journal segments that count */
};

static void
forget(struct job *j)
{
	pend_free(&j->pend);
	pend_free(&j->rest);
	commit_free(&j->commit);
	memset(&j->commit, 0, sizeof(j->commit));
}

static bool
asked_for(const struct job *j, const char *path)
{
	size_t	 i;

	for (i = 0; i < j->paths.n; i++)
		if (path_within(path, j->paths.v[i]))
			return true;
	return j->paths.n == 0;
}

/* The paths of which the user said that his version stays. */
static int
find_mine(struct job *j, struct strs *mine, struct err *e)
{
	struct parks	 p;
	size_t		 i;
	int		 rc;

	if ((rc = parks_read(&p, j->w.tree, e)) < 0)
		return rc;
	rc = parks_prune(&p, &j->w.pers, e);
	for (i = 0; rc == 0 && i < p.n; i++)
		if (p.v[i].state == PARK_MINE && asked_for(j, p.v[i].path) &&
		    strs_put(mine, strdup(p.v[i].path)) < 0)
			rc = err_set(e, ENOMEM, "commit");
	parks_free(&p);
	return rc;
}

/* Compare, select, and read all that is to be written. */
static int
gather(struct job *j, uint64_t upto, struct err *e)
{
	struct strs	 mine = { NULL, 0, 0 }, pins = { NULL, 0, 0 };
	int		 rc;

	j->base = (struct change_base){ j->keep_base, true, &pins, &mine, 0, 0 };
	if ((rc = work_find(&j->w, upto, &j->pend, e)) == 0 &&
	    (rc = pend_split(&j->pend, j->paths.v, j->paths.n, &j->rest,
	    e)) == 0 && (rc = pin_read(&pins, j->w.tree, e)) == 0 &&
	    (rc = find_mine(j, &mine, e)) == 0)
		rc = change_build(&j->commit, &j->pend, j->w.tree,
		    &j->w.pers, j->w.patt, &j->base, e);
	strs_free(&pins);
	strs_free(&mine);
	j->base.pins = j->base.mine = NULL;
	return rc;
}

/*
 * The same while the box is held still: beneath the view.  Through it, a
 * look-up would wait with whoever is held back in the same directory, as
 * the kernel has locked that, and so for the thaw, which is ours to give.
 */
static int
gather_still(struct job *j, struct err *e)
{
	int	 view = j->w.tree, rc;

	if (j->w.ctl == -1)
		return gather(j, UINT64_MAX, e);
	if ((rc = ctl_tree(j->w.ctl, e)) < 0)
		return rc;
	j->w.tree = rc;
	rc = gather(j, j->upto, e);
	(void)close(j->w.tree);
	j->w.tree = view;
	return rc;
}

static int
sign(struct job *j, struct err *e)
{
	struct commit	*c = &j->commit;

	c->time = out_now();
	c->uid = (uint32_t)getuid();
	if ((c->user = strdup(commit_user())) == NULL)
		return err_set(e, ENOMEM, "commit");
	return precommit_msg(&j->pre, &c->msg, e);
}

/* The journal names only what is pending still. */
static void
carry(struct job *j, const struct pend *rest)
{
	struct err	 e;

	/* Else it names too much, which costs time alone. */
	if (lease_carry(&j->w, j->upto, rest, &j->pend, &e) < 0)
		cfg_warn(j->c, "the journal stays as it is: %s", e.msg);
}

/* Write.  1: someone else has committed since the head was read. */
static int
write_out(struct job *j, uint64_t *gen, uint64_t *bytes, uint64_t *window,
    struct err *e)
{
	struct towrite		 to = { .dev = 0 };
	struct store_space	 sp = { 0 };
	struct err		 e2;
	int			 rc, rc2;

	/* The reader's hold on the slice ends first. */
	j->w.pers.s = NULL;
	if ((rc = cfg_close(&j->w.st, NULL, e)) < 0 ||
	    (rc = sign(j, e)) < 0)
		return rc;
	if (j->trial.ns > 0 && (rc = trial_arm(&j->trial, j->c, &j->paths,
	    j->commit.time, j->w.head, e)) < 0)
		return rc;
	if ((rc = towrite_open(&to, j->c, e)) < 0)
		goto out;
	if (store_head(to.st.s) != j->w.head)
		rc = 1;
	else if (j->trial.ns > 0)
		rc = store_trial(to.st.s, &j->commit, j->commit.time +
		    j->trial.ns, e);
	else
		rc = store_commit(to.st.s, &j->commit, gen, e);
	store_space(to.st.s, &sp);
	*bytes = sp.written;
	rc2 = towrite_close(&to, j->c, window, &e2);
	if (rc == 0 && rc2 < 0)
		cfg_warn(j->c, "%s", e2.msg);	/* but it is written */
out:
	if (rc != 0 && j->trial.ns > 0)
		trial_disarm(&j->trial, j->c);
	return rc;
}

static void
say_left_out(const struct job *j)
{
	if (j->pend.nsock > 0)
		cfg_warn(j->c, "%zu socket%s left out", j->pend.nsock,
		    j->pend.nsock == 1 ? "" : "s");
}

static void
say_done(const struct job *j, uint64_t gen, uint64_t bytes, uint64_t window)
{
	const size_t	 n = j->pend.n + j->base.nalso;
	struct buf	 b = BUF_INIT;

	if (j->trial.ns > 0)
		put_fmt(&b, "trial: ");
	else
		put_fmt(&b, "generation %llu: ", (unsigned long long)gen);
	put_fmt(&b, "%zu path%s, %llu bytes", n, n == 1 ? "" : "s",
	    (unsigned long long)bytes);
	if (j->base.nfollow > 0)
		put_fmt(&b, ", %zu as the base has %s", j->base.nfollow,
		    j->base.nfollow == 1 ? "it" : "them");
	if (window > 0)
		put_fmt(&b, " in a window of %llu ms",
		    (unsigned long long)((window + 999999) / 1000000));
	if (j->trial.ns > 0) {
		put_fmt(&b, "; taken back in ");
		dur_put(&b, j->trial.ns);
		put_fmt(&b, " unless `cfg confirm' is said");
	}
	put_u8(&b, '\0');
	if (b.bad)
		return;
	(void)printf("%s\n", (char *)b.p);
	openlog("cfg", LOG_PID, LOG_DAEMON);
	syslog(LOG_NOTICE, "%s: %s", j->c->inst.mount, (char *)b.p);
	closelog();
	buf_free(&b);
}

/* One try.  1: again. */
static int
once(struct job *j, bool *nothing, struct err *e)
{
	const uint64_t	 head = j->w.head;
	uint64_t	 gen = 0, bytes = 0, window = 0;
	struct err	 e2 = { 0, "" };
	int		 rc, rc2;

	if ((rc = lease_freeze(&j->w, &j->upto, e)) < 0)
		return rc;
	rc = gather_still(j, e);
	rc2 = lease_thaw(&j->w, &e2);
	if (rc == 0 && rc2 == -ETIMEDOUT)
		return 1;
	if (rc == 0 && rc2 < 0) {
		*e = e2;
		rc = rc2;
	}
	if (rc < 0 || (rc = precommit_same(&j->pre, &j->pend, e)) < 0)
		return rc;
	if (rc == 0)
		return 1;
	work_sweep(&j->w, &j->pend);
	if (j->commit.n == 0) {
		/* No write tells whether the head was that of now. */
		if ((rc = work_head(&j->w, j->c, e)) < 0)
			return rc;
		if (j->w.head != head)
			return 1;
		*nothing = true;
		if (j->rest.n == 0)
			message_drop(j->w.state);
		carry(j, &j->rest);
		return 0;
	}
	if ((rc = write_out(j, &gen, &bytes, &window, e)) != 0)
		return rc;
	say_left_out(j);
	say_done(j, gen, bytes, window);
	/* A trial is pending still, and so is its message. */
	if (j->trial.ns > 0)
		return 0;
	precommit_done(&j->pre, &j->pend, gen);
	message_drop(j->w.state);
	carry(j, &j->rest);
	mirror_run(j->c, "auto", NULL);
	if (config_there(j->c))
		(void)auto_run(j->c, NULL);
	return 0;
}

/* -n: say what would be done. */
static int
dry_run(struct job *j, bool *nothing, struct err *e)
{
	struct buf	 b = BUF_INIT;
	uint64_t	 bytes = 0;
	char		*vis;
	size_t		 i, n;
	int		 rc;

	if ((rc = gather(j, UINT64_MAX, e)) < 0)
		return rc;
	*nothing = j->commit.n == 0;
	if (*nothing)
		return 0;
	for (i = 0; i < j->pend.n; i++) {
		vis = path_vis(*j->pend.v[i].path == '\0' ? "." :
		    j->pend.v[i].path);
		put_fmt(&b, "%c %s\n", pend_letter(&j->pend.v[i]),
		    vis == NULL ? "?" : vis);
		free(vis);
	}
	for (i = 0; i < j->commit.n; i++)
		bytes += j->commit.v[i].data.len;
	n = j->pend.n + j->base.nalso;
	put_fmt(&b, "%zu path%s, %llu bytes of content, would be generation "
	    "%llu\n", n, n == 1 ? "" : "s", (unsigned long long)bytes,
	    (unsigned long long)j->w.head + 1);
	rc = out_write(&b, false);
	buf_free(&b);
	say_left_out(j);
	return rc < 0 ? err_set(e, -rc, "write") : 0;
}

static int
commit(struct job *j)
{
	struct err	 e = { 0, "" };
	bool		 nothing = false;
	int		 i, rc = 1;

	for (i = 0; i < TRIES && rc == 1; i++) {
		if (i > 0 && (rc = work_head(&j->w, j->c, &e)) < 0)
			break;
		if (!j->dry && (rc = precommit_run(&j->pre, &j->w,
		    j->paths.v, j->paths.n, &e)) < 0)
			break;
		if (!j->dry && (rc = lease_settle(&j->w, j->c, &e)) < 0)
			break;
		if (!j->dry && (rc = trial_hold(&j->trial, j->c, &e)) < 0)
			break;
		rc = j->dry ? dry_run(j, &nothing, &e) :
		    once(j, &nothing, &e);
		trial_leave(&j->trial);
		if (rc == 0 && nothing) {
			say_left_out(j);
			(void)printf("nothing pending%s\n", j->rest.n > 0 ?
			    " in these paths" : "");
		}
		forget(j);
	}
	if (rc == 1)
		return cfg_failx(j->c, "others change or commit all the "
		    "time: given up after %d tries", TRIES);
	return rc < 0 ? cfg_fail(j->c, &e) : EX_OK;
}

/* The paths: none are all, but at a shutdown. */
static int
choose(struct job *j, int argc, char **argv, struct err *e)
{
	char	*p;
	int	 i, rc = 0;

	for (i = 0; rc == 0 && i < argc; i++)
		if ((rc = cfg_path(j->c, argv[i], &p, e)) == 0 &&
		    strs_put(&j->paths, p) < 0)
			rc = err_set(e, ENOMEM, "commit");
	if (rc == 0 && j->from != NULL)
		rc = shutdown_from(j->c, j->from, &j->paths, e);
	if (rc == 0 && j->shutdown)
		rc = shutdown_paths(&j->w, j->c, &j->paths, &j->left, e);
	return rc;
}

int
cmd_commit(struct cfg *c, int argc, char **argv)
{
	static const struct option lo[] = {
		{ "force", no_argument, NULL, 'F' },
		{ "trial", required_argument, NULL, 't' },
		{ "confirm-if", required_argument, NULL, 'c' },
		{ "paths-from", required_argument, NULL, 'p' },
		{ "shutdown", no_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 }
	};
	struct job	 j = { .c = c, .pre.c = c, .trial = TRIAL_NONE };
	struct err	 e;
	char		*waits = NULL;
	int		 ch, rc;

	while ((ch = getopt_long(argc, argv, "m:n", lo, NULL)) != -1)
		switch (ch) {
		case 'F':
			j.pre.force = true;
			break;
		case 'm':
			j.pre.msg = optarg;
			break;
		case 'n':
			j.dry = true;
			break;
		case 'p':
			j.from = optarg;
			break;
		case 'S':
			j.shutdown = true;
			break;
		case 't':
			if (!dur_parse(optarg, &j.trial.ns))
				return cfg_failx(c, "%s: not a time such as "
				    "90s, 10m or 1h30m", optarg);
			break;
		case 'c':
			j.trial.confirm_if = optarg;
			break;
		default:
			return cfg_usage(c);
		}
	if (c->storepath != NULL ||
	    (j.trial.confirm_if != NULL && j.trial.ns == 0) ||
	    (j.shutdown && (optind < argc || j.from != NULL ||
	    j.trial.ns != 0)))
		return cfg_usage(c);
	if (!j.dry && geteuid() != 0)
		return cfg_failx(c, "only root commits: %s",
		    strerror(EPERM));
	if ((!j.dry && (rc = precommit_may(&e)) < 0) ||
	    (rc = work_open(&j.w, c, &e)) < 0)
		return cfg_fail(c, &e);
	if (j.pre.msg == NULL)
		j.pre.msg = waits = message_get(j.w.state);
	j.keep_base = towrite_keep_base(c);
	rc = choose(&j, argc - optind, argv + optind, &e);
	if (rc == 0 && j.pre.force && !j.dry)
		older_done(j.w.tree);
	else if (rc == 0 && !j.dry && (!j.shutdown || j.paths.n > 0))
		rc = older_check(j.w.tree, j.w.head, &e);
	if (rc == 0 && j.shutdown && j.paths.n == 0)
		goto out;
	if (rc == 0 && !j.dry)
		rc = trial_enter(&j.trial, c, &j.paths, &e);
	rc = rc < 0 ? cfg_fail(c, &e) : commit(&j);
out:
	if (rc == EX_OK && j.left > 0)
		rc = EX_NO;
	trial_free_job(&j.trial);
	strs_free(&j.paths);
	work_close(&j.w);
	precommit_end(&j.pre);
	free(waits);
	return rc;
}
