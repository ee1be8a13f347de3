/*
 * sys.h: what the daemon alone needs of the system.  osdep-linux.c and
 * osdep-freebsd.c each give all of it; the rest is in lib/osdep.h.
 */
#ifndef SYS_H
#define SYS_H

#include <sys/types.h>

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"

#define SYS_NOSUID	0x1
#define SYS_NODEV	0x2
#define SYS_NOEXEC	0x4
#define SYS_NOATIME	0x8
#define SYS_RDONLY	0x10

/*
 * Mount a FUSE file system "cfgfs" over dir, with default_permissions and
 * allow_other.  Nothing is asked of the new mount.  Returns the
 * descriptor to serve it by, or -errno; flags are SYS_*.
 */
int	sys_mount(const char *dir, const char *from, unsigned flags,
	    struct err *);
/* Whether that can work here at all. */
int	sys_ready(struct err *);
/* Whether a mount's type is that of sys_mount(). */
bool	sys_is_view(const char *type);

/* Bits of INIT's flags that libfuse does not know: those which are to be
 * set in the answer, of those that the kernel offered. */
uint32_t sys_init_flags(uint32_t offered);

/* Whether the kernel may be told something of an object while a request for
 * it waits for the answer; else it has that locked, and both would wait. */
bool	sys_notifies(void);

/* A descriptor that only names the object, and never waits; or -errno. */
int	sys_open_path(int dfd, const char *name);
/* Change what such a descriptor names, or an open file.  0 or -errno. */
int	sys_fchmod(int fd, mode_t);
int	sys_fchown(int fd, uid_t, gid_t);
int	sys_futimens(int fd, const struct timespec ts[2]);

/* A new name for what such a descriptor or an open file names. */
int	sys_linkfd(int fd, int ndfd, const char *nname);
/* mknod(2) for every type, regular files too. */
int	sys_mknodat(int dfd, const char *name, mode_t, dev_t);
/* Whether new objects in a directory of this mode take over its group. */
bool	sys_group_of_dir(mode_t);

/* As os_getxattr() and its fellows, of an open file. */
ssize_t	sys_fgetxattr(int fd, const char *attr, void *, size_t);
int	sys_fsetxattr(int fd, const char *attr, const void *, size_t, int);
ssize_t	sys_flistxattr(int fd, char *, size_t);
int	sys_fremovexattr(int fd, const char *attr);

/* Read struct dirents (d_reclen bytes each) from a directory's position;
 * bytes read, 0 at the end, or -errno. */
ssize_t	sys_getdents(int fd, void *, size_t);
/* The position behind this entry, for lseek(2). */
off_t	sys_dirent_off(const struct dirent *);

/* fallocate(2) with Linux's mode bits; -EOPNOTSUPP what is not there. */
int	sys_fallocate(int fd, int mode, off_t off, off_t len);
ssize_t	sys_copy_range(int in, off_t ioff, int out, off_t ooff, size_t len,
	    unsigned flags);

/* Ask the kernel not to kill this process when memory is short. */
void	sys_protect(void);
/* The system logger's socket. */
const char *sys_log_socket(void);

#endif
