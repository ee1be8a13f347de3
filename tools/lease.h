/*
 * lease.h: the lease on the journal, which its replacing needs.
 * DESIGN.md, "A commit".
 */
#ifndef LEASE_H
#define LEASE_H

#include <stdint.h>

#include "../lib/err.h"
#include "pend.h"
#include "work.h"

/*
 * Take the lease and hold the box still: from here to lease_thaw() the
 * tree is of one moment.  *upto is the last segment that counts.  EBUSY:
 * another has the lease.  Without a daemon nobody holds anything, all
 * segments count, and *upto is 0: the journal stays as it is, since a
 * daemon may be started any time, and compares everything then.
 */
int	lease_freeze(struct work *, uint64_t *upto, struct err *);
/* ETIMEDOUT: it was not of one moment. */
int	lease_thaw(struct work *, struct err *);

/*
 * Replace the segments up to `upto` by what is still pending: these, and
 * what the patterns left out of `ignored`.  They must come from comparing
 * with a head that was read, or is known to be the head, under the lease:
 * what equals an older one may differ from that of now.
 */
int	lease_carry(struct work *, uint64_t upto, const struct pend *rest,
	    const struct pend *ignored, struct err *);

/*
 * Where the journal can't say where to look, all is compared while the
 * box goes on, and the journal is given what was found: what changes
 * meanwhile is in the next segment.  So no freeze is ever that long.
 * The lease is kept; the head is read anew.
 */
int	lease_settle(struct work *, struct cfg *, struct err *);
/*
 * The same for a verb that only looks, so that the next one need not
 * compare everything again: nothing is done where it can't be, or
 * another has the lease; and the lease is given back.
 */
void	lease_try_settle(struct work *, struct cfg *);

#endif
