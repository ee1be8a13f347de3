/*
 * hidden.c: entries of an overlay that are no part of any tree.
 *
 * What the store keeps beside a generation (what its entries replaced in
 * the base, a trial, tags, older generations) are entries like all others,
 * whose paths begin with a slash and a letter, as no tree's do.  So they
 * are encoded, carried into checkpoints, checked and mirrored as those are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "store-int.h"

char *
hid_path(enum hid kind, const char *path)
{
	char	*p;

	if (asprintf(&p, "/%c%s%s", kind, *path == '\0' ? "" : "/",
	    path) == -1)
		return NULL;
	return p;
}

bool
hid_is(const char *path)
{
	return path[0] == '/';
}

enum hid
hid_kind(const char *path)
{
	return path[0] == '/' ? path[1] : HID_NOT;
}

const char *
hid_of(const char *path)
{
	return path[2] == '\0' ? path + 2 : path + 3;
}

bool
hid_ok(const char *path)
{
	if (path[0] != '/')
		return path_ok(path, strlen(path));
	if (path[1] == '\0' || path[1] == '/' ||
	    (path[2] != '\0' && path[2] != '/'))
		return false;
	return path[2] == '\0' || (path[3] != '\0' &&
	    path_ok(path + 3, strlen(path + 3)));
}

size_t
hid_from(const struct ents *ov, enum hid kind)
{
	const char	 first[] = { '/', (char)kind, '\0' };

	return ents_lower(ov, first);
}

struct ent *
hid_find(const struct ents *ov, enum hid kind, const char *path)
{
	char		*p = hid_path(kind, path);
	struct ent	*e = p == NULL ? NULL : ents_find(ov, p);

	free(p);
	return e;
}

int
hid_to_base(const struct ent *from, struct ent *e)
{
	struct ent_base	*b = calloc(1, sizeof(*b));

	if (b == NULL)
		return -ENOMEM;
	*b = (struct ent_base){ .type = from->type == ENT_WHITEOUT ?
	    ENT_NONE : from->type, .mode = from->mode, .uid = from->uid,
	    .gid = from->gid, .major = from->major, .minor = from->minor,
	    .size = from->size, .hash = from->hash, .loc = from->loc };
	e->base = b;
	if (from->target != NULL &&
	    (b->target = strdup(from->target)) == NULL)
		return -ENOMEM;
	return 0;
}

int
hid_base(const struct ent_base *b, const char *path, struct ent *e)
{
	memset(e, 0, sizeof(*e));
	*e = (struct ent){ .type = b->type == ENT_NONE ? ENT_WHITEOUT :
	    b->type, .mode = b->mode, .uid = b->uid, .gid = b->gid,
	    .major = b->major, .minor = b->minor, .size = b->size,
	    .hash = b->hash, .loc = b->loc };
	if ((e->path = hid_path(HID_BASE, path)) == NULL ||
	    (b->target != NULL && (e->target = strdup(b->target)) == NULL)) {
		ent_free(e);
		return -ENOMEM;
	}
	return 0;
}

int
hid_strip(struct ents *ov)
{
	struct ent	*e;
	size_t		 i, n = 0;
	int		 rc = 0;

	for (i = 0; i < ov->n && rc == 0; i++) {
		if (hid_kind(ov->v[i].path) != HID_BASE)
			continue;
		e = ents_find(ov, hid_of(ov->v[i].path));
		if (e != NULL && e->base == NULL)
			rc = hid_to_base(&ov->v[i], e);
	}
	for (i = 0; i < ov->n; i++)
		if (hid_is(ov->v[i].path))
			ent_free(&ov->v[i]);
		else
			ov->v[n++] = ov->v[i];
	ov->n = n;
	return rc;
}
