/*
 * ctl.c: the control server.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/osdep.h"
#include "ctl.h"
#include "hold.h"
#include "log.h"
#include "touch.h"
#include "wire.h"

#define OUT_MAX		(4 * CTL_MAX)	/* a client may be behind by this */

struct client {
	int		 fd;	/* -1: free */
	uid_t		 uid;
	pid_t		 pid;
	size_t		 nin;	/* bytes of in */
	uint8_t		*in;	/* owned: a request, CTL_MAX + 4 bytes */
	struct buf	 out;	/* answers not taken yet */
	int		 pass;	/* descriptor to go with them; -1: none */
};

enum lease {
	LEASE_NONE,		/* nobody has it */
	LEASE_FROZEN,		/* changes are held back */
	LEASE_THAWED,		/* they go on; the holder goes on too */
	LEASE_EXPIRED		/* they go on, which the holder does not know */
};

struct ctl {
	struct view	*v;
	int		 fd;	/* listening */
	struct client	 c[CTL_CLIENTS];
	enum lease	 lease;
	struct client	*holder; /* whose it is; NULL with LEASE_NONE */
	int64_t		 until;	/* ms: when a freeze ends */
	int64_t		 start;	/* ms: when the daemon began */
};

int
ctl_quicken(int fd)
{
	int	 on = fcntl(fd, F_GETFL);

	return on == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd, F_SETOWN, getpid()) == -1 ||
	    fcntl(fd, F_SETFL, on | O_NONBLOCK | O_ASYNC) == -1 ? -1 : 0;
}

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
ctl_open(struct ctl **out, const char *dir, struct view *v, struct err *e)
{
	struct sockaddr_un	 sa = { .sun_family = AF_UNIX };
	struct stat		 d;
	struct ctl		*c;
	int			 i, n, rc;

	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/ctl", dir);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return err_set(e, ENAMETOOLONG, "bind %s/ctl", dir);
	if ((c = calloc(1, sizeof(*c))) == NULL)
		return err_set(e, ENOMEM, "bind %s", sa.sun_path);
	c->v = v;
	c->start = now_ms();
	for (i = 0; i < CTL_CLIENTS; i++)
		c->c[i].fd = c->c[i].pass = -1;
	/* One that a dead daemon left: the lock is ours. */
	(void)unlink(sa.sun_path);
	c->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (c->fd == -1 || ctl_quicken(c->fd) == -1 || stat(dir, &d) == -1 ||
	    bind(c->fd, (struct sockaddr *)&sa, sizeof(sa)) == -1 ||
	    chown(sa.sun_path, (uid_t)-1, d.st_gid) == -1 ||
	    chmod(sa.sun_path, (d.st_mode & S_IRGRP) != 0 ? 0660 : 0600) ==
	    -1 || listen(c->fd, CTL_CLIENTS) == -1) {
		rc = err_set(e, errno, "bind %s", sa.sun_path);
		ctl_close(c);
		return rc;
	}
	*out = c;
	return 0;
}

static void
thaw(struct ctl *c, enum lease next)
{
	bool	 frozen = c->lease == LEASE_FROZEN;

	c->lease = next;
	if (next == LEASE_NONE)
		c->holder = NULL;
	if (frozen)
		hold_release(c->v);
}

static void
drop(struct ctl *c, struct client *p)
{
	(void)close(p->fd);
	p->fd = -1;
	if (p->pass != -1)
		(void)close(p->pass);
	p->pass = -1;
	free(p->in);
	p->in = NULL;
	p->nin = 0;
	buf_free(&p->out);
	if (c->holder == p)
		thaw(c, LEASE_NONE);
}

void
ctl_close(struct ctl *c)
{
	int	 i;

	if (c == NULL)
		return;
	for (i = 0; i < CTL_CLIENTS; i++)
		if (c->c[i].fd != -1)
			drop(c, &c->c[i]);
	if (c->fd != -1)
		(void)close(c->fd);
	free(c);
}

int
ctl_poll(const struct ctl *c, struct pollfd *p)
{
	int	 i, n = 0;

	p[n++] = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	for (i = 0; i < CTL_CLIENTS; i++)
		if (c->c[i].fd != -1)
			p[n++] = (struct pollfd){ .fd = c->c[i].fd,
			    .events = (short)(POLLIN |
			    (c->c[i].out.len > 0 ? POLLOUT : 0)) };
	return n;
}

