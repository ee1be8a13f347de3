/*
 * osdep-freebsd.c: what the daemon alone needs of FreeBSD.
 */
#include <sys/param.h>
#include <sys/extattr.h>
#include <sys/linker.h>
#include <sys/mount.h>
#include <sys/procctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "sys.h"

#define VIEW_TYPE "fusefs.cfgfs"

int
sys_ready(struct err *e)
{
	if (access("/dev/fuse", R_OK | W_OK) == 0)
		return 0;
	if (errno == ENOENT && kldload("fusefs") != -1 &&
	    access("/dev/fuse", R_OK | W_OK) == 0)
		return 0;
	return err_set(e, errno, "open /dev/fuse");
}

/* The options of nmount(2): pairs of name and value. */
struct pairs {
	struct iovec	 v[24];
	unsigned	 n;
};

static void
pair(struct pairs *p, const char *name, const char *value)
{
	p->v[p->n].iov_base = (void *)(uintptr_t)name;
	p->v[p->n++].iov_len = strlen(name) + 1;
	p->v[p->n].iov_base = (void *)(uintptr_t)value;
	p->v[p->n++].iov_len = value == NULL ? 0 : strlen(value) + 1;
}

int
sys_mount(const char *dir, const char *from, unsigned flags, struct err *e)
{
	struct pairs	 p = { .n = 0 };
	char		 num[16];
	int		 fd, mnt = 0, rc;

	if ((fd = open("/dev/fuse", O_RDWR | O_CLOEXEC)) == -1)
		return err_set(e, errno, "open /dev/fuse");
	(void)snprintf(num, sizeof(num), "%d", fd);
	pair(&p, "fstype", "fusefs");
	pair(&p, "fspath", dir);
	pair(&p, "from", "/dev/fuse");
	pair(&p, "fd", num);
	/* So the kernel spells these: it looks for nothing else. */
	pair(&p, "subtype=", "cfgfs");
	pair(&p, "fsname=", from);
	pair(&p, "default_permissions", NULL);
	pair(&p, "allow_other", NULL);
	/* Without this every file that was read sends its time at close. */
	mnt |= MNT_NOATIME;
	if ((flags & SYS_NOSUID) != 0)
		mnt |= MNT_NOSUID;
	if ((flags & SYS_NOEXEC) != 0)
		mnt |= MNT_NOEXEC;
	if (nmount(p.v, p.n, mnt) == -1) {
		rc = err_set(e, errno, "mount %s", dir);
		(void)close(fd);
		return rc;
	}
	return fd;
}

bool
sys_is_view(const char *type)
{
	return strcmp(type, VIEW_TYPE) == 0;
}

/* Kernels before 14 take ENOSYS for an answer to OPEN and OPENDIR only
 * where INIT's answer has these, too. */
#define NO_OPEN_SUPPORT		(1u << 17)
#define NO_OPENDIR_SUPPORT	(1u << 24)

uint32_t
sys_init_flags(uint32_t offered)
{
	return offered & (NO_OPEN_SUPPORT | NO_OPENDIR_SUPPORT);
}

bool
sys_notifies(void)
{
	return false;
}

#ifndef O_PATH			/* before 13.1 */
#define O_PATH (O_RDONLY | O_NONBLOCK)
#endif
#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0
#endif

