/*
 * viewnames.c: cases about names, directories and renames.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "viewcases.h"
#include "viewcmp.h"

static int
ren(int d, const char *a, const char *b, unsigned flags)
{
	int	 rc = os_renameat(d, a, d, b, flags);

	if (rc < 0)
		errno = -rc;
	return rc < 0 ? -1 : 0;
}

static void
name_life(int d, const char *n, struct buf *l)
{
	int	 fd;

	LOGFD(l, fd, openat(d, n, O_RDWR | O_CREAT | O_EXCL, 0644));
	if (fd != -1)
		(void)close(fd);
	log_stat(l, d, n);
	LOG(l, renameat(d, n, d, "moved"));
	LOG(l, linkat(d, "moved", d, n, 0));
	LOG(l, unlinkat(d, n, 0));
	LOG(l, unlinkat(d, "moved", 0));
	LOG(l, mkdirat(d, n, 0755));
	LOG(l, mkdirat(d, n, 0755));
	LOG(l, renameat(d, n, d, n));
	LOG(l, unlinkat(d, n, AT_REMOVEDIR));
	LOG(l, symlinkat(n, d, n));
	log_stat(l, d, n);
	LOG(l, unlinkat(d, n, 0));
	LOG(l, mknodat(d, n, S_IFIFO | 0600, 0));
	view_list(l, d, 0);
}

void
case_names(int d, struct buf *l)
{
	static const char *const names[] = { "a", " ", "new\nline", "\xff\xfe",
	    "\xc0\xaf", ".", "..", "", "...", "-rf", "*", "a/", "a/b", "\x01",
	    "\xe2\x80\xae" };
	char	 n[5000];
	size_t	 i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		name_life(d, names[i], l);
	for (i = 254; i < 258; i++) {
		memset(n, 'n', i);
		n[i] = '\0';
		name_life(d, n, l);
	}
	memset(n, '/', sizeof(n));	/* a path as long as they come */
	n[0] = '.';
	strcpy(n + 4094, "z");
	name_life(d, n, l);
	strcpy(n + 4095, "z");
	name_life(d, n, l);
	memset(n, 't', sizeof(n));
	n[4095] = '\0';
	LOG(l, symlinkat(n, d, "target"));
	log_stat(l, d, "target");
}

/* Forty directories one in another, 10,000 bytes of path. */
void
case_deep(int d, struct buf *l)
{
	char	 n[251];
	int	 at = dup(d), next, i;

	memset(n, 'x', 250);
	n[250] = '\0';
	for (i = 0; i < 40 && at != -1; i++) {
		snprintf(n, 4, "%03d", i);
		n[3] = 'x';
		LOG(l, mkdirat(at, n, 0755));
		LOGFD(l, next, openat(at, n, O_RDONLY | O_DIRECTORY));
		(void)close(at);
		at = next;
	}
	put_file(at, "bottom", "deep", 0644);
	log_file(l, at, "bottom");
	LOG(l, linkat(at, "bottom", d, "top", 0));
	LOG(l, renameat(at, "bottom", at, "renamed"));
	log_stat(l, at, "renamed");
	snprintf(n, 4, "%03d", 0);
	n[3] = 'x';
	LOG(l, renameat(d, n, d, "moved"));
	log_file(l, at, "renamed");		/* from the inside */
	LOG(l, unlinkat(at, "renamed", 0));
	put_file(at, "again", "deeper", 0600);
	log_stat(l, d, "top");
	(void)close(at);
}

static void
files(int d, int from, int to, int step)
{
	char	 n[32];
	int	 i;

	for (i = from; i < to; i += step) {
		snprintf(n, sizeof(n), "f%d", i);
		put_file(d, n, n, 0644);
	}
}

static void
no_files(struct buf *l, int d, int from, int to, int step)
{
	char	 n[32];
	int	 i, gone = 0;

	for (i = from; i < to; i += step) {
		snprintf(n, sizeof(n), "f%d", i);
		gone += unlinkat(d, n, 0) == 0;
	}
	put_fmt(l, "%d gone\n", gone);
}

/* Count each of 400 names that readdir gives from here on. */
static void
count(DIR *dir, unsigned char seen[400])
{
	struct dirent	*e;

	while ((e = readdir(dir)) != NULL)
		if (e->d_name[0] == 'f' && atoi(e->d_name + 1) < 400)
			seen[atoi(e->d_name + 1)]++;
}

