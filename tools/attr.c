/*
 * attr.c: give an inode the attributes of an entry.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "attr.h"

bool
attr_next(struct rd *r, const char **name, const uint8_t **val, size_t *n)
{
	const uint8_t	*nul;

	if (r->bad || r->n == 0)
		return false;
	if ((nul = memchr(r->p, '\0', r->n)) == NULL) {
		r->bad = true;
		return false;
	}
	*name = (const char *)rd_bytes(r, (size_t)(nul - r->p) + 1);
	*n = rd_le32(r);
	*val = rd_bytes(r, *n);
	return !r->bad;
}

/* The value of one attribute in e's block; NULL: it has no such. */
static const uint8_t *
xattr_find(const struct ent *e, const char *attr, size_t *len)
{
	struct rd	 r = { e->xattr, e->xattrlen, false };
	const uint8_t	*v;
	const char	*name;

	while (attr_next(&r, &name, &v, len))
		if (strcmp(name, attr) == 0)
			return v;
	return NULL;
}

/* Bound to the inode or kept by the kernel: not ours to take away. */
static bool
stays(const char *attr)
{
	return strcmp(attr, "security.evm") == 0 ||
	    strcmp(attr, "security.selinux") == 0 ||
	    strncmp(attr, "trusted.overlay.", 16) == 0;
}

/* Take away what e does not have. */
static int
xattr_strip(int dfd, const char *name, const struct ent *e)
{
	char	*list, *p;
	size_t	 vlen;
	ssize_t	 n;
	int	 rc = 0;

	n = os_listxattr(dfd, name, NULL, 0);
	if (n == 0 || n == -ENOTSUP || n == -EOPNOTSUPP)
		return 0;
	if (n < 0)
		return (int)n;
	if ((list = malloc((size_t)n)) == NULL)
		return -ENOMEM;
	n = os_listxattr(dfd, name, list, (size_t)n);
	if (n < 0)
		rc = (int)n;
	for (p = list; rc == 0 && p < list + n; p += strlen(p) + 1) {
		if (stays(p) || xattr_find(e, p, &vlen) != NULL)
			continue;
		rc = os_removexattr(dfd, name, p);
		if (rc == -OS_ENOATTR)
			rc = 0;
	}
	free(list);
	return rc;
}

/* Set what e has; 1 where one can't be held here. */
static int
xattr_put_all(int dfd, const char *name, const struct ent *e)
{
	struct rd	 r = { e->xattr, e->xattrlen, false };
	const uint8_t	*v;
	const char	*attr;
	size_t		 len;
	int		 rc, left = 0;

	while (attr_next(&r, &attr, &v, &len)) {
		rc = os_setxattr(dfd, name, attr, v, len, 0);
		if (rc == -ENOTSUP || rc == -EOPNOTSUPP ||
		    (rc == -EPERM && strncmp(attr, "user.", 5) != 0))
			left = 1;
		else if (rc < 0)
			return rc;
	}
	return r.bad ? -EBADMSG : left;
}

/* Whether it is as wanted already: then a refusal to chown(2) is none. */
static bool
owned(int dfd, const char *name, const struct ent *e)
{
	struct stat	 st;

	return fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid == (uid_t)e->uid && st.st_gid == (gid_t)e->gid;
}

/*
 * What can't be opened was made with its mode, but its directory's default
 * ACL and the change of owner may have taken bits away.
 */
static int
set_mode(int dfd, const char *name, int fd, const struct ent *e)
{
	struct stat	 st;

	if (fd != -1)
		return fchmod(fd, (mode_t)e->mode);
	if (e->type == ENT_LNK)
		return 0;
	if (fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if ((st.st_mode & 07777) == (mode_t)e->mode)
		return 0;
	return fchmodat(dfd, name, (mode_t)e->mode, AT_SYMLINK_NOFOLLOW);
}

int
attr_set(int dfd, const char *name, int fd, const struct ent *e, bool fresh,
    struct err *err)
{
	struct timespec	 t[2] = { { 0, UTIME_OMIT },
			    { (time_t)e->mtime, (long)e->mtime_ns } };
	int		 rc, left = 0;

	/* The owner first: a change of owner takes set-id bits and
	 * capabilities away.  Lists before the mode, which is their mask. */
	rc = fd != -1 ? fchown(fd, (uid_t)e->uid, (gid_t)e->gid) :
	    fchownat(dfd, name, (uid_t)e->uid, (gid_t)e->gid,
	    AT_SYMLINK_NOFOLLOW);
	if (rc == -1 && !(errno == EPERM && owned(dfd, name, e)))
		return err_set(err, errno, "chown %s", e->path);
	if (!fresh && (rc = xattr_strip(dfd, name, e)) < 0)
		return err_set(err, -rc, "attributes of %s", e->path);
	if (e->xattrlen > 0 && (left = xattr_put_all(dfd, name, e)) < 0)
		return err_set(err, -left, "attributes of %s", e->path);
	if (set_mode(dfd, name, fd, e) == -1)
		return err_set(err, errno, "chmod %s", e->path);
	rc = fd != -1 ? futimens(fd, t) :
	    utimensat(dfd, name, t, AT_SYMLINK_NOFOLLOW);
	if (rc == -1)
		return err_set(err, errno, "set times of %s", e->path);
	return left;
}
