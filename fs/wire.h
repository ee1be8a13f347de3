/*
 * wire.h: the few numbers of the FUSE protocol that the daemon looks at
 * before, or beside, libfuse: Linux's <linux/fuse.h>, FreeBSD's
 * <fuse_kernel.h>, which both keep them for good.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* An opcode's name, or "other". */
const char *wire_name(unsigned opcode);

enum wire_op {
	WIRE_LOOKUP = 1,	WIRE_FORGET = 2,	WIRE_GETATTR = 3,
	WIRE_SETATTR = 4,	WIRE_READLINK = 5,	WIRE_SYMLINK = 6,
	WIRE_MKNOD = 8,		WIRE_MKDIR = 9,		WIRE_UNLINK = 10,
	WIRE_RMDIR = 11,	WIRE_RENAME = 12,	WIRE_LINK = 13,
	WIRE_OPEN = 14,		WIRE_READ = 15,		WIRE_WRITE = 16,
	WIRE_STATFS = 17,	WIRE_RELEASE = 18,	WIRE_FSYNC = 20,
	WIRE_SETXATTR = 21,	WIRE_GETXATTR = 22,	WIRE_LISTXATTR = 23,
	WIRE_REMOVEXATTR = 24,	WIRE_FLUSH = 25,	WIRE_INIT = 26,
	WIRE_OPENDIR = 27,	WIRE_READDIR = 28,	WIRE_RELEASEDIR = 29,
	WIRE_FSYNCDIR = 30,	WIRE_ACCESS = 34,	WIRE_CREATE = 35,
	WIRE_INTERRUPT = 36,	WIRE_DESTROY = 38,	WIRE_IOCTL = 39,
	WIRE_POLL = 40,		WIRE_BATCH_FORGET = 42,	WIRE_FALLOCATE = 43,
	WIRE_READDIRPLUS = 44,	WIRE_RENAME2 = 45,	WIRE_LSEEK = 46,
	WIRE_COPY_FILE_RANGE = 47, WIRE_TMPFILE = 51,	WIRE_STATX = 52
};

/* What every request begins with.  In the machine's byte order. */
struct wire_in {
	uint32_t	 len;
	uint32_t	 opcode;
	uint64_t	 unique;
	uint64_t	 nodeid;
	uint32_t	 uid;
	uint32_t	 gid;
	uint32_t	 pid;
	uint32_t	 more;
};

/* What every answer begins with. */
struct wire_out {
	uint32_t	 len;
	int32_t		 error;
	uint64_t	 unique;
};

#define WIRE_INIT_FLAGS	12	/* offset of the flags, request and answer */

/* WRITE: whether FUSE_WRITE_KILL_SUIDGID is set: the caller has not the
 * right to keep suid bits. */
static inline bool
wire_write_kills(const uint8_t *req)
{
	uint32_t	 flags;

	memcpy(&flags, req + sizeof(struct wire_in) + 20, sizeof(flags));
	return (flags & 0x4) != 0;
}

#endif
