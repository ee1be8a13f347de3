/*
 * meta.c: a record's meta: who committed and why, and the steps from the
 * overlay before to the one after, without contents.
 *
 * What the overlay before knows is not said again: a path that is there
 * is a number, and of an entry only the fields that changed are given.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "meta-int.h"

void
meta_free(struct meta *m)
{
	free(m->c.user);
	free(m->c.msg);
	steps_free(&m->s);
	memset(m, 0, sizeof(*m));
}

uint32_t
meta_mode(enum ent_type t)
{
	return t == ENT_DIR ? 0755 : t == ENT_LNK ? 0777 :
	    t == ENT_WHITEOUT ? 0 : 0644;
}

static void
put_str(struct buf *b, const char *s)
{
	size_t	 n = s == NULL ? 0 : strlen(s);

	put_var(b, n);
	put_bytes(b, s, n);
}

/* Times are told from the one before, in ns, or whole behind a 0. */
static void
put_time(struct buf *b, const struct when *from, const struct ent *e)
{
	uint64_t	 d = (uint64_t)e->mtime - (uint64_t)from->sec;

	if (d + WHEN_FAR >= 2 * WHEN_FAR) {
		put_var(b, 0);
		put_le64(b, (uint64_t)e->mtime);
		put_le32(b, e->mtime_ns);
		return;
	}
	put_var(b, zigzag((int64_t)d * 1000000000 + (int64_t)e->mtime_ns -
	    (int64_t)from->ns) + 1);
}

static bool
same_who(const struct change *a, const struct change *b)
{
	return a->uid == b->uid && strncmp(a->comm, b->comm,
	    sizeof(a->comm)) == 0;
}

/* Number the makers of the changes in order of appearance. */
static int
number_whos(const struct steps *s, uint32_t **whop, struct buf *b)
{
	const struct change	**seen;
	uint32_t		 *who;
	size_t			  i, k, n = 0;

	*whop = NULL;
	seen = calloc(s->n + 1, sizeof(*seen));
	who = calloc(s->n + 1, sizeof(*who));
	if (seen == NULL || who == NULL) {
		free(seen);
		free(who);
		return -ENOMEM;
	}
	for (i = 0; i < s->n; i++) {
		if (s->v[i].carried)
			continue;
		for (k = n; k > 0 && !same_who(seen[k - 1], &s->v[i].c); k--)
			;
		if (k == 0)
			seen[k = n++] = &s->v[i].c;
		else
			k--;
		who[i] = (uint32_t)k;
	}
	put_var(b, n);
	for (k = 0; k < n; k++) {
		put_var(b, seen[k]->uid);
		i = strlen(seen[k]->comm);
		put_u8(b, (uint8_t)i);
		put_bytes(b, seen[k]->comm, i);
	}
	free(seen);
	*whop = who;
	return 0;
}

/* The fields in which e is not as its reference. */
static uint8_t
differing(const struct ent *e, const struct ent *ref, const struct when *t,
    const struct blob *b)
{
	uint8_t	 mask = 0;

	if (e->mode != ref->mode)
		mask |= HAS_MODE;
	if (e->uid != ref->uid || e->gid != ref->gid)
		mask |= HAS_OWNER;
	if (e->mtime != t->sec || e->mtime_ns != t->ns)
		mask |= HAS_TIME;
	if (e->xattrlen != ref->xattrlen || (e->xattrlen > 0 &&
	    memcmp(e->xattr, ref->xattr, e->xattrlen) != 0))
		mask |= HAS_XATTR;
	if (e->link != ref->link)
		mask |= HAS_LINK;
	if (e->type == ENT_REG && b->enc != ENC_NONE)
		mask |= HAS_BODY;
	if (e->type == ENT_LNK && (ref->target == NULL ||
	    strcmp(e->target, ref->target) != 0))
		mask |= HAS_BODY;
	if (e->major != ref->major || e->minor != ref->minor)
		mask |= HAS_BODY;
	return mask;
}

