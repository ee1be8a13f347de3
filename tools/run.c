/*
 * run.c: what a verb works on: the instance, its store, a generation, a
 * path inside the tree, a user's name.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/buf.h"
#include "../lib/path.h"
#include "../sync/url.h"
#include "cfg.h"
#include "remote.h"

/* A path by its letters alone: without ".", ".." and double slashes;
 * *s is made anew.  -EINVAL where it leads out. */
static int
tidy(const char *in, char **s)
{
	struct buf	 b = BUF_INIT;
	const char	*p, *q;
	size_t		 n;

	for (p = in; *p != '\0'; p = q) {
		n = strcspn(p, "/");
		q = p + n;
		if (*q == '/')
			q++;
		if (n == 0 || (n == 1 && *p == '.'))
			continue;
		if (n == 2 && p[0] == '.' && p[1] == '.') {
			if (b.len == 0)
				goto out;
			while (b.len > 0 && b.p[--b.len] != '/')
				;
			continue;
		}
		if (b.len > 0)
			put_u8(&b, '/');
		put_bytes(&b, p, n);
	}
	put_u8(&b, '\0');
	if (b.bad)
		return -ENOMEM;
	*s = (char *)b.p;
	if (path_ok(*s, strlen(*s)))
		return 0;
out:
	*s = NULL;
	buf_free(&b);
	return -EINVAL;
}

