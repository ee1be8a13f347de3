/*
 * store.c: what the store keeps, and gives back.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "storekit.h"
#include "tap.h"

static void
every_type_comes_back(void)
{
	static const uint8_t	 x[] = "user.a\0\3\0\0\0abcuser.b\0\0\0\0\0";
	struct commit	 c;
	struct change	*ch;
	struct ents	 ov;
	struct ent	*e;
	int		 round;

	if (!begin(1 << 20, 512, 0))
		return;
	start(&c, "all");
	ch = add(&c, "", ENT_DIR);
	ch->e.mode = 0700;
	ch = add_file(&c, "a\nb \xff", "hello", 5);
	ch->e.mode = 06751;
	ch->e.uid = 4294967294u;
	ch->e.gid = 65534;
	ch->e.mtime = -5;
	ch->e.mtime_ns = 999999999;
	ch->e.xattr = malloc(sizeof(x) - 1);
	memcpy(ch->e.xattr, x, sizeof(x) - 1);
	ch->e.xattrlen = sizeof(x) - 1;
	add(&c, "dir", ENT_DIR)->e.mode = 01777;
	ch = add(&c, "dir/blk", ENT_BLK);
	ch->e.major = 4000000000u;
	ch->e.minor = 77;
	add(&c, "dir/chr", ENT_CHR)->e.minor = 3;
	add_text(&c, "dir/empty", "");
	add(&c, "dir/fifo", ENT_FIFO)->e.mtime = INT64_MAX;
	add(&c, "gone", ENT_WHITEOUT)->e.mode = 0123;	/* means nothing */
	ch = add_file(&c, "h1", "linked", 6);
	ch->e.link = 9;
	ch = add(&c, "h2", ENT_REG);
	ch->e.size = 6;
	hash_mem(&ch->e.hash, "linked", 6);
	ch->e.link = 9;
	add(&c, "lnk", ENT_LNK)->e.target = strdup("../to where");
	OK(put(&c) == 0);
	for (round = 0; round < 3; round++) {
		if (!OK(store_overlay(st, 1, &ov, &er) == 0))
			break;
		OK(ov.n == 11 && ov.v[0].mode == 0700);
		e = ents_find(&ov, "a\nb \xff");
		OK(e != NULL && e->mode == 06751 && e->uid == 4294967294u &&
		    e->gid == 65534 && e->mtime == -5 &&
		    e->mtime_ns == 999999999 && e->xattrlen == sizeof(x) - 1 &&
		    memcmp(e->xattr, x, sizeof(x) - 1) == 0);
		e = ents_find(&ov, "dir/blk");
		OK(e != NULL && e->type == ENT_BLK &&
		    e->major == 4000000000u && e->minor == 77);
		e = ents_find(&ov, "dir/chr");
		OK(e != NULL && e->type == ENT_CHR && e->minor == 3);
		e = ents_find(&ov, "dir/fifo");
		OK(e != NULL && e->type == ENT_FIFO && e->mtime == INT64_MAX);
		e = ents_find(&ov, "gone");
		OK(e != NULL && e->type == ENT_WHITEOUT && e->mode == 0);
		e = ents_find(&ov, "lnk");
		OK(e != NULL && strcmp(e->target, "../to where") == 0);
		e = ents_find(&ov, "h2");
		OK(e != NULL && e->link == 9);
		ents_free(&ov);
		OK(text_is(1, "a\nb \xff", "hello"));
		OK(text_is(1, "dir/empty", ""));
		OK(text_is(1, "h1", "linked") && text_is(1, "h2", "linked"));
		/* Once more as read back, then as a checkpoint carries it. */
		if (round == 1)
			while (size_of_last() <= 512)
				OK(put_text("z", "z") == 0);
		reopen();
	}
	clean();
	finish();
}

static void
who_and_why_come_back(void)
{
	struct commit	 c;

	if (!begin(1 << 20, 0, 0))
		return;
	start(&c, "why\nso");
	add_text(&c, "a", "1");
	c.v[0].uid = 7;
	strcpy(c.v[0].comm, "vi");
	add_text(&c, "b", "2");
	c.v[1].uid = 0;
	strcpy(c.v[1].comm, "fifteen-letters");
	OK(put(&c) == 0);
	memset(&c, 0, sizeof(c));	/* nobody, nothing */
	add_drop(&c, "a");
	c.v[0].uid = 8;
	OK(put(&c) == 0);
	OK(reopen());
	if (OK(store_record(st, 1, &c, &er) == 0)) {
		OK(c.time == 1700000000123456789 && c.uid == 1000);
		OK(strcmp(c.user, "joe") == 0 && strcmp(c.msg, "why\nso") == 0);
		OK(c.n == 2 && c.v[0].op == CHANGE_SET && c.v[0].uid == 7);
		OK(strcmp(c.v[0].comm, "vi") == 0 && c.v[0].data.len == 0);
		OK(strcmp(c.v[1].comm, "fifteen-letters") == 0);
		OK(c.v[1].uid == 0 && strcmp(c.v[1].e.path, "b") == 0);
		commit_free(&c);
	}
	if (OK(store_record(st, 2, &c, &er) == 0)) {
		OK(c.user == NULL && c.msg == NULL && c.n == 1);
		OK(c.v[0].op == CHANGE_DROP && c.v[0].uid == 8);
		OK(strcmp(c.v[0].e.path, "a") == 0);
		commit_free(&c);
	}
	OK(store_record(st, 3, &c, &er) == -ENOENT);
	OK(store_record(st, 0, &c, &er) == -ENOENT);
	finish();
}

