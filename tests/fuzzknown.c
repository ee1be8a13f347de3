/*
 * fuzzknown.c: whatever a file of known hosts holds does its reader no
 * harm, and never makes a key known that is not in it.
 */
#include <stdlib.h>
#include <string.h>

#include "../sync/b64.h"
#include "../sync/keys.h"
#include "../sync/sshwire.h"
#include "fuzzrun.h"

/* A blob of a key, filled with one byte. */
static size_t
make_key(uint8_t *out, const char *type, int fill)
{
	struct buf	 b = BUF_INIT;
	uint8_t		 k[32];
	size_t		 n;

	memset(k, fill, sizeof(k));
	sw_putstr(&b, type, strlen(type));
	sw_putstr(&b, k, sizeof(k));
	FUZZ_MUST(!b.bad);
	n = b.len;
	memcpy(out, b.p, n);
	buf_free(&b);
	return n;
}

/* The line that was found has that very key. */
static void
has_key(const struct buf *known, size_t line, const uint8_t *key, size_t n)
{
	const uint8_t	*p = known->p, *end = known->p + known->len, *q;
	uint8_t		 blob[16384];
	ssize_t		 len;

	while (--line > 0) {
		p = memchr(p, '\n', (size_t)(end - p));
		FUZZ_MUST(p != NULL);
		p++;
	}
	if ((q = memchr(p, '\n', (size_t)(end - p))) == NULL)
		q = end;
	for (; p < q; p++) {
		size_t	 k = 0;

		while (k < (size_t)(q - p) && p[k] != ' ' && p[k] != '\t' &&
		    p[k] != '\r')
			k++;
		len = b64_get(p, k, blob, sizeof(blob));
		if (len >= 0 && (size_t)len == n && memcmp(blob, key, n) == 0)
			return;
		p += k;
	}
	FUZZ_MUST(!"the line has the key");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const hosts[] = { "box.example.org", "BOX", "::1",
	    "192.0.2.7" };
	struct buf	 known = { NULL, n, n, false };
	uint8_t		 key[128];
	char		 types[40];
	size_t		 i, k, len, line;
	enum known	 r;

	if (n > 0) {
		known.p = malloc(n);
		FUZZ_MUST(known.p != NULL);
		memcpy(known.p, p, n);
	}
	for (i = 0; i < 4; i++)
		for (k = 0; k < 4; k++) {
			uint16_t	 port = k % 2 ? 22 : 2222;

			len = make_key(key, "ssh-ed25519", k < 2 ? 'A' : 'B');
			line = 99;
			r = known_check(&known, hosts[i], port, key, len, &line);
			FUZZ_MUST((line == 0) == (r == KNOWN_NO));
			if (r == KNOWN_YES || r == KNOWN_REVOKED)
				has_key(&known, line, key, len);
			memset(types, 'x', sizeof(types));
			known_types(&known, hosts[i], port, types,
			    sizeof(types));
			FUZZ_MUST(memchr(types, '\0', sizeof(types)) != NULL);
			FUZZ_MUST(r != KNOWN_YES ||
			    strstr(types, "ssh-ed25519") != NULL ||
			    strlen(types) > 20);
		}
	free(known.p);
	return 0;
}

#ifndef LIBFUZZER
static void
seed(struct buf *b, const char *names, const char *type, int fill)
{
	uint8_t	 key[128];
	size_t	 n = make_key(key, type, fill);

	put_fmt(b, "%s %s ", names, type);
	b64_put(b, key, n);
	put_fmt(b, " comment\n");
}

int
main(int argc, char **argv)
{
	struct buf	 s[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	size_t		 i;
	int		 rc;

	seed(&s[0], "box.example.org,192.0.2.7", "ssh-ed25519", 'A');
	seed(&s[0], "[box]:2222,::1", "ecdsa-sha2-nistp256", 'B');
	seed(&s[1], "*.example.org,!bad.example.org", "ssh-ed25519", 'B');
	seed(&s[1], "@revoked *", "ssh-ed25519", 'A');
	seed(&s[1], "@cert-authority *", "ssh-ed25519", 'B');
	seed(&s[2], "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|"
	    "3988QV0VE8wmZL7suNrYQLITLCg=", "ssh-ed25519", 'A');
	seed(&s[2], "[192.0.2.7]:2222", "ssh-ed25519", 'A');
	put_fmt(&s[2], "# a comment\n\n");
	rc = fuzz_main(argc, argv, s, 3, 20000);
	for (i = 0; i < 3; i++)
		buf_free(&s[i]);
	return rc;
}
#endif
