/*
 * net.h: the process that speaks with another host.
 *
 * All that comes from a network is read by a process of its own, which has
 * given up everything but its socket, the keys and the pipe to the
 * program that started it (sync/confine.h) before it reads the first
 * byte.  The two speak in frames: length (le32), a letter, a body.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "../sync/mirror.h"
#include "../sync/sftp.h"
#include "../sync/stream.h"
#include "../sync/url.h"
#include "frame.h"

#define NET_FRAME	(16u << 20)	/* bytes of the longest frame */

struct net_where {
	const char	*url;
	const char	*conf;		/* directory: ROOT/cfgfs */
	const char	*key;		/* files; NULL: where they usually are */
	const char	*known;
	const char	*encrypt;
	const char	*subsystem;	/* that the job speaks with; NULL: SFTP */
	int		 timeout;	/* seconds of silence that are borne */
	bool		 ask;		/* the user may be asked */
};

/* How a job went. */
struct net_result {
	struct mirror_at at;		/* what the copy has now */
	uint64_t	 was;		/* and had before: generation */
	uint64_t	 sent;		/* bytes written to the copy */
	uint64_t	 behind;	/* generations that it lacks */
	uint64_t	 faults;
	uint64_t	 in, out;	/* bytes of the connection */
	uint64_t	 waits;		/* round trips that were waited for */
	bool		 nosync;	/* the server has no fsync */
	bool		 gap;		/* nor a rename that replaces */
};

/* What a job has, in the confined process. */
struct net_far {
	struct sftp	*sftp;		/* NULL where there is a subsystem: */
	struct stream	*stream;	/* then this */
	int		 timeout;	/* seconds */
	const char	*path;		/* of the URL */
	const uint8_t	*seal;		/* the key of a sealed copy, or NULL */
	int		 sock;		/* to the one that started it */
	struct net_result r;		/* for the job to fill in */
};

typedef int	net_job(struct net_far *, void *arg, struct err *e);

struct net;

/* Read keys, look the host up, connect. */
int	net_open(struct net **, const struct net_where *, struct err *);
/*
 * Run the job in the confined process: once for each net.  It has all of
 * this process's memory as it is now, arg too.
 */
int	net_start(struct net *, net_job *job, void *arg, struct err *);
/*
 * Wait for its end: frames that are not the result go to fn.  0 or the
 * job's -errno and line.
 */
int	net_wait(struct net *, void (*fn)(void *, char type, struct rd *),
	    void *arg, struct net_result *, struct err *);
/* One frame that is not the result, or what net_wait() gives: the frame's
 * type is then 0.  *body is valid until the next call. */
int	net_recv(struct net *, char *type, struct rd *body, struct err *);
int	net_send(struct net *, char type, const struct buf *body, struct err *);
/* End it, whatever it does.  NULL is allowed. */
void	net_close(struct net *);


#endif
