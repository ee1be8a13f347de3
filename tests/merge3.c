/*
 * merge3.c: the promises of the three-way merge: what one side changed is
 * in the result, what both changed in two ways is shown, and diff3(1)
 * says the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../tools/merge3.h"
#include "tap.h"

static char	 dir[64];

static uint64_t
below(uint64_t *seed, uint64_t n)
{
	return tap_rand(seed) % n;
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 ||
	    memcmp(a->p, b->p, a->len) == 0);
}

static struct buf
text(const char *s)
{
	return (struct buf){ (uint8_t *)(uintptr_t)s, strlen(s), 0, false };
}

/* Merge these three: the result, and how many conflicts. */
static void
gives(const char *old, const char *mine, const char *theirs,
    const char *want, size_t conflicts)
{
	struct buf	 o = text(old), a = text(mine), b = text(theirs);
	struct buf	 w = text(want);
	struct merge3	 m;

	OK(merge3(&o, &a, &b, &m, NULL) == 0);
	if (!OK(same(&m.text, &w)) || !OK(m.conflicts == conflicts))
		tap_diag("%zu conflicts in: %.*s", m.conflicts,
		    (int)m.text.len, (char *)m.text.p);
	OK(merge3_marked(m.text.p, m.text.len) == (conflicts > 0));
	buf_free(&m.text);
}

/* A conflict as it looks, without what is around. */
#define CONFLICT(mine, old, theirs)					\
	"<<<<<<< yours\n" mine "||||||| old base\n" old "=======\n"	\
	theirs ">>>>>>> new base\n"

static void
one_side_alone_is_clean(void)
{
	gives("1\n2\n3\n", "1\n2\n3\n", "1\n2\n3\n", "1\n2\n3\n", 0);
	gives("1\n2\n3\n", "a\n2\n3\n", "1\n2\nb\n", "a\n2\nb\n", 0);
	gives("1\n2\n3\n", "2\n3\n", "1\n2\n", "2\n", 0);
	gives("1\n2\n", "0\n1\n2\n", "1\n2\n3\n", "0\n1\n2\n3\n", 0);
	gives("1\n2\n3\n4\n5\n", "1\na\n3\n4\n5\n", "1\n2\n3\nx\ny\n5\nz\n",
	    "1\na\n3\nx\ny\n5\nz\n", 0);
	gives("1\n2\n", "", "1\n2\n", "", 0);
	gives("", "1\n", "", "1\n", 0);
	gives("", "", "", "", 0);
}

static void
both_alike_is_clean(void)
{
	gives("1\n2\n3\n", "1\nx\n3\n", "1\nx\n3\n", "1\nx\n3\n", 0);
	gives("1\n2\n3\n4\n", "1\nx\n3\ny\n", "1\nx\n3\n4\n",
	    "1\nx\n3\ny\n", 0);
	gives("1\n2\n", "", "", "", 0);
	gives("", "1\n", "1\n", "1\n", 0);
}

static void
what_touches_is_a_conflict(void)
{
	gives("1\n2\n", "a\n2\n", "1\nb\n",
	    CONFLICT("a\n2\n", "1\n2\n", "1\nb\n"), 1);
	gives("1\n2\n", "1\na\n2\n", "1\nb\n2\n",
	    "1\n" CONFLICT("a\n", "", "b\n") "2\n", 1);
	gives("1\n2\n3\n", "1\n3\n", "1\nx\n3\n",
	    "1\n" CONFLICT("", "2\n", "x\n") "3\n", 1);
	gives("1\n2\n", "", "1\nx\n", CONFLICT("", "1\n2\n", "1\nx\n"), 1);
	gives("", "1\n", "2\n", CONFLICT("1\n", "", "2\n"), 1);
	/* One of theirs that bridges two of mine. */
	gives("1\n2\n3\n4\n5\n6\n", "1\na\n3\nb\n5\n6\n",
	    "1\n2\nx\ny\n5\n6\n",
	    "1\n" CONFLICT("a\n3\nb\n", "2\n3\n4\n", "2\nx\ny\n") "5\n6\n",
	    1);
	gives("1\n2\n3\n4\n5\n", "a\n2\n3\n4\nb\n", "x\n2\n3\n4\ny\n",
	    CONFLICT("a\n", "1\n", "x\n") "2\n3\n4\n"
	    CONFLICT("b\n", "5\n", "y\n"), 2);
}

