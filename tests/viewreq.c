/*
 * viewreq.c: how many requests an operation sends to the daemon, counted
 * by the daemon itself.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "viewtool.h"

#define N	20		/* files, and repetitions */

static int	 failed;	/* calls that failed */

static void
must(int good, const char *what)
{
	if (!good && failed++ < 10)
		fprintf(stderr, "viewtool: %s: %s\n", what, strerror(errno));
}

static const char *
name(const char *stem, int i)
{
	static char	 b[4][32];
	static int	 turn;
	char		*p = b[turn++ % 4];

	snprintf(p, sizeof(b[0]), "%s%d", stem, i);
	return p;
}

static void
make(int i)
{
	int	 fd = open(name("f", i), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	char	 b[1024];

	memset(b, 'x', sizeof(b));
	must(fd != -1 && write(fd, b, sizeof(b)) == sizeof(b), "make");
	(void)close(fd);
	must(symlink(name("f", i), name("l", i)) == 0, "symlink");
}

static void
do_stat(int i)
{
	struct stat	 st;

	must(stat(name("f", i), &st) == 0, "stat");
}

static void
do_missing(int i)
{
	struct stat	 st;

	must(stat(name("none", i), &st) == -1 && errno == ENOENT, "missing");
}

static void
do_access(int i)
{
	must(access(name("f", i), R_OK) == 0, "access");
}

static void
do_open(int i)
{
	int	 fd = open(name("f", i), O_RDONLY);

	must(fd != -1 && close(fd) == 0, "open");
}

static void
do_read(int i)
{
	char	 b[4096];
	int	 fd = open(name("f", i), O_RDONLY);

	must(read(fd, b, sizeof(b)) == 1024, "read");
	(void)close(fd);
}

static void
do_slurp(int i)
{
	struct stat	 st;
	char		 b[4096];
	int		 fd = open(name("f", i), O_RDONLY);

	must(fstat(fd, &st) == 0 && st.st_size == 1024, "fstat");
	while (read(fd, b, sizeof(b)) > 0)
		;
	(void)close(fd);
}

static void
do_mmap(int i)
{
	int	 fd = open(name("f", i), O_RDONLY);
	char	*m = mmap(NULL, 1024, PROT_READ, MAP_SHARED, fd, 0);

	must(m != MAP_FAILED && m[1000] == 'x', "mmap");
	(void)munmap(m, 1024);
	(void)close(fd);
}

static void
do_readlink(int i)
{
	char	 b[64];

	must(readlink(name("l", i), b, sizeof(b)) > 0, "readlink");
}

static void
list(int and_stat)
{
	struct dirent	*d;
	struct stat	 st;
	DIR		*dp = opendir(".");
	int		 n = 0;

	while (dp != NULL && (d = readdir(dp)) != NULL) {
		n++;
		if (and_stat)
			must(lstat(d->d_name, &st) == 0, "readdir_stat");
	}
	must(n >= 2 * N, "readdir");
	if (dp != NULL)
		(void)closedir(dp);
}

static void
do_readdir(int i)
{
	(void)i;
	list(0);
}

static void
do_readdir_stat(int i)
{
	(void)i;
	list(1);
}

static void
write_to(const char *path, int flags)
{
	char	 b[100] = "text";
	int	 fd = open(path, O_WRONLY | flags, 0644);

	must(fd != -1 && write(fd, b, sizeof(b)) == sizeof(b), path);
	(void)close(fd);
}

static void
do_create(int i)
{
	write_to(name("new", i), O_CREAT);
}

static void
do_append(int i)
{
	write_to(name("f", i), O_APPEND);
}

static void
do_rewrite(int i)
{
	write_to(name("f", i), O_TRUNC);
}

static void
do_save(int i)
{
	write_to(name("tmp", i), O_CREAT | O_EXCL);
	must(rename(name("tmp", i), name("f", i)) == 0, "save");
}

/*
 * What it may cost.  Reads are counted the second time: nothing.  The
 * changes' floors are a LOOKUP of each name that was not known, CREATE,
 * SETATTR to empty a file, WRITE, RENAME.  To that comes what the kernel
 * asks for: GETXATTR (security.capability) once a file is cut after its
 * attributes were fetched; GETATTR of the directory after it
 * has changed, to check the next name's permissions; FORGET of a file
 * that has been replaced.
 */
static const struct step {
	const char	*name;
	void		(*fn)(int);
	int		 warm;		/* run once before */
	int		 floor;		/* requests for each call, ... */
	int		 kernel;	/* ... and what the kernel adds */
} steps[] = {
	{ "stat", do_stat, 1, 0, 0 },
	{ "stat_missing", do_missing, 1, 0, 0 },
	{ "access", do_access, 1, 0, 0 },
	{ "open_close", do_open, 1, 0, 0 },
	{ "open_read", do_read, 1, 0, 0 },
	{ "slurp", do_slurp, 1, 0, 0 },
	{ "mmap_read", do_mmap, 1, 0, 0 },
	{ "readlink", do_readlink, 1, 0, 0 },
	{ "readdir", do_readdir, 1, 0, 0 },
	{ "readdir_stat", do_readdir_stat, 1, 0, 0 },
	{ "create", do_create, 0, 3, 1 },
	{ "append", do_append, 1, 1, 0 },
	{ "rewrite", do_rewrite, 1, 2, 1 },
	{ "save", do_save, 0, 5, 3 },
};

static int64_t
total(const char *dir)
{
	return tool_stat(dir, "requests");
}

/* req DIR TREE: a line for each step: name, requests, calls, most. */
int
verb_req(int argc, char **argv)
{
	const struct step	*s;
	int64_t			 before;
	int			 i;

	if (argc < 2 || chdir(argv[1]) == -1)
		return 64;
	for (i = 0; i < N; i++)
		make(i);
	for (s = steps; s < steps + sizeof(steps) / sizeof(steps[0]); s++) {
		for (i = 0; s->warm && i < N; i++)
			s->fn(i);
		before = total(argv[0]);
		for (i = 0; i < N; i++)
			s->fn(i);
		printf("%s %" PRId64 " %d %d\n", s->name,
		    total(argv[0]) - before, N, (s->floor + s->kernel) * N);
	}
	return failed > 0;
}
