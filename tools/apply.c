/*
 * apply.c: put entries into a tree.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "../lib/path.h"
#include "apply.h"
#include "attr.h"
#include "walk.h"

#define TMPLEN	48
#define TMPS	100		/* temporary names that are tried */

static size_t
link_at(const struct apply *a, uint32_t link)
{
	size_t	 lo = 0, hi = a->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (a->v[mid].link < link)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const char *
apply_find(const struct apply *a, uint32_t link)
{
	size_t	 i = link_at(a, link);

	return link != 0 && i < a->n && a->v[i].link == link ?
	    a->v[i].path : NULL;
}

int
apply_linked(struct apply *a, uint32_t link, const char *path)
{
	char	*s;
	size_t	 i = link_at(a, link);

	if (link == 0 || (i < a->n && a->v[i].link == link))
		return 0;
	if (more_room(&a->v, a->n, &a->cap, sizeof(*a->v)) < 0 ||
	    (s = strdup(path)) == NULL)
		return -ENOMEM;
	memmove(&a->v[i + 1], &a->v[i], (a->n - i) * sizeof(*a->v));
	a->v[i].link = link;
	a->v[i].path = s;
	a->n++;
	return 0;
}

void
apply_free(struct apply *a)
{
	size_t	 i;

	for (i = 0; i < a->n; i++)
		free(a->v[i].path);
	free(a->v);
	a->v = NULL;
	a->n = a->cap = 0;
}

static int
put_data(int fd, const void *data, size_t n)
{
	const char	*p = data;
	ssize_t		 k;

	for (; n > 0; p += k, n -= (size_t)k)
		if ((k = write(fd, p, n)) == -1) {
			if (errno != EINTR)
				return -errno;
			k = 0;
		}
	return 0;
}

static int
make_reg(struct apply *a, int dfd, const char *tmp, const struct ent *e,
    const void *data, size_t len, struct err *err)
{
	int	 fd, rc;

	fd = openat(dfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return -errno;
	if ((rc = put_data(fd, data, len)) < 0)
		(void)err_set(err, -rc, "write %s", e->path);
	else if ((rc = attr_set(dfd, tmp, fd, e, false, err)) == 1) {
		a->left = true;
		rc = 0;
	}
	if (close(fd) == -1 && rc == 0)
		rc = err_set(err, errno, "close %s", e->path);
	if (rc < 0)
		(void)unlinkat(dfd, tmp, 0);
	return rc;
}

int
apply_node(int dfd, const char *name, const struct ent *e)
{
	dev_t	 dev = makedev(e->major, e->minor);
	mode_t	 mode = (mode_t)e->mode, um = umask(0);
	int	 rc;

	switch (e->type) {
	case ENT_LNK:
		rc = symlinkat(e->target, dfd, name);
		break;
	case ENT_FIFO:
		rc = mkfifoat(dfd, name, mode);
		break;
	case ENT_CHR:
		rc = mknodat(dfd, name, S_IFCHR | mode, dev);
		break;
	case ENT_BLK:
		rc = mknodat(dfd, name, S_IFBLK | mode, dev);
		break;
	default:
		errno = EINVAL;
		rc = -1;
	}
	rc = rc == -1 ? -errno : 0;
	(void)umask(um);
	return rc;
}

static int
make_other(struct apply *a, int dfd, const char *tmp, const struct ent *e,
    struct err *err)
{
	int	 rc;

	if ((rc = apply_node(dfd, tmp, e)) < 0)
		return rc;
	rc = attr_set(dfd, tmp, -1, e, false, err);
	if (rc < 0)
		(void)unlinkat(dfd, tmp, 0);
	else if (rc == 1)
		a->left = true;
	return rc < 0 ? rc : 0;
}

/* Another name of the inode that an earlier entry of the group made. */
static int
make_link(struct apply *a, int dfd, const char *tmp, const struct ent *e)
{
	const char	*path = apply_find(a, e->link), *name;
	int		 ofd, rc;

	if (path == NULL)
		return -ENOENT;
	if ((ofd = path_parent(a->root, path, &name)) < 0)
		return ofd;
	rc = linkat(ofd, name, dfd, tmp, 0) == -1 ? -errno : 0;
	(void)close(ofd);
	return rc;
}

/* A name that patt.c's built-in patterns have. */
static void
tmp_name(char *tmp, int i)
{
	(void)snprintf(tmp, TMPLEN, ".cfg.%ld.%d.tmp", (long)getpid(), i);
}

bool
apply_orphan(const char *path)
{
	const char	*p = path_base(path);
	char		 tail;
	long		 pid;
	int		 i, n = 0;

	/* Whoever wrote it is gone: its number is nobody's now. */
	return sscanf(p, ".cfg.%9ld.%4d.tm%c%n", &pid, &i, &tail, &n) == 3 &&
	    tail == 'p' && p[n] == '\0' && pid > 0 &&
	    kill((pid_t)pid, 0) == -1 && errno == ESRCH;
}

/* Under a temporary name that is free; *tmp is set to it. */
static int
make_tmp(struct apply *a, int dfd, const struct ent *e, const void *data,
    size_t len, char *tmp, struct err *err)
{
	int	 i, rc = -EEXIST;

	for (i = 0; i < TMPS && rc == -EEXIST; i++) {
		tmp_name(tmp, i);
		if ((rc = make_link(a, dfd, tmp, e)) == 0 || rc == -EEXIST)
			continue;
		rc = e->type == ENT_REG ?
		    make_reg(a, dfd, tmp, e, data, len, err) :
		    make_other(a, dfd, tmp, e, err);
	}
	if (rc < 0 && (err == NULL || err->code != -rc))
		(void)err_set(err, -rc, "create %s", e->path);
	return rc;
}

static int
put_node(struct apply *a, int dfd, const char *name, const struct ent *e,
    const void *data, size_t len, struct err *err)
{
	struct stat	 st;
	char		 tmp[TMPLEN];
	int		 rc;

	if ((rc = make_tmp(a, dfd, e, data, len, tmp, err)) < 0)
		return rc;
	if (fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode))
		rc = walk_remove(a->root, e->path, err);
	if (rc == 0 && renameat(dfd, tmp, dfd, name) == -1)
		rc = err_set(err, errno, "rename to %s", e->path);
	/* Two names of one inode: then rename(2) has left both. */
	if (rc < 0 || apply_find(a, e->link) != NULL)
		(void)unlinkat(dfd, tmp, 0);
	if (rc == 0 && apply_linked(a, e->link, e->path) < 0)
		rc = err_set(err, ENOMEM, "%s", e->path);
	return rc;
}

/* The attributes of a directory that is there. */
static int
dir_attr(struct apply *a, int dfd, const char *name, const struct ent *e,
    struct err *err)
{
	int	 fd, rc;

	fd = openat(dfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1)
		return err_set(err, errno, "open %s", e->path);
	rc = attr_set(fd, ".", fd, e, false, err);
	(void)close(fd);
	if (rc == 1)
		a->left = true;
	return rc < 0 ? rc : 0;
}

static int
new_dir(struct apply *a, int dfd, const char *name, const struct ent *e,
    struct err *err)
{
	int	 rc;

	if (mkdirat(dfd, name, 0700) == -1)
		return -errno;
	if ((rc = dir_attr(a, dfd, name, e, err)) < 0)
		(void)unlinkat(dfd, name, AT_REMOVEDIR);
	return rc;
}

/* In the place of what is no directory, which stays until all else that
 * can fail is done. */
static int
replace_by_dir(struct apply *a, int dfd, const char *name,
    const struct ent *e, struct err *err)
{
	char	 tmp[TMPLEN];
	int	 i, rc = -EEXIST;

	for (i = 0; i < TMPS && rc == -EEXIST; i++) {
		tmp_name(tmp, i);
		rc = new_dir(a, dfd, tmp, e, err);
	}
	if (rc < 0)
		return rc;
	if (unlinkat(dfd, name, 0) == -1 ||
	    renameat(dfd, tmp, dfd, name) == -1) {
		rc = -errno;
		(void)unlinkat(dfd, tmp, AT_REMOVEDIR);
	}
	return rc;
}

static int
put_dir(struct apply *a, int dfd, const char *name, const struct ent *e,
    struct err *err)
{
	struct stat	 st;
	int		 rc;

	if (*e->path == '\0')
		return dir_attr(a, dfd, name, e, err);
	rc = new_dir(a, dfd, name, e, err);
	if (rc == -EEXIST && fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) ==
	    0)
		rc = S_ISDIR(st.st_mode) ? dir_attr(a, dfd, name, e, err) :
		    replace_by_dir(a, dfd, name, e, err);
	if (rc < 0 && (err == NULL || err->code != -rc))
		(void)err_set(err, -rc, "mkdir %s", e->path);
	return rc;
}

