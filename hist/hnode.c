/*
 * hnode.c: the window's nodes that the kernel knows.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "../lib/hash.h"
#include "../lib/past.h"
#include "hnode.h"

uint64_t
hnode_id(enum hnode_kind kind, uint64_t gen, const char *path)
{
	struct buf	 b = BUF_INIT;
	struct hash	 h;
	uint64_t	 id;

	put_u8(&b, (uint8_t)kind);
	put_le64(&b, gen);
	put_bytes(&b, path, strlen(path));
	/* Out of memory: one number for all, which is refused then. */
	hash_mem(&h, b.p, b.bad ? 0 : b.len);
	buf_free(&b);
	id = get_le64(h.b) | PAST_BIT;
	return id == PAST_ROOT ? id + 1 : id;
}

static struct hnode **
bucket(const struct hnodes *t, uint64_t id)
{
	return &t->v[id & (t->nbuckets - 1)];
}

struct hnode *
hnode_get(const struct hnodes *t, uint64_t id)
{
	struct hnode	*n = t->v == NULL ? NULL : *bucket(t, id);

	while (n != NULL && n->id != id)
		n = n->next;
	return n;
}

/* As many buckets as nodes, or longer lists where there is no memory. */
static int
grow(struct hnodes *t)
{
	size_t		 i, k = t->nbuckets == 0 ? 256 : t->nbuckets * 2;
	struct hnodes	 old = *t;
	struct hnode	*n, **b;

	if (t->n < t->nbuckets)
		return 0;
	if ((t->v = calloc(k, sizeof(*t->v))) == NULL) {
		t->v = old.v;
		return old.v == NULL ? -1 : 0;
	}
	t->nbuckets = k;
	for (i = 0; i < old.nbuckets; i++)
		while ((n = old.v[i]) != NULL) {
			old.v[i] = n->next;
			b = bucket(t, n->id);
			n->next = *b;
			*b = n;
		}
	free(old.v);
	return 0;
}

struct hnode *
hnode_enter(struct hnodes *t, enum hnode_kind kind, uint64_t gen,
    const char *path)
{
	uint64_t	 id = hnode_id(kind, gen, path);
	struct hnode	*n = hnode_get(t, id), **b;
	size_t		 len = strlen(path) + 1;

	if (n != NULL) {
		if (n->kind != kind || n->gen != gen ||
		    strcmp(n->path, path) != 0)
			return NULL;
		n->nlookup++;
		return n;
	}
	if (grow(t) < 0 || (n = malloc(sizeof(*n) + len)) == NULL)
		return NULL;
	n->id = id;
	n->kind = kind;
	n->gen = gen;
	n->nlookup = 1;
	memcpy(n->path, path, len);
	b = bucket(t, id);
	n->next = *b;
	*b = n;
	t->n++;
	return n;
}

void
hnode_forget(struct hnodes *t, uint64_t id, uint64_t count)
{
	struct hnode	*n = hnode_get(t, id), **p;

	if (n == NULL)
		return;
	if (n->nlookup > count) {
		n->nlookup -= count;
		return;
	}
	for (p = bucket(t, id); *p != n; p = &(*p)->next)
		continue;
	*p = n->next;
	t->n--;
	free(n);
}

void
hnodes_free(struct hnodes *t)
{
	struct hnode	*n;
	size_t		 i;

	for (i = 0; i < t->nbuckets; i++)
		while ((n = t->v[i]) != NULL) {
			t->v[i] = n->next;
			free(n);
		}
	free(t->v);
	memset(t, 0, sizeof(*t));
}
