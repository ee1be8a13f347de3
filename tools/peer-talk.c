/*
 * peer-talk.c: speaking with a peer: the confined process hands frames on
 * and answers back, and looks at nothing but their heads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "peer-talk.h"
#include "peerwire.h"

#define ANSWERS		"HATRE"
#define WORKING_MOST	400	/* times that it says so: half an hour */

static int
put_all(struct net_far *f, const uint8_t *p, size_t n, struct err *e)
{
	struct stream	*st = f->stream;
	ssize_t		 k;
	int		 rc;

	while (n > 0) {
		k = st->write(st, p, n, e);
		if (k == -EAGAIN) {
			if ((rc = st->wait(st, 1, f->timeout * 1000, e)) < 0)
				return rc;
			continue;
		}
		if (k < 0)
			return (int)k;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
get_all(struct net_far *f, uint8_t *p, size_t n, struct err *e)
{
	struct stream	*st = f->stream;
	ssize_t		 k;
	int		 rc;

	while (n > 0) {
		k = st->read(st, p, n, e);
		if (k == -EAGAIN) {
			if ((rc = st->wait(st, 0, f->timeout * 1000, e)) < 0)
				return rc;
			continue;
		}
		if (k == 0)
			return err_setx(e, EPIPE, "%s: it ended the "
			    "connection", st->name);
		if (k < 0)
			return (int)k;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

static int
put_frame(struct net_far *f, char type, const struct buf *b, struct err *e)
{
	uint8_t	 head[5];
	int	 rc;

	set_le32(head, (uint32_t)b->len);
	head[4] = (uint8_t)type;
	if ((rc = put_all(f, head, sizeof(head), e)) < 0)
		return rc;
	return put_all(f, b->p, b->len, e);
}

/* The answer, behind whatever says that it is being worked on. */
static int
get_frame(struct net_far *f, char *type, struct buf *b, struct err *e)
{
	uint8_t	 head[5], *p;
	uint32_t n;
	int	 i, rc;

	for (i = 0; i < WORKING_MOST; i++) {
		if ((rc = get_all(f, head, sizeof(head), e)) < 0)
			return rc;
		n = get_le32(head);
		*type = (char)head[4];
		if (n > PEER_PIECE || *type == '\0' ||
		    strchr(ANSWERS "w", *type) == NULL)
			return err_setx(e, EPROTO, "%s: it is not cfgfs that "
			    "answers there", f->stream->name);
		b->len = 0;
		if ((p = buf_room(b, (size_t)n + 1)) == NULL)
			return err_set(e, ENOMEM, "%s", f->stream->name);
		if ((rc = get_all(f, p, n, e)) < 0)
			return rc;
		b->len = n;
		if (*type != 'w')
			return 0;
	}
	return err_setx(e, ETIMEDOUT, "%s: it works for too long",
	    f->stream->name);
}

int
job_peer(struct net_far *f, void *arg, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		 type;
	int		 rc = 0;

	(void)arg;
	while (rc == 0 && frame_recv(f->sock, 0, NET_FRAME, &type, &b) == 1) {
		if ((rc = put_frame(f, type, &b, e)) < 0 || type == 'o')
			continue;
		if ((rc = get_frame(f, &type, &b, e)) == 0 &&
		    frame_send(f->sock, NET_FRAME, type, b.p, b.len) < 0)
			break;
	}
	buf_free(&b);
	return rc;
}

int
talk(struct net *n, char type, const void *p, size_t len,
    const char *want, char *got, struct rd *r, struct err *e)
{
	/* It is not written to. */
	const struct buf b = { (uint8_t *)(uintptr_t)p, len, len, false };
	struct err	 ignored;
	char		*line;
	int		 rc;

	if ((rc = net_send(n, type, &b, e)) < 0 && want == NULL)
		/* The process may have said why before it died. */
		return net_recv(n, got, r, &ignored) < 0 &&
		    ignored.code != 0 ? err_setx(e, ignored.code, "%s",
		    ignored.msg) : rc;
	if (want == NULL)
		return 0;
	if ((rc = net_recv(n, got, r, e)) < 0)
		return rc;
	if (*got == 'E') {
		if ((line = line_of(r->p, r->n)) == NULL)
			return err_set(e, ENOMEM, "peer");
		rc = err_setx(e, EIO, "%.900s", line);
		free(line);
		return rc;
	}
	if (*got == '\0' || strchr(want, *got) == NULL)
		return err_setx(e, EPROTO, "an answer to something else");
	return 0;
}