static void
put_body(struct buf *b, const struct ent *e, const struct ent *ref,
    const struct blob *bl, size_t i)
{
	if (e->type == ENT_LNK) {
		put_str(b, e->target);
		return;
	}
	if (e->type != ENT_REG) {
		put_var(b, e->major);
		put_var(b, e->minor);
		return;
	}
	put_u8(b, bl->enc != ENC_DELTA ? bl->enc : (uint8_t)(bl->how << 4 |
	    (bl->near != 0 ? ENC_NEAR : ENC_DELTA)));
	if (bl->enc == ENC_HEAD || bl->enc == ENC_HERE) {
		put_var(b, bl->enc == ENC_HEAD ? bl->base : i - bl->base);
		return;
	}
	put_var(b, zigzag((int64_t)e->size - (int64_t)ref->size));
	if (bl->enc == ENC_DELTA && bl->near != 0)
		put_var(b, bl->near);
	if (e->size > 0)
		put_bytes(b, e->hash.b, HASH_LEN);
	if (bl->enc == ENC_PACKED || bl->enc == ENC_DELTA)
		put_var(b, bl->len);
}

static void
put_fields(struct buf *b, const struct step *st, const struct ents *before,
    bool edit, struct when *last, const struct blob *bl, size_t i)
{
	const struct ent	*e = &st->c.e, *ref;
	struct ent		 none;
	struct when		 t = *last;
	uint8_t			 mask;

	memset(&none, 0, sizeof(none));
	none.mode = meta_mode(e->type);
	ref = &none;
	if (edit) {
		ref = &before->v[st->at];
		t = (struct when){ ref->mtime, ref->mtime_ns };
	} else
		put_u8(b, (uint8_t)e->type);
	if (e->type == ENT_WHITEOUT)
		return;
	mask = differing(e, ref, &t, bl);
	put_u8(b, mask);
	if ((mask & HAS_MODE) != 0)
		put_var(b, e->mode);
	if ((mask & HAS_OWNER) != 0) {
		put_var(b, e->uid);
		put_var(b, e->gid);
	}
	if ((mask & HAS_TIME) != 0)
		put_time(b, last, e);
	if ((mask & HAS_XATTR) != 0) {
		put_var(b, e->xattrlen);
		put_bytes(b, e->xattr, e->xattrlen);
	}
	if ((mask & HAS_LINK) != 0)
		put_var(b, e->link);
	if ((mask & HAS_BODY) != 0)
		put_body(b, e, ref, bl, i);
	*last = (struct when){ e->mtime, e->mtime_ns };
}

static void
put_path(struct buf *b, const char *path, const char *prev)
{
	size_t	 k = 0;

	while (path[k] != '\0' && path[k] == prev[k])
		k++;
	put_var(b, k);
	put_str(b, path + k);
}

int
meta_put(struct buf *b, const struct meta *m, const struct ents *before,
    const struct blob *blobs)
{
	struct when		 last;
	const struct step	*st;
	const char		*prev = "";
	uint32_t		*who;
	size_t			 i, known = 0, w = SIZE_MAX;
	uint8_t			 op;
	bool			 edit;
	int			 rc;

	put_le64(b, (uint64_t)m->c.time);
	put_var(b, m->c.uid);
	put_str(b, m->c.user);
	put_str(b, m->c.msg);
	if ((rc = number_whos(&m->s, &who, b)) < 0)
		return rc;
	put_var(b, m->s.n);
	last = meta_start(m->c.time);
	for (i = 0; i < m->s.n; i++) {
		st = &m->s.v[i];
		edit = st->c.op == CHANGE_SET && st->at != NOWHERE &&
		    before->v[st->at].type == st->c.e.type &&
		    st->c.e.type != ENT_WHITEOUT;
		op = edit ? OP_EDIT : st->c.op == CHANGE_SET ? OP_NEW : OP_DROP;
		op |= st->at != NOWHERE ? OP_KNOWN : 0;
		op |= st->carried ? OP_CARRIED : who[i] != w ? OP_WHO : 0;
		put_u8(b, op);
		if ((op & OP_WHO) != 0)
			put_var(b, w = who[i]);
		if ((op & OP_KNOWN) != 0) {
			put_var(b, st->at - known);
			known = st->at + 1;
		} else
			put_path(b, st->c.e.path, prev);
		prev = st->c.e.path;
		if (st->c.op == CHANGE_SET)
			put_fields(b, st, before, edit, &last, &blobs[i], i);
	}
	free(who);
	return b->bad ? -ENOMEM : 0;
}
