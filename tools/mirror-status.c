/*
 * mirror-status.c: how far each mirror is, from what is known here; no
 * network is asked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "mirror.h"
#include "mstate.h"
#include "out.h"
#include "peerset.h"

/* Generations that it lacks; where nothing is known, all. */
static uint64_t
behind(const struct mstate *s, uint64_t head)
{
	return s->at.seq >= head ? 0 : head - s->at.seq;
}

static void
put_text(struct buf *b, const struct mstate *s, uint64_t head)
{
	uint64_t	 n = behind(s, head);

	if (s->at.id == 0 && s->error[0] == '\0') {
		put_fmt(b, "not asked since the start");
		return;
	}
	if (n == 0 && s->error[0] == '\0')
		put_fmt(b, "generation %" PRIu64 ", ", s->at.seq);
	if (n > 0 && s->at.id != 0)
		put_fmt(b, "%" PRIu64 " generation%s not mirrored", n,
		    n == 1 ? "" : "s");
	else if (s->error[0] != '\0')
		put_fmt(b, "not reached");
	if (n > 0 || s->error[0] != '\0') {
		if (s->since > 0) {
			put_fmt(b, " since ");
			out_time(b, s->since);
		}
		if (s->error[0] != '\0') {
			put_fmt(b, ": ");
			out_text(b, s->error, strlen(s->error));
		}
		return;
	}
	out_time(b, s->when);
	if (s->whole)
		put_fmt(b, ", damaged: the next push mends it");
}

static void
put_json(struct buf *b, const struct conf_far *m, const struct mstate *s,
    uint64_t head)
{
	put_fmt(b, "{\"name\":");
	json_str(b, m->name);
	put_fmt(b, ",\"url\":");
	json_str(b, m->url);
	put_fmt(b, ",\"known\":%s,\"generation\":%" PRIu64 ",\"behind\":%"
	    PRIu64 ",\"reached_ns\":%" PRId64 ",\"failing_since_ns\":%"
	    PRId64 ",\"error\":", s->at.id != 0 ? "true" : "false",
	    s->at.seq, behind(s, head), s->when, s->since);
	json_str(b, s->error);
	put_u8(b, '}');
}

/* Whether it is in the list of names; an empty list has all. */
static bool
asked(const struct margs *a, const char *name)
{
	int	 i;

	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], name) == 0)
			return true;
	return a->n == 0;
}

/* All of them; the number of those that lack something. */
static size_t
put_all(struct buf *b, struct margs *a, uint64_t head, const char *before,
    bool urls)
{
	const struct conf_far	*m;
	struct mstate		 s;
	size_t			 i, n = 0, bad = 0;

	for (i = 0; i < a->conf.n; i++) {
		m = &a->conf.mirror[i];
		if (!asked(a, m->name))
			continue;
		mstate_load(a->c->inst.state, m->name, &s);
		if (behind(&s, head) > 0 || s.error[0] != '\0')
			bad++;
		if (a->c->json) {
			put_fmt(b, "%s", n++ > 0 ? "," : "");
			put_json(b, m, &s, head);
			continue;
		}
		put_fmt(b, "%s%s%s%s: ", before, m->name, urls ? " " : "",
		    urls ? m->url : "");
		put_text(b, &s, head);
		put_u8(b, '\n');
	}
	return bad;
}

int
mirror_lag(struct margs *a, uint64_t head)
{
	struct buf	 b = BUF_INIT;
	struct err	 e;

	if (cfg_inst(a->c, &e) < 0)
		return cfg_fail(a->c, &e);
	a->n = 0;			/* of all */
	if (a->c->json)
		put_fmt(&b, ",\"mirrors\":[");
	(void)put_all(&b, a, head, "mirror ", false);
	if (a->c->json)
		put_u8(&b, ']');
	return out_end(&b, false, &e) < 0 ? cfg_fail(a->c, &e) : EX_OK;
}

/* What was agreed on with a peer. */
static void
put_peer(struct buf *b, const struct margs *a, const struct store *s,
    const struct peer *p, size_t before)
{
	const char	*name = p->far->name;
	struct pair	 x, best = { .mine = 0 };
	size_t		 i;

	for (i = 0; pair_at(s, 0, i, &x); i++)
		if (strcmp(x.name, name) == 0 && x.mine >= best.mine)
			best = x;
	if (a->c->json) {
		put_fmt(b, "%s{\"name\":", before == 0 ? "" : ",");
		json_str(b, name);
		put_fmt(b, ",\"url\":");
		json_str(b, p->url);
		put_fmt(b, ",\"generation\":%" PRIu64 ",\"its_generation\":%"
		    PRIu64 "}", best.mine, best.theirs);
	} else if (best.mine == 0)
		put_fmt(b, "peer %s %s: nothing was agreed on\n", name,
		    p->url);
	else
		put_fmt(b, "peer %s %s: generation %" PRIu64 " is its "
		    "generation %" PRIu64 "\n", name, p->url, best.mine,
		    best.theirs);
}

static void
put_peers(struct buf *b, const struct margs *a, const struct store *s)
{
	const struct peers	*ps = &a->conf.peers;
	size_t			 i, n = 0;

	for (i = 0; i < ps->n; i++)
		if (asked(a, ps->v[i].far->name))
			put_peer(b, a, s, &ps->v[i], n++);
}

int
mirror_status(struct margs *a)
{
	struct cfg_store	 st;
	struct buf		 b = BUF_INIT, peers = BUF_INIT;
	struct err		 e;
	uint64_t		 head = 0;
	size_t			 bad;
	int			 i, rc;

	for (i = 0; i < a->n; i++)
		if (conf_mirror(&a->conf, a->v[i]) == NULL &&
		    peer_find(&a->conf.peers, a->v[i]) == NULL)
			return cfg_failx(a->c, "%.100s: there is no mirror "
			    "of that name", a->v[i]);
	if ((rc = cfg_inst(a->c, &e)) < 0 ||
	    (rc = cfg_open(a->c, false, &st, &e)) < 0)
		return cfg_fail(a->c, &e);
	head = store_head(st.s);
	put_peers(&peers, a, st.s);
	if ((rc = cfg_end(&st, -1, 0, &e)) < 0) {
		buf_free(&peers);
		return cfg_fail(a->c, &e);
	}
	if (a->c->json)
		put_fmt(&b, "{\"generation\":%" PRIu64 ",\"mirrors\":[",
		    head);
	bad = put_all(&b, a, head, "", true);
	if (a->c->json)
		put_fmt(&b, "],\"peers\":[");
	else if (a->conf.n + a->conf.peers.n == 0)
		put_fmt(&b, "no mirrors\n");
	if (peers.len > 0)
		put_bytes(&b, peers.p, peers.len);
	b.bad |= peers.bad;
	buf_free(&peers);
	if (a->c->json)
		put_fmt(&b, "]}\n");
	if (out_end(&b, false, &e) < 0)
		return cfg_fail(a->c, &e);
	return bad > 0 ? EX_NO : EX_OK;
}
