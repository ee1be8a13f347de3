/*
 * ent.c: what there is to know of one path in a tree, and ordered sets
 * of that.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "ent.h"
#include "osdep.h"
#include "path.h"

/* How often a path that changes while it is read is read again. */
#define TRIES	8

void
ent_free(struct ent *e)
{
	free(e->path);
	free(e->target);
	free(e->xattr);
	if (e->base != NULL)
		free(e->base->target);
	free(e->base);
	memset(e, 0, sizeof(*e));
}

static struct ent_base *
base_copy(const struct ent_base *b)
{
	struct ent_base	*n = malloc(sizeof(*n));

	if (n == NULL)
		return NULL;
	*n = *b;
	if (b->target != NULL && (n->target = strdup(b->target)) == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

int
ent_copy(struct ent *dst, const struct ent *src)
{
	*dst = *src;
	dst->path = NULL;
	dst->target = NULL;
	dst->xattr = NULL;
	dst->base = NULL;
	if ((src->path != NULL && (dst->path = strdup(src->path)) == NULL) ||
	    (src->target != NULL &&
	    (dst->target = strdup(src->target)) == NULL))
		goto nomem;
	if (src->xattrlen > 0) {
		if ((dst->xattr = malloc(src->xattrlen)) == NULL)
			goto nomem;
		memcpy(dst->xattr, src->xattr, src->xattrlen);
	}
	if (src->base != NULL && (dst->base = base_copy(src->base)) == NULL)
		goto nomem;
	return 0;
nomem:
	ent_free(dst);
	return -ENOMEM;
}

static bool
str_same(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* A whiteout looks like a path that is not there. */
static enum ent_type
looks(const struct ent *e)
{
	return e->type == ENT_WHITEOUT ? ENT_NONE : e->type;
}

bool
ent_same(const struct ent *a, const struct ent *b)
{
	enum ent_type	 t = looks(a);

	if (t != looks(b))
		return false;
	if (t == ENT_NONE)
		return true;
	if (a->uid != b->uid || a->gid != b->gid ||
	    (t != ENT_LNK && a->mode != b->mode))
		return false;
	if (t == ENT_REG && (a->size != b->size ||
	    memcmp(a->hash.b, b->hash.b, HASH_LEN) != 0))
		return false;
	if (t == ENT_LNK && !str_same(a->target, b->target))
		return false;
	if ((t == ENT_CHR || t == ENT_BLK) &&
	    (a->major != b->major || a->minor != b->minor))
		return false;
	return a->xattrlen == b->xattrlen && (a->xattrlen == 0 ||
	    memcmp(a->xattr, b->xattr, a->xattrlen) == 0);
}

void
ents_free(struct ents *s)
{
	size_t	 i;

	for (i = 0; i < s->n; i++)
		ent_free(&s->v[i]);
	free(s->v);
	memset(s, 0, sizeof(*s));
}

size_t
ents_lower(const struct ents *s, const char *path)
{
	size_t	 lo = 0, hi = s->n, mid;

	/* Most sets are made in order. */
	if (hi > 0 && path_cmp(s->v[hi - 1].path, path) < 0)
		return hi;
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(s->v[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct ent *
ents_find(const struct ents *s, const char *path)
{
	size_t	 i = ents_lower(s, path);

	if (i == s->n || strcmp(s->v[i].path, path) != 0)
		return NULL;
	return &s->v[i];
}

int
ents_put(struct ents *s, struct ent *e)
{
	struct ent	*v;
	size_t		 i = ents_lower(s, e->path), cap;

	if (i < s->n && strcmp(s->v[i].path, e->path) == 0) {
		ent_free(&s->v[i]);
		s->v[i] = *e;
		memset(e, 0, sizeof(*e));
		return 0;
	}
	if (s->n == s->cap) {
		cap = s->cap == 0 ? 16 : s->cap * 2;
		v = cap > SIZE_MAX / sizeof(*v) ? NULL :
		    realloc(s->v, cap * sizeof(*v));
		if (v == NULL) {
			ent_free(e);
			return -ENOMEM;
		}
		s->v = v;
		s->cap = cap;
	}
	memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*s->v));
	s->v[i] = *e;
	memset(e, 0, sizeof(*e));
	s->n++;
	return 0;
}

void
ents_del(struct ents *s, const char *path)
{
	struct ent	*e = ents_find(s, path);

	if (e == NULL)
		return;
	ent_free(e);
	s->n--;
	memmove(e, e + 1, (s->n - (size_t)(e - s->v)) * sizeof(*e));
}

/*
 * Reading.  A function below gives 0, or -EAGAIN where the path turned
 * out to have changed since it was looked at.
 */

static void
from_stat(struct ent *e, const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		e->type = ENT_REG;
	else if (S_ISDIR(st->st_mode))
		e->type = ENT_DIR;
	else if (S_ISLNK(st->st_mode))
		e->type = ENT_LNK;
	else if (S_ISFIFO(st->st_mode))
		e->type = ENT_FIFO;
	else if (S_ISCHR(st->st_mode))
		e->type = ENT_CHR;
	else if (S_ISBLK(st->st_mode))
		e->type = ENT_BLK;
	else
		e->type = ENT_SOCK;
	e->mode = (uint32_t)st->st_mode & 07777;
	e->uid = (uint32_t)st->st_uid;
	e->gid = (uint32_t)st->st_gid;
	e->mtime = (int64_t)st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	if (e->type == ENT_CHR || e->type == ENT_BLK) {
		e->major = (uint32_t)major(st->st_rdev);
		e->minor = (uint32_t)minor(st->st_rdev);
	}
	if (e->type == ENT_REG)
		e->size = (uint64_t)st->st_size;
}

static bool
unchanged(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int
read_target(int dfd, const char *name, struct ent *e)
{
	char	 t[PATH_LIMIT + 1];
	ssize_t	 n;

	if ((n = readlinkat(dfd, name, t, sizeof(t) - 1)) == -1)
		return errno == EINVAL || errno == ENOENT ? -EAGAIN : -errno;
	t[n] = '\0';
	return (e->target = strdup(t)) == NULL ? -ENOMEM : 0;
}

/* The hash of what the file holds, which then counts as its size. */
static int
read_hash(int fd, struct ent *e)
{
	struct hash_ctx	*h = NULL;
	char		*b;
	ssize_t		 n;
	int		 rc;

	if ((b = malloc(64 * 1024)) == NULL)
		return -ENOMEM;
	if ((rc = hash_begin(&h)) < 0)
		goto out;
	e->size = 0;
	while ((n = read(fd, b, 64 * 1024)) != 0) {
		if (n > 0) {
			hash_add(h, b, (size_t)n);
			e->size += (uint64_t)n;
		} else if (errno != EINTR) {
			rc = -errno;
			break;
		}
	}
	hash_end(h, &e->hash);
out:
	free(b);
	return rc;
}

static int
read_content(int dfd, const char *name, const struct stat *st, struct ent *e)
{
	struct stat	 now;
	int		 fd, rc;

	/* Should it have become a fifo, the open must not wait. */
	fd = openat(dfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ||
		    errno == EMLINK ? -EAGAIN : -errno;
	if (fstat(fd, &now) == -1)
		rc = -errno;
	else if (!S_ISREG(now.st_mode) || now.st_ino != st->st_ino ||
	    now.st_dev != st->st_dev)
		rc = -EAGAIN;
	else
		rc = read_hash(fd, e);
	(void)close(fd);
	return rc;
}

/*
 * Attributes that the kernel keeps for itself: bound to the inode, or the
 * bookkeeping of an overlay.  Given to another file they would be wrong.
 */
static bool
xattr_kept(const char *attr)
{
	return strcmp(attr, "security.evm") != 0 &&
	    strncmp(attr, "trusted.overlay.", 16) != 0;
}

/* The list of names in *list (owned by the caller), or none. */
static ssize_t
xattr_names(int dfd, const char *name, char **list)
{
	char	 some[1024], *p = NULL, *q;
	ssize_t	 n;
	size_t	 cap;

	n = os_listxattr(dfd, name, some, sizeof(some));
	if (n == -ENOTSUP || n == -EOPNOTSUPP || n == 0)
		return 0;
	if (n > 0) {
		if ((*list = malloc((size_t)n)) == NULL)
			return -ENOMEM;
		memcpy(*list, some, (size_t)n);
		return n;
	}
	for (cap = 4096; n == -ERANGE && cap <= 1024 * 1024; cap *= 4) {
		if ((q = realloc(p, cap)) == NULL) {
			n = -ENOMEM;
			break;
		}
		p = q;
		n = os_listxattr(dfd, name, p, cap);
	}
	if (n <= 0) {
		free(p);
		return n;
	}
	*list = p;
	return n;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Append one attribute to the block; one that is gone by now is none. */
static int
xattr_put(int dfd, const char *name, const char *attr, struct buf *b)
{
	char	 some[1024], *p = some;
	size_t	 cap = sizeof(some);
	ssize_t	 n;
	int	 rc = 0;

	while ((n = os_getxattr(dfd, name, attr, p, cap)) == -ERANGE &&
	    cap <= 1024 * 1024) {
		cap *= 16;
		if (p != some)
			free(p);
		if ((p = malloc(cap)) == NULL)
			return -ENOMEM;
	}
	if (n == -OS_ENOATTR)
		goto out;
	if (n < 0) {
		rc = (int)n;
		goto out;
	}
	put_bytes(b, attr, strlen(attr) + 1);
	put_le32(b, (uint32_t)n);
	put_bytes(b, p, (size_t)n);
out:
	if (p != some)
		free(p);
	return rc;
}

static int
read_xattrs(int dfd, const char *name, struct ent *e)
{
	struct buf	 b = BUF_INIT;
	char		*list = NULL, **v = NULL, *p;
	ssize_t		 len;
	size_t		 n = 0, i;
	int		 rc = 0;

	if ((len = xattr_names(dfd, name, &list)) <= 0)
		return len == -ENOENT ? -EAGAIN : (int)len;
	for (p = list; p < list + len; p += strlen(p) + 1)
		n++;
	if ((v = calloc(n, sizeof(*v))) == NULL) {
		rc = -ENOMEM;
		goto out;
	}
	for (p = list, i = 0; i < n; p += strlen(p) + 1)
		v[i++] = p;
	qsort(v, n, sizeof(*v), by_name);
	for (i = 0; i < n && rc == 0; i++)
		if (xattr_kept(v[i]))
			rc = xattr_put(dfd, name, v[i], &b);
	if (rc == 0 && b.bad)
		rc = -ENOMEM;
	if (rc == 0) {
		e->xattr = b.p;
		e->xattrlen = b.len;
		b = (struct buf)BUF_INIT;
	}
out:
	buf_free(&b);
	free(v);
	free(list);
	return rc == -ENOENT ? -EAGAIN : rc;
}

/* Read all once; `last`: take it as it is, however it changes. */
static int
read_once(int dfd, const char *name, int flags, bool last, struct ent *e,
    struct stat *st)
{
	struct stat	 now;
	int		 rc = 0;

	if (fstatat(dfd, name, st, AT_SYMLINK_NOFOLLOW) == -1) {
		memset(st, 0, sizeof(*st));
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	}
	from_stat(e, st);
	if (e->type == ENT_LNK)
		rc = read_target(dfd, name, e);
	else if (e->type == ENT_REG && (flags & ENT_HASH) != 0)
		rc = read_content(dfd, name, st, e);
	if (rc == 0)
		rc = read_xattrs(dfd, name, e);
	if (rc < 0)
		return rc;
	if (!last && (fstatat(dfd, name, &now, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !unchanged(st, &now)))
		return -EAGAIN;
	return 0;
}

int
ent_read(int dfd, const char *name, const char *path, int flags,
    struct ent *e, uint64_t *ino, uint64_t *nlink, struct err *err)
{
	struct stat	 st;
	char		*vis;
	int		 i, rc = -EAGAIN;

	memset(e, 0, sizeof(*e));
	for (i = 1; i <= TRIES && rc == -EAGAIN; i++) {
		ent_free(e);
		rc = read_once(dfd, name, flags, i == TRIES, e, &st);
	}
	if (rc == 0 && (e->path = strdup(path)) == NULL)
		rc = -ENOMEM;
	if (rc < 0) {
		ent_free(e);
		vis = path_vis(path);
		if (rc == -EAGAIN)
			rc = err_setx(err, EAGAIN, "read %s: it keeps changing",
			    vis == NULL ? path : vis);
		else
			rc = err_set(err, -rc, "read %s",
			    vis == NULL ? path : vis);
		free(vis);
		return rc;
	}
	if (ino != NULL)
		*ino = (uint64_t)st.st_ino;
	if (nlink != NULL)
		*nlink = (uint64_t)st.st_nlink;
	return 0;
}
