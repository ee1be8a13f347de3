/*
 * tar.c: the promise of the archive: what tar programs make of it is what
 * was put in, to the last nanosecond.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/path.h"
#include "../tools/tar.h"
#include "tap.h"

static char	 dir[64];
static char	 text[] = "content\n";

struct member {
	struct ent	 e;
	size_t		 n;		/* bytes of content */
	const char	*linked;
	bool		 gnu;		/* bsdtar (3.6) has fractions before
					   1970 and "=" in names wrong */
};

static char *
repeat(const char *s, int times, const char *end)
{
	struct buf	 b = BUF_INIT;

	for (; times > 0; times--)
		put_fmt(&b, "%s", s);
	put_fmt(&b, "%s", end);
	put_u8(&b, 0);
	return (char *)b.p;
}

static uint8_t *
xattrs(size_t *len)
{
	struct buf	 b = BUF_INIT;

	put_bytes(&b, "user.a=b%", 10);
	put_le32(&b, 5);
	put_bytes(&b, "x\0y\n=", 5);
	put_bytes(&b, "user.empty", 11);
	put_le32(&b, 0);
	*len = b.len;
	return b.p;
}

#define REG(p, m, t, ...) { .e = { .path = (p), .type = ENT_REG, \
    .mode = (m), .mtime = (t), __VA_ARGS__ } }

/* Everything there is, in path order but for the link. */
static size_t
members(struct member **mp)
{
	static struct member m[] = {
		{ .e = { .path = (char *)"", .type = ENT_DIR, .mode = 0755,
		    .mtime = 1600000000 } },
		REG((char *)"plain", 0640, 1700000000, .uid = 3, .gid = 4,
		    .mtime_ns = 123456789),
		REG((char *)"big", 0640, 1700000000, .uid = 3000000,
		    .gid = 4000000000u),
		REG((char *)"a b\n\"\\\xff", 04755, 1700000000, .uid = 0),
		REG((char *)"-dash", 0, 1, .uid = 0),
		REG((char *)"old", 0640, -5, .mtime_ns = 250000000),
		REG((char *)"xattr", 0640, 1, .uid = 0),
		REG(NULL, 0640, 1, .uid = 0), REG(NULL, 0600, 2, .uid = 0),
		REG(NULL, 0600, 3, .uid = 0),
		{ .e = { .path = (char *)"dir", .type = ENT_DIR,
		    .mode = 01777, .mtime = 5 } },
		{ .e = { .path = (char *)"dir/fifo", .type = ENT_FIFO,
		    .mode = 0600, .mtime = 6 } },
		{ .e = { .path = (char *)"dir/lnk", .type = ENT_LNK,
		    .mode = 0777, .target = (char *)"../x y", .mtime = 7 } },
		{ .e = { .path = (char *)"dir/long", .type = ENT_LNK,
		    .mode = 0777, .mtime = 7 } },
		{ .e = { .path = (char *)"dir/null", .type = ENT_CHR,
		    .mode = 0666, .major = 1, .minor = 3, .mtime = 8 } },
		{ .e = { .path = (char *)"dir/blk", .type = ENT_BLK,
		    .mode = 0660, .major = 259, .minor = 77777, .mtime = 8 } },
		{ .e = { .path = (char *)"other", .type = ENT_REG,
		    .mode = 0640, .mtime = 1700000000,
		    .mtime_ns = 123456789, .uid = 3, .gid = 4 },
		    .linked = "plain" },
	};
	size_t	 i, n = sizeof(m) / sizeof(m[0]);

	*mp = m;
	if (m[7].e.path != NULL)
		return n;		/* made already */
	m[5].gnu = m[6].gnu = true;
	m[1].n = m[16].n = sizeof(text) - 1;
	m[6].e.xattr = xattrs(&m[6].e.xattrlen);
	m[7].e.path = repeat("x", 255, "");
	m[8].e.path = repeat("\xc3\xbc", 100, "/under");
	m[9].e.path = repeat("deep/", 200, "end");
	m[13].e.target = repeat("to/", 400, "x");
	for (i = 0; i < n; i++)
		if (m[i].e.type == ENT_REG) {
			m[i].e.size = m[i].n;
			hash_mem(&m[i].e.hash, text, m[i].n);
		}
	return n;
}

