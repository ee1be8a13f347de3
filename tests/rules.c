/*
 * rules.c: lines of the configuration that say what is to be run: words
 * and their quotes, patterns, what a percent stands for.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../tools/conf.h"
#include "../tools/rules.h"
#include "tap.h"

static char	root[] = "/tmp/cfgfs-rules.XXXXXX";
static char	file[128];

static int
read_text(struct conf *c, const char *text, struct err *e)
{
	FILE	*f = fopen(file, "w");
	bool	 good = f != NULL && fputs(text, f) != EOF;

	if (f != NULL && fclose(f) == EOF)
		good = false;
	OK(good);
	return conf_read(c, root, e);
}

static void
words_are_cut_as_a_shell_does(void)
{
	static const struct {
		const char	*line, *want;	/* words, each in <> */
	} t[] = {
		{ "", "" },
		{ "  a\tb  ", "<a><b>" },
		{ "sh -c 'a b; c' \"d 'e'\"", "<sh><-c><a b; c><d 'e'>" },
		{ "a'b'\"c\"d", "<abcd>" },
		{ "'' \"\"", "<><>" },
		{ "a # b", "<a>" },
		{ "a#b", "<a>" },
		{ "'#' x", "<#><x>" },
		{ "\\a\\ b", "<\\a\\><b>" },
		{ "a\r", "<a>" },
	};
	struct strs	 w;
	struct buf	 b;
	const char	*why;
	size_t		 i, k;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		w = (struct strs){ NULL, 0, 0 };
		b = (struct buf)BUF_INIT;
		OK(words_cut(t[i].line, &w, &why) == 0);
		for (k = 0; k < w.n; k++)
			put_fmt(&b, "<%s>", w.v[k]);
		put_u8(&b, '\0');
		if (!OK(strcmp((char *)b.p, t[i].want) == 0))
			tap_diag("%s: %s", t[i].line, (char *)b.p);
		buf_free(&b);
		strs_free(&w);
	}
	w = (struct strs){ NULL, 0, 0 };
	OK(words_cut("a 'b", &w, &why) == -EINVAL && why != NULL);
	OK(words_cut("\"", &w, &why) == -EINVAL);
	strs_free(&w);
}

static void
rules_are_read_in_order(void)
{
	struct conf	 c;
	struct err	 e;

	if (!OK(read_text(&c, "check *.conf /bin/t -f %p # so\n"
	    "mirror a sftp://h/p\n"
	    "check \"two words\" sh -c 'test -s \"$1\"' sh %p\n"
	    "check /rc.conf none\n"
	    "time-limit 7\n"
	    "reload ssh/ service sshd reload\n"
	    "reload /ssh/** service sshd reload\n", &e) == 0)) {
		tap_diag("%s", e.msg);
		return;
	}
	OK(c.n == 1 && c.rules.ncheck == 3 && c.rules.nreload == 2);
	OK(rules_seconds(&c.rules) == 7);
	OK(c.rules.check[0].cmd.n == 3);
	OK(strcmp(c.rules.check[0].cmd.v[2], "%p") == 0);
	OK(rule_covers(&c.rules.check[0], "a/b.conf", false));
	OK(!rule_covers(&c.rules.check[0], "a/b.cnf", false));
	OK(c.rules.check[1].cmd.n == 5);
	OK(strcmp(c.rules.check[1].cmd.v[2], "test -s \"$1\"") == 0);
	OK(rule_covers(&c.rules.check[1], "x/two words", false));
	OK(c.rules.check[2].cmd.n == 0);
	OK(rule_covers(&c.rules.check[2], "rc.conf", false));
	OK(!rule_covers(&c.rules.check[2], "x/rc.conf", false));
	OK(rule_covers(&c.rules.reload[0], "ssh/sshd_config", false));
	OK(rule_covers(&c.rules.reload[1], "ssh/a/b", false));
	/* What never counts as pending is no part of a rule's pattern. */
	OK(!rule_covers(&c.rules.check[2], "a~", false));
	conf_free(&c);
	OK(read_text(&c, "", &e) == 0 && rules_seconds(&c.rules) == 60);
	conf_free(&c);
}

static void
a_wrong_line_is_named(void)
{
	static const struct {
		const char	*text, *want;
	} t[] = {
		{ "check", ":1: no pattern" },
		{ "\ncheck a", ":2: no command" },
		{ "check a ''", ":1: no command" },
		{ "check !a b", ":1: not a pattern: !a" },
		{ "check '' b", ":1: not a pattern" },
		{ "check '#a' b", ":1: not a pattern: #a" },
		{ "check [a b", ":1: bad set in brackets: [a" },
		{ "check a 'b", ":1: a quote without its end" },
		{ "check a b %q", ":1: an odd %: %q" },
		{ "check a b 5%", ":1: an odd %: 5%" },
		{ "reload a b %p", ":1: an odd %: %p" },
		{ "reload a", ":1: no command" },
		{ "time-limit", ":1: time-limit SECONDS" },
		{ "time-limit 1 2", ":1: time-limit SECONDS" },
		{ "time-limit 0", ":1: not 1 to 3600" },
		{ "time-limit 5\ntime-limit 6", ":2: said twice" },
		{ "checks a b", ":1: unknown word: checks" },
		{ "check a b\nmirror x http://h/p", ":2: " },
	};
	struct conf	 c;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (!OK(read_text(&c, t[i].text, &e) == -EINVAL &&
		    strstr(e.msg, t[i].want) != NULL &&
		    strstr(e.msg, file) == e.msg))
			tap_diag("%s: %s", t[i].text, e.msg);
		OK(c.rules.ncheck == 0 && c.rules.check == NULL);
	}
}

static void
a_percent_stands_for_a_place(void)
{
	static const char *const t[][2] = {
		{ "%p", "/e/f" }, { "-f=%p.x", "-f=/e/f.x" },
		{ "%r/a", "/e/a" },
		{ "100%%", "100%" }, { "%%p", "%p" }, { "a", "a" },
		{ "%p%r", "/e/f/e" },
	};
	char	*v[2] = { (char *)"x", (char *)"%%p" };
	struct strs w = { v, 2, 2 };
	char	*s;
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		s = word_expand(t[i][0], "/e/f", "/e");
		OK(s != NULL && strcmp(s, t[i][1]) == 0);
		free(s);
	}
	OK(!words_name_file(&w));
	v[1] = (char *)"%%%p";
	OK(words_name_file(&w));
}

static const struct tap_case cases[] = {
	{ "words are cut as a shell does", words_are_cut_as_a_shell_does },
	{ "rules are read, in order", rules_are_read_in_order },
	{ "a wrong line is named, with its file", a_wrong_line_is_named },
	{ "a percent stands for a place", a_percent_stands_for_a_place },
};

int
main(int argc, char **argv)
{
	char	 dir[64];
	int	 rc;

	if (mkdtemp(root) == NULL)
		return 2;
	(void)snprintf(dir, sizeof(dir), "%s/cfgfs", root);
	(void)snprintf(file, sizeof(file), "%s/config", dir);
	if (mkdir(dir, 0755) == -1)
		return 2;
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	(void)unlink(file);
	(void)rmdir(dir);
	(void)rmdir(root);
	return rc;
}
