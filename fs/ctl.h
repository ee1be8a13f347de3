/*
 * ctl.h: the control server: lib/ctl.h, the daemon's side.
 *
 * The sockets send SIGIO when there is something to do.  It never waits
 * for a client: what is not taken at once is kept,
 * up to a bound, and then the client is dropped.
 */
#ifndef FS_CTL_H
#define FS_CTL_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "view.h"

#define CTL_CLIENTS	16
#define CTL_FDS		(CTL_CLIENTS + 1)

struct ctl;

/* Listen on "ctl" in the state directory; group may connect where it may
 * read that directory. */
int	ctl_open(struct ctl **, const char *statedir, struct view *,
	    struct err *);
void	ctl_close(struct ctl *);

/* Let what comes by this descriptor be told by SIGIO, and never be waited
 * for; 0, or -1 with errno. */
int	ctl_quicken(int fd);

/* What to poll for: fills in at most CTL_FDS, returns how many. */
int	ctl_poll(const struct ctl *, struct pollfd *);
/* Serve what poll(2) found; whether that may have brought anything on. */
bool	ctl_serve(struct ctl *, const struct pollfd *, int n);

/* Whether changes are held back. */
bool	ctl_frozen(const struct ctl *);
/* Milliseconds until a freeze ends by itself; -1: none is on. */
int	ctl_timeout(const struct ctl *);
/* End a freeze whose time is over. */
void	ctl_tick(struct ctl *);

#endif
