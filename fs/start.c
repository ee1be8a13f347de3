/*
 * start.c: what comes before the mount: lock, running tree, base.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/osdep.h"
#include "../lib/past.h"
#include "../lib/path.h"
#include "start.h"
#include "sys.h"

#define LOCK_WAIT	5	/* seconds for a dead daemon's guard */

static char *
in_dir(const char *dir, const char *name)
{
	size_t	 n = strlen(dir) + strlen(name) + 2;
	char	*p = malloc(n);

	if (p != NULL)
		(void)snprintf(p, n, "%s%s%s", dir,
		    strcmp(dir, "/") == 0 ? "" : "/", name);
	return p;
}

/*
 * The absolute path without links and dots; a mount point whose daemon
 * has died is known by its parent.  What can't be there yet (a store on
 * a slice not yet mounted) keeps its last component as well.
 */
static int
absolute(const char *path, char **out, struct err *e)
{
	char	*copy, *slash, *dir = NULL;
	size_t	 n;
	int	 rc = 0, saved;

	if ((*out = realpath(path, NULL)) != NULL)
		return 0;
	saved = errno;
	if ((copy = strdup(path)) == NULL)
		return err_set(e, ENOMEM, "%s", path);
	for (n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--)
		copy[n - 1] = '\0';
	slash = strrchr(copy, '/');
	if (slash == NULL)
		dir = realpath(".", NULL);
	else if (slash == copy)
		dir = strdup("/");
	else {
		*slash = '\0';
		dir = realpath(copy, NULL);
	}
	*out = dir == NULL ? NULL :
	    in_dir(dir, slash == NULL ? copy : slash + 1);
	if (*out == NULL)
		rc = err_set(e, saved, "%s", path);
	free(dir);
	free(copy);
	return rc;
}

static int
make_dirs(const char *path, struct err *e)
{
	char	*copy, *p;
	int	 rc = 0;

	if ((copy = strdup(path)) == NULL)
		return err_set(e, ENOMEM, "mkdir %s", path);
	for (p = copy + 1; rc == 0 && (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(copy, 0755) == -1 && errno != EEXIST)
			rc = err_set(e, errno, "mkdir %s", copy);
		*p = '/';
	}
	if (rc == 0 && mkdir(copy, 0700) == -1 && errno != EEXIST)
		rc = err_set(e, errno, "mkdir %s", copy);
	free(copy);
	return rc;
}

static int
open_dir(const char *path, struct err *e)
{
	int	 fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd == -1 ? err_set(e, errno, "%s", path) : fd;
}

/* Who may read the store may ask what is pending. */
static int
share_with_group(int dirfd, const char *dir, const char *store, struct err *e)
{
	struct stat	 st;
	mode_t		 mode = 0700;

	if (store != NULL && stat(store, &st) == 0 &&
	    (st.st_mode & S_IRGRP) != 0) {
		mode = 0750;
		if (fchown(dirfd, (uid_t)-1, st.st_gid) == -1)
			return err_set(e, errno, "chown %s", dir);
	}
	if (fchmod(dirfd, mode) == -1)
		return err_set(e, errno, "chmod %s", dir);
	return 0;
}

static int
open_state(struct start *s, struct err *e)
{
	const char	*dir = s->inst.state;
	int		 rc;

	if ((rc = make_dirs(dir, e)) < 0)
		return rc;
	if ((s->statefd = open_dir(dir, e)) < 0)
		return s->statefd;
	if (!os_is_ramdisk(s->statefd)) {
		(void)close(s->statefd);
		s->statefd = -1;
		if ((rc = os_mount_ram(dir, e)) < 0)
			return rc;
		if ((s->statefd = open_dir(dir, e)) < 0)
			return s->statefd;
	}
	return share_with_group(s->statefd, dir, s->inst.store, e);
}

static void
on_alarm(int sig)
{
	(void)sig;	/* it only ends the wait */
}

/* A daemon that died leaves the lock to its guard for a moment. */
static int
wait_lock(int fd)
{
	struct sigaction	 sa, old;
	int			 rc;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_alarm;
	(void)sigaction(SIGALRM, &sa, &old);
	(void)alarm(LOCK_WAIT);
	rc = flock(fd, LOCK_EX);
	(void)alarm(0);
	(void)sigaction(SIGALRM, &old, NULL);
	return rc;
}

