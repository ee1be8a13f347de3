/*
 * osdep.c: the promises of lib/osdep.h, for whichever system this is.
 * What mounts does so in a name space of its own, or is skipped.
 */
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "tap.h"

static char	 dir[64];	/* of this test */
static int	 dfd;
static bool	 own_ns;	/* mounts are ours alone */

static bool
there(const char *name)
{
	struct stat	 st;

	return fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Everything one may do with attributes of one name; how much failed. */
static int
attributes_of(int d, const char *name, const char *attr)
{
	char	 b[64], list[512];
	ssize_t	 n;
	int	 bad = 0;

	bad += !OK(os_getxattr(d, name, attr, b, sizeof(b)) == -OS_ENOATTR);
	bad += !OK(os_setxattr(d, name, attr, "va\0ue", 5, 0) == 0);
	bad += !OK(os_getxattr(d, name, attr, NULL, 0) == 5);
	bad += !OK(os_getxattr(d, name, attr, b, 2) == -ERANGE);
	bad += !OK(os_getxattr(d, name, attr, b, sizeof(b)) == 5 &&
	    memcmp(b, "va\0ue", 5) == 0);
	bad += !OK(os_setxattr(d, name, attr, "x", 1, 1) == -EEXIST);
	bad += !OK(os_setxattr(d, name, attr, "", 0, 2) == 0);
	bad += !OK(os_getxattr(d, name, attr, b, sizeof(b)) == 0);
	n = os_listxattr(d, name, list, sizeof(list));
	bad += !OK(n == os_listxattr(d, name, NULL, 0));
	bad += !OK(n > 0 && memmem(list, (size_t)n, attr, strlen(attr) + 1));
	bad += !OK(os_removexattr(d, name, attr) == 0);
	bad += !OK(os_removexattr(d, name, attr) == -OS_ENOATTR);
	bad += !OK(os_getxattr(d, "none", attr, b, sizeof(b)) == -ENOENT);
	return bad;
}

/* On every kind of file; from a current directory that must stay. */
static int
attributes_everywhere(void)
{
	static const char *const kinds[] = { "reg", "lnk", "fifo", "chr",
	    "dir", "." };
	char		 was[4096], is[4096];
	const char	*attr;
	size_t		 i;
	int		 bad = 0, d = dfd;

	bad += !OK(getcwd(was, sizeof(was)) != NULL);
	for (i = 0; i < 2 * sizeof(kinds) / sizeof(kinds[0]); i++) {
#ifdef O_PATH
		if (i % 2 == 1)
			d = openat(dfd, ".", O_PATH | O_DIRECTORY);
#endif
		attr = geteuid() == 0 ? "trusted.cfgfs" : "user.cfgfs";
#ifdef __FreeBSD__
		attr = "user.cfgfs";
#endif
		if (there(kinds[i / 2]))	/* root makes them all */
			bad += attributes_of(d, kinds[i / 2], attr);
		if (d != dfd)
			(void)close(d);
		d = dfd;
	}
	bad += !OK(getcwd(is, sizeof(is)) != NULL && strcmp(is, was) == 0);
	return bad;
}

static bool
make_kinds(void)
{
	char	 b[1];
	int	 fd;

	fd = openat(dfd, "reg", O_WRONLY | O_CREAT, 0000);
	OK(fd != -1 && close(fd) == 0);
	if (os_getxattr(dfd, "reg", "user.x", b, 1) == -EOPNOTSUPP) {
		tap_skip("no extended attributes in this file system");
		return false;
	}
	OK(mkdirat(dfd, "dir", 0700) == 0 || errno == EEXIST);
	if (geteuid() != 0)
		return fchmodat(dfd, "reg", 0600, 0) == 0;
	OK(symlinkat("/nowhere", dfd, "lnk") == 0 || errno == EEXIST);
	OK(mkfifoat(dfd, "fifo", 0) == 0 || errno == EEXIST);
	OK(mknodat(dfd, "chr", S_IFCHR, makedev(240, 240)) == 0 ||
	    errno == EEXIST);
	return true;
}

static void
attributes_need_no_open_file(void)
{
	if (make_kinds())
		(void)attributes_everywhere();
}

#ifdef __linux__
/* The kernel as it was before it had calls for this. */
static void
attributes_work_on_an_old_kernel(void)
{
	struct sock_filter	 f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 463, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 466, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog	 prog = { 5, f };
	pid_t			 pid;
	int			 st;

	if (!make_kinds())
		return;
	fflush(stdout);
	if ((pid = fork()) == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == -1)
			_exit(99);
		st = attributes_everywhere();
		fflush(stdout);
		_exit(st);
	}
	OK(waitpid(pid, &st, 0) == pid && WIFEXITED(st));
	if (WEXITSTATUS(st) == 99)
		tap_skip("no seccomp");
	else
		OK(WEXITSTATUS(st) == 0);
}
#endif

