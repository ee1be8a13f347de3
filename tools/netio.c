/*
 * netio.c: a store on another host as a medium: the requests of the io
 * table as frames, and the confined process that answers them.
 *
 *	r  ranges (le64 offset, le32 length)	-> d bytes, or e
 *	w  le64 offset, bytes			no answer
 *	o					no answer
 *	f					-> k, or e
 *
 * At the start it says k (le64 size, le32 block).  e is an le32 errno
 * value and a line.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/far.h"
#include "../sync/seal.h"
#include "netio.h"

#define RANGES	512			/* in one frame */
#define PIECE	(4u << 20)		/* bytes in one frame */

/* --- the confined process */

struct serve {
	uint64_t	 create;	/* 0: it is there */
	bool		 write;
};

static int
answer_err(int sock, int rc, const struct err *e)
{
	struct buf	 b = BUF_INIT;

	put_le32(&b, (uint32_t)-rc);
	put_bytes(&b, e->msg, strlen(e->msg));
	rc = b.bad ? -ENOMEM : frame_send(sock, NET_FRAME, 'e', b.p, b.len);
	buf_free(&b);
	return rc;
}

/* The pieces of one request, into out one behind another. */
static int
serve_read(struct io *io, struct rd *q, struct buf *out, struct err *e)
{
	struct io_range	*v = calloc(RANGES, sizeof(*v));
	size_t		 i, n = 0, total = 0;
	uint8_t		*p;
	int		 rc;

	if (v == NULL)
		return err_set(e, ENOMEM, "read %s", io->name);
	for (; q->n > 0 && n < RANGES && total <= PIECE; n++) {
		v[n].off = rd_le64(q);
		v[n].n = rd_le32(q);
		if (v[n].n > PIECE)
			q->bad = true;
		total += v[n].n;
	}
	out->len = 0;
	if (q->bad || q->n > 0 || total > PIECE)
		rc = err_set(e, EBADMSG, "read %s", io->name);
	else if ((p = buf_room(out, total + 1)) == NULL)
		rc = err_set(e, ENOMEM, "read %s", io->name);
	else {
		for (i = 0, total = 0; i < n; total += v[i++].n)
			v[i].p = p + total;
		rc = io_readv(io, v, n, e);
		out->len = total;
	}
	free(v);
	return rc;
}

/* One request; what has no answer fails at the next flush. */
static int
serve_one(struct io *io, int sock, char type, struct rd *q, struct buf *out)
{
	struct err	 e = { 0, "" };
	uint64_t	 off;
	int		 rc;

	switch (type) {
	case 'r':
		if ((rc = serve_read(io, q, out, &e)) < 0)
			return answer_err(sock, rc, &e);
		return frame_send(sock, NET_FRAME, 'd', out->p, out->len);
	case 'w':
		off = rd_le64(q);
		if (q->bad)
			return -EBADMSG;
		return io->ops->write(io, q->p, q->n, off, &e);
	case 'o':
		return io_order(io, &e);
	case 'f':
		if ((rc = io->ops->flush(io, &e)) < 0)
			return answer_err(sock, rc, &e);
		return frame_send(sock, NET_FRAME, 'k', NULL, 0);
	default:
		return -EBADMSG;
	}
}

static int
loop(struct io *io, int sock, struct err *e)
{
	struct buf	 q = BUF_INIT, out = BUF_INIT;
	struct rd	 r;
	char		 type;
	int		 rc;

	put_le64(&out, io->size);
	put_le32(&out, io->block);
	rc = out.bad ? -ENOMEM : frame_send(sock, NET_FRAME, 'k', out.p, out.len);
	while (rc == 0 && frame_recv(sock, 0, NET_FRAME, &type, &q) == 1) {
		r = (struct rd){ q.p, q.len, false };
		rc = serve_one(io, sock, type, &r, &out);
	}
	buf_free(&q);
	buf_free(&out);
	return rc < 0 ? err_set(e, -rc, "%s", io->name) : 0;
}

static int
job_serve(struct net_far *f, void *arg, struct err *e)
{
	const struct serve	*s = arg;
	struct io		*io = NULL, *up = NULL;
	int			 rc;

	rc = far_open(&io, f->sftp, f->path, (s->write ? FAR_WRITE : 0) |
	    (s->create > 0 ? FAR_CREATE : 0), s->create, e);
	if (rc == 0 && f->seal != NULL)
		rc = seal_open(&up, io, f->seal, false, e);
	else if (rc == 0 && !s->write && seal_probe(io))
		rc = err_setx(e, EEXIST, "%s: a sealed copy is there, and no "
		    "key was named", io->name);
	if (rc == 0)
		rc = loop(up == NULL ? io : up, f->sock, e);
	io_close(up);
	io_close(io);
	return rc;
}

/* --- this side */

struct net_io {
	struct io	 io;
	struct net	*net;		/* owned */
	int		 lock;		/* owned, or -1 */
	char		*name;		/* owned; io.name */
};

