/*
 * opsbench-ops.c: the operations, each run n times in one directory.
 */
#include <sys/types.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "opsbench.h"

char		 bench_data[BENCH_SIZE];
char		*bench_new[BENCH_BATCH];
uint64_t	 bench_own_ns;

uint64_t
bench_now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int
bench_put(const char *p, int flags, size_t len, int sync)
{
	int	 fd = open(p, flags, 0644);

	if (fd == -1)
		return -1;
	if (write(fd, bench_data, len) != (ssize_t)len ||
	    (sync && fsync(fd) == -1)) {
		close(fd);
		return -1;
	}
	return close(fd);
}

/* Run n times: 0 or -1. */
#define OP(name) static int op_##name(struct target *t, long n)

OP(stat)
{
	struct stat st;

	for (long i = 0; i < n; i++)
		if (stat(t->fpath[i % BENCH_FILES], &st))
			return -1;
	return 0;
}

OP(stat_missing)
{
	struct stat st;

	for (long i = 0; i < n; i++)
		if (stat(t->mpath[i % BENCH_TARGETS], &st) == 0 || errno != ENOENT)
			return -1;
	return 0;
}

OP(stat_deep)
{
	struct stat st;

	for (long i = 0; i < n; i++)
		if (stat(t->deep, &st))
			return -1;
	return 0;
}

OP(access)
{
	for (long i = 0; i < n; i++)
		if (access(t->fpath[i % BENCH_FILES], R_OK))
			return -1;
	return 0;
}

OP(open_close)
{
	for (long i = 0; i < n; i++) {
		int fd = open(t->fpath[i % BENCH_FILES], O_RDONLY);
		if (fd < 0 || close(fd))
			return -1;
	}
	return 0;
}

OP(open_read)
{
	char b[4096];

	for (long i = 0; i < n; i++) {
		int fd = open(t->fpath[i % BENCH_FILES], O_RDONLY);
		if (fd < 0)
			return -1;
		if (read(fd, b, sizeof(b)) != BENCH_SIZE)
			return -1;
		if (close(fd))
			return -1;
	}
	return 0;
}

OP(slurp)
{
	char b[4096];
	struct stat st;

	for (long i = 0; i < n; i++) {
		int fd = open(t->fpath[i % BENCH_FILES], O_RDONLY);
		if (fd < 0 || fstat(fd, &st))
			return -1;
		if (read(fd, b, sizeof(b)) != BENCH_SIZE || read(fd, b, sizeof(b)) != 0)
			return -1;
		if (close(fd))
			return -1;
	}
	return 0;
}

OP(mmap_read)
{
	volatile char sum = 0;

	for (long i = 0; i < n; i++) {
		int fd = open(t->fpath[i % BENCH_FILES], O_RDONLY);
		if (fd < 0)
			return -1;
		char *p = mmap(NULL, BENCH_SIZE, PROT_READ, MAP_SHARED, fd, 0);
		if (p == MAP_FAILED) {
			close(fd);
			return -1;
		}
		sum += p[0] + p[BENCH_SIZE - 1];
		munmap(p, BENCH_SIZE);
		if (close(fd))
			return -1;
	}
	return 0;
}

OP(pread)
{
	char b[BENCH_SIZE];

	for (long i = 0; i < n; i++)
		if (pread(t->fd_r, b, BENCH_SIZE, 0) != BENCH_SIZE)
			return -1;
	return 0;
}

OP(readlink)
{
	char b[PATH_MAX];

	for (long i = 0; i < n; i++)
		if (readlink(t->link, b, sizeof(b)) <= 0)
			return -1;
	return 0;
}

OP(readdir)
{
	for (long i = 0; i < n; i++) {
		int k = 0;
		DIR *d = opendir(t->fdir);
		if (!d)
			return -1;
		while (readdir(d))
			k++;
		closedir(d);
		if (k < BENCH_FILES)
			return -1;
	}
	return 0;
}

