/*
 * golden.c: stores that released versions wrote open forever.
 * tests/golden/README says what is in them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "storekit.h"
#include "tap.h"

/* The file, as a medium with its store opened. */
static bool
golden(const char *path)
{
	uint8_t	*p = malloc(65536);
	FILE	*f = fopen(path, "rb");
	size_t	 n = f == NULL ? 0 : fread(p, 1, 65536, f);

	if (f != NULL)
		(void)fclose(f);	/* only read */
	medium(65536, 512);
	OK(n == 65536 && med.real->ops->write(med.real, p, n, 0, &er) == 0);
	free(p);
	return n == 65536 && reopen();
}

static bool
config_is(uint64_t gen, int which, unsigned value)
{
	struct buf	 b = BUF_INIT;
	bool		 yes;

	lines(&b, 2, 60, which, value);
	yes = content_is(gen, "rc.conf", b.p, b.len);
	buf_free(&b);
	return yes;
}

static void
entries(void)
{
	static const char *const path[] = { "", "bin", "caf\xe9\n", "dev",
	    "dev/blk", "dev/fifo", "hosts", "hosts.old", "lnk", "rc.conf" };
	struct ents	 ov;
	struct ent	*v;
	size_t		 i;

	if (!OK(store_overlay(st, 21, &ov, &er) == 0))
		return;
	OK(ents_find(&ov, "gone") != NULL && ents_find(&ov, "zz") != NULL &&
	    ents_find(&ov, "gone")->type == ENT_WHITEOUT);
	ents_free(&ov);
	if (!OK(store_overlay(st, 43, &ov, &er) == 0))
		return;
	OK(ov.n == 10);
	v = ov.v;
	for (i = 0; i < ov.n && i < 10; i++)
		OK(strcmp(v[i].path, path[i]) == 0);
	OK(v[0].type == ENT_DIR && v[0].mode == 0711);
	OK(v[3].type == ENT_DIR && v[3].mode == 01777);
	OK(v[4].type == ENT_BLK && v[4].major == 8 && v[4].minor == 300);
	OK(v[5].type == ENT_FIFO && v[5].uid == 70000);
	OK(v[6].link == 1 && v[7].link == 1 && v[6].xattrlen == 12);
	OK(memcmp(v[6].xattr, "user.k\0\1\0\0\0v", 12) == 0);
	OK(v[8].type == ENT_LNK && strcmp(v[8].target, "../usr/lib") == 0);
	OK(v[9].mtime == 1700000000 && v[9].mode == 0644);
	ents_free(&ov);
}

static void
the_first_format_opens(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	uint64_t	 g;

	if (!golden("tests/golden/store-1"))
		return;
	OK(store_head(st) == 43 && store_oldest(st) == 1);
	clean();
	entries();
	OK(text_is(43, "caf\xe9\n", "latin1"));
	OK(text_is(43, "hosts", "127.0.0.1 localhost\n"));
	OK(text_is(43, "hosts.old", "127.0.0.1 localhost\n"));
	noise(&b, 1500, 77);
	OK(content_is(43, "bin", b.p, b.len));
	buf_free(&b);
	OK(config_is(43, 5, 55));
	for (g = 2; g <= 41; g++)
		OK(config_is(g, (int)(g - 2), (unsigned)(g - 2) * 1009));
	if (OK(store_record(st, 1, &c, &er) == 0)) {
		OK(c.n == 9 && c.uid == 0 && strcmp(c.user, "joe") == 0);
		OK(c.time == 1700000000123456789);
		OK(strcmp(c.msg, "the first") == 0);
		OK(c.v[6].uid == 1001 && strcmp(c.v[6].comm, "vi") == 0);
		commit_free(&c);
	}
	if (OK(store_record(st, 43, &c, &er) == 0)) {
		OK(c.n == 2 && c.v[0].op == CHANGE_DROP);
		OK(strcmp(c.v[0].e.path, "gone") == 0);
		commit_free(&c);
	}
	OK(put_text("new", "goes on") == 0 && reopen());
	OK(store_head(st) == 44 && text_is(44, "new", "goes on"));
	clean();
	finish();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "the first format opens", the_first_format_opens },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
