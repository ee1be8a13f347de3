/*
 * ctl.c: the control protocol: frames, and the client's side.
 */
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define HEAD	8		/* bytes before the body: length, type */

void
ctl_put(struct buf *b, enum ctl_type type, const void *body, size_t n)
{
	put_le32(b, (uint32_t)(n + 4));
	put_le32(b, (uint32_t)type);
	put_bytes(b, body, n);
}

int
ctl_get(const uint8_t *p, size_t n, enum ctl_type *type, struct rd *body)
{
	uint32_t	 len;

	if (n < 4)
		return 0;
	len = get_le32(p);
	if (len < 4 || len > CTL_MAX)
		return -EBADMSG;
	if (n < 4 + (size_t)len)
		return 0;
	*type = (enum ctl_type)get_le32(p + 4);
	*body = (struct rd){ p + HEAD, len - 4, false };
	return (int)(4 + len);
}

static int
send_all(int fd, const struct buf *b, struct err *e)
{
	size_t	 done = 0;
	ssize_t	 n;

	while (done < b->len) {
		n = send(fd, b->p + done, b->len - done, MSG_NOSIGNAL);
		if (n == -1 && errno != EINTR)
			return err_set(e, errno, "ask cfgfs");
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Receive, and where a descriptor comes along, it goes to *pass. */
static ssize_t
receive(int fd, void *p, size_t n, int *pass)
{
	union {			/* aligned as a control message has to be */
		struct cmsghdr	 h;
		char		 b[CMSG_SPACE(sizeof(int))];
	}		 u;
	struct iovec	 iov = { p, n };
	struct msghdr	 m = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = u.b,
			    .msg_controllen = sizeof(u.b) };
	struct cmsghdr	*h;
	ssize_t		 k;

	if (pass == NULL)
		return recv(fd, p, n, 0);
	if ((k = recvmsg(fd, &m, MSG_CMSG_CLOEXEC)) <= 0)
		return k;
	h = CMSG_FIRSTHDR(&m);
	if (h != NULL && h->cmsg_level == SOL_SOCKET &&
	    h->cmsg_type == SCM_RIGHTS && *pass == -1 &&
	    h->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(pass, CMSG_DATA(h), sizeof(int));
	return k;
}

static int
call(int fd, enum ctl_type type, const struct buf *body, struct buf *answer,
    int *pass, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct rd	 r = { NULL, 0, false };
	enum ctl_type	 got = type;
	uint32_t	 code;
	ssize_t		 n;
	int		 rc;

	answer->len = 0;
	ctl_put(&b, type, body == NULL ? NULL : body->p,
	    body == NULL ? 0 : body->len);
	rc = b.bad ? err_set(e, ENOMEM, "ask cfgfs") : send_all(fd, &b, e);
	b.len = 0;
	while (rc == 0 && (rc = ctl_get(b.p, b.len, &got, &r)) == 0) {
		if (buf_room(&b, CTL_MAX + HEAD) == NULL) {
			rc = err_set(e, ENOMEM, "ask cfgfs");
			break;
		}
		n = receive(fd, b.p + b.len, CTL_MAX + HEAD - b.len, pass);
		if (n == 0)
			rc = err_setx(e, EPIPE, "cfgfs closed the connection");
		else if (n == -1 && errno != EINTR)
			rc = err_set(e, errno, "ask cfgfs");
		else if (n > 0)
			b.len += (size_t)n;
	}
	if (rc > 0) {
		code = rd_le32(&r);
		put_bytes(answer, r.p, r.n);
		if (r.bad || got != type || (size_t)rc != b.len ||
		    code > INT32_MAX)
			rc = err_setx(e, EPROTO, "cfgfs: odd answer");
		else if (answer->bad)
			rc = err_set(e, ENOMEM, "ask cfgfs");
		else
			rc = code == 0 ? 0 : err_set(e, (int)code, "cfgfs");
	} else if (rc == -EBADMSG)
		rc = err_setx(e, EPROTO, "cfgfs: odd answer");
	buf_free(&b);
	return rc;
}

int
ctl_call(int fd, enum ctl_type type, const struct buf *body,
    struct buf *answer, struct err *e)
{
	return call(fd, type, body, answer, NULL, e);
}

int
ctl_tree(int fd, struct err *e)
{
	struct buf	 answer = BUF_INIT;
	int		 tree = -1, rc;

	rc = call(fd, CTL_TREE, NULL, &answer, &tree, e);
	buf_free(&answer);
	if (rc == 0 && tree == -1)
		rc = err_setx(e, EPROTO, "cfgfs: odd answer");
	if (rc == 0)
		return tree;
	if (tree != -1)
		(void)close(tree);
	return rc;
}

int
ctl_connect(const char *statedir, struct err *e)
{
	struct sockaddr_un	 sa = { .sun_family = AF_UNIX };
	struct buf		 body = BUF_INIT, answer = BUF_INIT;
	int			 fd, n, rc;

	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/ctl", statedir);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return err_set(e, ENAMETOOLONG, "connect %s/ctl", statedir);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return err_set(e, errno, "connect %s/ctl", statedir);
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		rc = err_set(e, errno, "connect %s/ctl", statedir);
		(void)close(fd);
		return rc;
	}
	put_le32(&body, CTL_VERSION);
	rc = ctl_call(fd, CTL_HELLO, &body, &answer, e);
	if (rc == 0 && (answer.len < 4 ||
	    get_le32(answer.p) != CTL_VERSION))
		rc = err_setx(e, EPROTO, "%s: cfgfs of another version",
		    statedir);
	buf_free(&body);
	buf_free(&answer);
	if (rc == 0)
		return fd;
	(void)close(fd);
	return rc;
}
