/*
 * pers.c: the persisted tree: a base directory with an overlay over it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "pers.h"

/* A path of which the walk knows that there can be nothing. */
static bool
nothing(int rc)
{
	return rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP;
}

/* path_cmp()'s order of bytes. */
static int
rank(char c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : (unsigned char)c + 1;
}

/* The overlay's entry for the first n bytes of path. */
static const struct ent *
find_n(const struct ents *ov, const char *path, size_t n)
{
	const char	*s;
	size_t		 lo = 0, hi = ov->n, mid, i;
	int		 d;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		s = ov->v[mid].path;
		for (i = 0; i < n && s[i] == path[i]; i++)
			;
		d = rank(s[i]) - (i < n ? rank(path[i]) : 0);
		if (d == 0)
			return &ov->v[mid];
		if (d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct ent *
pers_over(const struct pers *p, const char *path)
{
	const struct ent	*up;
	const char		*slash;

	if (p->ov == NULL || p->ov->n == 0)
		return NULL;
	/* An overlay has nothing below what is no directory, but this one
	 * came from a disk. */
	for (slash = strchr(path, '/'); slash != NULL;
	    slash = strchr(slash + 1, '/')) {
		up = find_n(p->ov, path, (size_t)(slash - path));
		if (up != NULL && up->type != ENT_DIR)
			return up;
	}
	return ents_find(p->ov, path);
}

/* Whether the base has a directory at path. */
static bool
base_dir(const struct pers *p, const char *path)
{
	int	 fd;

	if (p->base == -1)
		return false;
	fd = path_open(p->base, path, O_RDONLY | O_DIRECTORY);
	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 || fd == -EACCES;
}

/*
 * Whether each directory above path is there: one that the overlay does
 * not have must be in the base.  1, 0 or -ENOMEM.
 */
static int
parents_there(const struct pers *p, const char *path)
{
	size_t	 n = strlen(path);
	char	*s;
	int	 rc = 1;

	/* From the deepest: what is in the base has its parents there. */
	for (; n > 0; n--) {
		if (path[n] != '/' || find_n(p->ov, path, n) != NULL)
			continue;
		if ((s = strndup(path, n)) == NULL)
			return -ENOMEM;
		rc = base_dir(p, s);
		free(s);
		break;
	}
	return rc;
}

int
pers_base(const struct pers *p, const char *path, int flags, struct ent *e,
    uint64_t *ino, uint64_t *nlink, struct err *err)
{
	const char	*name;
	int		 dfd, rc;

	memset(e, 0, sizeof(*e));
	if (ino != NULL)
		*ino = 0;
	if (nlink != NULL)
		*nlink = 0;
	dfd = p->base == -1 ? -ENOENT : p->near != NULL ?
	    walk_at(p->near, path, &name) :
	    path_parent(p->base, path, &name);
	if (nothing(dfd)) {
		if ((e->path = strdup(path)) == NULL)
			return err_set(err, ENOMEM, "base: %s", path);
		return 0;
	}
	if (dfd < 0)
		return err_set(err, -dfd, "base: %s", path);
	rc = ent_read(dfd, name, path, flags, e, ino, nlink, err);
	if (p->near == NULL)
		(void)close(dfd);
	return rc;
}

int
pers_get(const struct pers *p, const char *path, int flags, struct ent *e,
    bool *from_base, struct err *err)
{
	const struct ent	*x = pers_over(p, path);
	int			 there;

	if (from_base != NULL)
		*from_base = x == NULL;
	if (x == NULL)
		return pers_base(p, path, flags, e, NULL, NULL, err);
	memset(e, 0, sizeof(*e));
	there = strcmp(x->path, path) == 0 && x->type != ENT_WHITEOUT;
	if (there)
		there = parents_there(p, path);
	if (there == 1)
		there = ent_copy(e, x) < 0 ? -ENOMEM : 1;
	if (there == 0 && (e->path = strdup(path)) == NULL)
		there = -ENOMEM;
	return there < 0 ? err_set(err, ENOMEM, "%s", path) : 0;
}

static int
base_content(int base, const char *path, struct buf *b, struct err *err)
{
	struct stat	 st;
	uint8_t		*to;
	ssize_t		 k;
	int		 fd, rc = 0;

	if ((fd = path_open(base, path, O_RDONLY | O_NONBLOCK)) < 0)
		return err_set(err, -fd, "base: %s", path);
	if (fstat(fd, &st) == -1)
		rc = err_set(err, errno, "base: %s", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_set(err, EINVAL, "base: %s", path);
	while (rc == 0) {
		if ((to = buf_room(b, 65536)) == NULL) {
			rc = err_set(err, ENOMEM, "base: %s", path);
			break;
		}
		if ((k = read(fd, to, 65536)) == 0)
			break;
		if (k == -1)
			rc = err_set(err, errno, "base: %s", path);
		else
			b->len += (size_t)k;
	}
	(void)close(fd);
	return rc;
}

int
pers_content(const struct pers *p, const struct ent *e, bool from_base,
    struct buf *b, struct err *err)
{
	if (from_base)
		return base_content(p->base, e->path, b, err);
	if (p->s == NULL)
		return err_setx(err, EINVAL, "%s: no store", e->path);
	return store_content(p->s, e, b, err);
}

/* Names of the base that the overlay says nothing of. */
static int
list_base(const struct pers *p, const char *dir, struct strs *out,
    struct err *e)
{
	struct strs	 l = { NULL, 0, 0 };
	char		*s;
	size_t		 i, n;
	bool		 sl;
	int		 rc;

	rc = walk_list(p->base, dir, &l, e);
	if (nothing(rc))
		rc = 0;
	for (i = 0; rc == 0 && i < l.n; i++) {
		s = l.v[i];
		n = strlen(s);
		sl = s[n - 1] == '/';
		if (p->ov != NULL) {
			if (sl)
				s[n - 1] = '\0';
			if (ents_find(p->ov, s) != NULL)
				continue;
			if (sl)
				s[n - 1] = '/';
		}
		l.v[i] = NULL;
		if (strs_put(out, s) < 0)
			rc = err_set(e, ENOMEM, "%s", dir);
	}
	strs_free(&l);
	return rc;
}

/* The overlay's entries straight in dir. */
static int
list_over(const struct pers *p, const char *dir, struct strs *out,
    struct err *e)
{
	const struct ent	*x;
	size_t			 i, n = strlen(dir);

	n += n > 0;
	for (i = ents_lower(p->ov, dir); i < p->ov->n; i++) {
		x = &p->ov->v[i];
		if (!path_within(x->path, dir))
			break;
		if (strlen(x->path) <= n || x->type == ENT_WHITEOUT ||
		    strchr(x->path + n, '/') != NULL)
			continue;
		if (strs_path(out, "", x->path, x->type == ENT_DIR) < 0)
			return err_set(e, ENOMEM, "%s", dir);
	}
	return 0;
}

int
pers_isdir(const struct pers *p, const char *path)
{
	const struct ent	*x = pers_over(p, path);

	if (x == NULL)
		return *path == '\0' || base_dir(p, path);
	return x->type == ENT_DIR ? parents_there(p, path) : 0;
}

int
pers_list(const struct pers *p, const char *dir, struct strs *out,
    struct err *e)
{
	int	 rc = pers_isdir(p, dir);

	if (rc < 0)
		return err_set(e, ENOMEM, "%s", dir);
	if (rc == 0)
		return 0;
	rc = p->base == -1 ? 0 : list_base(p, dir, out, e);
	if (rc == 0 && p->ov != NULL)
		rc = list_over(p, dir, out, e);
	return rc;
}

int
pers_walk(const struct pers *p, const char *dir,
    int (*fn)(void *, const char *path), void *arg, struct err *e)
{
	struct strs	 stack = { NULL, 0, 0 }, l = { NULL, 0, 0 };
	struct ent	 top;
	char		*s;
	size_t		 n;
	int		 rc;

	if ((rc = pers_get(p, dir, 0, &top, NULL, e)) < 0)
		return rc;
	/* The root is there even where base and overlay are silent. */
	if (top.type != ENT_NONE || *dir == '\0')
		rc = strs_path(&stack, "", dir,
		    top.type == ENT_DIR || *dir == '\0');
	ent_free(&top);
	while (rc == 0 && stack.n > 0) {
		s = stack.v[--stack.n];
		n = strlen(s);
		if (s[n - 1] == '/') {
			s[n - 1] = '\0';
			if ((rc = pers_list(p, s, &l, e)) == 0)
				rc = fn(arg, s);
		} else
			rc = fn(arg, s);
		free(s);
		strs_sort(&l);
		while (rc == 0 && l.n > 0)
			if (strs_put(&stack, l.v[--l.n]) < 0)
				rc = err_set(e, ENOMEM, "%s", dir);
		strs_free(&l);
	}
	strs_free(&stack);
	return rc;
}