static void
the_last_newline_counts(void)
{
	gives("1\n2", "1\n2\n", "1\n2", "1\n2\n", 0);
	gives("1\n2\n", "1\n2", "1\n2\n", "1\n2", 0);
	gives("1\n2\n3", "x\n2\n3", "1\n2\n3", "x\n2\n3", 0);
	gives("1\n2\n3", "x\n2\n3", "1\n2\n3\n", "x\n2\n3\n", 0);
	gives("1\n2", "1\n2\n", "1\n2\n", "1\n2\n", 0);
	gives("1\n2", "1\n2\n3\n", "1\n2\n",
	    "1\n" CONFLICT("2\n3\n", "2\n", "2\n"), 1);
	gives("1", "2", "3", CONFLICT("2\n", "1\n", "3\n"), 1);
	/* CRLF is a part of its line. */
	gives("1\r\n2\r\n3\r\n", "a\r\n2\r\n3\r\n", "1\r\n2\r\nb\r\n",
	    "a\r\n2\r\nb\r\n", 0);
	gives("1\r\n2\r\n", "1\n2\n", "1\r\n2\r\n", "1\n2\n", 0);
	gives("1\r\n2\r\n3\r\n", "1\n2\n3\n", "1\r\n2\r\nb\r\n",
	    CONFLICT("1\n2\n3\n", "1\r\n2\r\n3\r\n", "1\r\n2\r\nb\r\n"), 1);
}

/* The three texts of diff3's manual. */
static const char lao[] =
    "The Way that can be told of is not the eternal Way;\n"
    "The name that can be named is not the eternal name.\n"
    "The Nameless is the origin of Heaven and Earth;\n"
    "The Named is the mother of all things.\n"
    "Therefore let there always be non-being,\n"
    "  so we may see their subtlety,\n"
    "And let there always be being,\n"
    "  so we may see their outcome.\n"
    "The two are the same,\n"
    "But after they are produced,\n"
    "  they have different names.\n";
static const char tzu[] =
    "The Nameless is the origin of Heaven and Earth;\n"
    "The named is the mother of all things.\n"
    "\n"
    "Therefore let there always be non-being,\n"
    "  so we may see their subtlety,\n"
    "And let there always be being,\n"
    "  so we may see their outcome.\n"
    "The two are the same,\n"
    "But after they are produced,\n"
    "  they have different names.\n"
    "They both may be called deep and profound.\n"
    "Deeper and more profound,\n"
    "The door of all subtleties!\n";
static const char tao[] =
    "The Way that can be told of is not the eternal Way;\n"
    "The name that can be named is not the eternal name.\n"
    "The Nameless is the origin of Heaven and Earth;\n"
    "The named is the mother of all things.\n"
    "\n"
    "Therefore let there always be non-being,\n"
    "  so we may see their subtlety,\n"
    "And let there always be being,\n"
    "  so we may see their result.\n"
    "The two are the same,\n"
    "But after they are produced,\n"
    "  they have different names.\n"
    "\n"
    "  -- The Way of Lao-Tzu, tr. Wing-tsit Chan\n";

static void
the_manuals_example(void)
{
	struct buf	 o = text(tzu), a = text(lao), b = text(tao);
	struct merge3	 m;

	gives(tzu, lao, tao,
	    "The Way that can be told of is not the eternal Way;\n"
	    "The name that can be named is not the eternal name.\n"
	    "The Nameless is the origin of Heaven and Earth;\n"
	    "The Named is the mother of all things.\n"
	    "Therefore let there always be non-being,\n"
	    "  so we may see their subtlety,\n"
	    "And let there always be being,\n"
	    "  so we may see their result.\n"
	    "The two are the same,\n"
	    "But after they are produced,\n"
	    "  they have different names.\n"
	    CONFLICT("",
	    "They both may be called deep and profound.\n"
	    "Deeper and more profound,\n"
	    "The door of all subtleties!\n",
	    "\n"
	    "  -- The Way of Lao-Tzu, tr. Wing-tsit Chan\n"), 1);
	OK(merge3(&o, &a, &b, &m, NULL) == 0);
	OK(m.mine == 1 && m.theirs == 1 && m.both == 1 && m.conflicts == 1);
	buf_free(&m.text);
}

