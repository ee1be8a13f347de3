/*
 * viewcases.h: directed cases: a script of system calls below a directory,
 * with a log of the answers.
 */
#ifndef VIEWCASES_H
#define VIEWCASES_H

#include <errno.h>

#include "../lib/buf.h"

struct view_case {
	const char	*name;		/* of its directory too */
	const char	*promise;
	/* root: an empty directory; the log must come out the same on
	 * every file system that is right. */
	void		(*fn)(int root, struct buf *log);
};

extern const struct view_case view_cases[];	/* ended by a NULL name */

/* Log a call and what it gave: value, or why not. */
#define LOG(l, call) (errno = 0, view_log(l, #call, (long)(call)))
/* The same for a call that gives a descriptor; its number is not logged. */
#define LOGFD(l, fd, call) \
	(errno = 0, (fd) = (call), view_log(l, #call, (fd) < 0 ? -1 : 0))
long	view_log(struct buf *, const char *call, long rc);
/* Log what lstat and fstat say. */
void	log_stat(struct buf *, int dfd, const char *name);
void	log_fstat(struct buf *, int fd);
/* Make a file with this content and mode. */
void	put_file(int dfd, const char *name, const char *text, unsigned mode);
/* Log a file's content. */
void	log_file(struct buf *, int dfd, const char *name);
/* Run fn in a child process, wait for it, take over its log. */
void	in_child(int root, struct buf *, void (*fn)(int, struct buf *));

/* viewnames.c */
void	case_names(int, struct buf *);
void	case_deep(int, struct buf *);
void	case_seekdir(int, struct buf *);
void	case_bigdir(int, struct buf *);
void	case_rename(int, struct buf *);
/* viewperm.c */
void	case_setgid(int, struct buf *);
void	case_defacl(int, struct buf *);
void	case_acl(int, struct buf *);
void	case_sticky(int, struct buf *);
void	case_eacces(int, struct buf *);
void	case_suid(int, struct buf *);
/* viewio.c */
void	case_flags(int, struct buf *);
void	case_holes(int, struct buf *);
void	case_locks(int, struct buf *);
void	case_mmap(int, struct buf *);
void	case_append(int, struct buf *);
void	case_unlinked(int, struct buf *);
void	case_times(int, struct buf *);
void	case_special(int, struct buf *);
void	case_exec(int, struct buf *);
void	case_full(int, struct buf *);

#endif
