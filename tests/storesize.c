/*
 * storesize.c: what the store costs: bytes written, bytes read, room.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../sync/delta.h"
#include "storekit.h"
#include "tap.h"

static void
small_commits_are_small(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	char		 path[40];
	uint64_t	 want[2][3] = { { 512, 512, 1024 },
	    { 4096, 4096, 4096 } };
	int		 n[3] = { 1, 10, 30 }, i, f, k, round;

	for (k = 0; k < 2; k++) {
		if (!begin(1 << 20, k == 0 ? 512 : 4096, 0))
			return;
		for (i = 0; i < 3; i++)
			for (round = 0; round < 2; round++) {
				start(&c, "edit");
				for (f = 0; f < n[i]; f++) {
					(void)snprintf(path, sizeof(path),
					    "d%d/file%02d.conf", f / 10, f);
					lines(&b, (unsigned)f, i == 0 ? 40 :
					    300, 20, (unsigned)round * 77u);
					add_file(&c, path, b.p, b.len)->
					    e.mtime_ns = (uint32_t)f * 777777u;
				}
				OK(put(&c) == 0);
				if (round == 0)
					continue;
				tap_diag("align %d, %d files: %" PRIu64
				    " bytes", k == 0 ? 512 : 4096, n[i],
				    size_of_last());
				OK(size_of_last() <= want[k][i]);
			}
		finish();
	}
	buf_free(&b);
}

/* Bytes of the delta; it must give the new content back. */
static size_t
delta(const struct buf *a, const struct buf *b)
{
	struct buf	 d = BUF_INIT;
	uint8_t		*out = malloc(b->len + 1), how;
	size_t		 n;

	OK(delta_make(&d, &how, a->p, a->len, b->p, b->len) == 0);
	OK(delta_apply(out, b->len, a->p, a->len, how, d.p, d.len) == 0);
	OK(memcmp(out, b->p, b->len) == 0);
	n = d.len;
	free(out);
	buf_free(&d);
	return n;
}

static void
rules(struct buf *b, const char *macro, int every)
{
	int	 i;

	b->len = 0;
	for (i = 0; i < 1500; i++)
		put_fmt(b, "pass in quick on %s proto %s from 10.%d.%d.0/24 "
		    "to port %d\n", macro, every > 0 && i % every == 5 ?
		    "udp" : "tcp", i * 31 % 256, i * 77 % 256,
		    i * 7919 % 65536);
}

static void
a_delta_costs_what_changed(void)
{
	struct buf	 a = BUF_INIT, b = BUF_INIT;
	size_t		 n;

	lines(&a, 3, 60, 20, 5);
	lines(&b, 3, 60, 20, 123);
	OK((n = delta(&a, &b)) <= 13);
	tap_diag("one value: %zu", n);
	lines(&a, 3, 3000, 1500, 5);
	lines(&b, 3, 3000, 1500, 1234567);
	OK((n = delta(&a, &b)) <= 16);
	tap_diag("one value in the middle of %zu: %zu", b.len, n);
	rules(&a, "$ext_if", 0);
	rules(&b, "$ext_if", 30);
	OK((n = delta(&a, &b)) <= 319);
	tap_diag("50 scattered edits of %zu: %zu", b.len, n);
	rules(&b, "$wan0_if", 0);
	OK((n = delta(&a, &b)) <= 863);
	tap_diag("a macro renamed in 1500 lines: %zu", n);
	b.len = 0;
	put_bytes(&b, a.p, 30000);
	put_bytes(&b, a.p + 33000, 40000);
	put_bytes(&b, a.p + 30000, 3000);
	put_bytes(&b, a.p + 73000, a.len - 73000);
	OK((n = delta(&a, &b)) <= 30);
	tap_diag("a block moved: %zu", n);
	noise(&a, 24000, 5);
	b.len = 0;
	put_bytes(&b, a.p, a.len);
	noise(&a, 40, 6);
	memcpy(b.p + 9000, a.p, 40);
	noise(&a, 24000, 5);
	OK((n = delta(&a, &b)) <= 60);
	tap_diag("40 bytes of a binary: %zu", n);
	b.len = 0;
	OK(delta(&b, &a) > a.len && delta(&a, &a) <= 4);
	buf_free(&a);
	buf_free(&b);
}

