/*
 * textdiff.c: the promises of line differences: right, short, applied by
 * patch(1), and bounded in time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../tools/textdiff.h"
#include "tap.h"

#define PATCHES	300

static char	 dir[64];

static uint64_t
below(uint64_t *seed, uint64_t n)
{
	return tap_rand(seed) % n;
}

/* Lines of `letters` kinds, so that many are equal. */
static void
random_text(uint64_t *seed, struct buf *b, size_t lines, unsigned letters)
{
	size_t	 i, k, n;

	for (i = 0; i < lines; i++) {
		k = below(seed, letters);
		put_fmt(b, "%zx", k * 2654435761u % 65521);
		n = below(seed, 200) == 0 ? 3000 : 0;
		for (; n > 0; n--)
			put_u8(b, (uint8_t)('a' + k % 26));
		if (k % 7 == 0)
			put_u8(b, '\r');
		put_u8(b, '\n');
	}
	if (b->len > 0 && below(seed, 4) == 0)
		b->len--;
}

/* The text with some runs of lines taken out, put in, changed. */
static void
random_edit(uint64_t *seed, const struct buf *a, struct buf *b,
    unsigned letters)
{
	const uint8_t	*p = a->p, *end = a->p + a->len, *q;
	size_t		 skip = 0;
	unsigned	 rate = 2 + (unsigned)below(seed, 60);

	for (; p < end; p = q) {
		q = memchr(p, '\n', (size_t)(end - p));
		q = q == NULL ? end : q + 1;
		if (skip == 0 && below(seed, rate) == 0)
			skip = 1 + below(seed, 5);
		if (below(seed, rate) == 0) {
			if (b->len > 0 && b->p[b->len - 1] != '\n')
				put_u8(b, '\n');
			random_text(seed, b, 1 + below(seed, 4), letters);
			if (b->len > 0 && b->p[b->len - 1] != '\n')
				put_u8(b, '\n');
		}
		if (skip > 0)
			skip--;
		else
			put_bytes(b, p, (size_t)(q - p));
	}
	if (b->len > 0 && below(seed, 6) == 0)
		b->len--;
}

static size_t
starts(const uint8_t *p, size_t n, size_t *at)
{
	size_t	 i, k = 0;

	for (i = 0; i < n; i++)
		if (i == 0 || p[i - 1] == '\n')
			at[k++] = i;
	at[k] = n;
	return k;
}

/* Whether the runs make b of a, and how many lines they touch. */
static int
makes(const struct buf *a, const struct buf *b, const struct hunk *h,
    size_t nh, size_t *cost)
{
	size_t	*la, *lb, na, nb, i, x = 0, y = 0, n;
	int	 good = 1;

	la = calloc(a->len + 2, sizeof(*la));
	lb = calloc(b->len + 2, sizeof(*lb));
	if (la == NULL || lb == NULL)
		exit(2);
	na = starts(a->p, a->len, la);
	nb = starts(b->p, b->len, lb);
	*cost = 0;
	for (i = 0; i <= nh && good; i++) {
		n = (i < nh ? h[i].a0 : na) - x;
		good = n == (i < nh ? h[i].b0 : nb) - y &&
		    la[x + n] - la[x] == lb[y + n] - lb[y] &&
		    (n == 0 || memcmp(a->p + la[x], b->p + lb[y],
		    la[x + n] - la[x]) == 0);
		if (i < nh) {
			*cost += h[i].a1 - h[i].a0 + h[i].b1 - h[i].b0;
			good = good && h[i].a1 <= na && h[i].b1 <= nb;
			x = h[i].a1;
			y = h[i].b1;
		}
	}
	free(la);
	free(lb);
	return good;
}

/* The number of lines of the shortest edit, by the plain method. */
static size_t
shortest(const struct buf *a, const struct buf *b)
{
	static size_t	 t[72][72], la[2048], lb[2048];
	size_t		 na = starts(a->p, a->len, la);
	size_t		 nb = starts(b->p, b->len, lb), i, j;

	for (i = na + 1; i-- > 0;)
		for (j = nb + 1; j-- > 0;) {
			if (i == na || j == nb)
				t[i][j] = na - i + nb - j;
			else if (la[i + 1] - la[i] == lb[j + 1] - lb[j] &&
			    memcmp(a->p + la[i], b->p + lb[j],
			    la[i + 1] - la[i]) == 0)
				t[i][j] = t[i + 1][j + 1];
			else
				t[i][j] = 1 + (t[i + 1][j] < t[i][j + 1] ?
				    t[i + 1][j] : t[i][j + 1]);
		}
	return t[0][0];
}

