/*
 * viewrun.c: makes one system call on one directory and logs the answer.
 *
 * What FUSE's part of the kernel does otherwise than a RAM disk, whatever
 * the daemon answers, is left out here and in viewcmp.c:
 *	lseek of a directory	goes where it likes (tmpfs: EINVAL but for
 *				SEEK_SET and SEEK_CUR)
 *	chown(-1, -1)		is not sent (tmpfs: clears suid, new ctime)
 *	mapping a hole		takes no space (tmpfs: fills it); once in
 *				500,000 calls that is seen still, where space
 *				reserved behind the end hides the hole
 *	writing to a fifo	leaves its times alone
 *	SEEK_HOLE		finds space that was reserved and read since
 *				to be a hole still (see viewio.c for it)
 *	reading			leaves atime alone where the kernel has it
 *	O_TMPFILE		EOPNOTSUPP
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "viewcmp.h"
#include "viewops.h"

#define NOFOLLOW	AT_SYMLINK_NOFOLLOW

static const char *const attrs[] = { "user.a", "user.bb", "trusted.t",
    "security.x", "nospace", "system.nothing", "user." };

void
become(int who)
{
	static int	 now;
	const gid_t	 none = 0, also = 1001;
	uid_t		 uid = who == 0 ? 0 : who == 1 ? 1000 : 1001;

	if (who == now)
		return;
	if (now != 0 && setresuid(0, 0, 0) == -1)
		abort();
	if (setgroups(who == 1, who == 1 ? &also : &none) == -1 ||
	    setresgid(uid, uid, 0) == -1)
		abort();
	if (uid != 0 && setresuid(uid, uid, 0) == -1)
		abort();
	now = who;
}

/* tag:16 perm:16 id:32 after a version of 2, little-endian. */
size_t
acl_make(uint8_t *b, uint64_t r)
{
	static const uint16_t tag[] = { 0x01, 0x02, 0x02, 0x04, 0x08, 0x10,
	    0x20 };
	static const uint32_t id[] = { ~0u, 1000, 1001, ~0u, 1001, ~0u, ~0u };
	size_t		 i, n = 4;
	uint16_t	 perm;

	set_le32(b, (r & 0xf) == 0 ? 1 : 2);	/* 1: a bad version */
	for (i = 0; i < 7; i++) {
		if ((i == 1 || i == 2 || i == 4) && (r >> (30 + i)) & 1)
			continue;
		perm = (uint16_t)((r >> (4 + 3 * i)) & 7);
		b[n] = (uint8_t)tag[i];
		b[n + 1] = 0;
		b[n + 2] = (uint8_t)perm;
		b[n + 3] = 0;
		set_le32(b + n + 4, id[i]);
		n += 8;
	}
	return n;
}

static void
answer(struct buf *l, long rc)
{
	if (rc < 0)
		put_fmt(l, "%ld %s", rc, strerror(errno));
	else
		put_fmt(l, "%ld", rc);
}

/* For os_*(): a count or -errno. */
static void
answer_os(struct buf *l, long rc)
{
	errno = rc < 0 ? (int)-rc : 0;
	answer(l, rc < 0 ? -1 : rc);
}

static void
fill(uint8_t *p, size_t n, uint64_t r)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)(r + i * 7 + i / 251);
}

/* The directory of a path and its last name, for os_*xattr(). */
static int
parent(const struct side *sd, const char *path, const char **name)
{
	char		 dir[1024];
	const char	*slash = strrchr(path, '/');

	*name = path;
	if (slash == NULL)
		return openat(sd->root, ".", O_PATH);
	*name = slash[1] == '\0' ? "." : slash + 1;
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path + 1), path);
	return openat(sd->root, dir, O_PATH | O_DIRECTORY);
}

static void
put_fstat(struct buf *l, int fd)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		answer(l, -1);
	else
		view_stat(l, &st, 0);
}

static void
run_open(struct side *sd, const struct op *o, struct buf *l)
{
	int	 fd = openat(sd->root, o->p, o->flags | O_NONBLOCK | O_CLOEXEC,
		    o->mode), *s = &sd->slot[o->slot];

	answer(l, fd == -1 ? -1 : 0);
	if (fd == -1)
		return;
	if (*s != -1)
		(void)close(*s);
	*s = fd;
	put_fstat(l, fd);
}

static void
run_read(struct side *sd, const struct op *o, struct buf *l)
{
	static uint8_t	 b[70000];
	int		 fd = sd->slot[o->slot];
	ssize_t		 n;

	n = o->kind == K_READ ? read(fd, b, o->n) : pread(fd, b, o->n, o->off);
	answer(l, n);
	if (n > 0)
		put_bytes(l, b, (size_t)n);
}