OP(readdir_stat)
{
	struct dirent *e;
	struct stat st;

	for (long i = 0; i < n; i++) {
		int k = 0;
		DIR *d = opendir(t->fdir);
		if (!d)
			return -1;
		while ((e = readdir(d))) {
			if (fstatat(dirfd(d), e->d_name, &st,
				AT_SYMLINK_NOFOLLOW)) {
				closedir(d);
				return -1;
			}
			k++;
		}
		closedir(d);
		if (k < BENCH_FILES)
			return -1;
	}
	return 0;
}

/* Two processes at once, n/2 operations each: wall time from the start
 * signal to the end of the slower one, without the fork. */
OP(par2_open_read)
{
	int a[2], b[2], r, st;
	char c = 0;
	pid_t p;

	if (n < 200)
		n = 200;
	if (pipe(a) || pipe(b) || (p = fork()) < 0)
		return -1;
	if (p == 0) {
		if (write(b[1], &c, 1) != 1 || read(a[0], &c, 1) != 1)
			_exit(1);
		r = op_open_read(t, n / 2);
		if (write(b[1], &c, 1) != 1)
			_exit(1);
		_exit(r ? 1 : 0);
	}
	if (read(b[0], &c, 1) != 1)
		return -1;
	uint64_t t0 = bench_now();
	if (write(a[1], &c, 1) != 1)
		return -1;
	r = op_open_read(t, n / 2);
	if (read(b[0], &c, 1) != 1)
		return -1;
	bench_own_ns = bench_now() - t0;
	if (waitpid(p, &st, 0) < 0 || st)
		return -1;
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
	return r;
}

OP(create) /* names are removed by the unlink op that follows */
{
	(void)t;
	for (long i = 0; i < n; i++)
		if (bench_put(bench_new[i], O_CREAT | O_EXCL | O_WRONLY, BENCH_SIZE, 0))
			return -1;
	return 0;
}

OP(unlink)
{
	(void)t;
	for (long i = 0; i < n; i++)
		if (unlink(bench_new[i]))
			return -1;
	return 0;
}

static int
save(struct target *t, long n, int sync, int back)
{
	char tmp[PATH_MAX], b[4096];

	for (long i = 0; i < n; i++) {
		const char *w = t->wpath[i % BENCH_TARGETS];
		snprintf(tmp, sizeof(tmp), "%s/.w.%lu.swp", t->work, t->seq++);
		if (bench_put(tmp, O_CREAT | O_EXCL | O_WRONLY, BENCH_SIZE, sync))
			return -1;
		if (rename(tmp, w))
			return -1;
		if (back) {
			int fd = open(w, O_RDONLY);
			if (fd < 0 || read(fd, b, sizeof(b)) != BENCH_SIZE || close(fd))
				return -1;
			if (memcmp(b, bench_data, BENCH_SIZE))
				return -1;
		}
	}
	return 0;
}

OP(save)
{
	return save(t, n, 0, 0);
}

OP(save_fsync)
{
	return save(t, n, 1, 0);
}

OP(save_read)
{
	return save(t, n, 0, 1);
}

OP(rewrite)
{
	for (long i = 0; i < n; i++)
		if (bench_put(t->wpath[i % BENCH_TARGETS], O_WRONLY | O_TRUNC, BENCH_SIZE, 0))
			return -1;
	return 0;
}

OP(append)
{
	for (long i = 0; i < BENCH_TARGETS; i++) /* bound the growth */
		if (truncate(t->wpath[i], BENCH_SIZE))
			return -1;
	for (long i = 0; i < n; i++)
		if (bench_put(t->wpath[i % BENCH_TARGETS], O_WRONLY | O_APPEND, 64, 0))
			return -1;
	return 0;
}

OP(pwrite)
{
	for (long i = 0; i < n; i++)
		if (pwrite(t->fd_w, bench_data, BENCH_SIZE, 0) != BENCH_SIZE)
			return -1;
	return 0;
}

OP(truncate)
{
	for (long i = 0; i < n; i++)
		if (truncate(t->wpath[i % BENCH_TARGETS],
		    (i & 1) ? BENCH_SIZE : BENCH_SIZE / 2))
			return -1;
	for (long i = 0; i < BENCH_TARGETS; i++)
		if (bench_put(t->wpath[i], O_WRONLY | O_TRUNC, BENCH_SIZE, 0))
			return -1;
	return 0;
}