static void
letters_as_lines(uint64_t *seed, struct buf *b, size_t n, unsigned kinds)
{
	for (; n > 0; n--)
		put_fmt(b, "%c\n", 'a' + (int)below(seed, kinds));
	if (b->len > 0 && below(seed, 3) == 0)
		b->len--;
}

static void
is_the_shortest(void)
{
	uint64_t	 seed = tap_seed(20);
	struct buf	 a = BUF_INIT, b = BUF_INIT;
	struct hunk	*h;
	size_t		 nh, cost;
	int		 i;

	for (i = 0; i < 20000; i++) {
		a.len = b.len = 0;
		letters_as_lines(&seed, &a, below(&seed, 40),
		    1 + (unsigned)below(&seed, 6));
		letters_as_lines(&seed, &b, below(&seed, 40),
		    1 + (unsigned)below(&seed, 6));
		if (!OK(text_hunks(a.p, a.len, b.p, b.len, &h, &nh, NULL) ==
		    0))
			return;
		if (!OK(makes(&a, &b, h, nh, &cost)) ||
		    !OK(cost == shortest(&a, &b)))
			tap_diag("round %d", i);
		free(h);
	}
	buf_free(&a);
	buf_free(&b);
}

static void
save(const char *name, const struct buf *b)
{
	char	 path[128];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "w")) == NULL ||
	    (b->len > 0 && fwrite(b->p, b->len, 1, f) != 1) ||
	    fclose(f) != 0) {
		perror(path);
		exit(2);
	}
}

static long
size_of(const char *name)
{
	char	 path[128];
	FILE	*f;
	long	 n;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "r")) == NULL || fseek(f, 0, SEEK_END) != 0)
		return -1;
	n = ftell(f);
	(void)fclose(f);		/* only read */
	return n;
}

static int
run(const char *cmd)
{
	char	 line[512];

	(void)snprintf(line, sizeof(line), "cd %s && %s", dir, cmd);
	return system(line);
}

static void
patch_makes_the_new_text(void)
{
	uint64_t	 seed = tap_seed(21);
	struct buf	 a = BUF_INIT, b = BUF_INIT, out = BUF_INIT;
	size_t		 add, del;
	unsigned	 kinds, ctx;
	int		 i;

	for (i = 0; i < PATCHES; i++) {
		a.len = b.len = out.len = 0;
		kinds = 2 + (unsigned)below(&seed, 300);
		random_text(&seed, &a, i % 10 == 0 ? 0 : below(&seed, 200),
		    kinds);
		if (i % 10 == 0 || i % 10 == 5)
			random_text(&seed, &b, below(&seed, 50), kinds);
		else if (i % 10 != 1)
			random_edit(&seed, &a, &b, kinds);
		ctx = i % 3 == 0 ? (unsigned)below(&seed, 8) : 3;
		put_fmt(&out, "--- a\n+++ b\n");
		if (!OK(text_unified(a.p, a.len, b.p, b.len, ctx, &out, &add,
		    &del, NULL) == 0))
			break;
		if (add + del == 0)
			continue;
		save("a", &a);
		save("b", &b);
		save("d", &out);
		if (!OK(run("patch -s --binary a d >log 2>&1 && "
		    "cmp -s a b") == 0)) {
			tap_diag("round %d", i);
			run("cat log; cp a aa; cp b bb; cp d dd");
		}
		/* Never much longer than what diff(1) says. */
		if (ctx == 3 && a.len > 0) {
			save("a", &a);
			run("diff -u a b >e");
			OK((long)out.len <= size_of("e") + size_of("e") / 4 +
			    100);
		}
	}
	buf_free(&a);
	buf_free(&b);
	buf_free(&out);
}

static double
seconds_for(const struct buf *a, const struct buf *b)
{
	clock_t		 t = clock();
	struct hunk	*h = NULL;
	size_t		 nh = 0, cost;

	OK(text_hunks(a->p, a->len, b->p, b->len, &h, &nh, NULL) == 0);
	OK(makes(a, b, h, nh, &cost));
	free(h);
	return (double)(clock() - t) / CLOCKS_PER_SEC;
}

