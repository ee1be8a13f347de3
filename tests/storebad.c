/*
 * storebad.c: failed writes, damage, and what is no store.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "storekit.h"
#include "tap.h"

static void
a_failed_write_goes_elsewhere_once(void)
{
	if (!begin(64 * 1024, 512, 0))
		return;
	OK(put_text("a", "1") == 0);
	med.fail_writes = 1;
	reset_counts();
	OK(put_text("a", "2") == 0);
	OK(med.writes == 2 && !store_failed(st));
	OK(reopen() && text_is(2, "a", "2") && text_is(1, "a", "1"));
	med.fail_writes = 2;
	OK(put_text("a", "3") == -EIO);
	OK(store_failed(st) && text_is(2, "a", "2"));
	OK(put_text("a", "3") == -EIO);
	OK(reopen() && !store_failed(st) && store_head(st) == 2);
	OK(put_text("a", "3") == 0 && text_is(3, "a", "3"));
	clean();
	finish();
}

static void
a_failed_flush_is_final(void)
{
	if (!begin(64 * 1024, 512, 0))
		return;
	OK(put_text("a", "1") == 0);
	med.fail_flush = true;
	OK(put_text("a", "2") == -EIO);
	med.fail_flush = false;
	OK(store_failed(st) && store_head(st) == 1);
	reset_counts();
	OK(put_text("a", "2") == -EIO && med.writes == 0);
	OK(reopen() && !store_failed(st));
	OK(put_text("a", "3") == 0);
	clean();
	finish();
}

static void
flip(uint64_t off, uint8_t bits)
{
	uint8_t	 block[512];
	uint64_t at = off & ~(uint64_t)511;

	OK(med.real->ops->read(med.real, block, 512, at, &er) == 0);
	block[off - at] ^= bits;
	OK(med.real->ops->write(med.real, block, 512, at, &er) == 0);
}

/* Behind the superblock and the empty checkpoint, at an align of 512. */
#define FIRST_COMMIT	1024

static void
a_rotten_content_is_never_given_out(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT, out = BUF_INIT;
	struct ents	 ov;

	if (!begin(1 << 20, 512, 0))
		return;
	noise(&b, 5000, 9);
	start(&c, "noise");
	add_file(&c, "f", b.p, b.len);
	OK(put(&c) == 0);
	OK(put_text("g", "fine") == 0 && put_text("g", "finer") == 0);
	flip(FIRST_COMMIT + 2500, 0x10);
	OK(reopen() && store_head(st) == 3);
	if (OK(store_overlay(st, 3, &ov, &er) == 0)) {
		OK(store_content(st, ents_find(&ov, "f"), &out, &er) ==
		    -EBADMSG);
		OK(out.len == 0);
		OK(store_verify(st, NULL, NULL, &er) > 0);
		ents_free(&ov);
	}
	OK(text_is(3, "g", "finer"));
	/* It does not hold up what follows, compactions neither. */
	while (size_of_last() <= 512)
		OK(put_text("g", size_of_last() % 2 == 0 ? "x" : "y") == 0);
	OK(!content_is(store_head(st), "f", b.p, b.len));
	start(&c, "again");
	add_file(&c, "f", b.p, b.len);
	OK(put(&c) == 0);
	OK(content_is(store_head(st), "f", b.p, b.len));
	buf_free(&b);
	buf_free(&out);
	finish();
}

static void
damage_in_the_middle_is_said_and_not_built_upon(void)
{
	int		 i;

	if (!begin(1 << 20, 512, 0))
		return;
	OK(put_text("a", "the first text of all") == 0);
	for (i = 0; i < 4; i++)
		OK(put_text("b", i % 2 == 0 ? "x" : "y") == 0);
	flip(FIRST_COMMIT + 80, 1);		/* its meta */
	OK(reopen() && store_head(st) == 0);
	OK(store_damage(st) != NULL &&
	    strstr(store_damage(st), "1 to 5") != NULL);
	tap_diag("%s", store_damage(st));
	OK(put_text("c", "new") == 0 && text_is(1, "c", "new"));
	OK(reopen() && store_damage(st) == NULL && text_is(1, "c", "new"));
	OK(store_verify(st, NULL, NULL, &er) > 0);
	finish();
}

