/*
 * viewio.c: cases about what is in files.
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viewcases.h"
#include "viewops.h"

#define MIB	(1024 * 1024)

/* Every flag on every kind of object. */
void
case_flags(int root, struct buf *l)
{
	static const int bit[] = { O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY,
	    O_NOFOLLOW, O_APPEND, O_PATH };
	static const int mode[] = { O_RDONLY, O_WRONLY, O_RDWR };
	static const char *const name[] = { "file", "dir", "link", "dlink",
	    "dangling", "loop", "fifo", "missing", "file/", "dir/", "link/",
	    "dlink/", "missing/", "nodir/x", "file/x" };
	unsigned	 m, i, n;
	int		 fd, fl;
	char		 b[8];

	for (m = 0; m < 3 * 128; m++) {
		fl = mode[m / 128] | O_NONBLOCK;
		for (i = 0; i < 7; i++)
			fl |= (m >> i) & 1 ? bit[i] : 0;
		for (n = 0; n < sizeof(name) / sizeof(name[0]); n++) {
			if (m % 8 == 0 && n == 0) {
				put_file(root, "file", "text", 0644);
				(void)mkdirat(root, "dir", 0755);
				(void)symlinkat("file", root, "link");
				(void)symlinkat("dir", root, "dlink");
				(void)symlinkat("gone", root, "dangling");
				(void)symlinkat("loop", root, "loop");
				(void)mknodat(root, "fifo", S_IFIFO | 0644, 0);
			}
			put_fmt(l, "%s %x: ", name[n], m);
			LOGFD(l, fd, openat(root, name[n], fl, 0640));
			if (fd != -1) {
				log_fstat(l, fd);
				LOG(l, write(fd, "ab", 2));
				LOG(l, read(fd, b, sizeof(b)));
				LOG(l, lseek(fd, 0, SEEK_CUR));
				(void)close(fd);
			}
			(void)unlinkat(root, "missing", 0);
			(void)unlinkat(root, "gone", 0);
		}
	}
	log_file(l, root, "file");
}

static void
log_map(struct buf *l, int fd)
{
	off_t	 pos = 0, end = lseek(fd, 0, SEEK_END), d, h;
	int	 i;

	put_fmt(l, "size %jd:", (intmax_t)end);
	for (i = 0; i < 100 && pos < end; i++) {
		d = lseek(fd, pos, SEEK_DATA);
		h = lseek(fd, pos, SEEK_HOLE);
		put_fmt(l, " %jd/%jd", (intmax_t)d, (intmax_t)h);
		pos = d == pos ? h : d;
		if (pos == -1)
			break;
	}
	put_u8(l, '\n');
	log_fstat(l, fd);
}

void
case_holes(int root, struct buf *l)
{
	char	 b[10000], c[10000];
	int	 fd, to;
	off_t	 x, y;

	memset(b, 'b', sizeof(b));
	LOGFD(l, fd, openat(root, "big", O_RDWR | O_CREAT, 0644));
	LOG(l, pwrite(fd, b, 10, 64 * MIB - 10));
	LOG(l, pwrite(fd, b, sizeof(b), 8 * MIB + 100));
	LOG(l, pwrite(fd, b, 1, 0));
	log_map(l, fd);
	LOG(l, pread(fd, c, 100, 64 * MIB - 100));
	put_bytes(l, c, 100);
#ifdef FALLOC_FL_PUNCH_HOLE
	LOG(l, fallocate(fd, 0, 20 * MIB, MIB));
	log_map(l, fd);
	LOG(l, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	    20 * MIB + 100, MIB - 100));
	log_map(l, fd);
	LOG(l, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
	    8 * MIB + 200, 300));
	LOG(l, fallocate(fd, FALLOC_FL_KEEP_SIZE, 70 * MIB, MIB));
	LOG(l, fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, MIB));
	LOG(l, fallocate(fd, 0, -1, MIB));
	LOG(l, fallocate(fd, 0, 0, 0));
	log_map(l, fd);