static void
run_write(struct side *sd, const struct op *o, struct buf *l)
{
	static uint8_t	 b[70000];
	int		 fd = sd->slot[o->slot];

	fill(b, o->n, o->r[0]);
	answer(l, o->kind == K_WRITE ? write(fd, b, o->n) :
	    pwrite(fd, b, o->n, o->off));
	put_fstat(l, fd);
}

static void
run_truncate(struct side *sd, const struct op *o, struct buf *l)
{
	int	 fd;

	if (o->kind == K_FTRUNCATE) {
		answer(l, ftruncate(sd->slot[o->slot], o->off));
		put_fstat(l, sd->slot[o->slot]);
		return;
	}
	if (fchdir(sd->root) == -1) {
		answer(l, -1);
		return;
	}
	answer(l, truncate(o->p, o->off));
	if ((fd = openat(sd->root, o->p, O_PATH)) != -1) {
		put_fstat(l, fd);
		(void)close(fd);
	}
}

static void
run_bind(struct side *sd, const struct op *o, struct buf *l)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX };
	int			 s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fchdir(sd->root) == -1 || s == -1)
		answer(l, -1);
	else if (strlen(o->p) > 0 && strlen(o->p) < sizeof(a.sun_path)) {
		strcpy(a.sun_path, o->p);
		answer(l, bind(s, (struct sockaddr *)&a, sizeof(a)));
	}
	(void)close(s);
}

static void
run_mknod(struct side *sd, const struct op *o, struct buf *l)
{
	static const mode_t type[] = { S_IFIFO, S_IFREG, 0, S_IFSOCK, S_IFCHR,
	    S_IFBLK };
	mode_t	 t = type[o->r[0] % 6];

	/* The character device is null, nobody serves the block device. */
	answer(l, mknodat(sd->root, o->p, t | o->mode, t == S_IFCHR ?
	    makedev(1, 3) : t == S_IFBLK ? makedev(240, 7) : 0));
}

static void
times(const struct op *o, struct timespec ts[2])
{
	int	 i;

	for (i = 0; i < 2; i++) {
		ts[i].tv_sec = o->t[i] < 0 ? 0 : o->t[i] / 1000000000;
		ts[i].tv_nsec = o->t[i] == -1 ? UTIME_NOW :
		    o->t[i] == -2 ? UTIME_OMIT : o->t[i] % 1000000000;
	}
}

static void
run_attr(struct side *sd, const struct op *o, struct buf *l)
{
	static const uid_t ids[] = { 0, 1000, 1001, 1002, (uid_t)-1 };
	struct timespec	 ts[2];
	uid_t		 u = ids[o->r[0] % 5], g = ids[o->r[1] % 5];
	int		 fd = sd->slot[o->slot];
	int		 at = o->r[2] % 2 ? NOFOLLOW : 0;

	if (u == (uid_t)-1)
		g %= 1024;	/* FUSE sends nothing for a chown(-1, -1) */
	times(o, ts);
	if (o->kind == K_CHMOD)
		answer(l, fchmodat(sd->root, o->p, o->mode, 0));
	else if (o->kind == K_FCHMOD)
		answer(l, fchmod(fd, o->mode));
	else if (o->kind == K_CHOWN)
		answer(l, fchownat(sd->root, o->p, u, g, at));
	else if (o->kind == K_FCHOWN)
		answer(l, fchown(fd, u, g));
	else if (o->kind == K_UTIMENS)
		answer(l, utimensat(sd->root, o->p, ts, at));
	else
		answer(l, futimens(fd, ts));
	if (o->kind == K_FCHMOD || o->kind == K_FCHOWN ||
	    o->kind == K_FUTIMENS)
		put_fstat(l, fd);
}

static void
run_xattr(struct side *sd, const struct op *o, struct buf *l)
{
	uint8_t		 v[4096];
	const char	*name, *attr = attrs[o->r[0] % 7];
	int		 dfd = parent(sd, o->p, &name);
	size_t		 size = (o->r[1] >> 8) % 4 == 0 ? 0 : o->n % 4096;
	ssize_t		 n;

	if (dfd == -1) {
		answer(l, -1);
		return;
	}
	fill(v, sizeof(v), o->r[1]);
	if (o->kind == K_SETXATTR)
		answer_os(l, os_setxattr(dfd, name, attr, v, o->n % 300,
		    (int)(o->r[2] % 3)));
	else if (o->kind == K_REMOVEXATTR)
		answer_os(l, os_removexattr(dfd, name, attr));
	else if (o->kind == K_ACL)
		answer_os(l, os_setxattr(dfd, name, o->r[2] % 2 ?
		    "system.posix_acl_access" : "system.posix_acl_default", v,
		    acl_make(v, o->r[1]), 0));
	else if (o->kind == K_GETXATTR) {
		n = os_getxattr(dfd, name, attr, v, size);
		answer_os(l, n);
		if (n > 0 && size > 0)
			put_bytes(l, v, (size_t)n);
	} else		/* the order of names is nobody's promise */
		answer_os(l, os_listxattr(dfd, name, (char *)v, size));
	(void)close(dfd);
}

