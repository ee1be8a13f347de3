/*
 * drive.h: a store on a simulated medium, together with what it should
 * hold, driven one random commit after another.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include "gen.h"
#include "hist.h"
#include "simio.h"

struct drive {
	struct sim		*sim;
	struct store		*s;
	struct store_geom	 geom;
	struct hist		 h;
	struct gen		 g;
	uint64_t		 end;	/* where the last commit ended */
	size_t			 done;	/* commits */
	size_t			 full;	/* refused with ENOSPC */
	size_t			 moves;	/* commits that began another area */
	uint64_t		 began;	/* generation that began the newest */
	uint64_t		 before; /* and the area before that one */
	size_t			*mark;	/* mark[k]: operations in the log when
					   h.v[k] was acknowledged */
};

enum drive_kind {
	DRIVE_RANDOM,
	DRIVE_KINDS,	/* of entry, all */
	DRIVE_LINE,	/* one small file */
	DRIVE_SHRINK,	/* half of all goes */
	DRIVE_FILL	/* noise: a quarter of an area, to more than fits */
};

/* Make and open a store; false (and said) where that fails. */
bool	drive_begin(struct drive *, uint64_t size, uint32_t align,
	    uint32_t areas, uint64_t seed);
void	drive_end(struct drive *);
/* Close and open again; opening must write nothing. */
bool	drive_reopen(struct drive *);
/*
 * Commit, and add to the history.  1; 0 where there was no space (and
 * nothing was written); -1 after a failure, which was said.  A commit
 * must be one write, of whole align units, and one flush.
 */
int	drive_commit(struct drive *, enum drive_kind);
/*
 * A generation and its contents agree with the history, or are said to be
 * unreadable: NULL, or what is wrong.
 */
const char *drive_lenient(struct drive *, struct store *, uint64_t gen);
/*
 * The same after a cut: from the area before the newest on all must be
 * there; over older ones a torn commit may lie.
 */
const char *drive_agree(struct drive *, struct store *, uint64_t gen);
/* Until n commits are done, and `moves` of them were moves; every fourth
 * one after a reopening. */
bool	drive_run(struct drive *, size_t n, size_t moves);

/* OK() with the store's or a comparison's words. */
bool	ok_rc(int rc, const struct err *, const char *what);
bool	ok_same(const char *differs, const char *where);

#endif
