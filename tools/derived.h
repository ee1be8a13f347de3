/*
 * derived.h: databases that programs make from files of /etc.
 *
 * What can be made anew is not worth flash: these paths never count as
 * pending, and are made again where a file that they come from was put
 * into a tree.  One table says which, from what, and how.
 */
#ifndef DERIVED_H
#define DERIVED_H

#include <stddef.h>

#include "../lib/ent.h"

/* The path of the i-th derived database, from the tree's root and without
 * a leading slash; NULL behind the last.  One may come more than once. */
const char *derived_path(size_t i);

/*
 * Make anew in the tree at `dir` (descriptor `tree`) what comes from one
 * of the paths in `changed`.  A tool that is not installed, or a source
 * that is not in the tree, is passed over in silence; a tool that fails
 * or takes longer than a minute is told to warn, in one line.  Tools are
 * looked for in the system's own directories alone, and get an empty
 * environment.
 */
void	derived_make(int tree, const char *dir, const struct ents *changed,
	    void (*warn)(void *, const char *), void *arg);

#endif
