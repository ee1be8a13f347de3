/*
 * osdep-linux.c: what Linux does in its own way: extended attributes,
 * names of processes, renames, devices, sockets.
 * Mounts are in osdep-linux-mnt.c.
 */
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "osdep.h"

/*
 * The system calls of Linux 6.13 and later that take a directory and a
 * name; a libc may not know their numbers yet.  -1: not looked for.
 */
#ifndef SYS_setxattrat
#if defined(__alpha__) || defined(__mips__)
#define SYS_setxattrat		(-1L)
#define SYS_getxattrat		(-1L)
#define SYS_listxattrat		(-1L)
#define SYS_removexattrat	(-1L)
#else
#define SYS_setxattrat		463L
#define SYS_getxattrat		464L
#define SYS_listxattrat		465L
#define SYS_removexattrat	466L
#endif
#endif

struct xattrat_args {		/* the kernel's struct xattr_args */
	uint64_t	 value;	/* address */
	uint32_t	 size;
	uint32_t	 flags;
} __attribute__((aligned(8)));

static bool	 no_xattrat;	/* the kernel has said that it lacks them */

/* One such call: its result with errno, or -1 and ENOSYS. */
static long
xattrat(long nr, int dfd, const char *name, const void *a, const void *b,
    size_t n)
{
	long	 rc;

	if (nr < 0 || no_xattrat) {
		errno = ENOSYS;
		return -1;
	}
	rc = syscall(nr, dfd, name, AT_SYMLINK_NOFOLLOW, a, b, n);
	if (rc == -1 && errno == ENOSYS)
		no_xattrat = true;
	return rc;
}

/*
 * Older kernels know paths and open files only, and fifos, devices and
 * symbolic links can't be opened: then the current directory is where
 * dfd is for the length of one call.
 */
static int
cwd_enter(int dfd, int *saved)
{
	int	 rc;

	if (dfd == AT_FDCWD) {
		*saved = AT_FDCWD;
		return 0;
	}
	*saved = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fchdir(dfd) == 0)
		return 0;
	rc = -errno;
	if (*saved != -1)
		(void)close(*saved);
	return rc;
}

/* A directory that this user could not have come back to becomes "/". */
static void
cwd_leave(int saved)
{
	if (saved == AT_FDCWD)
		return;
	if (saved == -1 || fchdir(saved) == -1) {
		if (chdir("/") == -1)
			abort();	/* nowhere is no place to go on */
	}
	if (saved != -1)
		(void)close(saved);
}

ssize_t
os_getxattr(int dfd, const char *name, const char *attr, void *value,
    size_t size)
{
	struct xattrat_args	 a = { 0, 0, 0 };
	ssize_t			 rc;
	int			 saved;

	a.value = (uint64_t)(uintptr_t)value;
	a.size = size > XATTR_SIZE_MAX ? XATTR_SIZE_MAX : (uint32_t)size;
	rc = xattrat(SYS_getxattrat, dfd, name, attr, &a, sizeof(a));
	if (rc != -1 || errno != ENOSYS)
		return rc == -1 ? -errno : rc;
	if ((rc = cwd_enter(dfd, &saved)) < 0)
		return rc;
	if ((rc = lgetxattr(name, attr, value, size)) == -1)
		rc = -errno;
	cwd_leave(saved);
	return rc;
}

int
os_setxattr(int dfd, const char *name, const char *attr, const void *value,
    size_t size, int flags)
{
	struct xattrat_args	 a = { 0, 0, 0 };
	long			 rc;
	int			 r, saved;

	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	a.value = (uint64_t)(uintptr_t)value;
	a.size = (uint32_t)size;
	a.flags = (uint32_t)flags;
	rc = xattrat(SYS_setxattrat, dfd, name, attr, &a, sizeof(a));
	if (rc != -1 || errno != ENOSYS)
		return rc == -1 ? -errno : 0;
	if ((r = cwd_enter(dfd, &saved)) < 0)
		return r;
	r = lsetxattr(name, attr, value, size, flags) == -1 ? -errno : 0;
	cwd_leave(saved);
	return r;
}

ssize_t
os_listxattr(int dfd, const char *name, char *list, size_t size)
{
	ssize_t	 rc;
	int	 saved;

	rc = xattrat(SYS_listxattrat, dfd, name, list,
	    (const void *)(uintptr_t)size, 0);
	if (rc != -1 || errno != ENOSYS)
		return rc == -1 ? -errno : rc;
	if ((rc = cwd_enter(dfd, &saved)) < 0)
		return rc;
	if ((rc = llistxattr(name, list, size)) == -1)
		rc = -errno;
	cwd_leave(saved);
	return rc;
}

int
os_removexattr(int dfd, const char *name, const char *attr)
{
	long	 rc;
	int	 r, saved;

	rc = xattrat(SYS_removexattrat, dfd, name, attr, NULL, 0);
	if (rc != -1 || errno != ENOSYS)
		return rc == -1 ? -errno : 0;
	if ((r = cwd_enter(dfd, &saved)) < 0)
		return r;
	r = lremovexattr(name, attr) == -1 ? -errno : 0;
	cwd_leave(saved);
	return r;
}

