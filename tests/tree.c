/*
 * tree.c: directory trees for tests.
 */
#include <sys/stat.h>

#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ent.h"
#include "../lib/path.h"
#include "../tools/walk.h"
#include "tap.h"
#include "tree.h"

#define MAXDIRS	64

static char	 names[MAXDIRS][64];
static int	 fds[MAXDIRS], ndirs;

int
t_dir(void)
{
	const char	*top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" :
			    "/tmp";
	char		*n;

	if (ndirs >= MAXDIRS)
		errx(2, "too many directories");
	n = names[ndirs];
	(void)snprintf(n, sizeof(names[0]), "%s/cfgfs-test.XXXXXX", top);
	if (mkdtemp(n) == NULL || chmod(n, 0755) == -1 ||
	    (fds[ndirs] = open(n, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		err(2, "%s", n);
	return fds[ndirs++];
}

const char *
t_dirname(int i)
{
	return i < ndirs ? names[i] : NULL;
}

void
t_drop(void)
{
	struct err	 e;

	ndirs--;
	if (walk_clear(fds[ndirs], &e) < 0)
		errx(2, "%s", e.msg);
	(void)close(fds[ndirs]);
	if (rmdir(names[ndirs]) == -1)
		err(2, "%s", names[ndirs]);
}

void
t_sweep(void)
{
	while (ndirs > 0)
		t_drop();
}

static int
parent(int root, const char *path, const char **name)
{
	int	 fd;

	if ((fd = path_parent(root, path, name)) < 0)
		errx(2, "%s: %s", path, strerror(-fd));
	return fd;
}

static void
done(int fd, int rc, const char *path)
{
	if (rc == -1)
		err(2, "%s", path);
	(void)close(fd);
}

void
t_mkdir(int root, const char *path)
{
	const char	*name;
	char		*p = strdup(path), *s;
	int		 fd;

	for (s = strchr(p, '/');; s = strchr(s + 1, '/')) {
		if (s != NULL)
			*s = '\0';
		fd = parent(root, p, &name);
		if (mkdirat(fd, name, 0755) == 0)
			(void)fchmodat(fd, name, 0755, 0);
		(void)close(fd);
		if (s == NULL)
			break;
		*s = '/';
	}
	free(p);
}

static void
up(int root, const char *path)
{
	char	*p = strdup(path), *s = strrchr(p, '/');

	if (s != NULL) {
		*s = '\0';
		t_mkdir(root, p);
	}
	free(p);
}

void
t_file(int root, const char *path, const char *content)
{
	const char	*name;
	int		 dfd, fd;

	up(root, path);
	dfd = parent(root, path, &name);
	fd = openat(dfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0644);
	if (fd == -1 || write(fd, content, strlen(content)) !=
	    (ssize_t)strlen(content))
		err(2, "%s", path);
	(void)close(fd);
	(void)close(dfd);
}

void
t_symlink(int root, const char *path, const char *target)
{
	const char	*name;
	int		 dfd;

	up(root, path);
	dfd = parent(root, path, &name);
	done(dfd, symlinkat(target, dfd, name), path);
}

void
t_fifo(int root, const char *path)
{
	const char	*name;
	int		 dfd;

	up(root, path);
	dfd = parent(root, path, &name);
	done(dfd, mkfifoat(dfd, name, 0640), path);
}

void
t_link(int root, const char *from, const char *to)
{
	const char	*f, *t;
	int		 ffd, tfd;

	up(root, to);
	ffd = parent(root, from, &f);
	tfd = parent(root, to, &t);
	done(tfd, linkat(ffd, f, tfd, t, 0), to);
	(void)close(ffd);
}

void
t_chmod(int root, const char *path, unsigned mode)
{
	const char	*name;
	int		 dfd = parent(root, path, &name);

	done(dfd, fchmodat(dfd, name, (mode_t)mode, 0), path);
}

void
t_rm(int root, const char *path)
{
	struct err	 e;

	if (walk_remove(root, path, &e) < 0)
		errx(2, "%s", e.msg);
}

void
t_rename(int root, const char *from, const char *to)
{
	const char	*f, *t;
	int		 ffd, tfd;

	ffd = parent(root, from, &f);
	tfd = parent(root, to, &t);
	done(tfd, renameat(ffd, f, tfd, t), to);
	(void)close(ffd);
}

void
t_time(int root, const char *path, long s)
{
	struct timespec	 t[2] = { { s, 0 }, { s, 5 } };
	const char	*name;
	int		 dfd = parent(root, path, &name);

	done(dfd, utimensat(dfd, name, t, AT_SYMLINK_NOFOLLOW), path);
}

char *
t_read(int root, const char *path)
{
	struct buf	 b = BUF_INIT;
	uint8_t		*p;
	ssize_t		 k;
	int		 fd = path_open(root, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return strdup("(none)");
	while ((p = buf_room(&b, 4096)) != NULL &&
	    (k = read(fd, p, 4096)) > 0)
		b.len += (size_t)k;
	(void)close(fd);
	put_u8(&b, '\0');
	return (char *)b.p;
}

int
t_there(int root, const char *path)
{
	struct stat	 st;
	const char	*name;
	int		 dfd = path_parent(root, path, &name), rc;

	if (dfd < 0)
		return 0;
	rc = fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW);
	(void)close(dfd);
	return rc == 0;
}

struct snap {
	struct buf	 b;
	int		 root, times;
	struct strs	 first;	/* "inode path" of hard links, as found */
};

static int
snap_one(void *arg, const char *path, bool isdir)
{
	struct snap	*s = arg;
	struct ent	 x;
	struct err	 e;
	const char	*name;
	char		 key[32];
	uint64_t	 ino, nlink;
	size_t		 i, n;
	int		 dfd = parent(s->root, path, &name);

	if (ent_read(dfd, name, path, ENT_HASH, &x, &ino, &nlink, &e) < 0)
		errx(2, "%s", e.msg);
	(void)close(dfd);
	put_fmt(&s->b, "%s: %d %o %u:%u", path, (int)x.type,
	    x.type == ENT_LNK ? 0 : x.mode, x.uid, x.gid);
	if (x.type == ENT_REG)
		put_fmt(&s->b, " %llu %02x%02x%02x%02x",
		    (unsigned long long)x.size, x.hash.b[0], x.hash.b[1],
		    x.hash.b[2], x.hash.b[3]);
	if (x.target != NULL)
		put_fmt(&s->b, " -> %s", x.target);
	for (i = 0; i < x.xattrlen; i++)
		put_fmt(&s->b, "%s%02x", i == 0 ? " x" : "", x.xattr[i]);
	if (s->times)
		put_fmt(&s->b, " t%lld.%u", (long long)x.mtime, x.mtime_ns);
	if (!isdir && nlink > 1) {
		n = (size_t)snprintf(key, sizeof(key), "%llu ",
		    (unsigned long long)ino);
		for (i = 0; i < s->first.n; i++)
			if (strncmp(s->first.v[i], key, n) == 0)
				break;
		if (i == s->first.n &&
		    strs_put(&s->first, path_join("", key)) == 0 &&
		    (s->first.v[i] = realloc(s->first.v[i],
		    n + strlen(path) + 1)) != NULL)
			(void)strcpy(s->first.v[i] + n, path);
		put_fmt(&s->b, " = %s", s->first.v[i] + n);
	}
	put_u8(&s->b, '\n');
	ent_free(&x);
	return isdir ? WALK_DOWN : 0;
}

char *
t_snap(int root, int times)
{
	struct snap	 s = { BUF_INIT, root, times, { NULL, 0, 0 } };
	struct err	 e;

	(void)snap_one(&s, "", true);
	if (walk_tree(root, "", snap_one, &s, &e) < 0)
		errx(2, "%s", e.msg);
	strs_free(&s.first);
	put_u8(&s.b, '\0');
	return (char *)s.b.p;
}

int
t_same(int a, int b, int times)
{
	char	*x = t_snap(a, times), *y = t_snap(b, times);
	char	*p = x, *q = y;
	int	 same = strcmp(x, y) == 0;

	for (; !same && *p != '\0' && *p == *q; p++, q++)
		;
	if (!same) {
		while (p > x && p[-1] != '\n') {
			p--;
			q--;
		}
		tap_diag("have %.*s", (int)strcspn(p, "\n"), p);
		tap_diag("want %.*s", (int)strcspn(q, "\n"), q);
	}
	free(x);
	free(y);
	return same;
}