static void
no_text_is_never_merged(void)
{
	struct buf	 t[3] = { text("1\n"), text("1\n2\n"), text("1\n") };
	uint8_t		 nul[] = "1\n\0\n";
	struct merge3	 m;
	int		 i;

	for (i = 0; i < 3; i++) {
		struct buf	 keep = t[i];

		t[i] = (struct buf){ nul, 4, 0, false };
		OK(merge3(&t[0], &t[1], &t[2], &m, NULL) == 0);
		OK(m.binary && m.conflicts == 1 && m.text.len == 0);
		buf_free(&m.text);
		t[i] = keep;
	}
}

static void
marks_are_seen(void)
{
	static const char *const with[] = { "<<<<<<< yours\n",
	    "a\n>>>>>>> new base", "x\n||||||| old base\n" };
	static const char *const without[] = { "", "=======\n",
	    "a <<<<<<< yours\n", "<<<<<<< yours \n", "<<<<<<<\n" };
	size_t	 i;

	for (i = 0; i < 3; i++)
		OK(merge3_marked((const uint8_t *)with[i], strlen(with[i])));
	for (i = 0; i < 5; i++)
		OK(!merge3_marked((const uint8_t *)without[i],
		    strlen(without[i])));
}

/* Lines that occur once, unless `kinds` says of how many there are. */
static void
put_line(uint64_t *seed, struct buf *b, unsigned kinds)
{
	static unsigned	 n;

	if (kinds > 0)
		put_fmt(b, "%c\n", 'a' + (int)below(seed, kinds));
	else
		put_fmt(b, "line %u\n", n++);
}

/* Some runs of lines taken out, put in, changed. */
static void
edit(uint64_t *seed, const struct buf *a, struct buf *b, unsigned kinds)
{
	const uint8_t	*p = a->p, *end = a->p == NULL ? p : p + a->len, *q;
	unsigned	 rate = 2 + (unsigned)below(seed, 20);
	uint64_t	 skip = 0, add;

	for (;; p = q) {
		if (skip == 0 && below(seed, rate) == 0)
			skip = 1 + below(seed, 3);
		add = below(seed, rate) == 0 ? 1 + below(seed, 3) : 0;
		for (; add > 0; add--)
			put_line(seed, b, kinds);
		if (p == end)
			break;
		q = memchr(p, '\n', (size_t)(end - p));
		q = q == NULL ? end : q + 1;
		if (skip > 0)
			skip--;
		else
			put_bytes(b, p, (size_t)(q - p));
	}
}

static void
chop(uint64_t *seed, struct buf *b)
{
	if (b->len > 0 && below(seed, 4) == 0)
		b->len--;
}

static void
merged_is(const struct buf *o, const struct buf *a, const struct buf *b,
    const struct buf *want)
{
	struct merge3	 m;

	OK(merge3(o, a, b, &m, NULL) == 0);
	OK(m.conflicts == 0 && same(&m.text, want));
	buf_free(&m.text);
}

/* No line but the last is without its newline. */
static size_t
lines(const struct buf *b)
{
	size_t	 i, n = 0;

	for (i = 0; i < b->len; i++)
		n += b->p[i] == '\n' || i + 1 == b->len;
	return n;
}

