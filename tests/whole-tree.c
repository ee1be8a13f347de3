/*
 * whole-tree.c: two trees compared, each as a list of lines.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/hash.h"
#include "../lib/osdep.h"
#include "whole.h"

struct linked {			/* an inode with several names */
	ino_t	 ino;
	char	*first;		/* owned */
};

struct listing {
	struct buf	 text;	/* lines, one for each entry, by path */
	struct linked	*v;
	size_t		 n;
};

static void
nomem(void)
{
	fprintf(stderr, "# whole: out of memory\n");
	exit(2);
}

static int
by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Bytes as printable text. */
static void
put_text(struct buf *b, const char *p, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if ((unsigned char)p[i] > ' ' && (unsigned char)p[i] < 127)
			put_u8(b, (uint8_t)p[i]);
		else
			put_fmt(b, "\\%03o", (unsigned char)p[i]);
}

static void
put_content(struct buf *b, const char *path)
{
	struct hash	 h;
	struct buf	 c = BUF_INIT;
	char		 p[16384];
	ssize_t		 n = -1;
	size_t		 i;
	int		 fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd != -1 && (n = read(fd, p, sizeof(p))) > 0)
		put_bytes(&c, p, (size_t)n);
	if (fd == -1 || n < 0)
		put_fmt(b, " unreadable: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	if (c.bad)
		nomem();
	hash_mem(&h, c.p, c.len);
	put_fmt(b, " %zu bytes ", c.len);
	for (i = 0; i < HASH_LEN; i++)
		put_fmt(b, "%02x", h.b[i]);
	buf_free(&c);
}

static int
by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
put_xattrs(struct buf *b, const char *path)
{
	char	 list[4096], value[4096], *name[64], *p;
	ssize_t	 n, len;
	size_t	 k = 0, i;

	if ((n = os_listxattr(AT_FDCWD, path, list, sizeof(list))) <= 0)
		return;
	for (p = list; p < list + n && k < 64; p += strlen(p) + 1)
		name[k++] = p;
	qsort(name, k, sizeof(*name), by_string);
	for (i = 0; i < k; i++) {
		len = os_getxattr(AT_FDCWD, path, name[i], value,
		    sizeof(value));
		put_u8(b, ' ');
		put_text(b, name[i], strlen(name[i]));
		put_u8(b, '=');
		put_text(b, value, len < 0 ? 0 : (size_t)len);
	}
}

/* " = PATH" where the inode was seen under that path. */
static void
put_links(struct listing *l, const struct stat *st, const char *path)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].ino == st->st_ino) {
			put_fmt(&l->text, " = ");
			put_text(&l->text, l->v[i].first,
			    strlen(l->v[i].first));
			return;
		}
	l->v = realloc(l->v, (l->n + 1) * sizeof(*l->v));
	if (l->v == NULL || (l->v[l->n].first = strdup(path)) == NULL)
		nomem();
	l->v[l->n++].ino = st->st_ino;
}

static void
put_entry(struct listing *l, const FTSENT *f, size_t rootlen)
{
	const struct stat *st = f->fts_statp;
	struct buf	*b = &l->text;
	const char	*path = f->fts_path + rootlen;
	char		 target[PATH_MAX];
	ssize_t		 n;

	put_text(b, path, strlen(path));
	put_fmt(b, ": type %o", (unsigned)(st->st_mode & S_IFMT));
	if (!S_ISLNK(st->st_mode))
		put_fmt(b, " mode %04o", (unsigned)(st->st_mode & 07777));
	put_fmt(b, " %u:%u", (unsigned)st->st_uid, (unsigned)st->st_gid);
	if (S_ISREG(st->st_mode))
		put_content(b, f->fts_accpath);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		put_fmt(b, " device %ju", (uintmax_t)st->st_rdev);
	if (S_ISLNK(st->st_mode)) {
		n = readlink(f->fts_accpath, target, sizeof(target));
		put_fmt(b, " -> ");
		put_text(b, target, n < 0 ? 0 : (size_t)n);
	}
	put_xattrs(b, f->fts_accpath);
	if (!S_ISDIR(st->st_mode) && st->st_nlink > 1)
		put_links(l, st, path);
	put_fmt(b, "\n");
}

static void
list(struct listing *l, const char *root)
{
	char	*roots[] = { (char *)(uintptr_t)root, NULL };
	FTS	*fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
	FTSENT	*f;

	if (fts == NULL)
		nomem();
	while ((f = fts_read(fts)) != NULL) {
		if (f->fts_info == FTS_DP)
			continue;
		if (f->fts_info == FTS_ERR || f->fts_info == FTS_NS ||
		    f->fts_info == FTS_DNR) {
			put_text(&l->text, f->fts_path, strlen(f->fts_path));
			put_fmt(&l->text, ": %s\n", strerror(f->fts_errno));
			continue;
		}
		put_entry(l, f, strlen(root));
	}
	fts_close(fts);
	put_u8(&l->text, 0);
	if (l->text.bad)
		nomem();
}

static void
list_free(struct listing *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].first);
	free(l->v);
	buf_free(&l->text);
}

/* Show the first lines that only one of the two has. */
static void
show(const char *a, const char *b, const char *ta, const char *tb)
{
	size_t	 la, lb;
	int	 order, left = 20;

	fprintf(stderr, "# - %s\n# + %s\n", a, b);
	while ((*ta != '\0' || *tb != '\0') && left > 0) {
		la = strcspn(ta, "\n");
		lb = strcspn(tb, "\n");
		order = *ta == '\0' ? 1 : *tb == '\0' ? -1 : 0;
		if (order == 0 && (la != lb || memcmp(ta, tb, la) != 0)) {
			size_t	 pa = strcspn(ta, ":"), pb = strcspn(tb, ":");

			order = strncmp(ta, tb, pa < pb ? pa : pb);
			if (order == 0 && pa != pb)
				order = pa < pb ? -1 : 1;
			if (order == 0) {	/* one path, described twice */
				fprintf(stderr, "# - %.*s\n# + %.*s\n",
				    (int)la, ta, (int)lb, tb);
				left--;
			}
		}
		if (order < 0)
			fprintf(stderr, "# - %.*s\n", (int)la, ta);
		if (order > 0)
			fprintf(stderr, "# + %.*s\n", (int)lb, tb);
		left -= order != 0;
		if (order <= 0)
			ta += la + (ta[la] == '\n');
		if (order >= 0)
			tb += lb + (tb[lb] == '\n');
	}
}

bool
whole_same(const char *a, const char *b, bool loud)
{
	struct listing	 la = { BUF_INIT, NULL, 0 }, lb = la;
	bool		 same;

	list(&la, a);
	list(&lb, b);
	same = la.text.len == lb.text.len &&
	    memcmp(la.text.p, lb.text.p, la.text.len) == 0;
	if (!same && loud)
		show(a, b, (const char *)la.text.p, (const char *)lb.text.p);
	list_free(&la);
	list_free(&lb);
	return same;
}
