/*
 * older.h: a running tree that was restored from less than the store has,
 * as it could not be read then: the generation it is, kept in the tree, as
 * a restore has nowhere else to tell of it.
 *
 * Where the store can be read again, all that tree lacks looks like a
 * change, and a commit would make it the head.  So none is made that was
 * not forced, until a rollback to the head.
 */
#ifndef OLDER_H
#define OLDER_H

#include <stdint.h>

#include "../lib/err.h"

/* The tree is that generation, and not what was committed last. */
int	older_put(int tree, uint64_t gen, struct err *);
/* It is what is committed, or to be. */
void	older_done(int tree);
/* -ESTALE, said, where it is another generation than the head. */
int	older_check(int tree, uint64_t head, struct err *);

#endif
