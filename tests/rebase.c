/*
 * rebase.c: the promises of an entry over another base: what one side
 * alone changed is taken, each property for itself; what can't be merged
 * stays to the last bit.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/path.h"
#include "../tools/pers.h"
#include "../tools/rebase.h"
#include "storekit.h"
#include "tap.h"
#include "tree.h"

static int	 base;		/* the base of now */
static uint64_t	 seed;

static uint64_t
below(uint64_t n)
{
	return tap_rand(&seed) % n;
}

/* What the base directory has at "f". */
static void
look(int dir, struct ent *x)
{
	const struct pers	 p = { dir, NULL, NULL, NULL };

	OK(pers_base(&p, "f", ENT_HASH, x, NULL, NULL, &er) == 0);
}

/*
 * Commit "f" as `mine` has it (NULL: deleted) over the base `old`; the
 * store keeps old's content where asked.  The overlay's entry in *x, its
 * content in *data.
 */
static void
committed(int old, int mine, bool keep, struct ents *ov, struct buf *data)
{
	const struct pers	 po = { old, NULL, NULL, NULL };
	const struct pers	 pm = { mine, NULL, NULL, NULL };
	struct commit		 c;
	struct change		*v;
	struct ent		 x, o;

	look(mine, &x);
	look(old, &o);
	start(&c, "f");
	v = add(&c, "f", x.type == ENT_NONE ? ENT_WHITEOUT : x.type);
	ent_free(&v->e);
	v->e = x;
	if (x.type == ENT_NONE)
		v->e.type = ENT_WHITEOUT;
	if (x.type == ENT_REG)
		OK(pers_content(&pm, &x, true, &v->data, &er) == 0);
	v->e.base = base_of(&o);
	if (keep && o.type == ENT_REG)
		OK(pers_content(&po, &o, true, &v->base_data, &er) == 0);
	ent_free(&o);
	OK(put(&c) == 0);
	OK(store_overlay(st, store_head(st), ov, &er) == 0 && ov->n == 1);
	if (ov->v[0].type == ENT_REG)
		OK(store_content(st, &ov->v[0], data, &er) == 0);
}

struct made {
	int		 rc;
	enum rebase_why	 why;
	struct ents	 ov;
	struct buf	 data, text;
};

static void
rebased(struct made *m, int old, int mine, bool keep)
{
	struct rebase	 rb;

	memset(m, 0, sizeof(*m));
	if (!OK(begin(1024 * 1024, 0, 0)))
		exit(2);
	committed(old, mine, keep, &m->ov, &m->data);
	rb = (struct rebase){ st, base, NULL };
	m->why = WHY_N;
	m->rc = rebase_ent(&rb, &m->ov.v[0], &m->data, &m->why, &m->text,
	    &er);
}

static void
done(struct made *m)
{
	ents_free(&m->ov);
	buf_free(&m->data);
	buf_free(&m->text);
	finish();
}

/* A tree with one file, or none. */
static int
tree(const char *content)
{
	int	 d = t_dir();

	if (content != NULL)
		t_file(d, "f", content);
	return d;
}

/* What becomes of three texts; NULL: there is none. */
static void
texts(const char *old, const char *mine, const char *now, int rc,
    enum rebase_why why, const char *want)
{
	int		 o = tree(old), m = tree(mine);
	struct made	 r;

	base = tree(now);
	rebased(&r, o, m, true);
	if (!OK(r.rc == rc) || !OK(rc != REBASE_PARKED || r.why == why))
		tap_diag("%d, %d", r.rc, (int)r.why);
	if (want != NULL) {
		if (!OK(r.data.len == strlen(want) &&
		    memcmp(r.data.p, want, r.data.len) == 0))
			tap_diag("%.*s", (int)r.data.len, (char *)r.data.p);
		OK(r.ov.v[0].size == strlen(want));
	}
	OK((r.text.len > 0) == (rc == REBASE_PARKED && why == WHY_OVERLAP));
	done(&r);
	t_drop();
	t_drop();
	t_drop();
}

static void
contents(void)
{
	texts("1\n", "2\n", "1\n", REBASE_SAME, 0, "2\n");
	texts("1\n", "2\n", "2\n", REBASE_SAME, 0, "2\n");
	texts("1\n2\n3\n", "a\n2\n3\n", "1\n2\nb\n", REBASE_MERGED, 0,
	    "a\n2\nb\n");
	texts("1\n", "2\n", "3\n", REBASE_PARKED, WHY_OVERLAP, "2\n");
	texts("", "2\n", "3\n", REBASE_PARKED, WHY_OVERLAP, "2\n");
	texts("1\n", "2\n", "", REBASE_PARKED, WHY_OVERLAP, "2\n");
	texts(NULL, "2\n", "3\n", REBASE_PARKED, WHY_OVERLAP, "2\n");
	texts("1\n", "2\n", NULL, REBASE_PARKED, WHY_GONE, "2\n");
	texts("1\n", NULL, "2\n", REBASE_PARKED, WHY_DELETED, NULL);
	texts("1\n", NULL, "1\n", REBASE_SAME, 0, NULL);
	texts("1\n", NULL, NULL, REBASE_SAME, 0, NULL);
}