/* So many commits, then the head of this area is damaged. */
static void
damage_head(int commits, uint64_t area, uint64_t left)
{
	int	 i;

	if (!begin(64 * 1024, 512, 0))
		return;
	for (i = 0; i < commits; i++)
		OK(put_text("a", i % 2 == 0 ? "x" : "y") == 0);
	flip(512 + area * 31 * 512 + 20, 1);
	OK(reopen() && store_head(st) == left);
	OK(store_damage(st) != NULL);
	tap_diag("%s", store_damage(st));
	OK(put_text("a", "z") == 0);
	OK(reopen() && store_damage(st) == NULL);
	OK(store_head(st) == left + 1 && text_is(left + 1, "a", "z"));
	finish();
}

static void
a_damaged_newest_area_falls_back(void)
{
	/* 31 blocks: a checkpoint and 30 commits. */
	damage_head(20, 0, 0);
	damage_head(40, 2, 30);
	damage_head(70, 3, 60);
}

static void
the_superblock_has_a_copy(void)
{
	if (!begin(64 * 1024, 512, 0))
		return;
	OK(put_text("a", "1") == 0);
	flip(33, 1);
	OK(reopen() && text_is(1, "a", "1"));
	OK(store_damage(st) != NULL && store_probe(&med.io));
	OK(put_text("a", "2") == 0);
	flip(64 * 1024 - 500, 1);
	store_close(st);
	st = NULL;
	OK(store_open(&st, &med.io, &er) == -EBADMSG);
	OK(store_probe(&med.io));
	finish();
}

static void
what_is_no_store_is_refused(void)
{
	struct store_geom	 g = { 0, 0 };
	uint8_t			 b[512];

	medium(1 << 20, 512);
	OK(!store_probe(&med.io));
	OK(store_open(&st, &med.io, &er) == -EINVAL && st == NULL);
	OK(strstr(er.msg, "not a cfgfs store") != NULL);
	memset(b, 0x5a, sizeof(b));
	OK(med.real->ops->write(med.real, b, 512, 0, &er) == 0);
	OK(store_open(&st, &med.io, &er) == -EINVAL);
	finish();
	medium(32 * 1024, 512);
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	finish();
	medium(1 << 20, 4096);
	g.align = 512;
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	g = (struct store_geom){ 4096, 2 };
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	g = (struct store_geom){ 5000, 4 };
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	finish();
}

static void
a_newer_version_is_refused(void)
{
	uint8_t	 b[512];
	int	 at;

	/* The version, and the feature word of what must be understood. */
	for (at = 8; at <= 20; at += 12) {
		if (!begin(64 * 1024, 512, 0))
			return;
		store_close(st);
		st = NULL;
		OK(med.real->ops->read(med.real, b, 512, 0, &er) == 0);
		set_le32(b + at, 2);
		set_le32(b + 508, crc32c(0, b, 508));
		OK(med.real->ops->write(med.real, b, 512, 0, &er) == 0);
		OK(store_open(&st, &med.io, &er) == -EPROTONOSUPPORT);
		tap_diag("%s", er.msg);
		OK(strchr(er.msg, '\n') == NULL);
		OK(at != 8 || strstr(er.msg, "version 2 is newer") != NULL);
		finish();
	}
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a failed write goes elsewhere once",
		    a_failed_write_goes_elsewhere_once },
		{ "a failed flush is final", a_failed_flush_is_final },
		{ "a rotten content is never given out",
		    a_rotten_content_is_never_given_out },
		{ "damage in the middle is said and not built upon",
		    damage_in_the_middle_is_said_and_not_built_upon },
		{ "a damaged newest area falls back",
		    a_damaged_newest_area_falls_back },
		{ "the superblock has a copy", the_superblock_has_a_copy },
		{ "what is no store is refused", what_is_no_store_is_refused },
		{ "a newer version is refused", a_newer_version_is_refused },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
