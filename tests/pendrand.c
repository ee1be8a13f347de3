/*
 * pendrand.c: random changes, journaled as the daemon does, against two
 * promises: the journal's suspects give what comparing everything gives,
 * and what was committed makes the running tree again.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "../tools/walk.h"
#include "box.h"
#include "tap.h"
#include "tree.h"

static uint64_t	 seed;
static struct box b;
static struct strs all;		/* paths of the running tree, sorted */
static struct strs dirs;
static bool	 bad;

static unsigned
rnd(unsigned n)
{
	return (unsigned)(tap_rand(&seed) % n);
}

static int
add_path(void *arg, const char *path, bool isdir)
{
	(void)arg;
	(void)strs_put(&all, strdup(path));
	if (isdir)
		(void)strs_put(&dirs, strdup(path));
	return isdir ? WALK_DOWN : 0;
}

static void
look(int root)
{
	strs_free(&all);
	strs_free(&dirs);
	(void)strs_put(&dirs, strdup(""));
	(void)walk_tree(root, "", add_path, NULL, NULL);
}

static const char *
some(void)
{
	return all.n == 0 ? NULL : all.v[rnd((unsigned)all.n)];
}

/* A name that may or may not be there, in a directory that is. */
static char *
fresh(void)
{
	char	 name[2] = { (char)('a' + rnd(5)), '\0' };
	char	*p = path_join(dirs.v[rnd((unsigned)dirs.n)], name);
	size_t	 i, deep = 0;

	for (i = 0; p[i] != '\0'; i++)
		deep += p[i] == '/';
	if (deep > 3)
		*strrchr(p, '/') = '\0';
	return p;
}

static bool
isdir(int root, const char *p)
{
	int	 fd = path_open(root, p, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void
note(int root, const char *path, enum jrn_op op, int flags)
{
	if (root == b.run)
		box_note(&b, path, op, flags, rnd(3), "rand");
}

/* rm -r: a record for each. */
static void
remove_all(int root, const char *top)
{
	char	*t = strdup(top);
	size_t	 i;

	for (i = all.n; i-- > 0;)
		if (path_within(all.v[i], t))
			note(root, all.v[i], JRN_UNLINK, 0);
	t_rm(root, t);
	free(t);
	look(root);
}

static void
make(int root, char *p)
{
	char	 text[8];

	(void)snprintf(text, sizeof(text), "%u", rnd(4));
	if (t_there(root, p)) {
		if (isdir(root, p))
			return;
		remove_all(root, p);
	}
	note(root, p, JRN_CREATE, JRN_BORN);
	switch (rnd(5)) {
	case 0:
		t_symlink(root, p, text);
		break;
	case 1:
		t_mkdir(root, p);
		break;
	case 2:
		t_fifo(root, p);
		break;
	default:
		t_file(root, p, text);
	}
}

static void
rewrite(int root, const char *p)
{
	struct stat	 st;
	const char	*name;
	char		 text[8];
	int		 dfd = path_parent(root, p, &name);

	(void)snprintf(text, sizeof(text), "%u", rnd(3));
	if (fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode)) {
		note(root, p, JRN_WRITE, 0);
		t_file(root, p, text);
	}
	(void)close(dfd);
}

static void
attr(int root, const char *p)
{
	const char	*name;
	int		 dfd = path_parent(root, p, &name);
	struct stat	 st;

	(void)fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW);
	note(root, p, JRN_ATTR, 0);
	if (geteuid() == 0 && rnd(2) == 0)
		(void)fchownat(dfd, name, rnd(2), rnd(2),
		    AT_SYMLINK_NOFOLLOW);
	else if (geteuid() == 0 && rnd(3) == 0)
		(void)os_setxattr(dfd, name, "trusted.x", "12",
		    1 + rnd(2), 0);
	else if (!S_ISLNK(st.st_mode))
		t_chmod(root, p, rnd(2) == 0 ? 0755 : 0700);
	(void)close(dfd);
}

