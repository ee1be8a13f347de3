/*
 * viewops.c: the view answers every system call as the RAM disk does.
 *
 *	viewops.t [A B [T]] [promise]
 *
 * The same calls are made on two directories, B's answers compared with
 * A's, then the trees.  T is what lies beneath the view B: stat of both
 * must be the same to the last field.  Without arguments both are plain
 * directories: the test of the test.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "viewcases.h"
#include "viewcmp.h"
#include "viewops.h"

#define CHECK_EVERY	100	/* operations between looks at the trees */

static const char	*dir[3];	/* A, B, T or NULL */
static const struct view_case *one;	/* the case being run */
static int		 rounds = 20, ops = 2000;

/* A new directory of this name on one side; its descriptor. */
static int
fresh(const char *in, const char *name)
{
	char	 path[4096];
	int	 fd;

	snprintf(path, sizeof(path), "%s/%s", in, name);
	if (mkdir(path, 0777) == -1 && errno != EEXIST) {
		tap_diag("mkdir %s: %s", path, strerror(errno));
		return -1;
	}
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		tap_diag("open %s: %s", path, strerror(errno));
	else if (chmod(path, 0777) == -1)
		tap_diag("chmod %s: %s", path, strerror(errno));
	return fd;
}

static void
side_open(struct side *s, const char *in, const char *name)
{
	int	 i;

	s->root = fresh(in, name);
	for (i = 0; i < SLOTS; i++)
		s->slot[i] = -1;
}

static void
side_close(struct side *s)
{
	int	 i;

	for (i = 0; i < SLOTS; i++)
		if (s->slot[i] != -1)
			(void)close(s->slot[i]);
	(void)close(s->root);
}

/* Print where the two differ: the line, or what is around it. */
static void
first_difference(const struct buf *a, const struct buf *b)
{
	const struct buf	*l[2] = { a, b };
	size_t			 i, k, from = 0, n;
	char			 line[128];

	n = a->len < b->len ? a->len : b->len;
	for (i = 0; i < n && a->p[i] == b->p[i]; i++)
		if (a->p[i] == '\n')
			from = i + 1;
	if (i - from > 100)
		from = i - 20;
	for (k = 0; k < 2; k++) {
		for (n = 0; n < 120 && from + n < l[k]->len; n++)
			if ((line[n] = (char)l[k]->p[from + n]) == '\n')
				break;
			else if (line[n] < ' ' || line[n] > '~')
				line[n] = '?';
		tap_diag("%c: byte %zu: %.*s", (int)('A' + k), i, (int)n,
		    line);
	}
}

static bool
agree(struct side *s, const struct op *o, int n)
{
	struct buf	 l[2] = { BUF_INIT, BUF_INIT }, t = BUF_INIT;
	bool		 same;

	op_run(&s[0], o, &l[0]);
	op_run(&s[1], o, &l[1]);
	same = l[0].len == l[1].len && (l[0].len == 0 ||
	    memcmp(l[0].p, l[1].p, l[0].len) == 0);
	if (getenv("VERBOSE") != NULL) {
		op_print(&t, o);
		tap_diag("%d %.*s", n, (int)t.len, (char *)t.p);
		tap_diag("%.*s", (int)l[0].len, (char *)l[0].p);
	} else if (!same) {
		op_print(&t, o);
		tap_diag("call %d: %.*s", n, (int)t.len, (char *)t.p);
	}
	if (!same)
		first_difference(&l[0], &l[1]);
	buf_free(&l[0]);
	buf_free(&l[1]);
	buf_free(&t);
	return same;
}

/* The view and the tree beneath it. */
static bool
beneath_agrees(const char *name)
{
	char	 path[4096];
	int	 fd[2], i;
	bool	 ok;

	for (i = 0; i < 2; i++) {
		if (dir[2] == NULL)
			return true;
		snprintf(path, sizeof(path), "%s/%s", dir[1 + i], name);
		if ((fd[i] = open(path, O_RDONLY | O_DIRECTORY)) == -1)
			tap_diag("open %s: %s", path, strerror(errno));
	}
	ok = view_cmp(fd[0], fd[1], 1) == 0;
	(void)close(fd[0]);
	(void)close(fd[1]);
	return ok;
}

