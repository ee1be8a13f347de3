/*
 * sftp.c: an SFTP session: packets out as fast as the stream takes them,
 * answers in as they come, and waiting only where somebody has to.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sftp-int.h"
#include "sshwire.h"

#define VERSION	3
#define RECV	(64u << 10)	/* bytes at one time */

int
sftp_die(struct sftp *s, int rc, const struct err *e)
{
	if (s->dead == 0) {
		s->dead = rc;
		s->why = *e;
	}
	return s->dead;
}

static int
is_dead(const struct sftp *s, struct err *e)
{
	return s->dead == 0 ? 0 : err_setx(e, -s->dead, "%s", s->why.msg);
}

/* Drop what is behind us at the front of a buffer, now and then. */
static void
shift(struct buf *b, size_t *pos)
{
	if (*pos == b->len)
		*pos = b->len = 0;
	else if (*pos > PACKET_MAX) {
		memmove(b->p, b->p + *pos, b->len - *pos);
		b->len -= *pos;
		*pos = 0;
	}
}

/* Send what the stream takes.  Whether it took something. */
static int
push(struct sftp *s, struct err *e)
{
	ssize_t	 n;
	int	 moved = 0;

	while (s->outpos < s->out.len) {
		n = s->st->write(s->st, s->out.p + s->outpos,
		    s->out.len - s->outpos, e);
		if (n == -EAGAIN)
			break;
		if (n < 0)
			return (int)n;
		s->outpos += (size_t)n;
		s->sent += (uint64_t)n;
		moved = 1;
	}
	shift(&s->out, &s->outpos);
	return moved;
}

/* The packets that are complete. */
static int
take(struct sftp *s, struct err *e)
{
	struct rd	 r;
	uint32_t	 n;
	int		 rc;

	while (s->in.len - s->inpos >= 4) {
		r = (struct rd){ s->in.p + s->inpos, 4, false };
		n = sw_rd32(&r);
		if (n < 5 || n > PACKET_MAX)
			return err_setx(e, EPROTO, "%s: not SFTP: a packet of "
			    "%u bytes", s->st->name, (unsigned)n);
		if (s->in.len - s->inpos - 4 < n)
			break;
		s->inpos += 4 + n;
		rc = answer_take(s, s->in.p + s->inpos - n, n, e);
		if (rc < 0)
			return rc;
	}
	shift(&s->in, &s->inpos);
	return 0;
}

/* Receive what there is.  Whether there was something. */
static int
pull(struct sftp *s, struct err *e)
{
	uint8_t	*p;
	ssize_t	 n;
	int	 moved = 0, rc;

	for (;;) {
		if ((p = buf_room(&s->in, RECV)) == NULL)
			return err_set(e, ENOMEM, "%s", s->st->name);
		n = s->st->read(s->st, p, RECV, e);
		if (n == -EAGAIN)
			return moved;
		if (n < 0)
			return (int)n;
		if (n == 0)
			return err_setx(e, EPIPE, "%s: the connection was "
			    "closed", s->st->name);
		s->in.len += (size_t)n;
		moved = 1;
		if ((rc = take(s, e)) < 0)
			return rc;
	}
}

/* Move what moves; with `block`, wait until something does. */
static int
turn(struct sftp *s, bool block, bool *waited)
{
	struct err	 e = { 0, "" };
	int		 a, b, rc;

	for (;;) {
		if (s->dead != 0)
			return s->dead;
		if ((a = push(s, &e)) < 0 || (b = pull(s, &e)) < 0)
			return sftp_die(s, e.code == 0 ? -EIO : -e.code, &e);
		if (a > 0 || b > 0 || !block)
			return 0;
		if (s->outpos == s->out.len)
			*waited = true;
		rc = s->st->wait(s->st, s->outpos < s->out.len, s->ms, &e);
		if (rc < 0)
			return sftp_die(s, rc, &e);
	}
}

void
req_queued(const struct sftp *s, struct req *r)
{
	r->end = s->sent + (s->out.len - s->outpos);
}

void
req_free(struct sftp *s, struct req *r)
{
	struct sftp_file	*f = r->f;

	r->used = false;
	s->nreq--;
	if (f != NULL && --f->nreq == 0 && f->closed)
		file_free(f);
}

int
req_begin(struct sftp *s, uint8_t type, const char *what,
    struct sftp_file *f, struct req **rp, size_t *mark, struct err *e)
{
	struct req	*r;
	bool		 waited = false;

