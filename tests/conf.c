/*
 * conf.c: the configuration: what is taken, what is refused with the line
 * that is wrong, and that editing it keeps all else.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../tools/conf.h"
#include "../tools/confedit.h"
#include "tap.h"

static char	root[] = "/tmp/cfgfs-conf.XXXXXX";
static char	file[128];

static void
write_conf(const char *text)
{
	FILE	*f = fopen(file, "w");

	OK(f != NULL && fputs(text, f) != EOF && fclose(f) == 0);
}

static bool
text_is(const char *want)
{
	struct buf	 b = BUF_INIT;
	struct err	 e;
	bool		 yes = conf_load(file, &b, &e) == 0 &&
	    strcmp((char *)b.p, want) == 0;

	if (!yes)
		tap_diag("%s", (char *)b.p);
	buf_free(&b);
	return yes;
}

static void
lines_are_read(void)
{
	struct conf	 c;
	struct err	 e;

	write_conf("# two of them\n\n"
	    "mirror a sftp://u@h/p   key=k known-hosts=/etc/kh # so\n"
	    "\tmirror b-2.x\tsftp://[::1]:2222/~/x manual encrypt=s timeout=5\n"
	    "store = sftp://h:1/s key=z");
	if (!OK(conf_read(&c, root, &e) == 0)) {
		tap_diag("%s", e.msg);
		return;
	}
	OK(c.n == 2 && strcmp(c.mirror[0].name, "a") == 0);
	OK(strcmp(c.mirror[0].url, "sftp://u@h/p") == 0);
	OK(strcmp(c.mirror[0].key, "k") == 0);
	OK(strcmp(c.mirror[0].known, "/etc/kh") == 0);
	OK(c.mirror[0].encrypt == NULL && !c.mirror[0].manual);
	OK(c.mirror[0].timeout == CONF_TIMEOUT);
	OK(c.mirror[1].manual && c.mirror[1].timeout == 5);
	OK(strcmp(c.mirror[1].encrypt, "s") == 0);
	OK(strcmp(c.store.url, "sftp://h:1/s") == 0);
	OK(conf_mirror(&c, "b-2.x") == &c.mirror[1]);
	OK(conf_mirror(&c, "b") == NULL);
	OK(conf_url(&c, "sftp://h:1/s") == &c.store);
	OK(conf_url(&c, "sftp://u@h/p") == &c.mirror[0]);
	conf_free(&c);
}

static void
none_is_an_empty_one(void)
{
	struct conf	 c;
	struct err	 e;

	(void)unlink(file);
	OK(conf_read(&c, root, &e) == 0 && c.n == 0 && c.store.url == NULL);
	conf_free(&c);
	OK(conf_read(&c, "/nowhere", &e) == 0 && c.n == 0);
	conf_free(&c);
}

static void
a_wrong_line_is_named(void)
{
	static const struct {
		const char	*text;
		const char	*want;
	} t[] = {
		{ "mirror", ":1: not the name of a mirror" },
		{ "\n\nmirror a", ":3: no URL" },
		{ "mirror -a sftp://h/p", ":1: not the name of a mirror: -a" },
		{ "mirror a/b sftp://h/p", ":1: not the name" },
		{ "mirror #wake sftp://h/p", ":1: not the name" },
		{ "mirror a http://h/p", ":1: " },
		{ "mirror a sftp://h/p nonsense", ":1: unknown option" },
		{ "mirror a sftp://h/p key=", ":1: an empty value" },
		{ "mirror a sftp://h/p key=a key=b", ":1: said twice: b" },
		{ "mirror a sftp://h/p timeout=0", ":1: not 1 to 3600" },
		{ "mirror a sftp://h/p timeout=5s", ":1: not 1 to 3600" },
		{ "mirror a sftp://h/p\nmirror a sftp://h/q",
		    ":2: two mirrors of one name: a" },
		{ "store sftp://h/p", ":1: store = URL" },
		{ "store = sftp://h/p\nstore = sftp://h/q",
		    ":2: a second store" },
		{ "store = sftp://h/p encrypt=k", ":1: a store can't be" },
		{ "miror a sftp://h/p", ":1: unknown word: miror" },
	};
	struct conf	 c;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		write_conf(t[i].text);
		if (!OK(conf_read(&c, root, &e) == -EINVAL &&
		    strstr(e.msg, t[i].want) != NULL &&
		    strstr(e.msg, file) == e.msg))
			tap_diag("%s: %s", t[i].text, e.msg);
		OK(c.n == 0 && c.mirror == NULL);
	}
}

/* n times this text of `len` bytes. */
static void
write_bytes(const char *text, size_t len, int n)
{
	FILE	*f = fopen(file, "w");

	if (f == NULL) {
		OK(f != NULL);
		return;
	}
	while (n-- > 0)
		OK(fwrite(text, 1, len, f) == len);
	OK(fclose(f) == 0);
}