static void
types(void)
{
	int		 o = tree("1\n"), m = tree(NULL), k;
	struct made	 r;

	t_symlink(m, "f", "there");
	base = tree("2\n");
	rebased(&r, o, m, true);
	OK(r.rc == REBASE_PARKED && r.why == WHY_TYPE);
	done(&r);
	/* The base's file is as it was but for its mode. */
	t_file(base, "f", "1\n");
	t_chmod(base, "f", 0600);
	rebased(&r, o, m, true);
	OK(r.rc == REBASE_SAME);
	done(&r);
	/* Both made a link of it. */
	t_rm(base, "f");
	t_symlink(base, "f", "there");
	rebased(&r, o, m, true);
	OK(r.rc == REBASE_SAME);
	done(&r);
	t_rm(base, "f");
	t_symlink(base, "f", "elsewhere");
	rebased(&r, o, m, true);
	OK(r.rc == REBASE_PARKED);
	done(&r);
	/* A file was changed here, and a directory took its place there. */
	k = tree("mine\n");
	t_rm(base, "f");
	t_mkdir(base, "f");
	rebased(&r, o, k, true);
	OK(r.rc == REBASE_PARKED && r.why == WHY_TYPE);
	done(&r);
	t_sweep();
}

static void
what_can_not_be_merged(void)
{
	int		 o = tree("1\n2\n3\n"), m = tree("a\n2\n3\n");
	struct strs	 pins = { NULL, 0, 0 };
	struct rebase	 rb;
	struct made	 r;
	struct buf	 was = BUF_INIT;
	struct ent	 x;

	base = tree("1\n2\nb\n");
	rebased(&r, o, m, false);
	OK(r.rc == REBASE_PARKED && r.why == WHY_UNKNOWN);
	done(&r);
	rebased(&r, o, m, true);
	OK(r.rc == REBASE_MERGED);
	/* A store that does not give it any more. */
	ents_free(&r.ov);
	OK(store_overlay(st, 1, &r.ov, &er) == 0);
	rb = (struct rebase){ NULL, base, NULL };
	OK(rebase_ent(&rb, &r.ov.v[0], &r.data, &r.why, NULL, &er) ==
	    REBASE_PARKED && r.why == WHY_UNKNOWN);
	/* Several names, or a pin. */
	rb = (struct rebase){ st, base, &pins };
	r.ov.v[0].link = 7;
	OK(rebase_ent(&rb, &r.ov.v[0], &r.data, &r.why, NULL, &er) ==
	    REBASE_PARKED && r.why == WHY_LINKED);
	r.ov.v[0].link = 0;
	OK(strs_put(&pins, strdup("f")) == 0);
	OK(ent_copy(&x, &r.ov.v[0]) == 0);
	put_bytes(&was, r.data.p, r.data.len);
	OK(rebase_ent(&rb, &r.ov.v[0], &r.data, &r.why, NULL, &er) ==
	    REBASE_SAME);
	OK(ent_same(&x, &r.ov.v[0]) && r.data.len == was.len &&
	    memcmp(r.data.p, was.p, was.len) == 0);
	/* One of which nothing is known. */
	free(r.ov.v[0].base);
	r.ov.v[0].base = NULL;
	rb.pins = NULL;
	OK(rebase_ent(&rb, &r.ov.v[0], &r.data, &r.why, NULL, &er) ==
	    REBASE_SAME);
	ent_free(&x);
	buf_free(&was);
	strs_free(&pins);
	done(&r);
	t_sweep();
}

/* One of two that often are the same. */
static uint32_t
any(const uint32_t *v)
{
	return v[below(2)];
}

static void
each_property_for_itself(void)
{
	static const char *const text[] = { "1\n2\n3\n4\n5\n6\n7\n",
	    "1\nx\n3\n4\n5\n6\n7\n", "1\n2\n3\n4\n5\ny\n7\n" };
	static const uint32_t	 modes[] = { 0644, 0600 }, ids[] = { 0, 5 };
	const char		*o, *mi, *now;
	struct rebase		 rb;
	struct ent		 x, nx;
	struct ent_base		*b;
	struct buf		 data = BUF_INIT;
	enum rebase_why		 why;
	uint32_t		 mode, uid, gid;
	int			 i, rc;

	seed = tap_seed(41);
	base = tree(NULL);
	rb = (struct rebase){ NULL, base, NULL };
	for (i = 0; i < 3000; i++) {
		o = text[0];
		mi = text[below(2)];
		now = mi == o && below(2) ? text[2] : o;
		t_file(base, "f", now);
		t_chmod(base, "f", any(modes));
		look(base, &nx);
		memset(&x, 0, sizeof(x));
		x.path = strdup("f");
		x.type = ENT_REG;
		x.size = strlen(mi);
		hash_mem(&x.hash, mi, x.size);
		x.mode = any(modes);
		x.uid = any(ids);
		x.gid = any(ids);
		b = x.base = calloc(1, sizeof(*b));
		b->type = ENT_REG;
		b->size = strlen(o);
		hash_mem(&b->hash, o, b->size);
		b->mode = any(modes);
		b->uid = any(ids);
		b->gid = any(ids);
		mode = x.mode == b->mode ? nx.mode : x.mode;
		uid = x.uid == b->uid ? nx.uid : x.uid;
		gid = x.gid == b->gid ? nx.gid : x.gid;
		if (mi == o)
			mi = now;
		data.len = 0;
		put_bytes(&data, mi == now ? o : mi, strlen(mi));
		rc = rebase_ent(&rb, &x, &data, &why, NULL, &er);
		OK(rc == REBASE_SAME || rc == REBASE_MERGED);
		OK(x.mode == mode && x.uid == uid && x.gid == gid);
		OK(x.size == strlen(mi) && data.len == x.size &&
		    memcmp(data.p, mi, data.len) == 0);
		ent_free(&x);
		ent_free(&nx);
	}
	buf_free(&data);
	t_sweep();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "contents are merged, or stay", contents },
		{ "types are never mixed", types },
		{ "what can't be merged stays as it is",
		    what_can_not_be_merged },
		{ "each property is taken from who has changed it",
		    each_property_for_itself },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