/* Any bytes for a delta: an error or the length asked for, no more. */
static void
a_hostile_delta_is_refused(void)
{
	uint64_t	 r = tap_seed(11);
	struct buf	 a = BUF_INIT, b = BUF_INIT, d = BUF_INIT;
	uint8_t		*out, how;
	size_t		 good = 0;
	int		 i, k;

	lines(&a, 3, 60, 20, 5);
	lines(&b, 3, 62, 30, 77);
	out = malloc(b.len);
	for (i = 0; i < 20000; i++) {
		d.len = 0;
		OK(delta_make(&d, &how, a.p, a.len, b.p, b.len) == 0);
		for (k = 0; k < 3; k++)
			d.p[tap_rand(&r) % d.len] = (uint8_t)tap_rand(&r);
		if (tap_rand(&r) % 4 == 0)
			how = (uint8_t)(tap_rand(&r) % 5);
		if (delta_apply(out, b.len, a.p, a.len, how, d.p,
		    tap_rand(&r) % (d.len + 1)) == 0)
			good++;
	}
	OK(good < 20000);
	free(out);
	buf_free(&a);
	buf_free(&b);
	buf_free(&d);
}

static void
any_medium_has_a_geometry(void)
{
	static const uint64_t	 size[] = { 64 * 1024, 1 << 20, 1030 * 1024,
	    16 << 20 };
	struct store_space	 sp;
	size_t			 i, k;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		for (k = 0; k < 3; k++) {
			if (!begin(size[i], k == 0 ? 0 : k == 1 ? 512 : 4096,
			    k == 2 ? 3 : 0))
				continue;
			store_space(st, &sp);
			OK(sp.size == size[i] &&
			    sp.align == (k == 1 ? 512 : 4096));
			OK(put_text("a", "1") == 0 && put_text("a", "2") == 0);
			OK(put_text("a", "3") == 0 && put_text("a", "4") == 0);
			OK(reopen() && text_is(4, "a", "4"));
			clean();
			finish();
		}
}

static void
opening_reads_little_of_a_large_store(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	char		 path[32];
	int		 i;

	if (!begin(256u << 20, 4096, 0))
		return;
	noise(&b, 1 << 20, 3);
	for (i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "f%02d", i);
		memcpy(b.p, path, 3);
		start(&c, "large");
		add_file(&c, path, b.p, b.len);
		OK(put(&c) == 0);
	}
	OK(put_text("small", "1") == 0);
	reset_counts();
	OK(reopen() && store_head(st) == 21);
	tap_diag("256 MiB with 20 MiB in it: %" PRIu64 " bytes read",
	    med.read);
	OK(med.read < 1 << 20 && med.writes == 0);
	buf_free(&b);
	finish();
}

static void
a_large_content_fits(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;

	if (!begin(272u << 20, 4096, 0))
		return;
	noise(&b, 64u << 20, 3);
	start(&c, "64 MiB");
	add_file(&c, "big", b.p, b.len);
	OK(put(&c) == 0);
	b.p[40u << 20] ^= 1;
	start(&c, "one byte");
	add_file(&c, "big", b.p, b.len);
	OK(put(&c) == 0);
	OK(size_of_last() == 4096);
	OK(content_is(2, "big", b.p, b.len));
	buf_free(&b);
	finish();
}

static void
many_entries_fit(void)
{
	struct commit	 c;
	struct ents	 ov;
	char		 path[400];
	int		 i;

	if (!begin(16 << 20, 4096, 0))
		return;
	start(&c, "many");
	memset(path, 'n', sizeof(path));
	for (i = 0; i < 10000; i++) {
		(void)snprintf(path, sizeof(path), "d%03d/%05d", i / 50, i);
		add_text(&c, path, path);
	}
	OK(put(&c) == 0);
	tap_diag("10,000 files: %" PRIu64 " bytes", size_of_last());
	OK(put_text("x", "1") == 0 && size_of_last() == 4096);
	OK(reopen());
	if (OK(store_overlay(st, 2, &ov, &er) == 0)) {
		OK(ov.n == 10001);
		ents_free(&ov);
	}
	OK(text_is(2, "d199/09999", "d199/09999"));
	clean();
	finish();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "small commits are small", small_commits_are_small },
		{ "a delta costs what changed", a_delta_costs_what_changed },
		{ "a hostile delta is refused", a_hostile_delta_is_refused },
		{ "any medium has a geometry", any_medium_has_a_geometry },
		{ "opening reads little of a large store",
		    opening_reads_little_of_a_large_store },
		{ "a large content fits", a_large_content_fits },
		{ "many entries fit", many_entries_fit },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