/* The answer of type `want`: its body in *b, or the error that came. */
static int
answer(struct net_io *n, char want, struct rd *b, struct err *e)
{
	struct rd	 r;
	uint32_t	 code;
	char		 type;
	int		 rc;

	if ((rc = net_recv(n->net, &type, &r, e)) < 0)
		return rc;
	if (type == 'e') {
		code = rd_le32(&r);
		if (r.bad || code == 0 || code > 4095)
			return err_set(e, EBADMSG, "%s", n->name);
		return err_setx(e, (int)code, "%.*s", (int)(r.n < 1000 ?
		    r.n : 1000), (const char *)r.p);
	}
	if (type != want)
		return err_setx(e, EIO, "%s: the connection has ended",
		    n->name);
	*b = r;
	return 0;
}

/* Some ranges, which fit into one frame. */
static int
read_some(struct net_io *n, const struct io_range *v, size_t cnt,
    struct err *e)
{
	struct buf	 q = BUF_INIT;
	const uint8_t	*p;
	struct rd	 r;
	size_t		 i;
	int		 rc;

	for (i = 0; i < cnt; i++) {
		put_le64(&q, v[i].off);
		put_le32(&q, (uint32_t)v[i].n);
	}
	if ((rc = net_send(n->net, 'r', &q, e)) == 0)
		rc = answer(n, 'd', &r, e);
	buf_free(&q);
	for (i = 0; rc == 0 && i < cnt; i++) {
		if ((p = rd_bytes(&r, v[i].n)) == NULL)
			return err_set(e, EBADMSG, "read %s", n->name);
		memcpy(v[i].p, p, v[i].n);
	}
	return rc;
}

/* One range, however long, in pieces. */
static int
read_long(struct net_io *n, const struct io_range *v, struct err *e)
{
	struct io_range	 w = *v;
	size_t		 left = v->n;
	int		 rc = 0;

	for (; left > 0 && rc == 0; left -= w.n) {
		w.n = left < PIECE ? left : PIECE;
		rc = read_some(n, &w, 1, e);
		w.p = (uint8_t *)w.p + w.n;
		w.off += w.n;
	}
	return rc;
}

static int
n_readv(struct io *io, const struct io_range *v, size_t cnt, struct err *e)
{
	struct net_io	*n = (struct net_io *)io;
	size_t		 i, k, total;
	int		 rc = 0;

	for (i = 0; i < cnt && rc == 0; i += k) {
		if (v[i].n > PIECE) {
			k = 1;
			rc = read_long(n, &v[i], e);
			continue;
		}
		for (k = 0, total = 0; i + k < cnt && k < RANGES &&
		    v[i + k].n <= PIECE - total; k++)
			total += v[i + k].n;
		rc = read_some(n, &v[i], k, e);
	}
	return rc;
}

static int
n_read(struct io *io, void *p, size_t len, uint64_t off, struct err *e)
{
	struct io_range	 v = { p, len, off };

	return n_readv(io, &v, 1, e);
}

static int
n_write(struct io *io, const void *p, size_t len, uint64_t off,
    struct err *e)
{
	struct net_io	*n = (struct net_io *)io;
	struct buf	 q = BUF_INIT;
	size_t		 k;
	int		 rc = 0;

	for (; len > 0 && rc == 0; len -= k) {
		k = len < PIECE ? len : PIECE;
		q.len = 0;
		put_le64(&q, off);
		put_bytes(&q, p, k);
		rc = net_send(n->net, 'w', &q, e);
		p = (const uint8_t *)p + k;
		off += k;
	}
	buf_free(&q);
	return rc;
}

static int
n_order(struct io *io, struct err *e)
{
	return net_send(((struct net_io *)io)->net, 'o', NULL, e);
}

static int
n_flush(struct io *io, struct err *e)
{
	struct net_io	*n = (struct net_io *)io;
	struct rd	 r;
	int		 rc;

	if ((rc = net_send(n->net, 'f', NULL, e)) < 0)
		return rc;
	return answer(n, 'k', &r, e);
}

static void
n_close(struct io *io)
{
	struct net_io	*n = (struct net_io *)io;

	net_close(n->net);
	if (n->lock != -1)
		(void)close(n->lock);
	free(n->name);
	free(n);
}

static const struct io_ops net_ops = {
	.read = n_read, .write = n_write, .flush = n_flush,
	.close = n_close, .readv = n_readv, .order = n_order
};

int
netio_open(struct io **iop, struct net *net, int lock, const char *name,
    bool write, uint64_t create, struct err *e)
{
	struct serve	 s = { .create = create, .write = write };
	struct net_io	*n = calloc(1, sizeof(*n));
	struct rd	 r;
	int		 rc;

	*iop = NULL;
	if (n == NULL || (n->name = strdup(name)) == NULL) {
		net_close(net);
		if (lock != -1)
			(void)close(lock);
		free(n);
		return err_set(e, ENOMEM, "%s", name);
	}
	n->net = net;
	n->lock = lock;
	n->io.ops = &net_ops;
	n->io.name = n->name;
	if ((rc = net_start(net, job_serve, &s, e)) == 0 &&
	    (rc = answer(n, 'k', &r, e)) == 0) {
		n->io.size = rd_le64(&r);
		n->io.block = rd_le32(&r);
		if (r.bad || n->io.block < 512 || n->io.block > 65536 ||
		    (n->io.block & (n->io.block - 1)) != 0)
			rc = err_set(e, EBADMSG, "%s", name);
	}
	if (rc < 0)
		n_close(&n->io);
	else
		*iop = &n->io;
	return rc;
}
