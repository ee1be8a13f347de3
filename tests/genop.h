/*
 * genop.h: random changes of an overlay; gen.c makes commits of them.
 */
#ifndef GENOP_H
#define GENOP_H

#include "gen.h"

/* One random change: of content, attributes, names, links, types. */
void	gen_op(struct gen *, struct ents *);

/* A number below n, or 0. */
size_t	gen_below(struct gen *, size_t n);
/* Bytes of all contents. */
size_t	gen_total(const struct ents *);
/* Begin an entry, with random attributes where its type has any. */
void	gen_start(struct gen *, struct ent *, const char *path,
	    enum ent_type);
/* Other extended attributes, or none. */
void	gen_xattrs(struct gen *, struct ent *);
/* Give it this content, which the pool then has. */
void	gen_data(struct gen *, struct ent *, const struct buf *);
/* Append lines, until b has n bytes; n bytes that don't deflate. */
void	gen_text(struct gen *, struct buf *, size_t n);
void	gen_fill(struct gen *, struct buf *, size_t n);
/* Put it in, with nothing below it unless it is a directory. */
void	gen_put(struct ents *, struct ent *);
/* A number for a new hard-link group. */
uint32_t gen_link(const struct ents *);

#endif
