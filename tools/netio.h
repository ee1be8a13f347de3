/*
 * netio.h: a store on another host as a medium, by way of the confined
 * process, which has the connection (net.h).
 */
#ifndef NETIO_H
#define NETIO_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../lib/io.h"
#include "net.h"

/*
 * Open it; with `create`, make it of so many zero bytes.  The net is the
 * medium's from then on, and closed where this fails; so is `lock`, a
 * descriptor that is kept as long as the medium, or -1.
 */
int	netio_open(struct io **, struct net *, int lock, const char *name,
	    bool write, uint64_t create, struct err *);

#endif
