/*
 * store.h: the append-only log of commits.  cfgstore(5) is the format.
 *
 * One commit is one contiguous write and one flush.  Generations count
 * from 1; generation 0 is the base alone.  The overlay of a generation
 * is the set of paths by which it differs from the base: entries with
 * content, and whiteouts.  The store knows nothing of the base itself.
 *
 * What is read from the medium is hostile until checked: structure,
 * bounds, checksums; a content is given out only when it has the hash
 * that its entry says.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../lib/io.h"

struct store;

#define STORE_LEAST	(64 * 1024)	/* bytes of the smallest medium */

struct store_geom {
	uint32_t	align;	/* a commit begins on a multiple of it, and is
				   padded to it; 512 .. 65536, 2^n; 0: the
				   larger of 4096 and the medium's own */
	uint32_t	areas;	/* at least 3; 0: 4 */
};

/*
 * Make an empty store over the whole medium and flush it.  What was
 * there is gone.  EINVAL: too small, or a geometry that can't be.
 */
int	store_create(struct io *, const struct store_geom *, struct err *);

/* Whether the medium begins or ends with something like a store's
 * superblock, readable or not. */
bool	store_probe(struct io *);

/*
 * Open: find the newest valid commit, in bounded time, writing nothing.
 * The caller keeps io until after store_close().  EMEDIUMTYPE or EINVAL
 * ("not a cfgfs store"), EPROTONOSUPPORT ("format version N is newer"),
 * EBADMSG (a store, of which no generation can be read).  Damage that
 * leaves an older good generation is no error: see store_damage().
 */
int	store_open(struct store **, struct io *, struct err *);
void	store_close(struct store *);		/* NULL is allowed */

/* What opening found wrong, one line, or NULL.  Valid until closed. */
const char *store_damage(const struct store *);
/* The generation behind the head that is begun and not whole, as a commit
 * that lost its power leaves it, or damage at the very end; 0: there is none.
 * The next commit takes its place. */
uint64_t store_cut(const struct store *);
/* Whether a failed write or flush has closed the store to writing. */
bool	store_failed(const struct store *);

uint64_t store_id(const struct store *);	/* random, of this one; not 0 */
uint64_t store_head(const struct store *);	/* newest generation, or 0 */
/* The oldest generation that store_overlay() can still give, or the head
 * where there is no history. */
uint64_t store_oldest(const struct store *);

/* The overlay of a generation (0: empty); the caller frees it.  ENOENT:
 * never was, or no longer there. */
int	store_overlay(struct store *, uint64_t gen, struct ents *,
	    struct err *);

/*
 * The content of a regular file's entry from store_overlay(), verified
 * against its hash.  EBADMSG: damaged.  The result is appended to *out.
 */
int	store_content(struct store *, const struct ent *, struct buf *out,
	    struct err *);

enum change_op {
	CHANGE_SET = 1,		/* this entry, or this whiteout */
	CHANGE_DROP = 2		/* the path follows the base again */
};

struct change {
	enum change_op	 op;
	struct ent	 e;	/* DROP: the path alone counts */
	struct buf	 data;	/* REG: content; empty where `link` says that
				   an earlier change has it */
	struct buf	 base_data; /* content of e.base, where that is a file
				   and to be kept; else empty */
	/* Who changed the path in the running tree, as far as known. */
	uint32_t	 uid;
	char		 comm[16]; /* program, "" unknown */
};

struct commit {
	int64_t		 time;	/* ns since 1970 */
	uint32_t	 uid;	/* who commits */
	char		*user;	/* login name, may be NULL; owned */
	char		*msg;	/* message, may be NULL; owned */
	struct change	*v;	/* in path_cmp() order */
	size_t		 n;
};

void	commit_free(struct commit *);

/*
 * Append one commit.  On 0 it survives power loss and *gen is its
 * number.  On error the store is as it was, or closed to writing
 * (store_failed()).  Link numbers of the changed entries are in one
 * space with those of the head's overlay: a changed entry that joins a
 * group of unchanged entries has their number.  The caller keeps c and
 * the medium's lock.  ENOSPC: nothing was written.
 */
int	store_commit(struct store *, const struct commit *, uint64_t *gen,
	    struct err *);

