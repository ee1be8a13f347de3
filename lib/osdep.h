/*
 * osdep.h: where systems differ.  osdep-linux.c and osdep-freebsd.c each
 * give all of this; the rest of the program is written for one imagined
 * good system.
 */
#ifndef OSDEP_H
#define OSDEP_H

#include <sys/types.h>
#ifdef __linux__
#include <sys/sysmacros.h>	/* major(), minor(), makedev() */
#endif

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "err.h"

/*
 * Extended attributes of `name` in the directory dfd, never following a
 * symbolic link; name "." is the directory itself.  Names carry their
 * name space as under Linux ("user.", "system.", ...; FreeBSD has the two
 * spaces user and system).  Results as the system's own calls: a count or
 * -errno; size 0 asks for the length; flags as XATTR_CREATE and REPLACE.
 * Where the system knows paths only, the current directory is another
 * one for the length of the call; one that this user can't come back to
 * becomes "/".
 */
#ifdef ENOATTR
#define OS_ENOATTR	ENOATTR	/* there is no such attribute */
#else
#define OS_ENOATTR	ENODATA
#endif
ssize_t	os_getxattr(int dfd, const char *name, const char *attr,
	    void *value, size_t size);
int	os_setxattr(int dfd, const char *name, const char *attr,
	    const void *value, size_t size, int flags);
ssize_t	os_listxattr(int dfd, const char *name, char *list, size_t size);
int	os_removexattr(int dfd, const char *name, const char *attr);

/*
 * The name of a process's program (as ps -c shows it) for attribution,
 * NUL-terminated, cut to len; "?" where the process can't be seen.
 * Cheap enough for every first touch: nothing below /etc is opened.
 */
void	os_progname(pid_t, char *, size_t len);

/* Whether the file system of this descriptor lives in RAM. */
bool	os_is_ramdisk(int fd);

/* renameat2(2): flags are OS_RENAME_*; -EINVAL where it can't be done. */
#define OS_RENAME_NOREPLACE	1u
#define OS_RENAME_EXCHANGE	2u
int	os_renameat(int odfd, const char *oname, int ndfd,
	    const char *nname, unsigned flags);

/* A mounted file system. */
struct os_mnt {
	char	*dir;		/* owned: where */
	char	*from;		/* owned: device or source */
	char	*type;		/* owned: "ufs", "ext4", "fuse.cfgfs", ... */
	bool	 ro;		/* can't be written to: either of these two: */
	bool	 fs_ro;		/* the file system is read-only as a whole */
	bool	 dir_ro;	/* this mount of it is */
};
void	os_mnt_free(struct os_mnt *);
/*
 * The uppermost mount whose directory is `dir` exactly (no descent, so a
 * dead FUSE mount can't hang it).  0, or -ENOENT where nothing is mounted
 * there.
 */
int	os_mnt_at(const char *dir, struct os_mnt *, struct err *);
/* The mount that holds path (absolute, without links or dots; it need not
 * be there), by names alone as well. */
int	os_mnt_of(const char *path, struct os_mnt *, struct err *);
/* A RAM disk at dir, mode 0755, which hides what was there. */
int	os_mount_ram(const char *dir, struct err *);
/* The directory `from`, without what is mounted below it, seen at `to` as
 * well (bind, nullfs).  What is mounted over either later stays there. */
int	os_mount_bind(const char *from, const char *to, bool ro, struct err *);
/*
 * Turn a mount read-write, or read-only again in the way that it was
 * (fs_ro, dir_ro) when os_mnt_at() described it; its other options kept.
 */
int	os_remount(const struct os_mnt *, bool ro, struct err *);
/* Unmount; lazily where asked (Linux detaches, FreeBSD forces). */
int	os_unmount(const char *dir, bool lazy, struct err *);

/* Bytes, logical and physical block of an open block device (on FreeBSD
 * a character device).  -ENOTBLK where it is none. */
int	os_disk(int fd, uint64_t *size, uint32_t *block, uint32_t *phys);

/* Bytes that were written to this device since it was there, by whomever.
 * -ENOENT where nobody counts. */
int	os_disk_written(dev_t, uint64_t *bytes);

/* What was written to this file or device survives power loss; 0 or
 * -errno. */
int	os_flush(int fd);
/* What was written through shared mappings of this descriptor's file
 * system reaches it, where the system can be asked for that alone. */
void	os_settle(int fd);

/* Cryptographic random bytes; can't fail once the system has started. */
void	os_random(void *, size_t);

/* ns on a clock that nobody sets, and that sleep does not stop. */
int64_t	os_uptime(void);

/* The other end of a Unix socket.  0 or -errno; pid 0 where unknown. */
int	os_peer(int fd, uid_t *, gid_t *, pid_t *);

/* Close every descriptor from this one on. */
void	os_closefrom(int fd);

/*
 * From here on this process, of one thread, can use the descriptors that
 * it has, memory, clocks and random numbers: it opens no file, makes no
 * socket, runs no program, signals nobody, and nobody of its own user
 * looks into it.  As far as the kernel can do that; no way back.  0, or
 * -errno where it can, and refused.
 */
int	os_box(struct err *);

/*
 * Copy n bytes of content (n may be larger than the file) from one
 * descriptor's position to another's, with holes kept where the system
 * tells of them.  0 or -errno.
 */
int	os_copy(int from, int to, uint64_t n);

#endif
