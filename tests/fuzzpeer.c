/*
 * fuzzpeer.c: whatever the other box of a pair says is taken whole or not at
 * all: paths in order and inside the tree, entries that a store may hold,
 * sizes within their bounds; and what was taken is said again in the same
 * way.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "../tools/peerwire.h"
#include "fuzzrun.h"
#include "simio.h"

static void
change_must(const struct commit *c, size_t i)
{
	const struct change	*x = &c->v[i];
	const struct ent	*e = &x->e;

	FUZZ_MUST(*e->path != '\0' && path_ok(e->path, strlen(e->path)));
	FUZZ_MUST(i == 0 || path_cmp(c->v[i - 1].e.path, e->path) < 0);
	if (x->op == CHANGE_DROP)
		return;
	FUZZ_MUST(x->op == CHANGE_SET);
	FUZZ_MUST(e->type >= ENT_REG && e->type <= ENT_WHITEOUT);
	FUZZ_MUST((e->mode & ~07777u) == 0 && e->mtime_ns < 1000000000);
	FUZZ_MUST((e->type == ENT_LNK) == (e->target != NULL));
	FUZZ_MUST(e->type == ENT_REG || x->data.len == 0);
	FUZZ_MUST(i == 0 || c->v[i - 1].op != CHANGE_SET ||
	    c->v[i - 1].e.type == ENT_DIR ||
	    !path_within(e->path, c->v[i - 1].e.path));
}

static void
an_offer(const uint8_t *p, size_t n)
{
	struct rd	 r = { p, n, false };
	struct buf	 b = BUF_INIT, b2 = BUF_INIT;
	struct offer	 o, o2;
	uint64_t	 total = 0;
	size_t		 i;

	if (offer_get(&r, &o, NULL) < 0)
		return;
	for (i = 0; i < o.c.n; i++) {
		change_must(&o.c, i);
		total += o.c.v[i].data.len;
	}
	FUZZ_MUST(total <= n && total <= PEER_TOTAL);
	FUZZ_MUST(strpbrk(o.from, "\n\r\033") == NULL);
	offer_put(&b, &o);
	r = (struct rd){ b.p, b.len, false };
	FUZZ_MUST(offer_get(&r, &o2, NULL) == 0 && o2.c.n == o.c.n);
	offer_put(&b2, &o2);
	FUZZ_MUST(b.len == b2.len && memcmp(b.p, b2.p, b.len) == 0);
	buf_free(&b);
	buf_free(&b2);
	offer_free(&o);
	offer_free(&o2);
}

static void
a_refusal(const uint8_t *p, size_t n)
{
	struct rd	 r = { p, n, false };
	struct refused	 f;
	size_t		 i;

	if (refused_get(&r, &f, NULL) < 0)
		return;
	FUZZ_MUST(f.paths.n <= PEER_NAMED);
	for (i = 0; i < f.paths.n; i++)
		FUZZ_MUST(path_ok(f.paths.v[i], strlen(f.paths.v[i])));
	refused_free(&f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd		 r = { p, n, false };
	struct peer_hello	 h;

	if (hello_get(&r, &h, true, NULL) == 0)
		FUZZ_MUST(h.id != 0 && h.mine <= h.head);
	an_offer(p, n);
	a_refusal(p, n);
	return 0;
}

#ifndef LIBFUZZER
static void
set(struct commit *c, const char *path, enum ent_type type, const char *text)
{
	struct change	*x = &c->v[c->n++];

	memset(x, 0, sizeof(*x));
	x->op = CHANGE_SET;
	x->e.path = strdup(path);
	x->e.type = type;
	x->e.mode = 0644;
	x->e.mtime = 1700000000;
	if (type == ENT_LNK)
		x->e.target = strdup(text);
	else if (text != NULL)
		put_fmt(&x->data, "%s", text);
}

static void
seed_offer(struct buf *b)
{
	struct offer	 o = { .id = 7, .gen = 12, .ours = 10, .theirs = 38,
			    .trial = 300 };

	o.from = strdup("fw1");
	o.msg = strdup("a message");
	o.c.v = calloc(8, sizeof(*o.c.v));
	set(&o.c, "d", ENT_DIR, NULL);
	set(&o.c, "d/link", ENT_LNK, "../x");
	set(&o.c, "d/x", ENT_REG, "hostname=\"fw2\"\n");
	set(&o.c, "d/y", ENT_REG, NULL);
	o.c.v[2].e.link = o.c.v[3].e.link = 3;
	set(&o.c, "gone", ENT_WHITEOUT, NULL);
	set(&o.c, "null", ENT_CHR, NULL);
	o.c.v[5].e.major = 1;
	o.c.v[5].e.minor = 3;
	set(&o.c, "rc.conf", ENT_REG, "x");
	o.c.v[6].op = CHANGE_DROP;
	set(&o.c, "z", ENT_REG, "attributes");
	o.c.v[7].e.xattr = xmemdup("user.a\0\1\0\0\0x", 12);
	o.c.v[7].e.xattrlen = 12;
	offer_put(b, &o);
	offer_free(&o);
}

int
main(int argc, char **argv)
{
	const struct peer_hello	 h = { 7, 40, 38, 10 };
	struct buf		 s[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	struct refused		 f = { .why = REFUSE_OWN, .gen = 38 };
	struct peer_hello	 h2;
	struct offer		 o;
	struct rd		 r;
	size_t			 i;
	int			 rc;

	seed_offer(&s[0]);
	r = (struct rd){ s[0].p, s[0].len, false };
	FUZZ_MUST(offer_get(&r, &o, NULL) == 0 && o.c.n == 8);
	FUZZ_MUST(o.c.v[3].e.size == 15 && ent_same(&o.c.v[2].e,
	    &o.c.v[3].e));
	offer_free(&o);
	hello_put(&s[1], &h, true);
	r = (struct rd){ s[1].p, s[1].len, false };
	FUZZ_MUST(hello_get(&r, &h2, true, NULL) == 0 && h2.yours == 10);
	refused_add(&f, "rc.conf");
	refused_add(&f, "pf.conf");
	f.line = strdup("a line");
	refused_put(&s[2], &f);
	r = (struct rd){ s[2].p, s[2].len, false };
	refused_free(&f);
	FUZZ_MUST(refused_get(&r, &f, NULL) == 0 && f.n == 2);
	refused_free(&f);
	rc = fuzz_main(argc, argv, s, 3, 100000);
	for (i = 0; i < 3; i++)
		buf_free(&s[i]);
	return rc;
}
#endif