static void
rename_one(int root, const char *from, const char *to)
{
	int	 tree;

	if (strcmp(from, to) == 0 || path_within(to, from) ||
	    path_within(from, to))
		return;
	if (t_there(root, to)) {
		if (isdir(root, to) || isdir(root, from)) {
			char	*f = strdup(from);

			remove_all(root, to);
			rename_one(root, f, to);
			free(f);
			return;
		}
	}
	tree = isdir(root, from) ? JRN_TREE : 0;
	note(root, from, JRN_RENAME, tree);
	note(root, to, JRN_RENAME, tree);
	t_rename(root, from, to);
}

static void
link_one(int root, const char *from, const char *to)
{
	if (isdir(root, from) || t_there(root, to))
		return;
	note(root, from, JRN_LINK, JRN_LINKED);
	note(root, to, JRN_LINK, JRN_BORN | JRN_LINKED);
	t_link(root, from, to);
}

static void
step(int root)
{
	char	*p, *q;

	look(root);
	p = fresh();
	q = some() == NULL ? NULL : strdup(some());
	switch (rnd(q == NULL ? 1 : 12)) {
	case 0: case 1: case 2: case 3:
		make(root, p);
		break;
	case 4: case 5:
		rewrite(root, q);
		break;
	case 6:
		attr(root, q);
		break;
	case 7: case 8:
		rename_one(root, q, p);
		break;
	case 9: case 10:
		link_one(root, q, p);
		break;
	default:
		remove_all(root, q);
	}
	free(p);
	free(q);
}

/* What is pending, as text. */
static char *
text(bool everything)
{
	struct buf	 o = BUF_INIT;
	size_t		 i;

	b.all = everything;
	box_find(&b);
	for (i = 0; i < b.pend.n; i++)
		put_fmt(&o, "%c%c %s\n", pend_letter(&b.pend.v[i]),
		    b.pend.v[i].like_base ? '=' : ' ', b.pend.v[i].path);
	put_u8(&o, '\0');
	return (char *)o.p;
}

static void
check(void)
{
	char	*x, *y;

	if (b.jrn.len == 0)
		return;
	x = text(true);
	y = text(false);
	if (!OK(strcmp(x, y) == 0)) {
		tap_diag("all:\n%sjournal:\n%s", x, y);
		bad = true;
	}
	free(x);
	free(y);
}

static void
commit(void)
{
	char	*one[1];

	look(b.run);
	if (rnd(2) == 0 && all.n > 0) {
		one[0] = strdup(some());
		(void)box_commit(&b, one);
		free(one[0]);
		check();
	}
	(void)box_commit(&b, NULL);
	b.all = true;
	box_find(&b);
	if (!OK(b.pend.n == 0)) {
		tap_diag("%s stays", b.pend.v[0].path);
		bad = true;
	}
	if (!OK(box_restores(&b)))
		bad = true;
}

/* Each file of the base gets a name elsewhere, as images have it. */
static void
link_out(int base)
{
	const char	*name;
	char		 to[24];
	size_t		 i;
	int		 out = t_dir(), dfd;

	look(base);
	for (i = 0; i < all.n; i++) {
		dfd = path_parent(base, all.v[i], &name);
		(void)snprintf(to, sizeof(to), "%zu", i);
		(void)linkat(dfd, name, out, to, 0);
		(void)close(dfd);
	}
}

static void
random_changes(void)
{
	const char	*steps = getenv("STEPS");
	int		 round, i, n = steps == NULL ? 60 : atoi(steps), base;

	seed = tap_seed(20261123);
	for (round = 0; round < n; round++) {
		base = t_dir();
		b.run = -1;
		for (i = 0; i < 20; i++)
			step(base);
		if (round % 2 == 1)
			link_out(base);
		box_new(&b, base);
		for (i = 0; i < 120; i++) {
			step(b.run);
			if (rnd(4) == 0)
				check();
			if (rnd(12) == 0)
				commit();
		}
		commit();
		box_free(&b);
		if (bad) {
			tap_diag("in round %d", round);
			break;
		}
	}
	strs_free(&all);
	strs_free(&dirs);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "random changes are all found, and come back",
		    random_changes },
	};

	return tap_main(argc, argv, c, 1);
}
