/*
 * patt.c: the promises of patterns: what git ignores, we ignore.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../tools/patt.h"
#include "tap.h"

#define ROUNDS	400

static char	 dir[64];

static const char *const names[] = { "a", "b", "ab", "a.b", ".a", "a]", "-",
    "a b", "ba", "A1", "\\a", "#a", "!b" };
#define NNAMES	(sizeof(names) / sizeof(names[0]))

/* Every path of the tree below dir, and whether it is a directory. */
static char	*paths[4096];
static bool	 isdir[4096];
static size_t	 npaths;

static void
run(const char *fmt, const char *arg)
{
	char	 cmd[512];

	(void)snprintf(cmd, sizeof(cmd), fmt, dir, arg);
	if (system(cmd) != 0) {
		tap_diag("failed: %s", cmd);
		exit(2);
	}
}

/* Half of the names are directories, three levels deep. */
static void
make_tree(void)
{
	char	 full[512], p[256];
	size_t	 level, first = 0, last, i, k;
	bool	 d;

	run("cd %s && git init -q . 2>/dev/null", "");
	paths[npaths] = strdup("");
	isdir[npaths++] = true;
	for (level = 0; level < 3; level++) {
		last = npaths;
		for (i = first; i < last; i++)
			for (k = 0; isdir[i] && k < NNAMES; k++) {
				d = level < 2 && k % 2 == 0;
				(void)snprintf(p, sizeof(p), "%s%s%s",
				    paths[i], *paths[i] ? "/" : "", names[k]);
				(void)snprintf(full, sizeof(full), "%s/%s",
				    dir, p);
				if (d ? mkdir(full, 0755) != 0 :
				    close(open(full, O_WRONLY | O_CREAT,
				    0644)) != 0)
					exit(2);
				paths[npaths] = strdup(p);
				isdir[npaths++] = d;
			}
		first = last;
	}
	/* Every path is asked about, in one list. */
	(void)snprintf(full, sizeof(full), "%s/.git/list", dir);
	FILE *f = fopen(full, "w");
	for (i = 1; f != NULL && i < npaths; i++)
		(void)fwrite(paths[i], strlen(paths[i]) + 1, 1, f);
	if (f == NULL || fclose(f) != 0)
		exit(2);
}

static void
random_pattern(uint64_t *seed, struct buf *b)
{
	static const char *const parts[] = { "a", "b", "/", "*", "**", "?",
	    "[ab]", "[!a]", "[^b-c]", "[[:alpha:]]", "[]a]", "[a-]", "\\",
	    "!", "#", " ", ".", "**/", "/**", "/**/", "-", "]", "[", "1",
	    "\\*", "[\\]]", "[[:upper:]-]", "A" };
	size_t	 n = 1 + tap_rand(seed) % 5;

	if (tap_rand(seed) % 6 == 0)
		put_u8(b, '!');
	if (tap_rand(seed) % 6 == 0)
		put_u8(b, '/');
	for (; n > 0; n--)
		put_fmt(b, "%s", tap_rand(seed) % 3 == 0 ?
		    names[tap_rand(seed) % NNAMES] :
		    parts[tap_rand(seed) % (sizeof(parts) /
		    sizeof(parts[0]))]);
	if (tap_rand(seed) % 6 == 0)
		put_u8(b, '/');
	if (tap_rand(seed) % 10 == 0)
		put_u8(b, '\r');
	put_u8(b, '\n');
}

/*
 * "a**" followed by a slash: git cuts off the literal "a" before it looks,
 * so that the rest passes for a leading "**".  Its manual says that such
 * stars are ordinary ones, and so do we: nothing to compare.
 */
static bool
git_errs(const struct buf *line)
{
	size_t	 i;

	if (memchr(line->p, '/', line->len) == NULL)
		return false;
	for (i = 1; i + 1 < line->len; i++)
		if (line->p[i] == '*' && line->p[i + 1] == '*' &&
		    line->p[i - 1] != '/')
			return true;
	return false;
}

/* Lines that we take; those we refuse are no valid pattern or out of the
 * subset. */
static struct patt *
random_patterns(uint64_t *seed, struct buf *text, size_t *refused)
{
	struct patt	*pt = NULL;
	struct buf	 line = BUF_INIT;
	struct err	 e;
	size_t		 n = 1 + tap_rand(seed) % 6;

	OK(patt_new(&pt, &e) == 0);
	while (n > 0) {
		line.len = 0;
		random_pattern(seed, &line);
		if (git_errs(&line))
			continue;
		if (patt_add(pt, (char *)line.p, line.len, "x", &e) < 0) {
			(*refused)++;
			continue;
		}
		put_bytes(text, line.p, line.len);
		n--;
	}
	buf_free(&line);
	return pt;
}

