/*
 * inst.h: an instance: one mount with its state directory.
 *
 * The daemon describes itself in the file "info" of its state directory,
 * lines "name=value" (values with \ooo for bytes outside of printable
 * ASCII and for backslashes), written to a temporary name and renamed;
 * the tools read it.  It outlives the daemon.  Its mode is 0600, with the
 * group and the group-read bit of the directory.
 */
#ifndef INST_H
#define INST_H

#include <stdint.h>
#include <sys/types.h>

#include "err.h"

/*
 * In a running tree: what the restore of it merged with a new base, or
 * could not, tools/parked.h.  It never counts as pending.
 */
#define INST_PARKED ".cfg.merge"
/* There as well: the store could not be restored in full, tools/older.h. */
#define INST_OLDER ".cfg.older"

struct inst {			/* all strings owned, absolute paths */
	char	*state;		/* the state directory */
	char	*mount;		/* where the view is mounted */
	char	*tree;		/* the running tree */
	char	*base;		/* the base, where it can be reached now */
	char	*store;		/* the store, NULL where none was named */
	pid_t	 pid;		/* of the daemon that wrote this */
};

/* The state directory of a mount point that names none: a new string,
 * RUNDIR/cfgfs/NAME, NAME being the mount point with '-' for '/' and
 * without the first ("/usr/local/etc": "usr-local-etc"). */
char	*inst_statedir(const char *mount);

int	inst_load(struct inst *, const char *statedir, struct err *);
int	inst_save(const struct inst *, struct err *);
void	inst_free(struct inst *);

#endif
