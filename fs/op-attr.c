/*
 * op-attr.c: finding objects, and their attributes.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "past.h"
#include "sys.h"
#include "view.h"

#define FOREVER 1e9		/* seconds: all changes come through us */

int
view_entry(struct view *v, struct node *dir, const char *name,
    const struct stat *st, struct fuse_entry_param *e)
{
	struct node	*n;

	if ((n = node_enter(&v->nodes, dir, name, st)) == NULL)
		return -ENOMEM;
	if (n->fd != -1)
		fd_unkeep(v, n);
	n->type = st->st_mode & S_IFMT;
	n->nlookup++;
	memset(e, 0, sizeof(*e));
	e->ino = node_id(&v->nodes, n->ino);
	e->attr = *st;
	e->attr_timeout = e->entry_timeout = FOREVER;
	return 0;
}

/* The window into history: what it is called stays, what it looks like
 * changes with each look. */
static void
reply_past(fuse_req_t req)
{
	struct fuse_entry_param	 e;

	memset(&e, 0, sizeof(e));
	e.ino = PAST_ROOT;
	past_stat(VIEW(req)->past, &e.attr);
	e.entry_timeout = FOREVER;
	fuse_reply_entry(req, &e);
}

void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct view		*v = VIEW(req);
	struct node		*dir;
	struct fuse_entry_param	 e;
	struct stat		 st;
	int			 dfd, rc;

	if (view_past(v, parent, name)) {
		reply_past(req);
		return;
	}
	if ((dir = view_node(v, parent)) == NULL ||
	    (dfd = fd_dir(v, dir)) == -ESTALE) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (dfd < 0) {
		fuse_reply_err(req, -dfd);
		return;
	}
	if (fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno != ENOENT) {
			fuse_reply_err(req, errno);
			return;
		}
		/* A missing name is remembered, too. */
		memset(&e, 0, sizeof(e));
		e.entry_timeout = FOREVER;
		fuse_reply_entry(req, &e);
		return;
	}
	if ((rc = view_entry(v, dir, name, &st, &e)) < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_entry(req, &e);
}

void
op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t n)
{
	view_forget(VIEW(req), ino, n);
	fuse_reply_none(req);
}

void
op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *f)
{
	size_t	 i;

	for (i = 0; i < count; i++)
		view_forget(VIEW(req), f[i].ino, f[i].nlookup);
	fuse_reply_none(req);
}

void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct view	*v = VIEW(req);
	struct node	*n;
	struct stat	 st;
	int		 rc;

	(void)fi;	/* handles own nothing */
	if (v->past != NULL && ino == PAST_ROOT) {
		past_stat(v->past, &st);
		fuse_reply_attr(req, &st, 0);
		return;
	}
	if ((n = view_node(v, ino)) == NULL)
		rc = -ESTALE;
	else
		rc = view_stat(v, n, &st);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, FOREVER);
}

static int
do_chmod(const struct node *n, int dfd, const char *name, mode_t mode)
{
	if (S_ISLNK(n->type))
		return -EOPNOTSUPP;	/* fchmodat(2) would follow it */
	if (name == NULL)
		return sys_fchmod(dfd, mode);
	return fchmodat(dfd, name, mode, 0) == -1 ? -errno : 0;
}

static int
do_chown(int dfd, const char *name, uid_t uid, gid_t gid)
{
	if (name == NULL)
		return sys_fchown(dfd, uid, gid);
	return fchownat(dfd, name, uid, gid, AT_SYMLINK_NOFOLLOW) == -1 ?
	    -errno : 0;
}

static int
do_utimens(int dfd, const char *name, const struct timespec ts[2])
{
	if (name == NULL)
		return sys_futimens(dfd, ts);
	return utimensat(dfd, name, ts, AT_SYMLINK_NOFOLLOW) == -1 ?
	    -errno : 0;
}

static struct timespec
new_time(int set, int valid, int now, const struct timespec *t)
{
	struct timespec	 ts = *t;

	if ((set & now) != 0)
		ts.tv_nsec = UTIME_NOW;
	else if ((set & valid) == 0)
		ts.tv_nsec = UTIME_OMIT;
	return ts;
}