static int
take_lock(struct start *s, struct err *e)
{
	char	 buf[32];
	ssize_t	 n;
	long	 pid;

	s->lockfd = openat(s->statefd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (s->lockfd == -1)
		return err_set(e, errno, "open %s/lock", s->inst.state);
	if (flock(s->lockfd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK)
		return err_set(e, errno, "lock %s/lock", s->inst.state);
	n = pread(s->lockfd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	pid = strtol(buf, NULL, 10);
	if (pid > 0 && kill((pid_t)pid, 0) == -1 && errno == ESRCH &&
	    wait_lock(s->lockfd) == 0)
		return 0;
	return err_setx(e, EBUSY, "%s: already served by pid %ld (state "
	    "directory %s)", s->inst.mount, pid, s->inst.state);
}

int
start_claim(const struct start *s, struct err *e)
{
	char	 buf[32];
	int	 n;

	n = snprintf(buf, sizeof(buf), "%ld\n", (long)getpid());
	if (ftruncate(s->lockfd, 0) == -1 ||
	    pwrite(s->lockfd, buf, (size_t)n, 0) != n)
		return err_set(e, errno, "write %s/lock", s->inst.state);
	return 0;
}

/* The lock is ours: a view that is there is dead, or another's. */
static int
clear_dead(const struct start *s, struct err *e)
{
	struct os_mnt	 m;
	struct stat	 st;
	bool		 view;

	if (os_mnt_at(s->inst.mount, &m, NULL) < 0)
		return 0;
	view = sys_is_view(m.type);
	os_mnt_free(&m);
	if (!view)
		return 0;
	if (stat(s->inst.mount, &st) == 0)
		return err_setx(e, EBUSY, "%s: already served, with another "
		    "state directory than %s", s->inst.mount, s->inst.state);
	return os_unmount(s->inst.mount, true, e);
}

static bool
same_dir(const char *a, const char *b)
{
	struct stat	 x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool
is_empty(int dirfd)
{
	struct dirent	*de;
	DIR		*d;
	int		 fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	bool		 empty = true;

	if (fd == -1)
		return false;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return false;
	}
	while (empty && (de = readdir(d)) != NULL)
		empty = strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0;
	(void)closedir(d);
	return empty;
}

/*
 * Which directory is, or will be, the running tree; *build: it will.  A
 * mount point in RAM that is empty, where there are a store and a base,
 * is one that nobody has filled yet.
 */
static int
choose_tree(struct start *s, const struct opts *o, bool *build,
    struct err *e)
{
	struct inst	*in = &s->inst;
	struct stat	 st;
	int		 fd, rc;
	bool		 ram;

	*build = false;
	if (o->tree != NULL) {
		in->tree = realpath(o->tree, NULL);
		return in->tree == NULL ? err_set(e, errno, "tree %s",
		    o->tree) : 0;
	}
	if ((in->tree = in_dir(in->state, "tree")) == NULL)
		return err_set(e, ENOMEM, "start");
	if (stat(in->tree, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if ((fd = open_dir(in->mount, e)) < 0)
		return fd;
	ram = os_is_ramdisk(fd);
	*build = ram && o->base != NULL && in->store != NULL && is_empty(fd);
	(void)close(fd);
	if (ram) {
		free(in->tree);
		in->tree = strdup(in->mount);
		return in->tree == NULL ? err_set(e, ENOMEM, "start") : 0;
	}
	if (in->store == NULL) {
		rc = err_setx(e, EINVAL, "%s: not on a RAM disk: -o store= or "
		    "tree= is needed", in->mount);
		return rc;
	}
	*build = true;
	return 0;
}

/* The base, at a place where the view won't hide it. */
static int
choose_base(struct start *s, const struct opts *o, struct err *e)
{
	struct inst	*in = &s->inst;
	struct os_mnt	 m;
	struct stat	 st;
	char		*kept, *from = NULL;
	int		 rc = 0;
	bool		 there;

	if ((kept = in_dir(in->state, "base")) == NULL)
		return err_set(e, ENOMEM, "start");
	there = os_mnt_at(kept, &m, NULL) == 0;
	if (there)
		os_mnt_free(&m);
	if (o->base != NULL) {
		if ((from = realpath(o->base, NULL)) == NULL ||
		    stat(from, &st) == -1)
			rc = err_set(e, errno, "base %s", o->base);
		else if (!S_ISDIR(st.st_mode))
			rc = err_set(e, ENOTDIR, "base %s", o->base);
	} else if (there) {
		in->base = kept;	/* from an earlier start */
		return 0;
	} else if (same_dir(in->tree, in->mount)) {
		if (in->store != NULL)
			rc = err_setx(e, EINVAL, "%s is itself the running "
			    "tree: -o base= is needed", in->mount);
		free(kept);
		return rc;
	} else if ((from = strdup(in->mount)) == NULL)
		rc = err_set(e, ENOMEM, "start");
	if (rc == 0 && strcmp(from, kept) != 0 && from[0] == '/' &&
	    path_within(from + 1, in->mount + 1)) {
		if (there)
			rc = os_unmount(kept, true, e);
		if (rc == 0 && mkdir(kept, 0755) == -1 && errno != EEXIST)
			rc = err_set(e, errno, "mkdir %s", kept);
		if (rc == 0)
			rc = os_mount_bind(from, kept, true, e);
		free(from);
		from = kept;
		kept = NULL;
	}
	free(kept);
	if (rc < 0)
		free(from);
	else
		in->base = from;
	return rc;
}

/* A program beside that one, which was called so; or where it was built,
 * which is the second name; else where it is installed. */
static char *
find_beside(const char *self, const char *const names[2])
{
	const char	*slash = strrchr(self, '/');
	char		*dir, *p;
	size_t		 i;

	for (i = 0; slash != NULL && i < 2; i++) {
		if ((dir = strndup(self, (size_t)(slash - self))) == NULL)
			return NULL;
		p = in_dir(*dir == '\0' ? "/" : dir, names[i]);
		free(dir);
		if (p == NULL || access(p, X_OK) == 0)
			return p;
		free(p);
	}
	return in_dir(SBINDIR, names[0]);
}

/* cfg: as told, or as above, or wherever this user finds programs. */
static char *
find_cfg(const struct opts *o, const char *self)
{
	static const char *const names[] = { "cfg", "../tools/cfg" };
	char	*p;

	if (o->cfg != NULL)
		return strdup(o->cfg);
	p = find_beside(self, names);
	if (p == NULL || access(p, X_OK) == 0)
		return p;
	free(p);
	return strdup("cfg");
}

/* What the window into history needs: a store, a program, and that the
 * tree has nothing where it will show. */
static int
find_hist(struct start *s, const struct opts *o, const char *self,
    struct err *e)
{
	static const char *const names[] = { "cfg-hist", "../hist/cfg-hist" };
	struct stat	 st;
	char		*p;

	if (s->inst.store == NULL)
		return err_setx(e, EINVAL, "history: there is no store");
	if (fstatat(s->treefd, PAST_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return err_setx(e, EEXIST, "history: %s has a %s of its own",
		    s->inst.tree, PAST_NAME);
	p = find_beside(o->cfg != NULL ? o->cfg : self, names);
	if (p == NULL)
		return err_set(e, ENOMEM, "start");
	if ((s->hist = realpath(p, NULL)) == NULL)
		(void)err_set(e, errno, "history: %s", p);
	free(p);
	return s->hist == NULL ? -e->code : 0;
}

static int
run(char *const *argv, struct err *e)
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == -1)
		return err_set(e, errno, "run %s", argv[0]);
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		fprintf(stderr, "cfgfs: run %s: %s\n", argv[0],
		    strerror(errno));
		_exit(EX_FAIL);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return err_set(e, errno, "run %s", argv[0]);
	/* 1: done, but with damage, which it has told. */
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return 0;
	return err_setx(e, EIO, "%s %s failed", argv[0], argv[1]);
}

static bool
is_there(const char *dir, const char *name)
{
	char	*p = in_dir(dir, name);
	bool	 there = p == NULL || access(p, F_OK) == 0;

	free(p);
	return there;
}

/* Build the running tree: beside its place, then moved there, or in the
 * mount point itself. */
static int
build_tree(struct start *s, const struct opts *o, const char *self,
    struct err *e)
{
	bool	 in_place = strcmp(s->inst.tree, s->inst.mount) == 0;
	char	*tmp = in_place ? strdup(s->inst.tree) :
	    in_dir(s->inst.state, "tree.new");
	char	*cfg = find_cfg(o, self);
	int	 rc;

	if (tmp == NULL || cfg == NULL)
		rc = err_set(e, ENOMEM, "build %s", s->inst.tree);
	else {
		char *const argv[] = { cfg, "restore", "-f", "--store",
		    s->inst.store, "--base", s->inst.base, tmp, NULL };

		rc = run(argv, e);
	}
	if (rc == 0 && !in_place && rename(tmp, s->inst.tree) == -1)
		rc = err_set(e, errno, "rename %s to %s", tmp, s->inst.tree);
	/* A restore that has merged, or fell back, says so in the tree: that
	 * differs from the store. */
	if (rc == 0)
		s->fresh = !is_there(s->inst.tree, INST_PARKED) &&
		    !is_there(s->inst.tree, INST_OLDER);
	free(tmp);
	free(cfg);
	return rc;
}

/* Nobody waits for it, and nobody hears it. */
static void
run_aside(char *const *argv)
{
	int	 null;

	if (fork() != 0)
		return;
	(void)setsid();
	if ((null = open("/dev/null", O_RDWR)) != -1) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
	}
	(void)execvp(argv[0], argv);
	_exit(EX_FAIL);
}

void
start_others(const struct start *s, const struct opts *o, const char *self)
{
	bool	 conf = faccessat(s->treefd, "cfgfs/config", F_OK, 0) == 0;
	bool	 trial = faccessat(s->statefd, "trial/now", F_OK, 0) == 0;
	char	*cfg;

	if ((!conf && !trial) || (cfg = find_cfg(o, self)) == NULL)
		return;
	char *const mirror[] = { cfg, "-m", s->inst.mount, "mirror", "auto",
	    NULL };
	char *const commit[] = { cfg, "-m", s->inst.mount, "auto", NULL };
	char *const keep[] = { cfg, "-m", s->inst.mount, "trial", "keep",
	    NULL };

	if (trial)
		run_aside(keep);
	if (conf) {
		run_aside(mirror);
		run_aside(commit);
	}
	free(cfg);
}

/* The running tree shows at the mount point when the view is gone. */
static int
show_tree(struct start *s, struct err *e)
{
	if ((s->treefd = open_dir(s->inst.tree, e)) < 0)
		return s->treefd;
	if (same_dir(s->inst.tree, s->inst.mount))
		return 0;
	return os_mount_bind(s->inst.tree, s->inst.mount, false, e);
}

/* A store's name for good: a URL is one. */
static int
store_name(const char *name, char **abs, struct err *e)
{
	if (strstr(name, "://") == NULL)
		return absolute(name, abs, e);
	if ((*abs = strdup(name)) == NULL)
		return err_set(e, ENOMEM, "%s", name);
	return 0;
}

int
start_prepare(struct start *s, const struct opts *o, const char *self,
    struct err *e)
{
	struct stat	 st;
	bool		 build = false;
	int		 rc;

	memset(s, 0, sizeof(*s));
	s->lockfd = s->statefd = s->treefd = -1;
	if (geteuid() != 0)
		return err_setx(e, EPERM, "%s: only root can mount it",
		    o->mount);
	if ((rc = sys_ready(e)) < 0)
		return rc;
	if ((rc = absolute(o->mount, &s->inst.mount, e)) < 0)
		return rc;
	if (o->store != NULL && (rc = store_name(o->store, &s->inst.store,
	    e)) < 0)
		return rc;
	if (o->state == NULL)
		s->inst.state = inst_statedir(s->inst.mount);
	else if (make_dirs(o->state, e) == 0)
		s->inst.state = realpath(o->state, NULL);
	if (s->inst.state == NULL)
		return err_set(e, errno, "state directory %s",
		    o->state == NULL ? "" : o->state);
	if (path_within(s->inst.state + 1, s->inst.mount + 1))
		return err_setx(e, EINVAL, "the state directory %s lies "
		    "below %s", s->inst.state, s->inst.mount);
	if ((rc = open_state(s, e)) < 0 || (rc = take_lock(s, e)) < 0 ||
	    (rc = clear_dead(s, e)) < 0)
		return rc;
	if (stat(s->inst.mount, &st) == -1)
		return err_set(e, errno, "%s", s->inst.mount);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ENOTDIR, "%s", s->inst.mount);
	if ((rc = choose_tree(s, o, &build, e)) < 0 ||
	    (rc = choose_base(s, o, e)) < 0 ||
	    (build && (rc = build_tree(s, o, self, e)) < 0))
		return rc;
	if ((rc = show_tree(s, e)) < 0)
		return rc;
	return o->history ? find_hist(s, o, self, e) : 0;
}

void
start_free(struct start *s)
{
	inst_free(&s->inst);
	free(s->hist);
	if (s->treefd >= 0)
		(void)close(s->treefd);
	if (s->statefd >= 0)
		(void)close(s->statefd);
	if (s->lockfd >= 0)
		(void)close(s->lockfd);
}
