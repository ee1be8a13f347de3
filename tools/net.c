/*
 * net.c: the process that speaks with another host: making it, confining
 * it, its result.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../sync/confine.h"
#include "../sync/seal.h"
#include "../sync/ssh.h"
#include "net.h"

#define RESULT		'='		/* the frame that ends it */

struct net {
	struct url	 url;
	struct keys	 keys;
	uint8_t		 seal[SEAL_KEY];
	bool		 sealed;
	char		*login;		/* owned: for a URL without a user */
	const char	*subsystem;	/* NULL: SFTP */
	int		 timeout;
	int		 far;		/* the connection, or -1 */
	int		 sock;		/* to the process, or -1 */
	pid_t		 pid;		/* 0: not started, or reaped */
	struct buf	 body;		/* of the last frame */
};

static int
login(struct net *n, struct err *e)
{
	const struct passwd	*pw;

	if (n->url.user != NULL)
		return 0;
	if ((pw = getpwuid(geteuid())) == NULL)
		return err_setx(e, ENOENT, "%s: say which user: sftp://USER@...",
		    n->url.host);
	if ((n->login = strdup(pw->pw_name)) == NULL)
		return err_set(e, ENOMEM, "%s", n->url.host);
	return 0;
}

int
net_open(struct net **np, const struct net_where *w, struct err *e)
{
	struct keys_where	 kw = { .conf = w->conf, .key = w->key,
	    .known = w->known, .ask = w->ask };
	struct net		*n;
	int			 rc;

	*np = NULL;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		return err_set(e, ENOMEM, "%s", w->url);
	n->far = n->sock = -1;
	n->keys.learn = n->keys.agent = n->keys.tty = -1;
	n->timeout = w->timeout;
	n->subsystem = w->subsystem;
	n->sealed = w->encrypt != NULL;
	if ((rc = url_parse(&n->url, w->url, e)) == 0 &&
	    (rc = login(n, e)) == 0 && (rc = ssh_init(e)) == 0 &&
	    (rc = seal_init(e)) == 0 && n->sealed)
		rc = seal_key_read(w->encrypt, n->seal, e);
	if (rc == 0 && (rc = keys_read(&n->keys, &kw, e)) == 0) {
		n->far = ssh_connect(&n->url, n->timeout, e);
		rc = n->far < 0 ? n->far : 0;
	}
	if (rc < 0)
		net_close(n);
	else
		*np = n;
	return rc;
}

static void
put_result(struct buf *b, int rc, const struct err *e,
    const struct net_result *r)
{
	put_le32(b, (uint32_t)-rc);
	put_le64(b, r->at.id);
	put_le64(b, r->at.seq);
	put_le64(b, r->at.off);
	put_le32(b, r->at.sum);
	put_le64(b, r->was);
	put_le64(b, r->sent);
	put_le64(b, r->behind);
	put_le64(b, r->faults);
	put_le64(b, r->in);
	put_le64(b, r->out);
	put_le64(b, r->waits);
	put_u8(b, r->nosync);
	put_u8(b, r->gap);
	put_bytes(b, e->msg, rc < 0 ? strlen(e->msg) : 0);
}

/* The error line is one line, whoever wrote it. */
static int
get_result(struct rd *b, struct net_result *r, struct err *e)
{
	uint32_t	 code = rd_le32(b);
	const uint8_t	*p;
	struct err	 why = { 0, "" };
	size_t		 i, n;

	r->at.id = rd_le64(b);
	r->at.seq = rd_le64(b);
	r->at.off = rd_le64(b);
	r->at.sum = rd_le32(b);
	r->was = rd_le64(b);
	r->sent = rd_le64(b);
	r->behind = rd_le64(b);
	r->faults = rd_le64(b);
	r->in = rd_le64(b);
	r->out = rd_le64(b);
	r->waits = rd_le64(b);
	r->nosync = rd_u8(b) != 0;
	r->gap = rd_u8(b) != 0;
	n = b->n;
	p = rd_bytes(b, n);
	if (b->bad || code > 4095)
		return err_set(e, EBADMSG, "network process");
	if (code == 0)
		return 0;
	for (i = 0; p != NULL && i < n && i + 1 < sizeof(why.msg); i++)
		why.msg[i] = p[i] < ' ' ? '?' : (char)p[i];
	return err_setx(e, (int)code, "%s", why.msg);
}

/* The process: from here on it is confined. */
static int
speak(struct net *n, int sock, net_job *job, void *arg, struct net_far *f,
    struct err *e)
{
	struct stream	*st = NULL;
	int		 rc;

