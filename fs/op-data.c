/*
 * op-data.c: the content of files.  There are no handles: what a request
 * needs is opened by its node and kept at hand for a while.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys.h"
#include "view.h"
#include "wire.h"

/*
 * The descriptor to change a file's content by, the change noted.
 */
static int
writable(struct view *v, struct node *n, const struct who *who)
{
	int	 fd, rc;

	if (n == NULL)
		return -ESTALE;
	if ((fd = fd_file(v, n, true)) < 0)
		return fd;
	rc = view_touch_node(v, n, JRN_WRITE, who);
	return rc < 0 ? rc : fd;
}

/* Once this is answered so, the kernel opens files without asking. */
void
op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, ENOSYS);
}

void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct view	*v = VIEW(req);
	struct node	*n;
	ssize_t		 k;
	int		 fd;

	(void)fi;
	fd = (n = view_node(v, ino)) == NULL ? -ESTALE : fd_file(v, n, false);
	if (fd < 0) {
		fuse_reply_err(req, -fd);
		return;
	}
	if (size > VIEW_WRITE)
		size = VIEW_WRITE;
	if ((k = pread(fd, v->out, size, off)) == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_buf(req, (const char *)v->out, (size_t)k);
}

void
op_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size,
    off_t off, struct fuse_file_info *fi)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*n = view_node(v, ino);
	ssize_t		 k;
	int		 fd, rc;

	(void)fi;
	if ((fd = writable(v, n, &who)) < 0) {
		fuse_reply_err(req, -fd);
		return;
	}
	if ((k = pwrite(fd, buf, size, off)) == -1) {
		fuse_reply_err(req, errno);
		return;
	}
	if (wire_write_kills(v->req) && (rc = view_killpriv(v, n, req)) < 0)
		fuse_reply_err(req, -rc);
	else
		fuse_reply_write(req, (size_t)k);
}

void
op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
    struct fuse_file_info *fi)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*n = view_node(v, ino);
	int		 rc;

	(void)fi;
	if ((rc = writable(v, n, &who)) >= 0)
		rc = sys_fallocate(rc, mode, off, len);
	/* Here and for copies nothing tells of the user's rights but that. */
	if (rc == 0 && who.uid != 0)
		rc = view_killpriv(v, n, req);
	fuse_reply_err(req, -rc);
}

void
op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
    struct fuse_file_info *fi)
{
	struct view	*v = VIEW(req);
	struct node	*n;
	int		 fd;

	(void)fi;
	fd = (n = view_node(v, ino)) == NULL ? -ESTALE : fd_file(v, n, false);
	if (fd < 0)
		fuse_reply_err(req, -fd);
	else if ((off = lseek(fd, off, whence)) == -1)
		fuse_reply_err(req, errno);
	else
		fuse_reply_lseek(req, off);
}

void
op_copy(fuse_req_t req, fuse_ino_t in, off_t ioff, struct fuse_file_info *ifi,
    fuse_ino_t out, off_t ooff, struct fuse_file_info *ofi, size_t len,
    int flags)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*n, *to = view_node(v, out);
	ssize_t		 k;
	int		 ifd, ofd, rc;

	(void)ifi;
	(void)ofi;
	ifd = (n = view_node(v, in)) == NULL ? -ESTALE : fd_file(v, n, false);
	if (ifd >= 0 && (ofd = writable(v, to, &who)) < 0)
		ifd = ofd;
	if (ifd < 0) {
		fuse_reply_err(req, -ifd);
		return;
	}
	k = sys_copy_range(ifd, ioff, ofd, ooff, len, (unsigned)flags);
	if (k >= 0 && who.uid != 0 && (rc = view_killpriv(v, to, req)) < 0)
		k = rc;
	if (k < 0)
		fuse_reply_err(req, (int)-k);
	else
		fuse_reply_write(req, (size_t)k);
}
