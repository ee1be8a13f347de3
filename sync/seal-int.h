/*
 * seal-int.h: what the parts of a sealed copy share.  cfgseal(5) has the
 * words and the layout.
 *
 * seal.c	keys, sealing and opening: all that is libsodium's
 * seal-map.c	where things lie, and what of them is in clear
 * seal-open.c	the medium: opening, making
 * seal-read.c	reading it
 * seal-write.c	and writing
 * seal-check.c	checking without a key
 * seal-key.c	files of keys
 */
#ifndef SEAL_INT_H
#define SEAL_INT_H

#include "seal.h"
#include "store-int.h"

/* --- seal-map.c */

#define SEAL_TAG	16		/* bytes by which sealing lengthens */
#define SEAL_NONCE	24
#define SEAL_SALT	32

/* The header of the copy, at its begin and at its end. */
#define SH_LEN		1024
#define SH_CLEAR	80		/* its begin, in clear, authenticated */
#define SH_NONCE	80
#define SH_SUPER	104		/* the superblock, sealed */

/* A frame: one record. */
#define SF_AUTH		48		/* begin of the clear header, that is
					   authenticated */
#define SF_CLEAR	56		/* all of it, with both checksums */
#define SF_HEAD		(SF_CLEAR + SEAL_NONCE)
#define SF_REST		(SF_HEAD + REC_LEN + SEAL_TAG)
#define SF_MORE		(SF_REST - REC_LEN + SEAL_TAG) /* than the record */

/* What a header tells in clear. */
struct seal_head {
	struct super	 sb;		/* size, align, areas, area, first */
	uint8_t		 salt[SEAL_SALT];
};

/* What a frame tells in clear. */
struct seal_frame {
	uint8_t		 type;		/* of the record */
	uint64_t	 tag;		/* begin of the salt */
	uint64_t	 off;		/* of the record, in the store */
	uint64_t	 seq;
	uint32_t	 gen;		/* of the area */
	uint32_t	 units;		/* that the record takes */
	uint64_t	 len;		/* bytes of the record, unpadded */
	uint32_t	 sum;		/* of all behind the clear header */
};

uint64_t seal_tag(const uint8_t salt[SEAL_SALT]);
#define SEAL_AREA	(256u << 20)	/* bytes of the largest area */
/* Whether the store is one that can be sealed; else -EINVAL, -EFBIG. */
int	seal_fits(const struct super *, const char *name, struct err *);
/* Bytes of the copy. */
uint64_t seal_bytes(const struct super *);
/* Where area number `area` lies below, and the unit of an offset in one. */
uint64_t seal_area(const struct super *, uint32_t area);
uint64_t seal_place(const struct super *, uint64_t off);
/* The area that an offset of the store is in; false where in none. */
bool	seal_in_area(const struct super *, uint64_t off, uint32_t *area);

void	seal_head_put(uint8_t b[SH_LEN], const struct seal_head *);
/* Sets the checksum, when all else is there. */
void	seal_head_sum(uint8_t b[SH_LEN]);
bool	seal_head_magic(const uint8_t *b);
/* 0; -EINVAL: no header; -EPROTONOSUPPORT: a newer one; -EBADMSG. */
int	seal_head_get(const uint8_t b[SH_LEN], struct seal_head *);

void	seal_frame_put(uint8_t b[SF_CLEAR], const struct seal_frame *);
/* Whether this is the begin of the frame of a record at `off`, within
 * its area. */
bool	seal_frame_get(const uint8_t b[SF_CLEAR], const struct super *,
	    uint64_t tag, uint64_t off, struct seal_frame *);

/* Whether n bytes are zeros. */
bool	seal_blank(const uint8_t *, size_t n);

/* --- seal.c */

struct seal_keys {
	uint8_t		 nonce[32];
	uint8_t		 super[32];
	uint8_t		 head[32];	/* one nonce serves these two: */
	uint8_t		 rest[32];	/* hence two keys */
};

/* Header of the copy for this superblock, and the keys of it. */
void	seal_super(uint8_t b[SH_LEN], struct seal_head *, struct seal_keys *,
	    const uint8_t key[SEAL_KEY], const uint8_t super[SUPER_LEN]);
/* The superblock in it: 0 or -EACCES. */
int	seal_unsuper(const uint8_t b[SH_LEN], const struct seal_head *,
	    struct seal_keys *, const uint8_t key[SEAL_KEY],
	    uint8_t super[SUPER_LEN]);
/* A frame, of f->len + SF_MORE bytes, of the f->len bytes of a record. */
void	seal_frame(uint8_t *b, struct seal_frame *, const struct seal_keys *,
	    const uint8_t *rec);
/* A record's header, from the first SF_REST bytes of a frame; the rest of
 * it, of f->len - REC_LEN bytes, from all.  0 or -EBADMSG, and zeros. */
int	seal_unhead(const uint8_t *b, const struct seal_keys *,
	    uint8_t rec[REC_LEN]);
int	seal_unrest(const uint8_t *b, const struct seal_frame *,
	    const struct seal_keys *, uint8_t *rest);
void	seal_forget(struct seal_keys *);

/* --- seal-read.c, seal-write.c */

#define NO_AREA	UINT32_MAX	/* no area */

struct seal_io {
	struct io	 io;
	struct io	*below;		/* the caller's */
	bool		 write;
	struct super	 sb;
	uint8_t		 super[SUPER_LEN];
	uint8_t		 head[SH_LEN];	/* as it is below, at both ends */
	bool		 first;		/* the first one there is so */
	uint64_t	 tag;
	struct seal_keys keys;

	/* One area, opened from its begin on. */
	uint32_t	 area;		/* or NO_AREA */
	uint8_t		*open;		/* owned: sb.area bytes, or NULL */
	uint64_t	 done;		/* bytes of it that are there */
	/* What of the area below is at hand. */
	struct buf	 raw;
	uint64_t	 rawoff;
	size_t		 ahead;		/* bytes that are read next */
};

struct seal_io *seal_of(struct io *);
/* Forget the area that is open. */
void	seal_drop(struct seal_io *);
/* Read below; what lies behind its end is zeros. */
int	seal_below(struct seal_io *, uint8_t *, size_t n, uint64_t off,
	    struct err *);
/* Whether n bytes at off lie within the medium. */
bool	seal_within(const struct io *, size_t n, uint64_t off);
/* Write one of the headers; -EINVAL where the superblock is another. */
int	seal_write_super(struct seal_io *, const uint8_t *, size_t n,
	    bool last, struct err *);

/* The functions of the medium. */
int	seal_read(struct io *, void *, size_t n, uint64_t off, struct err *);
int	seal_readv(struct io *, const struct io_range *, size_t n,
	    struct err *);
int	seal_write(struct io *, const void *, size_t n, uint64_t off,
	    struct err *);
int	seal_flush(struct io *, struct err *);
int	seal_order(struct io *, struct err *);

#endif
