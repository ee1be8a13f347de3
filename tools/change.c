/*
 * change.c: from what is pending to what a commit tells the store.
 *
 * The overlay's rules make the work here: it has nothing below a whiteout
 * or below what is no directory; a whiteout only where the base has the
 * path; nothing of what the base has just so.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/jrn.h"
#include "../lib/path.h"
#include "build.h"
#include "pin.h"

#define NOLINK	UINT32_MAX

static void
blame(struct change *v, const struct pent *p)
{
	const struct who	*w;

	if (p->nwho == 0)
		return;
	w = &p->who[p->nwho - 1];
	v->uid = w->uid;
	memcpy(v->comm, w->comm, sizeof(v->comm));
	v->comm[sizeof(v->comm) - 1] = '\0';
}

int
build_drop(struct build *b, const char *path, const struct pent *p)
{
	struct change	*v;

	if (b->pers->ov == NULL || ents_find(b->pers->ov, path) == NULL)
		return 0;
	if ((v = build_add(b, CHANGE_DROP, path)) == NULL)
		return -ENOMEM;
	if (p != NULL)
		blame(v, p);
	return 0;
}

static int
whiteout(struct build *b, const char *path, const struct pent *p)
{
	struct change	*v = build_add(b, CHANGE_SET, path);

	if (v == NULL)
		return err_set(b->e, ENOMEM, "%s", path);
	v->e.type = ENT_WHITEOUT;
	if (p != NULL)
		blame(v, p);
	return build_over(b, v);
}

/* What the overlay has below path, which is to be no directory. */
static int
drop_below(struct build *b, const char *path)
{
	const struct ents	*ov = b->pers->ov;
	size_t			 i;
	int			 rc = 0;

	if (ov == NULL)
		return 0;
	for (i = ents_lower(ov, path); i < ov->n && rc == 0 &&
	    path_within(ov->v[i].path, path); i++)
		if (strcmp(ov->v[i].path, path) != 0)
			rc = build_drop(b, ov->v[i].path, NULL);
	return rc;
}

/*
 * The same below a directory that comes back: entries for which a base
 * without it had no place would show again.  Those that the commit has a
 * word on are left to it.
 */
static int
drop_lost(struct build *b, const char *path)
{
	const struct ents	*ov = b->pers->ov;
	size_t			 i;
	int			 rc = 0;

	if (ov == NULL)
		return 0;
	for (i = ents_lower(ov, path); i < ov->n && rc == 0 &&
	    path_within(ov->v[i].path, path); i++)
		if (build_pend(b, ov->v[i].path) == NULL)
			rc = build_drop(b, ov->v[i].path, NULL);
	return rc < 0 ? err_set(b->e, -rc, "%s", path) : 0;
}

static int
read_content(struct build *b, struct change *v)
{
	struct stat	 st;
	uint8_t		*to;
	ssize_t		 k = 0;
	int		 fd, rc = 0;

	fd = path_open(b->tree, v->e.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_set(b->e, -fd, "read %s", v->e.path);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		rc = err_setx(b->e, EAGAIN, "read %s: it keeps changing",
		    v->e.path);
	while (rc == 0) {
		/* One byte more shows the end without another round. */
		to = buf_room(&v->data, v->data.len == 0 ?
		    (size_t)st.st_size + 1 : 65536);
		if (to == NULL)
			rc = err_set(b->e, ENOMEM, "read %s", v->e.path);
		else if ((k = read(fd, to, v->data.cap - v->data.len)) == 0)
			break;
		else if (k > 0)
			v->data.len += (size_t)k;
		else if (errno != EINTR)
			rc = err_set(b->e, errno, "read %s", v->e.path);
	}
	(void)close(fd);
	v->e.size = v->data.len;
	hash_mem(&v->e.hash, v->data.p, v->data.len);
	return rc;
}

/* The number of p's hard-link group for the store; *first: p is the first
 * of it that is told. */
static uint32_t
link_of(struct build *b, const struct pent *p, bool *first)
{
	uint32_t	*l;

	*first = true;
	if (p->now.link == 0)
		return 0;
	l = &b->links[p->now.link];
	if (*l == NOLINK)
		return 0;
	*first = *l == 0;
	if (*first)
		*l = b->next++;
	return *l;
}

static int
fill(struct build *b, const struct pent *p, struct change *v)
{
	const struct change	*w;
	bool			 first;
	size_t			 i;

	v->e.link = link_of(b, p, &first);
	if (p->now.type != ENT_REG)
		return 0;
	if (first)
		return read_content(b, v);
	/* What the group's first was read to hold, all hold. */
	for (i = 0; i < b->c->n; i++) {
		w = &b->c->v[i];
		if (w->op == CHANGE_SET && w->e.link == v->e.link) {
			v->e.size = w->e.size;
			v->e.hash = w->e.hash;
			break;
		}
	}
	return 0;
}

static int
set(struct build *b, const struct pent *p)
{
	struct change	*v = build_copy(b, p->path, &p->now);
	int		 rc;

	if (v == NULL)
		return err_set(b->e, ENOMEM, "%s", p->path);
	blame(v, p);
	rc = fill(b, p, v);
	return rc < 0 ? rc : build_over(b, v);
}

/*
 * A path of the base below a directory that comes back: it would show
 * again.  Where the commit says nothing of it, it must not.
 */
static int
uncovered(void *arg, const char *path, bool isdir)
{
	struct build		*b = arg;
	const struct pent	*p = build_pend(b, path);

	if (p != NULL)
		return isdir && p->now.type == ENT_DIR ? WALK_DOWN : 0;
	/* The patterns' own come back as the base has them. */
	if (b->patt != NULL && patt_match(b->patt, path, isdir))
		return 0;
	return whiteout(b, path, NULL);
}

static int
uncover(struct build *b, const char *path)
{
	struct ent	 base;
	bool		 dir;
	int		 rc;

	if (b->pers->base == -1)
		return 0;
	rc = pers_base(b->pers, path, 0, &base, NULL, NULL, b->e);
	if (rc < 0)
		return rc;
	dir = base.type == ENT_DIR;
	ent_free(&base);
	return dir ? walk_tree(b->pers->base, path, uncovered, b, b->e) : 0;
}

/* Whether the path needs no entry, as the base has it just so. */
static bool
follows(const struct build *b, const struct pent *p)
{
	return p->like_base && !pin_has(b->base->pins, p->path);
}

static int
one(struct build *b, const struct pent *p)
{
	int	 rc;

	if (p->now.type == ENT_NONE && p->in_base)
		return whiteout(b, p->path, p);
	if (p->now.type != ENT_NONE && !follows(b, p))
		return set(b, p);
	rc = build_drop(b, p->path, p);
	return rc < 0 ? err_set(b->e, -rc, "%s", p->path) : 0;
}

static int
all(struct build *b)
{
	const struct pent	*p;
	const char		*cover = NULL, *open = NULL;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; rc == 0 && i < b->pend->n; i++) {
		p = &b->pend->v[i];
		/* What is gone with its directory needs no word. */
		if (cover != NULL && path_within(p->path, cover))
			continue;
		if ((rc = one(b, p)) < 0)
			break;
		if (p->now.type != ENT_DIR) {
			cover = p->path;
			if ((rc = drop_below(b, p->path)) < 0)
				rc = err_set(b->e, -rc, "%s", p->path);
		} else if (p->was.type != ENT_DIR &&
		    (open == NULL || !path_within(p->path, open))) {
			open = p->path;
			if ((rc = uncover(b, p->path)) == 0)
				rc = drop_lost(b, p->path);
		}
	}
	return rc;
}