bool
ctl_frozen(const struct ctl *c)
{
	return c->lease == LEASE_FROZEN;
}

int
ctl_timeout(const struct ctl *c)
{
	int64_t	 left;

	if (c->lease != LEASE_FROZEN)
		return -1;
	left = c->until - now_ms();
	return left < 0 ? 0 : (int)left;
}

void
ctl_tick(struct ctl *c)
{
	if (c->lease != LEASE_FROZEN || c->until > now_ms())
		return;
	log_msg(LOG_WARN, "process %ld held changes back for %d seconds: "
	    "they go on now", (long)c->holder->pid, CTL_FREEZE_MAX);
	thaw(c, LEASE_EXPIRED);
}

static void
accept_one(struct ctl *c)
{
	struct client	*p = NULL;
	gid_t		 gid;
	int		 fd, i;

	if ((fd = accept(c->fd, NULL, NULL)) == -1)
		return;
	for (i = 0; i < CTL_CLIENTS && p == NULL; i++)
		if (c->c[i].fd == -1)
			p = &c->c[i];
	if (p == NULL || ctl_quicken(fd) == -1 ||
	    os_peer(fd, &p->uid, &gid, &p->pid) < 0 ||
	    (p->in = malloc(CTL_MAX + 4)) == NULL) {
		(void)close(fd);
		return;
	}
	p->fd = fd;
}

