/*
 * hops.h: the window's operations, and what they share.
 */
#ifndef HOPS_H
#define HOPS_H

#include <fuse_lowlevel.h>

#include <sys/stat.h>

#include <stdint.h>

#include "../lib/ent.h"
#include "../lib/err.h"
#include "../tools/walk.h"
#include "gens.h"
#include "hnode.h"

#define HOPS_MOST	131072	/* bytes of the longest answer's data */
#define FOREVER		1e9	/* seconds: a generation stays as it is */

struct window {
	struct gens	 gens;
	struct hnodes	 nodes;
	int64_t		 said;	/* s: when a failure was last logged, or 0 */
	uint64_t	 listed; /* id of the directory of which `list` is; 0 */
	struct strs	 list;	/* what it holds, sorted */
	char		 out[HOPS_MOST]; /* an answer in the making */
};

#define WINDOW(req)	((struct window *)fuse_req_userdata(req))

/* hops.c */
/* What a failure is for the one who asks: a positive errno value.  What
 * it should not come to is logged, once in a while. */
int	hops_errno(struct window *, int rc, const struct err *);
/* What stat(2) shows of an entry, or of a link to a generation. */
void	hops_stat(const struct ent *, uint64_t id, struct stat *);
void	hops_link_stat(struct window *, uint64_t gen, struct stat *);
/*
 * The entry of a path of a generation, for the caller to free; ENT_NONE
 * where there is none.  The root is always there.
 */
int	hops_ent(struct window *, uint64_t gen, const char *path,
	    struct ent *, struct err *);
/* The answer that names this entry; the node is counted. */
int	hops_entry(struct window *, uint64_t gen, const struct ent *,
	    struct fuse_entry_param *);

/* list.c */
void	hops_readdir(fuse_req_t, fuse_ino_t, size_t, off_t,
	    struct fuse_file_info *);
void	hops_readdirplus(fuse_req_t, fuse_ino_t, size_t, off_t,
	    struct fuse_file_info *);

extern const struct fuse_lowlevel_ops hops;

#endif
