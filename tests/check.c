/*
 * check.c: which commands are planned for which changes, by what signature
 * a later change is seen, and what a validator's words mean.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tools/check.h"
#include "../tools/patt.h"
#include "tap.h"

#define MAXP	8

static char		 root[] = "/tmp/cfgfs-check.XXXXXX";
static struct pent	 pv[MAXP];
static struct pend	 pend = { .v = pv };
static struct checks	 c;

static void
file(const char *path, const char *text)
{
	char	 full[256], *p;
	FILE	*f;

	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	for (p = full + strlen(root) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(full, 0755);
		*p = '/';
	}
	f = fopen(full, "w");
	OK(f != NULL && fputs(text, f) != EOF && fclose(f) == 0);
}

static void
change(const char *path, enum ent_type was, enum ent_type now, uint8_t hash)
{
	struct pent	*p = &pv[pend.n++];

	memset(p, 0, sizeof(*p));
	p->path = (char *)path;
	p->was.type = was;
	p->now.type = now;
	p->now.target = now == ENT_LNK ? (char *)"to" : NULL;
	p->now.hash.b[0] = hash;
}

/* The plan for these changes as "tool path path; tool path", and again
 * without changes. */
static bool
planned(const char *want)
{
	struct buf	 b = BUF_INIT;
	struct err	 e;
	size_t		 i, k;
	bool		 yes;

	yes = OK(checks_plan(&c, &pend, &e) == 0);
	for (i = 0; i < c.n; i++) {
		put_fmt(&b, "%s%s", i == 0 ? "" : "; ", check_tool(&c.v[i]));
		for (k = 0; k < c.v[i].paths.n; k++)
			put_fmt(&b, " %s", c.v[i].paths.v[k]);
	}
	put_u8(&b, '\0');
	if (!OK(strcmp((char *)b.p, want) == 0)) {
		tap_diag("%s", (char *)b.p);
		yes = false;
	}
	buf_free(&b);
	pend.n = 0;
	return yes;
}

static void
each_path_has_its_commands(void)
{
	file("rc.conf", "a=b\n");
	file("rc.d/x", "#! /bin/sh -e\n");
	file("rc.d/y", "#!/bin/shell\n");
	file("rc.d/z", "#");
	file("cfgfs/config", "");
	change("rc.conf", ENT_REG, ENT_REG, 1);
	change("motd", ENT_NONE, ENT_REG, 2);
	change("x/rc.conf", ENT_NONE, ENT_REG, 2);
	change("rc.d/x", ENT_REG, ENT_REG, 1);
	change("rc.d/y", ENT_REG, ENT_REG, 1);
	change("rc.d/z", ENT_REG, ENT_REG, 1);
	planned("sh rc.conf; sh rc.d/x; sh rc.d/z");
	change("rc.conf", ENT_REG, ENT_NONE, 0);
	planned("");
	change("rc.conf", ENT_REG, ENT_LNK, 0);
	planned("");
	change("rc.conf", ENT_REG, ENT_DIR, 0);
	change("cfgfs/config", ENT_REG, ENT_REG, 0);
	planned("cfg cfgfs/config");
	OK(c.v[0].ok);
	planned("");
}

static void
lines_add_and_take_off(void)
{
	file("cfgfs/config", "check /rc.conf none\n"
	    "check *.a true %r\n"
	    "check *.b no-such-program %p\n"
	    "check /rc.conf test -e %p\n"
	    "check *.a true %r # the same\n");
	change("rc.conf", ENT_REG, ENT_REG, 1);
	change("1.a", ENT_REG, ENT_REG, 1);
	change("2.a", ENT_REG, ENT_NONE, 1);
	change("3.a", ENT_NONE, ENT_LNK, 1);
	change("dir.a", ENT_DIR, ENT_NONE, 1);
	change("dir2.a", ENT_NONE, ENT_DIR, 1);
	change("x.b", ENT_REG, ENT_REG, 1);
	change("y.b", ENT_REG, ENT_NONE, 1);
	planned("test rc.conf; true 1.a 2.a 3.a; "
	    "no-such-program x.b");
}

static void
running_tells_what_failed(void)
{
	struct err	 e;
	struct buf	 b = BUF_INIT;

	file("cfgfs/config", "check /a sh -c 'echo one; echo two; exit 1'\n"
	    "check /b sh -c 'exit 3'\n"
	    "check /c true\n");
	change("a", ENT_REG, ENT_REG, 1);
	change("b", ENT_REG, ENT_REG, 1);
	change("c", ENT_REG, ENT_REG, 1);
	planned("sh a; sh b; true c");
	OK(checks_run(&c, &e) == 2);
	OK(!c.v[0].ok && !c.v[1].ok && c.v[2].ok);
	check_words(&b, &c.v[0], "> ");
	check_words(&b, &c.v[1], "> ");
	put_u8(&b, '\0');
	OK(strcmp((char *)b.p, "> one\n> two\n> exit status 3\n") == 0);
	buf_free(&b);
}

static void
a_bad_configuration_is_a_failure(void)
{
	struct err	 e;

	file("cfgfs/config", "chekc\n");
	change("rc.conf", ENT_REG, ENT_REG, 1);
	planned("cfg cfgfs/config; sh rc.conf");
	OK(checks_run(&c, &e) == 1);
	OK(!c.v[0].ok && strstr(c.v[0].why.msg, ":1: unknown word") != NULL);
	file("cfgfs/config", "");
}

