/*
 * mirror-int.h: what the parts of the mirror share.
 *
 * mirror.c	extending a copy
 * mirror-chart.c	what the store has
 * mirror-scan.c	how far the copy is
 * mirror-send.c	groups of records, from the store to the copy
 * mirror-copy.c	new copies, copies in memory
 * mirror-cmp.c	comparing
 */
#ifndef MIRROR_INT_H
#define MIRROR_INT_H

#include "mirror.h"
#include "store-int.h"

/* Headers that are looked at where all goes well: one that may be missing
 * or torn, behind MIRROR_AHEAD that are there. */
#define PROBE	(MIRROR_AHEAD + 4)

/* The store that is copied: all areas loaded. */
struct chart {
	struct store	*s;
	uint8_t		 super[SUPER_LEN];
	uint32_t	*order;		/* good areas, by generation */
	uint32_t	 n;
	uint32_t	 gen;		/* the highest */
};

int	chart_open(struct chart *, struct io *, struct err *);
void	chart_close(struct chart *);

/* Groups: what the store wrote at once, one record, or an area's first
 * with the commit that it was made for. */
size_t	group_first(const struct area *, size_t rec);
/* Index behind the group that begins with record `first`. */
size_t	group_end(const struct area *, size_t first);

#define NONE	SIZE_MAX

/* How far a copy is. */
struct front {
	uint32_t	 k;		/* index in chart.order of its newest area
					   that the store has, too */
	bool		 any;		/* there is one */
	size_t		 last;		/* its last record that is there, or NONE */
	bool		 sure;		/* it and all before it were synced */
	bool		*same;		/* by chart.order: first record is there */
	uint32_t	 newest;	/* area of the copy's highest generation */
	bool		 has;		/* it has any */
	bool		 super;		/* superblock is as it should be */
	bool		 copy;		/* its copy, too, as far as was looked */
};

/*
 * Find out, with one io_readv() where all is well.  The errors of
 * mirror_update().
 */
int	front_find(struct chart *, struct mirror_job *, struct front *,
	    struct err *);
void	front_free(struct front *);
/* How many records of an area are there, from the first on, by all their
 * headers. */
int	front_count(struct chart *, struct io *to, uint32_t area, size_t *n,
	    struct err *);

/* --- sending */

struct sender {
	struct chart	*c;
	struct mirror_job *j;
	uint64_t	 of;		/* bytes to be sent in all, for progress */
	size_t		 ahead;		/* records under way */
	struct buf	 buf;
};

/* The group's bytes, with zeros up to align. */
int	send_load(struct sender *, uint32_t area, size_t first, struct err *);
/*
 * Bytes of a group that was loaded, up to a unit of the copy's medium: the
 * zeros behind its last record are of no use there, and sending them costs.
 */
size_t	send_len(const struct sender *, uint32_t area, size_t first);
/* Send it behind an io_order(). */
int	send_group(struct sender *, uint32_t area, size_t first,
	    struct err *);
/* All groups of an area from record `from` (begin of a group) on. */
int	send_from(struct sender *, uint32_t area, size_t from, struct err *);
/*
 * A whole area, older than one that is there: its first header last, alone,
 * over all else that is flushed.  For, where that is there, nothing tells
 * whether what follows is.
 */
int	send_older(struct sender *, uint32_t area, struct err *);
/* All groups that differ, byte by byte; not those whose contents are
 * damaged in the store: the copy's may be the only good ones. */
int	send_differing(struct sender *, uint32_t area, struct err *);
int	send_super(struct sender *, bool copy, struct err *);
/* Wait for all that is under way. */
int	send_flush(struct sender *, struct err *);
void	send_free(struct sender *);
/* Whether the copy has these bytes of a group: 1, 0 or -errno. */
int	group_same(struct sender *, uint32_t area, size_t first,
	    struct err *);

/* What the copy has when all is sent. */
void	mirror_now(const struct chart *, struct mirror_at *);

#endif
