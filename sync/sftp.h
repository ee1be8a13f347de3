/*
 * sftp.h: SFTP, version 3 (draft-ietf-secsh-filexfer-02), as a client.
 *
 * Requests are put in a queue and go out without waiting; answers are
 * matched by number.  So any number of reads and writes cost one round
 * trip.  libssh2 has an SFTP client of its own, which can't do that for
 * requests of different kinds, and has no posix-rename before 1.11.
 *
 * All that the server says is hostile: lengths are bounded before memory
 * is taken, an answer of another number or kind than was asked for, or too
 * long, is -EPROTO ("HOST: ..."), and ends the session.
 */
#ifndef SFTP_H
#define SFTP_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/err.h"
#include "stream.h"

#define SFTP_READ	0x01
#define SFTP_WRITE	0x02
#define SFTP_CREAT	0x08
#define SFTP_TRUNC	0x10
#define SFTP_EXCL	0x20

struct sftp;

struct sftp_stat {
	uint64_t	 size;
	uint32_t	 mode;		/* with the type, as in stat(2); 0:
					   the server does not say */
};

/* Begin on a stream, which stays the caller's.  `seconds`: how long the
 * server may be silent while an answer is due. */
int	sftp_open(struct sftp **, struct stream *, int seconds, struct err *);
void	sftp_close(struct sftp *);	/* NULL is allowed; says no goodbye */
bool	sftp_can_fsync(const struct sftp *);	/* fsync@openssh.com */
bool	sftp_can_replace(const struct sftp *);	/* posix-rename@openssh.com */
/* Times that it has had to wait for an answer, from the start on. */
uint64_t sftp_waits(const struct sftp *);

/* "HOST:PATH", as messages have it: a new string. */
char	*sftp_name(const struct sftp *, const char *path);

/*
 * These wait.  Errors: -ENOENT, -EACCES, -ENOSPC where the server's words
 * tell, else -EIO with its words ("write HOST:PATH: Failure"), cleaned
 * of control characters.
 */
int	sftp_stat(struct sftp *, const char *path, struct sftp_stat *,
	    struct err *);
int	sftp_remove(struct sftp *, const char *path, struct err *);
/*
 * `to` is replaced if it is there: in one step where the server can, else
 * (with *gap set true) by removing it first.
 */
int	sftp_rename(struct sftp *, const char *from, const char *to,
	    bool *gap, struct err *);

/* --- a file of the other host */

struct sftp_file;

/* With *st (may be NULL) of the path, from the same round trip; it is set
 * even where only the opening fails, else zeros. */
int	sftp_file_open(struct sftp *, const char *path, int flags,
	    struct sftp_file **, struct sftp_stat *, struct err *);
void	sftp_file_close(struct sftp_file *);	/* does not wait */
int	sftp_file_size(struct sftp_file *, uint64_t size, struct err *);

/*
 * These do not wait for an answer, but for room where more than some MB
 * are under way.  A buffer read into is filled when sftp_drain() has
 * returned 0; what is written is copied.  A read past the end of the
 * file is an error at sftp_drain() (-EIO, "it ends before"); where `got`
 * is not NULL it is none: *got is the bytes before the end, the rest zeros.
 * Requests are carried out by the server in this order; but what a server
 * leaves out of an answer to a read is asked for behind the others.
 */
int	sftp_file_read(struct sftp_file *, void *, size_t n, uint64_t off,
	    size_t *got, struct err *);
int	sftp_file_write(struct sftp_file *, const void *, size_t n,
	    uint64_t off, struct err *);
/* fsync@openssh.com; nothing where the server can't. */
int	sftp_file_sync(struct sftp_file *, struct err *);
/* Wait for all answers.  The first failure since the last drain. */
int	sftp_drain(struct sftp *, struct err *);
/* The first write or sync of this file that is known to have failed, however
 * many drains ago, and whoever's they were. */
int	sftp_file_failed(const struct sftp_file *, struct err *);

#endif
