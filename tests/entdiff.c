/*
 * entdiff.c: the promises of a path's difference: git apply and patch(1)
 * make the new tree of it, and everything else is said.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../tools/entdiff.h"
#include "tap.h"

#define ROUNDS	120

static char	 dir[64];

static const char *const names[] = { "plain", "with blank", "q\"uote\\",
    "new\nline", "gr\xc3\xbc\xc3\x9f", "\xff\x01", "sub/deep/file", "-dash",
    "tab\there", "a b/c d" };
#define NNAMES	(sizeof(names) / sizeof(names[0]))

/* An entry with its content, as the store or the disk would give it. */
struct thing {
	struct ent	 e;
	char		 text[4096];
};

static int
content(void *arg, const struct ent *e, struct buf *b, struct err *err)
{
	struct thing	*t = arg;

	(void)e;
	(void)err;
	put_bytes(b, t->text, (size_t)t->e.size);
	return 0;
}

static void
random_thing(uint64_t *seed, struct thing *t, const struct thing *like)
{
	size_t	 n = 0, i, lines;

	memset(t, 0, sizeof(*t));
	if (tap_rand(seed) % 5 == 0)
		return;
	t->e.uid = tap_rand(seed) % 3 == 0 ? 5 : 0;
	t->e.mode = tap_rand(seed) % 2 ? 0644 : 0755;
	if (tap_rand(seed) % 5 == 0) {
		t->e.type = ENT_LNK;
		t->e.target = t->text;
		(void)snprintf(t->text, sizeof(t->text), "to/%d",
		    (int)(tap_rand(seed) % 3));
		return;
	}
	t->e.type = ENT_REG;
	lines = tap_rand(seed) % 30;
	for (i = 0; i < lines; i++)
		n += (size_t)snprintf(t->text + n, sizeof(t->text) - n,
		    "%d\n", (int)(tap_rand(seed) % 5));
	if (like != NULL && like->e.type == ENT_REG) {
		n = like->e.size;
		memcpy(t->text, like->text, n);
		for (i = tap_rand(seed) % 3; n > 0 && i > 0; i--)
			t->text[tap_rand(seed) % n] =
			    (char)('a' + tap_rand(seed) % 3);
	}
	if (n > 0 && tap_rand(seed) % 5 == 0)
		n--;
	t->e.size = n;
	hash_mem(&t->e.hash, t->text, n);
}

static int
run(const char *fmt, const char *arg)
{
	char	 cmd[512];

	(void)snprintf(cmd, sizeof(cmd), fmt, dir, arg);
	return system(cmd);
}

static void
full_name(char *p, size_t n, const char *tree, const char *name)
{
	(void)snprintf(p, n, "%s/%s/%s", dir, tree, name);
}

static void
put_thing(const char *tree, const char *name, const struct thing *t)
{
	char	 p[512], *q;
	int	 fd;

	full_name(p, sizeof(p), tree, name);
	if (t->e.type == ENT_NONE)
		return;
	for (q = p + strlen(dir) + 1; (q = strchr(q, '/')) != NULL; q++) {
		*q = '\0';
		if (mkdir(p, 0755) == -1 && errno != EEXIST)
			exit(2);
		*q = '/';
	}
	if (t->e.type == ENT_LNK) {
		if (symlink(t->e.target, p) == -1)
			exit(2);
		return;
	}
	if ((fd = open(p, O_WRONLY | O_CREAT | O_EXCL, 0600)) == -1 ||
	    write(fd, t->text, t->e.size) != (ssize_t)t->e.size ||
	    fchmod(fd, t->e.mode) == -1 || close(fd) == -1)
		exit(2);
}

static int
is_thing(const char *tree, const char *name, const struct thing *t)
{
	char		 p[512], have[5000];
	struct stat	 st;
	ssize_t		 n;
	int		 fd;

	full_name(p, sizeof(p), tree, name);
	if (lstat(p, &st) == -1)
		return t->e.type == ENT_NONE;
	if (S_ISLNK(st.st_mode)) {
		n = readlink(p, have, sizeof(have));
		return t->e.type == ENT_LNK && n >= 0 &&
		    (size_t)n == strlen(t->e.target) &&
		    memcmp(have, t->e.target, (size_t)n) == 0;
	}
	if (t->e.type != ENT_REG || !S_ISREG(st.st_mode) ||
	    (st.st_mode & 0777) != t->e.mode ||
	    (fd = open(p, O_RDONLY)) == -1)
		return 0;
	n = read(fd, have, sizeof(have));
	(void)close(fd);		/* only read */
	return n == (ssize_t)t->e.size &&
	    memcmp(have, t->text, (size_t)n) == 0;
}

