/*
 * whole-ops.c: the operations that the random test does, one by one, as
 * drawn, below one root.
 */
#include <sys/types.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "whole.h"

#define LONGEST	300000		/* bytes of a file */

static int	held[WHOLE_HELD][2] = { { -1, -1 }, { -1, -1 }, { -1, -1 },
    { -1, -1 } };

static void
path(char *out, size_t size, const char *root, const char *rel)
{
	if ((size_t)snprintf(out, size, "%s%s", root, rel) >= size)
		abort();
}
#define AT(name, rel) char name[PATH_MAX]; path(name, sizeof(name), root, rel)

static void
fill(uint8_t *p, size_t n, uint64_t seed)
{
	size_t	 i;

	/* Text-like: lines with some repetition, so that deltas matter. */
	for (i = 0; i < n; i++) {
		if (i % 32 == 0)
			seed = seed * 6364136223846793005u + 1442695040888963407u;
		p[i] = i % 32 == 31 ? '\n' : (uint8_t)('a' + (seed >> 40) % 4 +
		    i % 7);
	}
}

/* Open what can be opened without waiting: devices are left alone. */
static int
opens(const char *p, int flags, mode_t mode)
{
	struct stat	 st;
	int		 fd;

	if (stat(p, &st) == 0 && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
		return -ENXIO;
	fd = open(p, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode);
	return fd == -1 ? -errno : fd;
}

static int64_t
ret(int rc)
{
	return rc == -1 ? -errno : rc;
}

static int64_t
put(int fd, const struct draw *d)
{
	static uint8_t	 b[LONGEST];
	int64_t		 rc;

	fill(b, d->len, d->seed);
	rc = d->off < 0 ? write(fd, b, d->len) : pwrite(fd, b, d->len, d->off);
	return rc == -1 ? -errno : rc;
}

static int64_t
put_path(const char *p, int flags, const struct draw *d)
{
	int64_t	 rc;
	int	 fd;

	if ((fd = opens(p, flags, d->mode)) < 0)
		return fd;
	rc = put(fd, d);
	if (close(fd) == -1 && rc >= 0)
		rc = -errno;
	return rc;
}

static int64_t
op_create(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return put_path(p, O_WRONLY | O_CREAT | (d->pick & 1 ? O_EXCL : 0), d);
}

static int64_t
op_rewrite(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return put_path(p, O_WRONLY | O_TRUNC | (d->pick & 1 ? O_CREAT : 0), d);
}

static int64_t
op_append(const char *root, const struct draw *d)
{
	struct draw	 e = *d;

	AT(p, d->p);
	e.len = d->len % 200;
	e.off = -1;
	return put_path(p, O_WRONLY | O_APPEND, &e);
}

static int64_t
op_pwrite(const char *root, const struct draw *d)
{
	struct draw	 e = *d;

	AT(p, d->p);
	e.off = (off_t)(d->seed % 5000);
	return put_path(p, O_RDWR, &e);
}

static int64_t
op_truncate(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(truncate(p, (off_t)d->len));
}

static int64_t
op_allocate(const char *root, const struct draw *d)
{
	int64_t	 rc;
	int	 fd;

	AT(p, d->p);
	if ((fd = opens(p, O_RDWR, 0)) < 0)
		return fd;
	rc = -posix_fallocate(fd, d->pick * 100, (off_t)d->len + 1);
	close(fd);
	return rc;
}

static int64_t
op_mmap(const char *root, const struct draw *d)
{
	struct stat	 st;
	uint8_t		*m;
	int64_t		 sum = 0;
	int		 fd;

	AT(p, d->p);
	if ((fd = opens(p, O_RDWR, 0)) < 0)
		return fd;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return 0;
	}
	m = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (m == MAP_FAILED) {
		sum = -errno;
	} else {
		m[d->seed % (uint64_t)st.st_size] = 'M';
		sum = m[0] + m[st.st_size - 1];
		munmap(m, (size_t)st.st_size);
	}
	close(fd);
	return sum;
}

static int64_t
op_save(const char *root, const struct draw *d)
{
	int64_t	 rc;
	char	 t[PATH_MAX];

	AT(p, d->p);
	path(t, sizeof(t), root, "/");
	if (snprintf(t, sizeof(t), "%.*s/.tmp", (int)(strrchr(p, '/') - p),
	    p) >= (int)sizeof(t))
		return -ENAMETOOLONG;
	if ((rc = put_path(t, O_WRONLY | O_CREAT | O_EXCL, d)) < 0)
		return rc;
	if (rename(t, p) == -1) {
		rc = -errno;
		(void)unlink(t);	/* as an editor that gives up */
	}
	return rc;
}

