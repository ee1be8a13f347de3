/*
 * pend.c: what is pending: suspects from the journal, compared.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "cand.h"
#include "pend.h"

/* Whether the running tree has a directory there. */
static bool
run_isdir(struct finder *f, const char *path)
{
	int	 fd = path_open(f->run.root, path, O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0 || fd == -EACCES;
}

/*
 * The directories above a suspect, where only one of the trees has them,
 * are suspects themselves, with all below.  `good` is a directory that
 * both have.
 */
static int
check_parents(struct finder *f, const char *path, char **good,
    struct strs *more)
{
	char	*p, *slash;
	bool	 run;
	int	 was, rc = 0;

	if ((p = strdup(path)) == NULL)
		return -ENOMEM;
	while (rc == 0 && (slash = strrchr(p, '/')) != NULL) {
		*slash = '\0';
		if (*good != NULL && path_within(*good, p))
			break;
		run = run_isdir(f, p);
		if ((was = pers_isdir(&f->pers, p)) < 0) {
			rc = was;
			break;
		}
		if (run && was) {
			free(*good);
			*good = p;
			return 0;
		}
		if (run != (was == 1))
			rc = strs_put(more, strdup(p));
	}
	free(p);
	return rc;
}

static int
add_parents(struct finder *f)
{
	struct strs	 more = { NULL, 0, 0 };
	char		*good = NULL;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; rc == 0 && i < f->fold.n; i++)
		rc = check_parents(f, f->fold.v[i].path, &good, &more);
	for (i = 0; rc == 0 && i < more.n; i++)
		rc = fold_add(&f->fold, more.v[i], true);
	if (rc == 0 && more.n > 0)
		rc = fold_sort(&f->fold);
	strs_free(&more);
	free(good);
	return rc < 0 ? err_set(f->e, -rc, "compare") : 0;
}

static void
unmark(struct strs *l)
{
	size_t	 i, n;

	for (i = 0; i < l->n; i++) {
		n = strlen(l->v[i]);
		if (n > 0 && l->v[i][n - 1] == '/')
			l->v[i][n - 1] = '\0';
	}
}

/* What either tree has in dir, onto the stack, the first on top. */
static int
push_both(struct finder *f, const char *dir, unsigned dirs,
    struct strs *stack)
{
	struct strs	 l = { NULL, 0, 0 };
	int		 rc = 0;

	if (dirs & CAND_RUN)
		rc = walk_list(f->run.root, dir, &l, f->e);
	if (rc == -EACCES && geteuid() != 0) {
		f->nhidden++;
		rc = 0;
	}
	if (rc == -ENOENT || rc == -ENOTDIR || rc == -ELOOP)
		rc = 0;		/* gone meanwhile */
	if (rc == 0 && dirs & CAND_WAS)
		rc = pers_list(&f->pers, dir, &l, f->e);
	unmark(&l);
	strs_sort(&l);
	while (rc == 0 && l.n > 0)
		if (strs_put(stack, l.v[--l.n]) < 0)
			rc = err_set(f->e, ENOMEM, "compare");
	strs_free(&l);
	return rc;
}

/*
 * Compare path, and all below it where `deep`, or where only one of the
 * trees has a directory; *below says whether that was done.
 */
static int
compare_at(struct finder *f, const char *path, bool deep, bool *below)
{
	struct strs	 stack = { NULL, 0, 0 };
	unsigned	 dirs;
	char		*p;
	int		 rc;

	*below = deep;
	if (strs_put(&stack, strdup(path)) < 0)
		return err_set(f->e, ENOMEM, "compare");
	rc = 0;
	while (rc == 0 && stack.n > 0) {
		p = stack.v[--stack.n];
		rc = cand_compare(f, p, &dirs);
		if (dirs == CAND_RUN || dirs == CAND_WAS)
			*below = true;
		else if (!deep)
			dirs = 0;
		if (rc == 0 && dirs != 0)
			rc = push_both(f, p, dirs, &stack);
		free(p);
	}
	strs_free(&stack);
	return rc;
}

static int
compare_all(struct finder *f)
{
	const struct susp	*s, *top = NULL;
	bool			 below;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; rc == 0 && i < f->fold.n; i++) {
		s = &f->fold.v[i];
		if (top != NULL && path_within(s->path, top->path))
			continue;
		rc = compare_at(f, s->path, s->tree, &below);
		if (below)
			top = s;
	}
	return rc;
}

/* Whether what runs is what the base has. */
static int
like_base(struct finder *f, const struct cand *c, bool *like)
{
	struct ent	 base, t = c->p.now;
	int		 rc;

	*like = false;
	if (!c->p.in_base || c->p.now.type == ENT_NONE ||
	    (c->p.was_base && c->differ) || !cand_base_group(f, c))
		return 0;
	if ((rc = pers_base(&f->pers, c->p.path, 0, &base, NULL, NULL,
	    f->e)) < 0)
		return rc;
	t.hash = base.hash;
	*like = ent_same(&base, &t);
	if (*like && base.type == ENT_REG) {
		rc = cand_content(f, c->p.path, &base, true);
		*like = rc == 0;
		rc = rc < 0 ? err_set(f->e, -rc, "read %s", c->p.path) : 0;
	}
	ent_free(&base);
	return rc;
}