/*
 * The commit record of a generation: who, when, message, and the changes
 * without their contents (data empty).  The caller frees it.  ENOENT as
 * store_overlay(); a generation that only a checkpoint still knows gives
 * its overlay but not this.
 */
int	store_record(struct store *, uint64_t gen, struct commit *,
	    struct err *);

/*
 * The content of e.base of an overlay's entry, appended, as
 * store_content().  ENOENT: there is none, or it was not kept.
 */
int	store_base_content(struct store *, const struct ent *,
	    struct buf *out, struct err *);

/*
 * A trial: a commit that opening the store does not give, until it is
 * confirmed.  There is one at a time: another one takes its place, and the
 * next commit ends it.  It stands in the store until then, whether it runs
 * or not: nothing here knows of clocks.
 */
#define STORE_TRIAL	UINT64_MAX	/* the trial, where a generation is
					   asked for: overlay and record */

struct trial {
	int64_t		 time;		/* ns since 1970: when it was made */
	int64_t		 deadline;	/* and when it was to end */
	uint32_t	 uid;		/* by whom */
	char		*user;		/* owned, as msg */
	char		*msg;
	size_t		 paths;		/* changes in it */
};
void	trial_free(struct trial *);

/* Errors as store_commit(); c is against the head. */
int	store_trial(struct store *, const struct commit *, int64_t deadline,
	    struct err *);
/* ENOENT: there is none. */
int	store_trial_info(struct store *, struct trial *, struct err *);
/* Make the trial the head, as a commit by who made it.  ENOENT. */
int	store_confirm(struct store *, uint64_t *gen, struct err *);

/*
 * A tag names a generation, which is then kept for good.  A name begins
 * with a letter, and goes on with letters, digits, '.', '_' and '-', at
 * most 64.  Generation 0 takes the tag away.
 */
bool	store_tag_ok(const char *name);
int	store_tag(struct store *, const char *name, uint64_t gen,
	    struct err *);
/* The i-th tag in order of name; false behind the last.  The name is valid
 * until the store changes. */
bool	store_tag_at(const struct store *, size_t i, const char **name,
	    uint64_t *gen);

/*
 * Older generations than store_oldest() that are still there: tagged ones,
 * and those that store_keep() asks for.  The i-th, the newest first.
 */
bool	store_kept(const struct store *, size_t i, uint64_t *gen);
/*
 * From the next compaction on: keep at least `least` generations, and all
 * made since `since` (ns since 1970), as far as there is room for them; the
 * oldest go first.  By default STORE_KEEP and none.
 */
#define STORE_KEEP	10
void	store_keep(struct store *, uint64_t least, int64_t since);

struct store_space {
	uint64_t	size;		/* bytes of the medium */
	uint32_t	align;
	uint64_t	area;		/* bytes of one area */
	uint64_t	live;		/* bytes of a checkpoint of the head */
	uint64_t	left;		/* bytes that the next commit may take
					   in the worst case, ENOSPC beyond */
	uint64_t	written;	/* bytes written by the last commit,
					   compaction included; 0: none yet */
};
void	store_space(const struct store *, struct store_space *);

/*
 * One write, as far as its record is still there: an area that was written
 * anew has lost what it said.
 */
struct store_write {
	uint64_t	 gen;		/* the head after it */
	int64_t		 time;		/* ns since 1970 */
	uint64_t	 bytes;		/* written, the padding and a checkpoint
					   before it included */
	bool		 area;		/* it began an area: a compaction */
	bool		 note;		/* no commit: a trial, a tag */
	const char *const *path;	/* that it changed */
	const uint64_t	*stored;	/* and bytes of the content of each, as
					   stored; 0: none, or known before */
	size_t		 n;
};
/*
 * Tell fn of each, in no order.  Not 0 ends it, and is the result; the
 * paths are valid until fn returns.
 */
int	store_ledger(struct store *, int (*fn)(void *,
	    const struct store_write *), void *arg, struct err *);

/*
 * Read and check everything: every record, every content.  fn is told of
 * each fault in one line.  Returns the number of faults, or -errno.
 */
int	store_verify(struct store *, void (*fn)(void *, const char *),
	    void *arg, struct err *);

#endif