	f->path = n->url.path;
	f->seal = n->sealed ? n->seal : NULL;
	f->sock = sock;
	if ((rc = confine(NULL, e)) < 0)
		return rc;
	f->timeout = n->timeout;
	rc = ssh_open(&st, n->far, &n->url, n->login, &n->keys,
	    n->subsystem == NULL ? "sftp" : n->subsystem, n->timeout, e);
	n->far = -1;
	f->stream = st;
	if (rc == 0 && n->subsystem != NULL)
		rc = job(f, arg, e);
	else if (rc == 0 && (rc = sftp_open(&f->sftp, st, n->timeout, e)) == 0) {
		f->r.nosync = !sftp_can_fsync(f->sftp);
		rc = job(f, arg, e);
		f->r.waits = sftp_waits(f->sftp);
	}
	sftp_close(f->sftp);
	if (st != NULL) {
		f->r.in = st->in;
		f->r.out = st->out;
	}
	stream_close(st);
	return rc;
}

/*
 * The process has no descriptor but those that it works with.  Others could
 * be taken for its parent's: the lease lasts as long as its socket is open.
 */
static void
keep_only(const struct net *n, int sock)
{
	const int	 keep[] = { sock, n->far, n->keys.learn, n->keys.agent,
			    n->keys.tty };
	const size_t	 nkeep = sizeof(keep) / sizeof(keep[0]);
	int		 fd, top = sock;
	size_t		 i;

	for (i = 0; i < nkeep; i++)
		if (keep[i] > top)
			top = keep[i];
	for (fd = STDERR_FILENO + 1; fd < top; fd++) {
		for (i = 0; i < nkeep && keep[i] != fd; i++)
			;
		if (i == nkeep)
			(void)close(fd);
	}
	os_closefrom(top + 1);
}

int
net_start(struct net *n, net_job *job, void *arg, struct err *e)
{
	struct net_far	 f;
	struct err	 why = { 0, "" };
	struct buf	 b = BUF_INIT;
	int		 s[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) == -1)
		return err_set(e, errno, "%s", n->url.host);
	if ((n->pid = fork()) == 0) {
		keep_only(n, s[1]);
		memset(&f, 0, sizeof(f));
		rc = speak(n, s[1], job, arg, &f, &why);
		put_result(&b, rc, &why, &f.r);
		keys_free(&n->keys);
		_exit(frame_send(s[1], NET_FRAME, RESULT, b.p, b.len) < 0);
	}
	rc = errno;
	(void)close(s[1]);
	(void)close(n->far);
	n->far = -1;
	keys_free(&n->keys);	/* the other one needs them */
	memset(&n->keys, 0, sizeof(n->keys));
	n->keys.learn = n->keys.agent = n->keys.tty = -1;
	if (n->pid == -1) {
		n->pid = 0;
		(void)close(s[0]);
		return err_set(e, rc, "%s: fork", n->url.host);
	}
	n->sock = s[0];
	return 0;
}

int
net_send(struct net *n, char type, const struct buf *body, struct err *e)
{
	int	 rc;

	if (body != NULL && body->bad)
		return err_set(e, ENOMEM, "%s", n->url.host);
	rc = frame_send(n->sock, NET_FRAME, type, body == NULL ? NULL : body->p,
	    body == NULL ? 0 : body->len);
	return rc < 0 ? err_set(e, -rc, "%s: network process",
	    n->url.host) : 0;
}

int
net_recv(struct net *n, char *type, struct rd *body, struct err *e)
{
	struct net_result ignored;
	int		 rc = frame_recv(n->sock, 0, NET_FRAME, type, &n->body);

	if (rc == 0)
		return err_setx(e, EIO, "%s: the network process died",
		    n->url.host);
	if (rc < 0)
		return err_set(e, -rc, "%s: network process", n->url.host);
	*body = (struct rd){ n->body.p, n->body.len, false };
	if (*type != RESULT)
		return 0;
	*type = 0;
	return get_result(body, &ignored, e);
}

int
net_wait(struct net *n, void (*fn)(void *, char, struct rd *), void *arg,
    struct net_result *r, struct err *e)
{
	struct rd	 body;
	char		 type = 0;
	int		 rc;

	for (;;) {
		rc = frame_recv(n->sock, 0, NET_FRAME, &type, &n->body);
		if (rc <= 0)
			return err_setx(e, EIO, "%s: the network process "
			    "died", n->url.host);
		body = (struct rd){ n->body.p, n->body.len, false };
		if (type == RESULT)
			return get_result(&body, r, e);
		if (fn != NULL)
			fn(arg, type, &body);
	}
}

void
net_close(struct net *n)
{
	if (n == NULL)
		return;
	if (n->sock != -1)
		(void)close(n->sock);
	if (n->pid > 0) {
		(void)kill(n->pid, SIGKILL);	/* it has nothing to save */
		while (waitpid(n->pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	if (n->far != -1)
		(void)close(n->far);
	keys_free(&n->keys);
	url_free(&n->url);
	buf_free(&n->body);
	free(n->login);
	explicit_bzero(n->seal, sizeof(n->seal));
	free(n);
}
