/*
 * hash.c: content hashes by libmd.  Not part of the daemon.
 */
#include <sys/types.h>

#include <errno.h>
#include <sha.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

struct hash_ctx {
	SHA256_CTX	c;	/* libmd's state */
};

static void
finish(SHA256_CTX *c, struct hash *h)
{
	uint8_t	 full[32];

	SHA256_Final(full, c);
	memcpy(h->b, full, HASH_LEN);
}

void
hash_mem(struct hash *h, const void *p, size_t n)
{
	SHA256_CTX	 c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	finish(&c, h);
}

int
hash_begin(struct hash_ctx **hp)
{
	if ((*hp = malloc(sizeof(**hp))) == NULL)
		return -ENOMEM;
	SHA256_Init(&(*hp)->c);
	return 0;
}

void
hash_add(struct hash_ctx *h, const void *p, size_t n)
{
	SHA256_Update(&h->c, p, n);
}

void
hash_end(struct hash_ctx *h, struct hash *out)
{
	finish(&h->c, out);
	free(h);
}

void
hash_sha256(const void *p, size_t n, uint8_t out[SHA256_LEN])
{
	SHA256_CTX	 c;

	SHA256_Init(&c);
	SHA256_Update(&c, p, n);
	SHA256_Final(out, &c);
}

#define SHA1_BLOCK	64

/* SHA-1 of the key, each byte changed by pad, and then of p. */
static void
keyed(const uint8_t key[SHA1_BLOCK], uint8_t pad, const void *p, size_t n,
    uint8_t out[SHA1_LEN])
{
	SHA_CTX	 c;
	uint8_t	 k[SHA1_BLOCK];
	size_t	 i;

	for (i = 0; i < sizeof(k); i++)
		k[i] = key[i] ^ pad;
	SHA1_Init(&c);
	SHA1_Update(&c, k, sizeof(k));
	SHA1_Update(&c, p, n);
	SHA1_Final(out, &c);
}

void
hash_hmac_sha1(const uint8_t *key, size_t nkey, const void *p, size_t n,
    uint8_t out[SHA1_LEN])
{
	uint8_t	 k[SHA1_BLOCK] = { 0 }, inner[SHA1_LEN];
	SHA_CTX	 c;

	if (nkey > sizeof(k)) {
		SHA1_Init(&c);
		SHA1_Update(&c, key, nkey);
		SHA1_Final(k, &c);
	} else if (nkey > 0)
		memcpy(k, key, nkey);
	keyed(k, 0x36, p, n, inner);
	keyed(k, 0x5c, inner, sizeof(inner), out);
}