static pid_t
sleeper(const char *as)
{
	char	 c;
	int	 p[2];
	pid_t	 pid;

	OK(pipe(p) == 0);
	if ((pid = fork()) == 0) {
		(void)close(p[0]);
		(void)fcntl(p[1], F_SETFD, FD_CLOEXEC);
		(void)execl("/bin/sleep", as, "1000", (char *)NULL);
		_exit(1);
	}
	(void)close(p[1]);
	OK(read(p[0], &c, 1) == 0);	/* it has become the other program */
	(void)close(p[0]);
	return pid;
}

static void
a_program_is_named(void)
{
	char	 name[16], tiny[4];
	pid_t	 pid[20];
	int	 i, k;

	for (i = 0; i < 20; i++)
		pid[i] = sleeper("sleep");
	for (k = 0; k < 3; k++)
		for (i = 0; i < 20; i++) {
			os_progname(pid[i], name, sizeof(name));
			OK(strcmp(name, "sleep") == 0);
			os_progname(getpid(), name, sizeof(name));
			OK(strcmp(name, "osdep.t") == 0);
		}
	os_progname(pid[0], tiny, sizeof(tiny));
	OK(strcmp(tiny, "sle") == 0);
	for (i = 0; i < 20; i++) {
		OK(kill(pid[i], SIGKILL) == 0);
		OK(waitpid(pid[i], NULL, 0) == pid[i]);
		os_progname(pid[i], name, sizeof(name));
		OK(strcmp(name, "?") == 0);
	}
	os_progname(0, name, sizeof(name));
	OK(strcmp(name, "?") == 0);
	os_progname(-5, name, sizeof(name));
	OK(strcmp(name, "?") == 0);
}

static void
a_program_that_became_another_is_named_anew(void)
{
	char	 name[16], c;
	int	 p[2], q[2];
	pid_t	 pid;

	OK(pipe(p) == 0 && pipe(q) == 0);
	if ((pid = fork()) == 0) {
		(void)close(p[0]);
		(void)close(q[1]);
		(void)fcntl(p[1], F_SETFD, FD_CLOEXEC);
		if (read(q[0], &c, 1) == 0)
			(void)execl("/bin/sleep", "sleep", "1000",
			    (char *)NULL);
		_exit(1);
	}
	(void)close(p[1]);
	(void)close(q[0]);
	os_progname(pid, name, sizeof(name));
	OK(strcmp(name, "osdep.t") == 0);
	(void)close(q[1]);
	OK(read(p[0], &c, 1) == 0);
	os_progname(pid, name, sizeof(name));
	OK(strcmp(name, "sleep") == 0);
	OK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	(void)close(p[0]);
}

