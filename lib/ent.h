/*
 * ent.h: what there is to know of one path in a tree.
 *
 * The store keeps entries, restore applies them, status and diff compare
 * them.  Numbers only: no user or group names.
 */
#ifndef ENT_H
#define ENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "hash.h"

enum ent_type {			/* values are the store's, never reused */
	ENT_NONE = 0,		/* no such path */
	ENT_REG = 1,
	ENT_DIR = 2,
	ENT_LNK = 3,
	ENT_FIFO = 4,
	ENT_CHR = 5,
	ENT_BLK = 6,
	ENT_WHITEOUT = 7,	/* the base has it, this tree does not */
	ENT_SOCK = 8		/* never stored */
};

struct ent_base {		/* what the base had where an entry is */
	enum ent_type	 type;	/* ENT_NONE: nothing */
	uint32_t	 mode;
	uint32_t	 uid;
	uint32_t	 gid;
	uint32_t	 major;	/* CHR, BLK */
	uint32_t	 minor;
	uint64_t	 size;	/* REG: bytes of content */
	struct hash	 hash;	/* REG: of the content */
	char		*target; /* LNK: owned; NULL otherwise */
	uint64_t	 loc;	/* REG: where the store keeps the content; its
				   own; 0: it does not, or it is empty */
};

struct ent {
	char		*path;	/* owned, see path.h */
	enum ent_type	 type;
	uint32_t	 mode;	/* permission bits, 07777 */
	uint32_t	 uid;
	uint32_t	 gid;
	int64_t		 mtime;	/* seconds since 1970 */
	uint32_t	 mtime_ns; /* and nanoseconds, below 10^9 */
	uint32_t	 major;	/* CHR, BLK: device numbers */
	uint32_t	 minor;
	uint64_t	 size;	/* REG: bytes of content */
	struct hash	 hash;	/* REG: of the content */
	char		*target; /* LNK: owned; NULL otherwise */
	uint8_t		*xattr;	/* owned; canonical block, see below; or NULL */
	size_t		 xattrlen;
	uint32_t	 link;	/* hard-link group: entries of one set with the
				   same number are one inode; 0: alone */
	uint64_t	 loc;	/* where the store keeps the content; its own */
	struct ent_base	*base;	/* of an overlay's entry: what it replaced in
				   the base; owned; NULL: not known */
};

/*
 * The canonical block of extended attributes: for each, in order of
 * name: name, NUL, length (le32), value.  ACLs are among them under
 * Linux (system.posix_acl_*).
 */

/* A set of entries, in path_cmp() order, one for each path. */
struct ents {
	struct ent	*v;
	size_t		 n;
	size_t		 cap;
};

void	 ent_free(struct ent *);		/* what it owns */
/* Deep copy; -ENOMEM. */
int	 ent_copy(struct ent *dst, const struct ent *src);
/*
 * Whether the two would look the same to a user: type, mode, owner,
 * group, content (size and hash), target, device, xattrs.  Times, link
 * groups and `base` don't count; mode does not for symbolic links.
 */
bool	 ent_same(const struct ent *, const struct ent *);

void	 ents_free(struct ents *);
struct ent *ents_find(const struct ents *, const char *path);
/* Index of the first entry that is not before path. */
size_t	 ents_lower(const struct ents *, const char *path);
/* Insert or replace; takes over what *e owns, on failure too.  -ENOMEM. */
int	 ents_put(struct ents *, struct ent *e);
void	 ents_del(struct ents *, const char *path);

#define ENT_HASH	0x1	/* read a regular file for its hash */

/*
 * Describe `name` in the directory dfd (not following a symbolic link)
 * as path.  A name that isn't there gives type ENT_NONE and 0; so does,
 * with *ino and *nlink 0, one whose directory is gone.  *ino and *nlink
 * (either may be NULL) are the inode's.
 */
int	 ent_read(int dfd, const char *name, const char *path, int flags,
	    struct ent *, uint64_t *ino, uint64_t *nlink, struct err *);

#endif
