/*
 * viewspec.c: cases about what is no plain file, programs, and a full disk.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viewcases.h"
#include "viewcmp.h"

static void
write_fifo(int root, struct buf *l)
{
	int	 fd;

	LOGFD(l, fd, openat(root, "fifo", O_WRONLY));
	LOG(l, write(fd, "through", 7));
	(void)close(fd);
}

static void
use_socket(int root, struct buf *l)
{
	struct sockaddr_un	 a = { .sun_family = AF_UNIX,
	    .sun_path = "sock" };
	int			 s = socket(AF_UNIX, SOCK_STREAM, 0), c;
	char			 b[8] = "";

	if (fchdir(root) == -1)
		return;
	LOG(l, bind(s, (struct sockaddr *)&a, sizeof(a)));
	LOG(l, bind(s, (struct sockaddr *)&a, sizeof(a)));
	LOG(l, listen(s, 1));
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	LOG(l, connect(c, (struct sockaddr *)&a, sizeof(a)));
	LOG(l, write(c, "hello", 5));
	(void)close(c);
	c = accept(s, NULL, NULL);
	LOG(l, read(c, b, sizeof(b)));
	put_fmt(l, "%s\n", b);
	(void)close(c);
	(void)close(s);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	LOG(l, connect(c, (struct sockaddr *)&a, sizeof(a)));
	LOG(l, openat(root, "sock", O_RDONLY));
	(void)close(c);
	log_stat(l, root, "sock");
}

void
case_special(int root, struct buf *l)
{
	char	 b[8] = "";
	pid_t	 pid;
	int	 fd, status;

	LOG(l, mknodat(root, "fifo", S_IFIFO | 0600, 0));
	LOGFD(l, fd, openat(root, "fifo", O_WRONLY | O_NONBLOCK));
	if ((pid = fork()) == 0) {
		write_fifo(root, l);
		_exit(0);
	}
	LOGFD(l, fd, openat(root, "fifo", O_RDONLY));
	LOG(l, read(fd, b, sizeof(b)));
	put_fmt(l, "%s\n", b);
	LOG(l, lseek(fd, 0, SEEK_SET));
	(void)close(fd);
	(void)waitpid(pid, &status, 0);
	in_child(root, l, use_socket);
	LOG(l, mknodat(root, "zero", S_IFCHR | 0600, makedev(1, 5)));
	LOGFD(l, fd, openat(root, "zero", O_RDWR));
	LOG(l, read(fd, b, sizeof(b)));
	LOG(l, write(fd, b, sizeof(b)));
	log_fstat(l, fd);
	(void)close(fd);
	LOG(l, mknodat(root, "blk", S_IFBLK | 0600, makedev(240, 1048575)));
	LOG(l, openat(root, "blk", O_RDONLY));
	log_stat(l, root, "blk");
	LOG(l, mknodat(root, "dir", S_IFDIR | 0600, 0));
	LOG(l, mknodat(root, "lnk", S_IFLNK | 0600, 0));
	LOG(l, mknodat(root, "reg", S_IFREG | 0600, 0));
	LOG(l, mknodat(root, "reg", S_IFREG | 0600, 0));
	log_stat(l, root, "reg");
}

static void
copy(int root, const char *from, const char *to, mode_t mode)
{
	static char	 b[65536];
	ssize_t		 n;
	int		 in = open(from, O_RDONLY), out;

	out = openat(root, to, O_WRONLY | O_CREAT, mode);
	while ((n = read(in, b, sizeof(b))) > 0)
		if (write(out, b, (size_t)n) != n)
			abort();
	if (fchmod(out, mode) == -1 || close(in) == -1 || close(out) == -1)
		abort();
}

/* Run a program below root; its exit status, or -1 for exec's errno. */
static int
run(int root, const char *name, int *ready)
{
	char	*argv[] = { strdup(name), strdup("30"), NULL };
	char	*envp[] = { NULL };
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == 0) {
		(void)fexecve(openat(root, name, O_RDONLY | (ready == NULL ?
		    O_CLOEXEC : 0)), argv, envp);
		_exit(errno);
	}
	free(argv[0]);
	free(argv[1]);
	if (ready != NULL) {
		*ready = pid;
		return 0;
	}
	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void
