/*
 * keyfile.h: what a file with a private key says without being decrypted.
 */
#ifndef KEYFILE_H
#define KEYFILE_H

#include <stdbool.h>

#include "../lib/buf.h"

struct keyfile {
	bool		 is_key;	/* it is one, as far as can be seen */
	bool		 encrypted;	/* a passphrase is needed */
	bool		 rsa;
	struct buf	 pub;		/* the public key's blob (RFC 4253);
					   empty where the format hides it */
};

/* OpenSSH's own format, and PEM: PKCS#1, SEC 1, PKCS#8.  The caller ends
 * with buf_free(&pub).  0 or -ENOMEM. */
int	keyfile_look(struct keyfile *, const struct buf *file);

#endif
