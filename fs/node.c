/*
 * node.c: what the kernel knows of the tree: its inodes and their names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "node.h"

static uint32_t
ino_hash(uint64_t ino)
{
	return (uint32_t)((ino * 0x9e3779b97f4a7c15u) >> 32);
}

static uint32_t
name_hash(const struct node *dir, const char *s)
{
	uint32_t	 h = ino_hash(dir->ino) ^ 2166136261u;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;	/* FNV-1a */
	return h ^ h >> 15;
}

static int
node_new(struct nodes *t, uint64_t ino, uint32_t type, struct node **out)
{
	struct node	*n, **b;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return -ENOMEM;
	n->ino = ino;
	n->type = type;
	n->fd = -1;
	n->slot = -1;
	b = &t->byino[ino_hash(ino) & (t->nbuckets - 1)];
	n->hnext = *b;
	*b = n;
	t->count++;
	*out = n;
	return 0;
}

int
nodes_init(struct nodes *t, uint64_t rootino)
{
	memset(t, 0, sizeof(*t));
	t->nbuckets = 256;
	t->rootino = rootino;
	t->byino = calloc(t->nbuckets, sizeof(*t->byino));
	t->byname = calloc(t->nbuckets, sizeof(*t->byname));
	if (t->byino == NULL || t->byname == NULL ||
	    node_new(t, rootino, S_IFDIR, &t->root) < 0) {
		nodes_free(t);
		return -ENOMEM;
	}
	t->root->nlookup = 1;
	return 0;
}

void
nodes_free(struct nodes *t)
{
	struct node	*n;
	struct name	*m;
	size_t		 i;

	for (i = 0; i < t->nbuckets; i++) {
		while (t->byname != NULL && (m = t->byname[i]) != NULL) {
			t->byname[i] = m->hnext;
			free(m);
		}
		while (t->byino != NULL && (n = t->byino[i]) != NULL) {
			t->byino[i] = n->hnext;
			free(n);
		}
	}
	free(t->byino);
	free(t->byname);
	memset(t, 0, sizeof(*t));
}

/* Twice the buckets, where there is memory; slower lists where not. */
static void
grow(struct nodes *t)
{
	size_t		 i, k = t->nbuckets * 2;
	struct node	**bi, *n;
	struct name	**bn, *m;

	bi = calloc(k, sizeof(*bi));
	bn = calloc(k, sizeof(*bn));
	if (bi == NULL || bn == NULL) {
		free(bi);
		free(bn);
		return;
	}
	for (i = 0; i < t->nbuckets; i++) {
		while ((n = t->byino[i]) != NULL) {
			t->byino[i] = n->hnext;
			n->hnext = bi[ino_hash(n->ino) & (k - 1)];
			bi[ino_hash(n->ino) & (k - 1)] = n;
		}
		while ((m = t->byname[i]) != NULL) {
			t->byname[i] = m->hnext;
			m->hnext = bn[m->hash & (k - 1)];
			bn[m->hash & (k - 1)] = m;
		}
	}
	free(t->byino);
	free(t->byname);
	t->byino = bi;
	t->byname = bn;
	t->nbuckets = k;
}

uint64_t
node_id(const struct nodes *t, uint64_t ino)
{
	if (ino == t->rootino)
		return 1;
	return ino == 1 ? t->rootino : ino;
}

struct node *
node_get(const struct nodes *t, uint64_t ino)
{
	struct node	*n = t->byino[ino_hash(ino) & (t->nbuckets - 1)];

	while (n != NULL && n->ino != ino)
		n = n->hnext;
	return n;
}

struct name *
name_find(const struct nodes *t, const struct node *dir, const char *name)
{
	uint32_t	 h = name_hash(dir, name);
	struct name	*m = t->byname[h & (t->nbuckets - 1)];

	while (m != NULL && (m->hash != h || m->dir != dir ||
	    strcmp(m->s, name) != 0))
		m = m->hnext;
	return m;
}

