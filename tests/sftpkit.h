/*
 * sftpkit.h: real SFTP servers over a pair of sockets, without SSH, and
 * streams that are worse than any network.
 */
#ifndef SFTPKIT_H
#define SFTPKIT_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../sync/sftp.h"
#include "../sync/stream.h"

/* The kinds of servers. */
enum { OPENSSH, GREENEND, KINDS };

struct far_host {
	pid_t		 pid;		/* of the server */
	struct stream	*st;		/* to it, named "far" */
};

/* Whether it is installed. */
bool	host_has(int kind);
/*
 * Start a server.  uid: as this user (0: as whoever we are); fsize: the
 * largest file that it can write, in bytes (0: any).
 */
bool	host_start(struct far_host *, int kind, uid_t uid, uint64_t fsize);
void	host_stop(struct far_host *);

/*
 * A stream over another, which stays the caller's: bytes come and go one
 * at a time (dribble); or the server is asked for less than the client
 * wants (lean), a random part of each read; or it has no extensions that
 * we know (plain).  All that came is kept in `seen`, and what went in
 * `sent`.
 */
struct filter {
	struct stream	 st;
	struct stream	*under;
	bool		 dribble;
	bool		 lean;
	bool		 plain;
	uint64_t	 rng;
	struct buf	 out;		/* a packet, not yet complete */
	struct buf	 ready;		/* changed, to be sent */
	struct buf	 seen;
	struct buf	 sent;
};

void	filter_open(struct filter *, struct stream *under);
void	filter_free(struct filter *);

/*
 * A stream that is no host at all: answers are read from memory, a packet
 * at a time and only when somebody waits for one; what is written goes
 * nowhere.  Behind the end it is closed.  With `early`, the next packet is
 * there the next time that somebody looks.
 */
struct script {
	struct stream	 st;
	const uint8_t	*p;
	size_t		 n;
	size_t		 pos;
	size_t		 open;		/* may be read up to here */
	bool		 early;
};

void	script_open(struct script *, const void *, size_t n);

/*
 * A session of every kind of request, on a file of SESSION_LEN bytes at
 * path, which is renamed, and removed.  0, or -errno of the first that
 * failed.
 */
#define SESSION_LEN	1000
struct session {
	uint8_t		 part[8][64];	/* the file's first bytes */
	uint8_t		 tail[100];	/* its last 10 */
	size_t		 got;		/* and so 10 */
	uint64_t	 waits;
};
void	session_file(uint8_t b[SESSION_LEN]);	/* what is in it */
int	session_run(struct stream *, const char *path, struct session *,
	    struct err *);
/* Its answers, by a real server with a file in this directory. */
bool	session_record(int kind, const char *dir, struct buf *out);

#endif
