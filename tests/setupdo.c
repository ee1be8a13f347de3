/*
 * setupdo.c: the pieces of cfg setup that change something: lines of
 * settings, and one tree made like another; and FreeBSD's list of partitions.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdisk.h"
#include "../tools/alike.h"
#include "../tools/setup-do.h"
#include "tap.h"

static char	dir[] = "/tmp/cfgfs-setupdo.XXXXXX";
static struct err e;

static bool
put(const char *name, const char *text)
{
	FILE	*f = fopen(name, "w");

	return f != NULL && fputs(text, f) != EOF && fclose(f) == 0;
}

static bool
has(const char *name, const char *text)
{
	char	 b[4096];
	FILE	*f = fopen(name, "r");
	size_t	 n;

	if (f == NULL)
		return false;
	n = fread(b, 1, sizeof(b) - 1, f);
	b[n] = '\0';
	(void)fclose(f);
	return strcmp(b, text) == 0;
}

/* Add two lines and take them away; what is there between. */
static bool
round_trip(const char *text, const char *with)
{
	struct strs	 l = { NULL, 0, 0 };
	bool		 cut, empty, ok;

	(void)unlink("conf");
	ok = (text == NULL || put("conf", text)) &&
	    strs_put(&l, strdup("A=1")) == 0 &&
	    strs_put(&l, strdup("B=\"x y\"")) == 0 &&
	    lines_add("./conf", &l, &cut, &e) == 0 && has("conf", with) &&
	    lines_remove("./conf", "B=\"x y\"", cut, &empty, &e) == 0 &&
	    lines_remove("./conf", "A=1", cut, &empty, &e) == 0 &&
	    has("conf", text == NULL ? "" : text) &&
	    empty == (text == NULL || *text == '\0');
	strs_free(&l);
	return ok;
}

