/*
 * pin.h: paths that stay as they are, whatever a new base brings: a file
 * in the tree, one path in a line, which is committed as any other.
 *
 * What is at or below such a path is never merged, and an entry for it
 * stays in the overlay though it has become what the base has.
 */
#ifndef PIN_H
#define PIN_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "walk.h"

#define PIN_FILE	"cfgfs/pin"

/*
 * Add the paths in a text, in its order.  Lines that begin with "#", or
 * are no path, are passed over.  -ENOMEM.
 */
int	pin_parse(struct strs *, const struct buf *);
/* Those of the tree's file; none where there is none. */
int	pin_read(struct strs *, int tree, struct err *);
/* Whether path is pinned; NULL: nothing is. */
bool	pin_has(const struct strs *, const char *path);

#endif
