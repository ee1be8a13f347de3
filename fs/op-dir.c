/*
 * op-dir.c: listing directories.  The positions are the RAM disk's own,
 * so that a listing can go on from anywhere without a handle.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"
#include "view.h"

/* One entry into the answer: its size, or 0 where it does not fit. */
static size_t
add(fuse_req_t req, struct node *dir, int dfd, const struct dirent *d,
    char *out, size_t room, bool plus)
{
	struct view		*v = VIEW(req);
	struct fuse_entry_param	 e;
	struct stat		 st;
	size_t			 n;
	bool			 dots;

	memset(&st, 0, sizeof(st));
	st.st_ino = d->d_ino;
	st.st_mode = (mode_t)DTTOIF(d->d_type);
	if (!plus) {
		n = fuse_add_direntry(req, out, room, d->d_name, &st,
		    sys_dirent_off(d));
		return n > room ? 0 : n;
	}
	memset(&e, 0, sizeof(e));
	e.attr = st;
	n = fuse_add_direntry_plus(req, NULL, 0, d->d_name, &e, 0);
	if (n > room)
		return 0;
	dots = strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
	/* What can't be looked up now is listed by its type alone. */
	if (!dots && fstatat(dfd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    view_entry(v, dir, d->d_name, &st, &e) < 0)
		e = (struct fuse_entry_param){ .attr = st };
	return fuse_add_direntry_plus(req, out, room, d->d_name, &e,
	    sys_dirent_off(d));
}

/* Fill the answer from the position off: bytes, or -errno. */
static ssize_t
fill(fuse_req_t req, struct node *dir, size_t size, off_t off, bool plus)
{
	struct view	*v = VIEW(req);
	/* Raw entries go into the second half of the room for answers; the
	 * ones that don't fit are read once more. */
	uint8_t		*raw = v->out + VIEW_WRITE / 2;
	const struct dirent *d;
	size_t		 used = 0, n, want;
	ssize_t		 k, i;
	off_t		*pos;
	int		 dfd;

	if ((dfd = fd_dir(v, dir)) < 0)
		return dfd;
	pos = fd_pos(v, dir);
	if ((pos == NULL || *pos != off || off == 0) &&
	    lseek(dfd, off, SEEK_SET) == -1)
		return -errno;
	if (size > VIEW_WRITE / 2)
		size = VIEW_WRITE / 2;
	/* Entries with attributes take four times the room or more. */
	want = plus ? size / 4 : size;
	if (want < 1024)
		want = 1024;
	if (pos != NULL)
		*pos = -1;
	if ((k = sys_getdents(dfd, raw, want)) < 0)
		return k;
	for (i = 0; i < k; i += d->d_reclen) {
		d = (const struct dirent *)(raw + i);
		n = add(req, dir, dfd, d, (char *)v->out + used, size - used,
		    plus);
		if (n == 0)
			break;
		used += n;
		off = sys_dirent_off(d);
	}
	if (i < k && used == 0)
		return -EINVAL;		/* as getdents(2) */
	if (i >= k && pos != NULL)
		*pos = off;
	return (ssize_t)used;
}

static void
list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct view	*v = VIEW(req);
	struct node	*dir;
	ssize_t		 n;

	if ((dir = view_node(v, ino)) == NULL)
		n = -ESTALE;
	else
		n = fill(req, dir, size, off, plus);
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else
		fuse_reply_buf(req, (const char *)v->out, (size_t)n);
}

void
op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void
op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
