/*
 * fuzzurl.c: whatever text is given as an address, its parts are within
 * it, and nothing that a terminal or another format would understand
 * comes through.
 */
#include <stdlib.h>
#include <string.h>

#include "../sync/url.h"
#include "fuzzrun.h"

static void
no_control(const char *s)
{
	for (; *s != '\0'; s++)
		FUZZ_MUST((unsigned char)*s >= ' ' && *s != 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct url	 u;
	struct err	 e = { 0, "" };
	char		*s = malloc(n + 1);

	FUZZ_MUST(s != NULL);
	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	if (url_parse(&u, s, &e) == 0) {
		FUZZ_MUST(url_is(s) && strlen(s) <= 1024);
		FUZZ_MUST(u.port != 0);
		FUZZ_MUST(u.host[0] != '\0' && u.host[0] != '-');
		FUZZ_MUST(strpbrk(u.host, " ,*?!|/@[]") == NULL);
		FUZZ_MUST(u.path[0] != '\0');
		no_control(u.path);
		if (u.user != NULL) {
			FUZZ_MUST(u.user[0] != '\0' && u.user[0] != '-');
			no_control(u.user);
		}
	} else {
		FUZZ_MUST(e.msg[0] != '\0' && u.host == NULL);
		no_control(e.msg);
	}
	url_free(&u);
	free(s);
	return 0;
}

#ifndef LIBFUZZER
int
main(int argc, char **argv)
{
	static const char *const t[] = { "sftp://user@host.example:2222/p/q",
	    "sftp://[fe80::1%eth0]:22/~/store", "sftp://u%40x@h/a%20b%2f%00",
	    "sftp://u:password@h/p", "sftp://-h/p", "sftp://h:65536/" };
	struct buf	 seeds[sizeof(t) / sizeof(t[0])];
	size_t		 i, n = sizeof(t) / sizeof(t[0]);
	int		 rc;

	for (i = 0; i < n; i++) {
		seeds[i] = (struct buf)BUF_INIT;
		put_bytes(&seeds[i], t[i], strlen(t[i]));
	}
	rc = fuzz_main(argc, argv, seeds, n, 50000);
	for (i = 0; i < n; i++)
		buf_free(&seeds[i]);
	return rc;
}
#endif