	/* Neither side may wait for the other to read: while we can't send
	 * we take answers. */
	r = &s->req[s->next % REQS];
	while (s->dead == 0 && (r->used || s->out.len - s->outpos > AHEAD))
		(void)turn(s, true, &waited);
	s->waits += waited;
	if (is_dead(s, e) < 0)
		return s->dead;
	*r = (struct req){ .used = true, .id = s->next++, .type = type,
	    .what = what, .f = f };
	s->nreq++;
	if (f != NULL)
		f->nreq++;
	*mark = s->out.len;
	sw_put32(&s->out, 0);		/* the length, when it is known */
	put_u8(&s->out, type);
	sw_put32(&s->out, r->id);
	*rp = r;
	return 0;
}

int
req_end(struct sftp *s, struct req *r, size_t mark, struct err *e)
{
	bool	 ignored;
	size_t	 n = s->out.len - mark - 4;
	uint8_t	*p = s->out.p + mark;

	if (s->out.bad) {
		struct err	 why;

		req_free(s, r);
		(void)err_set(&why, ENOMEM, "%s", s->st->name);
		(void)sftp_die(s, -ENOMEM, &why);
		return is_dead(s, e);
	}
	p[0] = (uint8_t)(n >> 24);
	p[1] = (uint8_t)(n >> 16);
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
	req_queued(s, r);
	/* A failure shows when somebody waits. */
	if (s->out.len - s->outpos > PIECE)
		(void)turn(s, false, &ignored);
	return 0;
}

static bool
is_due(const struct sftp *s, const struct answer *a)
{
	return s->dead == 0 && (a == NULL ? s->nreq > 0 : !a->done);
}

/*
 * Turn until this is answered, or with NULL everything is.  What has come
 * already costs nobody a round trip.
 */
static void
await(struct sftp *s, const struct answer *a)
{
	struct err	 e = { 0, "" };
	bool		 ignored;

	if (is_due(s, a) && pull(s, &e) < 0)
		(void)sftp_die(s, e.code == 0 ? -EIO : -e.code, &e);
	s->waits += is_due(s, a);
	while (is_due(s, a))
		(void)turn(s, true, &ignored);
}

int
answer_wait(struct sftp *s, struct answer *a, struct err *e)
{
	size_t	 i;

	await(s, a);
	if (!a->done) {
		/* It is on the caller's stack. */
		for (i = 0; i < REQS; i++)
			if (s->req[i].used && s->req[i].a == a)
				s->req[i].a = NULL;
		return is_dead(s, e);
	}
	return a->rc < 0 ? err_setx(e, -a->rc, "%s", a->e.msg) : 0;
}

int
sftp_drain(struct sftp *s, struct err *e)
{
	int	 rc;

	await(s, NULL);
	if (is_dead(s, e) < 0)
		return s->dead;
	if ((rc = s->rc) < 0)
		(void)err_setx(e, -rc, "%s", s->e.msg);
	s->rc = 0;
	return rc;
}

/* VERSION is the one answer without an id, and comes once. */
static int
hello(struct sftp *s, struct err *e)
{
	struct answer	 a = { .done = false };
	struct req	*r;
	size_t		 mark;
	int		 rc;

	if ((rc = req_begin(s, FXP_INIT, "begin", NULL, &r, &mark, e)) < 0)
		return rc;
	s->out.len = mark + 5;		/* the version is where ids are */
	sw_put32(&s->out, VERSION);
	r->a = &a;
	if ((rc = req_end(s, r, mark, e)) < 0)
		return rc;
	return answer_wait(s, &a, e);
}

int
sftp_open(struct sftp **sp, struct stream *st, int seconds, struct err *e)
{
	struct sftp	*s = calloc(1, sizeof(*s));
	int		 rc;

	*sp = NULL;
	if (s == NULL)
		return err_set(e, ENOMEM, "%s", st->name);
	s->st = st;
	s->ms = seconds < INT_MAX / 1000 ? seconds * 1000 : INT_MAX;
	if ((rc = hello(s, e)) < 0)
		sftp_close(s);
	else
		*sp = s;
	return rc;
}

void
sftp_close(struct sftp *s)
{
	size_t	 i;

	if (s == NULL)
		return;
	for (i = 0; i < REQS; i++)
		if (s->req[i].used)
			req_free(s, &s->req[i]);
	buf_free(&s->out);
	buf_free(&s->in);
	free(s);
}

bool
sftp_can_fsync(const struct sftp *s)
{
	return s->fsync;
}

bool
sftp_can_replace(const struct sftp *s)
{
	return s->replace;
}

uint64_t
sftp_waits(const struct sftp *s)
{
	return s->waits;
}
