/*
 * jrn.h: the change journal's format, and its reader.
 *
 * The journal says where to look, not what is there: each record names a
 * path that was about to be changed, with who and when.  It lies in the
 * state directory as segments, files "journal.N" with N counting up.
 * The daemon appends to the newest; a commit begins a new one and, once
 * the store has taken it, replaces or unlinks those before.  All
 * segments that are there count together.  cfgjournal(5) is the format.
 *
 * A segment is as long as the space reserved for it; zeros follow the
 * last record.  A torn record at the end is normal (its change never took
 * place) and ends the segment.
 */
#ifndef JRN_H
#define JRN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

#define JRN_COMM	16	/* bytes of a program name, NUL included */

enum jrn_op {			/* values are the format's */
	JRN_CREATE = 1,		/* file, by open or mknod */
	JRN_MKDIR = 2,
	JRN_SYMLINK = 3,
	JRN_LINK = 4,		/* one record for each of the two names: what
				   later happens by one shows under both */
	JRN_UNLINK = 5,
	JRN_RMDIR = 6,
	JRN_RENAME = 7,		/* one record for each of the two names */
	JRN_WRITE = 8,		/* content or length */
	JRN_ATTR = 9,		/* mode, owner, times */
	JRN_XATTR = 10,
	JRN_SCAN = 11		/* nobody knows what changed below here */
};

#define JRN_BORN	0x1	/* the name was not there before */
#define JRN_TREE	0x2	/* the path and all below it: a directory was
				   renamed to or from here, or JRN_SCAN */
#define JRN_LINKED	0x4	/* the inode has other names too */

struct jrn_rec {
	enum jrn_op	 op;
	uint8_t		 flags;		/* JRN_BORN ... */
	uint32_t	 uid;
	uint32_t	 gid;
	uint32_t	 pid;
	uint32_t	 count;		/* changes of this path, this one too */
	int64_t		 time;		/* ns since 1970 of the first */
	char		 comm[JRN_COMM]; /* program, NUL-terminated */
	const char	*path;		/* path.h; in the reader's buffer */
	size_t		 pathlen;
};

#define JRN_NAME	32	/* room for a segment's file name */
void	jrn_name(char out[JRN_NAME], uint64_t seq);
/*
 * Create a file for a segment in the state directory, replacing what has
 * this name: mode 0600, and the directory's group, with its right to
 * read.  A descriptor or -errno.
 */
int	jrn_create(int dirfd, const char *name, struct err *);

/* Bytes of a segment's header; records follow. */
#define JRN_HEAD	16
/* Append a header for segment `seq`. */
void	jrn_put_head(struct buf *, uint64_t seq);
/* Append the record's bytes.  Its count lies JRN_COUNT_OFF into them,
 * outside of the checksum, so that it can be bumped in place. */
#define JRN_COUNT_OFF	8
void	jrn_put(struct buf *, const struct jrn_rec *);

/*
 * Take one record from the reader: 1 with *rec filled in (path is
 * NUL-terminated inside the bytes), 0 at the end (zeros or nothing left),
 * -EBADMSG where the bytes are torn or damaged; r is then unmoved.
 */
int	jrn_get(struct rd *r, struct jrn_rec *rec);

/* The same of a record that jrn_get() took before, unchecked and left
 * where it is; its size. */
size_t	jrn_peek(const struct rd *r, struct jrn_rec *rec);

/*
 * Read all segments in the directory, oldest first, those with a number
 * of at most `upto`; fn is called for each record and ends the scan by
 * returning other than 0, which is then the result.  *damaged is set
 * where a segment's header is bad, or a record is bad that isn't the
 * newest segment's last: then the caller must look everywhere.
 * *last is the highest segment number seen (0: none).
 */
int	jrn_scan(int dirfd, uint64_t upto,
	    int (*fn)(void *, const struct jrn_rec *), void *arg,
	    bool *damaged, uint64_t *last, struct err *);

/*
 * Replace every segment up to `upto` by one, numbered `upto`, with these
 * record bytes (as jrn_put() makes them; none: the segments just go).
 * All or nothing for a reader: the new one is renamed into place before
 * older ones are unlinked.
 */
int	jrn_replace(int dirfd, uint64_t upto, const struct buf *recs,
	    struct err *);

#endif
