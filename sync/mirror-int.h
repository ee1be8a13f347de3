/*
 * mirror-int.h: what the parts of the mirror share.
 *
 * mirror.c	extending a copy
 * mirror-scan.c	what the store has
 * mirror-look.c	how far the copy is
 * mirror-send.c	groups of records, from the store to the copy
 * mirror-copy.c	new copies
 * mirror-snap.c	copies in memory
 * mirror-cmp.c	comparing
 */
#ifndef MIRROR_INT_H
#define MIRROR_INT_H

#include "mirror.h"
#include "store-int.h"

/* The store that is copied: all areas loaded. */
struct chart {
	struct store	*s;
	uint8_t		 super[SUPER_LEN];
	uint32_t	*order;		/* good areas, by generation */
	uint32_t	 n;		/* at least one */
	uint32_t	 gen;		/* the highest */
};

int	chart_open(struct chart *, struct io *, struct err *);
void	chart_close(struct chart *);

/* The generation from which a record that begins an area went on. */
uint64_t rec_base(const struct rec *);
/* Bytes of a record without what pads it. */
uint64_t rec_len(const struct rec *);
/* Whether these are the bytes of this record's header. */
bool	rec_is(const struct rec *, const uint8_t buf[REC_LEN], uint64_t id);

/* A group is what the store wrote at once: one record, or an area's first
 * with the commit that it was made for.  Index behind the one that begins
 * with this record. */
size_t	group_end(const struct area *, size_t first);

/* How far a copy is. */
struct front {
	bool		 any;		/* it has an area that the store has */
	uint32_t	 k;		/* index in chart.order of the newest */
	size_t		 last;		/* in it, the last record before which
					   none is missing */
	size_t		 synced;	/* of them, so many records, the first,
					   are known to be there for good */
	bool		*same;		/* by chart.order: its begin is there */
	bool		 rests;		/* the head is in an area that the store
					   no longer has: */
	uint32_t	 on;		/* this one */
	uint64_t	 seq;		/* generation that it has, 0: none */
	bool		 super;		/* superblock is as it should be */
	bool		 copy;		/* its copy too, as far as was looked */
};

/*
 * Find out, with one io_readv() where all is well.  The errors of
 * mirror_update().  The caller ends with front_free().
 */
int	front_find(struct chart *, struct mirror_job *, struct front *,
	    struct err *);
void	front_free(struct front *);
/*
 * Which of an area's records from `from` to before `to` the copy has, by
 * their headers: have[0] is of the first of them.
 */
int	front_headers(struct chart *, struct io *, uint32_t area, size_t from,
	    size_t to, bool *have, struct err *);
/* How many of an area's records the copy has before the first that is
 * missing, up to `to`; the first `from` of them need no look. */
int	front_count(struct chart *, struct io *, uint32_t area, size_t from,
	    size_t to, size_t *n, struct err *);

/* --- sending */

struct sender {
	struct chart	*c;
	struct mirror_job *j;
	uint64_t	 of;		/* bytes to be sent in all, for progress */
	size_t		 ahead;		/* records under way */
	bool		 doubt;		/* what the copy has may not be synced */
	struct buf	 buf;		/* the group */
	bool		 rotten;	/* which is damaged in the store */
	uint8_t		*win;		/* a piece of the copy, read ahead */
	uint64_t	 winoff;
	size_t		 winlen;
};

/* The bytes of records first to before `end`, with zeros up to align. */
int	send_load(struct sender *, uint32_t area, size_t first, size_t end,
	    struct err *);
/* Send it, behind an io_order() where it must come after something. */
int	send_group(struct sender *, uint32_t area, size_t first,
	    struct err *);
/* All groups of an area from record `from` on; of a group of two, the
 * second may go by itself where the first is there. */
int	send_from(struct sender *, uint32_t area, size_t from, struct err *);
/*
 * All groups of an area that nothing rests on, and the header with which it
 * begins as the last of it: where that is there, so is the rest.  Flushed.
 */
int	send_late(struct sender *, uint32_t area, struct err *);
/*
 * From which record on an area is to be sent, of which the copy has all
 * headers up to `last`.  Of those that were under way together each may be
 * there in part, whatever its header says; not of the first `synced`.  They
 * are read, and not sent again: that could tear what is whole.
 */
int	send_after(struct sender *, uint32_t area, size_t last, size_t synced,
	    size_t *from, struct err *);
/* All groups that differ, byte by byte. */
int	send_differing(struct sender *, uint32_t area, struct err *);
int	send_super(struct sender *, bool copy, struct err *);
/* Wait for all that is under way. */
int	send_flush(struct sender *, struct err *);
void	send_free(struct sender *);
/*
 * Load records first to before `end`; whether the copy has the same bytes: 1,
 * 0 or -errno.  What follows up to `ahead` may be read along.
 */
int	recs_same(struct sender *, uint32_t area, size_t first, size_t end,
	    uint64_t ahead, struct err *);

/* What the copy has when all is sent. */
void	mirror_now(const struct chart *, struct mirror_at *);

#endif
