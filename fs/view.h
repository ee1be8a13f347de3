/*
 * view.h: the view that the daemon serves, and what its parts share.
 *
 * One thread does everything.  All functions return 0 (or what they say)
 * or -errno.
 */
#ifndef VIEW_H
#define VIEW_H

#include <fuse_lowlevel.h>

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../lib/jrn.h"
#include "node.h"

#define VIEW_WRITE	131072	/* bytes of the largest write */
#define VIEW_HEAD	4096	/* bytes of a request without its data */
#define VIEW_OPS	64	/* opcodes that are counted one by one */

#define FDS_DIR		64	/* directory descriptors at hand */
#define FDS_FILE	32	/* and of files */

/* A descriptor at hand. */
struct cfd {
	struct node	*node;	/* whose it is; NULL: free */
	int		 fd;
	bool		 rdonly; /* could not be opened for writing */
	uint64_t	 used;	/* tick of the last use */
	off_t		 pos;	/* directory: position of the next entry */
};

struct touch;			/* touch.h */
struct held;			/* hold.c */
struct past;			/* past.h */

struct view {
	struct fuse_session *se;
	struct nodes	 nodes;
	int		 rootfd; /* the running tree, from before the mount */
	off_t		 rootpos; /* as cfd.pos */
	struct cfd	 dirs[FDS_DIR];
	struct cfd	 files[FDS_FILE];
	uint64_t	 tick;	/* counts uses of descriptors */
	unsigned	 nkept;	/* nodes with a descriptor of their own */
	unsigned	 maxkept; /* most of these, by RLIMIT_NOFILE */
	mode_t		 mask;	/* umask now in force */
	struct touch	*touch;	/* the journal; NULL: none is kept */
	struct past	*past;	/* the window into history; NULL: none */
	uint8_t		*req;	/* the request: VIEW_HEAD + VIEW_WRITE bytes,
				   ... */
	uint8_t		*out;	/* ... and room for the answer of one that
				   carries no data, VIEW_WRITE bytes in it */
	bool		 inited; /* INIT is answered */
	uint32_t	 offered; /* INIT's flags, until it is answered */
	uint8_t		 answer[512]; /* a short answer in one piece */
	enum {			/* the RAM disk, for the request served now: */
		VIEW_ROOM,	/* was not full */
		VIEW_FULL,	/* is; not answered, to be tried again */
		VIEW_RETRY	/* this is that second time */
	}		 full;
	struct held	*held;	/* requests that wait for a thaw */
	size_t		 nheld;
	uint64_t	 nreq[VIEW_OPS]; /* requests by opcode */
	uint64_t	 nforget; /* counts given back */
};

/* Who asks. */
struct who {
	uid_t	 uid;
	gid_t	 gid;
	pid_t	 pid;
};

#define VIEW(req)	((struct view *)fuse_req_userdata(req))

/* fd.c: descriptors. */
/* What is open for the node just now, or -1. */
int	fd_now(struct view *, struct node *);
/* Of a directory, for reading and as the base of *at(); owned by the
 * cache, good until two others have been asked for. */
int	fd_dir(struct view *, struct node *);
/* Of a regular file, for reading, and for writing where asked. */
int	fd_file(struct view *, struct node *, bool write);
/* Let the cache own this descriptor of a file; closes it at once where
 * there is no node. */
void	fd_give(struct view *, struct node *, int fd);
/*
 * Before a name is taken away: a descriptor to keep for the node if that
 * is its last known name, into node->fd.  ENFILE: too many are kept.
 */
int	fd_keep(struct view *, struct node *, const struct name *);
/* The node got a name again, or the name stayed. */
void	fd_unkeep(struct view *, struct node *);
/* Close what is open for the node. */
void	fd_drop(struct view *, struct node *);
void	fd_dropall(struct view *);
/* Where fd_dir()'s descriptor stands, kept by its reader; NULL: unknown. */
off_t	*fd_pos(struct view *, struct node *);

/* view.c: what the operations share. */
/* The node of this number, or NULL. */
struct node *view_node(struct view *, fuse_ino_t);
struct who view_who(fuse_req_t);
/*
 * Where to reach a node: *name in the descriptor that is returned, or,
 * with *name NULL, the descriptor is the node's own.
 */
