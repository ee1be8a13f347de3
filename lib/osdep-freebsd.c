/*
 * osdep-freebsd.c: what FreeBSD does in its own way: extended attributes,
 * names of processes, renames, devices, sockets.
 * Mounts are in osdep-freebsd-mnt.c.
 */
#include <sys/param.h>
#include <sys/devicestat.h>
#include <sys/disk.h>
#include <sys/extattr.h>
#include <sys/ioctl.h>
#include <sys/mdioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/ucred.h>
#include <sys/un.h>
#include <sys/user.h>

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "osdep.h"

#ifndef SOL_LOCAL
#define SOL_LOCAL	0	/* level of LOCAL_PEERCRED, unix(4) */
#endif

/* The two name spaces, as Linux writes them in front of a name. */
static const struct space {
	const char	*prefix;
	int		 nr;
} spaces[] = {
	{ "system.", EXTATTR_NAMESPACE_SYSTEM },
	{ "user.", EXTATTR_NAMESPACE_USER },
};
#define NSPACES	(sizeof(spaces) / sizeof(spaces[0]))

#define CREATE_ONLY	1	/* XATTR_CREATE */
#define REPLACE_ONLY	2	/* XATTR_REPLACE */

/* The name space's number with *attr behind its prefix, or -1. */
static int
space_of(const char **attr)
{
	size_t	 i, n;

	for (i = 0; i < NSPACES; i++) {
		n = strlen(spaces[i].prefix);
		if (strncmp(*attr, spaces[i].prefix, n) == 0) {
			*attr += n;
			return spaces[i].nr;
		}
	}
	return -1;
}

/*
 * The system's calls take paths or open files, and fifos, devices and
 * symbolic links can't be opened: so the current directory is where dfd
 * is for the length of one call.
 */
