/*
 * hist.h: what a store should hold: generations as plain trees in
 * memory, with their contents and the commits that made them, and whether a
 * store agrees.  So simple that it must be right.
 */
#ifndef HIST_H
#define HIST_H

#include "../sync/store.h"

/* Contents by their hash; grows only, until it is freed. */
struct pool {
	struct piece	*v;
	size_t		 n;
	size_t		 cap;	/* a power of two, or 0 */
};

struct piece {
	struct hash	 h;
	uint8_t		*p;	/* owned; NULL: an empty slot */
	size_t		 n;
};

void	pool_free(struct pool *);
/* Keep a copy of n bytes; *h is their hash. */
void	pool_add(struct pool *, const void *, size_t n, struct hash *h);
const struct piece *pool_get(const struct pool *, const struct hash *);

struct hist_gen {
	uint64_t	 gen;	/* the store's number for it */
	struct ents	 ov;	/* its overlay */
	struct commit	 c;	/* the commit that made it */
	uint64_t	 before; /* drive.h, when it was the head */
};

/* The generations in order; v[0] is generation 0, which is empty. */
struct hist {
	struct pool	 pool;
	struct hist_gen	*v;
	size_t		 n;
	size_t		 cap;
};

void	hist_init(struct hist *);
void	hist_free(struct hist *);
/* The tree of a number, NULL where there never was one. */
const struct hist_gen *hist_find(const struct hist *, uint64_t gen);
/* Keep what commit c (copied) gave; takes over *ov. */
void	hist_add(struct hist *, uint64_t gen, struct ents *ov,
	    const struct commit *c);
/* Forget what came after this generation: it was lost. */
void	hist_cut(struct hist *, uint64_t gen);

/*
 * Whether the store agrees; each gives NULL, or says in words what
 * differs (valid until the next call).  `contents`: read and compare
 * those too.
 */
const char *hist_agree(const struct hist *, struct store *, uint64_t gen,
	    bool contents);
/* The same for an overlay that is in no history. */
const char *overlay_agrees(const struct pool *, struct store *, uint64_t gen,
	    const struct ents *want, bool contents);
/* All generations from store_oldest() to the head, records too. */
const char *hist_agree_all(const struct hist *, struct store *);

/* Whether two overlays are equal in everything; link numbers may differ
 * where the groups are the same. */
bool	ents_equal(const struct ents *, const struct ents *);
/* Whether two entries are, without the link number; of what the base had,
 * where its content is does not count, but whether it is there. */
bool	ent_equal(const struct ent *, const struct ent *);
/* A deep copy. */
void	ents_dup(struct ents *, const struct ents *);

#endif
