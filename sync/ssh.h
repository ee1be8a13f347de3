/*
 * ssh.h: a connection to a subsystem of another host, through libssh2.
 * ssh.c is the only file that knows that library.
 */
#ifndef SSH_H
#define SSH_H

#include "../lib/err.h"
#include "keys.h"
#include "stream.h"
#include "url.h"

/* What must be done once, before the process is confined: libraries read
 * their configuration. */
int	ssh_init(struct err *);

/*
 * Look the host up and connect, each address for at most `seconds`.
 * Returns the socket, or -errno: "HOST: Connection refused", "HOST: no
 * such host".
 */
int	ssh_connect(const struct url *, int seconds, struct err *);

/*
 * Speak SSH on that socket (taken over, whatever comes of it): check the
 * host's key, prove who we are, start the subsystem, "sftp" or another.
 * Opens nothing.
 *
 * Only modern algorithms: curve25519 and ecdh, aes-gcm, chacha20 and
 * aes-ctr, hmac-sha2, host keys ed25519, ecdsa, rsa-sha2.  Those types
 * come first by which the host is known.
 *
 * The host's key: unknown and nobody may be asked: -EPERM, "HOST: unknown
 * host key SHA256:...; ..."; asked on k->tty, and appended to k->learn
 * where the answer is yes.  Another than the known one: -EPERM, loudly,
 * whatever the terminal.  Users: the URL's, else the login name given.
 * Keys: those of the agent, then k->key in order; a passphrase is asked
 * for on k->tty, else such a key is passed over.  None is accepted:
 * -EACCES, "USER@HOST: no key is accepted (tried: ...)".
 */
int	ssh_open(struct stream **, int fd, const struct url *,
	    const char *login, const struct keys *, const char *subsystem,
	    int seconds, struct err *);

#endif
