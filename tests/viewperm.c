/*
 * viewperm.c: cases about who may do what.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "viewcases.h"
#include "viewops.h"

#define ACCESS	"system.posix_acl_access"
#define DEFAULT	"system.posix_acl_default"

/* A directory that anyone may use, as descriptor. */
static int
commons(int root, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	int	 fd;

	if (mkdirat(root, name, 0755) == -1 ||
	    (fd = openat(root, name, O_RDONLY | O_DIRECTORY)) == -1 ||
	    fchown(fd, uid, gid) == -1 || fchmod(fd, mode) == -1)
		abort();
	return fd;
}

static int
try(int d, const char *name, int flags)
{
	int	 fd = openat(d, name, flags, 0666);

	if (fd != -1)
		(void)close(fd);
	return fd == -1 ? -1 : 0;
}

void
case_setgid(int root, struct buf *l)
{
	int	 d = commons(root, "s", 0, 1001, 02777), who;

	for (who = 0; who < 3; who++) {
		char	 f[] = "file0", m[] = "dir0", n[] = "fifo0";

		f[4] = m[3] = n[4] = (char)('0' + who);
		become(who);
		LOG(l, try(d, f, O_CREAT | O_RDWR));
		log_stat(l, d, f);
		LOG(l, mkdirat(d, m, 0777));
		log_stat(l, d, m);
		LOG(l, mknodat(d, n, S_IFIFO | 02775, 0));
		log_stat(l, d, n);
		LOG(l, fchmodat(d, f, 02755, 0));	/* not your group? */
		log_stat(l, d, f);
		LOG(l, fchownat(d, f, (uid_t)-1, 1001, 0));
		LOG(l, fchownat(d, f, (uid_t)-1, 1000, 0));
		log_stat(l, d, f);
	}
	become(0);
	(void)close(d);
}

static void
log_acl(struct buf *l, int d, const char *name, const char *attr)
{
	uint8_t	 b[512];
	ssize_t	 n = os_getxattr(d, name, attr, b, sizeof(b)), i;

	put_fmt(l, "%s %s %zd ", name, attr, n);
	for (i = 0; i < n; i++)
		put_fmt(l, "%02x", b[i]);
	put_u8(l, '\n');
}

static int
set_acl(int d, const char *name, const char *attr, uint64_t r)
{
	uint8_t	 b[512];
	size_t	 n = acl_make(b, r | 2);
	int	 rc = os_setxattr(d, name, attr, b, n, 0);

	errno = rc < 0 ? -rc : 0;
	return rc < 0 ? -1 : 0;
}

void
case_defacl(int root, struct buf *l)
{
	static const char *const made[] = { "file", "dir", "fifo", "link" };
	uint64_t	 r = 0x123456789abcdefu;
	char		 n[16];
	int		 d, i, k;

	for (i = 0; i < 12; i++) {
		snprintf(n, sizeof(n), "d%d", i);
		d = commons(root, n, 1000, 1000, 02777);
		LOG(l, set_acl(root, n, DEFAULT, r * (uint64_t)(i + 3)));
		(void)umask(i % 2 ? 077 : 0);
		become(i % 3);
		LOG(l, try(d, "file", O_CREAT | O_EXCL | O_RDWR));
		LOG(l, mkdirat(d, "dir", 0775));
		LOG(l, mknodat(d, "fifo", S_IFIFO | 0660, 0));
		LOG(l, symlinkat("x", d, "link"));
		become(0);
		(void)umask(022);
		for (k = 0; k < 4; k++) {
			log_stat(l, d, made[k]);
			log_acl(l, d, made[k], ACCESS);
			log_acl(l, d, made[k], DEFAULT);
		}
		(void)close(d);
	}
}

static void
who_may(struct buf *l, int d, const char *name)
{
	int	 who;

	for (who = 0; who < 3; who++) {
		become(who);
		LOG(l, try(d, name, O_RDONLY));
		LOG(l, try(d, name, O_WRONLY));
		LOG(l, faccessat(d, name, X_OK, 0));
	}
	become(0);
}

void
case_acl(int root, struct buf *l)
{
	uint64_t	 r = 0x9e3779b97f4a7c15u;
	int		 d = commons(root, "d", 0, 0, 0777), i;

	put_file(d, "f", "text", 0600);
	who_may(l, d, "f");
	for (i = 0; i < 40; i++) {
		r = r * 6364136223846793005u + 1442695040888963407u;
		LOG(l, set_acl(d, "f", ACCESS, r >> 8));
		log_stat(l, d, "f");
		who_may(l, d, "f");
		if (i % 4 == 1)
			LOG(l, fchmodat(d, "f", (mode_t)(r >> 40) & 0777, 0));
		if (i % 4 == 2)
			LOG(l, os_removexattr(d, "f", ACCESS));
		log_acl(l, d, "f", ACCESS);
		who_may(l, d, "f");
	}
	become(1);
	LOG(l, set_acl(d, "f", ACCESS, r));	/* it is root's */
	become(0);
	LOG(l, set_acl(d, ".", DEFAULT, r));
	LOG(l, os_removexattr(d, ".", DEFAULT));
	(void)close(d);
}

