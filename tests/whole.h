/*
 * whole.h: the parts of the random test of the whole: operations that are
 * done to two trees alike, and the comparison of two trees.
 */
#ifndef WHOLE_H
#define WHOLE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOPS	6	/* directories d0 .. d5 at the top of a tree */

#define WHOLE_HELD	4	/* descriptors held open, pairs of them */

struct draw {			/* one operation's parameters */
	char		 p[2048];	/* path below the root, "/..." */
	char		 q[2048];	/* the other path, where there is one */
	char		 target[64];	/* of a symlink */
	mode_t		 mode;
	mode_t		 umask;
	uid_t		 as;		/* user and group that does it */
	uid_t		 uid;		/* to be given */
	gid_t		 gid;
	uint64_t	 seed;		/* of content and positions */
	size_t		 len;		/* bytes of content */
	off_t		 off;		/* -1: where the descriptor is */
	unsigned	 slot;		/* held descriptor */
	unsigned	 pick;		/* one of a few variants */
	int		 side;		/* 0: under test, 1: the model */
};

struct op {
	const char	*name;
	/* Do it below root: -errno, or what must be the same of both. */
	int64_t		(*fn)(const char *root, const struct draw *);
	unsigned	 weight;
	bool		 two;		/* has two paths */
};

extern const struct op whole_ops[];	/* ends with a NULL name */
/* Close what operations hold open. */
void	whole_let_go(void);

struct whole {
	const char	*view;	/* the tree under test, or NULL: model alone */
	const char	*model;	/* a plain directory, told the same */
	uint64_t	 rng;
	bool		 cross;	/* links and renames between the tops too */
	unsigned long	 good;	/* operations that succeeded */
};

/* One random operation, done to both, number n.  Whether they agreed; it
 * says on stderr where not. */
bool	whole_op(struct whole *, unsigned long n);

/*
 * Whether two trees look the same: names, types, modes, owners, devices,
 * contents, targets, hard-link groups, extended attributes.  Where not,
 * and `loud`, the first differences are shown.
 */
bool	whole_same(const char *a, const char *b, bool loud);

#endif
