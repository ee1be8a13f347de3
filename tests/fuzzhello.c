/*
 * fuzzhello.c: whatever a server says first, or a file of a private key
 * holds, is looked at without harm, and lists come out clean.
 */
#include <stdlib.h>
#include <string.h>

#include "../sync/b64.h"
#include "../sync/hello.h"
#include "../sync/keyfile.h"
#include "../sync/sshwire.h"
#include "fuzzrun.h"

static void
clean(const char *s, size_t len)
{
	FUZZ_MUST(memchr(s, '\0', len) != NULL);
	for (; *s != '\0'; s++)
		FUZZ_MUST(*s > ' ' && *s < 0x7f);
}

static void
lists(const struct hello *h)
{
	static const char *const have[] = { "ssh-ed25519", "b", "x" };
	char	 out[40] = "";

	clean(h->kex, sizeof(h->kex));
	clean(h->hostkey, sizeof(h->hostkey));
	hello_both(out, sizeof(out), h->hostkey, have, 3);
	clean(out, sizeof(out));
	FUZZ_MUST(*out == '\0' || hello_common(out, h->hostkey));
	FUZZ_MUST(*out == '\0' || hello_common("ssh-ed25519,b,x", out));
	hello_both(out, sizeof(out), h->hostkey, have, 3);
	FUZZ_MUST(strlen(out) <= strlen("ssh-ed25519,b,x"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf	 file = { NULL, n, n, false };
	struct keyfile	 k;
	struct hello	 h;
	enum hello_is	 is = hello_look(&h, p, n);

	FUZZ_MUST((is == HELLO_NOTHING) == (n == 0));
	if (is == HELLO_LISTS)
		lists(&h);
	if (n > 0) {
		file.p = malloc(n);
		FUZZ_MUST(file.p != NULL);
		memcpy(file.p, p, n);
	}
	FUZZ_MUST(keyfile_look(&k, &file) == 0);
	FUZZ_MUST(k.pub.len <= n && (k.pub.len == 0 || k.is_key));
	FUZZ_MUST(k.is_key || !k.encrypted || k.pub.len == 0);
	buf_free(&k.pub);
	free(file.p);
	return 0;
}

#ifndef LIBFUZZER
static void
seed_server(struct buf *b)
{
	static const char	 kex[] = "curve25519-sha256,x";
	static const char	 keys[] = "ssh-ed25519,b,rsa-sha2-512";

	put_fmt(b, "Welcome\r\nSSH-2.0-OpenSSH_9.2p1\r\n");
	sw_put32(b, 200);
	put_u8(b, 4);
	put_u8(b, 20);
	put_zero(b, 16);
	sw_putstr(b, kex, strlen(kex));
	sw_putstr(b, keys, strlen(keys));
	put_zero(b, 30);
}

static void
seed_key(struct buf *b, const char *cipher, const char *type)
{
	struct buf	 in = BUF_INIT, pub = BUF_INIT;

	sw_putstr(&pub, type, strlen(type));
	sw_putstr(&pub, "0123456789abcdef0123456789abcdef", 32);
	put_bytes(&in, "openssh-key-v1", 15);
	sw_putstr(&in, cipher, strlen(cipher));
	sw_putstr(&in, "bcrypt", 6);
	sw_putstr(&in, "", 0);
	sw_put32(&in, 1);
	sw_putstr(&in, pub.p, pub.len);
	put_fmt(b, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
	b64_put(b, in.p, in.len);
	put_fmt(b, "\n-----END OPENSSH PRIVATE KEY-----\n");
	buf_free(&in);
	buf_free(&pub);
}

int
main(int argc, char **argv)
{
	struct buf	 s[5] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT,
	    BUF_INIT };
	struct keyfile	 k;
	struct hello	 h;
	size_t		 i;
	int		 rc;

	seed_server(&s[0]);
	FUZZ_MUST(hello_look(&h, s[0].p, s[0].len) == HELLO_LISTS);
	FUZZ_MUST(strcmp(h.hostkey, "ssh-ed25519,b,rsa-sha2-512") == 0);
	seed_key(&s[1], "none", "ssh-ed25519");
	FUZZ_MUST(keyfile_look(&k, &s[1]) == 0 && k.is_key && !k.encrypted &&
	    !k.rsa && k.pub.len == 51);
	buf_free(&k.pub);
	seed_key(&s[2], "aes256-ctr", "ssh-rsa");
	FUZZ_MUST(keyfile_look(&k, &s[2]) == 0 && k.is_key && k.encrypted &&
	    k.rsa);
	buf_free(&k.pub);
	put_fmt(&s[3], "-----BEGIN EC PRIVATE KEY-----\nProc-Type: "
	    "4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n");
	FUZZ_MUST(keyfile_look(&k, &s[3]) == 0 && k.is_key && k.encrypted);
	put_fmt(&s[4], "-----BEGIN PRIVATE KEY-----\n"
	    "BgkqhkiG9w0BAQE=\n-----END PRIVATE KEY-----\n");
	FUZZ_MUST(keyfile_look(&k, &s[4]) == 0 && k.is_key && k.rsa);
	rc = fuzz_main(argc, argv, s, 5, 30000);
	for (i = 0; i < 5; i++)
		buf_free(&s[i]);
	return rc;
}
#endif