static void
applied(int with_git)
{
	static struct thing	 a[NNAMES], b[NNAMES];
	uint64_t		 seed = tap_seed(with_git ? 40 : 41);
	struct entdiff_opts	 o = { 3, false, false };
	struct entdiff_stat	 st;
	struct side		 sa = { .content = content };
	struct side		 sb = { .content = content };
	struct buf		 out = BUF_INIT;
	char			 p[128];
	size_t			 i;
	FILE			*f;
	int			 r, bad = 0;

	for (r = 0; r < ROUNDS && bad < 3; r++) {
		out.len = 0;
		for (i = 0; i < NNAMES; i++) {
			random_thing(&seed, &a[i], NULL);
			random_thing(&seed, &b[i], tap_rand(&seed) % 2 ?
			    &a[i] : NULL);
			put_thing("t", names[i], &a[i]);
			sa.e = &a[i].e;
			sa.arg = &a[i];
			sb.e = &b[i].e;
			sb.arg = &b[i];
			OK(entdiff(names[i], &sa, &sb, &o, &out, &st,
			    NULL) == 0);
		}
		(void)snprintf(p, sizeof(p), "%s/d", dir);
		if ((f = fopen(p, "w")) == NULL ||
		    fwrite(out.p, 1, out.len, f) != out.len ||
		    fclose(f) != 0)
			exit(2);
		(void)run("mkdir -p %s/t%s", "");
		if (!OK(run("cd %s/t && %s >../log 2>&1", with_git ?
		    "git apply ../d" : "patch -s -p1 --binary <../d") == 0)) {
			tap_diag("round %d", r);
			(void)run("cat %s/log%s", "");
			bad++;
		}
		for (i = 0; i < NNAMES; i++)
			if (!OK(is_thing("t", names[i], &b[i]))) {
				tap_diag("round %d, name %zu", r, i);
				bad++;
			}
		(void)run("rm -rf %s/t%s", "");
	}
	buf_free(&out);
}

static void
git_applies_it(void)
{
	applied(1);
}

static void
patch_applies_it(void)
{
	applied(0);
}

static void
says(struct side *a, struct side *b, const char *want)
{
	struct entdiff_opts	 o = { 3, false, false };
	struct entdiff_stat	 st;
	struct buf		 out = BUF_INIT;

	OK(entdiff("p", a, b, &o, &out, &st, NULL) == 0);
	put_u8(&out, 0);
	if (!OK(strcmp((char *)out.p, want) == 0))
		tap_diag("have: %s", (char *)out.p);
	buf_free(&out);
}

