/*
 * cand.c: compare one path of the running tree with the persisted one.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "cand.h"

#define CHUNK	65536

/* One that the caller may pass over: no right to read, and not root. */
static bool
forbidden(int rc)
{
	return (rc == -EACCES || rc == -EPERM) && geteuid() != 0;
}

static int
read_running(struct finder *f, const char *path, struct ent *e,
    uint64_t *ino, uint64_t *nlink)
{
	const char	*name;
	int		 dfd = walk_at(&f->run, path, &name);

	*ino = *nlink = 0;
	if (dfd == -ENOENT || dfd == -ENOTDIR || dfd == -ELOOP) {
		memset(e, 0, sizeof(*e));
		e->path = strdup(path);
		return e->path == NULL ? err_set(f->e, ENOMEM, "%s", path) :
		    0;
	}
	if (dfd < 0)
		return err_set(f->e, -dfd, "open %s", path);
	return ent_read(dfd, name, path, 0, e, ino, nlink, f->e);
}

/* A regular file of this tree, never waiting. */
static int
open_reg(struct walk_at *tree, const char *path)
{
	const char	*name;
	struct stat	 st;
	int		 dfd, fd;

	if ((dfd = walk_at(tree, path, &name)) < 0)
		return dfd;
	fd = openat(dfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return -EAGAIN;
	}
	return fd;
}

/* As many bytes as there are, up to n; or -errno. */
static ssize_t
read_full(int fd, char *p, size_t n)
{
	size_t	 have = 0;
	ssize_t	 k;

	while (have < n && (k = read(fd, p + have, n - have)) != 0) {
		if (k > 0)
			have += (size_t)k;
		else if (errno != EINTR)
			return -errno;
	}
	return (ssize_t)have;
}

/* Both had this size; what grows meanwhile is journaled. */
static int
bytes_differ(struct finder *f, int a, int b, uint64_t size)
{
	ssize_t	 n, k;
	size_t	 want;
	int	 rc = 0;

	if (f->buf == NULL && (f->buf = malloc(2 * CHUNK)) == NULL)
		return -ENOMEM;
	for (; rc == 0 && size > 0; size -= want) {
		want = size < CHUNK ? (size_t)size : CHUNK;
		n = read_full(a, f->buf, want);
		k = read_full(b, f->buf + CHUNK, want);
		if (n < 0 || k < 0)
			rc = (int)(n < 0 ? n : k);
		else
			rc = (size_t)n != want || (size_t)k != want ||
			    memcmp(f->buf, f->buf + CHUNK, want) != 0;
	}
	return rc;
}

static int
hash_fd(int fd, struct hash *h, uint64_t *size)
{
	struct hash_ctx	*ctx = NULL;
	char		*buf = malloc(CHUNK);
	ssize_t		 n = -ENOMEM;

	*size = 0;
	if (buf != NULL && hash_begin(&ctx) == 0) {
		while ((n = read_full(fd, buf, CHUNK)) > 0) {
			hash_add(ctx, buf, (size_t)n);
			*size += (uint64_t)n;
		}
		hash_end(ctx, h);
	}
	free(buf);
	return n < 0 ? (int)n : 0;
}

int
cand_hash(struct finder *f, struct walk_at *tree, struct ent *e)
{
	struct ent	 t = *e;
	int		 fd, rc;

	if ((fd = open_reg(tree, e->path)) < 0)
		rc = fd;
	else {
		rc = hash_fd(fd, &t.hash, &t.size);
		(void)close(fd);
	}
	if (rc == 0)
		*e = t;
	if (rc == -ENOENT || rc == -ELOOP || rc == -EAGAIN || forbidden(rc))
		return 0;
	return rc < 0 ? err_set(f->e, -rc, "read %s", e->path) : 0;
}

int
cand_content(struct finder *f, const char *path, const struct ent *was,
    bool was_base)
{
	struct hash	 h;
	uint64_t	 size;
	int		 a, b = -1, rc;

	if (was->size == 0)
		return 0;
	if ((a = open_reg(&f->run, path)) < 0)
		/* Changed under way: it differs, or will be looked at
		 * again, as a change is journaled first. */
		return a == -ENOENT || a == -ELOOP || a == -EAGAIN ? 1 : a;
	if (!was_base) {
		rc = hash_fd(a, &h, &size);
		if (rc == 0)
			rc = memcmp(h.b, was->hash.b, HASH_LEN) != 0;
	} else if ((b = open_reg(&f->base, path)) < 0)
		rc = b;
	else
		rc = bytes_differ(f, a, b, was->size);
	(void)close(a);
	if (b >= 0)
		(void)close(b);
	return rc;
}

