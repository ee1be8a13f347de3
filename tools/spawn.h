/*
 * spawn.h: running another program, bounded in everything.
 *
 * It begins with no descriptor but the first three, in a session of its
 * own, with "/" for its directory.  When it ends, or its time does, what is
 * left of its process group is killed: what is to stay makes a session of
 * its own, as daemons do.
 */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/buf.h"
#include "../lib/err.h"

#define SPAWN_SECONDS	60		/* the limit where none is said */
#define SPAWN_OUT	(64u * 1024)	/* bytes of output that are kept */

/* The directories of the system, as the value of PATH. */
#define SPAWN_PATH \
	"/sbin:/usr/sbin:/bin:/usr/bin:/usr/local/sbin:/usr/local/bin"

struct spawn {
	const char	*file;		/* the program, absolute */
	char *const	*argv;
	char *const	*env;		/* all of its environment */
	const char	*text;		/* what it reads, or NULL; */
	int		 in;		/* else this descriptor, -1: nothing */
	unsigned	 seconds;	/* it may take; then it is killed */
	struct buf	*out;		/* empty; gets what it says, at
					   most SPAWN_OUT bytes; or NULL */
};

/*
 * Run it to its end.  0: it ended with exit status 0.  1: it did not, and e
 * says why.  -errno: it could not be begun.  Where this process is told to
 * end meanwhile (INT, TERM, HUP), the program is killed first.
 */
int	spawn_run(const struct spawn *, struct err *);

/*
 * Where the program of this name (n bytes) is in SPAWN_PATH or /rescue; a
 * name with a slash is where it says.  false: nowhere.
 */
bool	spawn_find(const char *name, size_t n, char *path, size_t len);

#endif
