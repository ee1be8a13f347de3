/*
 * agent.c: the two requests to an ssh-agent that proving who one is takes.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "agent.h"
#include "sshwire.h"

#define MOST		(256 * 1024)	/* bytes of an answer, as OpenSSH has it */
#define PATIENCE_MS	60000		/* for a piece of it */

enum {
	LIST = 11, LIST_ANSWER = 12, SIGN = 13, SIGN_ANSWER = 14
};
enum {
	RSA_SHA256 = 2, RSA_SHA512 = 4	/* flags of SIGN */
};

static int
await(int fd, short events, struct err *e)
{
	struct pollfd	 p = { fd, events, 0 };
	int		 rc;

	while ((rc = poll(&p, 1, PATIENCE_MS)) == -1 && errno == EINTR)
		;
	if (rc == -1)
		return err_set(e, errno, "ssh-agent");
	return rc == 0 ? err_setx(e, ETIMEDOUT, "ssh-agent: no answer") : 0;
}

static int
put_all(int fd, const uint8_t *p, size_t n, struct err *e)
{
	ssize_t	 k;
	int	 rc;

	while (n > 0) {
		k = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (k == -1 && errno != EAGAIN && errno != EINTR)
			return err_set(e, errno, "ssh-agent");
		if (k == -1) {
			if ((rc = await(fd, POLLOUT, e)) < 0)
				return rc;
			continue;
		}
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
get_all(int fd, uint8_t *p, size_t n, struct err *e)
{
	ssize_t	 k;
	int	 rc;

	while (n > 0) {
		if ((rc = await(fd, POLLIN, e)) < 0)
			return rc;
		k = recv(fd, p, n, MSG_DONTWAIT);
		if (k == 0)
			return err_setx(e, EPIPE, "ssh-agent: it has ended");
		if (k == -1 && errno != EAGAIN && errno != EINTR)
			return err_set(e, errno, "ssh-agent");
		if (k == -1)
			continue;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* One request, and its answer: what is behind the type, if that is `want`. */
static int
ask(int fd, const struct buf *q, struct buf *a, uint8_t want, struct err *e)
{
	struct buf	 msg = BUF_INIT;
	uint8_t		 head[4];
	struct rd	 r = { head, sizeof(head), false };
	uint32_t	 n;
	int		 rc;

	sw_putstr(&msg, q->p, q->len);
	if (q->bad || msg.bad)
		rc = err_set(e, ENOMEM, "ssh-agent");
	else
		rc = put_all(fd, msg.p, msg.len, e);
	buf_free(&msg);
	if (rc < 0 || (rc = get_all(fd, head, sizeof(head), e)) < 0)
		return rc;
	n = sw_rd32(&r);
	if (n == 0 || n > MOST)
		return err_setx(e, EBADMSG, "ssh-agent: bad answer");
	a->len = 0;
	if (buf_room(a, n) == NULL)
		return err_set(e, ENOMEM, "ssh-agent");
	if ((rc = get_all(fd, a->p, n, e)) < 0)
		return rc;
	a->len = n;
	if (a->p[0] != want)
		return err_setx(e, EACCES, "ssh-agent: it refuses");
	return 0;
}

int
agent_list(int fd, struct agent_keys *ks, struct err *e)
{
	struct buf	 q = BUF_INIT, a = BUF_INIT;
	struct rd	 r;
	const uint8_t	*blob, *text;
	size_t		 nblob, ntext;
	uint32_t	 n;
	int		 rc;

	memset(ks, 0, sizeof(*ks));
	put_u8(&q, LIST);
	if ((rc = ask(fd, &q, &a, LIST_ANSWER, e)) < 0)
		goto out;
	r = (struct rd){ a.p + 1, a.len - 1, false };
	for (n = sw_rd32(&r); n > 0 && !r.bad && ks->n < AGENT_KEYS; n--) {
		blob = sw_rdstr(&r, &nblob);
		text = sw_rdstr(&r, &ntext);
		if (r.bad)
			break;
		put_bytes(&ks->blob[ks->n], blob, nblob);
		put_bytes(&ks->comment[ks->n], text, ntext);
		put_u8(&ks->comment[ks->n], '\0');
		ks->n++;
		if (ks->blob[ks->n - 1].bad || ks->comment[ks->n - 1].bad)
			rc = err_set(e, ENOMEM, "ssh-agent");
	}
	if (r.bad)
		rc = err_setx(e, EBADMSG, "ssh-agent: bad answer");
out:
	buf_free(&q);
	buf_free(&a);
	return rc;
}

void
agent_free(struct agent_keys *ks)
{
	size_t	 i;

	for (i = 0; i < AGENT_KEYS; i++) {
		buf_free(&ks->blob[i]);
		buf_free(&ks->comment[i]);
	}
	ks->n = 0;
}

/* The algorithm that a request names, at most len - 1 bytes; "" where it
 * names none. */
static void
algorithm(const void *p, size_t n, char *alg, size_t len)
{
	struct rd	 r = { p, n, false };
	const uint8_t	*name;
	size_t		 k;

	*alg = '\0';
	(void)sw_rdstr(&r, &k);		/* session */
	(void)rd_u8(&r);		/* SSH_MSG_USERAUTH_REQUEST */
	(void)sw_rdstr(&r, &k);		/* user, service, "publickey" */
	(void)sw_rdstr(&r, &k);
	(void)sw_rdstr(&r, &k);
	(void)rd_u8(&r);
	name = sw_rdstr(&r, &k);
	if (name == NULL || k >= len || memchr(name, '\0', k) != NULL)
		return;
	memcpy(alg, name, k);
	alg[k] = '\0';
}

/* An answer's signature, if it is by that algorithm. */
static int
signature(const struct buf *a, const char *alg, struct buf *sig,
    struct err *e)
{
	struct rd	 r = { a->p + 1, a->len - 1, false }, in;
	const uint8_t	*name, *raw;
	size_t		 len, nraw;

	raw = sw_rdstr(&r, &nraw);
	in = (struct rd){ raw, nraw, raw == NULL };
	name = sw_rdstr(&in, &len);
	raw = sw_rdstr(&in, &nraw);
	if (in.bad || len != strlen(alg) || memcmp(name, alg, len) != 0)
		return err_setx(e, EBADMSG, "ssh-agent: bad signature");
	put_bytes(sig, raw, nraw);
	return sig->bad ? err_set(e, ENOMEM, "ssh-agent") : 0;
}

int
agent_sign(int fd, const struct buf *blob, const void *p, size_t n,
    struct buf *sig, struct err *e)
{
	struct buf	 q = BUF_INIT, a = BUF_INIT;
	char		 alg[64];
	int		 rc;

	algorithm(p, n, alg, sizeof(alg));
	if (*alg == '\0' || strcmp(alg, "ssh-rsa") == 0)
		return err_setx(e, EACCES, "ssh-agent: not with SHA-1");
	put_u8(&q, SIGN);
	sw_putstr(&q, blob->p, blob->len);
	sw_putstr(&q, p, n);
	sw_put32(&q, strcmp(alg, "rsa-sha2-256") == 0 ? RSA_SHA256 :
	    strcmp(alg, "rsa-sha2-512") == 0 ? RSA_SHA512 : 0);
	if ((rc = ask(fd, &q, &a, SIGN_ANSWER, e)) == 0)
		rc = signature(&a, alg, sig, e);
	buf_free(&q);
	buf_free(&a);
	return rc;
}
