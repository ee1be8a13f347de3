/*
 * gens.h: the store's generations, as trees that can be looked at, with
 * what was looked at lately at hand.
 *
 * The store is opened when something is asked and closed soon after: it
 * may lie on a slice that is mounted for that alone, which a commit waits
 * for.  What has been opened is opened anew where it may have become old.
 */
#ifndef GENS_H
#define GENS_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../lib/inst.h"
#include "../sync/slice.h"
#include "../sync/store.h"
#include "../tools/pers.h"

#define GENS_TREES	4	/* overlays at hand */
#define GENS_FILES	32	/* contents, */
#define GENS_BYTES	(8u << 20) /* and bytes of them, or one that is more */

/* A generation at hand. */
struct gen {
	uint64_t	 gen;
	struct ents	 ov;	/* owned */
	struct pers	 pers;	/* over the base; points to ov */
	uint64_t	 used;	/* tick of the last use; 0: free */
};

/* A content at hand. */
struct content {
	uint64_t	 gen;
	char		*path;	/* owned */
	struct buf	 b;
	uint64_t	 used;	/* tick; 0: free */
};

struct gens {
	const struct inst *inst; /* the caller's */
	struct slice	*slice;
	struct store	*s;	/* NULL: closed */
	struct stat	 st;	/* the store's file before it was opened */
	int64_t		 opened; /* ms */
	uint64_t	 timed;	/* the generation of which `time` is; 0: none */
	int64_t		 time;	/* ns since 1970: of its commit */
	int64_t		 used;	/* ms */
	int		 base;	/* its directory, or -1 */
	struct walk_at	 near;	/* in the base */
	struct gen	 g[GENS_TREES];
	struct content	 c[GENS_FILES];
	uint64_t	 tick;	/* counts uses */
	bool		 told;	/* that a store on another host can't be used */
};

/* inst stays the caller's, and is there as long as this. */
void	gens_init(struct gens *, const struct inst *);
/* Milliseconds until gens_rest() is due; -1: nothing is open. */
int	gens_idle(const struct gens *);
/* Close everything and keep nothing. */
void	gens_rest(struct gens *);

/* The oldest generation and the head as they are now; 0 and 0 where the
 * store is empty. */
int	gens_range(struct gens *, uint64_t *oldest, uint64_t *head,
	    struct err *);
/* When a generation was committed, in ns since 1970; 0: unknown. */
int64_t	gens_time(struct gens *, uint64_t gen);
/*
 * Whether a generation (0: the base) can be asked for: it is or was there
 * a moment ago.  0, -ENOENT, or another error.
 */
int	gens_has(struct gens *, uint64_t gen, struct err *);
/*
 * The tree of a generation; good until anything else is asked.  -ESTALE:
 * the store no longer has it.
 */
int	gens_tree(struct gens *, uint64_t gen, const struct pers **,
	    struct err *);
/*
 * Copy at most `size` bytes at off of a file's content to p; how many, or
 * -errno.
 */
ssize_t	gens_read(struct gens *, uint64_t gen, const char *path, void *p,
	    size_t size, uint64_t off, struct err *);

#endif