int
name_add(struct nodes *t, struct node *n, struct node *dir, const char *name)
{
	size_t		 len = strlen(name);
	struct name	*m, **b;

	if ((m = name_find(t, dir, name)) != NULL) {
		if (m->node == n)
			return 0;
		name_drop(t, m);	/* it was changed behind our back */
	}
	if ((m = malloc(sizeof(*m) + len + 1)) == NULL)
		return -ENOMEM;
	memcpy(m->s, name, len + 1);
	m->dir = dir;
	m->node = n;
	m->hash = name_hash(dir, name);
	m->next = n->names;
	n->names = m;
	b = &t->byname[m->hash & (t->nbuckets - 1)];
	m->hnext = *b;
	*b = m;
	dir->kids++;
	if (++t->nnames > t->nbuckets)
		grow(t);
	return 0;
}

void
name_drop(struct nodes *t, struct name *m)
{
	struct name	**p = &t->byname[m->hash & (t->nbuckets - 1)];
	struct node	*dir = m->dir;
	struct name	**q = &m->node->names;

	while (*p != m)
		p = &(*p)->hnext;
	*p = m->hnext;
	while (*q != m)
		q = &(*q)->next;
	*q = m->next;
	t->nnames--;
	free(m);
	dir->kids--;
}

struct node *
node_enter(struct nodes *t, struct node *dir, const char *name,
    const struct stat *st)
{
	struct node	*n = node_get(t, (uint64_t)st->st_ino);
	bool		 made = n == NULL;

	if (made && node_new(t, (uint64_t)st->st_ino,
	    st->st_mode & S_IFMT, &n) < 0)
		return NULL;
	/* With one link a name known before is one that went away behind
	 * our back. */
	while (!made && n->names != NULL && n != t->root &&
	    (S_ISDIR(st->st_mode) || st->st_nlink == 1) &&
	    (n->names->dir != dir || strcmp(n->names->s, name) != 0)) {
		struct node	*old = n->names->dir;

		name_drop(t, n->names);
		node_release(t, old);
	}
	if (name_add(t, n, dir, name) < 0) {
		node_release(t, n);
		return NULL;
	}
	return n;
}

void
node_release(struct nodes *t, struct node *n)
{
	struct node	*up, **p;

	while (n != NULL && n != t->root && n->nlookup == 0 && n->kids == 0) {
		/* A directory has one name; other names of a file lie in
		 * directories that outlive this call by their own count or
		 * are released by the next round. */
		up = NULL;
		while (n->names != NULL) {
			struct node	*dir = n->names->dir;

			name_drop(t, n->names);
			if (up != NULL && up != dir)
				node_release(t, up);
			up = dir;
		}
		p = &t->byino[ino_hash(n->ino) & (t->nbuckets - 1)];
		while (*p != n)
			p = &(*p)->hnext;
		*p = n->hnext;
		t->count--;
		if (t->gone != NULL)
			t->gone(t->arg, n);
		free(n);
		n = up;
	}
}

int
node_path(const struct node *dir, const char *name, struct buf *b)
{
	const struct node	*d;
	size_t			 len = 0, k;
	char			*p;

	if (name != NULL)
		len = strlen(name);
	for (d = dir; d->names != NULL; d = d->names->dir)
		len += strlen(d->names->s) + (len > 0);
	if (d->fd != -1)
		return -ESTALE;		/* removed: no path leads here */
	if (len > PATH_LIMIT)
		return -ENAMETOOLONG;
	b->len = 0;
	if ((p = (char *)buf_room(b, len + 1)) == NULL) {
		buf_free(b);
		return -ENOMEM;
	}
	b->len = len;
	p[len] = '\0';
	if (name != NULL) {
		k = strlen(name);
		memcpy(p + len - k, name, k);
		len -= k;
	}
	for (d = dir; d->names != NULL; d = d->names->dir) {
		if (p[len] != '\0')
			p[--len] = '/';
		k = strlen(d->names->s);
		memcpy(p + len - k, d->names->s, k);
		len -= k;
	}
	return 0;
}

bool
node_above(const struct node *n, const struct node *dir)
{
	for (;;) {
		if (dir == n)
			return true;
		if (dir->names == NULL)
			return false;
		dir = dir->names->dir;
	}
}
