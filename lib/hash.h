/*
 * hash.h: the identity of a content: SHA-256 (FIPS 180-4), cut to its
 * first 16 bytes; and the digests that others' formats ask for.  The
 * digests themselves are libmd's.
 */
#ifndef HASH_H
#define HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_LEN 16

struct hash {
	uint8_t	b[HASH_LEN];
};

struct hash_ctx;

void	hash_mem(struct hash *, const void *, size_t);
/* 0, or -ENOMEM.  hash_end() frees the context. */
int	hash_begin(struct hash_ctx **);
void	hash_add(struct hash_ctx *, const void *, size_t);
void	hash_end(struct hash_ctx *, struct hash *);

/* SHA-256, all of it: fingerprints of SSH keys. */
#define SHA256_LEN	32
void	hash_sha256(const void *, size_t, uint8_t out[SHA256_LEN]);
/* HMAC-SHA1 (RFC 2104): hashed names of hosts, by which nothing is
 * authenticated. */
#define SHA1_LEN	20
void	hash_hmac_sha1(const uint8_t *key, size_t nkey, const void *, size_t,
	    uint8_t out[SHA1_LEN]);

#endif
