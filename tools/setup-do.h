/*
 * setup-do.h: doing what a plan of cfg setup says, with a record by which it
 * can be taken back, and taking it back.
 *
 * The record is a file of lines "KEY VALUE", each written before what it
 * tells of is done; taking back goes through it from its end, and each line
 * may have been done or not.  It lies beside the settings, in the base, or
 * in RAM where the base can't be written to, as what is done then is.
 */
#ifndef SETUP_DO_H
#define SETUP_DO_H

#include <stdbool.h>

#include "../lib/err.h"
#include "cfg.h"
#include "setup.h"
#include "walk.h"

struct note {
	char		*file;		/* owned */
	struct strs	 v;		/* its lines, in their order */
};

/* What is there; no file: no lines. */
int	note_load(struct note *, const char *file, struct err *);
/* One line more, unless it is there; on 0 it survives a power cut. */
int	note_put(struct note *, const char *key, const char *value,
	    struct err *);
/* The value of the first line of this key, or NULL. */
const char *note_get(const struct note *, const char *key);
/* What the value of line i is, where its key is this one; else NULL. */
const char *note_is(const struct note *, size_t i, const char *key);
/* Make a directory and those above it, each noted down. */
int	note_mkdir(struct note *, const char *dir, struct err *);
/* Remove the record, and the directories that were made and are empty. */
void	note_forget(const struct note *);
void	note_free(struct note *);

/* Put lines at the end of a file, which need not be there.  *cut: its last
 * line had no end, and has one now. */
int	lines_add(const char *file, const struct strs *, bool *cut,
	    struct err *);
/* Take one line away that is exactly so; the last such.  With `cut`, the end
 * of the last line, too.  *empty: nothing is left.  No such line is 0. */
int	lines_remove(const char *file, const char *line, bool cut,
	    bool *empty, struct err *);

/*
 * Run a program of the system's, named as in a shell and the arguments split
 * at blanks, to its end; what it says is shown where it fails.
 */
int	setup_run(const char *command, struct err *);
/* The same of cfg's own that lies beside this one; exit status 0 or EIO. */
int	setup_cfg(const struct cfg *, char *const *argv, struct err *);

/*
 * Do all of the plan's steps, and say so.  On failure those before the one
 * that failed are done; a later setup goes on there.
 */
int	setup_do(struct cfg *, const struct setup *, struct err *);

struct undo {
	struct cfg	*c;
	struct note	 note;
	const char	*mount;		/* of the record */
	const char	*base;
	bool		 live;		/* view or tree is there: c->inst */
	bool		 real;		/* the base is what is below the view */
	bool		 discard;	/* what was changed since */
	bool		 remove_store;
	struct strs	 say;		/* what would be done */
};

/* Find the record and what it comes to.  -ENOENT: there is none. */
int	undo_find(struct undo *, struct err *);
int	undo_do(struct undo *, struct err *);
/*
 * Of undo_do(): make what was below the view what runs now, and take the
 * view, its tree and its state directory away.
 */
int	undo_view(struct undo *, struct err *);
void	undo_free(struct undo *);

#endif