int	view_reach(struct view *, struct node *, const char **name);
/* Whether this name is the window's (past.h). */
bool	view_past(const struct view *, fuse_ino_t parent, const char *name);
int	view_stat(struct view *, struct node *, struct stat *);
/* Whether who asks is of this group. */
bool	view_member(fuse_req_t, gid_t);
/* Clear what a change of the content by this ordinary user clears of the
 * mode; the second sets it, and tells the kernel. */
int	view_killpriv(struct view *, struct node *, fuse_req_t);
int	view_clear(struct view *, struct node *, int fd, mode_t);
/*
 * Note a change, about to be made, of `name` in dir: view_touched() is 1
 * where that is noted already; else view_touch() does it.  0 or -errno.
 */
int	view_touched(struct view *, struct node *dir, const char *name,
	    unsigned flags, const struct who *);
int	view_touch(struct view *, struct node *dir, const char *name,
	    enum jrn_op, unsigned flags, const struct who *);
/* Both, for a node by its name. */
int	view_touch_node(struct view *, struct node *, enum jrn_op,
	    const struct who *);
/* Answer with the inode *st, found as name in dir. */
int	view_entry(struct view *, struct node *dir, const char *name,
	    const struct stat *, struct fuse_entry_param *);
void	view_forget(struct view *, fuse_ino_t, uint64_t n);

/* op-*.c: the operations, for view.c's table. */
void	op_lookup(fuse_req_t, fuse_ino_t, const char *);
void	op_forget(fuse_req_t, fuse_ino_t, uint64_t);
void	op_forget_multi(fuse_req_t, size_t, struct fuse_forget_data *);
void	op_getattr(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void	op_setattr(fuse_req_t, fuse_ino_t, struct stat *, int,
	    struct fuse_file_info *);
void	op_readlink(fuse_req_t, fuse_ino_t);
void	op_statfs(fuse_req_t, fuse_ino_t);
void	op_mknod(fuse_req_t, fuse_ino_t, const char *, mode_t, dev_t);
void	op_mkdir(fuse_req_t, fuse_ino_t, const char *, mode_t);
void	op_symlink(fuse_req_t, const char *, fuse_ino_t, const char *);
void	op_create(fuse_req_t, fuse_ino_t, const char *, mode_t,
	    struct fuse_file_info *);
void	op_link(fuse_req_t, fuse_ino_t, fuse_ino_t, const char *);
void	op_unlink(fuse_req_t, fuse_ino_t, const char *);
void	op_rmdir(fuse_req_t, fuse_ino_t, const char *);
void	op_rename(fuse_req_t, fuse_ino_t, const char *, fuse_ino_t,
	    const char *, unsigned);
void	op_open(fuse_req_t, fuse_ino_t, struct fuse_file_info *);
void	op_read(fuse_req_t, fuse_ino_t, size_t, off_t,
	    struct fuse_file_info *);
void	op_write(fuse_req_t, fuse_ino_t, const char *, size_t, off_t,
	    struct fuse_file_info *);
void	op_fallocate(fuse_req_t, fuse_ino_t, int, off_t, off_t,
	    struct fuse_file_info *);
void	op_lseek(fuse_req_t, fuse_ino_t, off_t, int, struct fuse_file_info *);
void	op_copy(fuse_req_t, fuse_ino_t, off_t, struct fuse_file_info *,
	    fuse_ino_t, off_t, struct fuse_file_info *, size_t, int);
void	op_readdir(fuse_req_t, fuse_ino_t, size_t, off_t,
	    struct fuse_file_info *);
void	op_readdirplus(fuse_req_t, fuse_ino_t, size_t, off_t,
	    struct fuse_file_info *);
void	op_setxattr(fuse_req_t, fuse_ino_t, const char *, const char *,
	    size_t, int);
void	op_getxattr(fuse_req_t, fuse_ino_t, const char *, size_t);
void	op_listxattr(fuse_req_t, fuse_ino_t, size_t);
void	op_removexattr(fuse_req_t, fuse_ino_t, const char *);

extern const struct fuse_lowlevel_ops view_ops;

#endif