/* Who has closed its socket, and may not have been looked at since. */
static bool
has_gone(const struct client *p)
{
	char	 byte;

	return recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static int
freeze(struct ctl *c, struct client *p, struct buf *body)
{
	uint64_t	 ended = 0;
	int		 rc;

	if (p->uid != 0 && p->uid != geteuid())
		return -EPERM;
	if (c->holder != NULL && c->holder != p && has_gone(c->holder))
		drop(c, c->holder);
	if (c->holder != NULL && c->holder != p) {
		put_le32(body, (uint32_t)c->holder->pid);
		return -EBUSY;
	}
	if (c->lease == LEASE_FROZEN)
		return -EALREADY;
	if (c->v->touch != NULL &&
	    (rc = touch_rotate(c->v->touch, &ended, NULL)) < 0)
		return rc;
	c->holder = p;
	c->lease = LEASE_FROZEN;
	c->until = now_ms() + CTL_FREEZE_MAX * 1000;
	put_le64(body, ended);
	return 0;
}

static int
unfreeze(struct ctl *c, const struct client *p)
{
	if (c->holder != p)
		return -EPERM;
	switch (c->lease) {
	case LEASE_FROZEN:
		thaw(c, LEASE_THAWED);
		return 0;
	case LEASE_EXPIRED:
		c->lease = LEASE_THAWED;
		return -ETIMEDOUT;
	case LEASE_THAWED:
	case LEASE_NONE:
		break;
	}
	return -EINVAL;
}

/* A descriptor of its own: ours has a position. */
static int
tree(const struct ctl *c, struct client *p)
{
	if (p->uid != 0 && p->uid != geteuid())
		return -EPERM;
	if (p->pass == -1)
		p->pass = openat(c->v->rootfd, ".", O_RDONLY | O_DIRECTORY |
		    O_CLOEXEC);
	return p->pass == -1 ? -errno : 0;
}

static void
stats(const struct ctl *c, struct buf *b)
{
	const struct view	*v = c->v;
	uint64_t		 n = 0;
	int			 i;

	put_fmt(b, "uptime %lld\n", (long long)(now_ms() - c->start) / 1000);
	for (i = 0; i < VIEW_OPS; i++) {
		n += v->nreq[i];
		if (v->nreq[i] > 0)
			put_fmt(b, "request.%s %llu\n", wire_name(i),
			    (unsigned long long)v->nreq[i]);
	}
	put_fmt(b, "requests %llu\nforgotten %llu\n", (unsigned long long)n,
	    (unsigned long long)v->nforget);
	put_fmt(b, "nodes %zu\nnames %zu\nkept %u\nheld %zu\n",
	    v->nodes.count, v->nodes.nnames, v->nkept, v->nheld);
	if (v->touch != NULL)
		put_fmt(b, "journal.segment %llu\njournal.bytes %llu\n"
		    "journal.records %llu\n",
		    (unsigned long long)touch_segment(v->touch),
		    (unsigned long long)touch_bytes(v->touch),
		    (unsigned long long)touch_records(v->touch));
	put_fmt(b, "lease %ld\nfrozen %d\n", c->holder == NULL ? 0L :
	    (long)c->holder->pid, c->lease == LEASE_FROZEN);
}

/* Answer one request: 0, or -errno where the client is to be dropped. */
static int
answer(struct ctl *c, struct client *p, enum ctl_type type, struct rd *body)
{
	struct buf	 b = BUF_INIT, more = BUF_INIT;
	int		 rc = -ENOSYS;

	switch (type) {
	case CTL_HELLO:
		rc = rd_le32(body) == CTL_VERSION && !body->bad ? 0 :
		    -EPROTONOSUPPORT;
		put_le32(&more, CTL_VERSION);
		put_le32(&more, (uint32_t)getpid());
		break;
	case CTL_FREEZE:
		rc = freeze(c, p, &more);
		break;
	case CTL_THAW:
		rc = unfreeze(c, p);
		break;
	case CTL_STATS:
		rc = 0;
		stats(c, &more);
		break;
	case CTL_TREE:
		rc = tree(c, p);
		break;
	}
	put_le32(&b, (uint32_t)-rc);
	put_bytes(&b, more.p, more.len);
	ctl_put(&p->out, type, b.p, b.len);
	rc = more.bad || b.bad || p->out.bad || p->out.len > OUT_MAX ?
	    -ENOBUFS : 0;
	buf_free(&b);
	buf_free(&more);
	return rc;
}

/* Take what has come: 0, or -errno where the client is to be dropped. */
static int
take(struct ctl *c, struct client *p)
{
	enum ctl_type	 type;
	struct rd	 body;
	ssize_t		 n;
	int		 k, rc;

	n = recv(p->fd, p->in + p->nin, CTL_MAX + 4 - p->nin, MSG_DONTWAIT);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -EPIPE;
	p->nin += (size_t)n;
	while ((k = ctl_get(p->in, p->nin, &type, &body)) > 0) {
		if ((rc = answer(c, p, type, &body)) < 0)
			return rc;
		p->nin -= (size_t)k;
		memmove(p->in, p->in + k, p->nin);
	}
	return k;
}

static int
give(struct client *p)
{
	union {			/* aligned as a control message has to be */
		struct cmsghdr	 h;
		char		 b[CMSG_SPACE(sizeof(int))];
	}		 u;
	struct iovec	 iov = { p->out.p, p->out.len };
	struct msghdr	 m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t		 n;

	if (p->out.len == 0)
		return 0;
	if (p->pass != -1) {
		memset(&u, 0, sizeof(u));
		u.h.cmsg_level = SOL_SOCKET;
		u.h.cmsg_type = SCM_RIGHTS;
		u.h.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&u.h), &p->pass, sizeof(int));
		m.msg_control = u.b;
		m.msg_controllen = CMSG_LEN(sizeof(int));
	}
	n = sendmsg(p->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (p->pass != -1)
		(void)close(p->pass);
	p->pass = -1;
	p->out.len -= (size_t)n;
	memmove(p->out.p, p->out.p + n, p->out.len);
	return 0;
}

bool
ctl_serve(struct ctl *c, const struct pollfd *pfd, int n)
{
	struct client	*p;
	int		 i, j, rc;
	bool		 any = false;

	for (i = 1; i < n; i++) {
		if (pfd[i].revents == 0)
			continue;
		any = true;
		for (j = 0; j < CTL_CLIENTS; j++)
			if (c->c[j].fd == pfd[i].fd)
				break;
		if (j == CTL_CLIENTS)
			continue;
		p = &c->c[j];
		rc = (pfd[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0 ?
		    take(c, p) : 0;
		if (rc == 0)
			rc = give(p);
		if (rc < 0)
			drop(c, p);
	}
	if (pfd[0].revents != 0) {
		any = true;
		accept_one(c);
	}
	return any;
}
