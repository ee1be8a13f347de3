/*
 * shutdown.h: which paths a commit has that nobody named one by one.
 */
#ifndef SHUTDOWN_H
#define SHUTDOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/err.h"
#include "cfg.h"
#include "pend.h"
#include "walk.h"
#include "work.h"

/*
 * The paths with which a commit takes those of the pending ones that are
 * marked, and no others: a directory stands for all below it, so it is left
 * out where something there is not marked.  A new one comes along by itself
 * with what is in it.  -ENOMEM.
 */
int	shutdown_pick(const struct pend *, const bool *marked, struct strs *,
	    struct err *);

/*
 * What `commit --shutdown` commits, by the configuration; and *left is how
 * many pending paths a shutdown loses that nobody said to ignore.  They are
 * named on stderr and to the log.
 */
int	shutdown_paths(struct work *, struct cfg *, struct strs *paths,
	    size_t *left, struct err *);

/*
 * Add the paths, each with a NUL behind it, that a file has; "-" is
 * standard input.  None at all is an error, as a commit of none is of all.
 */
int	shutdown_from(const struct cfg *, const char *file, struct strs *,
	    struct err *);

#endif