/* All that is to be known of one that is pending. */
static int
complete(struct finder *f, struct cand *c)
{
	struct pent	*p = &c->p;
	int		 rc;

	if ((rc = like_base(f, c, &p->like_base)) < 0)
		return rc;
	if (p->now.type == ENT_REG &&
	    (rc = cand_hash(f, &f->run, &p->now)) < 0)
		return rc;
	if (p->was.type == ENT_REG && p->was_base &&
	    (rc = cand_hash(f, &f->base, &p->was)) < 0)
		return rc;
	if (fold_who(&f->fold, p->path, &p->who, &p->nwho) < 0)
		return err_set(f->e, ENOMEM, "%s", p->path);
	return 0;
}

/* Who changed a file changed it under all its names. */
static int
share_who(struct pend *o)
{
	struct pent	*p, *q;
	size_t		 i, k;

	for (i = 0; i < o->n; i++) {
		p = &o->v[i];
		for (k = 0; p->nwho == 0 && p->now.link != 0 && k < o->n;
		    k++) {
			q = &o->v[k];
			if (q->now.link != p->now.link || q->nwho == 0)
				continue;
			p->who = calloc(q->nwho, sizeof(*p->who));
			if (p->who == NULL)
				return -ENOMEM;
			memcpy(p->who, q->who, q->nwho * sizeof(*p->who));
			p->nwho = q->nwho;
		}
	}
	return 0;
}

static void
pent_free(struct pent *p)
{
	free(p->path);
	ent_free(&p->was);
	ent_free(&p->now);
	free(p->who);
	memset(p, 0, sizeof(*p));
}

/* Move what is pending out of the list. */
static int
collect(struct finder *f, struct pend *o)
{
	struct cand	*c;
	size_t		 i;
	int		 rc;

	if (f->n > 0 && (o->v = calloc(f->n, sizeof(*o->v))) == NULL)
		return err_set(f->e, ENOMEM, "compare");
	for (i = 0; i < f->n; i++) {
		c = &f->v[i];
		if (!c->differ && !c->p.relinked)
			continue;
		if ((rc = complete(f, c)) < 0)
			return rc;
		o->v[o->n++] = c->p;
		memset(&c->p, 0, sizeof(c->p));
	}
	if (f->ign.n > 0 &&
	    (o->ign = calloc(f->ign.n, sizeof(*o->ign))) == NULL)
		return err_set(f->e, ENOMEM, "compare");
	for (i = 0; i < f->ign.n; i++) {
		struct pent	*p = &o->ign[o->nignored++];
		size_t		 n = strlen(f->ign.v[i]);

		p->path = f->ign.v[i];
		f->ign.v[i] = NULL;
		if (p->path[n - 1] == '/') {
			p->path[n - 1] = '\0';
			p->now.type = ENT_DIR;
		}
		if (fold_who(&f->fold, p->path, &p->who, &p->nwho) < 0)
			return err_set(f->e, ENOMEM, "%s", p->path);
	}
	o->nsock = f->nsock;
	o->nhidden = f->nhidden;
	return share_who(o) < 0 ? err_set(f->e, ENOMEM, "compare") : 0;
}

static void
finder_free(struct finder *f)
{
	size_t	 i;

	for (i = 0; i < f->n; i++)
		pent_free(&f->v[i].p);
	free(f->v);
	free(f->buf);
	walk_at_close(&f->run);
	walk_at_close(&f->base);
	fold_free(&f->fold);
	strs_free(&f->ign);
	links_free(&f->rl);
	links_free(&f->bl);
	links_free(&f->ol);
}

/* Paths as walk_list() gives them: the slash says that all below counts. */
static int
add_more(struct finder *f, const struct strs *more)
{
	char	*p;
	size_t	 i, n;
	int	 rc = 0;

	for (i = 0; rc == 0 && i < more->n; i++) {
		n = strlen(more->v[i]);
		n -= n > 0 && more->v[i][n - 1] == '/';
		p = strndup(more->v[i], n);
		rc = p == NULL ? -ENOMEM : fold_add(&f->fold, p,
		    more->v[i][n] == '/');
		free(p);
	}
	if (rc == 0 && more->n > 0)
		rc = fold_sort(&f->fold);
	return rc < 0 ? err_set(f->e, -rc, "compare") : 0;
}

