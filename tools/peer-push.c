/*
 * peer-push.c: cfg mirror push --peer: the head of this box is offered to
 * the other one of a pair, which tries it; that it can still be reached then,
 * by a connection of its own, confirms it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dur.h"
#include "mirror.h"
#include "out.h"
#include "peer-talk.h"
#include "peerset.h"

#define TRIES		3		/* for the second connection */

struct send {
	struct margs		*a;
	const struct peer	*p;
	struct net		*net;	/* or NULL */
	struct patt		*never;
	uint64_t		 id;	/* of this store */
	struct peer_hello	 h;	/* of the peer */
	struct pair		 pair;	/* agreed on; mine is 0: nothing */
	struct offer		 o;
	struct refused		 no;	/* why != 0: it refused */
	/* Of the answer: */
	int64_t			 trial;	/* that runs there, or 0 */
	uint32_t		 n;	/* paths in it */
	uint64_t		 gen;	/* the peer's generation */
};

/* ---- the first connection */

static int
hello(struct send *s, struct peer_hello *h, struct err *e)
{
	const struct peer_hello	 us = { .id = s->id };
	struct buf		 b = BUF_INIT;
	struct rd		 r;
	char			 got;
	int			 rc;

	if ((rc = mirror_connect(&s->net, s->a->c, s->p->far, &s->a->opt,
	    isatty(STDIN_FILENO), e)) < 0 ||
	    (rc = net_start(s->net, job_peer, NULL, e)) < 0)
		return rc;
	hello_put(&b, &us, false);
	if ((rc = talk(s->net, 'H', b.p, b.len, "H", &got, &r, e)) == 0)
		rc = hello_get(&r, h, true, e);
	buf_free(&b);
	return rc;
}

/* The pair of which the peer knows, too. */
static void
find_pair(struct send *s, struct store *st)
{
	struct pair	 p;
	size_t		 i;

	for (i = 0; pair_at(st, s->h.id, i, &p); i++)
		if (p.mine == s->h.yours && p.theirs == s->h.mine) {
			s->pair = p;
			return;
		}
	if (pair_newest(st, s->h.id, &p)) {
		s->o.ours = p.mine;	/* which it will refuse */
		s->o.theirs = p.theirs;
	}
}

static char *
message(struct store *st)
{
	struct commit	 c;
	struct err	 ignored;
	char		*s = NULL;

	if (store_record(st, store_head(st), &c, &ignored) == 0) {
		s = line_of(c.msg, c.msg == NULL ? 0 : strlen(c.msg));
		commit_free(&c);
	}
	return s != NULL ? s : strdup("");
}

static int
make_offer(struct send *s, struct store *st, struct err *e)
{
	struct offer	*o = &s->o;
	char		 name[65] = "";

	find_pair(s, st);
	o->id = s->id;
	o->trial = s->p->trial;
	if (s->pair.mine != 0) {
		o->ours = s->pair.mine;
		o->theirs = s->pair.theirs;
	}
	if (s->a->force)
		o->flags = OFFER_FULL | OFFER_FORCE;
	else if (s->pair.mine == 0)
		o->flags = OFFER_FULL;
	(void)gethostname(name, sizeof(name) - 1);
	o->from = line_of(name, strlen(name));
	o->msg = message(st);
	if (o->from == NULL || o->msg == NULL)
		return err_set(e, ENOMEM, "push");
	return offer_make(o, st, (o->flags & OFFER_FULL) != 0 ? 0 : o->ours,
	    &s->a->conf.peers, s->never, e);
}

static int
prepare(struct send *s, struct err *e)
{
	struct cfg_store	 st;
	int			 rc;

	if ((rc = cfg_open(s->a->c, false, &st, e)) < 0)
		return rc;
	rc = make_offer(s, st.s, e);
	return cfg_end(&st, -1, rc, e);
}