static void
an_overlay_has_nothing_below_what_is_no_directory(void)
{
	struct commit	 c;

	if (!begin(1 << 20, 0, 0))
		return;
	start(&c, "tree");
	add(&c, "d", ENT_DIR);
	add_text(&c, "d/a", "1");
	add_text(&c, "d/e/b", "2");
	add_text(&c, "d.x", "3");
	OK(put(&c) == 0);
	/* The whiteout takes all below it along, and dropping is no error. */
	start(&c, "gone");
	add(&c, "d", ENT_WHITEOUT);
	add_drop(&c, "d/a");
	OK(put(&c) == 0);
	OK(!has(2, "d/a") && !has(2, "d/e/b") && has(2, "d") && has(2, "d.x"));
	start(&c, "below a whiteout");
	add_text(&c, "d/a", "1");
	OK(put(&c) == -EINVAL);
	start(&c, "back");
	add_drop(&c, "d");
	add_drop(&c, "never was");
	OK(put(&c) == 0);
	OK(!has(3, "d") && has(3, "d.x") && has(1, "d/e/b"));
	start(&c, "both");
	add(&c, "q", ENT_FIFO);
	add_text(&c, "q/below", "1");
	OK(put(&c) == -EINVAL);
	OK(store_head(st) == 3);
	OK(reopen() && !has(3, "d") && has(2, "d"));
	clean();
	finish();
}

static void
what_can_not_be_is_refused_and_changes_nothing(void)
{
	struct commit	 c;

	if (!begin(1 << 20, 0, 0))
		return;
	OK(put_text("a", "1") == 0);
	reset_counts();
	start(&c, "order");
	add_text(&c, "b", "1");
	add_text(&c, "a", "1");
	OK(put(&c) == -EINVAL);
	start(&c, "twice");
	add_text(&c, "b", "1");
	add_text(&c, "b", "2");
	OK(put(&c) == -EINVAL);
	start(&c, "path");
	add_text(&c, "../b", "1");
	OK(put(&c) == -EINVAL);
	start(&c, "socket");
	add(&c, "s", ENT_SOCK);
	OK(put(&c) == -EINVAL);
	start(&c, "hash");
	add_text(&c, "b", "1");
	c.v[0].e.hash.b[3] ^= 1;
	OK(put(&c) == -EINVAL);
	start(&c, "no content");
	add_text(&c, "b", "12");
	c.v[0].data.len = 0;
	OK(put(&c) == -EINVAL);
	OK(med.writes == 0 && store_head(st) == 1 && !store_failed(st));
	OK(put_text("b", "2") == 0);
	finish();
}

static void
one_commit_is_one_write_and_one_flush(void)
{
	struct buf	 b = BUF_INIT;
	int		 i, switches = 0;

	if (!begin(64 * 1024, 512, 0))
		return;
	for (i = 0; i < 200; i++) {
		lines(&b, 1, 40, 7, (unsigned)i);
		put_u8(&b, '\0');
		reset_counts();
		OK(put_text("rc.conf", (char *)b.p) == 0);
		OK(med.writes == 1 && med.flushes == 1);
		OK(med.written == size_of_last());
		if (med.written > 512 && i > 0)
			switches++;
	}
	OK(switches >= 5);
	buf_free(&b);
	finish();
}

static void
history_lasts_over_compactions(void)
{
	struct commit	 c;
	char		 text[64], path[32];
	uint64_t	 g, old;
	int		 i;

	if (!begin(256 * 1024, 512, 0))
		return;
	for (i = 1; i <= 2000; i++) {
		(void)snprintf(text, sizeof(text), "this is number %d", i);
		(void)snprintf(path, sizeof(path), "f%d", i % 20);
		if (!OK(put_text(path, text) == 0))
			break;
		if (i % 97 == 0 && !reopen())
			return;
	}
	old = store_oldest(st);
	tap_diag("256 KiB, 512: oldest %" PRIu64 " of 2000", old);
	OK(old > 1 && old < 1800);
	for (g = old + 1; g <= 2000; g += 13) {
		(void)snprintf(text, sizeof(text), "this is number %d", (int)g);
		(void)snprintf(path, sizeof(path), "f%d", (int)g % 20);
		OK(text_is(g, path, text));
		if (OK(store_record(st, g, &c, &er) == 0)) {
			OK(c.n == 1 && strcmp(c.v[0].e.path, path) == 0);
			commit_free(&c);
		}
	}
	OK(has(old, "f1") && !has(old - 1, "f1") && er.code == ENOENT);
	clean();
	finish();
}