/*
 * The file /proc/PID/comm, kept open, is of that very process: a read
 * fails once it is gone, whoever has its number then.  So the few that
 * change files now cost one read each.  For one thread.
 */
#define NHELD	8

static struct held {
	pid_t	 pid;		/* 0: free */
	int	 fd;
} held[NHELD];
static unsigned	 held_next;	/* the one to replace */

static struct held *
held_open(pid_t pid)
{
	struct held	*h = &held[held_next];
	char		 path[64];
	int		 fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return NULL;
	held_next = (held_next + 1) % NHELD;
	if (h->pid != 0)
		(void)close(h->fd);
	h->pid = pid;
	h->fd = fd;
	return h;
}

static void
held_drop(struct held *h)
{
	(void)close(h->fd);
	h->pid = 0;
}

void
os_progname(pid_t pid, char *name, size_t len)
{
	struct held	*h = NULL;
	char		 buf[64];
	ssize_t		 n;
	int		 i;

	if (len == 0)
		return;
	(void)snprintf(name, len, "?");
	if (pid <= 0)
		return;
	for (i = 0; i < NHELD; i++)
		if (held[i].pid == pid)
			h = &held[i];
	n = h == NULL ? -1 : pread(h->fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0) {
		if (h != NULL)
			held_drop(h);
		if ((h = held_open(pid)) == NULL)
			return;
		if ((n = pread(h->fd, buf, sizeof(buf) - 1, 0)) <= 0) {
			held_drop(h);
			return;
		}
	}
	/* A name may hold a newline; only the last one is the file's. */
	buf[buf[n - 1] == '\n' ? n - 1 : n] = '\0';
	(void)snprintf(name, len, "%s", buf);
}

bool
os_is_ramdisk(int fd)
{
	struct statfs	 sf;

	if (fstatfs(fd, &sf) == -1)
		return false;
	/* linux/magic.h: TMPFS_MAGIC, RAMFS_MAGIC */
	return (unsigned long)sf.f_type == 0x01021994ul ||
	    (unsigned long)sf.f_type == 0x858458f6ul;
}

int
os_renameat(int odfd, const char *oname, int ndfd, const char *nname,
    unsigned flags)
{
	long	 rc;

	if (flags == 0)
		rc = renameat(odfd, oname, ndfd, nname);
	else
		rc = syscall(SYS_renameat2, odfd, oname, ndfd, nname, flags);
	if (rc == 0)
		return 0;
	return errno == ENOSYS ? -EINVAL : -errno;
}

int
os_disk(int fd, uint64_t *size, uint32_t *block, uint32_t *phys)
{
	struct stat	 st;
	unsigned	 pb = 0;
	int		 lb = 0;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	if (ioctl(fd, BLKGETSIZE64, size) == -1 ||
	    ioctl(fd, BLKSSZGET, &lb) == -1)
		return -errno;
	if (ioctl(fd, BLKPBSZGET, &pb) == -1)
		pb = 0;
	*block = (uint32_t)lb;
	*phys = pb;
	return 0;
}

int
os_disk_written(dev_t dev, uint64_t *bytes)
{
	unsigned long long	 n[7];
	char			 path[64], text[256];
	ssize_t			 k;
	int			 fd;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/stat",
	    major(dev), minor(dev));
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -ENOENT;
	k = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	text[k < 0 ? 0 : k] = '\0';
	/* The kernel's Documentation/block/stat.rst: sectors of 512 bytes. */
	if (sscanf(text, "%llu %llu %llu %llu %llu %llu %llu", &n[0], &n[1],
	    &n[2], &n[3], &n[4], &n[5], &n[6]) != 7)
		return -ENOENT;
	*bytes = n[6] * 512;
	return 0;
}

int
os_flush(int fd)
{
	return fdatasync(fd) == -1 ? -errno : 0;
}

void
os_settle(int fd)
{
	(void)syncfs(fd);	/* no error says more than a reader sees */
}

/* It goes on while the machine sleeps. */
int64_t
os_uptime(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
os_random(void *p, size_t n)
{
	uint8_t	*b = p;
	ssize_t	 k;

	while (n > 0) {
		if ((k = getrandom(b, n, 0)) == -1) {
			if (errno == EINTR)
				continue;
			abort();	/* no such call: no such kernel */
		}
		b += k;
		n -= (size_t)k;
	}
}

int
os_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
	struct ucred	 c;
	socklen_t	 n = sizeof(c);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) == -1)
		return -errno;
	*uid = c.uid;
	*gid = c.gid;
	*pid = c.pid;
	return 0;
}

void
os_closefrom(int fd)
{
	long	 n;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)fd, ~0u, 0) == 0)
		return;
#endif
	/* A kernel before 5.9. */
	for (n = sysconf(_SC_OPEN_MAX); fd < n; fd++)
		(void)close(fd);
}