static void
lines_come_and_go(void)
{
	struct strs	 l = { NULL, 0, 0 };
	struct stat	 st;
	bool		 empty, cut;

	OK(round_trip(NULL, "A=1\nB=\"x y\"\n"));
	OK(round_trip("", "A=1\nB=\"x y\"\n"));
	OK(round_trip("# one\n\nC=3\n", "# one\n\nC=3\nA=1\nB=\"x y\"\n"));
	OK(round_trip("C=3", "C=3\nA=1\nB=\"x y\"\n"));
	/* Its own lines stay, and what only looks like ours. */
	OK(put("conf", "A=1\nA=10\n A=1\nA=1\nB\n"));
	OK(lines_remove("./conf", "A=1", false, &empty, &e) == 0 && !empty);
	OK(has("conf", "A=1\nA=10\n A=1\nB\n"));
	OK(lines_remove("./conf", "none", true, &empty, &e) == 0);
	OK(has("conf", "A=1\nA=10\n A=1\nB\n"));
	/* Mode and owner stay, and where a link leads. */
	OK(chmod("conf", 0640) == 0 && symlink("conf", "link") == 0);
	OK(strs_put(&l, strdup("Z")) == 0 &&
	    lines_add("./link", &l, &cut, &e) == 0);
	OK(stat("conf", &st) == 0 && (st.st_mode & 07777) == 0640);
	OK(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
	OK(has("conf", "A=1\nA=10\n A=1\nB\nZ\n"));
	OK(mkdir("sub", 0755) == 0 &&
	    lines_remove("./sub", "x", false, &empty, &e) == -EINVAL);
	strs_free(&l);
}

static bool
is_one(const char *a, const char *b)
{
	struct stat	 x, y;

	return lstat(a, &x) == 0 && lstat(b, &y) == 0 &&
	    x.st_ino == y.st_ino;
}

static bool
is_mode(const char *name, mode_t mode)
{
	struct stat	 st;

	return lstat(name, &st) == 0 && st.st_mode == mode;
}

static bool
alike(bool dry, size_t n)
{
	struct alike	 a = { 0, false };
	int		 from, to, rc;

	from = open("from", O_RDONLY | O_DIRECTORY);
	to = open("to", O_RDONLY | O_DIRECTORY);
	rc = tree_alike(from, to, dry, &a, &e);
	(void)close(from);
	(void)close(to);
	if (rc < 0)
		tap_diag("%s", e.msg);
	if (a.n != n)
		tap_diag("%zu differ", a.n);
	return rc == 0 && a.n == n;
}

static void
trees_become_alike(void)
{
	OK(mkdir("from", 0755) == 0 && mkdir("to", 0755) == 0);
	OK(mkdir("from/d", 0750) == 0 && mkdir("to/x", 0755) == 0);
	OK(put("from/same", "s") && put("to/same", "s"));
	OK(put("from/new", "n") && put("from/d/in", "i"));
	OK(put("from/changed", "after") && put("to/changed", "before"));
	OK(put("to/x/gone", "g") && put("to/gone", "g"));
	OK(put("from/mode", "m") && put("to/mode", "m") &&
	    chmod("from/mode", 0600) == 0);
	OK(put("from/kind", "k") && mkdir("to/kind", 0755) == 0 &&
	    put("to/kind/in", "i"));
	OK(mkdir("from/kind2", 0755) == 0 && put("from/kind2/in", "i") &&
	    put("to/kind2", "k"));
	OK(symlink("nowhere", "from/link") == 0 && mkfifo("from/fifo", 0600) ==
	    0);
	OK(put("from/a", "l") && link("from/a", "from/b") == 0);
	OK(put("to/a", "l") && put("to/b", "l"));
	OK(put("from/c", "l") && put("from/e", "l"));
	OK(put("to/c", "l") && link("to/c", "to/e") == 0);
	OK(put("from/.cfg.merge", "list"));
	OK(alike(true, 16));
	OK(has("to/changed", "before"));
	OK(alike(false, 16));
	OK(alike(true, 0));
	OK(has("to/new", "n") && has("to/d/in", "i") &&
	    has("to/changed", "after") && has("to/kind", "k") &&
	    has("to/kind2/in", "i"));
	OK(is_mode("to/d", S_IFDIR | 0750) && is_mode("to/mode", S_IFREG |
	    0600) && is_mode("to/fifo", S_IFIFO | 0600));
	OK(is_one("to/a", "to/b") && !is_one("to/c", "to/e"));
	OK(access("to/x", F_OK) == -1 && access("to/gone", F_OK) == -1 &&
	    access("to/.cfg.merge", F_OK) == -1);
}

static const char	xml[] =
"<mesh>\n"
"  <class id=\"0x1\">\n"
"    <name>DEV</name>\n"
"    <geom id=\"0x10\"><class ref=\"0x1\"/><name>ada0s3</name>\n"
"      <consumer id=\"0x11\"><geom ref=\"0x10\"/>"
"<provider ref=\"0x43\"/><mode>r0w0e0</mode></consumer>\n"
"    </geom>\n"
"  </class>\n"
"  <class id=\"0x2\">\n"
"    <name>ELI</name>\n"
"    <geom id=\"0x20\"><class ref=\"0x2\"/><name>ada0s4.eli</name>\n"
"      <consumer id=\"0x21\"><geom ref=\"0x20\"/>"
"<provider ref=\"0x44\"/><mode>r0w0e0</mode></consumer>\n"
"    </geom>\n"
"  </class>\n"
"  <class id=\"0x3\">\n"
"    <name>DISK</name>\n"
"    <geom id=\"0x30\"><class ref=\"0x3\"/><name>ada0</name>\n"
"      <provider id=\"0x31\"><geom ref=\"0x30\"/><mode>r2w1e3</mode>"
"<name>ada0</name><mediasize>8000000000</mediasize></provider>\n"
"    </geom>\n"
"  </class>\n"
"  <class id=\"0x4\">\n"
"    <name>PART</name>\n"
"    <geom id=\"0x40\"><class ref=\"0x4\"/><name>ada0</name>\n"
"      <config><scheme>GPT</scheme></config>\n"
"      <consumer id=\"0x49\"><geom ref=\"0x40\"/>"
"<provider ref=\"0x31\"/><mode>r1w0e1</mode></consumer>\n"
"      <provider id=\"0x44\"><geom ref=\"0x40\"/><mode>r0w0e0</mode>"
"<name>ada0s4</name><mediasize>4096</mediasize>"
"<config><label>a&amp;b</label></config></provider>\n"
"      <provider id=\"0x43\"><geom ref=\"0x40\"/><mode>r0w0e0</mode>"
"<name>ada0s3</name><mediasize>1048576</mediasize>"
"<config><start>40</start><label>cfg</label><type>freebsd-ufs</type>"
"<rawuuid>0-1-2</rawuuid></config></provider>\n"
"      <provider id=\"0x42\"><geom ref=\"0x40\"/><mode>r1w1e1</mode>"
"<name>ada0s2</name><mediasize>512</mediasize>"
"<config><label></label></config></provider>\n"
"    </geom>\n"
"  </class>\n"
"</mesh>\n";

static void
freebsd_tells_its_partitions(void)
{
	struct os_part	*v;
	char		*cut;
	size_t		 n, i;

	OK(geom_parts(xml, &v, &n, &e) == 0 && n == 3);
	OK(strcmp(v[0].dev, "/dev/ada0s2") == 0 && v[0].used &&
	    v[0].name == NULL && v[0].size == 512);
	OK(strcmp(v[1].dev, "/dev/ada0s3") == 0 && !v[1].used &&
	    strcmp(v[1].name, "cfg") == 0 && strcmp(v[1].id, "0-1-2") == 0 &&
	    v[1].size == 1048576);
	OK(strcmp(v[2].dev, "/dev/ada0s4") == 0 && v[2].used &&
	    v[2].name == NULL);
	os_parts_free(v, n);
	/* Cut anywhere it is still read without harm. */
	for (i = 0; i < sizeof(xml); i++) {
		cut = strndup(xml, i);
		OK(cut != NULL && geom_parts(cut, &v, &n, &e) == 0 && n <= 3);
		os_parts_free(v, n);
		free(cut);
	}
}

int
main(int argc, char **argv)
{
	static const struct tap_case	 v[] = {
		{ "lines of settings come and go, and leave no trace",
		    lines_come_and_go },
		{ "a tree becomes like another, links and all",
		    trees_become_alike },
		{ "FreeBSD tells its partitions",
		    freebsd_tells_its_partitions },
	};
	char	 cmd[64];
	int	 rc;

	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return 2;
	rc = tap_main(argc, argv, v, sizeof(v) / sizeof(v[0]));
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return chdir("/") == -1 || system(cmd) != 0 ? 2 : rc;
}
