/*
 * walk.c: lists of paths, and going through a directory tree.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/path.h"
#include "walk.h"

int
strs_put(struct strs *l, char *s)
{
	if (s == NULL)
		return -ENOMEM;
	if (more_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0) {
		free(s);
		return -ENOMEM;
	}
	l->v[l->n++] = s;
	return 0;
}

int
strs_fmt(struct strs *l, const char *fmt, ...)
{
	va_list	 ap;
	char	*s;
	int	 n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return strs_put(l, n == -1 ? NULL : s);
}

int
strs_path(struct strs *l, const char *dir, const char *name, bool isdir)
{
	size_t	 n = strlen(dir), k = strlen(name);
	char	*s;

	if ((s = malloc(n + k + 3)) == NULL)
		return -ENOMEM;
	memcpy(s, dir, n);
	if (n > 0 && k > 0)
		s[n++] = '/';
	memcpy(s + n, name, k);
	if (isdir)
		s[n + k++] = '/';
	s[n + k] = '\0';
	return strs_put(l, s);
}

static int
strs_cmp(const void *a, const void *b)
{
	return path_cmp(*(char *const *)a, *(char *const *)b);
}

void
strs_sort(struct strs *l)
{
	size_t	 i, k = 0;

	if (l->n == 0)
		return;
	qsort(l->v, l->n, sizeof(*l->v), strs_cmp);
	for (i = 1; i < l->n; i++) {
		if (strcmp(l->v[k], l->v[i]) == 0)
			free(l->v[i]);
		else
			l->v[++k] = l->v[i];
	}
	l->n = k + 1;
}

bool
strs_has(const struct strs *l, const char *s)
{
	return l->n > 0 &&
	    bsearch(&s, l->v, l->n, sizeof(*l->v), strs_cmp) != NULL;
}

void
strs_free(struct strs *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	memset(l, 0, sizeof(*l));
}

static bool
is_dir(int dfd, const struct dirent *de)
{
	struct stat	 st;

	if (de->d_type != DT_UNKNOWN)
		return de->d_type == DT_DIR;
	return fstatat(dfd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISDIR(st.st_mode);
}

int
walk_list(int root, const char *dir, struct strs *l, struct err *e)
{
	struct dirent	*de;
	DIR		*d;
	int		 fd, rc = 0;

	if ((fd = path_open(root, dir, O_RDONLY | O_DIRECTORY)) < 0) {
		if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
			return fd;
		return err_set(e, -fd, "open %s", dir);
	}
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return err_set(e, ENOMEM, "open %s", dir);
	}
	while (rc == 0) {
		errno = 0;
		if ((de = readdir(d)) == NULL) {
			if (errno != 0)
				rc = err_set(e, errno, "read %s", dir);
			break;
		}
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (strs_path(l, dir, de->d_name, is_dir(fd, de)) < 0)
			rc = err_set(e, ENOMEM, "read %s", dir);
	}
	(void)closedir(d);
	return rc;
}

/* Put what dir holds on the stack, the first on top. */
static int
push_dir(int root, const char *dir, struct strs *stack, struct err *e)
{
	struct strs	 l = { NULL, 0, 0 };
	int		 rc;

	rc = walk_list(root, dir, &l, e);
	if (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP ||
	    (rc == -EACCES && geteuid() != 0))
		rc = 0;
	strs_sort(&l);
	while (rc == 0 && l.n > 0)
		if (strs_put(stack, l.v[--l.n]) < 0)
			rc = err_set(e, ENOMEM, "read %s", dir);
	strs_free(&l);
	return rc;
}

int
walk_tree(int root, const char *dir,
    int (*fn)(void *, const char *path, bool isdir), void *arg,
    struct err *e)
{
	struct strs	 stack = { NULL, 0, 0 };
	char		*p;
	size_t		 n;
	bool		 isdir;
	int		 rc;

	rc = push_dir(root, dir, &stack, e);
	while (rc == 0 && stack.n > 0) {
		p = stack.v[--stack.n];
		n = strlen(p);
		if ((isdir = p[n - 1] == '/'))
			p[n - 1] = '\0';
		rc = fn(arg, p, isdir);
		if (rc == WALK_DOWN)
			rc = push_dir(root, p, &stack, e);
		free(p);
	}
	strs_free(&stack);
	return rc;
}

struct doomed {
	struct strs	 l;
	int		 root;
	dev_t		 dev;
	bool		 around;	/* leave what is mounted: no error */
	struct err	*e;
};

