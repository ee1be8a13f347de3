/*
 * ssh-int.h: what ssh.c and auth.c have of each other.  ssh.c speaks to
 * the library, auth.c knows which keys are tried, and in which order.
 */
#ifndef SSH_INT_H
#define SSH_INT_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "keys.h"

struct ssh;

/* Types of keys beside RSA. */
#define SSH_KEY_TYPES	"ssh-ed25519,ecdsa-sha2-nistp256," \
			"ecdsa-sha2-nistp384,ecdsa-sha2-nistp521"

/* NULL, or why RSA keys can't be used: half a sentence. */
const char *ssh_no_rsa(void);
/* The host, for messages. */
const char *ssh_name(const struct ssh *);
/* Whether the connection has ended. */
bool	ssh_gone(const struct ssh *);

/* 0: keys may be tried; 1: the user is let in without. */
int	ssh_offers(struct ssh *, const char *user, struct err *);

enum { TRY_IN = 1, TRY_REFUSED, TRY_UNREADABLE };

/*
 * Try a key of the agent's, or a private key that this passphrase opens
 * (TRY_UNREADABLE: it does not; the server was not asked).  One of the
 * above, or -errno.
 */
int	ssh_try_agent(struct ssh *, const char *user, int agent,
	    const struct buf *blob, struct err *);
int	ssh_try_key(struct ssh *, const char *user, const struct buf *key,
	    const char *phrase, struct err *);

/* Prove who we are, as ssh_open() promises. */
int	auth_prove(struct ssh *, const char *user, const struct keys *,
	    struct err *);

#endif