static void
what_git_has_no_words_for(void)
{
	static uint8_t	 xa[] = "user.a\0\1\0\0\0Xuser.b\0\1\0\0\0Y";
	static uint8_t	 xb[] = "user.b\0\1\0\0\0Zuser.\33\0\0\0\0\0";
	struct thing	 x = { .e = { .type = ENT_REG, .mode = 0600 } };
	struct thing	 y;
	struct ent	 no = { .type = ENT_WHITEOUT };
	struct ent	 dev = { .type = ENT_CHR, .mode = 0666, .major = 1,
	    .minor = 3 };
	struct ent	 d = { .type = ENT_DIR, .mode = 0755, .gid = 5 };
	struct ent	 d2 = { .type = ENT_DIR, .mode = 0700, .gid = 5 };
	struct side	 a = { .e = &x.e, .content = content, .arg = &x };
	struct side	 b = { .e = &y.e, .content = content, .arg = &y };

	hash_mem(&x.e.hash, "", 0);
	y = x;
	says(&a, &b, "");
	y.e.gid = 5;
	says(&a, &b, "diff --cfg a/p b/p\nold owner 0:0\nnew owner 0:5\n");
	y.e.gid = 0;
	y.e.mode = 04755;
	says(&a, &b, "diff --git a/p b/p\nold mode 100600\n"
	    "new mode 104755\n");
	y.e.mode = 0600;
	x.e.xattr = xa;
	x.e.xattrlen = sizeof(xa) - 1;
	y.e.xattr = xb;
	y.e.xattrlen = sizeof(xb) - 1;
	says(&a, &b, "diff --cfg a/p b/p\ndeleted xattr user.a\n"
	    "changed xattr user.b\nnew xattr \"user.\\033\"\n");
	y = x;
	b.linked = "q r";
	says(&a, &b, "diff --cfg a/p b/p\nold hard link none\n"
	    "new hard link \"b/q r\"\n");
	b.linked = NULL;
	b.e = &dev;
	says(&a, &b, "diff --git a/p b/p\ndeleted file mode 100600\n"
	    "index e69de29..0000000\n"
	    "diff --cfg a/p b/p\nnew character device 1:3 mode 020666\n");
	a.e = &no;
	says(&a, &b, "diff --cfg a/p b/p\nnew character device 1:3 "
	    "mode 020666\n");
	a.e = &d;
	b.e = &d2;
	says(&a, &b, "diff --cfg a/p b/p\nold mode 040755\n"
	    "new mode 040700\n");
	b.e = &no;
	says(&a, &b, "diff --cfg a/p b/p\ndeleted directory mode 040755\n");
	says(&b, &b, "");
	y.e.size = 4;
	memcpy(y.text, "a\0b\n", 4);
	hash_mem(&y.e.hash, y.text, 4);
	b.e = &y.e;
	a.e = &x.e;
	y.e.xattr = x.e.xattr = NULL;
	y.e.xattrlen = x.e.xattrlen = 0;
	says(&a, &b, "diff --git a/p b/p\n"
	    "index e69de29..3a10099 100600\nBinary files a/p and b/p differ\n");
	a.hidden = true;
	says(&a, &b, "diff --cfg a/p b/p\n"
	    "content hidden: permission denied\n");
}

static void
nothing_steers_the_terminal(void)
{
	struct thing	 x = { .e = { .type = ENT_REG, .mode = 0600 } };
	struct ent	 no = { .type = ENT_NONE };
	struct side	 a = { .e = &no }, b = { .e = &x.e, .arg = &x,
	    .content = content };
	struct entdiff_opts o = { 3, false, true };
	struct entdiff_stat st;
	struct buf	 out = BUF_INIT;

	memcpy(x.text, "\33[2J\tgr\xc3\xbc\xff\xc2\x9b\x7f\r\n", 14);
	x.e.size = 14;
	OK(entdiff("p", &a, &b, &o, &out, &st, NULL) == 0);
	put_u8(&out, 0);
	OK(strstr((char *)out.p, "\n+^[[2J\tgr\xc3\xbc\\377\\302\\233\\177^M\n")
	    != NULL);
	OK(st.added == 1 && st.removed == 0);
	buf_free(&out);
}

static void
readable_as_the_kernel_has_it(void)
{
	struct ent	 f = { .type = ENT_REG, .mode = 0640, .gid = 77 };
	struct ent	 d[2] = { { .type = ENT_DIR, .mode = 0755 },
	    { .type = ENT_DIR, .mode = 0755 } };

	if (geteuid() != 0) {
		tap_skip("not root");
		return;
	}
	OK(entdiff_readable(&f, d, 2));
	if (!OK(setegid(1234) == 0 && seteuid(1234) == 0))
		return;
	OK(!entdiff_readable(&f, d, 2));
	f.mode = 0644;
	OK(entdiff_readable(&f, d, 2));
	d[1].mode = 0700;
	OK(!entdiff_readable(&f, d, 2));
	d[1].uid = 1234;
	OK(entdiff_readable(&f, d, 2));
	f.mode = 0044;
	f.uid = 1234;
	OK(!entdiff_readable(&f, d, 2));
	f.uid = 0;
	f.gid = 1234;
	f.mode = 0604;
	OK(!entdiff_readable(&f, d, 2));
	f.mode = 0640;
	OK(entdiff_readable(&f, d, 2));
	OK(seteuid(0) == 0 && setegid(0) == 0);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "git apply makes the new tree", git_applies_it },
		{ "patch(1) makes the new tree", patch_applies_it },
		{ "what git has no words for is said",
		    what_git_has_no_words_for },
		{ "nothing in a file steers the terminal",
		    nothing_steers_the_terminal },
		{ "readable is what the kernel lets be read",
		    readable_as_the_kernel_has_it },
	};
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "%s", "/tmp/entdiff.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	(void)umask(022);
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	return run("rm -rf %s%s", "") != 0 ? 2 : rc;
}
