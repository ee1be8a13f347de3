/*
 * hostkey.h: whether the key that a host shows is the one it is known by.
 */
#ifndef HOSTKEY_H
#define HOSTKEY_H

#include "../lib/err.h"
#include "keys.h"
#include "url.h"

/*
 * 0, or -EPERM and the line why, as ssh_open() promises.  name: the host
 * in messages.  An unknown one is asked about and appended to k->learn;
 * that it could not be is said on the terminal, and no error.
 */
int	hostkey_check(const char *name, const struct url *,
	    const struct keys *k, const uint8_t *key, size_t n, struct err *);

#endif
