/*
 * pend.h: what is pending: the running tree compared with the persisted
 * one, where the journal says that there may be a difference.
 */
#ifndef PEND_H
#define PEND_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/ent.h"
#include "../lib/err.h"
#include "../lib/jrn.h"
#include "patt.h"
#include "pers.h"

struct who {			/* one that touched a path */
	uint32_t	 uid;
	uint32_t	 pid;
	uint32_t	 count;		/* changes */
	int64_t		 time;		/* of the first, ns */
	char		 comm[JRN_COMM];
};

struct pent {			/* one pending path */
	char		*path;		/* owned */
	struct ent	 was;		/* persisted; ENT_NONE: added */
	struct ent	 now;		/* running; ENT_NONE: deleted.  Its link
					   is the same where pents are one
					   inode; hash is set where both are
					   regular files or this one is new */
	bool		 was_base;	/* persisted is the base's */
	bool		 like_base;	/* running equals the base: follow it */
	bool		 in_base;	/* the base has the path */
	bool		 relinked;	/* its hard-link group differs */
	struct who	*who;		/* owned; newest last; may be none */
	size_t		 nwho;
};

struct pend {
	struct pent	*v;		/* in path_cmp() order */
	size_t		 n;
	struct pent	*ign;		/* differ, but the patterns leave them
					   out: only path and who are set */
	size_t		 nignored;	/* number of these */
	size_t		 nsock;		/* sockets left out */
	size_t		 nhidden;	/* this user may not read them: nobody
					   knows whether they differ */
	bool		 scanned;	/* everything was compared */
};

/*
 * Compare.  tree: descriptor of the running tree's root; statedir: of
 * the state directory, or -1: compare everything; upto: as jrn_scan().
 * ignore may be NULL.  A path that the caller may not read is an error
 * only for root; for others it is left out.
 */
int	pend_find(struct pend *, int tree, int statedir, uint64_t upto,
	    const struct pers *, const struct patt *ignore, struct err *);
/* The same, but compare everything; the journal only says who. */
int	pend_find_all(struct pend *, int tree, int statedir, uint64_t upto,
	    const struct pers *, const struct patt *ignore, struct err *);
/*
 * Compare with a tree that is not the one which the journal is about: but
 * for `more` the two are the same.  A path with a slash at its end stands
 * for all below it, too.
 */
int	pend_find_more(struct pend *, int tree, int statedir, uint64_t upto,
	    const struct pers *, const struct patt *ignore,
	    const struct strs *more, struct err *);
void	pend_free(struct pend *);

/* Keep only what is at or below one of these paths, and the new parent
 * directories that must be there for it (n 0: all). */
void	pend_select(struct pend *, char *const *paths, size_t n);
/* The same; what does not stay is moved to *rest (n and v alone). */
int	pend_split(struct pend *, char *const *paths, size_t n,
	    struct pend *rest, struct err *);

/* 'A', 'D', 'M' (content), 'T' (type), 'm' (mode, owner, xattrs or links
 * only), as git and lbu users know them. */
char	pend_letter(const struct pent *);

#endif
