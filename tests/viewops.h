/*
 * viewops.h: system calls made on one directory, with a log of what they
 * answered, so that two directories can be compared.
 */
#ifndef VIEWOPS_H
#define VIEWOPS_H

#include <sys/types.h>

#include <stdint.h>

#include "../lib/buf.h"

#define SLOTS	12		/* files kept open */

struct side {			/* one of the directories */
	int	 root;		/* descriptor of it */
	int	 slot[SLOTS];	/* open files, -1 */
};

enum kind {
	K_OPEN, K_CLOSE, K_READ, K_PREAD, K_WRITE, K_PWRITE, K_FTRUNCATE,
	K_TRUNCATE, K_UNLINK, K_RMDIR, K_MKDIR, K_RENAME, K_LINK, K_LINKFD,
	K_SYMLINK, K_MKNOD, K_BIND, K_CHMOD, K_FCHMOD, K_CHOWN, K_FCHOWN,
	K_UTIMENS, K_FUTIMENS, K_SETXATTR, K_GETXATTR, K_LISTXATTR,
	K_REMOVEXATTR, K_ACL, K_STATVFS, K_FSYNC, K_FALLOCATE, K_LSEEK,
	K_READLINK, K_ACCESS, K_FSTAT, K_STAT, K_LIST, K_MMAP, K_COPYRANGE,
	K_UMASK, K_SAVE, K_SLURP, K_MAX
};

struct op {			/* one call, with everything it is given */
	enum kind	 kind;
	int		 who;		/* 0 root, or a user: see become() */
	const char	*p, *q;		/* paths */
	int		 slot, slot2;
	int		 flags;
	unsigned	 mode;
	uint64_t	 r[4];		/* random numbers */
	off_t		 off;
	size_t		 n;
	int64_t		 t[2];		/* times, ns; see K_UTIMENS */
};

extern const char *const kind_names[K_MAX];

/* Draw an op from the seed's state. */
void	op_draw(struct op *, uint64_t *seed);
/* Make the call on this side; what it answered goes to the log. */
void	op_run(struct side *, const struct op *, struct buf *log);
void	op_print(struct buf *, const struct op *);

/* Be root (0), uid 1000 with group 1001 as well (1), or uid 1001 (2);
 * of the real ids too, so that access(2) sees it. */
void	become(int who);

/* An ACL as Linux keeps it in an xattr, from a number; returns bytes. */
size_t	acl_make(uint8_t *, uint64_t r);

#endif