case_exec(int root, struct buf *l)
{
	int	 fd, pid, i, status;

	copy(root, "/bin/true", "true", 0755);
	copy(root, "/bin/false", "false", 0755);
	copy(root, "/bin/sleep", "sleep", 0755);
	copy(root, "/bin/true", "noexec", 0644);
	LOG(l, run(root, "true", NULL));
	LOG(l, run(root, "false", NULL));
	LOG(l, run(root, "noexec", NULL));
	LOG(l, run(root, "sleep", &pid));
	for (i = 0; i < 500; i++) {		/* until it is started */
		fd = openat(root, "sleep", O_WRONLY);
		if (fd == -1)
			break;
		(void)close(fd);
		(void)usleep(2000);
	}
	LOGFD(l, fd, openat(root, "sleep", O_WRONLY));
	LOGFD(l, fd, openat(root, "sleep", O_RDWR | O_TRUNC));
	LOG(l, renameat(root, "true", root, "sleep"));
	LOG(l, run(root, "sleep", NULL));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	LOGFD(l, fd, openat(root, "false", O_WRONLY));
	LOG(l, run(root, "false", NULL));
	(void)close(fd);
	LOG(l, run(root, "false", NULL));
}

/* Write until nothing goes any more; pages written. */
static long
fill(int root, const char *name)
{
	static char	 b[4096];
	long		 n = 0;
	int		 fd = openat(root, name, O_WRONLY | O_CREAT, 0644);

	memset(b, 'f', sizeof(b));
	while (write(fd, b, sizeof(b)) == (ssize_t)sizeof(b))
		n++;
	if (errno != ENOSPC)
		n = -1;
	return close(fd) == -1 ? -1 : n;
}

void
case_full(int root, struct buf *l)
{
	struct statvfs	 v;
	int		 fd, kept, i;
	char		 n[16];

	if (fstatvfs(root, &v) == -1 || v.f_blocks * v.f_frsize > 4 << 20) {
		put_fmt(l, "only on a RAM disk of 4 MiB or less\n");
		return;
	}
	put_file(root, "old", "precious", 0644);
	put_file(root, "small", "x", 0644);
	put_file(root, "kept", "x", 0644);
	LOGFD(l, kept, openat(root, "kept", O_RDWR));
	LOG(l, unlinkat(root, "kept", 0));
	LOG(l, fill(root, "ballast"));
	log_stat(l, root, "ballast");
	LOGFD(l, fd, openat(root, "new", O_WRONLY | O_CREAT, 0644));
	LOG(l, write(fd, "text", 4));
	(void)close(fd);
	log_stat(l, root, "new");
	LOGFD(l, fd, openat(root, "old", O_RDWR));
	LOG(l, pwrite(fd, "prec", 4, 0));	/* its page is there */
	LOG(l, pwrite(fd, "y", 1, 8192));
	log_fstat(l, fd);
	log_file(l, root, "old");
	LOG(l, fallocate(fd, 0, 0, 1 << 20));
	log_fstat(l, fd);
	(void)close(fd);
	for (i = 0; i < 20; i++) {
		snprintf(n, sizeof(n), "n%d", i);
		LOG(l, mkdirat(root, n, 0755));
		LOG(l, symlinkat("old", root, n));
		LOG(l, linkat(root, "old", root, n, 0));
	}
	LOG(l, renameat(root, "new", root, "old"));
	LOG(l, pwrite(kept, "z", 1, 8192));
	(void)close(kept);
	LOGFD(l, fd, openat(root, "old", O_RDWR));
	LOG(l, pwrite(fd, "z", 1, 8192));	/* in the place of kept's */
	(void)close(fd);
	LOG(l, unlinkat(root, "ballast", 0));
	LOGFD(l, fd, openat(root, "again", O_WRONLY | O_CREAT, 0644));
	LOG(l, write(fd, "text", 4));
	(void)close(fd);
	log_file(l, root, "again");
	log_file(l, root, "old");
	view_list(l, root, 0);
}