/* Frames of an offer. */
static int
send_offer(struct send *s, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	size_t		 at, n;
	char		 got;
	int		 rc = 0;

	offer_put(&b, &s->o);
	if (b.bad)
		return err_set(e, ENOMEM, "push");
	if (b.len > PEER_OFFER)
		rc = err_setx(e, EFBIG, "what is to be pushed is more than "
		    "%u MB", PEER_OFFER >> 20);
	for (at = 0; rc == 0 && at < b.len; at += n) {
		n = b.len - at < PEER_PIECE ? b.len - at : PEER_PIECE;
		rc = talk(s->net, 'o', b.p + at, n, NULL, &got, &r, e);
	}
	buf_free(&b);
	if (rc < 0 || (rc = talk(s->net, 'O', NULL, 0, "ATR", &got, &r,
	    e)) < 0)
		return rc;
	if (got == 'R')
		return refused_get(&r, &s->no, e);
	if (got == 'T') {
		s->trial = (int64_t)rd_le64(&r);
		s->n = rd_le32(&r);
	} else
		s->gen = rd_le64(&r);
	if (r.bad || r.n != 0 || (got == 'T' && s->trial == 0))
		return err_setx(e, EPROTO, "an answer that is none");
	return 0;
}

/* ---- the second one */

static int
second(struct send *s, struct err *e)
{
	struct peer_hello	 h;
	int			 rc;

	net_close(s->net);
	s->net = NULL;
	if ((rc = hello(s, &h, e)) == 0 && h.id != s->h.id)
		rc = err_setx(e, EPROTO, "another store answers there now");
	return rc;
}

/* That it was reached is what confirms it. */
static int
say_confirm(struct send *s, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct err	 why;
	struct rd	 r;
	char		 got;
	int		 rc;

	put_le64(&b, (uint64_t)s->trial);
	put_le64(&b, s->o.gen);
	rc = talk(s->net, 'C', b.p, b.len, "A", &got, &r, &why);
	buf_free(&b);
	if (rc == 0 && ((s->gen = rd_le64(&r)) == 0 || r.bad || r.n != 0))
		rc = err_setx(&why, EPROTO, "an answer that is none");
	return rc < 0 ? err_setx(e, -rc, "whether it has confirmed its trial "
	    "is not known, the next push tells: %.700s", why.msg) : 0;
}

static int
confirm(struct send *s, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct err	 why;
	int		 i, rc;

	/* What reads its configuration again may take a moment for it. */
	for (i = 0, rc = second(s, &why); rc < 0 && i + 1 < TRIES; i++) {
		(void)sleep(1);
		rc = second(s, &why);
	}
	if (rc == 0)
		return say_confirm(s, e);
	put_fmt(&b, "what it tries is not confirmed, and goes back by itself "
	    "in ");
	dur_put(&b, s->p->trial * SECOND);
	put_u8(&b, '\0');
	(void)err_setx(e, -rc, "%s: %.700s", b.bad ? "not confirmed" :
	    (char *)b.p, why.msg);
	buf_free(&b);
	return rc;
}

/* ---- what is said */

static void
put_refused(struct buf *b, const struct send *s)
{
	const struct refused	*f = &s->no;
	size_t			 i;

	if (f->why == REFUSE_PAIR)
		put_fmt(b, "agreed on something else than is known here%s",
		    f->gen == 0 ? "" : ", its generation ");
	else if (f->why == REFUSE_OWN)
		put_fmt(b, "has changes of its own%s", f->gen == 0 ? "" :
		    " since generation ");
	else if (f->why == REFUSE_PENDING)
		put_fmt(b, "has pending changes in the way");
	else if (f->why == REFUSE_TRIAL)
		put_fmt(b, "has a trial that runs");
	else
		put_fmt(b, "refuses it");
	if (f->gen != 0 && f->why <= REFUSE_OWN)
		put_fmt(b, "%" PRIu64, f->gen);
	for (i = 0; i < f->paths.n; i++) {
		put_fmt(b, "%s", i == 0 ? ": " : ", ");
		out_path(b, f->paths.v[i]);
	}
	if (f->n > f->paths.n)
		put_fmt(b, " and %zu more", f->n - f->paths.n);
	if (f->line != NULL && *f->line != '\0') {
		put_fmt(b, ": ");
		out_text(b, f->line, strlen(f->line));
	}
	if (f->why <= REFUSE_OWN)
		put_fmt(b, " (see `cfg status' there, or push it over that "
		    "with -f)");
	else if (f->why <= REFUSE_TRIAL)
		put_fmt(b, " (see `cfg status' there)");
}

