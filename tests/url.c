/*
 * url.c: the promises of sync/url.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/url.h"
#include "tap.h"

static bool
same(const char *have, const char *want)
{
	if (have == NULL || want == NULL)
		return have == want;
	return strcmp(have, want) == 0;
}

static void
an_address_comes_apart(void)
{
	static const struct {
		const char	*url, *user, *host;
		uint16_t	 port;
		const char	*path;
	} t[] = {
		{ "sftp://h/p", NULL, "h", 22, "/p" },
		{ "SFTP://h/p", NULL, "h", 22, "/p" },
		{ "sftp://u@h:1/p/q", "u", "h", 1, "/p/q" },
		{ "sftp://u@box.example.org:65535/a//b", "u",
		    "box.example.org", 65535, "/a//b" },
		{ "sftp://h:00022/p", NULL, "h", 22, "/p" },
		{ "sftp://192.0.2.1:2222/p", NULL, "192.0.2.1", 2222, "/p" },
		{ "sftp://[::1]/p", NULL, "::1", 22, "/p" },
		{ "sftp://u@[fe80::1%eth0]:22/p", "u", "fe80::1%eth0", 22,
		    "/p" },
		{ "sftp://a@b@h/p", "a@b", "h", 22, "/p" },
		{ "sftp://a%40b%2Fc%3a@h/p", "a@b/c:", "h", 22, "/p" },
		{ "sftp://h/a%20b%2f%25", NULL, "h", 22, "/a b/%" },
		{ "sftp://h/p@q:r?s#t", NULL, "h", 22, "/p@q:r?s#t" },
		{ "sftp://h/~/p/q", NULL, "h", 22, "p/q" },
		{ "sftp://h/~//p", NULL, "h", 22, "p" },
		{ "sftp://h/~/-p", NULL, "h", 22, "-p" },
		{ "sftp://h/~user/p", NULL, "h", 22, "/~user/p" },
		{ "sftp://h/%7E/p", NULL, "h", 22, "/~/p" },
		{ "sftp://h/\xc3\xa4", NULL, "h", 22, "/\xc3\xa4" },
	};
	struct url	 u;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		e.msg[0] = '\0';
		if (!OK(url_is(t[i].url) && url_parse(&u, t[i].url, &e) == 0) ||
		    !OK(same(u.user, t[i].user)) ||
		    !OK(same(u.host, t[i].host)) ||
		    !OK(u.port == t[i].port) || !OK(same(u.path, t[i].path)))
			tap_diag("%s: %s", t[i].url, e.msg);
		url_free(&u);
		url_free(&u);
	}
}

static void
what_is_none_says_why(void)
{
	static const struct {
		const char	*url, *why;
	} t[] = {
		{ "", "not sftp" }, { "/etc", "not sftp" },
		{ "sftp:/h/p", "not sftp" }, { "ssh://h/p", "not sftp" },
		{ "sftp://", "no host" }, { "sftp:///p", "no host" },
		{ "sftp://u@/p", "no host" }, { "sftp://:22/p", "no host" },
		{ "sftp://[]/p", "IPv6" },
		{ "sftp://[::1/p", "no ']'" }, { "sftp://[h]/p", "IPv6" },
		{ "sftp://[::1]x/p", "':' and a port" },
		{ "sftp://::1/p", "no host" },
		{ "sftp://2001:db8::1/p", "brackets" },
		{ "sftp://h", "no path" }, { "sftp://h/", "no path" },
		{ "sftp://h//", "no path" }, { "sftp://h/~/", "no path" },
		{ "sftp://h:/p", "a port" }, { "sftp://h:0/p", "a port" },
		{ "sftp://h:65536/p", "a port" },
		{ "sftp://h:4294967318/p", "a port" },
		{ "sftp://h:+22/p", "a port" }, { "sftp://h:22x/p", "a port" },
		{ "sftp://@h/p", "no user" },
		{ "sftp://u:secret@h/p", "password" },
		{ "sftp://u:@h/p", "password" },
		{ "sftp://-u@h/p", "begin with '-'" },
		{ "sftp://%2du@h/p", "begin with '-'" },
		{ "sftp://-oProxyCommand=x/p", "begin with '-'" },
		{ "sftp://u@-h/p", "begin with '-'" },
		{ "sftp://h/a%", "hex" }, { "sftp://h/a%2", "hex" },
		{ "sftp://h/a%zz", "hex" }, { "sftp://h/%+1", "hex" },
		{ "sftp://h/a%00b", "control" }, { "sftp://h/a\nb", "control" },
		{ "sftp://h/a%7f", "control" }, { "sftp://h/%1b[m", "control" },
		{ "sftp://u%0a@h/p", "control" },
		{ "sftp://h%61/p", "a host has" }, { "sftp://h*/p", "a host has" },
		{ "sftp://h,i/p", "a host has" }, { "sftp://h i/p", "a host has" },
		{ "sftp://\xc3\xa4/p", "a host has" },
		{ "sftp://h\t/p", "a host has" },
	};
	struct url	 u;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		e.msg[0] = '\0';
		if (!OK(url_parse(&u, t[i].url, &e) == -EINVAL) ||
		    !OK(strstr(e.msg, t[i].why) != NULL) ||
		    !OK(strstr(e.msg, "secret") == NULL) ||
		    !OK(strpbrk(e.msg, "\n\t\033") == NULL) ||
		    !OK(u.user == NULL && u.host == NULL && u.path == NULL))
			tap_diag("%s: %s", t[i].url, e.msg);
		url_free(&u);
	}
}