static int
find(struct pend *o, int tree, int statedir, uint64_t upto,
    const struct pers *pers, const struct patt *ignore,
    const struct strs *more, bool all, struct err *e)
{
	struct finder	 f = { .run = { tree, -1, NULL },
			    .base = { pers->base, -1, NULL }, .pers = *pers,
			    .ignore = ignore, .e = e };
	int		 rc = 0;

	f.pers.near = &f.base;
	memset(o, 0, sizeof(*o));
	if (statedir != -1)
		rc = fold_journal(&f.fold, statedir, upto, e);
	if (rc == 0 && (all || f.fold.damaged)) {
		if (fold_add(&f.fold, "", true) < 0 ||
		    fold_sort(&f.fold) < 0)
			rc = err_set(e, ENOMEM, "compare");
	}
	if (rc == 0 && more != NULL)
		rc = add_more(&f, more);
	o->scanned = f.fold.n > 0 && *f.fold.v[0].path == '\0' &&
	    f.fold.v[0].tree;
	if (rc == 0 && !o->scanned)
		rc = add_parents(&f);
	if (rc == 0)
		rc = compare_all(&f);
	if (rc == 0)
		rc = cand_links(&f);
	if (rc == 0)
		rc = collect(&f, o);
	finder_free(&f);
	if (rc < 0)
		pend_free(o);
	return rc;
}

int
pend_find(struct pend *o, int tree, int statedir, uint64_t upto,
    const struct pers *pers, const struct patt *ignore, struct err *e)
{
	return find(o, tree, statedir, upto, pers, ignore, NULL,
	    statedir == -1, e);
}

int
pend_find_all(struct pend *o, int tree, int statedir, uint64_t upto,
    const struct pers *pers, const struct patt *ignore, struct err *e)
{
	return find(o, tree, statedir, upto, pers, ignore, NULL, true, e);
}

int
pend_find_more(struct pend *o, int tree, int statedir, uint64_t upto,
    const struct pers *pers, const struct patt *ignore,
    const struct strs *more, struct err *e)
{
	return find(o, tree, statedir, upto, pers, ignore, more,
	    statedir == -1, e);
}

void
pend_free(struct pend *o)
{
	size_t	 i;

	for (i = 0; i < o->n; i++)
		pent_free(&o->v[i]);
	for (i = 0; i < o->nignored; i++)
		pent_free(&o->ign[i]);
	free(o->v);
	free(o->ign);
	memset(o, 0, sizeof(*o));
}

/* Whether p stays; `last` is the path behind it that stays, or "". */
static bool
selected(const struct pent *p, const char *last, char *const *paths,
    size_t n)
{
	size_t	 k;

	if (p->now.type == ENT_DIR && p->was.type != ENT_DIR &&
	    *last != '\0' && path_within(last, p->path))
		return true;
	for (k = 0; k < n; k++)
		if (path_within(p->path, paths[k]))
			return true;
	return n == 0;
}

/* Those that are not asked for go to *rest, or away where it is NULL. */
static void
split(struct pend *o, char *const *paths, size_t n, struct pend *rest)
{
	const char	*last = "";
	size_t		 i, kept = o->n, left = o->n;

	/* From the last: a new directory stays for what stays in it. */
	for (i = o->n; i-- > 0;) {
		if (selected(&o->v[i], last, paths, n)) {
			o->v[--kept] = o->v[i];
			last = o->v[kept].path;
		} else if (rest != NULL)
			rest->v[--left] = o->v[i];
		else
			pent_free(&o->v[i]);
	}
	if (o->n == 0)
		return;
	memmove(o->v, o->v + kept, (o->n - kept) * sizeof(*o->v));
	if (rest != NULL) {
		rest->n = o->n - left;
		memmove(rest->v, rest->v + left, rest->n * sizeof(*rest->v));
	}
	o->n -= kept;
}

int
pend_split(struct pend *o, char *const *paths, size_t n, struct pend *rest,
    struct err *e)
{
	memset(rest, 0, sizeof(*rest));
	if (o->n > 0 && (rest->v = calloc(o->n, sizeof(*rest->v))) == NULL)
		return err_set(e, ENOMEM, "select paths");
	split(o, paths, n, rest);
	return 0;
}

void
pend_select(struct pend *o, char *const *paths, size_t n)
{
	split(o, paths, n, NULL);
}

char
pend_letter(const struct pent *p)
{
	const struct ent	*a = &p->was, *b = &p->now;

	if (a->type == ENT_NONE)
		return 'A';
	if (b->type == ENT_NONE)
		return 'D';
	if (a->type != b->type)
		return 'T';
	switch (a->type) {
	case ENT_REG:
		return a->size != b->size ||
		    memcmp(a->hash.b, b->hash.b, HASH_LEN) != 0 ? 'M' : 'm';
	case ENT_LNK:
		return strcmp(a->target, b->target) != 0 ? 'M' : 'm';
	case ENT_CHR:
	case ENT_BLK:
		return a->major != b->major || a->minor != b->minor ? 'M' :
		    'm';
	default:
		return 'm';
	}
}
