/*
 * view.c: what the operations of the view share.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "past.h"
#include "sys.h"
#include "touch.h"
#include "view.h"

struct node *
view_node(struct view *v, fuse_ino_t id)
{
	/* The exchange of numbers is its own inverse. */
	return node_get(&v->nodes, node_id(&v->nodes, id));
}

bool
view_past(const struct view *v, fuse_ino_t parent, const char *name)
{
	return v->past != NULL && parent == FUSE_ROOT_ID &&
	    strcmp(name, PAST_NAME) == 0;
}

/* design: caches that last, no atomic truncation (it would be lost where
 * open is not asked), no lock handlers. */
static void
op_init(void *arg, struct fuse_conn_info *c)
{
	static const unsigned	 on = FUSE_CAP_EXPLICIT_INVAL_DATA |
	    FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_READDIRPLUS |
	    FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_POSIX_ACL |
	    FUSE_CAP_DONT_MASK | FUSE_CAP_PARALLEL_DIROPS |
	    FUSE_CAP_ASYNC_READ;
	static const unsigned	 off = FUSE_CAP_ATOMIC_O_TRUNC |
	    FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE |
	    FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_SPLICE_READ |
	    FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
	    FUSE_CAP_ASYNC_DIO;
	struct view		*v = arg;

	c->want |= c->capable & on;
	c->want &= ~off;
	c->max_write = VIEW_WRITE;
	v->inited = true;
}

struct who
view_who(fuse_req_t req)
{
	const struct fuse_ctx	*c = fuse_req_ctx(req);

	return (struct who){ c->uid, c->gid, c->pid };
}

int
view_reach(struct view *v, struct node *n, const char **name)
{
	if (n == v->nodes.root) {
		*name = ".";
		return v->rootfd;
	}
	if (n->fd != -1) {
		*name = NULL;
		return n->fd;
	}
	if (n->names == NULL)
		return -ESTALE;
	*name = n->names->s;
	return fd_dir(v, n->names->dir);
}

int
view_stat(struct view *v, struct node *n, struct stat *st)
{
	const char	*name;
	int		 dfd;

	/* Without a name to be looked up it is quicker. */
	if ((dfd = fd_now(v, n)) != -1)
		return fstat(dfd, st) == -1 ? -errno : 0;
	if ((dfd = view_reach(v, n, &name)) < 0)
		return dfd;
	if (fstatat(dfd, name, st, AT_SYMLINK_NOFOLLOW) == -1)
		return -errno;
	/* Another object under this name: changed behind our back. */
	return (uint64_t)st->st_ino == n->ino ? 0 : -ESTALE;
}

bool
view_member(fuse_req_t req, gid_t gid)
{
	gid_t	*list;
	int	 i, n;
	bool	 in = fuse_req_ctx(req)->gid == gid;

	if (in || (n = fuse_req_getgroups(req, 0, NULL)) <= 0 ||
	    (list = malloc((size_t)n * sizeof(*list))) == NULL)
		return in;
	if (fuse_req_getgroups(req, n, list) == n)
		for (i = 0; i < n && !in; i++)
			in = list[i] == gid;
	free(list);
	return in;
}

int
view_killpriv(struct view *v, struct node *n, fuse_req_t req)
{
	struct stat	 st;
	mode_t		 kill;
	int		 fd;

	if ((fd = fd_file(v, n, true)) < 0)
		return fd;
	if (fstat(fd, &st) == -1)
		return -errno;
	/* As Linux does it for a local file system: setgid without the
	 * right to execute only where the user is not of the group. */
	kill = st.st_mode & S_ISUID;
	if ((st.st_mode & S_ISGID) != 0 && ((st.st_mode & S_IXGRP) != 0 ||
	    !view_member(req, st.st_gid)))
		kill |= S_ISGID;
	return kill == 0 ? 0 : view_clear(v, n, fd, st.st_mode & ~kill);
}

int
view_clear(struct view *v, struct node *n, int fd, mode_t mode)
{
	int	 rc;

	if ((rc = sys_fchmod(fd, mode & 07777)) < 0)
		return rc;
	/* The kernel goes by its copy of the mode, which no write's answer
	 * brings up to date; its attributes alone are meant by -1.  If it
	 * has none any more, so much the better. */
	if (sys_notifies())
		(void)fuse_lowlevel_notify_inval_inode(v->se,
		    node_id(&v->nodes, n->ino), -1, 0);
	return 0;
}

void
view_forget(struct view *v, fuse_ino_t id, uint64_t count)
{
	struct node	*n = view_node(v, id);

	v->nforget += count;
	if (v->past != NULL && (id & PAST_BIT) != 0)
		past_forget(v->past, id, count);
	if (n == NULL || n == v->nodes.root)
		return;
	n->nlookup = n->nlookup > count ? n->nlookup - count : 0;
	node_release(&v->nodes, n);
}

int
view_touched(struct view *v, struct node *dir, const char *name,
    unsigned flags, const struct who *who)
{
	return v->touch == NULL ? 1 :
	    touch_again(v->touch, dir, name, flags, who);
}

int
view_touch(struct view *v, struct node *dir, const char *name, enum jrn_op op,
    unsigned flags, const struct who *who)
{
	return v->touch == NULL ? 0 :
	    touch_new(v->touch, dir, name, op, flags, who);
}

int
view_touch_node(struct view *v, struct node *n, enum jrn_op op,
    const struct who *who)
{
	struct stat	 st;
	unsigned	 flags = 0;
	int		 rc;

	if (v->touch == NULL)
		return 0;
	if (n->names == NULL && n != v->nodes.root) {
		/* No part of any tree, unless it has a name that nobody
		 * looked up: who knows where. */
		if (view_stat(v, n, &st) == 0 && st.st_nlink > 0 &&
		    !S_ISDIR(st.st_mode))
			return touch_scan(v->touch);
		return 0;
	}
	if ((rc = touch_again(v->touch, n, NULL, 0, who)) != 0)
		return rc < 0 ? rc : 0;
	if ((rc = view_stat(v, n, &st)) < 0)
		return rc;
	if (st.st_nlink > 1 && !S_ISDIR(st.st_mode))
		flags |= JRN_LINKED;
	return touch_new(v->touch, n, NULL, op, flags, who);
}

/*
 * What libfuse answers ENOSYS for, for want of a function, is meant so:
 * flush, fsync and fsyncdir have nothing to do on a RAM disk, and once
 * told the kernel asks no more.  The same answer to open and opendir
 * makes it open files by itself; there are no handles.  Locks are the
 * kernel's own.
 */
const struct fuse_lowlevel_ops view_ops = {
	.init		= op_init,
	.lookup		= op_lookup,
	.forget		= op_forget,
	.forget_multi	= op_forget_multi,
	.getattr	= op_getattr,
	.setattr	= op_setattr,
	.readlink	= op_readlink,
	.statfs		= op_statfs,
	.mknod		= op_mknod,
	.mkdir		= op_mkdir,
	.symlink	= op_symlink,
	.create		= op_create,
	.link		= op_link,
	.unlink		= op_unlink,
	.rmdir		= op_rmdir,
	.rename		= op_rename,
	.open		= op_open,
	.opendir	= op_open,
	.read		= op_read,
	.write		= op_write,
	.fallocate	= op_fallocate,
	.lseek		= op_lseek,
	.copy_file_range = op_copy,
	.readdir	= op_readdir,
	.readdirplus	= op_readdirplus,
	.setxattr	= op_setxattr,
	.getxattr	= op_getxattr,
	.listxattr	= op_listxattr,
	.removexattr	= op_removexattr,
};
