/*
 * copykit.h: what the tests of copies share: a medium as one that is far
 * away, and whether a copy is what it should be.
 */
#ifndef COPYKIT_H
#define COPYKIT_H

#include "../sync/mirror.h"
#include "drive.h"

/*
 * Over another medium: many reads cost one wait, an order none, and a
 * write that fails is told of by the next flush, when others behind it
 * have been done.  It may grow.
 */
struct far {
	struct io	 io;
	struct sim	*sim;		/* below; not owned */
	size_t		 readvs;
	size_t		 reads;
	size_t		 writes;
	size_t		 orders;
	size_t		 flushes;
	uint64_t	 rd;		/* bytes read */
	uint64_t	 wr;		/* and written */
	size_t		 fail;		/* this write fails, from 1 on; 0 none */
	size_t		 stop;		/* from this one on none is done */
	bool		 broken;	/* told by the next flush */
};

void	far_begin(struct far *, struct sim *, uint64_t size);
void	far_reset(struct far *);

/* mirror_update(), with `at` kept; its message is in mer. */
int	bring(struct io *from, struct io *to, struct mirror_at *at,
	    bool whole, uint64_t *sent);
extern struct err	 mer;

/* A copy of what is on the simulated medium now. */
struct sim *image_of(const struct sim *);
/*
 * The store on this medium: its head is `head`, nothing is damaged, all
 * that store_oldest() promises is as the history has it.  NULL, or why not.
 */
const char *copy_holds(struct drive *, struct io *, uint64_t head);
/* It differs in nothing from the store, and lacks nothing. */
const char *copy_same(struct io *from, struct io *to);
/* Commits, until n more are done. */
bool	go_on(struct drive *, size_t n);
uint64_t drive_head(const struct drive *);

#endif
