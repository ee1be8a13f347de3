/*
 * hash.h: the identity of a content: SHA-256 (FIPS 180-4), cut to its
 * first 16 bytes.  The digest itself is libmd's.
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

#endif
