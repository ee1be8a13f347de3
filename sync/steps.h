/*
 * steps.h: from changes to the steps of a record.
 *
 * What a record is to do is gathered as items, in any order: changes of
 * paths, and of hidden entries.
 */
#ifndef STEPS_H
#define STEPS_H

#include "draft.h"

struct item {
	enum change_op	 op;
	struct ent	 e;		/* owned; loc is not looked at */
	struct source	 src;		/* REG: its content */
	bool		 find;		/* no source is given: another item or the
					   head has such a content */
	uint32_t	 uid;		/* who changed it */
	const char	*comm;		/* the caller's; "" */
	size_t		 nr;		/* the earlier of one path wins */
};

struct items {
	struct item	*v;
	size_t		 n, cap;
};

/* Add one; what *e owns changes hands, on failure too.  The item is valid
 * until the next one, and may be filled in further.  NULL: no memory. */
struct item *items_set(struct items *, struct ent *e);
/* Add a drop of this path; -ENOMEM. */
int	items_drop(struct items *, const char *path);
/* Add drops of all hidden entries of a kind in the overlay. */
int	items_clear(struct items *, const struct ents *, enum hid);
/* Take all out but the first n that were added. */
void	items_cut(struct items *, size_t n);
void	items_free(struct items *);

/*
 * The changes of a commit, checked, with what they replace in the base;
 * -EINVAL with words for those that can't be.
 */
int	items_commit(struct store *, struct items *, const struct commit *,
	    struct err *);

/*
 * Make the steps from the store's head, and plan the head after them.  An
 * item that changes nothing hidden makes none.  Steps and sources are the
 * caller's, on failure too; `given` sources stay the items' giver's.
 */
int	steps_make(struct store *, struct items *, struct steps *,
	    struct source **src, struct plan *, struct err *);

#endif