static void
say_failed(const struct send *s, int rc, const struct err *e)
{
	const char	*name = s->p->far->name;
	struct buf	 b = BUF_INIT, j = BUF_INIT;

	if (rc == 0)
		put_refused(&b, s);
	else {
		put_fmt(&b, ": ");
		out_text(&b, e->msg, strlen(e->msg));
	}
	put_u8(&b, '\0');
	if (b.bad)
		return;
	if (s->a->c->json) {
		put_fmt(&j, "{\"peer\":");
		json_str(&j, name);
		put_fmt(&j, ",\"refused\":%s,\"error\":", rc == 0 ? "true" :
		    "false");
		json_str(&j, (char *)b.p + (rc == 0 ? 0 : 2));
		put_fmt(&j, "}\n");
		(void)out_write(&j, false);
	}
	(void)cfg_failx(s->a->c, "peer %s%s%s", name, rc == 0 ? " " : "",
	    (char *)b.p);
	buf_free(&b);
	buf_free(&j);
}

static void
say_done(const struct send *s)
{
	const char	*name = s->p->far->name;
	struct buf	 b = BUF_INIT;

	if (s->a->c->json) {
		put_fmt(&b, "{\"peer\":");
		json_str(&b, name);
		put_fmt(&b, ",\"generation\":%" PRIu64 ",\"its_generation\":%"
		    PRIu64 ",\"paths\":%u,\"forced\":%s}\n", s->o.gen, s->gen,
		    (unsigned)s->n, s->a->force ? "true" : "false");
	} else if (s->gen == 0)
		put_fmt(&b, "peer %s: nothing to push\n", name);
	else {
		put_fmt(&b, "peer %s: generation %" PRIu64 " is its "
		    "generation %" PRIu64 ", ", name, s->o.gen, s->gen);
		if (s->n == 0)
			put_fmt(&b, "nothing to push\n");
		else
			put_fmt(&b, "%u path%s%s\n", (unsigned)s->n,
			    s->n == 1 ? "" : "s", s->a->force ?
			    ", over what it had" : "");
	}
	(void)out_write(&b, false);
	buf_free(&b);
}

static char
letter(const struct change *x)
{
	const bool	 in_base = x->e.base != NULL &&
			    x->e.base->type != ENT_NONE;

	if (x->op == CHANGE_DROP)
		return in_base ? '=' : 'D';
	return x->e.type == ENT_WHITEOUT ? 'D' : in_base ? 'M' : 'A';
}

/* -n */
static void
say_offer(const struct send *s)
{
	const struct commit	*c = &s->o.c;
	struct buf		 b = BUF_INIT;
	uint64_t		 bytes = 0;
	size_t			 i;

	for (i = 0; i < c->n; i++) {
		bytes += c->v[i].data.len;
		if (s->a->c->json)
			continue;
		put_fmt(&b, "%c ", letter(&c->v[i]));
		out_path(&b, c->v[i].e.path);
		put_u8(&b, '\n');
	}
	if (s->a->c->json) {
		put_fmt(&b, "{\"peer\":");
		json_str(&b, s->p->far->name);
		put_fmt(&b, ",\"generation\":%" PRIu64 ",\"bytes\":%" PRIu64
		    ",\"would_send\":[", s->o.gen, bytes);
		for (i = 0; i < c->n; i++) {
			put_fmt(&b, "%s{", i == 0 ? "" : ",");
			json_name(&b, "path", c->v[i].e.path);
			put_fmt(&b, ",\"change\":\"%c\"}", letter(&c->v[i]));
		}
		put_fmt(&b, "]}\n");
	} else
		put_fmt(&b, "peer %s: %zu path%s, %" PRIu64 " bytes of "
		    "content, of generation %" PRIu64 "\n", s->p->far->name,
		    c->n, c->n == 1 ? "" : "s", bytes, s->o.gen);
	(void)out_write(&b, false);
	buf_free(&b);
}