static int
cwd_enter(int dfd, int *saved)
{
	int	 rc;

	if (dfd == AT_FDCWD) {
		*saved = AT_FDCWD;
		return 0;
	}
	*saved = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

/* extattr_get_link(2) gives what fits; Linux, and we, ERANGE. */
static ssize_t
get_here(const char *name, int space, const char *attr, void *value,
    size_t size)
{
	ssize_t	 n;

	n = extattr_get_link(name, space, attr, NULL, 0);
	if (n == -1)
		return -errno;
	if (size == 0)
		return n;
	if ((size_t)n > size)
		return -ERANGE;
	n = extattr_get_link(name, space, attr, value, size);
	return n == -1 ? -errno : n;
}

ssize_t
os_getxattr(int dfd, const char *name, const char *attr, void *value,
    size_t size)
{
	ssize_t	 rc;
	int	 r, saved, space = space_of(&attr);

	if (space == -1)
		return -EOPNOTSUPP;
	if ((r = cwd_enter(dfd, &saved)) < 0)
		return r;
	rc = get_here(name, space, attr, value, size);
	cwd_leave(saved);
	return rc;
}

int
os_setxattr(int dfd, const char *name, const char *attr, const void *value,
    size_t size, int flags)
{
	ssize_t	 n;
	int	 rc = 0, saved, space = space_of(&attr);

	if (space == -1)
		return -EOPNOTSUPP;
	if ((rc = cwd_enter(dfd, &saved)) < 0)
		return rc;
	if (flags != 0) {
		n = extattr_get_link(name, space, attr, NULL, 0);
		if (n == -1 && errno != ENOATTR)
			rc = -errno;
		else if (n >= 0 && (flags & CREATE_ONLY) != 0)
			rc = -EEXIST;
		else if (n == -1 && (flags & REPLACE_ONLY) != 0)
			rc = -ENOATTR;
	}
	if (rc == 0 &&
	    extattr_set_link(name, space, attr, value, size) == -1)
		rc = -errno;
	cwd_leave(saved);
	return rc;
}

/* Append one name space's names, as "prefix" "name" NUL. */
static int
list_space(const char *name, const struct space *sp, struct buf *out)
{
	const uint8_t	*p, *end;
	uint8_t		*raw;
	ssize_t		 n;
	int		 rc = 0;

	if ((n = extattr_list_link(name, sp->nr, NULL, 0)) == -1)
		return -errno;
	if (n == 0)
		return 0;
	if ((raw = malloc((size_t)n)) == NULL)
		return -ENOMEM;
	if ((n = extattr_list_link(name, sp->nr, raw, (size_t)n)) == -1) {
		rc = -errno;
		n = 0;
	}
	/* Each is a byte of length, and the name without a NUL. */
	for (p = raw, end = raw + n; p < end; p += 1 + *p) {
		if (*p == 0 || *p >= end - p)
			break;		/* cut short: it has grown */
		put_bytes(out, sp->prefix, strlen(sp->prefix));
		put_bytes(out, p + 1, *p);
		put_u8(out, 0);
	}
	free(raw);
	return rc;
}

ssize_t
os_listxattr(int dfd, const char *name, char *list, size_t size)
{
	struct buf	 b = BUF_INIT;
	ssize_t		 n;
	size_t		 i;
	int		 rc, first = 0, saved;

	if ((rc = cwd_enter(dfd, &saved)) < 0)
		return rc;
	for (i = 0; i < NSPACES; i++) {
		rc = list_space(name, &spaces[i], &b);
		/* Only root may see those of the system. */
		if (rc == -EPERM)
			rc = 0;
		if (rc < 0 && first == 0)
			first = rc;
	}
	cwd_leave(saved);
	if (b.bad)
		first = -ENOMEM;
	n = (ssize_t)b.len;
	if (first < 0)
		n = first;
	else if (size != 0 && b.len > size)
		n = -ERANGE;
	else if (size != 0 && b.len > 0)
		memcpy(list, b.p, b.len);
	buf_free(&b);
	return n;
}

int
os_removexattr(int dfd, const char *name, const char *attr)
{
	int	 rc, saved, space = space_of(&attr);

	if (space == -1)
		return -EOPNOTSUPP;
	if ((rc = cwd_enter(dfd, &saved)) < 0)
		return rc;
	if (extattr_delete_link(name, space, attr) == -1)
		rc = -errno;
	cwd_leave(saved);
	return rc;
}

void
os_progname(pid_t pid, char *name, size_t len)
{
	struct kinfo_proc	 kp;
	int			 mib[4] = { CTL_KERN, KERN_PROC,
	    KERN_PROC_PID, pid };
	size_t			 n = sizeof(kp);

	if (len == 0)
		return;
	(void)snprintf(name, len, "?");
	if (pid <= 0 || sysctl(mib, 4, &kp, &n, NULL, 0) == -1 ||
	    n < sizeof(kp) || kp.ki_pid != pid)
		return;
	(void)snprintf(name, len, "%s", kp.ki_comm);
}

/* Whether a memory disk, md(4), has its content in memory or swap. */
static bool
md_is_ram(const char *dev)
{
	struct md_ioctl	 md;
	char		*end;
	unsigned long	 unit = strtoul(dev, &end, 10);
	bool		 ram;
	int		 fd;

	if (end == dev)
		return false;
	if ((fd = open(_PATH_DEV MDCTL_NAME, O_RDWR | O_CLOEXEC)) == -1)
		return true;	/* the usual kind, if we may not ask */
	memset(&md, 0, sizeof(md));
	md.md_version = MDIOVERSION;
	md.md_unit = (unsigned)unit;
	ram = ioctl(fd, MDIOCQUERY, &md) == 0 && md.md_type != MD_VNODE;
	(void)close(fd);
	return ram;
}

bool
os_is_ramdisk(int fd)
{
	static const char	 md[] = _PATH_DEV MD_NAME;
	struct statfs		 sf;

	if (fstatfs(fd, &sf) == -1)
		return false;
	if (strcmp(sf.f_fstypename, "tmpfs") == 0)
		return true;
	return strncmp(sf.f_mntfromname, md, sizeof(md) - 1) == 0 &&
	    md_is_ram(sf.f_mntfromname + sizeof(md) - 1);
}

/* There are no flags: what would need one is not done half. */
int
os_renameat(int odfd, const char *oname, int ndfd, const char *nname,
    unsigned flags)
{
	if (flags != 0)
		return -EINVAL;
	return renameat(odfd, oname, ndfd, nname) == -1 ? -errno : 0;
}

int
os_disk(int fd, uint64_t *size, uint32_t *block, uint32_t *phys)
{
	struct stat	 st;
	off_t		 media, stripe = 0;
	u_int		 sector;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISCHR(st.st_mode) || ioctl(fd, DIOCGMEDIASIZE, &media) == -1 ||
	    ioctl(fd, DIOCGSECTORSIZE, &sector) == -1)
		return -ENOTBLK;
	/* The stripe of a disk is its physical sector. */
	if (ioctl(fd, DIOCGSTRIPESIZE, &stripe) == -1 || stripe < 0 ||
	    stripe > UINT32_MAX)
		stripe = 0;
	*size = (uint64_t)media;
	*block = sector;
	*phys = stripe < sector ? sector : (uint32_t)stripe;
	return 0;
}