void
case_seekdir(int d, struct buf *l)
{
	unsigned char	 seen[400] = { 0 };
	char		 next[256] = "";
	struct dirent	*e;
	DIR		*dir;
	long		 pos;
	int		 i, bad = 0;

	files(d, 0, 300, 1);
	dir = fdopendir(openat(d, ".", O_RDONLY | O_DIRECTORY));
	for (i = 0; i < 52 && (e = readdir(dir)) != NULL; i++)
		if (e->d_name[0] == 'f')
			seen[atoi(e->d_name + 1)]++;
	pos = telldir(dir);
	if ((e = readdir(dir)) != NULL)
		strcpy(next, e->d_name);
	seekdir(dir, pos);
	e = readdir(dir);
	put_fmt(l, "same after seekdir: %d\n", e != NULL &&
	    strcmp(e->d_name, next) == 0);
	seekdir(dir, pos);
	no_files(l, d, 1, 300, 2);
	files(d, 300, 400, 1);
	count(dir, seen);
	for (i = 0; i < 300; i += 2)	/* those that were always there */
		bad += seen[i] != 1;
	for (i = 1; i < 400; i += i < 300 ? 2 : 1)
		bad += seen[i] > 1;
	put_fmt(l, "missed or twice: %d\n", bad);
	rewinddir(dir);
	memset(seen, 0, sizeof(seen));
	count(dir, seen);
	for (i = 0; i < 400; i++)
		put_u8(l, (uint8_t)('0' + seen[i]));
	put_u8(l, '\n');
	(void)closedir(dir);
}

void
case_bigdir(int d, struct buf *l)
{
	int	 big;

	LOG(l, mkdirat(d, "big", 0755));
	LOGFD(l, big, openat(d, "big", O_RDONLY | O_DIRECTORY));
	files(big, 0, 10000, 1);
	view_list(l, big, 0);
	log_stat(l, d, "big");
	LOG(l, unlinkat(d, "big", AT_REMOVEDIR));
	no_files(l, big, 0, 10000, 3);
	view_list(l, big, 0);
	no_files(l, big, 0, 10000, 1);
	LOG(l, unlinkat(d, "big", AT_REMOVEDIR));
	log_fstat(l, big);
	(void)close(big);
}

/* One of each kind, named by its kind. */
static void
kinds(int d)
{
	if (mkdirat(d, "empty", 0755) == -1 || mkdirat(d, "full", 0755) == -1 ||
	    mkdirat(d, "full/sub", 0755) == -1 ||
	    symlinkat("file", d, "link") == -1 ||
	    symlinkat("empty", d, "dlink") == -1 ||
	    mknodat(d, "fifo", S_IFIFO | 0644, 0) == -1)
		abort();
	put_file(d, "file", "file", 0644);
	put_file(d, "full/sub/inner", "inner", 0644);
	if (linkat(d, "file", d, "hard", 0) == -1)
		abort();
}

static const char *const kind[] = { "empty", "full", "link", "dlink", "fifo",
    "file", "hard", "full/sub", "full/sub/new", "missing", "file/x",
    "missing/x", "empty/", "file/", ".", "full/.." };
#define KINDS (int)(sizeof(kind) / sizeof(kind[0]))

static void
wipe(int d)
{
	static const char *const all[] = { "full/sub/inner", "full/sub/new",
	    "link", "dlink", "fifo", "file", "hard", "missing", "full/inner",
	    "empty/inner", "empty/new", "full/new" };
	static const char *const dirs[] = { "full/sub/new/sub", "empty/sub",
	    "missing/sub", "full/sub/new", "missing", "full/sub", "full",
	    "empty" };
	size_t	 i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)unlinkat(d, all[i], 0);
	for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)unlinkat(d, dirs[i], 0);
		(void)unlinkat(d, dirs[i], AT_REMOVEDIR);
	}
}

void
case_rename(int root, struct buf *l)
{
	static const unsigned flags[] = { 0, OS_RENAME_NOREPLACE,
	    OS_RENAME_EXCHANGE };
	char	 n[64];
	int	 d, f, i, j;

	for (f = 0; f < 3; f++)
		for (i = 0; i < KINDS; i++)
			for (j = 0; j < KINDS; j++) {
				snprintf(n, sizeof(n), "d%d.%d.%d", f, i, j);
				if (mkdirat(root, n, 0755) == -1 ||
				    (d = openat(root, n, O_RDONLY)) == -1)
					abort();
				kinds(d);
				put_fmt(l, "%s %s: ", kind[i], kind[j]);
				LOG(l, ren(d, kind[i], kind[j], flags[f]));
				view_list(l, d, 0);
				log_file(l, d, "file");
				log_file(l, d, "full/sub/inner");
				log_stat(l, d, kind[i]);
				log_stat(l, d, kind[j]);
				wipe(d);
				LOG(l, unlinkat(root, n, AT_REMOVEDIR));
				(void)close(d);
			}
}