static int64_t
op_unlink(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(unlink(p));
}

static int64_t
op_mkdir(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(mkdir(p, d->mode | 0700));
}

static int64_t
op_rmdir(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(rmdir(p));
}

static int64_t
op_rename(const char *root, const struct draw *d)
{
	static const unsigned flags[] = { 0, 0, 0, OS_RENAME_NOREPLACE,
	    OS_RENAME_EXCHANGE };

	AT(p, d->p);
	AT(q, d->q);
	return os_renameat(AT_FDCWD, p, AT_FDCWD, q, flags[d->pick % 5]);
}

static int64_t
op_link(const char *root, const struct draw *d)
{
	AT(p, d->p);
	AT(q, d->q);
	return ret(linkat(AT_FDCWD, p, AT_FDCWD, q, 0));
}

static int64_t
op_symlink(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(symlink(d->target, p));
}

static int64_t
op_mknod(const char *root, const struct draw *d)
{
	AT(p, d->p);
	if (d->pick & 1)
		return ret(mknod(p, S_IFCHR | d->mode, makedev(240,
		    d->pick)));
	return ret(mkfifo(p, d->mode));
}

static int64_t
op_chmod(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(chmod(p, d->mode));
}

static int64_t
op_chown(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(lchown(p, d->pick & 1 ? d->uid : (uid_t)-1, d->gid));
}

static int64_t
op_utimens(const char *root, const struct draw *d)
{
	struct timespec	 ts[2] = { { (time_t)(d->seed % 1000000), 5 },
	    { (time_t)(d->seed % 2000000000), (long)(d->seed % 1000000000) } };
	struct stat	 st;

	AT(p, d->p);
	if (utimensat(AT_FDCWD, p, ts, AT_SYMLINK_NOFOLLOW) == -1 ||
	    lstat(p, &st) == -1)
		return -errno;
	return st.st_mtim.tv_sec + st.st_mtim.tv_nsec;
}

static const char *const attrs[] = { "user.one", "user.two", "trusted.three" };

static int64_t
op_setxattr(const char *root, const struct draw *d)
{
	uint8_t	 v[600];
	size_t	 n = d->pick & 1 ? 5 : sizeof(v);

	AT(p, d->p);
	fill(v, n, d->seed);
	return os_setxattr(AT_FDCWD, p, attrs[d->pick % 3], v, n, 0);
}

static int64_t
op_removexattr(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return os_removexattr(AT_FDCWD, p, attrs[d->pick % 3]);
}

/* An access list, in Linux' own form: some user more than the owner. */
static int64_t
op_acl(const char *root, const struct draw *d)
{
	static const struct { uint16_t tag, perm; uint32_t id; } acl[] = {
		{ 0x01, 7, UINT32_MAX }, { 0x02, 4, 1001 },
		{ 0x04, 5, UINT32_MAX }, { 0x10, 5, UINT32_MAX },
		{ 0x20, 0, UINT32_MAX }
	};
	struct buf	 b = BUF_INIT;
	int64_t		 rc;
	size_t		 i;

	AT(p, d->p);
	put_le32(&b, 2);
	for (i = 0; i < sizeof(acl) / sizeof(acl[0]); i++) {
		put_le16(&b, acl[i].tag);
		put_le16(&b, acl[i].perm);
		put_le32(&b, acl[i].id);
	}
	rc = os_setxattr(AT_FDCWD, p, d->pick & 1 ?
	    "system.posix_acl_default" : "system.posix_acl_access", b.p, b.len,
	    0);
	buf_free(&b);
	return rc;
}

/* What must be the same of an inode, in one number. */
static int64_t
digest(const struct stat *st)
{
	uint64_t	 v = 1469598103934665603u;
	const uint64_t	 part[] = { st->st_mode, st->st_nlink, st->st_uid,
	    st->st_gid, (uint64_t)st->st_size, st->st_rdev };
	size_t		 i;

	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		v = (v ^ part[i]) * 1099511628211u;
	return (int64_t)(v >> 1);
}

static int64_t
op_stat(const char *root, const struct draw *d)
{
	struct stat	 st;

	AT(p, d->p);
	if ((d->pick & 1 ? stat(p, &st) : lstat(p, &st)) == -1)
		return -errno;
	return digest(&st);
}