static bool
signs_as(struct hash *h)
{
	struct err	 e;
	bool		 same;

	OK(checks_plan(&c, &pend, &e) == 0);
	pend.n = 0;
	same = memcmp(h, &c.sign, sizeof(*h)) == 0;
	*h = c.sign;
	return same;
}

static void
what_is_checked_is_signed(void)
{
	struct hash	 h;

	memset(&h, 0, sizeof(h));
	change("rc.conf", ENT_REG, ENT_REG, 1);
	OK(!signs_as(&h));
	change("rc.conf", ENT_REG, ENT_REG, 1);
	change("motd", ENT_REG, ENT_REG, 9);
	OK(signs_as(&h));
	change("rc.conf", ENT_REG, ENT_REG, 2);
	OK(!signs_as(&h));
	change("rc.conf", ENT_REG, ENT_REG, 2);
	change("rc.d/x", ENT_REG, ENT_REG, 2);
	OK(!signs_as(&h));
	change("rc.d/x", ENT_REG, ENT_REG, 2);
	OK(!signs_as(&h));
	change("cfgfs/config", ENT_REG, ENT_REG, 1);
	OK(!signs_as(&h));
	change("cfgfs/config", ENT_REG, ENT_REG, 2);
	OK(!signs_as(&h));
}

static const struct validator *
of(const char *cmd)
{
	const struct validator	*v;
	size_t			 i;

	for (i = 0; (v = validator(i)) != NULL; i++)
		if (strncmp(v->cmd, cmd, strlen(cmd)) == 0)
			return v;
	return NULL;
}

static void
words_are_understood(void)
{
	static const struct {
		const char	*cmd, *said;
		bool		 means;
	} t[] = {
		{ "sshd", "x: line 1: Bad configuration option: Fo", true },
		{ "sshd", "Missing privilege separation directory: /run/sshd",
		    false },
		{ "sshd", "line 1: Missing privilege separation directory",
		    true },
		{ "sshd", "sshd: no hostkeys available -- exiting.", false },
		{ "nft", "netlink: Error: cache initialization failed: "
		    "Operation not permitted", false },
		{ "nft", "n1:1:37-37: Error: syntax error", true },
		{ "pfctl", "pfctl: /dev/pf: No such file or directory",
		    false },
		{ "pwck", "user 'u': directory '/x' does not exist", false },
		{ "pwck", "no matching password file entry in /etc/shadow\n"
		    "add user 'v' in /etc/shadow? No", false },
		{ "pwck", "pwck: x\ninvalid password file entry", true },
		{ "pwck", "invalid shadow password file entry", true },
		{ "pwck", "duplicate password entry", true },
		{ "grpck", "group root: no user nouser", false },
		{ "grpck", "invalid group file entry", true },
		{ "visudo", "", true },
	};
	int	 tree = open(root, O_RDONLY | O_DIRECTORY);
	size_t	 i;

	OK(tree != -1);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (!OK(validator_means(of(t[i].cmd), tree, t[i].said) ==
		    t[i].means))
			tap_diag("%s: %s", t[i].cmd, t[i].said);
	/* Where there are keys, one that can't be found is a fault. */
	file("ssh/ssh_host_ed25519_key", "");
	OK(validator_means(of("sshd"), tree, "no hostkeys available"));
	(void)close(tree);
}

static void
a_path_may_be_none_of_a_tools(void)
{
	int	 tree = open(root, O_RDONLY | O_DIRECTORY);

	OK(validator_wants(of("visudo"), tree, "sudoers"));
	OK(validator_wants(of("visudo"), tree, "sudoers.d/a-b_c"));
	OK(!validator_wants(of("visudo"), tree, "sudoers.d/a.conf"));
	OK(!validator_wants(of("visudo"), tree, "sudoers.d/a~"));
	OK(!validator_wants(of("sshd"), tree, "ssh/sshd_config.d/a"));
	file("ssh/sshd_config", "");
	OK(validator_wants(of("sshd"), tree, "ssh/sshd_config.d/a"));
	(void)close(tree);
}

static void
the_tables_patterns_are_patterns(void)
{
	const struct validator	*v;
	struct patt		*p;
	struct err		 e;
	size_t			 i, k;

	for (i = 0; (v = validator(i)) != NULL; i++) {
		OK(v->patts[0] != NULL && v->cmd != NULL);
		for (k = 0; v->patts[k] != NULL; k++) {
			OK(patt_one(&p, v->patts[k], &e) == 0);
			/* A table of one root: nothing of that name below. */
			OK(v->patts[k][0] == '/');
			patt_free(p);
		}
	}
	OK(i > 10);
}

static const struct tap_case cases[] = {
	{ "each path has its commands", each_path_has_its_commands },
	{ "lines add commands, and take the table's off",
	    lines_add_and_take_off },
	{ "running tells what failed, in its words",
	    running_tells_what_failed },
	{ "a bad configuration is a check that failed",
	    a_bad_configuration_is_a_failure },
	{ "what is checked is signed", what_is_checked_is_signed },
	{ "a validator's words are understood", words_are_understood },
	{ "a path may be none of a tool's", a_path_may_be_none_of_a_tools },
	{ "the table's patterns are patterns",
	    the_tables_patterns_are_patterns },
};

int
main(int argc, char **argv)
{
	char	 cmd[64];
	int	 rc;

	if (mkdtemp(root) == NULL ||
	    (c.tree = open(root, O_RDONLY | O_DIRECTORY)) == -1)
		return 2;
	c.root = root;
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	checks_free(&c);
	(void)close(c.tree);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd) == 0 ? rc : 2;
}
