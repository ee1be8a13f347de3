/*
 * peerwire.h: what two boxes of a pair say to one another.
 *
 * Frames: length (le32, of the body), a letter, the body.  The sender:
 *
 *	H  hello: magic, version (le16), id of its store (le64)
 *	o  a piece of an offer, of which there is no answer
 *	O  that was all of it
 *	C  confirm: time of the trial (le64), the sender's generation (le64)
 *
 * and the peer, one of these for each H, O and C:
 *
 *	H  hello: the same, its head (le64), and the generations that were
 *	   agreed on: its own (le64), the sender's (le64); zeros: none
 *	A  agreed: its generation (le64); nothing had to be changed, or: done
 *	T  a trial runs: its time (le64), the paths that changed (le32)
 *	R  refused: why (u8), a generation (le64), how many paths (le32), the
 *	   first of these (le16 length, bytes), and a line for the rest
 *	E  it failed: a line
 *
 * with any number of "w" before it: it works on that.
 *
 * All that comes is hostile: the lengths are bounded before memory is
 * taken, and an offer is taken whole or not at all.
 */
#ifndef PEERWIRE_H
#define PEERWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../sync/store.h"
#include "walk.h"

#define PEER_VERSION	1
#define PEER_PIECE	(1u << 20)	/* bytes of a frame's body */
#define PEER_TOTAL	(64u << 20)	/* bytes of contents in an offer */
#define PEER_OFFER	(80u << 20)	/* bytes of an offer */
#define PEER_PATHS	100000		/* in an offer */
#define PEER_NAMED	10		/* paths that a refusal names */
#define PEER_IDLE	60		/* seconds that the sender may be silent */

struct peer_hello {
	uint64_t	 id;		/* of the store */
	uint64_t	 head;		/* the peer's alone, as the rest */
	uint64_t	 mine;		/* generations that were agreed on */
	uint64_t	 yours;
};
void	hello_put(struct buf *, const struct peer_hello *, bool peer);
/* -EPROTO: "not cfgfs", "speaks version 2". */
int	hello_get(struct rd *, struct peer_hello *, bool peer, struct err *);

#define OFFER_FULL	0x1	/* all that the sender has, not what changed */
#define OFFER_FORCE	0x2	/* over whatever the peer has */

struct offer {
	uint64_t	 id;		/* of the sender's store */
	uint64_t	 gen;		/* its generation, that this leads to */
	uint64_t	 ours;		/* agreed on: the sender's generation, */
	uint64_t	 theirs;	/* and the peer's; zeros: none */
	uint32_t	 flags;
	uint32_t	 trial;		/* seconds */
	char		*from;		/* who sends, owned; one line */
	char		*msg;		/* the sender's own message, owned */
	struct commit	 c;		/* changes alone; contents in them, of a
					   hard link in its first one */
};
void	offer_put(struct buf *, const struct offer *);
/* All of it, checked: nothing is left over, paths are in order, entries are
 * such as a store may hold.  The hashes are made here.  -EBADMSG. */
int	offer_get(struct rd *, struct offer *, struct err *);
void	offer_free(struct offer *);

enum refusal {
	REFUSE_PAIR = 1,	/* another generation was agreed on */
	REFUSE_OWN = 2,		/* it has commits of its own */
	REFUSE_PENDING = 3,	/* it has pending changes there */
	REFUSE_TRIAL = 4,	/* a trial runs there */
	REFUSE_CHECK = 5,	/* its checks or hooks refuse */
	REFUSE_OTHER = 6	/* the line says why */
};

struct refused {
	enum refusal	 why;
	uint64_t	 gen;	/* since which that is so, or 0 */
	uint32_t	 n;	/* how many paths */
	struct strs	 paths;	/* the first PEER_NAMED of them */
	char		*line;	/* owned; or NULL */
};
void	refused_put(struct buf *, const struct refused *);
int	refused_get(struct rd *, struct refused *, struct err *);
void	refused_add(struct refused *, const char *path);
void	refused_free(struct refused *);

/* One line of these bytes, in which nothing is a control character; a new
 * string or NULL: no memory. */
char	*line_of(const void *, size_t);

#endif
