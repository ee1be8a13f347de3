/*
 * wire.c: the names of the FUSE protocol's requests.
 */
#include <stddef.h>

#include "wire.h"

const char *
wire_name(unsigned opcode)
{
	static const char *const names[] = {
		[WIRE_LOOKUP] = "LOOKUP",
		[WIRE_FORGET] = "FORGET",
		[WIRE_GETATTR] = "GETATTR",
		[WIRE_SETATTR] = "SETATTR",
		[WIRE_READLINK] = "READLINK",
		[WIRE_SYMLINK] = "SYMLINK",
		[WIRE_MKNOD] = "MKNOD",
		[WIRE_MKDIR] = "MKDIR",
		[WIRE_UNLINK] = "UNLINK",
		[WIRE_RMDIR] = "RMDIR",
		[WIRE_RENAME] = "RENAME",
		[WIRE_LINK] = "LINK",
		[WIRE_OPEN] = "OPEN",
		[WIRE_READ] = "READ",
		[WIRE_WRITE] = "WRITE",
		[WIRE_STATFS] = "STATFS",
		[WIRE_RELEASE] = "RELEASE",
		[WIRE_FSYNC] = "FSYNC",
		[WIRE_SETXATTR] = "SETXATTR",
		[WIRE_GETXATTR] = "GETXATTR",
		[WIRE_LISTXATTR] = "LISTXATTR",
		[WIRE_REMOVEXATTR] = "REMOVEXATTR",
		[WIRE_FLUSH] = "FLUSH",
		[WIRE_INIT] = "INIT",
		[WIRE_OPENDIR] = "OPENDIR",
		[WIRE_READDIR] = "READDIR",
		[WIRE_RELEASEDIR] = "RELEASEDIR",
		[WIRE_FSYNCDIR] = "FSYNCDIR",
		[WIRE_ACCESS] = "ACCESS",
		[WIRE_CREATE] = "CREATE",
		[WIRE_INTERRUPT] = "INTERRUPT",
		[WIRE_DESTROY] = "DESTROY",
		[WIRE_IOCTL] = "IOCTL",
		[WIRE_POLL] = "POLL",
		[WIRE_BATCH_FORGET] = "BATCH_FORGET",
		[WIRE_FALLOCATE] = "FALLOCATE",
		[WIRE_READDIRPLUS] = "READDIRPLUS",
		[WIRE_RENAME2] = "RENAME2",
		[WIRE_LSEEK] = "LSEEK",
		[WIRE_COPY_FILE_RANGE] = "COPY_FILE_RANGE",
		[WIRE_TMPFILE] = "TMPFILE",
		[WIRE_STATX] = "STATX",
	};

	if (opcode >= sizeof(names) / sizeof(names[0]) ||
	    names[opcode] == NULL)
		return "other";
	return names[opcode];
}
