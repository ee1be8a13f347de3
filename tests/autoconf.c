/*
 * autoconf.c: lines of the configuration that say what is committed by
 * itself.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tools/conf.h"
#include "../tools/dur.h"
#include "tap.h"

static char	root[] = "/tmp/cfgfs-autoconf.XXXXXX";
static char	file[128];

static int
read_text(struct conf *c, const char *text, struct err *e)
{
	FILE	*f = fopen(file, "w");
	bool	 put = f != NULL && fputs(text, f) != EOF;

	if (f != NULL)
		(void)fclose(f);
	OK(put);
	return conf_read(c, root, e);
}

static void
classes_are_read_with_their_defaults(void)
{
	static const struct {
		const char	*line;
		int		 quiet, most;	/* seconds */
		bool		 shutdown, never;
	} t[] = {
		{ "autocommit a", 300, 3600, false, false },
		{ "autocommit a quiet 2s", 2, 3600, false, false },
		{ "autocommit a quiet 2h", 7200, 14400, false, false },
		{ "autocommit a at-most 10m", 300, 600, false, false },
		{ "autocommit a at-most 1m # x", 60, 60, false, false },
		{ "autocommit a at-most 1h quiet 10s", 10, 3600, false, false },
		{ "autocommit a on-shutdown", 0, 0, true, false },
		{ "autocommit a quiet 1m on-shutdown", 60, 3600, true, false },
		{ "autocommit 'a' never", 0, 0, false, true },
	};
	struct conf	 c;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if (!OK(read_text(&c, t[i].line, &e) == 0)) {
			tap_diag("%s: %s", t[i].line, e.msg);
			continue;
		}
		if (!OK(c.autos.n == 1 &&
		    c.autos.v[0].quiet == t[i].quiet * SECOND &&
		    c.autos.v[0].most == t[i].most * SECOND &&
		    c.autos.v[0].shutdown == t[i].shutdown &&
		    c.autos.v[0].never == t[i].never &&
		    auto_wanted(&c.autos) == (t[i].quiet != 0)))
			tap_diag("%s", t[i].line);
		conf_free(&c);
	}
}

static void
the_last_line_that_covers_a_path_counts(void)
{
	struct conf	 c;
	struct err	 e;

	if (!OK(read_text(&c, "autocommit *.conf quiet 10s\n"
	    "check * true %p\n"
	    "autocommit ssh/ quiet 20s\n"
	    "autocommit /rc.conf never\n"
	    "autocommit ssh/secret never\n", &e) == 0)) {
		tap_diag("%s", e.msg);
		return;
	}
	OK(c.autos.n == 4 && c.rules.ncheck == 1);
	OK(auto_class(&c.autos, "a.conf", false) == &c.autos.v[0]);
	OK(auto_class(&c.autos, "rc.conf", false) == &c.autos.v[2]);
	OK(auto_class(&c.autos, "x/rc.conf", false) == &c.autos.v[0]);
	OK(auto_class(&c.autos, "ssh/sshd.conf", false) == &c.autos.v[1]);
	OK(auto_class(&c.autos, "ssh", true) == &c.autos.v[1]);
	OK(auto_class(&c.autos, "ssh/secret", false) == &c.autos.v[3]);
	OK(auto_class(&c.autos, "motd", false) == NULL);
	conf_free(&c);
}

static void
the_other_words_are_read(void)
{
	struct conf	 c;
	struct err	 e;

	OK(read_text(&c, "", &e) == 0);
	OK(c.autos.budget == 0 && auto_churn_limit(&c.autos) == 20 &&
	    c.autos.shutdown == SHUTDOWN_WARN && !c.autos.hold &&
	    c.autos.keep == 0 && c.autos.days == 0 && !auto_wanted(&c.autos));
	conf_free(&c);
	OK(read_text(&c, "budget 64K per day\nchurn hold\nchurn 7/1h\n"
	    "keep 50\nkeep-days 30\non-shutdown commit\n", &e) == 0);
	OK(c.autos.budget == 65536 && auto_churn_limit(&c.autos) == 7 &&
	    c.autos.shutdown == SHUTDOWN_COMMIT && c.autos.hold &&
	    c.autos.keep == 50 && c.autos.days == 30);
	conf_free(&c);
	OK(read_text(&c, "budget 2M per day\nchurn 3/1h hold\n"
	    "on-shutdown ignore\n", &e) == 0);
	OK(c.autos.budget == 2097152 && c.autos.churn == 3 && c.autos.hold &&
	    c.autos.shutdown == SHUTDOWN_IGNORE);
	conf_free(&c);
}

static void
a_wrong_line_is_named(void)
{
	static const struct {
		const char	*text, *want;
	} t[] = {
		{ "autocommit", ":1: no pattern" },
		{ "autocommit !a", ":1: not a pattern: !a" },
		{ "autocommit [a", ":1: bad set in brackets: [a" },
		{ "autocommit 'a", ":1: a quote without its end" },
		{ "autocommit a soon", ":1: unknown option: soon" },
		{ "autocommit a quiet", ":1: no time behind: quiet" },
		{ "autocommit a quiet 5", ":1: not a time such as" },
		{ "autocommit a quiet 0s", ":1: not a time such as" },
		{ "autocommit a quiet 1s", ":1: less than 2s" },
		{ "autocommit a at-most 1s", ":1: less than 2s" },
		{ "autocommit a quiet 5m at-most 1m", ":1: at-most is" },
		{ "autocommit a quiet 5m quiet 1m", ":1: said twice: quiet" },
		{ "autocommit a quiet 5m never", ":1: never stands alone" },
		{ "\nbudget", ":2: budget BYTES per day" },
		{ "budget 5", ":1: budget BYTES per day" },
		{ "budget 5G per day", ":1: budget BYTES per day" },
		{ "budget 0 per day", ":1: budget BYTES per day" },
		{ "budget -1 per day", ":1: budget BYTES per day" },
		{ "budget 5 per week", ":1: budget BYTES per day" },
		{ "budget 5 per day\nbudget 6 per day", ":2: said twice" },
		{ "churn", ":1: churn hold or churn N/1h" },
		{ "churn 5", ":1: not hold, not N/1h" },
		{ "churn 0/1h", ":1: not hold, not N/1h" },
		{ "churn 5/2h", ":1: not hold, not N/1h" },
		{ "churn hold\nchurn hold", ":2: not hold, not N/1h, or said" },
		{ "keep", ":1: one number above 0" },
		{ "keep 0", ":1: one number above 0" },
		{ "keep 5x", ":1: one number above 0" },
		{ "keep 99999999999999999999", ":1: one number above 0" },
		{ "keep 5\nkeep 6", ":2: said twice: keep" },
		{ "keep-days 1 2", ":1: one number above 0" },
		{ "on-shutdown", ":1: on-shutdown warn" },
		{ "on-shutdown never", ":1: on-shutdown warn" },
		{ "on-shutdown warn\non-shutdown warn", ":2: said twice" },
	};
	struct conf	 c;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (!OK(read_text(&c, t[i].text, &e) == -EINVAL &&
		    strstr(e.msg, t[i].want) != NULL &&
		    strstr(e.msg, file) == e.msg && c.autos.v == NULL))
			tap_diag("%s: %s", t[i].text, e.msg);
}

static const struct tap_case cases[] = {
	{ "classes are read, with their defaults",
	    classes_are_read_with_their_defaults },
	{ "the last line that covers a path counts",
	    the_last_line_that_covers_a_path_counts },
	{ "budget, churn, keep and on-shutdown are read",
	    the_other_words_are_read },
	{ "a wrong line is named, with its file", a_wrong_line_is_named },
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