static int
doomed_add(void *arg, const char *path, bool isdir)
{
	struct doomed	*d = arg;
	struct stat	 st;
	int		 fd, rc = 0;

	if (isdir) {
		fd = path_open(d->root, path, O_RDONLY | O_DIRECTORY);
		if (fd < 0)
			return err_set(d->e, -fd, "open %s", path);
		rc = fstat(fd, &st) == -1 ? -errno :
		    st.st_dev != d->dev ? -EBUSY : WALK_DOWN;
		(void)close(fd);
		if (rc == -EBUSY && d->around)
			return 0;
		if (rc < 0)
			return err_set(d->e, -rc, "remove %s", path);
	}
	if (strs_put(&d->l, strdup(path)) < 0)
		return err_set(d->e, ENOMEM, "remove %s", path);
	return rc;
}

static int
remove_one(int root, const char *path, struct err *e)
{
	const char	*name;
	int		 dfd, rc;

	if ((dfd = path_parent(root, path, &name)) < 0)
		return dfd == -ENOENT ? 0 : err_set(e, -dfd, "open %s", path);
	rc = unlinkat(dfd, name, AT_REMOVEDIR) == -1 ? -errno : 0;
	if (rc == -ENOTDIR)
		rc = unlinkat(dfd, name, 0) == -1 ? -errno : 0;
	(void)close(dfd);
	return rc == 0 || rc == -ENOENT ? 0 :
	    err_set(e, -rc, "remove %s", path);
}

int
walk_remove(int root, const char *path, struct err *e)
{
	struct doomed	 d = { { NULL, 0, 0 }, root, 0, false, e };
	struct stat	 st, up;
	const char	*name;
	int		 dfd, rc;

	if ((dfd = path_parent(root, path, &name)) < 0)
		return dfd == -ENOENT || dfd == -ENOTDIR || dfd == -ELOOP ?
		    0 : err_set(e, -dfd, "open %s", path);
	if (fstat(dfd, &up) == -1 ||
	    fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		rc = errno == ENOENT ? -ENOENT :
		    err_set(e, errno, "remove %s", path);
	else
		rc = 0;
	(void)close(dfd);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	d.dev = up.st_dev;
	rc = doomed_add(&d, path, S_ISDIR(st.st_mode));
	if (rc == WALK_DOWN)
		rc = walk_tree(root, path, doomed_add, &d, e);
	while (rc == 0 && d.l.n > 0) {
		rc = remove_one(root, d.l.v[d.l.n - 1], e);
		free(d.l.v[--d.l.n]);
	}
	strs_free(&d.l);
	return rc;
}

int
walk_clear(int root, struct err *e)
{
	struct doomed	 d = { { NULL, 0, 0 }, root, 0, true, e };
	struct stat	 st;
	int		 rc;

	if (fstat(root, &st) == -1)
		return err_set(e, errno, "stat");
	d.dev = st.st_dev;
	rc = walk_tree(root, "", doomed_add, &d, e);
	while (rc == 0 && d.l.n > 0) {
		rc = remove_one(root, d.l.v[d.l.n - 1], e);
		if (rc == -ENOTEMPTY || rc == -EBUSY || rc == -EEXIST)
			rc = 0;		/* the way to what is mounted */
		free(d.l.v[--d.l.n]);
	}
	strs_free(&d.l);
	return rc;
}

int
walk_at(struct walk_at *w, const char *path, const char **name)
{
	const char	*base = path_base(path);
	size_t		 n = (size_t)(base - path);

	if (w->dir != NULL && *path != '\0' && strlen(w->dir) == n &&
	    memcmp(w->dir, path, n) == 0) {
		*name = base;
		return w->fd;
	}
	walk_at_close(w);
	w->fd = path_parent(w->root, path, name);
	/* The root's own name is "."; nothing else is found like that. */
	if (*path != '\0')
		w->dir = strndup(path, n);
	return w->fd;
}

void
walk_at_close(struct walk_at *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w->dir);
	w->fd = -1;
	w->dir = NULL;
}

int
walk_slurp(int root, const char *path, size_t max, struct buf *b)
{
	ssize_t	 k = 1;
	int	 fd, rc = 0;

	if ((fd = path_open(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY)) <
	    0)
		return fd;
	while (rc == 0 && k > 0) {
		if (b->len > max)
			rc = -EFBIG;
		else if (buf_room(b, 4096) == NULL)
			rc = -ENOMEM;
		else if ((k = read(fd, b->p + b->len, 4096)) > 0)
			b->len += (size_t)k;
		else if (k == -1 && errno == EINTR)
			k = 1;
		else if (k == -1)
			rc = -errno;
	}
	(void)close(fd);		/* only read */
	return rc;
}