/* What follows the mount point in an absolute path, or NULL. */
static const char *
below(const char *path, const char *mount)
{
	size_t	 n = strlen(mount);

	while (n > 0 && mount[n - 1] == '/')
		n--;
	if (strncmp(path, mount, n) != 0 ||
	    (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path + n;
}

/* An absolute path, its directory's symbolic links followed: "/a/../b",
 * where a is a link, is not what it looks like. */
static int
followed(const char *arg, const char *mount, char **path)
{
	char		*dir = strdup(arg), *real, *full, *slash;
	const char	*rest;
	int		 rc = -EINVAL;

	if (dir == NULL)
		return -ENOMEM;
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	real = realpath(dir, NULL);
	free(dir);
	if (real == NULL)
		return -EINVAL;
	if (asprintf(&full, "%s%s", real, strrchr(arg, '/')) == -1)
		rc = -ENOMEM;
	else {
		if ((rest = below(full, mount)) != NULL)
			rc = tidy(rest, path);
		free(full);
	}
	free(real);
	return rc;
}

int
cfg_path(const struct cfg *c, const char *arg, char **path, struct err *e)
{
	const char	*mount, *rest = arg;
	char		*cwd = NULL, *full = NULL;
	int		 rc;

	*path = NULL;
	mount = c->inst.mount != NULL ? c->inst.mount : c->mountpt;
	if (*arg == '/') {
		/* "/etc/../x" must not pass for a path below /etc. */
		if ((rc = tidy(arg, &cwd)) == 0) {
			if (asprintf(&full, "/%s", cwd) == -1)
				full = NULL;
			rest = full == NULL ? NULL : below(full, mount);
			rc = full == NULL ? -ENOMEM : rest == NULL ? -EINVAL :
			    tidy(rest, path);
		}
		if (rc == -EINVAL)
			rc = followed(arg, mount, path);
	} else {
		/* A current directory that is gone is one elsewhere. */
		cwd = getcwd(NULL, 0);
		if (cwd != NULL && (rest = below(cwd, mount)) != NULL) {
			if (asprintf(&full, "%s/%s", rest, arg) == -1)
				full = NULL;
			rc = full == NULL ? -ENOMEM : tidy(full, path);
		} else
			rc = tidy(arg, path);
	}
	free(cwd);
	free(full);
	if (rc == -EINVAL) {
		cwd = path_vis(arg);
		rc = err_setx(e, EINVAL, "%s: not a path below %s",
		    cwd == NULL ? "?" : cwd, mount);
		free(cwd);
	} else if (rc < 0)
		rc = err_set(e, -rc, "path");
	return rc;
}

/* The instance that serves this very name. */
static int
load(struct cfg *c, const char *mount, struct err *e)
{
	char	*state = inst_statedir(mount);
	int	 rc;

	if (state == NULL)
		return err_set(e, ENOMEM, "%s", mount);
	if ((rc = inst_load(&c->inst, state, e)) == -ENOENT)
		rc = err_setx(e, ENOENT, "%s: cfgfs does not serve it "
		    "(no %s/info)", mount, state);
	else if (rc == 0 && strcmp(c->inst.mount, mount) != 0) {
		/* "/a-b" and "/a/b" have one name. */
		rc = err_setx(e, ENOENT, "%s: cfgfs does not serve it "
		    "(%s/info is of %s)", mount, state, c->inst.mount);
		inst_free(&c->inst);
		memset(&c->inst, 0, sizeof(c->inst));
	}
	free(state);
	return rc;
}

int
cfg_inst(struct cfg *c, struct err *e)
{
	char		*mount = NULL, *tidied = NULL, *cwd = NULL;
	char		*real = NULL;
	struct err	 ignored;
	int		 rc = -ENOMEM;

	if (c->inst.state != NULL)
		return 0;
	if (*c->mountpt != '/' && (cwd = getcwd(NULL, 0)) == NULL)
		return err_set(e, errno, "%s", c->mountpt);
	if (asprintf(&mount, "%s/%s", cwd == NULL ? "" : cwd, c->mountpt) ==
	    -1)
		mount = NULL;
	else if ((rc = tidy(mount, &tidied)) == 0) {
		free(mount);
		if (asprintf(&mount, "/%s", tidied) == -1)
			mount = NULL;
	}
	if (mount == NULL || rc < 0)
		rc = err_set(e, rc == 0 ? ENOMEM : -rc, "%s", c->mountpt);
	else if ((rc = load(c, mount, e)) == -ENOENT &&
	    (real = realpath(c->mountpt, NULL)) != NULL &&
	    strcmp(real, mount) != 0)
		/* By way of a symbolic link; else the first name counts. */
		rc = load(c, real, &ignored) == 0 ? 0 : rc;
	free(cwd);
	free(mount);
	free(tidied);
	free(real);
	return rc;
}

/* Whether both paths lead to one file or device. */
static bool
same_file(const char *a, const char *b)
{
	struct stat	 x, y;

	if (strcmp(a, b) == 0)
		return true;
	if (stat(a, &x) == -1 || stat(b, &y) == -1)
		return false;
	if (S_ISBLK(x.st_mode) || S_ISCHR(x.st_mode))
		return (x.st_mode & S_IFMT) == (y.st_mode & S_IFMT) &&
		    x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void
cfg_served(struct cfg *c, const char *store)
{
	static const char	 top[] = RUNDIR "/cfgfs";
	DIR			*d;
	struct dirent		*de;
	char			*state;
	struct err		 ignored;
	int			 fd;

	if (cfg_inst(c, &ignored) == 0 && c->inst.store != NULL &&
	    same_file(c->inst.store, store))
		return;
	inst_free(&c->inst);
	fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (d = fdopendir(fd)) == NULL)
		return;
	while ((de = readdir(d)) != NULL) {
		if (*de->d_name == '.' ||
		    asprintf(&state, "%s/%s", top, de->d_name) == -1)
			continue;
		if (inst_load(&c->inst, state, &ignored) < 0)
			memset(&c->inst, 0, sizeof(c->inst));
		free(state);
		if (c->inst.store != NULL && same_file(c->inst.store, store))
			break;
		inst_free(&c->inst);
	}
	(void)closedir(d);
}

const char *
cfg_root(const struct cfg *c)
{
	return c->base != NULL ? c->base : c->inst.mount != NULL ?
	    c->inst.mount : c->mountpt;
}

int
cfg_behind(int argc, char **argv)
{
	int	 i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		;
	return i < argc ? argc - i - 1 : 0;
}

int
cfg_open(const struct cfg *c, bool write, struct cfg_store *st,
    struct err *e)
{
	const char	*path, *bad;
	struct err	 ignored;
	int		 rc;

	memset(st, 0, sizeof(*st));
	path = c->storepath != NULL ? c->storepath : c->inst.store;
	if (path == NULL)
		path = remote_store(c);
	if (path == NULL)
		return err_setx(e, ENOENT, "%s has no store", cfg_root(c));
	rc = url_is(path) ? remote_open(&st->io, c, path, write, 0, e) :
	    slice_open(&st->slice, path, write, &st->io, e);
	if (rc < 0)
		return rc;
	if ((rc = store_open(&st->s, st->io, e)) < 0) {
		/* The first failure is the one that is told. */
		(void)cfg_close(st, NULL, &ignored);
		return rc;
	}
	if ((bad = store_damage(st->s)) != NULL)
		cfg_warn(c, "%s: %s", path, bad);
	return 0;
}

int
cfg_read(struct cfg *c, struct cfg_store *st, struct err *e)
{
	int	 rc = c->storepath == NULL ? cfg_inst(c, e) : 0;

	return rc < 0 ? rc : cfg_open(c, false, st, e);
}

const struct option	 cfg_base_opt[] = {
	{ "base", required_argument, NULL, 'b' },
	{ NULL, 0, NULL, 0 }
};

int
cfg_base(const struct cfg *c, const char *dir, int *fd, struct err *e)
{
	*fd = -1;
	if (dir == NULL)
		dir = c->inst.base;
	if (dir == NULL)
		return 0;
	if ((*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return err_set(e, errno, "%s", dir);
	return 0;
}

int
cfg_close(struct cfg_store *st, uint64_t *window_ns, struct err *e)
{
	int	 rc;

	if (window_ns != NULL)
		*window_ns = 0;
	store_close(st->s);
	if (st->slice == NULL)
		io_close(st->io);
	rc = slice_close(st->slice, window_ns, e);
	memset(st, 0, sizeof(*st));
	return rc;
}

int
cfg_end(struct cfg_store *st, int base, int rc, struct err *e)
{
	struct err	 ignored;
	int		 k;

	if (base != -1)
		(void)close(base);	/* only read */
	k = cfg_close(st, NULL, rc < 0 ? &ignored : e);
	return rc < 0 || k == 0 ? rc : k;
}

const char *
cfg_user(uint32_t uid)
{
	static char		 name[64];
	static uint32_t		 last;
	const struct passwd	*pw;
	const char		*p;
	uint32_t		 cp;

	if (name[0] != '\0' && uid == last)
		return name;
	last = uid;
	if ((pw = getpwuid(uid)) != NULL) {
		for (p = pw->pw_name; *p != '\0'; p++)
			if (utf8_get(p, &cp) != 1 || !utf8_printable(cp))
				break;
		if (*p == '\0' && p > pw->pw_name &&
		    (size_t)snprintf(name, sizeof(name), "%s", pw->pw_name) <
		    sizeof(name))
			return name;
	}
	(void)snprintf(name, sizeof(name), "%u", uid);
	return name;
}
