/*
 * peer.h: what the parts of "cfg peer serve" share: an offer that is looked
 * at, and what is done of it.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "cfg.h"
#include "conf.h"
#include "peerset.h"
#include "peerwire.h"
#include "work.h"

struct accept {
	struct cfg	*c;
	const struct offer *o;
	struct conf	 conf;
	struct patt	*never;		/* crosses */
	struct work	 w;
	struct ents	 to;		/* what the head's overlay is to be */
	struct strs	 touched;	/* where it is another one */
	struct io	*io;		/* in memory, and */
	struct store	*mem;		/* there: contents that came */
	struct refused	 no;		/* where it is refused */
	/* What came of it: */
	int64_t		 trial;		/* that runs; 0: nothing had to be done */
	size_t		 n;		/* paths in it */
};

/*
 * Look at an offer: what it would make of the head's overlay.  ECANCELED: it
 * is refused, a->no says why.  Ends with accept_free(), whatever came of it.
 */
int	accept_find(struct accept *, struct err *);
/*
 * Do it: change the running tree, have it checked and committed as a trial.
 * ECANCELED as above: then the tree is as before.
 */
int	accept_do(struct accept *, struct err *);
void	accept_free(struct accept *);

/* Refuse: gives -ECANCELED.  line may be NULL; a new one is made of it. */
int	accept_refuse(struct accept *, enum refusal, uint64_t gen,
	    const char *line);

#endif