static void
a_full_store_says_so_before_it_writes(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	struct store_space sp;
	int		 i;

	if (!begin(64 * 1024, 512, 0))
		return;
	noise(&b, 9000, 7);
	start(&c, "large");
	add_file(&c, "big", b.p, b.len);
	OK(put(&c) == 0);
	OK(put_text("a", "before") == 0);
	reset_counts();
	noise(&b, 9000, 8);
	start(&c, "too large");
	add_text(&c, "a", "after");
	add_file(&c, "big2", b.p, b.len);
	OK(put(&c) == -ENOSPC);
	OK(med.writes == 0 && med.flushes == 0 && !store_failed(st));
	store_space(st, &sp);
	OK(sp.left < 9000 && sp.live > 9000 && sp.area > sp.live);
	OK(text_is(2, "a", "before") && store_head(st) == 2);
	/* To replace what is large is possible, where both don't fit. */
	for (i = 0; i < 20; i++) {
		noise(&b, 9000, (uint64_t)(20 + i));
		start(&c, "instead");
		add_file(&c, "big", b.p, b.len);
		OK(put(&c) == 0);
		OK(content_is(store_head(st), "big", b.p, b.len));
		OK(put_text("a", i % 2 == 0 ? "x" : "y") == 0);
	}
	OK(reopen() && content_is(store_head(st), "big", b.p, b.len));
	if (OK(store_record(st, store_head(st) - 1, &c, &er) == 0)) {
		OK(c.n == 1 && strcmp(c.v[0].e.path, "big") == 0);
		OK(c.msg != NULL && strcmp(c.msg, "instead") == 0);
		commit_free(&c);
	}
	start(&c, "away");
	add_drop(&c, "big");
	OK(put(&c) == 0);
	clean();
	buf_free(&b);
	finish();
}

/* What a store that was just opened says of gen is what `st` says. */
static void
as_opened(uint64_t gen, bool record)
{
	struct store	*s = NULL;
	struct ents	 a, b;
	struct commit	 c, d;
	size_t		 i;

	if (!OK(store_open(&s, &med.io, &er) == 0))
		return;
	if (record) {
		OK(store_record(st, gen, &c, &er) == 0);
		OK(store_record(s, gen, &d, &er) == 0);
		OK(c.n == d.n && c.time == d.time &&
		    strcmp(c.msg, d.msg) == 0);
		for (i = 0; i < c.n && i < d.n; i++)
			OK(c.v[i].op == d.v[i].op &&
			    ent_equal(&c.v[i].e, &d.v[i].e));
		commit_free(&c);
		commit_free(&d);
	} else {
		OK(store_overlay(st, gen, &a, &er) == 0);
		OK(store_overlay(s, gen, &b, &er) == 0);
		OK(ents_equal(&a, &b));
		ents_free(&a);
		ents_free(&b);
	}
	store_close(s);
}

static void
generations_are_the_same_in_any_order(void)
{
	uint64_t	 seed = tap_seed(20261125), n, oldest, i, next = 3;
	char		 path[16], text[32];

	if (!begin(1 << 18, 512, 4))
		return;
	for (i = 0; i < 9000; i++) {
		(void)snprintf(path, sizeof(path), "f%u",
		    (unsigned)(tap_rand(&seed) % 20));
		(void)snprintf(text, sizeof(text), "%u\n", (unsigned)i);
		OK(put_text(path, text) == 0);
		/* It is asked while it grows, too, often, and then so rarely
		 * that all areas were written anew meanwhile. */
		if (i < next)
			continue;
		as_opened(store_head(st) - i % 3, i % 2 == 0);
		next = i + (i < 1000 ? 7 : 300 + tap_rand(&seed) % 300);
	}
	oldest = store_oldest(st);
	n = store_head(st) - oldest;
	OK(oldest > 1 && n > 100);
	/* The oldest may have left its state alone. */
	for (i = 0; i < 300; i++)
		as_opened(oldest + 1 + tap_rand(&seed) % n, i % 3 == 0);
	for (i = oldest + 1; i <= store_head(st); i++)
		as_opened(i, i % 2 == 0);
	finish();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "every type of entry comes back", every_type_comes_back },
		{ "who and why come back", who_and_why_come_back },
		{ "an overlay has nothing below what is no directory",
		    an_overlay_has_nothing_below_what_is_no_directory },
		{ "what can't be is refused and changes nothing",
		    what_can_not_be_is_refused_and_changes_nothing },
		{ "one commit is one write and one flush",
		    one_commit_is_one_write_and_one_flush },
		{ "history lasts over compactions",
		    history_lasts_over_compactions },
		{ "generations are the same in any order",
		    generations_are_the_same_in_any_order },
		{ "a full store says so before it writes",
		    a_full_store_says_so_before_it_writes },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