/* 100,000 lines with nothing, with everything, with little in common. */
static void
bad_cases_end_in_time(void)
{
	uint64_t	 seed = tap_seed(22), r, k;
	struct buf	 a = BUF_INIT, b = BUF_INIT, c = BUF_INIT;
	struct buf	 d = BUF_INIT;
	static unsigned	 perm[100000];
	unsigned	 i, t;
	double		 s;

	for (i = 0; i < 100000; i++) {
		perm[i] = i;
		put_fmt(&a, "line %u of one text\n", i);
		put_fmt(&b, "line %u of the other text\n", i);
		put_fmt(&d, "%u\n", (unsigned)below(&seed, 2));
	}
	OK((s = seconds_for(&a, &b)) < 10);
	tap_diag("all differ: %.2f s", s);
	b.len = 0;
	for (i = 99999; i > 0; i--) {
		r = below(&seed, i + 1);
		t = perm[i];
		perm[i] = perm[r];
		perm[r] = t;
	}
	for (i = 0; i < 100000; i++)
		put_fmt(&b, "line %u of one text\n", perm[i]);
	OK((s = seconds_for(&a, &b)) < 30);
	tap_diag("shuffled: %.2f s", s);
	b.len = 0;
	for (i = 100000; i-- > 0;)
		put_fmt(&b, "line %u of one text\n", i);
	OK((s = seconds_for(&a, &b)) < 30);
	tap_diag("turned round: %.2f s", s);
	for (i = 0; i < 100000; i++)
		put_fmt(&c, "%u\n", (unsigned)below(&seed, 2));
	OK((s = seconds_for(&c, &d)) < 30);
	tap_diag("two kinds of line: %.2f s", s);
	b.len = 0;
	for (k = 0; k < 100000; k++)
		put_fmt(&b, "%u\n", (unsigned)(k % 2));
	OK((s = seconds_for(&c, &b)) < 30);
	tap_diag("two kinds in turn: %.2f s", s);
	buf_free(&a);
	buf_free(&b);
	buf_free(&c);
	buf_free(&d);
}

static void
says(const char *a, const char *b, unsigned ctx, const char *want)
{
	struct buf	 out = BUF_INIT;
	size_t		 add, del;

	OK(text_unified((const uint8_t *)a, strlen(a), (const uint8_t *)b,
	    strlen(b), ctx, &out, &add, &del, NULL) == 0);
	put_u8(&out, 0);
	if (!OK(!out.bad && strcmp((char *)out.p, want) == 0))
		tap_diag("have: %s", (char *)out.p);
	buf_free(&out);
}

static void
looks_as_diff_u(void)
{
	says("a\nb\n", "a\nb\n", 3, "");
	says("", "", 3, "");
	says("", "x\n", 3, "@@ -0,0 +1 @@\n+x\n");
	says("x\n", "", 3, "@@ -1 +0,0 @@\n-x\n");
	says("a\nb", "a\nb\n", 3, "@@ -1,2 +1,2 @@\n a\n-b\n"
	    "\\ No newline at end of file\n+b\n");
	says("a\nb", "a\nc", 0, "@@ -2 +2 @@\n-b\n"
	    "\\ No newline at end of file\n+c\n"
	    "\\ No newline at end of file\n");
	says("1\n2\n3\n", "1\n3\n", 0, "@@ -2 +1,0 @@\n-2\n");
	/* Two changes 2 lines apart are one part with 1 line around. */
	says("1\n2\n3\n4\n", "x\n2\n3\ny\n", 1,
	    "@@ -1,4 +1,4 @@\n-1\n+x\n 2\n 3\n-4\n+y\n");
	says("1\n2\n3\n4\n5\n", "x\n2\n3\n4\ny\n", 1,
	    "@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -4,2 +4,2 @@\n 4\n-5\n+y\n");
	/* A run is moved down as far as it goes. */
	says("a\n}\n", "a\n}\nb\n}\n", 0, "@@ -2,0 +3,2 @@\n+b\n+}\n");
	says("1\n2\n", "1\n9\n2\n", 4294967295u,
	    "@@ -1,2 +1,3 @@\n 1\n+9\n 2\n");
}

static void
binary_as_git_has_it(void)
{
	uint8_t	 b[9000];

	memset(b, 'x', sizeof(b));
	OK(!text_binary(b, sizeof(b)) && !text_binary(NULL, 0));
	b[8000] = 0;
	OK(!text_binary(b, sizeof(b)));
	b[7999] = 0;
	OK(text_binary(b, sizeof(b)));
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a difference is right and the shortest", is_the_shortest },
		{ "it looks as diff -u has it", looks_as_diff_u },
		{ "patch(1) makes the new text of it, at diff's size",
		    patch_makes_the_new_text },
		{ "bad cases of 100,000 lines end in time",
		    bad_cases_end_in_time },
		{ "binary is what git calls so", binary_as_git_has_it },
	};
	const char	*tmp = getenv("TMPDIR");
	char		 cmd[96];
	int		 rc;

	(void)snprintf(dir, sizeof(dir), "%.30s/textdiff.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) != 0 ? 2 : rc;
}
