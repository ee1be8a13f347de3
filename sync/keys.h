/*
 * keys.h: what a connection needs of the file system, read into memory
 * before the process gives up the right to open anything: private keys,
 * known hosts, the agent's socket, the terminal.
 */
#ifndef KEYS_H
#define KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "url.h"

#define KEYS_MAX	8		/* private keys that are tried */

struct keys {
	struct buf	 key[KEYS_MAX];	/* private keys as their files have
					   them, with a NUL behind that does
					   not count; wiped by keys_free() */
	char		*name[KEYS_MAX]; /* owned: their files */
	size_t		 n;
	struct buf	 known;		/* all known_hosts files, joined */
	int		 learn;		/* where a host that the user agrees to
					   is appended, or -1 */
	char		*learnname;	/* owned: its name */
	int		 agent;		/* connected to ssh-agent, or -1 */
	int		 tty;		/* for questions, or -1: none may be
					   asked */
};

struct keys_where {
	const char	*conf;		/* directory of the configuration
					   ("/etc/cfgfs"), or NULL */
	const char	*key;		/* the one key to use, or NULL: the
					   agent's, then CONF/key, then
					   ~/.ssh/id_ed25519, id_ecdsa, id_rsa */
	const char	*known;		/* the one file of known hosts, or NULL:
					   CONF/known_hosts, ~/.ssh/known_hosts,
					   /etc/ssh/ssh_known_hosts */
	bool		 ask;		/* the user may be asked on the
					   terminal */
};

/*
 * Read them.  A named file that is not there or can't be read is an error;
 * a private key that others than its owner may read is refused ("KEY:
 * others may read it"), like one over 64 KiB; known hosts have at most
 * 4 MiB.  Relative names are relative to conf.
 */
int	keys_read(struct keys *, const struct keys_where *, struct err *);
void	keys_free(struct keys *);	/* all zeros are allowed */

enum known { KNOWN_YES, KNOWN_NO, KNOWN_CHANGED, KNOWN_REVOKED };

/*
 * Look a host's key up: OpenSSH's format, hashed names, [host]:port and
 * @revoked (which counts whatever host it names); lines that can't be
 * read, and @cert-authority, are passed over.  A host that is known only
 * by keys of other types is KNOWN_CHANGED.  key is the blob of RFC 4253.
 * *line: the line of the match, from 1 in known; 0 where there is none.
 */
enum known known_check(const struct buf *known, const char *host,
	    uint16_t port, const uint8_t *key, size_t n, size_t *line);
/*
 * The types of the keys by which the host is known ("ssh-ed25519,..."), in
 * the file's order, at most len - 1 bytes; empty where it is unknown.
 */
void	known_types(const struct buf *known, const char *host,
	    uint16_t port, char *types, size_t len);
/* "SHA256:..." of a key, as ssh-keygen -l prints it: 51 bytes with NUL. */
void	known_print(const uint8_t *key, size_t n, char out[64]);
/* The line for known_hosts. */
int	known_line(struct buf *, const char *host, uint16_t port,
	    const uint8_t *key, size_t n);

#endif
