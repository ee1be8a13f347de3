/*
 * viewcover.c: does the journal name every path in which two trees differ?
 * Records are folded here in the simplest way there is, each path against
 * each record.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ent.h"
#include "../lib/jrn.h"
#include "../lib/path.h"
#include "viewtool.h"

struct rec {
	char		*path;
	unsigned	 flags;
};

struct item {			/* one path of a tree */
	char		*path;
	struct ent	 e;
	uint64_t	 ino;
	uint64_t	 nlink;
};

struct list {
	struct item	*v;
	size_t		 n;
};

static struct rec	*recs;
static size_t		 nrecs;
static int		 nscan;

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

static void *
grow(void *p, size_t n, size_t size)
{
	if ((n & (n - 1)) == 0 &&
	    (p = realloc(p, (n == 0 ? 1 : n * 2) * size)) == NULL)
		die("memory");
	return p;
}

/* What lies below the directory `arg` of the view, or names it. */
static int
keep(void *arg, const struct jrn_rec *r)
{
	const char	*below = arg, *p = r->path;

	if (r->op == JRN_SCAN)
		nscan++;
	if (*below != '\0' && path_within(p, below)) {
		p += strlen(below);
		p += *p == '/';
	} else if (*below != '\0') {
		if ((r->flags & JRN_TREE) == 0 || !path_within(below, p))
			return 0;
		p = "";
	}
	recs = grow(recs, nrecs, sizeof(*recs));
	recs[nrecs].path = strdup(p);
	recs[nrecs++].flags = r->flags;
	return 0;
}

static int
print(void *arg, const struct jrn_rec *r)
{
	static const char *const op[] = { "?", "create", "mkdir", "symlink",
	    "link", "unlink", "rmdir", "rename", "write", "attr", "xattr",
	    "scan" };
	char	*p = path_vis(r->path);

	(void)arg;
	printf("%s %s uid %u gid %u pid %u count %u time %" PRId64 " flags %u "
	    "comm %s\n", p, op[r->op > 11 ? 0 : r->op], r->uid, r->gid,
	    r->pid, r->count, r->time / 1000000000, r->flags, r->comm);
	free(p);
	return 0;
}

static void
scan(const char *dir, int (*fn)(void *, const struct jrn_rec *),
    const char *below)
{
	struct err	 e = { 0, "" };
	uint64_t	 last = 0;
	bool		 damaged = false;
	int		 fd = open(dir, O_RDONLY | O_DIRECTORY);

	if (fd == -1)
		die(dir);
	if (jrn_scan(fd, UINT64_MAX, fn, (void *)(uintptr_t)below, &damaged, &last, &e) != 0) {
		fprintf(stderr, "viewtool: %s\n", e.msg);
		exit(2);
	}
	if (damaged) {
		printf("the journal is damaged\n");
		exit(1);
	}
	(void)close(fd);
}

/* jrn DIR: print each record. */
int
verb_jrn(int argc, char **argv)
{
	(void)argc;
	scan(argv[0], print, "");
	return 0;
}

static void
add(struct list *l, int root, const char *path)
{
	struct err	 e = { 0, "" };
	struct item	*it;
	const char	*name;
	int		 dfd = path_parent(root, path, &name);

	l->v = grow(l->v, l->n, sizeof(*l->v));
	it = &l->v[l->n++];
	memset(it, 0, sizeof(*it));
	it->path = strdup(path);
	if (dfd < 0 || ent_read(dfd, name, path, ENT_HASH, &it->e, &it->ino,
	    &it->nlink, &e) < 0) {
		fprintf(stderr, "viewtool: %s: %s\n", path, e.msg);
		exit(2);
	}
	(void)close(dfd);
}

static int
item_cmp(const void *a, const void *b)
{
	return path_cmp(((const struct item *)a)->path,
	    ((const struct item *)b)->path);
}

