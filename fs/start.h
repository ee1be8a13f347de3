/*
 * start.h: the start of cfgfs: options, and all that comes before the
 * mount.
 */
#ifndef START_H
#define START_H

#include <stdbool.h>

#include "../lib/err.h"
#include "../lib/inst.h"

struct opts {			/* strings owned; NULL: not given */
	char		*mount;
	char		*store;
	char		*base;
	char		*tree;
	char		*state;
	char		*cfg;	/* the program that restores */
	unsigned	 flags;	/* SYS_NOSUID ... */
	bool		 history; /* the window into history is wanted */
	bool		 foreground;
	bool		 debug;	/* say what libfuse does; foreground too */
};

/* Exit codes. */
#define EX_OK		0
#define EX_FAIL		2
#define EX_MISUSE	64

/*
 * Parse the command line.  -1: go on; else the exit code to end with,
 * everything having been said.
 */
int	opts_parse(struct opts *, int argc, char **argv);
void	opts_free(struct opts *);

struct start {
	struct inst	 inst;	/* owned */
	int		 lockfd; /* the state directory's lock, held */
	int		 statefd; /* the state directory */
	int		 treefd; /* the running tree */
	char		*hist;	/* owned: the program that shows history, by an
				   absolute path; NULL: none does */
	bool		 fresh;	/* the tree was built by this very start */
};

/*
 * Steps 1 to 5 of DESIGN.md "Start of cfgfs": lock, tree, base.  self is
 * argv[0].  What is mounted for it stays.
 */
int	start_prepare(struct start *, const struct opts *, const char *self,
	    struct err *);
void	start_free(struct start *);
/*
 * When the view serves: the process that waits for the end of a trial is
 * begun, where one runs, and where the tree has a configuration those that
 * push to mirrors and commit by themselves: they know whether there is
 * anything for them to do.  Nobody waits for them.
 */
void	start_others(const struct start *, const struct opts *,
	    const char *self);
/* Write this process's pid into the lock. */
int	start_claim(const struct start *, struct err *);

#endif
