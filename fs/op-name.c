/*
 * op-name.c: names that come, go and move.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "past.h"
#include "sys.h"
#include "view.h"

/* What making a name needs. */
struct making {
	struct view	*v;
	struct node	*dir;
	int		 dfd;	/* of dir */
	const char	*name;
	mode_t		 mode;	/* as asked for, before the umask */
	struct who	 who;
};

/* Look up the directory and note the change; 0 or -errno. */
static int
begin(struct making *m, fuse_req_t req, fuse_ino_t parent, const char *name,
    mode_t mode, enum jrn_op op)
{
	const struct fuse_ctx	*c = fuse_req_ctx(req);
	unsigned		 flags = JRN_BORN;
	int			 rc;

	m->v = VIEW(req);
	m->name = name;
	m->mode = mode;
	m->who = view_who(req);
	if (view_past(m->v, parent, name))
		return -EEXIST;
	if ((m->dir = view_node(m->v, parent)) == NULL)
		return -ESTALE;
	if ((m->dfd = fd_dir(m->v, m->dir)) < 0)
		return m->dfd;
	if (m->dir->fd != -1)
		return -ENOENT;		/* removed */
	if (op == JRN_LINK)
		flags |= JRN_LINKED;
	/* Whether the umask counts is for the RAM disk to say: an ACL of
	 * the directory takes its place. */
	if (m->v->mask != c->umask) {
		m->v->mask = c->umask;
		(void)umask(c->umask);
	}
	if ((rc = view_touched(m->v, m->dir, name, 0, &m->who)) != 0)
		return rc < 0 ? rc : 0;
	return view_touch(m->v, m->dir, name, op, flags, &m->who);
}

/* Make the new object (which fd may be open for, or -1) the caller's, as
 * if he had made it on the RAM disk himself; *st becomes its state. */
static int
own(const struct making *m, int fd, struct stat *st)
{
	struct stat	 d;
	gid_t		 gid = m->who.gid;

	if ((fd != -1 ? fstat(fd, st) :
	    fstatat(m->dfd, m->name, st, AT_SYMLINK_NOFOLLOW)) == -1)
		return -errno;
	if (st->st_uid == m->who.uid && st->st_gid == gid)
		return 0;
	if (st->st_gid != gid) {
		if (fstat(m->dfd, &d) == -1)
			return -errno;
		if (sys_group_of_dir(d.st_mode))
			gid = st->st_gid;
		if (st->st_uid == m->who.uid && st->st_gid == gid)
			return 0;
	}
	if (fchownat(m->dfd, m->name, m->who.uid, gid,
	    AT_SYMLINK_NOFOLLOW) == -1)
		return -errno;
	/* That took these bits away. */
	if (!S_ISDIR(st->st_mode) && !S_ISLNK(st->st_mode) &&
	    (st->st_mode & (S_ISUID | S_ISGID)) != 0 &&
	    fchmodat(m->dfd, m->name, st->st_mode & 07777, 0) == -1)
		return -errno;
	if (fstatat(m->dfd, m->name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return -errno;
	return 0;
}

/* The object is made, or could not be: rc, a descriptor of it or 0 or
 * -errno.  Complete it; *e is then the answer.  What can't be completed is
 * taken back. */
static int
finish(const struct making *m, int rc, struct fuse_entry_param *e)
{
	struct stat	 st;

	if (rc < 0)
		return rc;
	if ((rc = own(m, rc > 0 ? rc : -1, &st)) == 0)
		rc = view_entry(m->v, m->dir, m->name, &st, e);
	if (rc < 0)
		(void)unlinkat(m->dfd, m->name,
		    S_ISDIR(m->mode) ? AT_REMOVEDIR : 0);
	return rc;
}

static void
reply_entry(fuse_req_t req, int rc, const struct fuse_entry_param *e)
{
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_entry(req, e);
}

void
op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    dev_t rdev)
{
	struct fuse_entry_param	 e;
	struct making		 m;
	int			 rc;

	if ((rc = begin(&m, req, parent, name, mode, JRN_CREATE)) == 0) {
		rc = sys_mknodat(m.dfd, name, mode, rdev);
		rc = finish(&m, rc, &e);
	}
	reply_entry(req, rc, &e);
}

void
op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param	 e;
	struct making		 m;
	int			 rc;

	rc = begin(&m, req, parent, name, S_IFDIR | mode, JRN_MKDIR);
	if (rc == 0) {
		rc = mkdirat(m.dfd, name, mode) == -1 ? -errno : 0;
		rc = finish(&m, rc, &e);
	}
	reply_entry(req, rc, &e);
}