#endif
	LOG(l, pread(fd, c, 1000, 8 * MIB + 50));
	put_bytes(l, c, 1000);
	LOG(l, ftruncate(fd, 8 * MIB + 5000));
	LOG(l, ftruncate(fd, 64 * MIB));
	log_map(l, fd);
	LOG(l, pread(fd, c, 10000, 8 * MIB + 100));
	put_bytes(l, c, 10000);
	LOGFD(l, to, openat(root, "copy", O_RDWR | O_CREAT, 0644));
	x = 8 * MIB;
	y = 3;
	LOG(l, copy_file_range(fd, &x, to, &y, 9000, 0));
	LOG(l, lseek(fd, 8 * MIB + 1000, SEEK_SET));
	LOG(l, copy_file_range(fd, NULL, to, NULL, 5000, 0));
	LOG(l, lseek(to, 0, SEEK_CUR));
	log_map(l, to);
	LOG(l, ftruncate(fd, (off_t)1 << 40));
	LOG(l, ftruncate(fd, -1));
	LOG(l, lseek(fd, 0, SEEK_END));
	LOG(l, pwrite(fd, b, 10, ((off_t)1 << 40) - 5));
	LOG(l, ftruncate(fd, 64 * MIB));
	(void)close(fd);
	(void)close(to);
}

static int
setlk(int fd, int cmd, short type, off_t from, off_t len)
{
	struct flock	 k = { .l_type = type, .l_whence = SEEK_SET,
	    .l_start = from, .l_len = len };

	return fcntl(fd, cmd, &k);
}

/* What another process finds. */
static void
try_locks(int root, struct buf *l)
{
	struct flock	 k = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int		 fd;

	LOGFD(l, fd, openat(root, "lock", O_RDWR));
	LOG(l, flock(fd, LOCK_EX | LOCK_NB));
	LOG(l, flock(fd, LOCK_SH | LOCK_NB));
	LOG(l, setlk(fd, F_SETLK, F_WRLCK, 5, 10));
	LOG(l, setlk(fd, F_SETLK, F_RDLCK, 5, 10));
	LOG(l, setlk(fd, F_SETLK, F_WRLCK, 200, 10));
	LOG(l, fcntl(fd, F_GETLK, &k));
	put_fmt(l, "held: %d parent %d from %jd len %jd\n", k.l_type,
	    k.l_pid == getppid(), (intmax_t)k.l_start, (intmax_t)k.l_len);
}

void
case_locks(int root, struct buf *l)
{
	int	 fd, other;

	put_file(root, "lock", "some text to be locked", 0666);
	LOGFD(l, fd, openat(root, "lock", O_RDWR));
	in_child(root, l, try_locks);
	LOG(l, flock(fd, LOCK_EX));
	in_child(root, l, try_locks);
	LOG(l, flock(fd, LOCK_SH));
	in_child(root, l, try_locks);
	LOG(l, flock(fd, LOCK_UN));
	LOG(l, setlk(fd, F_SETLKW, F_RDLCK, 0, 8));
	in_child(root, l, try_locks);
	LOG(l, setlk(fd, F_SETLKW, F_WRLCK, 0, 8));
	in_child(root, l, try_locks);
	LOGFD(l, other, openat(root, "lock", O_RDONLY));
	(void)close(other);			/* POSIX: the lock is gone */
	in_child(root, l, try_locks);
#ifdef F_OFD_SETLK
	LOG(l, setlk(fd, F_OFD_SETLK, F_WRLCK, 3, 8));
	LOGFD(l, other, openat(root, "lock", O_RDONLY));
	(void)close(other);
	in_child(root, l, try_locks);
#endif
	(void)close(fd);
	in_child(root, l, try_locks);
}

/* A mapping seen from another process. */
static void
look_and_write(int root, struct buf *l)
{
	int	 fd;
	char	 b[9000];
	ssize_t	 n;

	LOGFD(l, fd, openat(root, "map", O_RDWR));
	n = read(fd, b, sizeof(b));
	put_fmt(l, "%zd %.16s %.16s\n", n, b, b + 4096);
	LOG(l, pwrite(fd, "from the child", 14, 100));
	(void)close(fd);
}

