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

/*
 * Sign the n bytes of a request to be let in (RFC 4252, section 7) with
 * the key of this blob, by the algorithm that they name, but never by
 * SHA-1: -EACCES.  sig gets the signature without that name.  The agent
 * may ask its user: it has a minute.
 */
int	agent_sign(int fd, const struct buf *blob, const void *, size_t n,
	    struct buf *sig, struct err *);

#endif