void
op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name)
{
	struct fuse_entry_param	 e;
	struct making		 m;
	int			 rc;

	rc = begin(&m, req, parent, name, S_IFLNK, JRN_SYMLINK);
	if (rc == 0) {
		rc = symlinkat(target, m.dfd, name) == -1 ? -errno : 0;
		rc = finish(&m, rc, &e);
	}
	reply_entry(req, rc, &e);
}

void
op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct fuse_entry_param	 e;
	struct making		 m;
	struct view		*v = VIEW(req);
	int			 fd = -1, rc;

	rc = begin(&m, req, parent, name, S_IFREG | mode, JRN_CREATE);
	if (rc == 0) {
		/* The kernel asks where the name is not there: should it be
		 * now, it came behind our back, and EEXIST says so. */
		fd = openat(m.dfd, name, O_RDWR | O_CREAT | O_EXCL |
		    O_NOFOLLOW | O_CLOEXEC, mode & 07777);
		rc = finish(&m, fd == -1 ? -errno : fd, &e);
	}
	if (rc < 0) {
		if (fd != -1)
			(void)close(fd);
		fuse_reply_err(req, -rc);
		return;
	}
	fd_give(v, node_get(&v->nodes, (uint64_t)e.attr.st_ino), fd);
	/* The handle owns nothing: it may never be released. */
	fi->fh = 0;
	fi->keep_cache = 1;
	/* By a handle that can't be read or mapped the cache is no use, and
	 * without it the kernel need not ask for security.capability before
	 * a new file's first write. */
	if ((fi->flags & O_ACCMODE) == O_WRONLY)
		fi->direct_io = 1;
	fuse_reply_create(req, &e, fi);
}

void
op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	struct fuse_entry_param	 e;
	struct making		 m;
	struct node		*n = NULL;
	struct stat		 st;
	const char		*old;
	int			 dfd, rc;

	rc = (ino & PAST_BIT) != 0 ? -EXDEV :
	    begin(&m, req, parent, name, 0, JRN_LINK);
	if (rc == 0 && (n = view_node(m.v, ino)) == NULL)
		rc = -ESTALE;
	/* What is done by the new name later shows under the old one too. */
	if (rc == 0)
		rc = view_touch_node(m.v, n, JRN_LINK, &m.who);
	if (rc == 0 && (dfd = view_reach(m.v, n, &old)) < 0)
		rc = dfd;
	if (rc == 0 && old == NULL)
		rc = sys_linkfd(dfd, m.dfd, name);
	else if (rc == 0 && linkat(dfd, old, m.dfd, name, 0) == -1)
		rc = -errno;
	if (rc == 0 && fstatat(m.dfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		rc = -errno;
	if (rc == 0)
		rc = view_entry(m.v, m.dir, name, &st, &e);
	reply_entry(req, rc, &e);
}

/* Note that `name` in dir is about to be changed as a whole. */
static int
touch_name(struct view *v, struct node *dir, int dfd, const char *name,
    enum jrn_op op, unsigned flags, const struct who *who)
{
	struct stat	 st;
	int		 rc;

	if ((rc = view_touched(v, dir, name, flags, who)) != 0)
		return rc < 0 ? rc : 0;
	if (fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISDIR(st.st_mode) && st.st_nlink > 1)
		flags |= JRN_LINKED;
	return view_touch(v, dir, name, op, flags, who);
}

static void
take_away(fuse_req_t req, fuse_ino_t parent, const char *name, bool isdir)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*dir, *n = NULL;
	struct name	*m;
	int		 dfd, rc;

	if (view_past(v, parent, name)) {
		fuse_reply_err(req, EBUSY);
		return;
	}
	if ((dir = view_node(v, parent)) == NULL) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if ((dfd = fd_dir(v, dir)) < 0) {
		fuse_reply_err(req, -dfd);
		return;
	}
	rc = touch_name(v, dir, dfd, name, isdir ? JRN_RMDIR : JRN_UNLINK, 0,
	    &who);
	if ((m = name_find(&v->nodes, dir, name)) != NULL)
		n = m->node;
	if (rc == 0 && n != NULL)
		rc = fd_keep(v, n, m);
	if (rc == 0 && unlinkat(dfd, name, isdir ? AT_REMOVEDIR : 0) == -1)
		rc = -errno;
	if (rc == 0 && n != NULL) {
		name_drop(&v->nodes, m);
	} else if (n != NULL)
		fd_unkeep(v, n);
	fuse_reply_err(req, -rc);
}

