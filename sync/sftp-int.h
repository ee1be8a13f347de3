/*
 * sftp-int.h: what the parts of the SFTP client share.
 *
 * sftp.c	the session: queue, packets in and out, waiting
 * sftp-ans.c	what an answer means
 * sftp-file.c	requests on files
 */
#ifndef SFTP_INT_H
#define SFTP_INT_H

#include "../lib/buf.h"
#include "sftp.h"

#define REQS		256		/* under way at the most; 2^n */
#define PIECE		32768u		/* bytes of data in one packet */
#define AHEAD		(2u << 20)	/* bytes to be sent that are kept */
#define PACKET_MAX	(256u << 10)	/* bytes of an answer */
#define HANDLE_MAX	256

enum fxp {			/* packet types, section 3 */
	FXP_INIT = 1, FXP_VERSION = 2, FXP_OPEN = 3, FXP_CLOSE = 4,
	FXP_READ = 5, FXP_WRITE = 6, FXP_FSTAT = 8, FXP_FSETSTAT = 10,
	FXP_REMOVE = 13, FXP_STAT = 17, FXP_RENAME = 18,
	FXP_STATUS = 101, FXP_HANDLE = 102, FXP_DATA = 103, FXP_ATTRS = 105,
	FXP_EXTENDED = 200
};

enum fx {			/* status codes, section 7 */
	FX_OK = 0, FX_EOF = 1, FX_NO_SUCH_FILE = 2, FX_DENIED = 3,
	FX_UNSUPPORTED = 8,
	FX_NO_SPACE = 14, FX_QUOTA = 15		/* of later versions */
};

/* A request that has no answer yet. */
struct req {
	bool		 used;
	uint32_t	 id;
	uint8_t		 type;		/* enum fxp */
	uint64_t	 end;		/* of its packet, in all that is sent */
	const char	*what;		/* for messages: "read" */
	const char	*path;		/* the caller's, who waits; or NULL: */
	struct sftp_file *f;		/* of which file, or NULL */
	uint8_t		*base;		/* READ: the caller's buffer */
	uint8_t		*p;		/* where to in it */
	size_t		 n;		/* bytes that are due */
	uint64_t	 off;		/* and from where */
	size_t		*got;		/* NULL, or the end is no error: bytes
					   of base before it, so far */
	struct answer	*a;		/* who waits for it, or NULL */
};

/* What somebody waits for. */
struct answer {
	bool		 done;
	int		 rc;		/* 0 or -errno */
	struct err	 e;
	uint8_t		 handle[HANDLE_MAX];
	size_t		 handlelen;
	struct sftp_stat st;
};

struct sftp {
	struct stream	*st;		/* the caller's */
	int		 ms;		/* of silence that are borne */
	struct buf	 out;		/* to be sent, from outpos on */
	size_t		 outpos;
	uint64_t	 sent;		/* bytes that the stream has taken */
	struct buf	 in;		/* received, from inpos on */
	size_t		 inpos;
	struct req	 req[REQS];	/* by id modulo REQS */
	size_t		 nreq;
	uint32_t	 next;		/* id of the next request */
	bool		 fsync;		/* the server's extensions */
	bool		 replace;
	uint64_t	 waits;
	int		 rc;		/* first failure since the last drain */
	struct err	 e;
	int		 dead;		/* -errno that ended the session */
	struct err	 why;
};

struct sftp_file {
	struct sftp	*s;
	char		*name;		/* owned: "HOST:PATH" */
	uint8_t		 handle[HANDLE_MAX];
	size_t		 handlelen;
	bool		 closed;	/* freed when nothing is under way */
	int		 failed;	/* first failure of a write or sync */
	struct err	 why;
	size_t		 nreq;		/* requests under way that name it */
};

/* --- sftp.c */

/* Begin a request: a free slot, waiting for one where there is none.  The
 * packet is then put into s->out by the caller, who ends with req_end(). */
int	req_begin(struct sftp *, uint8_t type, const char *what,
	    struct sftp_file *, struct req **, size_t *mark, struct err *);
int	req_end(struct sftp *, struct req *, size_t mark, struct err *);
/* What is in s->out now ends with the packet of this request. */
void	req_queued(const struct sftp *, struct req *);
/* Give a slot back. */
void	req_free(struct sftp *, struct req *);
/* Wait until it is answered: a->rc. */
int	answer_wait(struct sftp *, struct answer *, struct err *);
/* The session has ended; gives -errno. */
int	sftp_die(struct sftp *, int rc, const struct err *);

/* --- sftp-ans.c */

/* A packet of n bytes, from its type on.  -errno: the session ends. */
int	answer_take(struct sftp *, const uint8_t *, size_t n, struct err *);

/* --- sftp-file.c */

/* The whole packet that asks for what a READ has due. */
void	put_read(struct sftp *, const struct req *);
void	file_free(struct sftp_file *);

#endif
