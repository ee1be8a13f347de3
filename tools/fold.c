/*
 * fold.c: the journal's records, folded into the set of suspects.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../lib/jrn.h"
#include "../lib/path.h"
#include "fold.h"

static int
who_add(struct who **v, size_t *n, const struct who *w)
{
	struct who	*p;
	size_t		 i;

	/* One user's program counts once, however often it ran. */
	for (i = 0; i < *n; i++) {
		p = &(*v)[i];
		if (p->uid != w->uid || strcmp(p->comm, w->comm) != 0)
			continue;
		p->count = p->count > UINT32_MAX - w->count ? UINT32_MAX :
		    p->count + w->count;
		if (w->time < p->time)
			p->time = w->time;
		return 0;
	}
	/* A power of two is full. */
	if ((*n & (*n - 1)) == 0) {
		p = realloc(*v, (*n == 0 ? 1 : *n * 2) * sizeof(**v));
		if (p == NULL)
			return -ENOMEM;
		*v = p;
	}
	(*v)[(*n)++] = *w;
	return 0;
}

int
fold_add(struct fold *f, const char *path, bool tree)
{
	struct susp	*v;

	if (more_room(&f->v, f->n, &f->cap, sizeof(*v)) < 0)
		return -ENOMEM;
	v = &f->v[f->n];
	memset(v, 0, sizeof(*v));
	if ((v->path = strdup(path)) == NULL)
		return -ENOMEM;
	v->tree = tree;
	f->n++;
	return 0;
}

static int
one_record(void *arg, const struct jrn_rec *r)
{
	struct fold	*f = arg;
	struct susp	*s;
	struct who	 w;

	if (!path_ok(r->path, r->pathlen)) {
		f->damaged = true;
		return 0;
	}
	if (fold_add(f, r->path, (r->flags & JRN_TREE) != 0 ||
	    r->op == JRN_SCAN) < 0)
		return -ENOMEM;
	if (r->op == JRN_SCAN)
		return 0;		/* nobody: the daemon's own note */
	s = &f->v[f->n - 1];
	s->moved = s->tree;
	w = (struct who){ .uid = r->uid, .pid = r->pid, .count = r->count,
	    .time = r->time };
	memcpy(w.comm, r->comm, sizeof(w.comm));
	w.comm[sizeof(w.comm) - 1] = '\0';
	return who_add(&s->who, &s->nwho, &w);
}

int
fold_journal(struct fold *f, int statedir, uint64_t upto, struct err *e)
{
	uint64_t	 last;
	int		 rc;

	if (e != NULL)
		e->code = 0;
	rc = jrn_scan(statedir, upto, one_record, f, &f->damaged, &last, e);
	if (rc == 0)
		rc = fold_sort(f);
	if (rc == -ENOMEM && (e == NULL || e->code == 0))
		return err_set(e, ENOMEM, "read the journal");
	return rc;
}

static int
susp_cmp(const void *a, const void *b)
{
	return path_cmp(((const struct susp *)a)->path,
	    ((const struct susp *)b)->path);
}

static int
who_cmp(const void *a, const void *b)
{
	int64_t	 x = ((const struct who *)a)->time;
	int64_t	 y = ((const struct who *)b)->time;

	return x < y ? -1 : x > y;
}

static void
susp_free(struct susp *s)
{
	free(s->path);
	free(s->who);
}

/* Put what b says to a, which names the same path; b is then void. */
static int
join(struct susp *a, struct susp *b)
{
	size_t	 i;
	int	 rc = 0;

	a->tree |= b->tree;
	a->moved |= b->moved;
	for (i = 0; i < b->nwho && rc == 0; i++)
		rc = who_add(&a->who, &a->nwho, &b->who[i]);
	susp_free(b);
	memset(b, 0, sizeof(*b));
	return rc;
}

int
fold_sort(struct fold *f)
{
	size_t	 i, k = 0;
	int	 rc = 0;

	if (f->n == 0)
		return 0;
	qsort(f->v, f->n, sizeof(*f->v), susp_cmp);
	for (i = 1; i < f->n; i++) {
		if (strcmp(f->v[k].path, f->v[i].path) != 0) {
			if (++k != i)
				f->v[k] = f->v[i];
		} else if (join(&f->v[k], &f->v[i]) < 0)
			rc = -ENOMEM;
	}
	f->n = k + 1;
	for (i = 0; i < f->n; i++)
		if (f->v[i].nwho > 1)
			qsort(f->v[i].who, f->v[i].nwho,
			    sizeof(*f->v[i].who), who_cmp);
	return rc;
}

const struct susp *
fold_find(const struct fold *f, const char *path)
{
	struct susp	 key = { NULL, false, false, NULL, 0 };

	key.path = (char *)(uintptr_t)path;
	return f->n == 0 ? NULL :
	    bsearch(&key, f->v, f->n, sizeof(*f->v), susp_cmp);
}

int
fold_who(const struct fold *f, const char *path, struct who **who, size_t *n)
{
	const struct susp	*s;
	char			*p, *slash;
	size_t			 i;
	bool			 self = true;
	int			 rc = 0;

	*who = NULL;
	*n = 0;
	if ((p = strdup(path)) == NULL)
		return -ENOMEM;
	for (;;) {
		s = fold_find(f, p);
		for (i = 0; s != NULL && (self || s->moved) && i < s->nwho &&
		    rc == 0; i++)
			rc = who_add(who, n, &s->who[i]);
		if (rc < 0 || *p == '\0')
			break;
		self = false;
		slash = strrchr(p, '/');
		*(slash == NULL ? p : slash) = '\0';
	}
	free(p);
	if (*n > 1)
		qsort(*who, *n, sizeof(**who), who_cmp);
	return rc;
}

void
fold_free(struct fold *f)
{
	size_t	 i;

	for (i = 0; i < f->n; i++)
		susp_free(&f->v[i]);
	free(f->v);
	memset(f, 0, sizeof(*f));
}
