/*
 * alike.c: make one tree like another.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/inst.h"
#include "../lib/path.h"
#include "alike.h"
#include "apply.h"
#include "links.h"
#include "walk.h"

#define FILE_MOST	((size_t)1 << 30)	/* bytes of a file */

struct job {
	int		 from, to;
	struct strs	 gone;		/* to be removed */
	struct strs	 put;		/* to be made what `from` has */
	struct links	 links;		/* of `from` */
	struct apply	 a;
	struct err	*e;
};

static int
read_ent(int root, const char *path, int flags, struct ent *x, uint64_t *ino,
    uint64_t *nlink, struct err *e)
{
	const char	*name;
	int		 dfd, rc;

	memset(x, 0, sizeof(*x));
	*ino = *nlink = 0;
	dfd = path_parent(root, path, &name);
	if (dfd == -ENOENT || dfd == -ENOTDIR || dfd == -ELOOP)
		return 0;		/* ENT_NONE */
	if (dfd < 0)
		return err_set(e, -dfd, "open %s", path);
	rc = ent_read(dfd, name, path, flags, x, ino, nlink, e);
	(void)close(dfd);		/* only read */
	return rc;
}

static bool
is_ours(const char *path)
{
	return strcmp(path, INST_PARKED) == 0 ||
	    strcmp(path, INST_OLDER) == 0 || apply_orphan(path);
}

/* Whether the names that are one inode in `from` are one in `to`. */
static int
same_group(struct job *j, uint64_t ino, uint64_t nlink)
{
	const struct lname	*m;
	struct ent		 x;
	uint64_t		 i, n, first = 0;
	size_t			 k = links_of(&j->links, ino, &m), at;
	int			 rc;

	for (at = 0; at < k; at++) {
		if ((rc = read_ent(j->to, m[at].path, 0, &x, &i, &n,
		    j->e)) < 0)
			return rc;
		ent_free(&x);
		if (at == 0)
			first = i;
		if (i != first || n != nlink)
			return 0;
	}
	return 1;
}

/*
 * As a user sees it.  Attributes that `from` has none of are no difference:
 * a RAM disk may not be able to hold them.
 */
static bool
looks_same(struct ent *a, struct ent *b)
{
	uint8_t	*x = b->xattr;
	size_t	 n = b->xattrlen;
	bool	 same;

	if (a->xattrlen == 0) {
		b->xattr = NULL;
		b->xattrlen = 0;
	}
	same = ent_same(a, b);
	b->xattr = x;
	b->xattrlen = n;
	return same;
}

/* 1: the path is another in `to`. */
static int
differs(struct job *j, const char *path)
{
	struct ent	 a, b = { .path = NULL };
	uint64_t	 ai, bi, an, bn;
	int		 rc;

	if ((rc = read_ent(j->from, path, ENT_HASH, &a, &ai, &an,
	    j->e)) < 0 ||
	    (rc = read_ent(j->to, path, ENT_HASH, &b, &bi, &bn, j->e)) < 0)
		goto out;
	if (a.type == ENT_NONE || a.type == ENT_SOCK)
		goto out;
	rc = !looks_same(&a, &b);
	if (rc == 0 && a.type != ENT_DIR && (an > 1 || bn > 1))
		rc = an != bn ? 1 : (rc = same_group(j, ai, an)) < 0 ? rc :
		    rc == 0;
out:
	ent_free(&a);
	ent_free(&b);
	return rc;
}

static int
note(struct job *j, struct strs *l, const char *path)
{
	return strs_put(l, strdup(path)) < 0 ? err_set(j->e, ENOMEM, "%s",
	    path) : 0;
}

static int
see_from(void *arg, const char *path, bool isdir)
{
	struct job	*j = arg;
	int		 rc;

	if (is_ours(path))
		return 0;
	if ((rc = differs(j, path)) == 1)
		rc = note(j, &j->put, path);
	return rc < 0 ? rc : isdir ? WALK_DOWN : 0;
}

static int
see_to(void *arg, const char *path, bool isdir)
{
	struct job	*j = arg;
	struct ent	 x;
	uint64_t	 ino, nlink;
	enum ent_type	 type;
	int		 rc;

	if ((rc = read_ent(j->from, path, 0, &x, &ino, &nlink, j->e)) < 0)
		return rc;
	type = is_ours(path) ? ENT_NONE : x.type;
	ent_free(&x);
	if (type != ENT_NONE)
		return isdir && type == ENT_DIR ? WALK_DOWN : 0;
	if ((rc = read_ent(j->to, path, 0, &x, &ino, &nlink, j->e)) < 0)
		return rc;
	type = x.type;
	ent_free(&x);
	return type == ENT_SOCK ? 0 : note(j, &j->gone, path);
}

static int
put(struct job *j, const char *path)
{
	const struct lname	*m;
	struct buf		 data = BUF_INIT;
	struct ent		 x;
	uint64_t		 ino, nlink;
	int			 rc;

	if ((rc = read_ent(j->from, path, ENT_HASH, &x, &ino, &nlink,
	    j->e)) < 0)
		return rc;
	if (x.type == ENT_NONE)
		goto out;		/* it has gone meanwhile */
	if (x.type != ENT_DIR && links_of(&j->links, ino, &m) > 1)
		x.link = (uint32_t)(m - j->links.v) + 1;
	if (x.type == ENT_REG && apply_find(&j->a, x.link) == NULL &&
	    (rc = walk_slurp(j->from, path, FILE_MOST, &data)) < 0)
		rc = err_set(j->e, -rc, "read %s", path);
	if (rc == 0)
		rc = apply_ent(&j->a, &x, data.p, data.len, j->e);
	if (rc == 1)
		rc = err_setx(j->e, ENOTDIR, "%s: its directory is none",
		    path);
out:
	buf_free(&data);
	ent_free(&x);
	return rc;
}

static int
find(struct job *j)
{
	int	 rc;

	if ((rc = links_scan(&j->links, j->from, NULL, j->e)) < 0 ||
	    (rc = walk_tree(j->to, "", see_to, j, j->e)) < 0)
		return rc;
	if ((rc = differs(j, "")) == 1)
		rc = note(j, &j->put, "");
	return rc < 0 ? rc : walk_tree(j->from, "", see_from, j, j->e);
}

int
tree_alike(int from, int to, bool dry, struct alike *out, struct err *e)
{
	struct job	 j = { .from = from, .to = to, .e = e };
	size_t		 i;
	int		 rc;

	j.a = (struct apply)APPLY_INIT(to, false);
	rc = find(&j);
	out->n = j.gone.n + j.put.n;
	for (i = 0; rc == 0 && !dry && i < j.gone.n; i++)
		rc = walk_remove(to, j.gone.v[i], e);
	for (i = 0; rc == 0 && !dry && i < j.put.n; i++)
		rc = put(&j, j.put.v[i]);
	out->left = j.a.left;
	strs_free(&j.gone);
	strs_free(&j.put);
	links_free(&j.links);
	apply_free(&j.a);
	return rc;
}