static void
renames_with_flags(void)
{
	int	 rc;

	OK(mkdirat(dfd, "ra", 0700) == 0 && mkdirat(dfd, "rb", 0700) == 0);
	OK(mkdirat(dfd, "ra/in", 0700) == 0);
	rc = os_renameat(dfd, "ra", dfd, "rb", OS_RENAME_NOREPLACE);
	if (rc == -EINVAL) {
		tap_skip("renames have no flags here");
		return;
	}
	OK(rc == -EEXIST);
	OK(os_renameat(dfd, "ra", dfd, "rb", OS_RENAME_EXCHANGE) == 0);
	OK(there("rb/in") && there("ra") && !there("ra/in"));
	OK(os_renameat(dfd, "rb", dfd, "rc", OS_RENAME_NOREPLACE) == 0);
	OK(there("rc/in") && !there("rb"));
	OK(os_renameat(dfd, "rc", dfd, "ra", 0) == 0 && there("ra/in"));
	OK(os_renameat(dfd, "none", dfd, "x", 0) == -ENOENT);
}

static void
random_bytes_differ(void)
{
	uint8_t	 a[1000] = { 0 }, b[1000] = { 0 };
	size_t	 i, zeros = 0;

	os_random(a, sizeof(a));
	os_random(b, sizeof(b));
	OK(memcmp(a, b, sizeof(a)) != 0);
	for (i = 0; i < sizeof(a); i++)
		zeros += a[i] == 0;
	OK(zeros < 50);
}

static void
the_other_end_of_a_socket_is_known(void)
{
	uid_t	 u = 99;
	gid_t	 g = 99;
	pid_t	 p = 99;
	int	 s[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0);
	OK(os_peer(s[0], &u, &g, &p) == 0);
	OK(u == geteuid() && g == getegid() && (p == getpid() || p == 0));
	OK(os_peer(dfd, &u, &g, &p) < 0);
	(void)close(s[0]);
	(void)close(s[1]);
}

static int
filled(const char *name, size_t n, uint64_t seed)
{
	uint8_t	*b = malloc(n + 1);
	size_t	 i;
	int	 fd;

	for (i = 0; i < n; i++)
		b[i] = (uint8_t)tap_rand(&seed);
	fd = openat(dfd, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	OK(fd != -1 && write(fd, b, n) == (ssize_t)n);
	OK(lseek(fd, 0, SEEK_SET) == 0);
	free(b);
	return fd;
}

static bool
same(int a, int b)
{
	struct stat	 s, t;
	uint8_t		*p, *q;
	bool		 eq = false;

	if (fstat(a, &s) == -1 || fstat(b, &t) == -1 ||
	    s.st_size != t.st_size)
		return false;
	p = malloc((size_t)s.st_size + 1);
	q = malloc((size_t)s.st_size + 1);
	if (pread(a, p, (size_t)s.st_size, 0) == s.st_size &&
	    pread(b, q, (size_t)s.st_size, 0) == s.st_size)
		eq = memcmp(p, q, (size_t)s.st_size) == 0;
	free(p);
	free(q);
	return eq;
}

static void
a_copy_is_the_same(void)
{
	static const size_t	 sizes[] = { 0, 1, 4096, 32768, 32769, 131072,
	    300001, 3000000 };
	struct stat		 st;
	size_t			 i;
	int			 a, b;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		a = filled("ca", sizes[i], i + 1);
		b = filled("cb", 0, 1);
		OK(os_copy(a, b, UINT64_MAX) == 0 && same(a, b));
		OK(lseek(b, 0, SEEK_CUR) == (off_t)sizes[i]);
		(void)close(b);
		/* A part of it, from and to the middle. */
		b = filled("cb", 3, 9);
		OK(lseek(a, (off_t)sizes[i] / 2, SEEK_SET) >= 0);
		OK(lseek(b, 1, SEEK_SET) == 1);
		OK(os_copy(a, b, sizes[i] / 4) == 0);
		OK(lseek(a, 0, SEEK_CUR) ==
		    (off_t)(sizes[i] / 2 + sizes[i] / 4));
		OK(fstat(b, &st) == 0 && st.st_size ==
		    (off_t)(sizes[i] / 4 < 2 ? 3 : sizes[i] / 4 + 1));
		(void)close(a);
		(void)close(b);
	}
}

