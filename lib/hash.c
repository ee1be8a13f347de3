/*
 * hash.c: content hashes by libmd.  Not part of the daemon.
 */
#include <sys/types.h>

#include <errno.h>
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