OP(chmod)
{
	for (long i = 0; i < n; i++)
		if (chmod(t->wpath[i % BENCH_TARGETS], (i & 16) ? 0644 : 0600))
			return -1;
	return 0;
}

OP(utimens)
{
	for (long i = 0; i < n; i++)
		if (utimensat(AT_FDCWD, t->wpath[i % BENCH_TARGETS], NULL, 0))
			return -1;
	return 0;
}

OP(rename)
{
	char a[PATH_MAX], b[PATH_MAX];

	snprintf(a, sizeof(a), "%s/ren.a", t->work);
	snprintf(b, sizeof(b), "%s/ren.b", t->work);
	if (bench_put(a, O_CREAT | O_WRONLY, 1, 0))
		return -1;
	for (long i = 0; i < n; i++)
		if (rename((i & 1) ? b : a, (i & 1) ? a : b))
			return -1;
	return unlink((n & 1) ? b : a);
}

OP(link_unlink)
{
	char l[PATH_MAX];

	snprintf(l, sizeof(l), "%s/hard", t->work);
	for (long i = 0; i < n; i++)
		if (link(t->wpath[i % BENCH_TARGETS], l) || unlink(l))
			return -1;
	return 0;
}

OP(symlink_unlink)
{
	char l[PATH_MAX];

	snprintf(l, sizeof(l), "%s/soft", t->work);
	for (long i = 0; i < n; i++)
		if (symlink("some/where", l) || unlink(l))
			return -1;
	return 0;
}

OP(mkdir_rmdir)
{
	char l[PATH_MAX];

	snprintf(l, sizeof(l), "%s/subdir", t->work);
	for (long i = 0; i < n; i++)
		if (mkdir(l, 0755) || rmdir(l))
			return -1;
	return 0;
}

OP(lock)
{
	struct flock fl;

	memset(&fl, 0, sizeof(fl));
	for (long i = 0; i < n; i++) {
		fl.l_type = F_WRLCK;
		if (fcntl(t->fd_w, F_SETLK, &fl))
			return -1;
		fl.l_type = F_UNLCK;
		if (fcntl(t->fd_w, F_SETLK, &fl))
			return -1;
	}
	return 0;
}

OP(statvfs)
{
	struct statvfs s;

	for (long i = 0; i < n; i++)
		if (fstatvfs(t->fd_r, &s))
			return -1;
	return 0;
}

const struct bench_op bench_ops[] = {
	{ "stat", op_stat, MANY },
	{ "stat_missing", op_stat_missing, MANY },
	{ "stat_deep", op_stat_deep, MANY },
	{ "access", op_access, MANY },
	{ "open_close", op_open_close, MANY },
	{ "open_read", op_open_read, MANY },
	{ "slurp", op_slurp, MANY },
	{ "mmap_read", op_mmap_read, MANY },
	{ "pread", op_pread, MANY },
	{ "readlink", op_readlink, MANY },
	{ "readdir", op_readdir, MANY },
	{ "readdir_stat", op_readdir_stat, MANY },
	{ "par2_open_read", op_par2_open_read, MANY },
	{ "statvfs", op_statvfs, MANY },
	{ "create", op_create, BATCH },
	{ "unlink", op_unlink, FOLLOWS },
	{ "save", op_save, MANY },
	{ "save_fsync", op_save_fsync, MANY },
	{ "save_read", op_save_read, MANY },
	{ "rewrite", op_rewrite, MANY },
	{ "append", op_append, BATCH },
	{ "pwrite", op_pwrite, MANY },
	{ "truncate", op_truncate, MANY },
	{ "chmod", op_chmod, MANY },
	{ "utimens", op_utimens, MANY },
	{ "rename", op_rename, MANY },
	{ "link_unlink", op_link_unlink, MANY },
	{ "symlink_unlink", op_symlink_unlink, MANY },
	{ "mkdir_rmdir", op_mkdir_rmdir, MANY },
	{ "lock", op_lock, MANY },
	{ NULL, NULL, MANY }
};