/* What git says, as one flag a path. */
static void
ask_git(const struct buf *text, bool *ign)
{
	char	 name[128], *p, *end;
	static char out[1 << 20];
	FILE	*f;
	size_t	 n, i = 1;

	(void)snprintf(name, sizeof(name), "%s/.git/info/exclude", dir);
	if ((f = fopen(name, "w")) == NULL ||
	    fwrite(text->p, text->len, 1, f) != 1 || fclose(f) != 0)
		exit(2);
	run("cd %s && { git check-ignore --no-index -z --stdin <.git/list "
	    ">.git/out; [ $? -le 1 ]; }%s", "");
	(void)snprintf(name, sizeof(name), "%s/.git/out", dir);
	if ((f = fopen(name, "r")) == NULL)
		exit(2);
	n = fread(out, 1, sizeof(out), f);
	(void)fclose(f);		/* only read */
	memset(ign, 0, npaths * sizeof(*ign));
	for (p = out, end = out + n; p < end; p += strlen(p) + 1) {
		while (i < npaths && strcmp(paths[i], p) != 0)
			i++;
		if (i < npaths)
			ign[i] = true;
	}
}

static void
as_git_has_it(void)
{
	uint64_t	 seed = tap_seed(30);
	static bool	 ign[4096];
	struct buf	 text = BUF_INIT;
	struct patt	*pt;
	size_t		 i, hits = 0, refused = 0;
	int		 r;

	make_tree();
	for (r = 0; r < ROUNDS; r++) {
		text.len = 0;
		put_fmt(&text, ".*.sw[a-p]\n*~\n.#*\n\\#*#\n");
		pt = random_patterns(&seed, &text, &refused);
		ask_git(&text, ign);
		for (i = 1; i < npaths; i++) {
			hits += ign[i];
			if (!OK(patt_match(pt, paths[i], isdir[i]) ==
			    ign[i])) {
				tap_diag("round %d: '%s': git %d of\n%.*s", r,
				    paths[i], ign[i], (int)text.len,
				    (char *)text.p);
				break;
			}
		}
		patt_free(pt);
	}
	tap_diag("%d sets of patterns, %zu paths, %zu times ignored, "
	    "%zu patterns refused", ROUNDS, npaths, hits, refused);
	OK(hits > 10000 && refused < ROUNDS * 2);
	buf_free(&text);
}

static void
bad_lines_are_named(void)
{
	static const char *const bad[] = { "x\n[a\n", "\na\\\n", "#\n[]\n",
	    "x\n[[:no:]]\n", "x\na\\/\n", "x\n[/]\n" };
	struct patt	*pt = NULL;
	struct err	 e;
	size_t		 i;

	OK(patt_new(&pt, &e) == 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.msg[0] = '\0';
		OK(patt_add(pt, bad[i], strlen(bad[i]), "etc/f", &e) < 0);
		OK(strncmp(e.msg, "etc/f: line 2: ", 15) == 0);
	}
	OK(patt_add(pt, "a\0b\n", 4, "f", &e) < 0);
	patt_free(pt);
}

static void
stars_are_cheap(void)
{
	struct buf	 b = BUF_INIT, path = BUF_INIT;
	struct patt	*pt = NULL;
	int		 i;

	OK(patt_new(&pt, NULL) == 0);
	for (i = 0; i < 100; i++)
		put_fmt(&b, "*a");
	put_fmt(&b, "b\n");
	for (i = 0; i < 100; i++)
		put_fmt(&b, "/**/a*a");
	put_fmt(&b, "/c\n");
	OK(patt_add(pt, (char *)b.p, b.len, "x", NULL) == 0);
	for (i = 0; i < 200; i++)
		put_fmt(&path, "%saaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		    i > 0 ? "/" : "");
	put_u8(&path, 0);
	OK(!patt_match(pt, (char *)path.p, false));
	patt_free(pt);
	buf_free(&b);
	buf_free(&path);
}

static void
builtin_and_file(void)
{
	struct patt	*pt = NULL;
	struct err	 e;
	int		 fd;

	run("mkdir -p %s/t%s/cfgfs", "");
	run("printf '/resolv.conf\\n!/mtab\\n' >%s/t%s/cfgfs/ignore", "");
	char	 p[80];
	(void)snprintf(p, sizeof(p), "%s/t", dir);
	if (!OK((fd = open(p, O_RDONLY | O_DIRECTORY)) >= 0))
		return;
	OK(patt_load(&pt, fd, &e) == 0);
	OK(patt_match(pt, "resolv.conf", false));
	OK(!patt_match(pt, "x/resolv.conf", false));
	OK(!patt_match(pt, "mtab", false));
	OK(patt_match(pt, "ssh/.sshd_config.swp", false));
	OK(patt_match(pt, "rc.conf~", false) && patt_match(pt, "#a#", false));
	OK(patt_match(pt, "pwd.db", false) && patt_match(pt, "ld.so.cache",
	    false) && !patt_match(pt, "x/pwd.db", false));
	OK(!patt_match(pt, "rc.conf", false) && !patt_match(pt, "", true));
	patt_free(pt);
	run("rm %s/t%s/cfgfs/ignore", "");
	OK(patt_load(&pt, fd, &e) == 0 && patt_match(pt, "mtab", false));
	patt_free(pt);
	run("mkfifo %s/t%s/cfgfs/ignore", "");
	OK(patt_load(&pt, fd, &e) == 0);
	patt_free(pt);
	(void)close(fd);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "what git ignores is ignored, and nothing else",
		    as_git_has_it },
		{ "a bad line is refused and named", bad_lines_are_named },
		{ "many stars cost little", stars_are_cheap },
		{ "built-in patterns, and those of the file",
		    builtin_and_file },
	};
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "%s", "/tmp/patt.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	run("rm -rf %s%s", "");
	return rc;
}