static bool
one_round(uint64_t seed, const char *name)
{
	struct side	 s[2];
	struct op	 o;
	bool		 good = true;
	int		 i;

	side_open(&s[0], dir[0], name);
	side_open(&s[1], dir[1], name);
	(void)umask(022);
	for (i = 1; i <= ops && good; i++) {
		op_draw(&o, &seed);
		good = agree(s, &o, i);
		if (good && i % CHECK_EVERY == 0)
			good = view_cmp(s[0].root, s[1].root, 0) == 0 &&
			    beneath_agrees(name);
		if (!good)
			tap_diag("round %s, after call %d", name, i);
	}
	(void)umask(022);
	side_close(&s[0]);
	side_close(&s[1]);
	return good;
}

static void
random_calls(void)
{
	uint64_t	 seed = tap_seed(1);
	char		 name[32];
	int		 r;

	for (r = 0; r < rounds; r++) {
		snprintf(name, sizeof(name), "round%d", r);
		OK(one_round(seed + (uint64_t)r * 1000, name));
	}
}

/* A directed case: its log on both sides, and the trees it leaves. */
static void
run_case(void)
{
	struct buf	 l[2] = { BUF_INIT, BUF_INIT };
	struct side	 s[2];
	int		 i;

	for (i = 0; i < 2; i++) {
		side_open(&s[i], dir[i], one->name);
		(void)umask(022);
		one->fn(s[i].root, &l[i]);
		become(0);
		(void)umask(022);
		put_u8(&l[i], 0);
	}
	if (!OK(l[0].len == l[1].len && memcmp(l[0].p, l[1].p, l[0].len) == 0))
		first_difference(&l[0], &l[1]);
	OK(l[0].len > 1);
	if (getenv("VERBOSE") != NULL)
		tap_diag("%s", (char *)l[0].p);
	OK(view_cmp(s[0].root, s[1].root, 0) == 0);
	OK(beneath_agrees(one->name));
	for (i = 0; i < 2; i++) {
		side_close(&s[i]);
		buf_free(&l[i]);
	}
}

static void
wipe(void)
{
	char	 cmd[9000];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s' '%s'", dir[0], dir[1]);
	if (system(cmd) != 0)
		tap_diag("%s failed", cmd);
}

static void
need_root(void)
{
	tap_skip("not root");
}

/* tap.h's cases take nothing: they come in the order of the table. */
static void
next_case(void)
{
	static size_t	 next;

	while (getenv("CASE") != NULL &&
	    strstr(view_cases[next].name, getenv("CASE")) == NULL)
		next++;
	one = &view_cases[next++];
	run_case();
}

int
main(int argc, char **argv)
{
	struct tap_case	 c[64];
	char		 tmp[2][32] = { "/dev/shm/view.XXXXXX",
	    "/dev/shm/view.XXXXXX" };
	const char	*only = getenv("CASE");
	size_t		 i, n = 0;
	int		 rc;

	if (geteuid() != 0) {
		c[0] = (struct tap_case){ "calls answer alike", need_root };
		return tap_main(1, argv, c, 1);
	}
	if (getenv("ROUNDS") != NULL)
		rounds = atoi(getenv("ROUNDS"));
	for (i = 0; i < 3; i++)
		dir[i] = (int)i + 1 < argc ? argv[i + 1] : NULL;
	for (i = 0; argc < 3 && i < 2; i++)
		dir[i] = mkdtemp(tmp[i]);
	if (only == NULL || strcmp(only, "random") == 0)
		c[n++] = (struct tap_case){ "random calls answer alike",
		    random_calls };
	for (i = 0; view_cases[i].name != NULL; i++)
		if (only == NULL || strstr(view_cases[i].name, only) != NULL)
			c[n++] = (struct tap_case){ view_cases[i].promise,
			    next_case };
	rc = tap_main(1, argv, c, n);
	if (argc < 3)
		wipe();
	return rc;
}
