/*
 * setup-unview.c: a view goes, and what ran in it stays: it is written to the
 * directory that was there before, as far as that differs.
 *
 * That directory is hidden, so the one above it is bound to another place,
 * where nothing covers it.  It is written to while the view still shows, and
 * once more when that is gone: so /etc is never without a change, and a power
 * cut at any time finds one of the two.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/ctl.h"
#include "../lib/osdep.h"
#include "alike.h"
#include "cfg.h"
#include "out.h"
#include "restore.h"
#include "setup-do.h"

#define TRIES	100		/* of 20 ms, in which a daemon ends */

struct job {
	struct undo	*u;
	char		*real;	/* owned: the directory above is seen here */
	int		 to;	/* what was there before, or -1 */
	int		 tree;	/* what runs */
	struct err	*e;
};

static const char *
tag(const struct inst *in)
{
	return strrchr(in->state, '/') + 1;
}

static int
same_dir(int a, int b)
{
	struct stat	 x, y;

	/* nullfs has another device for the same. */
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/* Open what is below the view for writing. */
static int
uncover(struct job *j)
{
	const struct inst	*in = &j->u->c->inst;
	char			*up = strdup(in->mount);
	const char		*name = strrchr(in->mount, '/') + 1;
	int			 dir = -1, base = -1, rc;

	if (up == NULL || asprintf(&j->real, "%s/cfgfs/.real-%s", RUNDIR,
	    tag(in)) == -1) {
		free(up);
		j->real = NULL;
		return err_set(j->e, ENOMEM, "setup");
	}
	up[name - in->mount - 1] = '\0';
	rc = mkdir(j->real, 0700) == -1 && errno != EEXIST ?
	    err_set(j->e, errno, "mkdir %s", j->real) : 0;
	if (rc == 0)
		rc = os_mount_bind(*up == '\0' ? "/" : up, j->real, false,
		    j->e);
	free(up);
	if (rc < 0)
		return rc;
	dir = open(j->real, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	base = open(in->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	j->to = dir == -1 ? -1 : openat(dir, name, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	if (j->to == -1 || base == -1 || !same_dir(j->to, base))
		rc = err_setx(j->e, ENOTDIR, "%s: what was there before is "
		    "not %s any more: cfg export, and --discard", in->mount,
		    in->base);
	if (dir != -1)
		(void)close(dir);
	if (base != -1)
		(void)close(base);
	return rc;
}

static int
write_back(struct job *j)
{
	struct alike	 a = { 0, false };
	int		 rc;

	if (j->u->discard || !j->u->real)
		return 0;
	rc = tree_alike(j->tree, j->to, false, &a, j->e);
	if (a.left)
		cfg_warn(j->u->c, "%s: can't hold all extended attributes",
		    j->u->mount);
	sync();
	return rc;
}

static bool
mounted(const char *dir, bool view)
{
	struct os_mnt	 m;
	struct err	 ignored;
	bool		 yes;

	if (os_mnt_at(dir, &m, &ignored) < 0)
		return false;
	yes = !view || strstr(m.type, "fuse") != NULL;
	os_mnt_free(&m);
	return yes;
}

/* What somebody has open in it stays so for him. */
static int
leave(struct job *j, const char *dir)
{
	int	 rc = os_unmount(dir, false, j->e);

	return rc == -EBUSY ? os_unmount(dir, true, j->e) : rc;
}

/*
 * The daemon ends when nobody has anything of the view open, and else is told
 * to: then whoever has it open gets errors.  It is the one that answers.
 */
static bool
ended(const struct job *j)
{
	const struct inst	*in = &j->u->c->inst;
	const struct timespec	 nap = { 0, 20000000 };
	struct err		 ignored;
	uid_t			 uid;
	gid_t			 gid;
	pid_t			 pid;
	int			 i, ctl;

	for (i = 0; i < TRIES; i++) {
		if ((ctl = ctl_connect(in->state, &ignored)) < 0)
			return true;
		if (i == TRIES / 2 && os_peer(ctl, &uid, &gid, &pid) == 0 &&
		    pid > 0) {
			cfg_warn(j->u->c, "%s: programs had files of the view "
			    "open, and lose them", in->mount);
			(void)kill(pid, SIGTERM);
		}
		(void)close(ctl);
		(void)nanosleep(&nap, NULL);
	}
	return false;
}

/* Nothing may find the tree when it is set up anew. */
static int
clear_state(struct job *j)
{
	const struct inst	*in = &j->u->c->inst;
	char			*base;
	int			 fd, rc = 0;

	if (asprintf(&base, "%s/base", in->state) == -1)
		return err_set(j->e, ENOMEM, "setup");
	if (mounted(base, false))
		rc = leave(j, base);
	free(base);
	if (rc == 0 && mounted(in->state, false))
		rc = leave(j, in->state);
	if (rc == 0 && (fd = open(in->state, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) != -1) {
		rc = walk_clear(fd, j->e);
		(void)close(fd);
	}
	(void)rmdir(in->state);
	return rc;
}

static int
take_away(struct job *j)
{
	const struct inst	*in = &j->u->c->inst;
	bool			 bound = strcmp(in->tree, in->mount) != 0;
	int			 rc;

	if (mounted(in->mount, true) && (rc = leave(j, in->mount)) < 0)
		return rc;
	if (!ended(j))
		return err_setx(j->e, EBUSY, "%s: cfgfs does not end",
		    in->mount);
	/* Twice, where a boot and a start have each shown it. */
	while (bound && mounted(in->mount, false))
		if ((rc = leave(j, in->mount)) < 0)
			return rc;
	return write_back(j);
}

/*
 * The base has all of it now: what is in the store must not come over what
 * is changed there later, should the store be used again.  Its generations
 * stay.
 */
static int
follow_base(struct job *j)
{
	struct cfg		*c = j->u->c;
	struct cfg_store	 st = { 0 };
	struct commit		 m = { .time = out_now() };
	struct ents		 ov = { NULL, 0, 0 };
	uint64_t		 gen;
	size_t			 i;
	int			 rc;

	if (j->u->discard || !j->u->real)
		return 0;
	c->storepath = note_get(&j->u->note, "store");
	if ((rc = cfg_open(c, true, &st, j->e)) < 0 ||
	    (rc = store_overlay(st.s, store_head(st.s), &ov, j->e)) < 0 ||
	    ov.n == 0)
		goto out;
	m.uid = (uint32_t)getuid();
	m.user = strdup(cfg_user(m.uid));
	m.msg = strdup("cfg setup --undo: the base has all of it");
	m.v = calloc(ov.n, sizeof(*m.v));
	if (m.user == NULL || m.msg == NULL || m.v == NULL)
		rc = err_set(j->e, ENOMEM, "setup");
	for (i = 0; rc == 0 && i < ov.n; i++) {
		m.v[i].op = CHANGE_DROP;
		m.v[i].e.path = ov.v[i].path;
		ov.v[i].path = NULL;	/* it is the commit's */
		m.n++;
	}
	if (rc == 0)
		rc = store_commit(st.s, &m, &gen, j->e);
out:
	commit_free(&m);
	ents_free(&ov);
	rc = cfg_end(&st, -1, rc, j->e);
	c->storepath = NULL;
	return rc;
}

/*
 * The box runs without a view, as after a boot that was told to: then what
 * was committed is what the next boot would have made.
 */
static int
from_store(struct job *j)
{
	struct undo	*u = j->u;
	char		 dir[] = RUNDIR "/cfgfs.undo.XXXXXX";
	int		 rc = 0;

	if (u->discard || !u->real)
		return 0;
	if (mkdtemp(dir) == NULL)
		return err_set(j->e, errno, "mkdir %s", dir);
	u->c->storepath = note_get(&u->note, "store");
	if (restore_tree(u->c, u->mount, dir) != EX_OK)
		rc = err_setx(j->e, EIO, "%s: can't be read: --discard goes "
		    "on without", u->c->storepath);
	u->c->storepath = NULL;
	j->tree = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	j->to = open(u->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == 0 && (j->tree == -1 || j->to == -1))
		rc = err_set(j->e, errno, "%s", dir);
	if (rc == 0)
		rc = write_back(j);
	if (j->tree != -1)
		(void)walk_clear(j->tree, NULL);	/* it is in RAM */
	(void)rmdir(dir);
	return rc;
}

static int
from_view(struct job *j)
{
	const struct inst	*in = &j->u->c->inst;
	int			 rc = 0;

	/* Where it is the mount point itself, having it open is to stay. */
	if (j->u->real) {
		j->tree = open(in->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = j->tree == -1 ? err_set(j->e, errno, "%s", in->tree) :
		    uncover(j);
	}
	if (rc == 0 && (rc = write_back(j)) == 0)
		rc = take_away(j);
	return rc;
}

int
undo_view(struct undo *u, struct err *e)
{
	struct job	 j = { .u = u, .to = -1, .tree = -1, .e = e };
	struct err	 ignored;
	int		 rc;

	rc = u->live ? from_view(&j) : from_store(&j);
	if (rc == 0)
		rc = follow_base(&j);
	if (j.tree != -1)
		(void)close(j.tree);
	if (j.to != -1)
		(void)close(j.to);
	if (j.real != NULL) {
		if (mounted(j.real, false))
			(void)os_unmount(j.real, true, &ignored);
		(void)rmdir(j.real);
		free(j.real);
	}
	return rc == 0 && u->live ? clear_state(&j) : rc;
}