/* All paths of a tree, sorted; those found are the list to go on with. */
static void
walk(struct list *l, const char *dir)
{
	struct dirent	*d;
	char		*p;
	DIR		*dp;
	size_t		 i;
	int		 root = open(dir, O_RDONLY | O_DIRECTORY), fd;

	if (root == -1)
		die(dir);
	add(l, root, "");
	for (i = 0; i < l->n; i++) {
		if (l->v[i].e.type != ENT_DIR)
			continue;
		fd = path_open(root, l->v[i].path, O_RDONLY | O_DIRECTORY);
		if (fd < 0 || (dp = fdopendir(fd)) == NULL)
			die(l->v[i].path);
		while ((d = readdir(dp)) != NULL) {
			if (strcmp(d->d_name, ".") == 0 ||
			    strcmp(d->d_name, "..") == 0)
				continue;
			p = path_join(l->v[i].path, d->d_name);
			add(l, root, p);
			free(p);
		}
		(void)closedir(dp);
	}
	qsort(l->v, l->n, sizeof(*l->v), item_cmp);
	(void)close(root);
}

static const struct item *
find(const struct list *l, const char *path)
{
	struct item	 key = { .path = (char *)(uintptr_t)path };

	return bsearch(&key, l->v, l->n, sizeof(*l->v), item_cmp);
}

/* The first name of this inode in its tree. */
static const char *
first_name(const struct list *l, const struct item *it)
{
	size_t	 i;

	for (i = 0; it->nlink > 1 && it->e.type != ENT_DIR && i < l->n; i++)
		if (l->v[i].ino == it->ino)
			return l->v[i].path;
	return it->path;
}

static bool
differs(const struct list *l, const struct item *a, const struct item *b)
{
	if (a == NULL || b == NULL)
		return true;
	return !ent_same(&a->e, &b->e) ||
	    strcmp(first_name(&l[0], a), first_name(&l[1], b)) != 0;
}

static bool
named(const char *path)
{
	size_t	 i;

	for (i = 0; i < nrecs; i++)
		if (strcmp(recs[i].path, path) == 0 ||
		    ((recs[i].flags & JRN_TREE) != 0 &&
		    path_within(path, recs[i].path)))
			return true;
	return false;
}

/* Named itself, or under another name of the same inode. */
static bool
covered(const struct list *l, const struct item *it)
{
	size_t	 i;

	if (named(it->path))
		return true;
	for (i = 0; it->nlink > 1 && it->e.type != ENT_DIR && i < l->n; i++)
		if (l->v[i].ino == it->ino && named(l->v[i].path))
			return true;
	return false;
}

/* cover DIR BEFORE AFTER [BELOW]: AFTER being this directory of the view;
 * 0, or 1 and the paths that nobody named. */
int
verb_cover(int argc, char **argv)
{
	struct list		 l[2] = { { NULL, 0 }, { NULL, 0 } };
	const struct item	*a, *b;
	size_t			 i, k, ndiff = 0, nbad = 0;

	if (argc < 3)
		return 64;
	scan(argv[0], keep, argc > 3 ? argv[3] : "");
	walk(&l[0], argv[1]);
	walk(&l[1], argv[2]);
	for (k = 0; k < 2; k++)
		for (i = 0; i < l[k].n; i++) {
			a = k == 0 ? &l[0].v[i] : find(&l[0], l[1].v[i].path);
			b = k == 1 ? &l[1].v[i] : find(&l[1], l[0].v[i].path);
			if ((k == 1 && a != NULL) || !differs(l, a, b))
				continue;
			ndiff++;
			if ((a != NULL && covered(&l[0], a)) ||
			    (b != NULL && covered(&l[1], b)))
				continue;
			nbad++;
			printf("not in the journal: %s\n",
			    path_vis(l[k].v[i].path));
		}
	printf("paths %zu different %zu unseen %zu records %zu scans %d\n",
	    l[1].n, ndiff, nbad, nrecs, nscan);
	return nbad > 0;
}
