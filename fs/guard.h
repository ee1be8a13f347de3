/*
 * guard.h: the small process that outlives the daemon.
 */
#ifndef GUARD_H
#define GUARD_H

#include "../lib/err.h"

/*
 * Start the guard of this mount point; close[] (n of them) are the
 * descriptors that it must not keep.  It ends when the returned one, its
 * only tie to the daemon, is closed: quietly after guard_release(), else
 * it detaches the dead view first, so that the running tree below shows.
 */
int	guard_start(const char *mount, const int *toclose, int n,
	    struct err *);
/* All is well: the view is unmounted, or soon will be by somebody else. */
void	guard_release(int fd);

#endif
