/*
 * cmd-peer.c: cfg peer serve: what sshd starts when the other box of a pair
 * has something to offer.  It speaks on standard input and output.
 *
 * What is asked for is done by a process of its own, while this one says
 * now and then that it is being done; and that process goes on when the
 * connection has gone, since what it began must come to an end.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bg.h"
#include "frame.h"
#include "peer.h"
#include "trial.h"
#include "tstate.h"

#define TELL_EVERY	5000		/* ms */

struct serve {
	struct cfg	*c;
	int		 out;		/* to the sender */
	bool		 gone;		/* it does not listen any more */
	uint64_t	 id;		/* of its store */
	struct buf	 offer;		/* the pieces of one */
	struct buf	 body;		/* of the last frame */
};

/* An answer that a job sends, by its descriptor. */
static int
answer(int fd, char type, struct buf *b)
{
	int	 rc = b->bad ? -ENOMEM : frame_send(fd, PEER_PIECE, type, b->p, b->len);

	buf_free(b);
	return rc;
}

static int
say_error(int fd, const struct err *e)
{
	struct buf	 b = BUF_INIT;

	put_bytes(&b, e->msg, strlen(e->msg));
	return answer(fd, 'E', &b);
}

static int
say_agreed(int fd, uint64_t gen)
{
	struct buf	 b = BUF_INIT;

	put_le64(&b, gen);
	return answer(fd, 'A', &b);
}

/* ---- an offer */

static int
say_accepted(struct accept *a, int fd, struct err *e)
{
	const struct offer *o = a->o;
	struct buf	 b = BUF_INIT;
	int		 rc;

	if (a->trial != 0) {
		put_le64(&b, (uint64_t)a->trial);
		put_le32(&b, (uint32_t)a->n);
		return answer(fd, 'T', &b);
	}
	rc = pair_keep(a->c, o->id, NULL, a->w.head, o->gen, true, e);
	return rc < 0 ? rc : say_agreed(fd, a->w.head);
}

static int
take(struct accept *a, int fd, struct err *e)
{
	struct bg	 bg = BG_NONE;
	struct buf	 b = BUF_INIT;
	int		 rc;

	if ((rc = bg_open(&bg, a->c->inst.state, "peer", e)) < 0)
		return rc;
	if (!bg_lock(&bg)) {
		bg_close(&bg);
		return err_setx(e, EBUSY, "another push is under way there");
	}
	if ((rc = accept_find(a, e)) == 0 && a->touched.n > 0)
		rc = accept_do(a, e);
	if (rc == 0)
		rc = say_accepted(a, fd, e);
	else if (rc == -ECANCELED && a->no.why != 0) {
		refused_put(&b, &a->no);
		rc = answer(fd, 'R', &b);
	}
	bg_unlock(&bg);
	bg_close(&bg);
	return rc;
}

static int
do_offer(struct serve *s, int fd, struct err *e)
{
	struct rd	 r = { s->offer.p, s->offer.len, false };
	struct offer	 o;
	struct accept	 a = { .c = s->c, .o = &o };
	int		 rc;

	/* Nothing is open yet, should it end here. */
	a.w.tree = a.w.state = a.w.ctl = a.w.pers.base = -1;
	if ((rc = offer_get(&r, &o, e)) < 0)
		return rc;
	buf_free(&s->offer);
	rc = o.id != s->id ? err_set(e, EBADMSG, "an offer of another store")
	    : take(&a, fd, e);
	accept_free(&a);
	offer_free(&o);
	return rc;
}

/* ---- the end of a trial */

static int
is_trial(const struct serve *s, int64_t time, struct err *e)
{
	struct tstate	 t;
	bool		 same;
	int		 rc;

	if ((rc = tstate_load(s->c->inst.state, &t, e)) < 0)
		return rc;
	same = rc == 1 && t.time == time;
	tstate_free(&t);
	return same ? 0 : err_setx(e, ENOENT, "its trial runs no more");
}

static int
do_confirm(struct serve *s, int fd, struct err *e)
{
	struct rd	 r = { s->body.p, s->body.len, false };
	int64_t		 time = (int64_t)rd_le64(&r);
	uint64_t	 theirs = rd_le64(&r), gen = 0;
	int		 rc;

	if (r.bad || r.n != 0 || theirs == 0)
		return err_set(e, EBADMSG, "confirm");
	if ((rc = is_trial(s, time, e)) < 0 ||
	    (rc = trial_confirm(s->c, &gen, e)) < 0 ||
	    (rc = pair_keep(s->c, s->id, NULL, gen, theirs, true, e)) < 0)
		return rc;
	rc = say_agreed(fd, gen);
	trial_confirmed(s->c, gen);
	return rc;
}

/* ---- the sender */

