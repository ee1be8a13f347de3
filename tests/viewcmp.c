/*
 * viewcmp.c: what two directory trees look like, and where they differ.
 */
#include <sys/types.h>
#include <sys/sysmacros.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "tap.h"
#include "viewcmp.h"

#define LONG_AGO	1500000000	/* times that tests set are before */

struct name {			/* one of a directory */
	char	*name;
	ino_t	 ino;
	int	 type;
};

struct names {
	struct name	*v;
	size_t		 n;
};

struct walk {			/* state of one comparison */
	int	 fd[2];		/* the roots */
	int	 exact;
	int	 diffs;
	char	**todo;		/* directories still to be looked at */
	size_t	 ntodo;
	struct link {		/* first name of an inode with many */
		dev_t	 dev[2];
		ino_t	 ino[2];
	}	*links;
	size_t	 nlinks;
};

static void *
more(void *p, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)		/* grown when n is a power of 2 */
		return p;
	if ((p = realloc(p, (n == 0 ? 1 : n * 2) * size)) == NULL)
		abort();
	return p;
}

void
view_stat(struct buf *b, const struct stat *st, int exact)
{
	put_fmt(b, "%o nlink %ju %ju:%ju size %jd blocks %jd rdev %u,%u",
	    (unsigned)st->st_mode, (uintmax_t)st->st_nlink,
	    (uintmax_t)st->st_uid, (uintmax_t)st->st_gid,
	    (intmax_t)st->st_size, (intmax_t)st->st_blocks,
	    major(st->st_rdev), minor(st->st_rdev));
	if (exact)
		put_fmt(b, " ino %ju m %jd.%09ld c %jd.%09ld",
		    (uintmax_t)st->st_ino, (intmax_t)st->st_mtim.tv_sec,
		    st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
		    st->st_ctim.tv_nsec);
	else if (st->st_mtim.tv_sec > LONG_AGO || S_ISFIFO(st->st_mode))
		put_fmt(b, " m now");
	else
		put_fmt(b, " m %jd.%09ld", (intmax_t)st->st_mtim.tv_sec,
		    st->st_mtim.tv_nsec);
}

static int
name_cmp(const void *a, const void *b)
{
	return strcmp(((const struct name *)a)->name,
	    ((const struct name *)b)->name);
}

static int
names_read(struct names *l, int dfd)
{
	struct dirent	*d;
	DIR		*dir;
	int		 fd;

	memset(l, 0, sizeof(*l));
	if ((fd = openat(dfd, ".", O_RDONLY | O_DIRECTORY)) == -1)
		return -errno;
	if ((dir = fdopendir(fd)) == NULL)
		abort();
	while ((d = readdir(dir)) != NULL) {
		if (strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0)
			continue;
		l->v = more(l->v, l->n, sizeof(*l->v));
		l->v[l->n++] = (struct name){ strdup(d->d_name), d->d_ino,
		    d->d_type };
	}
	(void)closedir(dir);
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), name_cmp);
	return 0;
}

static void
names_free(struct names *l)
{
	while (l->n > 0)
		free(l->v[--l->n].name);
	free(l->v);
}

void
view_list(struct buf *b, int dfd, int exact)
{
	struct names	 l;
	size_t		 i;
	int		 rc;

	if ((rc = names_read(&l, dfd)) != 0)
		put_fmt(b, "%s\n", strerror(-rc));
	for (i = 0; i < l.n; i++) {
		put_fmt(b, "%s type %d", l.v[i].name, l.v[i].type);
		if (exact)
			put_fmt(b, " ino %ju", (uintmax_t)l.v[i].ino);
		put_fmt(b, "\n");
	}
	names_free(&l);
}

static void
put_xattrs(struct buf *b, int dfd, const char *name)
{
	char		 list[8192], value[8192];
	const char	*p;
	struct names	 l = { NULL, 0 };
	ssize_t		 n, k;
	size_t		 i;

	if ((n = os_listxattr(dfd, name, list, sizeof(list))) < 0) {
		put_fmt(b, "xattrs: %s\n", strerror((int)-n));
		return;
	}
	for (p = list; p < list + n; p += strlen(p) + 1) {
		l.v = more(l.v, l.n, sizeof(*l.v));
		l.v[l.n++] = (struct name){ strdup(p), 0, 0 };
	}
	if (l.n > 0)
		qsort(l.v, l.n, sizeof(*l.v), name_cmp);
	for (i = 0; i < l.n; i++) {
		k = os_getxattr(dfd, name, l.v[i].name, value, sizeof(value));
		put_fmt(b, "xattr %s %zd ", l.v[i].name, k);
		if (k > 0)
			put_bytes(b, value, (size_t)k);
	}
	names_free(&l);
}

/* Everything about one entry but its content. */
static void
put_entry(struct buf *b, int dfd, const char *name, struct stat *st, int exact)
{
	char	 to[4097];
	ssize_t	 n;

	if (fstatat(dfd, name, st, AT_SYMLINK_NOFOLLOW) == -1) {
		put_fmt(b, "%s", strerror(errno));
		memset(st, 0, sizeof(*st));
		return;
	}
	view_stat(b, st, exact);
	if (S_ISLNK(st->st_mode)) {
		if ((n = readlinkat(dfd, name, to, sizeof(to))) >= 0)
			put_fmt(b, " -> %.*s", (int)n, to);
		else
			put_fmt(b, " -> %s", strerror(errno));
	}
	put_fmt(b, "\n");
	put_xattrs(b, dfd, name);
}