static void
a_copy_keeps_holes(void)
{
	static const off_t	 sizes[] = { 100000, 64 << 20 };
	struct stat		 st;
	size_t			 i;
	int			 a, b, k;

	for (i = 0; i < 2; i++)
		for (k = 0; k < 4; k++) {
			a = filled("ha", 0, 1);
			b = filled("hb", 0, 1);
			if (k & 1)
				OK(pwrite(a, "data", 4, sizes[i] / 2) == 4);
			if (k & 2)
				OK(pwrite(a, "data", 4, 0) == 4);
			OK(ftruncate(a, sizes[i]) == 0);
			OK(os_copy(a, b, (uint64_t)sizes[i]) == 0);
			OK(same(a, b));
			OK(fstat(b, &st) == 0 && st.st_blocks < 100);
			(void)close(a);
			(void)close(b);
		}
	/* What lies behind the end of the copy stays. */
	a = filled("ha", 0, 1);
	b = filled("hb", 200000, 1);
	OK(ftruncate(a, 100000) == 0 && os_copy(a, b, 100000) == 0);
	OK(fstat(b, &st) == 0 && st.st_size == 200000);
	(void)close(a);
	(void)close(b);
}

static void
what_is_no_disk_is_told(void)
{
	uint64_t	 n;
	uint32_t	 b, p;
	int		 fd = open("/dev/null", O_RDWR);

	OK(os_disk(dfd, &n, &b, &p) == -ENOTBLK);
	OK(os_disk(fd, &n, &b, &p) == -ENOTBLK);
	OK(os_disk(-1, &n, &b, &p) == -EBADF);
	(void)close(fd);
	fd = filled("flush", 10, 1);
	OK(os_flush(fd) == 0 && os_flush(-1) == -EBADF);
	(void)close(fd);
}

/* dir/name, in one of a few buffers. */
static const char *
at(const char *name)
{
	static char	 b[4][256];
	static int	 i;

	i = (i + 1) % 4;
	(void)snprintf(b[i], sizeof(b[i]), "%s/%s", dir, name);
	return b[i];
}

static void
the_uppermost_mount_is_found(void)
{
	struct os_mnt	 m;
	struct err	 e;
	int		 fd;

	if (!own_ns) {
		tap_skip("no mount name space of its own");
		return;
	}
	OK(mkdirat(dfd, "m x", 0755) == 0);
	OK(os_mnt_at(at("m x"), &m, &e) == -ENOENT);
	OK(os_mount_ram(at("m x"), &e) == 0);
	OK(os_mnt_at(at("m x"), &m, &e) == 0);
	OK(strcmp(m.dir, at("m x")) == 0 && strcmp(m.type, "tmpfs") == 0);
	OK(!m.ro && !m.fs_ro && !m.dir_ro);
	os_mnt_free(&m);
	fd = open(at("m x"), O_RDONLY);
	OK(fd != -1 && os_is_ramdisk(fd) && close(fd) == 0);
	fd = open("/proc", O_RDONLY);
	OK(fd == -1 || (!os_is_ramdisk(fd) && close(fd) == 0));
	/* Inside; then hidden by a second one, which is read-only. */
	OK(mkdir(at("m x/in"), 0755) == 0 && mkdir(at("m x/b"), 0755) == 0);
	OK(os_mount_ram(at("m x/in"), &e) == 0);
	OK(os_mnt_of(at("m x/in/deep/down"), &m, &e) == 0);
	OK(strcmp(m.dir, at("m x/in")) == 0);
	os_mnt_free(&m);
	OK(os_mnt_of(at("m x/inner"), &m, &e) == 0);
	OK(strcmp(m.dir, at("m x")) == 0);
	os_mnt_free(&m);
	OK(os_mount_ram(at("m x"), &e) == 0);
	OK(os_mnt_at(at("m x/in"), &m, &e) == -ENOENT);
	OK(os_mnt_at(at("m x"), &m, &e) == 0);
	OK(os_remount(&m, false, &e) == 0);
	m.fs_ro = true;
	OK(os_remount(&m, true, &e) == 0);
	os_mnt_free(&m);
	OK(os_mnt_at(at("m x"), &m, &e) == 0 && m.ro && m.fs_ro);
	OK(mkdir(at("m x/no"), 0755) == -1 && errno == EROFS);
	OK(os_remount(&m, false, &e) == 0);
	os_mnt_free(&m);
	OK(mkdir(at("m x/yes"), 0755) == 0);
	OK(os_unmount(at("m x"), false, &e) == 0);
	OK(os_mnt_at(at("m x/in"), &m, &e) == 0);
	os_mnt_free(&m);
	OK(os_unmount(at("m x"), false, &e) == -EBUSY);
	OK(strstr(e.msg, "m x") != NULL);
	OK(os_unmount(at("m x"), true, &e) == 0);
	OK(os_mnt_at(at("m x"), &m, &e) == -ENOENT);
	OK(os_unmount(at("m x"), false, &e) == -EINVAL);
}

