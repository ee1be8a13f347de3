/*
 * remote.h: what is on other hosts.
 *
 * cfg has no SSH in it.  Where a store lies on another host it becomes
 * cfg-mirror, which is cfg with SSH (become.c): the same verbs, the same
 * arguments, called again before anything was done.  There these calls
 * do what they say (netstore.c).
 */
#ifndef REMOTE_H
#define REMOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"

/*
 * Open the store at this URL as a medium; with `size`, make it there.
 * Writers on this machine exclude one another (EBUSY).
 */
int	remote_open(struct io **, const struct cfg *, const char *url,
	    bool write, uint64_t size, struct err *);
/*
 * Bring the local store `copy` up to what the URL has; it is made where it
 * is not there.
 */
int	remote_copy(const struct cfg *, const char *url, const char *copy,
	    struct err *);
/* The store that the configuration names, valid while cfg runs; NULL where
 * it names none or there is no configuration. */
const char *remote_store(const struct cfg *);

/* Whether the tree has a configuration: DIR/cfgfs/config. */
bool	config_there(const struct cfg *);

/*
 * Run cfg-mirror as "cfg -m MOUNT mirror WHAT [ARG]", where there is a
 * configuration, and wait for it; where it is not installed nothing
 * happens.  What it prints follows what was printed.
 */
void	mirror_run(const struct cfg *, const char *what, const char *arg);
/* Have a process wait for the end of the trial that runs: EX_OK where there
 * is one. */
int	trial_run(const struct cfg *);
/*
 * Have a process commit what is to be committed by itself; or, with "status",
 * print what it will do, as mirror_run() does.
 */
int	auto_run(const struct cfg *, const char *what);
/*
 * Run the program of this name, which lies where this one does, and wait
 * for it: its exit status, or EX_FAIL.
 */
int	other_run(const struct cfg *, const char *name, char *const *argv);
/*
 * Become the program of this name, which lies where this one does; only a
 * failure returns.
 */
int	other_exec(const struct cfg *, const char *name, char *const *argv,
	    struct err *);

#endif