int
apply_ent(struct apply *a, const struct ent *e, const void *data, size_t len,
    struct err *err)
{
	struct timespec	 t[2] = { { 0, UTIME_OMIT }, { 0, 0 } };
	struct stat	 st;
	const char	*name;
	bool		 gone = e->type == ENT_NONE || e->type == ENT_WHITEOUT;
	int		 dfd, rc;

	if (*e->path == '\0' && e->type != ENT_DIR)
		return 1;
	if (err != NULL)
		err->code = 0;
	dfd = path_parent(a->root, e->path, &name);
	if (dfd == -ENOENT || dfd == -ENOTDIR || dfd == -ELOOP)
		return gone ? 0 : 1;
	if (dfd < 0 || fstat(dfd, &st) == -1) {
		rc = err_set(err, dfd < 0 ? -dfd : errno, "open %s", e->path);
		goto out;
	}
	if (gone)
		rc = walk_remove(a->root, e->path, err);
	else if (e->type == ENT_DIR)
		rc = put_dir(a, dfd, name, e, err);
	else
		rc = put_node(a, dfd, name, e, data, len, err);
	if (!a->live && *e->path != '\0') {
		t[1] = st.st_mtim;
		/* utimensat(2), as dfd may be for its path alone. */
		(void)utimensat(dfd, ".", t, 0);
	}
out:
	if (dfd >= 0)
		(void)close(dfd);
	return rc;
}