/* Whether two files hold the same; said why not. */
static bool
same_content(const int dfd[2], const char *name)
{
	static char	 buf[2][65536];
	ssize_t		 n[2] = { 0, 0 };
	int		 fd[2], i;
	bool		 same = true;

	for (i = 0; i < 2; i++)
		fd[i] = openat(dfd[i], name, O_RDONLY | O_NOFOLLOW |
		    O_NONBLOCK);
	if (fd[0] == -1 || fd[1] == -1) {
		tap_diag("%s: can't be read: %s", name, strerror(errno));
		same = fd[0] == fd[1];
	} else do {
		for (i = 0; i < 2; i++)
			n[i] = read(fd[i], buf[i], sizeof(buf[i]));
		same = n[0] == n[1] && n[0] >= 0 &&
		    memcmp(buf[0], buf[1], (size_t)n[0]) == 0;
	} while (same && n[0] > 0);
	for (i = 0; i < 2; i++)
		if (fd[i] != -1)
			(void)close(fd[i]);
	return same;
}

static void
differ(struct walk *w, const char *path, const struct buf *a,
    const struct buf *b, const char *why)
{
	if (++w->diffs > 8)
		return;
	tap_diag("%s: %s", path, why);
	if (a != NULL) {
		tap_diag(" A: %.*s", (int)a->len, (const char *)a->p);
		tap_diag(" B: %.*s", (int)b->len, (const char *)b->p);
	}
}

/* Names of one inode on one side must be that on the other side too. */
static bool
links_agree(struct walk *w, const struct stat st[2])
{
	size_t	 i;
	bool	 a, b;

	for (i = 0; i < w->nlinks; i++) {
		a = w->links[i].ino[0] == st[0].st_ino;
		b = w->links[i].ino[1] == st[1].st_ino;
		if (a || b)
			return a && b;
	}
	w->links = more(w->links, w->nlinks, sizeof(*w->links));
	w->links[w->nlinks++] = (struct link){
	    { st[0].st_dev, st[1].st_dev }, { st[0].st_ino, st[1].st_ino } };
	return true;
}

static void
push(struct walk *w, char *path)
{
	w->todo = more(w->todo, w->ntodo, sizeof(*w->todo));
	w->todo[w->ntodo++] = path;
}

static void
cmp_entry(struct walk *w, const int dfd[2], const char *dir, const char *name)
{
	struct buf	 b[2] = { BUF_INIT, BUF_INIT };
	struct stat	 st[2];
	char		*path = path_join(dir, name);
	int		 i;

	for (i = 0; i < 2; i++)
		put_entry(&b[i], dfd[i], name, &st[i], w->exact);
	if (b[0].len != b[1].len || memcmp(b[0].p, b[1].p, b[0].len) != 0)
		differ(w, path, &b[0], &b[1], "differs");
	else if (S_ISREG(st[0].st_mode) && !same_content(dfd, name))
		differ(w, path, NULL, NULL, "content differs");
	if (!S_ISDIR(st[0].st_mode) && st[0].st_nlink > 1 &&
	    !links_agree(w, st))
		differ(w, path, NULL, NULL, "is linked otherwise");
	if (S_ISDIR(st[0].st_mode) && S_ISDIR(st[1].st_mode))
		push(w, path);
	else
		free(path);
	buf_free(&b[0]);
	buf_free(&b[1]);
}

static void
cmp_dir(struct walk *w, const char *dir)
{
	struct names	 l[2];
	int		 dfd[2], i, c;
	size_t		 x = 0, y = 0;

	for (i = 0; i < 2; i++) {
		dfd[i] = path_open(w->fd[i], dir, O_RDONLY | O_DIRECTORY);
		if (names_read(&l[i], dfd[i]) != 0)
			differ(w, dir, NULL, NULL, "can't be listed");
	}
	while (x < l[0].n || y < l[1].n) {
		c = x == l[0].n ? 1 : y == l[1].n ? -1 :
		    strcmp(l[0].v[x].name, l[1].v[y].name);
		if (c != 0) {
			differ(w, c < 0 ? l[0].v[x].name : l[1].v[y].name,
			    NULL, NULL, c < 0 ? "only in A" : "only in B");
			if (c < 0)
				x++;
			else
				y++;
			continue;
		}
		if (l[0].v[x].type != l[1].v[y].type ||
		    (w->exact && l[0].v[x].ino != l[1].v[y].ino))
			differ(w, l[0].v[x].name, NULL, NULL,
			    "type or inode in readdir differs");
		cmp_entry(w, dfd, dir, l[0].v[x].name);
		x++;
		y++;
	}
	for (i = 0; i < 2; i++) {
		names_free(&l[i]);
		if (dfd[i] >= 0)
			(void)close(dfd[i]);
	}
}

int
view_cmp(int afd, int bfd, int exact)
{
	struct walk	 w = { { afd, bfd }, exact, 0, NULL, 0, NULL, 0 };
	struct buf	 b[2] = { BUF_INIT, BUF_INIT };
	struct stat	 st;
	char		*dir;

	put_entry(&b[0], afd, ".", &st, exact);
	put_entry(&b[1], bfd, ".", &st, exact);
	if (b[0].len != b[1].len || memcmp(b[0].p, b[1].p, b[0].len) != 0)
		differ(&w, ".", &b[0], &b[1], "differs");
	buf_free(&b[0]);
	buf_free(&b[1]);
	push(&w, strdup(""));
	while (w.ntodo > 0) {
		dir = w.todo[--w.ntodo];
		cmp_dir(&w, dir);
		free(dir);
	}
	free(w.todo);
	free(w.links);
	return w.diffs;
}
