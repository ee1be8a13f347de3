/*
 * opsbench.h: what the benchmark's driver and its operations share.
 */
#ifndef OPSBENCH_H
#define OPSBENCH_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_FILES	256	/* files that are read, 1 KB each */
#define BENCH_SIZE	1024	/* bytes of each */
#define BENCH_TARGETS	16	/* files that are changed */
#define BENCH_BATCH	4000	/* most files to be there at once */

struct target {			/* one directory under test */
	const char	*name;
	const char	*dir;
	char		 tree[PATH_MAX];	/* read-only part */
	char		 work[PATH_MAX - 64];	/* where changes are made */
	char		*fpath[BENCH_FILES];
	char		*mpath[BENCH_TARGETS];	/* names that aren't there */
	char		*wpath[BENCH_TARGETS];
	char		 deep[PATH_MAX];	/* eight components deep */
	char		 link[PATH_MAX];
	char		 fdir[PATH_MAX];	/* directory of fpath */
	int		 fd_r, fd_w;		/* files held open */
	unsigned long	 seq;			/* of temporary names */
};

struct bench_op {
	const char	*name;
	int		(*fn)(struct target *, long n);	/* 0 or -1 */
	enum {
		MANY,		/* as often as fits the time */
		BATCH,		/* at most BENCH_BATCH times */
		FOLLOWS		/* undoes what the one before did */
	}		 kind;
};

extern const struct bench_op bench_ops[];	/* ends with a NULL name */

extern char	 bench_data[BENCH_SIZE];
extern char	*bench_new[BENCH_BATCH];	/* names for create, unlink */
/* Where an operation sets it, the time that counts instead of all. */
extern uint64_t	 bench_own_ns;

uint64_t bench_now(void);
/* Open, write len bytes, fsync where asked, close: 0 or -1. */
int	bench_put(const char *path, int flags, size_t len, int sync);

#endif