static void
run_rename(struct side *sd, const struct op *o, struct buf *l)
{
	unsigned	 fl = o->r[0] % 4 == 0 ? OS_RENAME_NOREPLACE :
			    o->r[0] % 4 == 1 ? OS_RENAME_EXCHANGE : 0;

	answer_os(l, os_renameat(sd->root, o->p, sd->root, o->q, fl));
}

static void
run_fallocate(struct side *sd, const struct op *o, struct buf *l)
{
	int	 fd = sd->slot[o->slot];

#ifdef FALLOC_FL_KEEP_SIZE
	static const int mode[] = { 0, FALLOC_FL_KEEP_SIZE,
	    FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, FALLOC_FL_PUNCH_HOLE,
	    FALLOC_FL_ZERO_RANGE, FALLOC_FL_COLLAPSE_RANGE };

	answer(l, fallocate(fd, mode[o->r[0] % 6], o->off, (off_t)o->n));
#else
	errno = posix_fallocate(fd, o->off, (off_t)o->n);
	answer(l, errno == 0 ? 0 : -1);
#endif
	put_fstat(l, fd);
}

static void
run_statvfs(struct side *sd, struct buf *l)
{
	struct statvfs	 v;

	answer(l, fstatvfs(sd->root, &v));
	put_fmt(l, " %lu %lu %ju %lu", v.f_bsize, v.f_frsize,
	    (uintmax_t)v.f_blocks, v.f_namemax);
}

/* Read, or write and sync, a part of the file through a mapping. */
static void
run_mmap(struct side *sd, const struct op *o, struct buf *l)
{
	struct stat	 st;
	int		 fd = sd->slot[o->slot], wr = o->r[0] % 2;
	int		 shared = o->r[1] % 4 != 0;
	size_t		 n;
	uint8_t		*m;

	if (fd == -1 || fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size == 0 || st.st_blocks != (st.st_size + 4095) / 4096 * 8)
		return;		/* a RAM disk fills holes that are mapped */
	n = (size_t)st.st_size;
	m = mmap(NULL, n, PROT_READ | (wr ? PROT_WRITE : 0), shared ?
	    MAP_SHARED : MAP_PRIVATE, fd, 0);
	answer(l, m == MAP_FAILED ? -1 : 0);
	if (m == MAP_FAILED)
		return;
	if (wr) {
		fill(m + o->r[2] % n, (n - o->r[2] % n) / 2 + 1, o->r[3]);
		answer(l, msync(m, n, MS_SYNC));
	}
	put_bytes(l, m, n);
	(void)munmap(m, n);
	put_fstat(l, fd);
}

static void
run_copyrange(struct side *sd, const struct op *o, struct buf *l)
{
	off_t	 from = o->off / 2, to = o->off;

	answer(l, copy_file_range(sd->slot[o->slot], &from,
	    sd->slot[o->slot2], &to, o->n, 0));
	put_fstat(l, sd->slot[o->slot2]);
}

/* An editor's save: a temporary file renamed over the name. */
static void
run_save(struct side *sd, const struct op *o, struct buf *l)
{
	uint8_t	 b[600];
	int	 fd;

	fill(b, sizeof(b), o->r[0]);
	fd = openat(sd->root, o->q, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    o->mode | 0200);
	answer(l, fd == -1 ? -1 : 0);
	if (fd == -1)
		return;
	answer(l, write(fd, b, o->n % sizeof(b)));
	if (o->r[1] % 2)
		answer(l, fsync(fd));
	(void)close(fd);
	answer(l, renameat(sd->root, o->q, sd->root, o->p));
}

static void
run_slurp(struct side *sd, const struct op *o, struct buf *l)
{
	static uint8_t	 b[70000];
	int		 fd = openat(sd->root, o->p, O_RDONLY | O_NONBLOCK);
	ssize_t		 n;

	answer(l, fd == -1 ? -1 : 0);
	if (fd == -1)
		return;
	while ((n = read(fd, b, sizeof(b))) > 0)
		put_bytes(l, b, (size_t)n);
	answer(l, n);
	(void)close(fd);
}