void
op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take_away(req, parent, name, false);
}

void
op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	take_away(req, parent, name, true);
}

/* A rename. */
struct moving {
	struct node	*dir[2];	/* old, new */
	const char	*name[2];
	int		 dfd[2];
	struct name	*m[2];		/* what is known there, or NULL */
	unsigned	 flags;		/* OS_RENAME_* */
};

static int
move_touch(struct view *v, const struct moving *r, const struct who *who)
{
	unsigned	 flags = 0;
	bool		 tree = false;
	int		 i, rc;

	for (i = 0; i < 2; i++)
		if (r->m[i] != NULL && S_ISDIR(r->m[i]->node->type))
			tree = true;
	for (i = 0; i < 2; i++) {
		flags = tree ? JRN_TREE : 0;
		if (i == 1 && r->m[1] == NULL)
			flags |= JRN_BORN;
		rc = touch_name(v, r->dir[i], r->dfd[i], r->name[i],
		    JRN_RENAME, flags, who);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The rename took place: so do the known names.  Where memory is short a
 * name is unknown until it is looked up again. */
static int
move_names(struct view *v, const struct moving *r)
{
	struct node	*n[2];
	int		 i, rc = 0;

	for (i = 0; i < 2; i++)
		n[i] = r->m[i] == NULL ? NULL : r->m[i]->node;
	if (n[0] == n[1])
		return 0;	/* two names of one file: nothing happens */
	for (i = 0; i < 2; i++)
		if (r->m[i] != NULL)
			name_drop(&v->nodes, r->m[i]);
	if (n[0] != NULL)
		rc = name_add(&v->nodes, n[0], r->dir[1], r->name[1]);
	if (n[1] != NULL && (r->flags & OS_RENAME_EXCHANGE) != 0 && rc == 0)
		rc = name_add(&v->nodes, n[1], r->dir[0], r->name[0]);
	return rc;
}

static int
move(struct view *v, struct moving *r, const struct who *who)
{
	struct node	*over = NULL;
	int		 i, rc;

	for (i = 0; i < 2; i++) {
		if (r->dir[i] == NULL)
			return -ESTALE;
		if ((r->dfd[i] = fd_dir(v, r->dir[i])) < 0)
			return r->dfd[i];
		r->m[i] = name_find(&v->nodes, r->dir[i], r->name[i]);
	}
	/* Not every kernel looks after this. */
	if (r->m[0] != NULL && node_above(r->m[0]->node, r->dir[1]))
		return -EINVAL;
	if ((rc = move_touch(v, r, who)) < 0)
		return rc;
	if (r->m[1] != NULL && (r->flags & OS_RENAME_EXCHANGE) == 0) {
		over = r->m[1]->node;
		if ((rc = fd_keep(v, over, r->m[1])) < 0)
			return rc;
	}
	rc = r->flags == 0 ?
	    renameat(r->dfd[0], r->name[0], r->dfd[1], r->name[1]) == -1 ?
	    -errno : 0 : os_renameat(r->dfd[0], r->name[0], r->dfd[1],
	    r->name[1], r->flags);
	if (rc == 0)
		rc = move_names(v, r);
	if (over != NULL)
		fd_unkeep(v, over);	/* where it still has its name */
	return rc;
}

void
op_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t nparent, const char *nname, unsigned flags)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct moving	 r = {
		.dir = { view_node(v, parent), view_node(v, nparent) },
		.name = { name, nname },
		.flags = flags,
	};

	if (view_past(v, parent, name) || view_past(v, nparent, nname))
		fuse_reply_err(req, EBUSY);
	else if ((nparent & PAST_BIT) != 0)
		fuse_reply_err(req, EROFS);
	else
		fuse_reply_err(req, -move(v, &r, &who));
}