/* A disk has no cache in the system, but one in itself. */
void
os_settle(int fd)
{
	(void)fd;	/* only sync(2), which writes to every flash */
}

/* The disk's own counter: "ada0" of "ada0s3". */
static bool
counts_for(const struct devstat *d, const char *name)
{
	char	 disk[DEVSTAT_NAME_LEN + 16];
	size_t	 n;

	n = (size_t)snprintf(disk, sizeof(disk), "%s%d", d->device_name,
	    d->unit_number);
	return n < sizeof(disk) && strncmp(name, disk, n) == 0 &&
	    (name[n] < '0' || name[n] > '9');
}

int
os_disk_written(dev_t dev, uint64_t *bytes)
{
	const char		*name = devname(dev, S_IFCHR);
	const struct devstat	*d;
	uint8_t			*all;
	size_t			 len = 0, i;
	int			 rc = -ENOENT;

	if (name == NULL ||
	    sysctlbyname("kern.devstat.all", NULL, &len, NULL, 0) == -1)
		return -ENOENT;
	if ((all = malloc(len)) == NULL)
		return -ENOMEM;
	if (sysctlbyname("kern.devstat.all", all, &len, NULL, 0) == -1)
		len = 0;
	/* A generation is before them. */
	for (i = sizeof(long); rc != 0 && i + sizeof(*d) <= len;
	    i += sizeof(*d)) {
		d = (const struct devstat *)(const void *)(all + i);
		if (!counts_for(d, name))
			continue;
		*bytes = d->bytes[DEVSTAT_WRITE];
		rc = 0;
	}
	free(all);
	return rc;
}

int
os_flush(int fd)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return -errno;
	if (!S_ISCHR(st.st_mode))
		return fsync(fd) == -1 ? -errno : 0;
	if (ioctl(fd, DIOCGFLUSH) == -1 && errno != EOPNOTSUPP &&
	    errno != ENOTTY)
		return -errno;
	return 0;
}

/* What goes on while the machine sleeps, here. */
int64_t
os_uptime(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
os_random(void *p, size_t n)
{
	arc4random_buf(p, n);
}

int
os_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
	struct xucred	 c;
	socklen_t	 n = sizeof(c);

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &c, &n) == -1)
		return -errno;
	if (n < sizeof(c) || c.cr_version != XUCRED_VERSION)
		return -EPROTO;
	*uid = c.cr_uid;
	*gid = c.cr_gid;
#if __FreeBSD_version >= 1300000
	*pid = c.cr_pid;
#else
	*pid = 0;
#endif
	return 0;
}

void
os_closefrom(int fd)
{
	closefrom(fd);
}
