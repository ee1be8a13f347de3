/*
 * copy.c: copy a whole tree.
 *
 * Directories wait in a list of paths, so that depth costs neither stack
 * nor descriptors; their attributes come last, from the deepest up, as
 * filling a directory changes its times and may need its modes open.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "apply.h"
#include "attr.h"
#include "copy.h"
#include "walk.h"

struct inode {
	dev_t	 dev;
	ino_t	 ino;
	char	*path;		/* owned: its first name; NULL: free slot */
};

struct copy {
	int		 from, to;	/* roots */
	struct stat	 top;		/* of `to`: not to be copied into */
	struct strs	 dirs;		/* all, parents before children */
	struct inode	*inodes;	/* hash table of those with names to
					   come, `slots` (2^n) long */
	size_t		 slots, used;
	bool		 left;
	struct err	*e;
	/* The directory that is copied now. */
	const char	*dir;
	int		 sfd, dfd;
};

static struct inode *
slot_of(struct inode *v, size_t slots, dev_t dev, ino_t ino)
{
	size_t	 i = ((size_t)ino * 0x9e3779b1u ^ (size_t)dev) & (slots - 1);

	while (v[i].path != NULL && (v[i].ino != ino || v[i].dev != dev))
		i = (i + 1) & (slots - 1);
	return &v[i];
}

static int
grow(struct copy *c)
{
	size_t		 i, slots = c->slots == 0 ? 256 : c->slots * 2;
	struct inode	*v;

	if ((v = calloc(slots, sizeof(*v))) == NULL)
		return -ENOMEM;
	for (i = 0; i < c->slots; i++)
		if (c->inodes[i].path != NULL)
			*slot_of(v, slots, c->inodes[i].dev,
			    c->inodes[i].ino) = c->inodes[i];
	free(c->inodes);
	c->inodes = v;
	c->slots = slots;
	return 0;
}

static int
fail(struct copy *c, int code, const char *what, const char *name)
{
	if (c->e != NULL && c->e->code == code)
		return -code;		/* whoever failed has said it */
	return err_set(c->e, code, "%s %s%s%s", what, c->dir,
	    *c->dir == '\0' ? "" : "/", name);
}

/*
 * Link name to the copy of an earlier name of its inode: 1.  0: this is
 * the first, which is now noted.
 */
static int
link_known(struct copy *c, const char *name, const struct stat *st)
{
	struct inode	*s;
	const char	*old;
	int		 ofd, rc;

	if ((c->used + 1) * 4 > c->slots * 3 && grow(c) < 0)
		return -ENOMEM;
	s = slot_of(c->inodes, c->slots, st->st_dev, st->st_ino);
	if (s->path == NULL) {
		if ((s->path = path_join(c->dir, name)) == NULL)
			return -ENOMEM;
		s->dev = st->st_dev;
		s->ino = st->st_ino;
		c->used++;
		return 0;
	}
	if ((ofd = path_parent(c->to, s->path, &old)) < 0)
		return ofd;
	rc = linkat(ofd, old, c->dfd, name, 0) == -1 ? -errno : 1;
	(void)close(ofd);
	return rc;
}

/* Extended attributes, where there are any. */
static int
get_xattrs(int dfd, const char *name, struct ent *e, struct err *err)
{
	struct ent	 x;
	ssize_t		 n = os_listxattr(dfd, name, NULL, 0);
	int		 rc;

	if (n == 0 || n == -ENOTSUP || n == -EOPNOTSUPP)
		return 0;
	if ((rc = ent_read(dfd, name, e->path, 0, &x, NULL, NULL, err)) < 0)
		return rc;
	e->xattr = x.xattr;
	e->xattrlen = x.xattrlen;
	x.xattr = NULL;
	ent_free(&x);
	return 0;
}

static void
ent_of(struct ent *e, const char *name, const struct stat *st)
{
	memset(e, 0, sizeof(*e));
	/* Named for messages only; not owned, so never freed. */
	e->path = (char *)(uintptr_t)name;
	e->mode = (uint32_t)st->st_mode & 07777;
	e->uid = (uint32_t)st->st_uid;
	e->gid = (uint32_t)st->st_gid;
	e->mtime = (int64_t)st->st_mtim.tv_sec;
	e->mtime_ns = (uint32_t)st->st_mtim.tv_nsec;
	e->type = S_ISREG(st->st_mode) ? ENT_REG :
	    S_ISDIR(st->st_mode) ? ENT_DIR :
	    S_ISLNK(st->st_mode) ? ENT_LNK :
	    S_ISFIFO(st->st_mode) ? ENT_FIFO :
	    S_ISCHR(st->st_mode) ? ENT_CHR :
	    S_ISBLK(st->st_mode) ? ENT_BLK : ENT_SOCK;
	if (e->type == ENT_CHR || e->type == ENT_BLK) {
		e->major = (uint32_t)major(st->st_rdev);
		e->minor = (uint32_t)minor(st->st_rdev);
	}
}

/* The copy gets its attributes; frees what e owns. */
static int
finish(struct copy *c, int sfd, const char *sname, int dfd,
    const char *dname, int fd, struct ent *e)
{
	int	 rc;

	if ((rc = get_xattrs(sfd, sname, e, c->e)) == 0)
		rc = attr_set(dfd, dname, fd, e, e->type != ENT_DIR, c->e);
	free(e->xattr);
	if (rc == 1)
		c->left = true;
	return rc < 0 ? rc : 0;
}

