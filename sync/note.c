/*
 * note.c: trials and tags, which leave the generation as it is.
 *
 * A trial is a commit whose entries are hidden: what opens the store gives
 * the head.  Confirming it is a commit that makes them the tree's, and has
 * their contents by reference; so it is small.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "append.h"

static int
nomem(const struct store *s, struct err *e)
{
	return err_set(e, ENOMEM, "%s", s->io->name);
}

/* A hidden entry that is text alone. */
static int
add_text(struct items *l, enum hid kind, const char *path, struct buf *b)
{
	struct ent	 x;

	memset(&x, 0, sizeof(x));
	put_u8(b, '\0');
	x.type = ENT_LNK;
	x.mode = 0777;
	x.path = hid_path(kind, path);
	x.target = b->bad ? NULL : strdup((char *)b->p);
	buf_free(b);
	if (x.path == NULL || x.target == NULL) {
		ent_free(&x);
		return -ENOMEM;
	}
	return items_set(l, &x) == NULL ? -ENOMEM : 0;
}

/* ---- tags */

bool
store_tag_ok(const char *name)
{
	static const char	 most[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t			 n = strlen(name);

	return n > 0 && n <= 64 && strspn(name, most) == n &&
	    strchr("._-0123456789", *name) == NULL;
}

bool
store_tag_at(const struct store *s, size_t i, const char **name,
    uint64_t *gen)
{
	size_t	 k = hid_from(&s->head, HID_TAG) + i;

	if (k >= s->head.n || hid_kind(s->head.v[k].path) != HID_TAG ||
	    s->head.v[k].type != ENT_LNK)
		return false;
	*name = hid_of(s->head.v[k].path);
	*gen = strtoull(s->head.v[k].target, NULL, 10);
	return true;
}

int
store_tag(struct store *s, const char *name, uint64_t gen, struct err *e)
{
	struct items	 l = { NULL, 0, 0 };
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	char		*p;
	int		 rc;

	memset(&c, 0, sizeof(c));
	if (!store_tag_ok(name))
		return err_setx(e, EINVAL, "%s: not the name of a tag", name);
	if (gen != 0) {
		put_fmt(&b, "%" PRIu64, gen);
		rc = add_text(&l, HID_TAG, name, &b);
	} else {
		p = hid_path(HID_TAG, name);
		rc = p == NULL ? -ENOMEM : items_drop(&l, p);
		free(p);
	}
	rc = rc < 0 ? nomem(s, e) : store_append(s, &l, &c, true, e);
	items_free(&l);
	return rc;
}

/* ---- a trial */

static const enum hid	 of_trial[] = {
	HID_DROP, HID_INFO, HID_TRIAL, HID_UNDER
};

int
trial_clear(struct store *s, struct items *l, struct err *e)
{
	size_t	 i;

	for (i = 0; i < sizeof(of_trial) / sizeof(*of_trial); i++)
		if (items_clear(l, &s->head, of_trial[i]) < 0)
			return nomem(s, e);
	return 0;
}

/* The item of a tree's path becomes one of the trial's. */
static int
hide(struct item *it)
{
	const char	*p = it->e.path;
	char		*q;

	if (hid_kind(p) == HID_BASE)
		q = hid_path(HID_UNDER, hid_of(p));
	else if (it->op == CHANGE_DROP) {
		q = hid_path(HID_DROP, p);
		it->op = CHANGE_SET;
		it->e.type = ENT_WHITEOUT;
	} else
		q = hid_path(HID_TRIAL, p);
	if (q == NULL)
		return -ENOMEM;
	free(it->e.path);
	it->e.path = q;
	return 0;
}

/* When, by whom, until when; who made the changes; and what for. */
static void
put_info(struct buf *b, const struct commit *c, int64_t deadline)
{
	const struct change	*x;
	size_t			 i;
	int			 drops;

	put_fmt(b, "%" PRId64 " %" PRId64 " %" PRIu32 " %s\n", c->time,
	    deadline, c->uid, c->user == NULL ? "" : c->user);
	for (drops = 1; drops >= 0; drops--)
		for (i = 0; i < c->n; i++) {
			x = &c->v[i];
			if ((x->op == CHANGE_DROP) == (drops == 1))
				put_fmt(b, "%" PRIu32 " %zu %s\n", x->uid,
				    strlen(x->comm), x->comm);
		}
	put_fmt(b, "%s", c->msg == NULL ? "" : c->msg);
}

int
store_trial(struct store *s, const struct commit *c, int64_t deadline,
    struct err *e)
{
	struct items	 l = { NULL, 0, 0 };
	struct buf	 b = BUF_INIT;
	size_t		 i, n = 0;
	int		 rc;

	if ((rc = items_commit(s, &l, c, e)) < 0)
		goto out;
	/* What it takes from the base's entries is for confirming it. */
	for (i = 0; i < l.n; i++)
		if (l.v[i].op == CHANGE_DROP && hid_is(l.v[i].e.path))
			ent_free(&l.v[i].e);
		else {
			l.v[n] = l.v[i];
			l.v[n].nr = n;
			n++;
		}
	l.n = n;
	for (i = 0; i < n && rc == 0; i++)
		rc = hide(&l.v[i]);
	put_info(&b, c, deadline);
	if (rc < 0 || add_text(&l, HID_INFO, "", &b) < 0)
		rc = nomem(s, e);
	else if ((rc = trial_clear(s, &l, e)) == 0)
		rc = store_append(s, &l, c, true, e);
out:
	buf_free(&b);
	items_free(&l);
	return rc;
}

/* A number that ends with this character; *p goes behind it. */
static bool
number(const char **p, char end, int64_t *v)
{
	char	*q;

	errno = 0;
	*v = strtoll(*p, &q, 10);
	if (q == *p || *q != end || errno != 0)
		return false;
	*p = q + 1;
	return true;
}

static int
bad_info(const struct store *s, struct err *e)
{
	return err_setx(e, EBADMSG, "%s: what is said of the trial can't be "
	    "read", s->io->name);
}

/* The first line; *rest is what follows it. */
static int
get_info(struct store *s, struct trial *t, const char **rest, struct err *e)
{
	const struct ent	*x = hid_find(&s->head, HID_INFO, "");
	const char		*p, *nl;
	int64_t			 uid;

	memset(t, 0, sizeof(*t));
	if (x == NULL)
		return err_setx(e, ENOENT, "%s: no trial", s->io->name);
	if (x->type != ENT_LNK)
		return bad_info(s, e);
	p = x->target;
	if (!number(&p, ' ', &t->time) || !number(&p, ' ', &t->deadline) ||
	    !number(&p, ' ', &uid) || uid < 0 || uid > UINT32_MAX ||
	    (nl = strchr(p, '\n')) == NULL)
		return bad_info(s, e);
	t->uid = (uint32_t)uid;
	if ((t->user = strndup(p, (size_t)(nl - p))) == NULL)
		return nomem(s, e);
	*rest = nl + 1;
	return 0;
}

static size_t
count(const struct ents *ov, enum hid kind)
{
	size_t	 i = hid_from(ov, kind), n = 0;

	while (i + n < ov->n && hid_kind(ov->v[i + n].path) == kind)
		n++;
	return n;
}

/* Who made the next change; NULL as c goes past it. */
static bool
get_who(const char **p, struct change *c)
{
	int64_t	 uid, n;

	if (!number(p, ' ', &uid) || uid < 0 || uid > UINT32_MAX ||
	    !number(p, ' ', &n) || n < 0 || n >= (int64_t)sizeof(c->comm) ||
	    strnlen(*p, (size_t)n + 1) != (size_t)n + 1 || (*p)[n] != '\n')
		return false;
	if (c != NULL) {
		c->uid = (uint32_t)uid;
		memcpy(c->comm, *p, (size_t)n);
	}
	*p += n + 1;
	return true;
}

void
trial_free(struct trial *t)
{
	free(t->user);
	free(t->msg);
	memset(t, 0, sizeof(*t));
}

int
store_trial_info(struct store *s, struct trial *t, struct err *e)
{
	const char	*p;
	size_t		 i;
	int		 rc;

	if ((rc = get_info(s, t, &p, e)) < 0)
		return rc;
	t->paths = count(&s->head, HID_DROP) + count(&s->head, HID_TRIAL);
	for (i = 0; i < t->paths && rc == 0; i++)
		if (!get_who(&p, NULL))
			rc = bad_info(s, e);
	if (rc == 0 && (t->msg = strdup(p)) == NULL)
		rc = nomem(s, e);
	if (rc < 0)
		trial_free(t);
	return rc;
}

static int
order(const void *a, const void *b)
{
	const struct change	*x = a, *y = b;

	return path_cmp(x->e.path, y->e.path);
}

/* One hidden entry as the change that it stands for. */
static int
to_change(struct store *s, const struct ent *from, struct change *c)
{
	const struct ent	*under;
	struct ent		 x = *from;
	const char		*p = hid_of(from->path);

	memset(c, 0, sizeof(*c));
	c->op = hid_kind(from->path) == HID_DROP ? CHANGE_DROP : CHANGE_SET;
	if (c->op == CHANGE_DROP)
		return (c->e.path = strdup(p)) == NULL ? -ENOMEM : 0;
	x.path = NULL;
	if (ent_copy(&c->e, &x) < 0 || (c->e.path = strdup(p)) == NULL)
		return -ENOMEM;
	if ((under = hid_find(&s->head, HID_UNDER, p)) == NULL)
		return 0;
	return hid_to_base(under, &c->e);
}

int
trial_commit(struct store *s, struct commit *c, struct err *e)
{
	static const enum hid	 kinds[] = { HID_DROP, HID_TRIAL };
	struct trial		 t;
	const char		*p;
	size_t			 i, k, n;
	int			 rc;

	memset(c, 0, sizeof(*c));
	if ((rc = get_info(s, &t, &p, e)) < 0)
		return rc;
	c->time = t.time;
	c->uid = t.uid;
	c->user = t.user;
	n = count(&s->head, HID_DROP) + count(&s->head, HID_TRIAL);
	if ((c->v = calloc(n + 1, sizeof(*c->v))) == NULL)
		rc = nomem(s, e);
	for (k = 0; k < 2; k++)
		for (i = hid_from(&s->head, kinds[k]); rc == 0 &&
		    i < s->head.n && hid_kind(s->head.v[i].path) == kinds[k];
		    i++) {
			if (to_change(s, &s->head.v[i], &c->v[c->n++]) < 0)
				rc = nomem(s, e);
			else if (!get_who(&p, &c->v[c->n - 1]))
				rc = bad_info(s, e);
		}
	if (rc == 0 && (c->msg = strdup(p)) == NULL)
		rc = nomem(s, e);
	if (rc == 0 && c->n > 1)
		qsort(c->v, c->n, sizeof(*c->v), order);
	if (rc < 0)
		commit_free(c);
	return rc;
}

int
trial_overlay(struct store *s, struct ents *ov, struct err *e)
{
	struct steps	 st = { NULL, 0 };
	struct commit	 c;
	const char	*bad;
	struct ent	*x;
	size_t		 i;
	int		 rc;

	if ((rc = trial_commit(s, &c, e)) < 0)
		return rc;
	/* Those of a drop need not be there any more. */
	if ((st.v = calloc(c.n + 1, sizeof(*st.v))) == NULL)
		rc = nomem(s, e);
	for (i = 0; rc == 0 && i < c.n; i++) {
		x = ents_find(ov, c.v[i].e.path);
		st.v[st.n].at = x == NULL ? NOWHERE : (size_t)(x - ov->v);
		st.v[st.n++].c = c.v[i];
		memset(&c.v[i].e, 0, sizeof(c.v[i].e));
	}
	if (rc == 0 && (rc = overlay_apply(ov, &st, &bad)) < 0)
		rc = rc == -ENOMEM ? nomem(s, e) : bad_info(s, e);
	steps_free(&st);
	commit_free(&c);
	return rc;
}

/* The contents lie in the store already. */
static void
where(const struct commit *c, struct items *l)
{
	const struct change	*x;
	size_t			 i, k;

	for (i = k = 0; i < l->n; i++) {
		if (l->v[i].op != CHANGE_SET)
			continue;
		if (hid_kind(l->v[i].e.path) == HID_BASE) {
			/* It follows the item of its path. */
			x = &c->v[k];
			if (x->e.base->loc != 0)
				l->v[i].src.loc = x->e.base->loc;
			continue;
		}
		while (strcmp(c->v[k].e.path, l->v[i].e.path) != 0)
			k++;
		l->v[i].src.loc = c->v[k].e.loc;
		l->v[i].find = false;
	}
}

int
store_confirm(struct store *s, uint64_t *gen, struct err *e)
{
	struct items	 l = { NULL, 0, 0 };
	struct commit	 c;
	int		 rc;

	if ((rc = trial_commit(s, &c, e)) < 0)
		return rc;
	if ((rc = items_commit(s, &l, &c, e)) == 0) {
		where(&c, &l);
		if ((rc = trial_clear(s, &l, e)) == 0)
			rc = store_append(s, &l, &c, false, e);
	}
	if (rc == 0)
		*gen = s->seq;
	items_free(&l);
	commit_free(&c);
	return rc;
}
