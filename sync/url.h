/*
 * url.h: where a store or a mirror on another host is.
 *
 *	sftp://[user@]host[:port]/path
 *
 * host is a name, an IPv4 address or an IPv6 address in brackets.  path
 * is absolute; "/~/path" is relative to where the server puts the user.
 * %XX stands for a byte in user and path.  No password can be in it.
 */
#ifndef URL_H
#define URL_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"

struct url {
	char		*user;	/* owned; NULL: none was given */
	char		*host;	/* owned; without brackets */
	uint16_t	 port;	/* 22 where none was given */
	char		*path;	/* owned; as SFTP wants it */
};

/* Whether this names something on another host: it begins as one does. */
bool	url_is(const char *);
/*
 * Take it apart.  -EINVAL with the line "URL: why": a password, control
 * characters, an empty host or path, a port out of range, over 1,024 bytes,
 * a host or user that begins with "-".
 */
int	url_parse(struct url *, const char *, struct err *);
void	url_free(struct url *);

#endif