static int64_t
sum_fd(int fd)
{
	static uint8_t	 b[65536];
	uint64_t	 v = 7;
	ssize_t		 n, i;
	off_t		 off = 0;

	while ((n = pread(fd, b, sizeof(b), off)) > 0) {
		for (i = 0; i < n; i++)
			v = (v ^ b[i]) * 1099511628211u;
		off += n;
	}
	return n == -1 ? -errno : (int64_t)(v >> 1);
}

static int64_t
op_read(const char *root, const struct draw *d)
{
	int64_t	 rc;
	int	 fd;

	AT(p, d->p);
	if ((fd = opens(p, O_RDONLY, 0)) < 0)
		return fd;
	rc = sum_fd(fd);
	close(fd);
	return rc;
}

static int64_t
op_readlink(const char *root, const struct draw *d)
{
	char	 t[PATH_MAX];
	ssize_t	 n;

	AT(p, d->p);
	n = readlink(p, t, sizeof(t));
	return n == -1 ? -errno : n * 1000 + t[n - 1];
}

static int64_t
op_readdir(const char *root, const struct draw *d)
{
	struct dirent	*de;
	const char	*c;
	uint64_t	 v, sum = 0;
	DIR		*dir;

	AT(p, d->p);
	if ((dir = opendir(p)) == NULL)
		return -errno;
	while ((de = readdir(dir)) != NULL) {
		/* The order is the file system's own affair. */
		v = de->d_type;
		for (c = de->d_name; *c != '\0'; c++)
			v = (v ^ (uint8_t)*c) * 1099511628211u;
		sum += v;
	}
	closedir(dir);
	return (int64_t)(sum >> 1);
}

static int64_t
op_access(const char *root, const struct draw *d)
{
	AT(p, d->p);
	return ret(faccessat(AT_FDCWD, p, d->pick & 7, AT_EACCESS));
}

/* A descriptor is kept; its file may lose its name meanwhile. */
static int64_t
op_hold(const char *root, const struct draw *d)
{
	int	*h = &held[d->slot][d->side];
	int	 fd;

	AT(p, d->p);
	if (*h != -1)
		close(*h);
	fd = opens(p, O_RDWR, 0);
	*h = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
}

static int64_t
op_held(const char *root, const struct draw *d)
{
	struct draw	 e = *d;
	struct stat	 st;
	int		 fd = held[d->slot][d->side];

	(void)root;
	if (fd == -1)
		return 0;
	e.off = (off_t)(d->seed % 3000);
	switch (d->pick & 3) {
	case 0:
		return fstat(fd, &st) == -1 ? -errno : digest(&st);
	case 1:
		return sum_fd(fd);
	case 2:
		return put(fd, &e);
	default:
		return ret(ftruncate(fd, (off_t)d->len));
	}
}

const struct op whole_ops[] = {
	{ "create",	op_create,	14,	false },
	{ "rewrite",	op_rewrite,	10,	false },
	{ "append",	op_append,	6,	false },
	{ "pwrite",	op_pwrite,	4,	false },
	{ "truncate",	op_truncate,	3,	false },
	{ "allocate",	op_allocate,	1,	false },
	{ "mmap",	op_mmap,	2,	false },
	{ "save",	op_save,	8,	false },
	{ "unlink",	op_unlink,	10,	false },
	{ "mkdir",	op_mkdir,	5,	false },
	{ "rmdir",	op_rmdir,	5,	false },
	{ "rename",	op_rename,	10,	true },
	{ "link",	op_link,	9,	true },
	{ "symlink",	op_symlink,	5,	false },
	{ "mknod",	op_mknod,	2,	false },
	{ "chmod",	op_chmod,	6,	false },
	{ "chown",	op_chown,	4,	false },
	{ "utimens",	op_utimens,	2,	false },
	{ "setxattr",	op_setxattr,	3,	false },
	{ "removexattr", op_removexattr, 2,	false },
	{ "acl",	op_acl,		1,	false },
	{ "stat",	op_stat,	6,	false },
	{ "read",	op_read,	6,	false },
	{ "readlink",	op_readlink,	2,	false },
	{ "readdir",	op_readdir,	3,	false },
	{ "access",	op_access,	2,	false },
	{ "hold",	op_hold,	2,	false },
	{ "held",	op_held,	4,	false },
	{ NULL,		NULL,		0,	false }
};

void
whole_let_go(void)
{
	size_t	 i;
	int	 side;

	for (i = 0; i < WHOLE_HELD; i++)
		for (side = 0; side < 2; side++) {
			if (held[i][side] != -1)
				close(held[i][side]);
			held[i][side] = -1;
		}
}