/* What the process says, to the sender, until it has ended. */
static void
forward(struct serve *s, int fd, pid_t pid)
{
	struct pollfd	 p = { .fd = fd, .events = POLLIN };
	struct buf	 b = BUF_INIT;
	struct err	 died = { EIO, "it died of that" };
	char		 type;
	bool		 said = false;
	int		 n, rc = 0;

	while (rc >= 0) {
		n = poll(&p, 1, TELL_EVERY);
		if (n == 0 && !s->gone && !said)
			s->gone = frame_send(s->out, PEER_PIECE, 'w', NULL, 0) < 0;
		if (n <= 0)
			continue;
		if ((rc = frame_recv(fd, 0, PEER_PIECE, &type, &b)) <= 0)
			break;
		said = true;
		if (!s->gone)
			s->gone = frame_send(s->out, PEER_PIECE, type, b.p, b.len) < 0;
	}
	if (!said && !s->gone)
		s->gone = say_error(s->out, &died) < 0;
	while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	buf_free(&b);
}

static int
run(struct serve *s, int (*fn)(struct serve *, int, struct err *))
{
	struct err	 e = { 0, "" };
	pid_t		 pid;
	int		 p[2];

	if (pipe(p) == -1)
		return -errno;
	(void)fcntl(p[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(p[1], F_SETFD, FD_CLOEXEC);
	if ((pid = fork()) == 0) {
		(void)close(p[0]);
		(void)close(s->out);
		_exit(fn(s, p[1], &e) < 0 && say_error(p[1], &e) < 0);
	}
	(void)close(p[1]);
	if (pid != -1)
		forward(s, p[0], pid);
	(void)close(p[0]);
	buf_free(&s->offer);
	return pid == -1 ? -EAGAIN : s->gone ? -EPIPE : 0;
}

static int
hello(struct serve *s, struct err *e)
{
	struct rd		 r = { s->body.p, s->body.len, false };
	struct peer_hello	 h;
	struct cfg_store	 st;
	struct pair		 p;
	struct buf		 b = BUF_INIT;
	int			 rc;

	if ((rc = hello_get(&r, &h, false, e)) < 0)
		return rc;
	s->id = h.id;
	if ((rc = cfg_open(s->c, false, &st, e)) < 0)
		return rc;
	h.id = store_id(st.s);
	h.head = store_head(st.s);
	(void)pair_newest(st.s, s->id, &p);
	h.mine = p.mine;
	h.yours = p.theirs;
	if ((rc = cfg_end(&st, -1, 0, e)) < 0)
		return rc;
	if (h.id == s->id)
		return err_setx(e, EINVAL, "both have the same store: one is "
		    "a copy, and no peer");
	hello_put(&b, &h, true);
	return answer(s->out, 'H', &b);
}

static int
piece(struct serve *s, struct err *e)
{
	if (s->offer.len + s->body.len > PEER_OFFER)
		return err_set(e, EFBIG, "an offer");
	put_bytes(&s->offer, s->body.p, s->body.len);
	return s->offer.bad ? err_set(e, ENOMEM, "an offer") : 0;
}

/* One frame; what went wrong is said, and ends it. */
static int
request(struct serve *s, char type)
{
	struct err	 e = { 0, "" };
	int		 rc;

	if (type == 'H')
		rc = hello(s, &e);
	else if (s->id == 0)
		rc = err_setx(&e, EPROTO, "no hello came first");
	else if (type == 'o')
		rc = piece(s, &e);
	else if (type == 'O' || type == 'C')
		return run(s, type == 'O' ? do_offer : do_confirm);
	else
		rc = err_setx(&e, EPROTO, "a frame that is none");
	if (rc < 0)
		(void)say_error(s->out, &e);
	return rc;
}

static int
serve(struct cfg *c)
{
	struct serve	 s = { .c = c, .out = -1 };
	struct err	 e = { 0, "" };
	char		 type = 0;
	int		 rc;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	/* Whatever is printed on the way is no part of what is spoken. */
	s.out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (s.out == -1 || dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		return EX_FAIL;
	if (geteuid() != 0)
		rc = err_setx(&e, EPERM, "only root is served");
	else
		rc = cfg_inst(c, &e);
	if (rc < 0) {
		(void)say_error(s.out, &e);
		return cfg_fail(c, &e);
	}
	while ((rc = frame_recv(STDIN_FILENO, PEER_IDLE, PEER_PIECE, &type, &s.body)) ==
	    1 && (rc = request(&s, type)) == 0)
		;
	if (rc == -EBADMSG && type == 0) {
		(void)err_setx(&e, EPROTO, "not the protocol of a peer");
		(void)say_error(s.out, &e);
	}
	buf_free(&s.offer);
	buf_free(&s.body);
	(void)close(s.out);
	return rc < 0 ? EX_FAIL : EX_OK;
}

int
cmd_peer(struct cfg *c, int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "serve") != 0 ||
	    c->storepath != NULL)
		return cfg_usage(c);
	return serve(c);
}
