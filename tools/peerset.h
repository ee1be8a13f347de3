/*
 * peerset.h: what of a store crosses to a peer, and what was agreed on.
 *
 * Two boxes agree on a pair of generations, one of each: in what crosses
 * they are the same, but for substitutions.  Each keeps the pair as a tag of
 * its own generation: "peer.NAME.ID.GEN", ID being the other store's and GEN
 * the other's generation, both in hexadecimal; without "NAME." where the
 * other one has no name here.  So the pair survives whatever its store
 * survives, and that generation is kept to be compared with.
 */
#ifndef PEERSET_H
#define PEERSET_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "patt.h"
#include "peerconf.h"
#include "peerwire.h"

struct pair {
	char		 tag[65];
	char		 name[PEER_NAME + 1];	/* "": none */
	uint64_t	 id;		/* of the other store */
	uint64_t	 mine;		/* generation of this one, */
	uint64_t	 theirs;	/* and of the other */
};

/* Whether the tag of a generation is one of these. */
bool	pair_parse(struct pair *, const char *tag, uint64_t gen);
/* The i-th pair with this store (0: with any); false behind the last. */
bool	pair_at(const struct store *, uint64_t id, size_t i, struct pair *);
/* The newest pair with this store. */
bool	pair_newest(const struct store *, uint64_t id, struct pair *);
/*
 * Keep a pair.  name NULL: as it is called already.  `alone`: all others
 * with this store go; else they stay, as it may yet be one of them.
 */
int	pair_keep(struct cfg *, uint64_t id, const char *name, uint64_t mine,
	    uint64_t theirs, bool alone, struct err *);

/* Whether a path never crosses, whatever it is. */
bool	peer_never(const struct patt *, const char *path);

/* The paths in which two overlays differ, links too, in order. */
int	overlay_diff(const struct ents *, const struct ents *, struct strs *);

/*
 * The changes from generation `from` (0: from nothing) to the head, as they
 * are to be sent: o->c and o->gen.  An entry that is dropped tells what it
 * was.  EFBIG: more than PEER_TOTAL.
 */
int	offer_make(struct offer *o, struct store *, uint64_t from,
	    const struct peers *, const struct patt *never, struct err *);

#endif
