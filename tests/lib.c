/*
 * lib.c: the promises of lib/: buffers, checksums, hashes, paths.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../lib/crc.h"
#include "../lib/err.h"
#include "../lib/hash.h"
#include "../lib/path.h"
#include "tap.h"

static void
numbers_come_back(void)
{
	static const uint64_t v[] = { 0, 1, 127, 128, 300, 1u << 31,
	    UINT64_MAX >> 1, UINT64_MAX };
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	size_t		 i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		put_var(&b, v[i]);
		put_le64(&b, v[i]);
		put_le32(&b, (uint32_t)v[i]);
		put_le16(&b, (uint16_t)v[i]);
	}
	r = (struct rd){ b.p, b.len, false };
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		OK(rd_var(&r) == v[i]);
		OK(rd_le64(&r) == v[i]);
		OK(rd_le32(&r) == (uint32_t)v[i]);
		OK(rd_le16(&r) == (uint16_t)v[i]);
	}
	OK(!r.bad && r.n == 0);
	OK(rd_u8(&r) == 0 && r.bad);
	buf_free(&b);
}

static void
overlong_numbers_are_refused(void)
{
	static const uint8_t big[11] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	    0xff, 0xff, 0xff, 0x02, 0 };
	struct rd	 r = { big, sizeof(big), false };

	OK(rd_var(&r) == 0 && r.bad);
	r = (struct rd){ big, 3, false };
	OK(rd_var(&r) == 0 && r.bad);
	r = (struct rd){ (const uint8_t *)"\x05", 1, false };
	OK(rd_len(&r, 4) == 0 && r.bad);
}

static void
checksums_are_the_standards(void)
{
	struct hash	 h, g;
	struct hash_ctx	*c = NULL;
	uint8_t		 zero[32] = { 0 };

	OK(crc32c(0, "123456789", 9) == 0xe3069283u);
	OK(crc32c(0, zero, 32) == 0x8a9136aau);		/* RFC 3720 B.4 */
	OK(crc32c(crc32c(0, "12345", 5), "6789", 4) == 0xe3069283u);
	hash_mem(&h, "abc", 3);				/* FIPS 180-4 */
	OK(memcmp(h.b, "\xba\x78\x16\xbf\x8f\x01\xcf\xea"
	    "\x41\x41\x40\xde\x5d\xae\x22\x23", HASH_LEN) == 0);
	OK(hash_begin(&c) == 0);
	hash_add(c, "a", 1);
	hash_add(c, "bc", 2);
	hash_end(c, &g);
	OK(memcmp(h.b, g.b, HASH_LEN) == 0);
}

static void
bad_paths_are_refused(void)
{
	char	 n256[257];

	memset(n256, 'x', 256);
	n256[256] = '\0';
	OK(path_ok("", 0) && path_ok("a", 1) && path_ok("a/b", 3));
	OK(path_ok(n256, 255) && path_ok("...", 3) && path_ok("\n\xff", 2));
	OK(!path_ok("/a", 2) && !path_ok("a/", 2) && !path_ok("a//b", 4));
	OK(!path_ok(".", 1) && !path_ok("..", 2) && !path_ok("a/../b", 6));
	OK(!path_ok(n256, 256) && !path_ok("a\0b", 3));
}

static void
a_directory_comes_just_before_what_it_holds(void)
{
	OK(path_cmp("a", "a/b") < 0 && path_cmp("a/b", "a.b") < 0);
	OK(path_cmp("a/b", "a b") < 0 && path_cmp("", "a") < 0);
	OK(path_cmp("a", "a") == 0 && path_cmp("b", "a/z") > 0);
	OK(path_cmp("a\xff", "a\x01") > 0);
	OK(path_within("a/b", "a") && path_within("a", "a"));
	OK(path_within("a", "") && !path_within("ab", "a"));
}

static void
vis(const char *in, const char *want)
{
	char	*s = path_vis(in);

	if (!OK(s != NULL && strcmp(s, want) == 0))
		tap_diag("have %s", s);
	free(s);
}

static void
any_name_is_one_printable_line(void)
{
	vis("rc.conf", "rc.conf");
	vis("", "");
	vis("a b", "a b");
	vis("gr\xc3\xbc\xc3\x9f" "e", "gr\xc3\xbc\xc3\x9f" "e");
	vis("a\nb", "\"a\\nb\"");
	vis("a\"\\", "\"a\\\"\\\\\"");
	vis("\x1b[31m", "\"\\033[31m\"");
	vis("\xff", "\"\\377\"");
	vis("\xc0\xaf", "\"\\300\\257\"");	/* overlong */
	vis("\xe2\x80\xae", "\"\\342\\200\\256\"");	/* turns text round */
}

static void
an_error_is_one_line_with_its_reason_whatever_the_name(void)
{
	struct err	 e = { 0, "" };
	char		 big[3000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	OK(err_set(&e, ENOSPC, "write %s", big) == -ENOSPC);
	OK(strstr(e.msg, strerror(ENOSPC)) != NULL);
	OK(err_setx(&e, EINVAL, "a %d", 5) == -EINVAL);
	OK(strcmp(e.msg, "a 5") == 0 && e.code == EINVAL);
	OK(err_set(NULL, EIO, "x") == -EIO);
	(void)err_set(&e, EIO, "read %s", "a\nb\x1b[31m");
	OK(strncmp(e.msg, "read a?b?[31m: ", 15) == 0);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "numbers come back from their bytes", numbers_come_back },
		{ "overlong numbers are refused",
		    overlong_numbers_are_refused },
		{ "checksums are the standards'",
		    checksums_are_the_standards },
		{ "bad paths are refused", bad_paths_are_refused },
		{ "a directory comes just before what it holds",
		    a_directory_comes_just_before_what_it_holds },
		{ "any name is one printable line",
		    any_name_is_one_printable_line },
		{ "an error is one line with its reason, whatever the name",
		    an_error_is_one_line_with_its_reason_whatever_the_name },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
