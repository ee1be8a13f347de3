/*
 * checktab.h: the table of validators that are known without being asked
 * for.
 */
#ifndef CHECKTAB_H
#define CHECKTAB_H

#include <stdbool.h>
#include <stddef.h>

#define CHECK_SH	0x1	/* not where "#!" asks for another than sh */
#define CHECK_SUDO	0x2	/* not where sudo would not read it */

struct validator {
	const char	*patts[8];	/* as in cfgfs/ignore; NULL ends */
	const char	*cmd;		/* words, as in the configuration */
	const char	*need;		/* only where this is a regular file; or
					   NULL */
	const char	*fine;		/* what fails with these words has found
					   nothing: regcomp(3); or NULL */
	const char	*only;		/* and what fails without these */
	int		 flags;
};

/* The i-th, or NULL behind the last. */
const struct validator *validator(size_t i);
/*
 * Whether it is for this path, its pattern aside: its flags, and what it
 * needs.
 */
bool	validator_wants(const struct validator *, int tree, const char *path);
/*
 * Whether a run that failed with these words is one that found something:
 * what could not look for a reason of its own has not.
 */
bool	validator_means(const struct validator *, int tree,
	    const char *said);

#endif