static int
do_truncate(struct view *v, struct node *n, off_t size)
{
	int	 fd;

	if ((fd = fd_file(v, n, true)) < 0)
		return fd;
	return ftruncate(fd, size) == -1 ? -errno : 0;
}

#define SET_OWNER	(FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)
#define SET_ATIME	(FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW)
#define SET_TIMES	(SET_ATIME | FUSE_SET_ATTR_MTIME | \
			    FUSE_SET_ATTR_MTIME_NOW)

static int
set_attrs(struct view *v, struct node *n, const struct stat *want, int set,
    fuse_req_t req)
{
	struct timespec	 ts[2];
	const char	*name;
	int		 dfd, rc = 0;

	if ((set & FUSE_SET_ATTR_SIZE) != 0) {
		if ((rc = do_truncate(v, n, want->st_size)) < 0)
			return rc;
		if ((set & FUSE_SET_ATTR_KILL_SUID) != 0 &&
		    (rc = view_killpriv(v, n, req)) < 0)
			return rc;
	}
	if ((set & ~(FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_KILL_SUID)) == 0)
		return 0;
	if (S_ISREG(n->type) && (dfd = fd_now(v, n)) != -1)
		name = NULL;
	else if ((dfd = view_reach(v, n, &name)) < 0)
		return dfd;
	/* The owner first: to change it strips suid from the mode. */
	if ((set & SET_OWNER) != 0)
		rc = do_chown(dfd, name,
		    (set & FUSE_SET_ATTR_UID) != 0 ? want->st_uid : (uid_t)-1,
		    (set & FUSE_SET_ATTR_GID) != 0 ? want->st_gid : (gid_t)-1);
	if (rc == 0 && (set & FUSE_SET_ATTR_MODE) != 0)
		rc = do_chmod(n, dfd, name, want->st_mode & 07777);
	if (rc == 0 && (set & SET_TIMES) != 0) {
		ts[0] = new_time(set, FUSE_SET_ATTR_ATIME,
		    FUSE_SET_ATTR_ATIME_NOW, &want->st_atim);
		ts[1] = new_time(set, FUSE_SET_ATTR_MTIME,
		    FUSE_SET_ATTR_MTIME_NOW, &want->st_mtim);
		rc = do_utimens(dfd, name, ts);
	}
	return rc;
}

void
op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *want, int set,
    struct fuse_file_info *fi)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*n;
	struct stat	 st;
	int		 rc = 0;

	(void)fi;
	if ((n = view_node(v, ino)) == NULL) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	/* Nobody misses the time of a last reading. */
	if ((set & ~(SET_ATIME | FUSE_SET_ATTR_CTIME)) != 0)
		rc = view_touch_node(v, n, (set & FUSE_SET_ATTR_SIZE) != 0 ?
		    JRN_WRITE : JRN_ATTR, &who);
	if (rc == 0)
		rc = set_attrs(v, n, want, set & ~FUSE_SET_ATTR_CTIME, req);
	if (rc == 0)
		rc = view_stat(v, n, &st);
	if (rc < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_attr(req, &st, FOREVER);
}

void
op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct view	*v = VIEW(req);
	struct node	*n;
	const char	*name;
	char		*buf = (char *)v->out;
	ssize_t		 len;
	int		 dfd;

	if ((n = view_node(v, ino)) == NULL) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if ((dfd = view_reach(v, n, &name)) < 0) {
		fuse_reply_err(req, -dfd);
		return;
	}
	/* "": the link that the descriptor itself names. */
	len = readlinkat(dfd, name == NULL ? "" : name, buf, VIEW_WRITE - 1);
	if (len == -1) {
		fuse_reply_err(req, errno);
		return;
	}
	buf[len] = '\0';
	fuse_reply_readlink(req, buf);
}

void
op_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct statvfs	 s;

	(void)ino;	/* it is one file system */
	if (fstatvfs(VIEW(req)->rootfd, &s) == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_statfs(req, &s);
}