static int
run(const char *cmd)
{
	char	 line[512];

	(void)snprintf(line, sizeof(line), "cd %s && %s", dir, cmd);
	return system(line);
}

static void
save(const struct buf *b)
{
	char	 p[128];
	FILE	*f;

	(void)snprintf(p, sizeof(p), "%s/t.tar", dir);
	if (b->bad || (f = fopen(p, "w")) == NULL ||
	    fwrite(b->p, b->len, 1, f) != 1 || fclose(f) != 0)
		exit(2);
}

static void
is_there(int root, const struct member *m)
{
	struct ent	 e;
	struct err	 err = { 0, "" };
	const char	*name;
	uint64_t	 ino = 0, nlink = 0;
	char		*vis = path_vis(m->e.path);
	int		 d = path_parent(root, m->e.path, &name);

	if (!OK(d >= 0 && ent_read(d, name, m->e.path, ENT_HASH, &e, &ino,
	    &nlink, &err) == 0)) {
		tap_diag("%s: %s", vis, err.msg);
		return;
	}
	if (!OK(ent_same(&e, &m->e)) || !OK(m->e.mtime == 0 ||
	    (e.mtime == m->e.mtime && e.mtime_ns == m->e.mtime_ns)))
		tap_diag("%s: type %d mode %o owner %u:%u size %llu time "
		    "%lld.%09u xattr %zu", vis, e.type, e.mode, e.uid, e.gid,
		    (unsigned long long)e.size, (long long)e.mtime,
		    e.mtime_ns, e.xattrlen);
	if (m->linked != NULL)
		OK(nlink == 2);
	ent_free(&e);
	(void)close(d);
	free(vis);
}

static void
comes_back(const char *extract, bool gnu)
{
	struct buf	 b = BUF_INIT;
	struct member	*m;
	char		 p[128];
	size_t		 i, n = members(&m);
	int		 root;

	if (geteuid() != 0) {
		tap_skip("not root");
		return;
	}
	for (i = 0; i < n; i++)
		tar_put(&b, &m[i].e, (const uint8_t *)text, m[i].n,
		    m[i].linked);
	tar_end(&b);
	OK(b.len % 512 == 0);
	save(&b);
	if (!OK(run("rm -rf out && mkdir out") == 0) ||
	    !OK(run(extract) == 0))
		(void)run("head log");
	(void)snprintf(p, sizeof(p), "%s/out", dir);
	root = open(p, O_RDONLY | O_DIRECTORY);
	/* The root's own time changes as "deep" comes into it. */
	m[0].e.mtime = 0;
	for (i = 0; i < n; i++)
		if (gnu || !m[i].gnu)
			is_there(root, &m[i]);
	(void)close(root);
	buf_free(&b);
}

static void
gnu_tar_reads_it(void)
{
	comes_back("tar --numeric-owner --xattrs --xattrs-include='*' "
	    "-xpf t.tar --warning=no-timestamp -C out >log 2>&1 && "
	    "[ ! -s log ]", true);
}

static void
bsdtar_reads_it(void)
{
	if (system("command -v bsdtar >/dev/null") != 0) {
		tap_skip("no bsdtar");
		return;
	}
	comes_back("LC_ALL=C.UTF-8 bsdtar --numeric-owner -xpf t.tar -C out "
	    ">log 2>&1", false);
}

static void
no_form_no_member(void)
{
	struct ent	 w = { .path = (char *)"w", .type = ENT_WHITEOUT };
	struct ent	 s = { .path = (char *)"s", .type = ENT_SOCK };
	struct buf	 b = BUF_INIT;

	tar_put(&b, &w, NULL, 0, NULL);
	tar_put(&b, &s, NULL, 0, NULL);
	OK(b.len == 0 && !b.bad);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "GNU tar makes of it what was put in", gnu_tar_reads_it },
		{ "bsdtar makes of it what was put in", bsdtar_reads_it },
		{ "whiteouts and sockets are left out", no_form_no_member },
	};
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "%s", "/tmp/tar.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	return run("rm -rf out t.tar log && rmdir \"$PWD\"") != 0 ? 2 : rc;
}
