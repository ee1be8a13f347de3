/*
 * drive.h: a store on a simulated medium, together with what it should
 * hold, driven one random commit after another.
 */
#ifndef DRIVE_H
#define DRIVE_H

#include "gen.h"
#include "hist.h"
#include "simio.h"

#define DRIVE_TAGS	4

struct drive {
	struct sim		*sim;
	struct store		*s;
	struct store_geom	 geom;
	struct hist		 h;
	struct hist		 trials; /* all that were made, by their time */
	struct gen		 g;
	uint64_t		 end;	/* where the last commit ended */
	size_t			 done;	/* commits */
	size_t			 full;	/* refused with ENOSPC */
	size_t			 moves;	/* commits that began another area */
	uint64_t		 began;	/* generation that began the newest */
	uint64_t		 before; /* and the area before that one */
	size_t			*mark;	/* mark[k]: operations in the log when
					   h.v[k] was acknowledged */
	uint64_t		 tag[DRIVE_TAGS]; /* generation, or 0: no such
					   tag */
	bool			 notes;	/* drive_run() makes tags and trials, too */
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

/* What follows a commit that was acknowledged: 1 or -1; after is taken. */
int	drive_done(struct drive *, const struct commit *, struct ents *after,
	    uint64_t gen, uint64_t head, size_t since);
/* Whether what came since then was one write, of whole units, and one
 * flush. */
bool	drive_wrote(struct drive *, size_t since);

/*
 * drivenote.c.  A tag is set or dropped; all are dropped; a trial is made
 * and confirmed, or not.  False after a failure, which was said.
 */
bool	drive_tag(struct drive *, bool drop);
bool	drive_untag(struct drive *);
bool	drive_trial(struct drive *);
/* Whether the store has the tags, and their generations: NULL, or why not. */
const char *drive_tags(struct drive *, struct store *);

/* Whether the trial in a store, if there is one, is one that was made, and
 * whole: NULL, or why not. */
const char *drive_trial_agrees(struct drive *, struct store *);

/* OK() with the store's or a comparison's words. */
bool	ok_rc(int rc, const struct err *, const char *what);
bool	ok_same(const char *differs, const char *where);

#endif