static void
run_look(struct side *sd, const struct op *o, struct buf *l)
{
	static const int whence[] = { SEEK_SET, SEEK_CUR, SEEK_END };
	struct stat	 st;
	char		 to[4097];
	ssize_t		 n;
	int		 fd = sd->slot[o->slot];

	if (o->kind == K_LSEEK) {
		if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
			return;
		answer(l, lseek(fd, o->off, whence[o->r[0] % 3]));
	} else if (o->kind == K_READLINK) {
		n = readlinkat(sd->root, o->p, to, sizeof(to));
		answer(l, n);
		if (n > 0)
			put_bytes(l, to, (size_t)n);
	} else if (o->kind == K_ACCESS) {
		answer(l, faccessat(sd->root, o->p, (int)(o->r[0] % 8), 0));
	} else if (o->kind == K_STAT) {
		answer(l, fstatat(sd->root, o->p, &st, o->r[0] % 2 ?
		    NOFOLLOW : 0) == -1 ? -1 : 0);
		if (l->p[0] == '0')
			view_stat(l, &st, 0);
	} else if (o->kind == K_FSTAT) {
		put_fstat(l, fd);
	} else {
		fd = openat(sd->root, o->p, O_RDONLY | O_DIRECTORY);
		answer(l, fd == -1 ? -1 : 0);
		if (fd != -1) {
			view_list(l, fd, 0);
			(void)close(fd);
		}
	}
}

static void
run_name(struct side *sd, const struct op *o, struct buf *l)
{
	int	 r = sd->root;

	if (o->kind == K_UNLINK || o->kind == K_RMDIR)
		answer(l, unlinkat(r, o->p, o->kind == K_RMDIR ?
		    AT_REMOVEDIR : 0));
	else if (o->kind == K_MKDIR)
		answer(l, mkdirat(r, o->p, o->mode));
	else if (o->kind == K_LINK)
		answer(l, linkat(r, o->p, r, o->q, o->r[0] % 4 == 0 ?
		    AT_SYMLINK_FOLLOW : 0));
	else if (o->kind == K_SYMLINK)
		answer(l, symlinkat(o->q, r, o->p));
#ifdef AT_EMPTY_PATH
	else if (o->kind == K_LINKFD)
		answer(l, linkat(sd->slot[o->slot], "", r, o->q,
		    AT_EMPTY_PATH));
#endif
}

static void
run_fd(struct side *sd, const struct op *o, struct buf *l)
{
	int	*s = &sd->slot[o->slot];

	if (o->kind == K_CLOSE) {
		answer(l, *s == -1 ? 0 : close(*s));
		*s = -1;
	} else
		answer(l, o->r[0] % 2 ? fsync(*s) : fdatasync(*s));
}

void
op_run(struct side *sd, const struct op *o, struct buf *l)
{
	(void)signal(SIGPIPE, SIG_IGN);		/* fifos that nobody reads */
	if (o->kind == K_UMASK) {
		(void)umask(o->r[0] % 2 ? 022 : (mode_t)o->r[1] & 0777);
		return;
	}
	become(o->who);
	switch (o->kind) {
	case K_OPEN:		run_open(sd, o, l); break;
	case K_CLOSE:
	case K_FSYNC:		run_fd(sd, o, l); break;
	case K_READ:
	case K_PREAD:		run_read(sd, o, l); break;
	case K_WRITE:
	case K_PWRITE:		run_write(sd, o, l); break;
	case K_FTRUNCATE:
	case K_TRUNCATE:	run_truncate(sd, o, l); break;
	case K_UNLINK: case K_RMDIR: case K_MKDIR: case K_LINK:
	case K_LINKFD:
	case K_SYMLINK:		run_name(sd, o, l); break;
	case K_RENAME:		run_rename(sd, o, l); break;
	case K_MKNOD:		run_mknod(sd, o, l); break;
	case K_BIND:		run_bind(sd, o, l); break;
	case K_CHMOD: case K_FCHMOD: case K_CHOWN: case K_FCHOWN:
	case K_UTIMENS:
	case K_FUTIMENS:	run_attr(sd, o, l); break;
	case K_SETXATTR: case K_GETXATTR: case K_LISTXATTR:
	case K_REMOVEXATTR:
	case K_ACL:		run_xattr(sd, o, l); break;
	case K_STATVFS:		run_statvfs(sd, l); break;
	case K_FALLOCATE:	run_fallocate(sd, o, l); break;
	case K_LSEEK: case K_READLINK: case K_ACCESS: case K_FSTAT:
	case K_STAT:
	case K_LIST:		run_look(sd, o, l); break;
	case K_MMAP:		run_mmap(sd, o, l); break;
	case K_COPYRANGE:	run_copyrange(sd, o, l); break;
	case K_SAVE:		run_save(sd, o, l); break;
	case K_SLURP:		run_slurp(sd, o, l); break;
	case K_UMASK:
	case K_MAX:		break;
	}
	become(0);
}