static void
what_holds_for_all(void)
{
	uint64_t	 seed = tap_seed(31);
	struct buf	 o = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	struct merge3	 m, w;
	unsigned	 kinds;
	size_t		 clean = 0;
	int		 i, k;

	for (i = 0; i < 20000; i++) {
		o.len = a.len = b.len = 0;
		kinds = i % 2 == 0 ? 0 : 2 + (unsigned)below(&seed, 9);
		for (k = (int)below(&seed, 30); k > 0; k--)
			put_line(&seed, &o, kinds);
		edit(&seed, &o, &a, kinds);
		edit(&seed, &o, &b, kinds);
		chop(&seed, &o);
		chop(&seed, &a);
		chop(&seed, &b);
		merged_is(&o, &a, &o, &a);
		merged_is(&o, &o, &b, &b);
		merged_is(&o, &a, &a, &a);
		OK(merge3(&o, &a, &b, &m, NULL) == 0 &&
		    merge3(&o, &b, &a, &w, NULL) == 0);
		OK(m.conflicts == w.conflicts && m.mine == w.theirs &&
		    m.theirs == w.mine && m.both == w.both);
		if (m.conflicts == 0) {
			clean++;
			OK(same(&m.text, &w.text));
		}
		OK((m.conflicts > 0) == merge3_marked(m.text.p, m.text.len));
		/* What both took out and put in adds up. */
		if (m.conflicts == 0 && m.both == 0)
			OK(lines(&m.text) + lines(&o) == lines(&a) +
			    lines(&b));
		buf_free(&m.text);
		buf_free(&w.text);
	}
	tap_diag("%zu of %d are clean", clean, i);
	OK(clean > 2000 && clean < 18000);
	buf_free(&o);
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

static int
run(const char *cmd)
{
	char	 line[512];

	(void)snprintf(line, sizeof(line), "cd %s && %s", dir, cmd);
	return system(line);
}

/*
 * Many cases in one text, each behind lines that all three have.  diff3's
 * -E shows no conflict where both made the same change.
 */
static void
diff3_says_the_same(void)
{
	uint64_t	 seed = tap_seed(32);
	struct buf	 o = BUF_INIT, a = BUF_INIT, b = BUF_INIT;
	struct buf	 one = BUF_INIT;
	struct merge3	 m;
	int		 i, k, n, rc;

	if (run("diff3 --version > /dev/null 2>&1") != 0) {
		tap_skip("no diff3");
		return;
	}
	for (i = 0; i < 25; i++) {
		o.len = a.len = b.len = 0;
		for (k = 0; k < 200; k++) {
			one.len = 0;
			for (n = (int)below(&seed, 30); n > 0; n--)
				put_line(&seed, &one, 0);
			put_fmt(&o, "== %d\n", k);
			put_fmt(&a, "== %d\n", k);
			put_fmt(&b, "== %d\n", k);
			put_bytes(&o, one.p, one.len);
			edit(&seed, &one, &a, 0);
			edit(&seed, &one, &b, 0);
		}
		OK(merge3(&o, &a, &b, &m, NULL) == 0 && m.conflicts > 9);
		save("o", &o);
		save("a", &a);
		save("b", &b);
		save("m", &m.text);
		rc = run("{ diff3 -m -E -L yours -L 'old base' -L 'new base'"
		    " a o b; [ $? = 1 ]; } > want &&"
		    " sed '/^|||||||/,/^=====/{/^=====/!d;}' m > have &&"
		    " cmp want have");
		if (!OK(rc == 0))
			run("diff want have | head -20 | sed 's/^/# /'");
		buf_free(&m.text);
	}
	buf_free(&one);
	buf_free(&o);
	buf_free(&a);
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "what one side alone changed is in",
		    one_side_alone_is_clean },
		{ "what both changed alike is in once", both_alike_is_clean },
		{ "what overlaps or touches is a conflict",
		    what_touches_is_a_conflict },
		{ "a last line without newline is another line",
		    the_last_newline_counts },
		{ "diff3's manual has the same", the_manuals_example },
		{ "what is no text is never merged", no_text_is_never_merged },
		{ "conflicts that are left in a text are seen",
		    marks_are_seen },
		{ "a side that changed nothing never counts, and the sides "
		    "are equal", what_holds_for_all },
		{ "5000 cases are as diff3 -m has them",
		    diff3_says_the_same },
	};
	const char	*tmp = getenv("TMPDIR");
	char		 cmd[96];
	int		 rc;

	(void)snprintf(dir, sizeof(dir), "%.30s/merge3.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) != 0 ? 2 : rc;
}
