/*
 * sshcat.c: a hand on sync/ssh.h for sys-ssh.sh: connect, be confined,
 * open the stream, and speak the least of SFTP that there is.
 *
 *	sshcat [--known F] [--key F] [--conf DIR] [--ask] [--free]
 *	    [--seconds N] [--bulk] URL
 *
 * Says "SFTP 3" where the server answers so, and the bytes of the socket.
 * --free: not confined.  --bulk: 400 requests are sent while the answers
 * are read, more than windows and buffers hold at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/confine.h"
#include "../sync/keys.h"
#include "../sync/ssh.h"
#include "../sync/sshwire.h"
#include "../sync/url.h"

#define PATIENCE_MS	10000

static int
get(struct stream *s, uint8_t *p, size_t n, struct err *e)
{
	ssize_t	 k;
	int	 rc;

	while (n > 0) {
		k = s->read(s, p, n, e);
		if (k == 0)
			return err_setx(e, EPIPE, "%s: the end", s->name);
		if (k < 0 && k != -EAGAIN)
			return (int)k;
		if (k == -EAGAIN) {
			if ((rc = s->wait(s, 0, PATIENCE_MS, e)) < 0)
				return rc;
			continue;
		}
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
put(struct stream *s, const uint8_t *p, size_t n, struct err *e)
{
	ssize_t	 k;
	int	 rc;

	while (n > 0) {
		k = s->write(s, p, n, e);
		if (k < 0 && k != -EAGAIN)
			return (int)k;
		if (k == -EAGAIN) {
			if ((rc = s->wait(s, 1, PATIENCE_MS, e)) < 0)
				return rc;
			continue;
		}
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* SSH_FXP_INIT, and its answer (draft-ietf-secsh-filexfer-02). */
static int
hello(struct stream *s, struct err *e)
{
	static const uint8_t	 init[] = { 0, 0, 0, 5, 1, 0, 0, 0, 3 };
	uint8_t		 head[9], rest[4096];
	struct rd	 r = { head, sizeof(head), false };
	uint32_t	 len;
	int		 rc;

	if ((rc = put(s, init, sizeof(init), e)) < 0 ||
	    (rc = get(s, head, sizeof(head), e)) < 0)
		return rc;
	len = sw_rd32(&r);
	if (rd_u8(&r) != 2 || len < 5 || len - 5 > sizeof(rest))
		return err_setx(e, EPROTO, "%s: not SFTP", s->name);
	printf("SFTP %u\n", sw_rd32(&r));
	return get(s, rest, len - 5, e);
}

/*
 * Names to resolve (REALPATH) of 30,000 bytes each: what is sent and what
 * comes back is more than fits anywhere, so that both must go on at once.
 */
static int
bulk(struct stream *s, struct err *e)
{
	enum { COUNT = 400, NAME = 30000 };
	struct buf	 q = BUF_INIT;
	uint8_t		 in[32768];
	uint64_t	 got = 0, out = s->out;
	size_t		 at = 0, i;
	ssize_t		 k, w;
	int		 rc = 0;

	for (i = 0; i < COUNT; i++) {
		sw_put32(&q, 1 + 4 + 4 + NAME);
		put_u8(&q, 16);
		sw_put32(&q, (uint32_t)i);
		sw_put32(&q, NAME);
		put_u8(&q, '/');
		while (q.len % (NAME + 13) != 0)
			put_u8(&q, 'x');
	}
	/* Each answer is at least a STATUS: 17 bytes and two strings. */
	for (;;) {
		k = s->read(s, in, sizeof(in), e);
		if (k == 0 || (k < 0 && k != -EAGAIN)) {
			rc = k == 0 ? err_setx(e, EPIPE, "the end") : (int)k;
			break;
		}
		got += k > 0 ? (uint64_t)k : 0;
		/* A new place each time: the stream may not depend on it. */
		if (at < q.len) {
			size_t	 n = q.len - at < 50000 ? q.len - at : 50000;
			uint8_t	*copy = malloc(n);

			memcpy(copy, q.p + at, n);
			w = s->write(s, copy, n, e);
			free(copy);
			if (w < 0 && w != -EAGAIN) {
				rc = (int)w;
				break;
			}
			at += w > 0 ? (size_t)w : 0;
		} else {
			w = -EAGAIN;
			if (got >= (uint64_t)COUNT * 17 && k == -EAGAIN)
				break;
		}
		if (k == -EAGAIN && w == -EAGAIN &&
		    (rc = s->wait(s, at < q.len, PATIENCE_MS, e)) < 0)
			break;
	}
	if (rc == 0)
		printf("bulk: %s\n", s->out - out > q.len ? "all" : "short");
	buf_free(&q);
	return rc;
}

static int
talk(const char *url, const struct keys_where *w, int seconds, bool boxed,
    bool much, struct err *e)
{
	struct url	 u;
	struct keys	 k;
	struct stream	*s = NULL;
	int		 fd, rc;

	memset(&k, 0, sizeof(k));
	if ((rc = url_parse(&u, url, e)) < 0)
		return rc;
	if ((rc = ssh_init(e)) < 0 || (rc = keys_read(&k, w, e)) < 0 ||
	    (rc = fd = ssh_connect(&u, seconds, e)) < 0)
		goto out;
	if (boxed && (rc = confine(NULL, e)) < 0) {
		(void)close(fd);
		goto out;
	}
	if (boxed && open("/etc/passwd", O_RDONLY) != -1)
		printf("not confined\n");
	if ((rc = ssh_open(&s, fd, &u, "root", &k, "sftp",
	    seconds, e)) < 0 ||
	    (rc = hello(s, e)) < 0 || (much && (rc = bulk(s, e)) < 0))
		goto out;
	printf("%llu in, %llu out\n", (unsigned long long)s->in,
	    (unsigned long long)s->out);
out:
	if (s != NULL)
		s->close(s);
	keys_free(&k);
	url_free(&u);
	return rc;
}

int
main(int argc, char **argv)
{
	struct keys_where	 w = { NULL, NULL, NULL, false };
	struct err	 e = { 0, "" };
	int		 i, rc, seconds = 5;
	bool		 boxed = true, much = false;

	for (i = 1; i < argc - 1; i++) {
		if (strcmp(argv[i], "--known") == 0)
			w.known = argv[++i];
		else if (strcmp(argv[i], "--key") == 0)
			w.key = argv[++i];
		else if (strcmp(argv[i], "--conf") == 0)
			w.conf = argv[++i];
		else if (strcmp(argv[i], "--seconds") == 0)
			seconds = atoi(argv[++i]);
		else if (strcmp(argv[i], "--ask") == 0)
			w.ask = true;
		else if (strcmp(argv[i], "--free") == 0)
			boxed = false;
		else if (strcmp(argv[i], "--bulk") == 0)
			much = true;
	}
	if (i != argc - 1)
		return 64;
	if ((rc = talk(argv[i], &w, seconds, boxed, much, &e)) < 0)
		fprintf(stderr, "sshcat: %s (%d)\n", e.msg, rc);
	fflush(stdout);
	return rc < 0 ? 2 : 0;
}
