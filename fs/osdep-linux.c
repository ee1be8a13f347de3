/*
 * osdep-linux.c: what the daemon alone needs of Linux.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys.h"

#define VIEW_TYPE "fuse.cfgfs"

int
sys_ready(struct err *e)
{
	if (access("/dev/fuse", R_OK | W_OK) == -1)
		return err_set(e, errno, "open /dev/fuse");
	return 0;
}

int
sys_mount(const char *dir, const char *from, unsigned flags, struct err *e)
{
	static const struct { unsigned sys; unsigned long ms; } map[] = {
		{ SYS_NOSUID, MS_NOSUID }, { SYS_NODEV, MS_NODEV },
		{ SYS_NOEXEC, MS_NOEXEC }, { SYS_NOATIME, MS_NOATIME },
		{ SYS_RDONLY, MS_RDONLY },
	};
	char		 opts[128];
	unsigned long	 ms = 0;
	size_t		 i;
	int		 fd, rc;

	if ((fd = open("/dev/fuse", O_RDWR | O_CLOEXEC)) == -1)
		return err_set(e, errno, "open /dev/fuse");
	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if ((flags & map[i].sys) != 0)
			ms |= map[i].ms;
	(void)snprintf(opts, sizeof(opts), "fd=%d,rootmode=40000,user_id=%u,"
	    "group_id=%u,default_permissions,allow_other", fd,
	    (unsigned)getuid(), (unsigned)getgid());
	if (mount(from, dir, VIEW_TYPE, ms, opts) == -1) {
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

/* FUSE_HANDLE_KILLPRIV_V2 of <linux/fuse.h>: with it the kernel remembers
 * of an inode that a write has nothing to strip, and stops asking for
 * security.capability before each.  For that we strip suid bits: told so
 * for write and truncate, by our own judgement for the rest. */
#define HANDLE_KILLPRIV_V2	(1u << 28)

/* FUSE_PARALLEL_DIROPS: look-ups in one directory at the same time, so that
 * one that is not answered keeps no other waiting, beyond the reach of
 * signals.  libfuse knows it, but before 3.16.2 forgets to say so. */
#define PARALLEL_DIROPS		(1u << 18)

uint32_t
sys_init_flags(uint32_t offered)
{
	return offered & (HANDLE_KILLPRIV_V2 | PARALLEL_DIROPS);
}

bool
sys_notifies(void)
{
	return true;
}

int
sys_open_path(int dfd, const char *name)
{
	int	 fd = openat(dfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return fd == -1 ? -errno : fd;
}

/* The object behind an O_PATH descriptor, which fchmod(2) refuses. */
int
sys_fchmod(int fd, mode_t mode)
{
	char	 p[32];

	if (fchmod(fd, mode) == 0)
		return 0;
	if (errno != EBADF)
		return -errno;
	(void)snprintf(p, sizeof(p), "/proc/self/fd/%d", fd);
	return chmod(p, mode) == -1 ? -errno : 0;
}

int
sys_fchown(int fd, uid_t uid, gid_t gid)
{
	return fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

int
sys_futimens(int fd, const struct timespec ts[2])
{
	return utimensat(fd, "", ts, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

int
sys_linkfd(int fd, int ndfd, const char *nname)
{
	return linkat(fd, "", ndfd, nname, AT_EMPTY_PATH) == -1 ? -errno : 0;
}

int
sys_mknodat(int dfd, const char *name, mode_t mode, dev_t rdev)
{
	return mknodat(dfd, name, mode, rdev) == -1 ? -errno : 0;
}

bool
sys_group_of_dir(mode_t mode)
{
	return (mode & S_ISGID) != 0;
}

ssize_t
sys_fgetxattr(int fd, const char *attr, void *value, size_t size)
{
	ssize_t	 n = fgetxattr(fd, attr, value, size);

	return n == -1 ? -errno : n;
}

int
sys_fsetxattr(int fd, const char *attr, const void *value, size_t size,
    int flags)
{
	return fsetxattr(fd, attr, value, size, flags) == -1 ? -errno : 0;
}

ssize_t
sys_flistxattr(int fd, char *list, size_t size)
{
	ssize_t	 n = flistxattr(fd, list, size);

	return n == -1 ? -errno : n;
}

int
sys_fremovexattr(int fd, const char *attr)
{
	return fremovexattr(fd, attr) == -1 ? -errno : 0;
}

ssize_t
sys_getdents(int fd, void *buf, size_t size)
{
	/* getdents64(3) came with glibc 2.30; the call is older, and with
	 * 64-bit offsets struct dirent is its layout. */
	long	 n = syscall(SYS_getdents64, fd, buf, size);

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
	return fallocate(fd, mode, off, len) == -1 ? -errno : 0;
}

ssize_t
sys_copy_range(int in, off_t ioff, int out, off_t ooff, size_t len,
    unsigned flags)
{
	ssize_t	 n = copy_file_range(in, &ioff, out, &ooff, len, flags);

	return n == -1 ? -errno : n;
}

void
sys_protect(void)
{
	int	 fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd == -1)
		return;
	/* It is a wish: where it is refused, all goes on. */
	if (write(fd, "-900", 4) == -1)
		errno = 0;
	(void)close(fd);
}

const char *
sys_log_socket(void)
{
	return "/dev/log";
}
