/*
 * reload.c: what the configuration has run when the tree was changed.
 */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../tools/conf.h"
#include "../tools/confedit.h"
#include "../tools/hook.h"
#include "tap.h"

static char	root[] = "/tmp/cfgfs-reload.XXXXXX";
static char	config[128], log_file[128];

static bool
write_conf(const char *text)
{
	FILE	*f = fopen(config, "w");
	bool	 good;

	if (f == NULL)
		return false;
	good = fputs(text, f) != EOF;
	return fclose(f) == 0 && good;
}

/* What ran for these paths, with such lines. */
static bool
runs(const char *lines, char **paths, size_t n, const char *want)
{
	const struct cfg cfg = { .verb = "test" };
	struct strs	 l = { paths, n, n };
	struct conf	 conf;
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT;
	bool		 yes;

	(void)unlink(log_file);
	if (!OK(write_conf(lines) && conf_read(&conf, root, &e) == 0)) {
		tap_diag("%s", e.msg);
		return false;
	}
	reload_run(&cfg, &conf.rules, root, &l);
	conf_free(&conf);
	OK(conf_load(log_file, &b, &e) == 0);
	yes = strcmp(b.len == 0 ? "" : (char *)b.p, want) == 0;
	if (!yes)
		tap_diag("%s", b.len == 0 ? "(nothing)" : (char *)b.p);
	buf_free(&b);
	return yes;
}

#define LOG(what) "sh -c 'echo " what " >> %r/log'\n"

static void
each_command_runs_once_in_order(void)
{
	char	*p[] = { (char *)"rc.conf", (char *)"ssh/a",
		    (char *)"ssh/b" };

	OK(runs("reload /ssh/** " LOG("one") "reload /rc.conf " LOG("two")
	    "reload /ssh/a " LOG("one") "reload /none " LOG("three")
	    "reload * " LOG("four"), p, 3, "one\ntwo\nfour\n"));
	OK(runs("reload /none " LOG("one") "reload /ssh/ " LOG("one"), p, 3,
	    "one\n"));
	OK(runs("reload * " LOG("one"), p, 0, ""));
	OK(runs("", p, 3, ""));
}

static void
what_fails_does_not_stop_the_next(void)
{
	char	*p[] = { (char *)"a" };
	int	 save = dup(STDERR_FILENO), null;

	null = dup2(fileno(tmpfile()), STDERR_FILENO);
	OK(runs("reload a false\nreload a no-such-program\n"
	    "time-limit 1\nreload a sleep 20\nreload a " LOG("on"), p, 1,
	    "on\n"));
	OK(null == STDERR_FILENO && lseek(null, 0, SEEK_CUR) > 0);
	(void)dup2(save, STDERR_FILENO);
	(void)close(save);
}

static const struct tap_case cases[] = {
	{ "each command runs once, in the order of the lines",
	    each_command_runs_once_in_order },
	{ "what fails is told, and does not stop the next",
	    what_fails_does_not_stop_the_next },
};

int
main(int argc, char **argv)
{
	char	 cmd[64];
	int	 rc;

	if (mkdtemp(root) == NULL)
		return 2;
	(void)snprintf(config, sizeof(config), "%s/cfgfs", root);
	if (mkdir(config, 0755) == -1)
		return 2;
	(void)snprintf(config, sizeof(config), "%s/cfgfs/config", root);
	(void)snprintf(log_file, sizeof(log_file), "%s/log", root);
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd) == 0 ? rc : 2;
}
