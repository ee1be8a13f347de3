/*
 * parked.c: the list of paths that a restore merged, or could not.
 *
 * A record is two words and the path, each ended by a blank, the path by a
 * NUL, so that it may be any.  The list is read from a tree that anyone
 * may have written to: what makes no sense is passed over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/inst.h"
#include "../lib/path.h"
#include "apply.h"
#include "parked.h"

#define LIST_MAX	(16 * 1024 * 1024)	/* bytes */

const char *const park_word[PARK_N] = {
	[PARK_MERGED] = "merged",
	[PARK_CONFLICT] = "conflict",
	[PARK_MINE] = "mine",
	[PARK_TAKEN] = "taken"
};

int
parks_put(struct parks *p, const char *path, enum park_state state,
    enum rebase_why why)
{
	struct parked	*v;

	if (more_room(&p->v, p->n, &p->cap, sizeof(*p->v)) < 0)
		return -ENOMEM;
	v = &p->v[p->n];
	if ((v->path = strdup(path)) == NULL)
		return -ENOMEM;
	v->state = state;
	v->why = why;
	p->n++;
	return 0;
}

struct parked *
parks_find(const struct parks *p, const char *path)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->v[i].path, path) == 0)
			return &p->v[i];
	return NULL;
}

void
parks_free(struct parks *p)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		free(p->v[i].path);
	free(p->v);
	memset(p, 0, sizeof(*p));
}

/* The number of the word at *s, which a blank ends; n: none of them. */
static size_t
word(const char **s, const char *const *words, size_t n)
{
	size_t	 i, len = strcspn(*s, " ");

	for (i = 0; i < n; i++)
		if (strlen(words[i]) == len && (*s)[len] == ' ' &&
		    strncmp(*s, words[i], len) == 0) {
			*s += len + 1;
			return i;
		}
	return n;
}

static int
parse(struct parks *p, const char *s, const char *end)
{
	size_t	 state, why;
	int	 rc = 0;

	/* Without a NUL at its end the last is a part of one. */
	for (; rc == 0 && s < end && memchr(s, '\0', (size_t)(end - s)) !=
	    NULL; s += strlen(s) + 1) {
		if ((state = word(&s, park_word, PARK_N)) == PARK_N ||
		    (why = word(&s, rebase_word, WHY_N)) == WHY_N ||
		    *s == '\0' || !path_ok(s, strlen(s)) ||
		    (p->n > 0 && path_cmp(p->v[p->n - 1].path, s) >= 0))
			continue;
		rc = parks_put(p, s, (enum park_state)state,
		    (enum rebase_why)why);
	}
	return rc;
}

int
parks_read(struct parks *p, int tree, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 rc;

	memset(p, 0, sizeof(*p));
	if (walk_slurp(tree, INST_PARKED, LIST_MAX, &b) < 0)
		b.len = 0;
	rc = b.len == 0 ? 0 : parse(p, (const char *)b.p,
	    (const char *)b.p + b.len);
	buf_free(&b);
	if (rc < 0)
		parks_free(p);
	return rc < 0 ? err_set(e, -rc, "read %s", INST_PARKED) : 0;
}

int
parks_write(const struct parks *p, int tree, bool live, struct err *e)
{
	struct apply	 a = APPLY_INIT(tree, live);
	struct ent	 x = { .path = (char *)INST_PARKED, .type = ENT_REG,
			    .mode = 0600, .uid = geteuid(),
			    .gid = getegid(), .mtime = time(NULL) };
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 rc;

	for (i = 0; i < p->n; i++) {
		put_fmt(&b, "%s %s ", park_word[p->v[i].state],
		    rebase_word[p->v[i].why]);
		put_bytes(&b, p->v[i].path, strlen(p->v[i].path) + 1);
	}
	if (p->n == 0)
		x.type = ENT_NONE;
	rc = b.bad ? err_set(e, ENOMEM, "write %s", INST_PARKED) :
	    apply_ent(&a, &x, b.p, b.len, e);
	apply_free(&a);
	buf_free(&b);
	return rc;
}

/* Whether the entry is still one that was made over another base. */
static int
open_still(const struct pers *pers, const char *path, struct err *e)
{
	const struct ent	*x = pers->ov == NULL ? NULL :
				    ents_find(pers->ov, path);
	struct ent		 now;
	int			 rc;

	if (x == NULL || x->base == NULL)
		return 0;
	rc = pers_base(pers, path, ENT_HASH, &now, NULL, NULL, e);
	if (rc == -EACCES && geteuid() != 0)
		return 1;
	if (rc < 0)
		return rc;
	rc = !base_same(x->base, &now);
	ent_free(&now);
	return rc;
}

/* Of a list that is gone through: the i-th stays as the *n-th, or goes. */
static void
keep_only(struct parks *p, size_t i, size_t *n, bool keep)
{
	if (keep)
		p->v[(*n)++] = p->v[i];
	else
		free(p->v[i].path);
}

int
parks_prune(struct parks *p, const struct pers *pers, struct err *e)
{
	size_t	 i, n = 0;
	int	 rc, bad = 0;

	for (i = 0; i < p->n; i++) {
		rc = bad < 0 ? 1 : open_still(pers, p->v[i].path, e);
		if (rc < 0)
			bad = rc;
		keep_only(p, i, &n, rc != 0);
	}
	p->n = n;
	return bad;
}

static bool
is_pending(const struct pend *p, const char *path)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->v[i].path, path) == 0)
			return true;
	return false;
}

static bool
within(const char *path, const struct strs *paths)
{
	size_t	 i;

	for (i = 0; i < paths->n; i++)
		if (path_within(path, paths->v[i]))
			return true;
	return paths->n == 0;
}

int
parks_open(struct parks *p, int tree, const struct pers *pers,
    const struct pend *pend, const struct strs *paths, struct err *e)
{
	size_t	 i, n = 0;
	int	 rc;

	if ((rc = parks_read(p, tree, e)) < 0 ||
	    (rc = parks_prune(p, pers, e)) < 0)
		return rc;
	for (i = 0; i < p->n; i++) {
		if ((p->v[i].state == PARK_TAKEN || p->v[i].state ==
		    PARK_MERGED) && !is_pending(pend, p->v[i].path))
			p->v[i].state = PARK_CONFLICT;
		keep_only(p, i, &n, within(p->v[i].path, paths));
	}
	p->n = n;
	return 0;
}

bool
parks_mine(const struct parks *p)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		if (p->v[i].state == PARK_MINE)
			return true;
	return false;
}
