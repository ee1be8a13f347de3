/*
 * blame.h: with which version of a text each of its lines came.
 */
#ifndef BLAME_H
#define BLAME_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"

struct blame {			/* begins as zeros */
	struct buf	 text;	/* the newest version; owned */
	size_t		*by;	/* for each line, the number of the version
				   that brought it; owned */
	size_t		 n;	/* lines */
};

/*
 * The next version, which the caller numbers: lines that it has and the one
 * before has not are its own.  What is in *text changes hands where it is
 * no failure.
 */
int	blame_add(struct blame *, struct buf *text, size_t version,
	    struct err *);
/* What there was counts no more: as if none had been added. */
void	blame_free(struct blame *);

#endif