static void
a_password_is_in_no_message(void)
{
	static const char *const t[] = { "sftp://u:secret@h/p",
	    "sftp://u:secret@h:0/p", "sftp://u:secret/secret@h/p",
	    "sftp://u:secret@secret@h", "sftp://u:secret%@h/p" };
	struct url	 u;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (!OK(url_parse(&u, t[i], &e) == -EINVAL) ||
		    !OK(strstr(e.msg, "secret") == NULL))
			tap_diag("%s", e.msg);
}

static void
over_1024_bytes_is_too_long(void)
{
	struct url	 u;
	struct err	 e;
	char		 s[1026];

	memset(s, 'a', sizeof(s));
	memcpy(s, "sftp://h/", 9);
	s[1024] = '\0';
	OK(url_parse(&u, s, &e) == 0 && strlen(u.path) == 1024 - 8);
	url_free(&u);
	s[1024] = 'a';
	s[1025] = '\0';
	OK(url_parse(&u, s, &e) == -EINVAL && strlen(e.msg) < 80);
	memset(s, 'a', 300);
	memcpy(s, "sftp://", 7);
	memcpy(s + 7 + 255, "/p", 3);
	OK(url_parse(&u, s, &e) == 0 && strlen(u.host) == 255);
	url_free(&u);
	memcpy(s + 7 + 255, "a/p", 4);
	OK(url_parse(&u, s, &e) == -EINVAL);
}

static void
a_path_is_no_address(void)
{
	static const char *const t[] = { "", "sftp", "sftp:", "sftp:/",
	    "sftp:/x", "/sftp://h/p", " sftp://h/p", "./sftp://h/p",
	    "host:/path", "/dev/mmcblk0p3", "sftps://h/p" };
	size_t	 i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		OK(!url_is(t[i]));
	OK(url_is("sftp://") && url_is("sftp:///") && url_is("Sftp://h"));
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "an address comes apart", an_address_comes_apart },
		{ "what is none says why", what_is_none_says_why },
		{ "a password is in no message", a_password_is_in_no_message },
		{ "over 1024 bytes is too long", over_1024_bytes_is_too_long },
		{ "a path is no address", a_path_is_no_address },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
