/*
 * agent.h: ask an ssh-agent for its keys and for signatures, over a socket
 * that is connected already (draft-miller-ssh-agent).
 */
#ifndef AGENT_H
#define AGENT_H

#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"

#define AGENT_KEYS	32	/* that are taken of those it has */

struct agent_keys {
	struct buf	 blob[AGENT_KEYS];	/* public keys, RFC 4253 */
	struct buf	 comment[AGENT_KEYS];	/* text, NUL-terminated */
	size_t		 n;
};

/* Fill ks, which the caller frees whatever comes of it. */
int	agent_list(int fd, struct agent_keys *ks, struct err *);
void	agent_free(struct agent_keys *);

#define AGENT_RSA_SHA256	2
#define AGENT_RSA_SHA512	4
/*
 * Sign n bytes with the key of this blob; sig gets the signature, without
 * the name of its algorithm, which must be `alg`.  The agent may ask its
 * user: it has a minute.
 */
int	agent_sign(int fd, const struct buf *blob, const void *, size_t n,
	    uint32_t flags, const char *alg, struct buf *sig, struct err *);

#endif
