/*
 * jrn.c: the promises of the change journal's format and reader.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/jrn.h"
#include "../lib/path.h"
#include "tap.h"

static struct jrn_rec
rec_of(enum jrn_op op, const char *path, size_t len)
{
	struct jrn_rec	 r = { .op = op, .flags = JRN_BORN, .uid = 1000,
	    .gid = 100, .pid = 4711, .count = 3, .time = 1700000000123456789,
	    .comm = "vi", .path = path, .pathlen = len };

	return r;
}

static void
records_come_back(void)
{
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 in, out;
	struct rd	 r;
	char		*big = malloc(PATH_LIMIT + 1);
	size_t		 i;

	OK(big != NULL);
	for (i = 0; i < PATH_LIMIT; i++)
		big[i] = i % 200 == 199 ? '/' : 'x';
	in = rec_of(JRN_WRITE, "rc.conf", 7);
	jrn_put(&b, &in);
	in = rec_of(JRN_SCAN, "", 0);
	jrn_put(&b, &in);
	in = rec_of(JRN_MKDIR, big, PATH_LIMIT);
	jrn_put(&b, &in);
	put_zero(&b, 5);
	r = (struct rd){ b.p, b.len, false };
	OK(jrn_get(&r, &out) == 1 && out.op == JRN_WRITE);
	OK(out.flags == JRN_BORN && out.uid == 1000 && out.gid == 100);
	OK(out.pid == 4711 && out.count == 3);
	OK(out.time == 1700000000123456789 && strcmp(out.comm, "vi") == 0);
	OK(strcmp(out.path, "rc.conf") == 0 && out.pathlen == 7);
	OK(jrn_get(&r, &out) == 1 && out.op == JRN_SCAN && out.pathlen == 0);
	OK(jrn_get(&r, &out) == 1 && out.pathlen == PATH_LIMIT &&
	    memcmp(out.path, big, PATH_LIMIT) == 0);
	OK(jrn_get(&r, &out) == 0 && r.n == 5);
	buf_free(&b);
	free(big);
}

static void
a_count_is_bumped_in_place(void)
{
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 in = rec_of(JRN_ATTR, "a/b", 3), out;
	struct rd	 r;

	jrn_put(&b, &in);
	set_le32(b.p + JRN_COUNT_OFF, 99);
	r = (struct rd){ b.p, b.len, false };
	OK(jrn_get(&r, &out) == 1 && out.count == 99);
	buf_free(&b);
}

static void
no_changed_bit_goes_unseen(void)
{
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 in = rec_of(JRN_XATTR, "a/b c", 5), out;
	struct rd	 r;
	size_t		 i;

	jrn_put(&b, &in);
	for (i = 0; i < b.len * 8; i++) {
		if (i / 8 >= JRN_COUNT_OFF && i / 8 < JRN_COUNT_OFF + 4)
			continue;
		b.p[i / 8] ^= (uint8_t)(1u << i % 8);
		r = (struct rd){ b.p, b.len, false };
		OK(jrn_get(&r, &out) < 0 && r.p == b.p);
		b.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (i = 1; i < b.len; i++) {
		r = (struct rd){ b.p, i, false };
		OK(jrn_get(&r, &out) != 1 && r.p == b.p);
	}
	buf_free(&b);
}

static void
a_path_that_leaves_the_tree_is_damage(void)
{
	static const char *const bad[] = { "/etc", "a/../b", "a//b", "a/",
	    "." };
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 in, out;
	struct rd	 r;
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		b.len = 0;
		in = rec_of(JRN_WRITE, bad[i], strlen(bad[i]));
		jrn_put(&b, &in);
		r = (struct rd){ b.p, b.len, false };
		OK(jrn_get(&r, &out) == -EBADMSG);
	}
	buf_free(&b);
}

/* What scans find, as text. */
static int
note(void *arg, const struct jrn_rec *rec)
{
	put_fmt(arg, "%d:%s ", (int)rec->op, rec->path);
	return 0;
}

static int
stop(void *arg, const struct jrn_rec *rec)
{
	(void)rec;
	return ++*(int *)arg == 2 ? 42 : 0;
}

static char	 dir[] = "/tmp/jrn.XXXXXX";
static int	 dfd = -1;

