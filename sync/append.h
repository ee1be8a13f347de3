/*
 * append.h: putting a record behind the others.
 */
#ifndef APPEND_H
#define APPEND_H

#include "steps.h"

/*
 * Append a commit, or a note, of these items; c says who and why.  On 0 it
 * survives power loss.  More items may be there afterwards.  A note that
 * changes nothing is not written.  Errors as store_commit().
 */
int	store_append(struct store *, struct items *, const struct commit *c,
	    bool note, struct err *);

/* --- note.c */

/* Add drops of what is left of a trial. */
int	trial_clear(struct store *, struct items *, struct err *);
/* The changes that the trial made, as a commit of its own.  -ENOENT. */
int	trial_commit(struct store *, struct commit *, struct err *);
/* The overlay that the trial leads to. */
int	trial_overlay(struct store *, struct ents *, struct err *);

/* --- keep.c */

/*
 * Add the generations that are to be kept and that only this area has,
 * which is about to be written anew; and drop those that need not be kept
 * any longer.  At most `most` that are not tagged, the newest; *some says
 * how many there are of them.
 */
int	keep_items(struct store *, uint32_t area, size_t most,
	    struct items *, size_t *some, struct err *);
/* The overlay of a kept generation, hidden entries included.  -ENOENT. */
int	keep_overlay(struct store *, uint64_t gen, struct ents *,
	    struct err *);
/* Its time, user and message, without its changes. */
int	keep_record(struct store *, uint64_t gen, struct commit *,
	    struct err *);

#endif