void
case_sticky(int root, struct buf *l)
{
	int	 d = commons(root, "t", 0, 0, 01777);

	become(1);
	LOG(l, try(d, "mine", O_CREAT | O_RDWR));
	LOG(l, mkdirat(d, "mydir", 0777));
	become(2);
	LOG(l, try(d, "yours", O_CREAT | O_RDWR));
	LOG(l, unlinkat(d, "mine", 0));
	LOG(l, renameat(d, "mine", d, "stolen"));
	LOG(l, renameat(d, "yours", d, "mine"));
	LOG(l, unlinkat(d, "mydir", AT_REMOVEDIR));
	LOG(l, linkat(d, "mine", d, "linked", 0));
	LOG(l, try(d, "mine", O_CREAT | O_RDWR));
	LOG(l, os_renameat(d, "yours", d, "mine", OS_RENAME_EXCHANGE));
	become(1);
	LOG(l, renameat(d, "mine", d, "still"));
	LOG(l, unlinkat(d, "still", 0));
	become(0);
	LOG(l, unlinkat(d, "yours", 0));
	(void)close(d);
}

void
case_eacces(int root, struct buf *l)
{
	static const struct timespec past[2] = { { 1000, 1 }, { 2000, 2 } };
	static const struct timespec now[2] = { { 0, UTIME_NOW },
	    { 0, UTIME_NOW } };
	int	 d = commons(root, "open", 0, 0, 0777), who;
	int	 shut = commons(root, "shut", 0, 0, 0700);
	int	 blind = commons(root, "blind", 0, 0, 0711);

	put_file(d, "none", "x", 0);
	put_file(d, "read", "x", 0444);
	put_file(d, "write", "x", 0222);
	put_file(shut, "in", "x", 0666);
	put_file(blind, "in", "x", 0666);
	for (who = 0; who < 3; who++) {
		become(who);
		who_may(l, d, "none");
		become(who);
		LOG(l, try(root, "shut/in", O_RDONLY));
		LOG(l, try(root, "shut", O_RDONLY | O_DIRECTORY));
		LOG(l, try(root, "blind/in", O_RDWR));
		LOG(l, try(root, "blind", O_RDONLY | O_DIRECTORY));
		LOG(l, try(root, "blind/new", O_CREAT | O_RDWR));
		LOG(l, try(d, "read", O_RDONLY));
		LOG(l, try(d, "read", O_WRONLY | O_TRUNC));
		LOG(l, try(d, "write", O_WRONLY | O_TRUNC));
		LOG(l, try(d, "write", O_RDWR));
		LOG(l, fchmodat(d, "read", 0444, 0));
		LOG(l, fchownat(d, "read", 1000, 1000, 0));
		LOG(l, utimensat(d, "write", past, 0));
		LOG(l, utimensat(d, "write", now, 0));
		LOG(l, os_setxattr(d, "write", "user.x", "1", 1, 0));
		LOG(l, os_setxattr(d, "write", "trusted.x", "1", 1, 0));
		LOG(l, os_setxattr(d, "read", "user.x", "1", 1, 0));
		LOG(l, mknodat(d, who == 0 ? "dev0" : "dev", S_IFCHR | 0666,
		    0x103));
		LOG(l, unlinkat(root, "blind/in2", 0));
		LOG(l, renameat(root, "shut", root, "shut2"));
		LOG(l, renameat(root, "shut2", root, "shut"));
		LOG(l, linkat(root, "blind/in", d, who == 1 ? "l1" : "l2",
		    0));
	}
	become(0);
	(void)close(d);
	(void)close(shut);
	(void)close(blind);
}

static void
suid_one(struct buf *l, int d, int who, int how)
{
	char	 n[16];
	int	 fd;

	snprintf(n, sizeof(n), "s%d.%d", who, how);
	become(0);
	put_file(d, n, "text", 0666);
	LOG(l, fchownat(d, n, 1000, 1001, 0));
	LOG(l, fchmodat(d, n, how % 2 ? 06777 : 06767, 0));
	become(who);
	LOGFD(l, fd, openat(d, n, how == 4 ? O_RDWR | O_TRUNC : O_RDWR));
	if (how < 2)
		LOG(l, write(fd, "more", 4));
	else if (how == 2)
		LOG(l, ftruncate(fd, 1));
	else if (how == 3)
		LOG(l, fallocate(fd, 0, 0, 8192));
	else if (how == 5)
		LOG(l, fchownat(d, n, (uid_t)-1, 1001, 0));
	log_stat(l, d, n);
	log_fstat(l, fd);
	(void)close(fd);
}

void
case_suid(int root, struct buf *l)
{
	int	 d = commons(root, "s", 0, 0, 0777), who, how;

	for (who = 0; who < 3; who++)
		for (how = 0; how < 6; how++)
			suid_one(l, d, who, how);
	become(0);
	(void)close(d);
}