void
case_mmap(int root, struct buf *l)
{
	char	*s, *p, b[32];
	int	 fd;

	put_file(root, "map", "beginning", 0644);
	LOGFD(l, fd, openat(root, "map", O_RDWR));
	LOG(l, ftruncate(fd, 9000));
	s = mmap(NULL, 9000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	p = mmap(NULL, 9000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	LOG(l, s == MAP_FAILED || p == MAP_FAILED ? -1 : 0);
	if (s == MAP_FAILED || p == MAP_FAILED)
		return;
	memcpy(p, "private!!", 9);
	memcpy(s + 4096, "shared", 6);
	in_child(root, l, look_and_write);
	put_fmt(l, "%.14s\n%.14s\n", s + 100, s + 4096);
	LOG(l, pwrite(fd, "by pwrite", 9, 5000));
	put_fmt(l, "%.9s %.9s\n", s + 5000, p);
	LOG(l, ftruncate(fd, 4100));
	LOG(l, ftruncate(fd, 9000));
	put_fmt(l, "%.4s %d\n", s + 4096, s[5000]);
	memcpy(s + 8990, "end", 3);
	(void)close(fd);
	LOG(l, munmap(s, 9000));		/* without msync */
	LOGFD(l, fd, openat(root, "map", O_RDONLY));
	LOG(l, pread(fd, b, 10, 8990));
	put_bytes(l, b, 10);
	s = mmap(NULL, 9000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	LOG(l, s == MAP_FAILED ? -1 : 0);	/* opened for reading */
	LOG(l, fsync(fd));
	log_fstat(l, fd);
	(void)close(fd);
	(void)munmap(p, 9000);
}

static void
append(int root, char mark)
{
	char	 line[20];
	int	 i, fd = openat(root, "log", O_WRONLY | O_APPEND);

	memset(line, mark, sizeof(line));
	line[19] = '\n';
	for (i = 0; i < 2000; i++)
		if (write(fd, line, sizeof(line)) != sizeof(line))
			_exit(1);
	_exit(0);
}

void
case_append(int root, struct buf *l)
{
	char	 line[20];
	int	 i, fd, status, n[2] = { 0, 0 }, bad = 0;
	pid_t	 pid[2];

	put_file(root, "log", "", 0666);
	for (i = 0; i < 2; i++)
		if ((pid[i] = fork()) == 0)
			append(root, (char)('a' + i));
	for (i = 0; i < 2; i++) {
		(void)waitpid(pid[i], &status, 0);
		put_fmt(l, "status %d\n", status);
	}
	fd = openat(root, "log", O_RDONLY);
	while (read(fd, line, sizeof(line)) == sizeof(line)) {
		bad += line[0] != line[18] || line[19] != '\n';
		n[line[0] == 'b']++;
	}
	(void)close(fd);
	put_fmt(l, "%d %d, torn %d\n", n[0], n[1], bad);
	/* The interleaving is not to be compared. */
	LOG(l, unlinkat(root, "log", 0));
}

void
case_unlinked(int root, struct buf *l)
{
	static const struct timespec ts[2] = { { 5, 0 }, { 6, 0 } };
	char	 b[64] = "";
	int	 fd, two, dir;

	put_file(root, "f", "the old content", 0644);
	put_file(root, "new", "the new content", 0644);
	LOGFD(l, fd, openat(root, "f", O_RDWR));
	LOGFD(l, two, openat(root, "f", O_RDONLY));
	LOG(l, renameat(root, "new", root, "f"));
	log_file(l, root, "f");
	LOG(l, read(two, b, sizeof(b)));
	put_fmt(l, "%s\n", b);
	LOG(l, pwrite(fd, "more", 4, 15));
	LOG(l, fchmod(fd, 0600));
	LOG(l, fchown(fd, 1000, 1001));
	LOG(l, futimens(fd, ts));
	log_fstat(l, two);
	LOG(l, ftruncate(fd, 8));
	LOG(l, fallocate(fd, 0, 0, 10000));
	LOG(l, lseek(fd, 0, SEEK_DATA));
	LOG(l, linkat(fd, "", root, "back", AT_EMPTY_PATH));
	log_fstat(l, fd);
	LOG(l, unlinkat(root, "f", 0));
	log_fstat(l, two);
	LOG(l, pread(two, b, sizeof(b), 0));
	put_bytes(l, b, sizeof(b));
	(void)close(fd);
	log_fstat(l, two);
	(void)close(two);
	LOG(l, mkdirat(root, "d", 0755));
	LOGFD(l, dir, openat(root, "d", O_RDONLY));
	LOG(l, unlinkat(root, "d", AT_REMOVEDIR));
	LOG(l, mkdirat(dir, "x", 0755));
	LOGFD(l, fd, openat(dir, "y", O_CREAT | O_RDWR, 0644));
	LOGFD(l, fd, openat(dir, "..", O_RDONLY));
	LOG(l, fchmod(dir, 0711));
	log_fstat(l, dir);
	LOG(l, mkdirat(root, "d", 0755));	/* another one */
	LOGFD(l, fd, openat(dir, "z", O_CREAT | O_RDWR, 0644));
	LOGFD(l, fd, openat(root, "d/z", O_CREAT | O_RDWR, 0644));
	(void)close(fd);
	(void)close(dir);
}

static void
aged(int root, struct buf *l, const char *what, long rc)
{
	static const struct timespec ts[2] = { { 5, 0 }, { 6, 0 } };
	static const char *const look[] = { ".", "f", "d", "g" };
	static struct timespec	 c[4];
	struct stat	 st;
	int		 i;

	put_fmt(l, "%s %ld:", what, rc);
	for (i = 0; i < 4; i++) {
		if (fstatat(root, look[i], &st, AT_SYMLINK_NOFOLLOW) == -1) {
			put_fmt(l, " %s -", look[i]);
			continue;
		}
		put_fmt(l, " %s m%d c%d", look[i], st.st_mtim.tv_sec != 6,
		    st.st_ctim.tv_sec != c[i].tv_sec ||
		    st.st_ctim.tv_nsec != c[i].tv_nsec);
		(void)utimensat(root, look[i], ts, AT_SYMLINK_NOFOLLOW);
		if (fstatat(root, look[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
			c[i] = st.st_ctim;
	}
	put_u8(l, '\n');
	(void)usleep(10000);		/* the clock of ctime ticks */
}

static int
empty(int root, const char *name)
{
	int	 fd = openat(root, name, O_WRONLY | O_TRUNC);

	return fd == -1 ? -1 : close(fd);
}

#define AGED(call) aged(root, l, #call, (long)(call))

void
case_times(int root, struct buf *l)
{
	char	 b[8];
	int	 fd, sub;

	put_file(root, "f", "text", 0644);
	AGED(mkdirat(root, "d", 0755));
	AGED(0);
	AGED(linkat(root, "f", root, "g", 0));
	AGED(unlinkat(root, "g", 0));
	fd = openat(root, "f", O_RDWR);
	AGED(write(fd, "x", 1));
	AGED(write(fd, "", 0));
	AGED(read(fd, b, 1));
	AGED(ftruncate(fd, 4));
	AGED(ftruncate(fd, 9));
	AGED(fchmod(fd, 0644));
	AGED(fchown(fd, (uid_t)-1, 0));
	AGED(fallocate(fd, 0, 0, 100));
	AGED(empty(root, "f"));
	AGED(empty(root, "f"));
	AGED(symlinkat("f", root, "g"));
	AGED(renameat(root, "g", root, "d/g"));
	AGED(renameat(root, "d/g", root, "g"));
	AGED(renameat(root, "f", root, "g"));
	AGED(fchmod(fd, 0600));
	AGED(renameat(root, "g", root, "f"));
	sub = openat(root, "d", O_RDONLY);
	AGED(mkdirat(sub, "x", 0755));
	AGED(fchmodat(sub, "x", 0700, 0));
	AGED(renameat(sub, "x", sub, "y"));
	AGED(unlinkat(sub, "y", AT_REMOVEDIR));
	AGED(unlinkat(root, "f", 0));
	AGED(write(fd, "x", 1));
	(void)close(fd);
	(void)close(sub);
}