static void
write_segment(uint64_t seq, const char *path, size_t cut, size_t zeros)
{
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 rec = rec_of(JRN_WRITE, path, strlen(path));
	char		 name[JRN_NAME];
	int		 fd;

	jrn_put_head(&b, seq);
	jrn_put(&b, &rec);
	rec.op = JRN_ATTR;
	jrn_put(&b, &rec);
	b.len -= cut;
	put_zero(&b, zeros);
	jrn_name(name, seq);
	OK((fd = jrn_create(dfd, name, NULL)) >= 0);
	OK(write(fd, b.p, b.len) == (ssize_t)b.len && close(fd) == 0);
	buf_free(&b);
}

/* Whether a scan finds just this. */
static void
found(uint64_t upto, const char *want, bool wantbad, uint64_t wantlast)
{
	struct buf	 b = BUF_INIT;
	struct err	 e = { 0, "" };
	bool		 bad = !wantbad;
	uint64_t	 last = 0;

	OK(jrn_scan(dfd, upto, note, &b, &bad, &last, &e) == 0);
	put_u8(&b, 0);
	if (!OK(strcmp((char *)b.p, want) == 0))
		tap_diag("found %s", (char *)b.p);
	OK(bad == wantbad && last == wantlast);
	buf_free(&b);
}

static void
start(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	OK(mkdtemp(dir) != NULL);
	OK((dfd = open(dir, O_RDONLY | O_DIRECTORY)) != -1);
}

static void
end(void)
{
	char	 name[JRN_NAME];
	int	 i;

	for (i = 1; i < 12; i++) {
		jrn_name(name, (uint64_t)i);
		(void)unlinkat(dfd, name, 0);
	}
	OK(close(dfd) == 0 && rmdir(dir) == 0);
}

static void
segments_are_read_in_order(void)
{
	int	 n = 0;
	bool	 bad;
	uint64_t last;

	start();
	found(UINT64_MAX, "", false, 0);
	write_segment(10, "j", 0, 100);
	write_segment(9, "i", 0, 0);
	found(UINT64_MAX, "8:i 9:i 8:j 9:j ", false, 10);
	found(9, "8:i 9:i ", false, 9);
	OK(jrn_scan(dfd, 10, stop, &n, &bad, &last, NULL) == 42);
	end();
}

static void
a_torn_end_is_normal_only_at_the_very_end(void)
{
	start();
	write_segment(1, "a", 0, 64);
	write_segment(2, "b", 7, 0);
	found(UINT64_MAX, "8:a 9:a 8:b ", false, 2);
	write_segment(3, "c", 0, 0);
	found(UINT64_MAX, "8:a 9:a 8:b 8:c 9:c ", true, 3);
	end();
}

static void
a_segment_that_is_none_is_damage(void)
{
	int	 fd;

	start();
	write_segment(1, "a", 0, 64);
	OK(renameat(dfd, "journal.1", dfd, "journal.2") == 0);
	found(UINT64_MAX, "", true, 2);
	OK((fd = openat(dfd, "journal.2", O_WRONLY | O_TRUNC)) != -1);
	OK(close(fd) == 0);
	found(UINT64_MAX, "", true, 2);
	end();
}

static void
replacing_leaves_what_is_newer(void)
{
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 rec = rec_of(JRN_UNLINK, "left", 4);

	start();
	write_segment(1, "a", 0, 0);
	write_segment(2, "b", 0, 0);
	write_segment(3, "c", 0, 0);
	jrn_put(&b, &rec);
	OK(jrn_replace(dfd, 2, &b, NULL) == 0);
	found(UINT64_MAX, "5:left 8:c 9:c ", false, 3);
	b.len = 0;
	OK(jrn_replace(dfd, 2, &b, NULL) == 0);
	found(UINT64_MAX, "8:c 9:c ", false, 3);
	OK(faccessat(dfd, "journal.new", F_OK, 0) == -1);
	buf_free(&b);
	end();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "records come back", records_come_back },
		{ "a count is bumped in place", a_count_is_bumped_in_place },
		{ "no changed bit goes unseen", no_changed_bit_goes_unseen },
		{ "a path that leaves the tree is damage",
		    a_path_that_leaves_the_tree_is_damage },
		{ "segments are read in order", segments_are_read_in_order },
		{ "a torn end is normal only at the very end",
		    a_torn_end_is_normal_only_at_the_very_end },
		{ "a segment that is none is damage",
		    a_segment_that_is_none_is_damage },
		{ "replacing leaves what is newer",
		    replacing_leaves_what_is_newer },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