static void
a_bind_is_seen_twice_and_alone(void)
{
	struct os_mnt	 m;
	struct err	 e;

	if (!own_ns) {
		tap_skip("no mount name space of its own");
		return;
	}
	OK(mkdirat(dfd, "shared", 0755) == 0 && mkdirat(dfd, "to", 0755) == 0);
	OK(os_mount_ram(at("shared"), &e) == 0);
#ifdef __linux__
	OK(mount(NULL, at("shared"), "none", MS_SHARED, NULL) == 0);
#endif
	OK(mkdir(at("shared/etc"), 0700) == 0);
	OK(mkdir(at("shared/etc/below"), 0700) == 0);
	OK(os_mount_bind(at("shared/etc"), at("to"), true, &e) == 0);
	OK(access(at("to/below"), F_OK) == 0);
	OK(mkdir(at("to/no"), 0755) == -1 && errno == EROFS);
	OK(mkdir(at("shared/etc/yes"), 0755) == 0);
	OK(os_mnt_at(at("to"), &m, &e) == 0 && m.ro && m.dir_ro && !m.fs_ro);
	/* Read-write and back, and the other never notices. */
	OK(os_remount(&m, false, &e) == 0 && mkdir(at("to/w"), 0755) == 0);
	OK(os_remount(&m, true, &e) == 0);
	OK(mkdir(at("to/no"), 0755) == -1 && errno == EROFS);
	OK(mkdir(at("shared/etc/yes2"), 0755) == 0);
	os_mnt_free(&m);
	/* What is mounted over the one is not over the other. */
	OK(os_mount_ram(at("shared/etc"), &e) == 0);
	OK(access(at("to/below"), F_OK) == 0);
	OK(access(at("shared/etc/below"), F_OK) == -1);
	OK(os_unmount(at("to"), false, &e) == 0);
	OK(os_mount_bind(at("none"), at("to"), true, &e) == -ENOENT);
	OK(os_mnt_at(at("to"), &m, &e) == -ENOENT);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "attributes need no open file",
		    attributes_need_no_open_file },
#ifdef __linux__
		{ "attributes work on an old kernel",
		    attributes_work_on_an_old_kernel },
#endif
		{ "a program is named", a_program_is_named },
		{ "a program that became another is named anew",
		    a_program_that_became_another_is_named_anew },
		{ "renames with flags", renames_with_flags },
		{ "random bytes differ", random_bytes_differ },
		{ "the other end of a socket is known",
		    the_other_end_of_a_socket_is_known },
		{ "a copy is the same", a_copy_is_the_same },
		{ "a copy keeps holes", a_copy_keeps_holes },
		{ "what is no disk is told", what_is_no_disk_is_told },
		{ "the uppermost mount is found",
		    the_uppermost_mount_is_found },
		{ "a bind is seen twice, and alone",
		    a_bind_is_seen_twice_and_alone },
	};
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "%s/cfgfs-osdep.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL ||
	    (dfd = open(dir, O_RDONLY | O_DIRECTORY)) == -1) {
		perror(dir);
		return 2;
	}
#ifdef __linux__
	own_ns = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
#endif
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)os_unmount(at("shared/etc"), true, NULL);
	(void)os_unmount(at("shared"), true, NULL);
	(void)snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