/* Groups of which only one name is told are none; the numbers of the
 * others follow the overlay's. */
static int
count_links(struct build *b)
{
	const struct ents	*ov = b->pers->ov;
	const struct pent	*p;
	size_t			 i;

	b->next = 1;
	for (i = 0; ov != NULL && i < ov->n; i++)
		if (ov->v[i].link >= b->next && ov->v[i].link < NOLINK - 1)
			b->next = ov->v[i].link + 1;
	for (i = 0; i < b->pend->n; i++)
		if (b->pend->v[i].now.link >= b->nlinks)
			b->nlinks = b->pend->v[i].now.link + 1;
	if (b->nlinks == 0)
		return 0;
	if ((b->links = calloc(b->nlinks, sizeof(*b->links))) == NULL)
		return err_set(b->e, ENOMEM, "hard links");
	for (i = 0; i < b->pend->n; i++) {
		p = &b->pend->v[i];
		if (p->now.type != ENT_NONE && !follows(b, p))
			b->links[p->now.link]++;
	}
	for (i = 0; i < b->nlinks; i++)
		b->links[i] = b->links[i] > 1 ? 0 : NOLINK;
	return 0;
}

int
change_build(struct commit *c, const struct pend *pend, int tree,
    const struct pers *pers, const struct patt *patt,
    struct change_base *base, struct err *e)
{
	struct change_base	 none = { 0 };
	struct build		 b = { .c = c, .pend = pend, .pers = pers,
				    .patt = patt, .tree = tree,
				    .base = base != NULL ? base : &none,
				    .e = e };
	int			 rc;

	if ((rc = count_links(&b)) == 0 && (rc = all(&b)) == 0)
		rc = build_also(&b);
	free(b.links);
	(void)build_sort(c);
	return rc;
}

/* One record for each that touched the path; nobody: look there. */
static void
carry_one(struct buf *b, const struct pent *p, bool deep)
{
	struct jrn_rec	 r;
	size_t		 i;

	memset(&r, 0, sizeof(r));
	r.path = p->path;
	r.pathlen = strlen(p->path);
	r.op = JRN_SCAN;
	r.flags = JRN_TREE;
	r.count = 1;
	if (p->nwho == 0 || deep)
		jrn_put(b, &r);
	r.op = JRN_WRITE;
	r.flags = 0;
	for (i = 0; i < p->nwho; i++) {
		r.uid = p->who[i].uid;
		r.pid = p->who[i].pid;
		r.count = p->who[i].count;
		r.time = p->who[i].time;
		memcpy(r.comm, p->who[i].comm, sizeof(r.comm));
		jrn_put(b, &r);
	}
}

void
change_carry(struct buf *b, const struct pend *rest,
    const struct pend *ignored)
{
	size_t	 i;

	for (i = 0; i < rest->n; i++)
		carry_one(b, &rest->v[i], false);
	for (i = 0; i < ignored->nignored; i++)
		carry_one(b, &ignored->ign[i],
		    ignored->ign[i].now.type == ENT_DIR);
}