/* ---- all of it */

static int
keep(const struct send *s, uint64_t theirs, bool alone, struct err *e)
{
	const char	*name = s->p->far->name;

	if (theirs == 0)
		return 0;
	return pair_keep(s->a->c, s->h.id, peer_find(&s->a->conf.peers,
	    name) == s->p ? name : NULL, s->o.gen, theirs, alone, e);
}

/* It is offered, tried, confirmed; or a refusal is in s->no. */
static int
offer(struct send *s, struct err *e)
{
	int	 rc;

	if ((rc = send_offer(s, e)) < 0 || s->no.why != 0)
		return rc;
	if (s->trial != 0) {
		/* Should its answer be lost, it is known what it may be. */
		if ((rc = keep(s, s->h.head + 1, false, e)) < 0 ||
		    (rc = confirm(s, e)) < 0)
			return rc;
	}
	return keep(s, s->gen, true, e);
}

static int
look_here(struct send *s, struct err *e)
{
	struct cfg_store	 st;
	int			 rc;

	if ((rc = peers_excluded(&s->a->conf.peers, &s->never, e)) < 0 ||
	    (rc = cfg_open(s->a->c, false, &st, e)) < 0)
		return rc;
	s->id = store_id(st.s);
	s->o.gen = store_head(st.s);
	return cfg_end(&st, -1, 0, e);
}

static int
push_one(struct margs *a, const struct peer *p)
{
	struct send	 s = { .a = a, .p = p };
	struct err	 e = { 0, "" };
	int		 rc;

	if ((rc = look_here(&s, &e)) == 0 && s.o.gen == 0)
		rc = err_setx(&e, ENOENT, "nothing was ever committed here");
	if (rc == 0 && (rc = hello(&s, &s.h, &e)) == 0 &&
	    (rc = prepare(&s, &e)) == 0) {
		if (a->dry)
			say_offer(&s);
		else if (s.pair.mine != 0 && s.o.c.n == 0 && !a->force) {
			s.o.gen = s.pair.mine;
			s.gen = s.pair.theirs;
			say_done(&s);
		} else if ((rc = offer(&s, &e)) == 0 && s.no.why == 0)
			say_done(&s);
	}
	if (rc < 0 || s.no.why != 0)
		say_failed(&s, rc, &e);
	rc = rc < 0 || s.no.why != 0 ? EX_FAIL : EX_OK;
	net_close(s.net);
	patt_free(s.never);
	offer_free(&s.o);
	refused_free(&s.no);
	return rc;
}

static int
push_named(struct margs *a, const char *arg)
{
	const struct peer	*p = peer_find(&a->conf.peers, arg);
	struct peer		 far;
	struct err		 e;
	int			 rc;

	if (p != NULL)
		return push_one(a, p);
	if (strstr(arg, "://") == NULL)
		return cfg_failx(a->c, "%.100s: there is no peer of that "
		    "name", arg);
	if (peer_of_url(&far, arg, &e) < 0)
		return cfg_fail(a->c, &e);
	rc = push_one(a, &far);
	peer_free(&far);
	return rc;
}

int
peer_push(struct margs *a)
{
	const struct peers	*ps = &a->conf.peers;
	struct err		 e;
	size_t			 i;
	int			 k, rc, worst = EX_OK;

	if (a->c->storepath != NULL)
		return cfg_usage(a->c);
	if (!a->dry && geteuid() != 0)
		return cfg_failx(a->c, "only root pushes to a peer: %s",
		    strerror(EPERM));
	if (cfg_inst(a->c, &e) < 0)
		return cfg_fail(a->c, &e);
	if (a->n == 0 && ps->n == 0)
		return cfg_failx(a->c, "no peers: a line `peer NAME URL' in "
		    "%s/cfgfs/config makes one", cfg_root(a->c));
	for (k = 0; k < a->n; k++)
		if ((rc = push_named(a, a->v[k])) > worst)
			worst = rc;
	for (i = 0; a->n == 0 && i < ps->n; i++)
		if ((rc = push_one(a, &ps->v[i])) > worst)
			worst = rc;
	return worst;
}