int
sys_open_path(int dfd, const char *name)
{
	int	 fd = openat(dfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

int
sys_fchmod(int fd, mode_t mode)
{
	if (fchmod(fd, mode) == 0)
		return 0;
	if (errno != EBADF)
		return -errno;
	return fchmodat(fd, "", mode, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

int
sys_fchown(int fd, uid_t uid, gid_t gid)
{
	if (fchown(fd, uid, gid) == 0)
		return 0;
	if (errno != EBADF)
		return -errno;
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

int
sys_futimens(int fd, const struct timespec ts[2])
{
	if (futimens(fd, ts) == 0)
		return 0;
	if (errno != EBADF)
		return -errno;
	return utimensat(fd, "", ts, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

int
sys_linkfd(int fd, int ndfd, const char *nname)
{
	return linkat(fd, "", ndfd, nname, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

/* There is no socket without somebody who binds it. */
static int
make_socket(int dfd, const char *name, mode_t mode)
{
	struct sockaddr_un	 sun;
	int			 fd, rc = 0;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if (strlen(name) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, name, strlen(name));
	sun.sun_len = (unsigned char)SUN_LEN(&sun);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -errno;
	if (bindat(dfd, fd, (struct sockaddr *)&sun, sun.sun_len) == -1)
		rc = errno == EADDRINUSE ? -EEXIST : -errno;
	else if (fchmodat(dfd, name, mode, AT_SYMLINK_NOFOLLOW) == -1)
		rc = -errno;
	(void)close(fd);
	return rc;
}

int
sys_mknodat(int dfd, const char *name, mode_t mode, dev_t rdev)
{
	int	 fd;

	/* The kernel gives a fifo a device, and takes none back with one. */
	if (S_ISFIFO(mode))
		return mkfifoat(dfd, name, mode & 07777) == -1 ? -errno : 0;
	if (S_ISSOCK(mode))
		return make_socket(dfd, name, mode & 07777);
	if (!S_ISREG(mode))
		return mknodat(dfd, name, mode, rdev) == -1 ? -errno : 0;
	fd = openat(dfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, mode & 07777);
	if (fd == -1)
		return -errno;
	(void)close(fd);
	return 0;
}

bool
sys_group_of_dir(mode_t mode)
{
	(void)mode;	/* always, here */
	return true;
}

/* "user.x" and "system.x" as a name space and a name. */
static int
space_of(const char *attr, const char **name)
{
	if (strncmp(attr, "user.", 5) == 0) {
		*name = attr + 5;
		return EXTATTR_NAMESPACE_USER;
	}
	if (strncmp(attr, "system.", 7) == 0) {
		*name = attr + 7;
		return EXTATTR_NAMESPACE_SYSTEM;
	}
	return -EOPNOTSUPP;
}

ssize_t
sys_fgetxattr(int fd, const char *attr, void *value, size_t size)
{
	ssize_t	 n, have;
	int	 space;

	if ((space = space_of(attr, &attr)) < 0)
		return space;
	if ((have = extattr_get_fd(fd, space, attr, NULL, 0)) == -1)
		return -errno;
	if (size == 0)
		return have;
	if ((size_t)have > size)
		return -ERANGE;
	n = extattr_get_fd(fd, space, attr, value, size);
	return n == -1 ? -errno : n;
}

int
sys_fsetxattr(int fd, const char *attr, const void *value, size_t size,
    int flags)
{
	int	 space;

	(void)flags;	/* the kernel has none here */
	if ((space = space_of(attr, &attr)) < 0)
		return space;
	return extattr_set_fd(fd, space, attr, value, size) == -1 ?
	    -errno : 0;
}

/* One name space's names, each with its prefix and a NUL, into list at
 * *at; beyond size they are only counted. */
static int
list_space(int fd, int space, const char *prefix, char *list, size_t size,
    size_t *at)
{
	unsigned char	*raw = NULL;
	size_t		 plen = strlen(prefix), k;
	ssize_t		 have, n, i;
	int		 rc = 0;

	if ((have = extattr_list_fd(fd, space, NULL, 0)) <= 0)
		return have == 0 || errno == EPERM ? 0 : -errno;
	if ((raw = malloc((size_t)have)) == NULL)
		return -ENOMEM;
	if ((n = extattr_list_fd(fd, space, raw, (size_t)have)) == -1)
		rc = -errno;
	for (i = 0; rc == 0 && i < n; i += 1 + (ssize_t)k) {
		k = raw[i];
		if (i + 1 + (ssize_t)k > n)
			break;
		if (*at + plen + k + 1 <= size) {
			memcpy(list + *at, prefix, plen);
			memcpy(list + *at + plen, raw + i + 1, k);
			list[*at + plen + k] = '\0';
		}
		*at += plen + k + 1;
	}
	free(raw);
	return rc;
}

ssize_t
sys_flistxattr(int fd, char *list, size_t size)
{
	size_t	 at = 0;
	int	 rc;

	rc = list_space(fd, EXTATTR_NAMESPACE_USER, "user.", list, size, &at);
	if (rc == 0)
		rc = list_space(fd, EXTATTR_NAMESPACE_SYSTEM, "system.", list,
		    size, &at);
	if (rc < 0)
		return rc;
	return size > 0 && at > size ? -ERANGE : (ssize_t)at;
}

int
sys_fremovexattr(int fd, const char *attr)
{
	int	 space;

	if ((space = space_of(attr, &attr)) < 0)
		return space;
	return extattr_delete_fd(fd, space, attr) == -1 ? -errno : 0;
}

ssize_t
sys_getdents(int fd, void *buf, size_t size)
{
	ssize_t	 n = getdirentries(fd, buf, size, NULL);

	return n == -1 ? -errno : n;
}

off_t
sys_dirent_off(const struct dirent *d)
{
	return d->d_off;
}

int
sys_fallocate(int fd, int mode, off_t off, off_t len)
{
	return mode != 0 ? -EOPNOTSUPP : -posix_fallocate(fd, off, len);
}

ssize_t
sys_copy_range(int in, off_t ioff, int out, off_t ooff, size_t len,
    unsigned flags)
{
#if __FreeBSD_version >= 1300037
	ssize_t	 n = copy_file_range(in, &ioff, out, &ooff, len, flags);

	return n == -1 ? -errno : n;
#else
	(void)in, (void)ioff, (void)out, (void)ooff, (void)len, (void)flags;
	return -EOPNOTSUPP;	/* nor does that kernel ask for it */
#endif
}

void
sys_protect(void)
{
	int	 flags = PPROT_SET;

	/* It is a wish: where it is refused, all goes on. */
	(void)procctl(P_PID, getpid(), PROC_SPROTECT, &flags);
}

const char *
sys_log_socket(void)
{
	return "/var/run/log";
}
