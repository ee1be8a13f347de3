/*
 * blame.c: each line of a text is said to have come with the version that
 * brought it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/blame.h"
#include "tap.h"

static struct blame	 b;
static size_t		 version;

static void
next(const char *text)
{
	struct buf	 t = BUF_INIT;
	struct err	 e;

	put_fmt(&t, "%s", text);
	if (!OK(blame_add(&b, &t, version++, &e) == 0))
		tap_diag("%s", e.msg);
	OK(t.p == NULL);
	buf_free(&t);
}

/* The versions of the lines, one digit each. */
static bool
by(const char *want)
{
	char	 have[64] = "";
	size_t	 i;

	for (i = 0; i < b.n && i < sizeof(have) - 1; i++)
		have[i] = (char)('0' + b.by[i]);
	if (strcmp(have, want) != 0)
		tap_diag("have %s, want %s", have, want);
	return strcmp(have, want) == 0;
}

static void
begin(const char *text)
{
	version = 0;
	next(text);
}

static void
end(void)
{
	blame_free(&b);
}

static void
a_changed_line_is_of_the_version_that_changed_it(void)
{
	begin("a\nb\nc\n");
	OK(by("000"));
	next("a\nB\nc\n");
	OK(by("010"));
	next("a\nB\nC\n");
	OK(by("012"));
	next("a\nb\nC\n");
	OK(by("032"));
	end();
}

static void
lines_that_come_and_go_leave_the_others_theirs(void)
{
	begin("a\nb\nc\n");
	next("x\na\nb\ny\nc\nz\n");
	OK(by("100101"));
	next("a\nc\nz\n");
	OK(by("001"));
	next("c\n");
	OK(by("0"));
	next("n\nc\nm\n");
	OK(by("404"));
	end();
}

static void
a_text_that_was_gone_is_new(void)
{
	begin("");
	OK(by(""));
	next("a\nb\n");
	OK(by("11"));
	next("");
	OK(by(""));
	next("a\nb\n");
	OK(by("33"));
	end();
}

static void
a_last_line_without_newline_is_a_line(void)
{
	begin("a\nb");
	OK(by("00"));
	next("a\nb\n");
	OK(by("01"));
	next("a\nb\nc");
	OK(by("012"));
	end();
}

static void
what_is_the_same_changes_nothing(void)
{
	begin("a\nb\n");
	next("a\nb\n");
	OK(by("00"));
	blame_free(&b);
	next("a\nb\n");
	OK(by("22"));
	end();
}

/*
 * Versions of random lines: as many as the text has, the newest text kept,
 * and no line of a version that does not have it.
 */
static void
no_line_is_of_a_version_without_it(void)
{
	uint64_t	 seed = tap_seed(20261125);
	char		 v[40][64];
	size_t		 i, k, at;
	char		 line[3] = "?\n";

	for (i = 0; i < 40; i++) {
		for (k = 0, at = tap_rand(&seed) % 12; k < at; k++) {
			v[i][2 * k] = (char)('a' + tap_rand(&seed) % 4);
			v[i][2 * k + 1] = '\n';
		}
		v[i][2 * k] = '\0';
		if (i == 0)
			begin(v[i]);
		else
			next(v[i]);
		OK(b.n == at && (at == 0 ||
		    memcmp(b.text.p, v[i], b.text.len) == 0));
		for (k = 0; k < b.n; k++) {
			line[0] = v[i][2 * k];
			OK(b.by[k] <= i && strstr(v[b.by[k]], line) != NULL);
		}
	}
	end();
}

int
main(int argc, char **argv)
{
	static const struct tap_case	 cases[] = {
		{ "a changed line is of the version that changed it",
		    a_changed_line_is_of_the_version_that_changed_it },
		{ "lines that come and go leave the others theirs",
		    lines_that_come_and_go_leave_the_others_theirs },
		{ "a text that was gone is new",
		    a_text_that_was_gone_is_new },
		{ "a last line without newline is a line",
		    a_last_line_without_newline_is_a_line },
		{ "what is the same changes nothing",
		    what_is_the_same_changes_nothing },
		{ "no line is of a version without it",
		    no_line_is_of_a_version_without_it },
	};

	return tap_main(argc, argv, cases, sizeof(cases) / sizeof(*cases));
}
