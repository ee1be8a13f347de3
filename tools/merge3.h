/*
 * merge3.h: three-way merge by lines: what two texts made of a third, in
 * one text, as diff3(1) -m does it.
 */
#ifndef MERGE3_H
#define MERGE3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"

/* Lines that stand around a conflict. */
#define MERGE3_MINE	"<<<<<<< yours"
#define MERGE3_OLD	"||||||| old base"
#define MERGE3_OR	"======="
#define MERGE3_THEIRS	">>>>>>> new base"

struct merge3 {
	struct buf	 text;	/* the result, with the lines above where both
				   changed the same in two ways */
	bool		 binary; /* one is no text: nothing is merged, text is
				   empty and conflicts is 1 */
	size_t		 conflicts;
	size_t		 mine;	/* changes that one side alone made ... */
	size_t		 theirs;
	size_t		 both;	/* ... and that both made alike */
};

/*
 * Changes that touch, with no line of the old text between them, are one.
 * A last line without a newline is another line than the same with one;
 * before a line of ours it gets one.  The caller frees text.  -ENOMEM.
 */
int	merge3(const struct buf *old, const struct buf *mine,
	    const struct buf *theirs, struct merge3 *, struct err *);

/* Whether the text still has a line that begins or ends a conflict. */
bool	merge3_marked(const uint8_t *, size_t n);

#endif
