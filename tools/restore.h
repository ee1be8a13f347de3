/*
 * restore.h: what a boot makes of base and store, for those who want to
 * know it beforehand.
 */
#ifndef RESTORE_H
#define RESTORE_H

#include "cfg.h"

/*
 * Build the tree `dir`, empty or not there, as cfg restore does from
 * c->storepath and this base, but without hooks.  Gives its exit code, all
 * having been said.
 */
int	restore_tree(struct cfg *c, const char *base, const char *dir);

/*
 * cfg verify --boot: build what the next boot would give over this base
 * (NULL: the instance's), and compare what is running with it.  Gives the
 * exit code.
 */
int	verify_boot(struct cfg *, const char *base);

#endif