/* Whether they look different: 1, 0 or -errno. */
static int
differs(struct finder *f, const struct ent *was, bool was_base,
    const struct ent *now)
{
	struct ent	 t = *now;

	if (now->type != ENT_REG || was->type != ENT_REG)
		return !ent_same(was, now);
	t.hash = was->hash;
	if (!ent_same(was, &t))
		return 1;
	return cand_content(f, now->path, was, was_base);
}

static int
cand_put(struct finder *f, struct cand *c)
{
	struct cand	*v;
	size_t		 cap;

	if (f->n == f->cap) {
		cap = f->cap == 0 ? 64 : f->cap * 2;
		if (cap > SIZE_MAX / sizeof(*v) ||
		    (v = realloc(f->v, cap * sizeof(*v))) == NULL)
			return -ENOMEM;
		f->v = v;
		f->cap = cap;
	}
	if ((c->p.path = strdup(c->p.now.path)) == NULL)
		return -ENOMEM;
	f->v[f->n++] = *c;
	memset(c, 0, sizeof(*c));
	return 0;
}

/* The persisted side of c. */
static int
read_was(struct finder *f, const char *path, struct cand *c)
{
	struct ent	 base;
	uint64_t	 ino, nlink;
	int		 rc;

	rc = pers_base(&f->pers, path, 0, &base, &ino, &nlink, f->e);
	if (rc < 0)
		return rc;
	if (base.type == ENT_SOCK)
		base.type = ENT_NONE;	/* no restore brings it */
	c->p.in_base = base.type != ENT_NONE;
	if (c->p.in_base && base.type != ENT_DIR && nlink > 1)
		c->bino = ino;
	if (pers_over(&f->pers, path) == NULL) {
		c->p.was = base;
		c->p.was_base = c->p.in_base;
		return 0;
	}
	ent_free(&base);
	return pers_get(&f->pers, path, 0, &c->p.was, NULL, f->e);
}

int
cand_compare(struct finder *f, const char *path, unsigned *dirs)
{
	struct cand	 c;
	uint64_t	 ino, nlink;
	bool		 ignored;
	int		 rc;

	memset(&c, 0, sizeof(c));
	*dirs = 0;
	if ((rc = read_running(f, path, &c.p.now, &ino, &nlink)) < 0 ||
	    (rc = read_was(f, path, &c)) < 0)
		goto out;
	if (c.p.now.type == ENT_SOCK) {
		f->nsock++;
		c.p.now.type = ENT_NONE;
	}
	if (c.p.now.type == ENT_DIR)
		*dirs |= CAND_RUN;
	if (c.p.was.type == ENT_DIR)
		*dirs |= CAND_WAS;
	ignored = f->ignore != NULL && *path != '\0' &&
	    patt_match(f->ignore, path, c.p.now.type == ENT_NONE ?
	    *dirs != 0 : c.p.now.type == ENT_DIR);
	if (!ignored || *dirs == 0) {
		if ((rc = differs(f, &c.p.was, c.p.was_base, &c.p.now)) < 0) {
			rc = err_set(f->e, -rc, "read %s", path);
			goto out;
		}
		c.differ = rc == 1;
	}
	rc = 0;
	if (ignored) {
		if (c.differ || *dirs != 0)
			rc = strs_path(&f->ign, "", path, *dirs != 0);
		*dirs = 0;
	} else {
		if (c.p.now.type != ENT_NONE && c.p.now.type != ENT_DIR &&
		    nlink > 1)
			c.ino = ino;
		if (c.differ || c.ino != 0 || c.bino != 0 ||
		    c.p.was.link != 0)
			rc = cand_put(f, &c);
	}
	if (rc < 0)
		rc = err_set(f->e, -rc, "%s", path);
out:
	if (forbidden(rc)) {
		f->nhidden++;
		rc = 0;
	}
	ent_free(&c.p.was);
	ent_free(&c.p.now);
	return rc;
}