static int
copy_reg(struct copy *c, const char *name, struct stat *st)
{
	struct ent	 e;
	int		 in, out = -1, rc = 0;

	in = openat(c->sfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	if (in == -1)
		return fail(c, errno, "open", name);
	if (fstat(in, st) == -1 || !S_ISREG(st->st_mode)) {
		rc = fail(c, EIO, "read", name);
		goto out;
	}
	out = openat(c->dfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (out == -1) {
		rc = fail(c, errno, "create", name);
		goto out;
	}
	ent_of(&e, name, st);
	if ((rc = os_copy(in, out, UINT64_MAX)) < 0)
		rc = fail(c, -rc, "copy", name);
	else
		rc = finish(c, c->sfd, name, c->dfd, name, out, &e);
out:
	(void)close(in);
	if (out != -1 && close(out) == -1 && rc == 0)
		rc = fail(c, errno, "close", name);
	return rc;
}

static int
copy_other(struct copy *c, const char *name, const struct stat *st)
{
	char		 target[PATH_LIMIT + 1];
	struct ent	 e;
	ssize_t		 n;
	int		 rc;

	ent_of(&e, name, st);
	if (e.type == ENT_LNK) {
		n = readlinkat(c->sfd, name, target, sizeof(target) - 1);
		if (n == -1)
			return fail(c, errno, "read", name);
		target[n] = '\0';
		e.target = target;
	}
	if ((rc = apply_node(c->dfd, name, &e)) < 0)
		return fail(c, -rc, "create", name);
	return finish(c, c->sfd, name, c->dfd, name, -1, &e);
}

static int
copy_dir(struct copy *c, const char *name, const struct stat *st)
{
	struct stat	 now;

	if (st->st_dev == c->top.st_dev && st->st_ino == c->top.st_ino)
		return err_setx(c->e, EINVAL,
		    "the tree lies inside of the base");
	/* A mount point that was left when the tree was emptied is there. */
	if (mkdirat(c->dfd, name, 0700) == -1 && (errno != EEXIST ||
	    fstatat(c->dfd, name, &now, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISDIR(now.st_mode)))
		return fail(c, errno, "mkdir", name);
	if (strs_path(&c->dirs, c->dir, name, false) < 0)
		return fail(c, ENOMEM, "copy", name);
	return 0;
}

static int
copy_one(struct copy *c, const char *name)
{
	struct stat	 st;
	int		 rc = 0;

	if (fstatat(c->sfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : fail(c, errno, "stat", name);
	if (S_ISDIR(st.st_mode))
		return copy_dir(c, name, &st);
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (st.st_nlink > 1)
		rc = link_known(c, name, &st);
	if (rc == 0)
		rc = S_ISREG(st.st_mode) ? copy_reg(c, name, &st) :
		    copy_other(c, name, &st);
	else if (rc < 0)
		return fail(c, -rc, "link", name);
	return rc < 0 ? rc : 0;
}

static int
fill_dir(struct copy *c, DIR *d)
{
	struct dirent	*de;
	int		 rc = 0;

	while (rc == 0) {
		errno = 0;
		if ((de = readdir(d)) == NULL) {
			if (errno != 0)
				rc = fail(c, errno, "read", ".");
			break;
		}
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			rc = copy_one(c, de->d_name);
	}
	return rc;
}

/* Open both directories named c->dir. */
static int
open_both(struct copy *c)
{
	int	 rc;

	c->dfd = -1;
	c->sfd = path_open(c->from, c->dir, O_RDONLY | O_DIRECTORY);
	if (c->sfd < 0)
		return fail(c, -c->sfd, "open", "");
	c->dfd = path_open(c->to, c->dir, O_RDONLY | O_DIRECTORY);
	if (c->dfd < 0) {
		rc = fail(c, -c->dfd, "open", "");
		(void)close(c->sfd);
		return rc;
	}
	return 0;
}

/* Set a directory's attributes, after what it holds. */
static int
close_dir(struct copy *c)
{
	struct stat	 st;
	struct ent	 e;
	int		 rc;

	if ((rc = open_both(c)) < 0)
		return rc;
	if (fstat(c->sfd, &st) == -1)
		rc = fail(c, errno, "stat", "");
	else {
		ent_of(&e, c->dir, &st);
		rc = finish(c, c->sfd, ".", c->dfd, ".", c->dfd, &e);
	}
	(void)close(c->sfd);
	(void)close(c->dfd);
	return rc;
}

int
copy_tree(int from, int to, bool *left, struct err *e)
{
	struct copy	 c = { .from = from, .to = to, .e = e, .dir = "" };
	DIR		*d;
	size_t		 i;
	int		 rc;

	if (e != NULL)
		e->code = 0;
	rc = fstat(to, &c.top) == -1 ? fail(&c, errno, "stat", "") :
	    strs_put(&c.dirs, strdup(""));
	for (i = 0; rc == 0 && i < c.dirs.n; i++) {
		c.dir = c.dirs.v[i];
		if ((rc = open_both(&c)) < 0)
			break;
		if ((d = fdopendir(c.sfd)) == NULL) {
			rc = fail(&c, ENOMEM, "read", "");
			(void)close(c.sfd);
		} else {
			rc = fill_dir(&c, d);
			(void)closedir(d);
		}
		(void)close(c.dfd);
	}
	while (rc == 0 && i-- > 0) {
		c.dir = c.dirs.v[i];
		rc = close_dir(&c);
	}
	*left |= c.left;
	for (i = 0; i < c.slots; i++)
		free(c.inodes[i].path);
	free(c.inodes);
	strs_free(&c.dirs);
	return rc;
}