static void
what_is_no_text_is_refused(void)
{
	struct conf	 c;
	struct err	 e;

	write_bytes("mirror\0a", 8, 1);
	OK(conf_read(&c, root, &e) == -EINVAL);
	write_bytes("#####\n", 6, 300000);
	OK(conf_read(&c, root, &e) == -EFBIG);
	OK(unlink(file) == 0 && mkdir(file, 0755) == 0);
	OK(conf_read(&c, root, &e) == -EISDIR);
	OK(rmdir(file) == 0);
}

static void
editing_keeps_all_else(void)
{
	struct conf_far	 m = { .name = (char *)"b",
	    .url = (char *)"sftp://h/p", .key = (char *)"k", .manual = true,
	    .timeout = 7 };
	struct stat	 st;
	struct err	 e;

	write_conf("# mine\nmirror a sftp://h/a # mirror b\n#mirror b x");
	OK(chmod(file, 0640) == 0);
	OK(conf_add(root, &m, &e) == 0);
	OK(text_is("# mine\nmirror a sftp://h/a # mirror b\n#mirror b x\n"
	    "mirror b sftp://h/p key=k timeout=7 manual\n"));
	OK(stat(file, &st) == 0 && (st.st_mode & 07777) == 0640);
	OK(conf_add(root, &m, &e) == -EEXIST);
	OK(conf_remove(root, "a", &e) == 0);
	OK(text_is("# mine\n#mirror b x\n"
	    "mirror b sftp://h/p key=k timeout=7 manual\n"));
	OK(conf_remove(root, "a", &e) == -ENOENT);
	m.name = (char *)"c";
	m.key = (char *)"two words";
	OK(conf_add(root, &m, &e) == -EINVAL);
	OK(text_is("# mine\n#mirror b x\n"
	    "mirror b sftp://h/p key=k timeout=7 manual\n"));
}

static void
the_first_line_makes_the_file(void)
{
	struct conf_far	 m = { .name = (char *)"a",
	    .url = (char *)"sftp://h/p", .timeout = CONF_TIMEOUT };
	struct stat	 st;
	struct err	 e;

	OK(unlink(file) == 0);
	OK(conf_add(root, &m, &e) == 0);
	OK(text_is("mirror a sftp://h/p\n"));
	OK(stat(file, &st) == 0 && (st.st_mode & 07777) == 0644);
	OK(conf_remove(root, "a", &e) == 0);
	OK(text_is(""));
}

static const struct tap_case cases[] = {
	{ "mirrors and a store are read", lines_are_read },
	{ "no configuration is an empty one", none_is_an_empty_one },
	{ "a wrong line is named, with its file", a_wrong_line_is_named },
	{ "what is no text is refused", what_is_no_text_is_refused },
	{ "a line more or less keeps all else", editing_keeps_all_else },
	{ "the first line makes the file", the_first_line_makes_the_file },
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
