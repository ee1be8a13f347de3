/*
 * buf.h: a growing byte buffer and array, and a bounded reader over bytes.
 *
 * Everything that is put on a disk or a wire goes through put_*(), byte
 * by byte, little-endian; everything that comes from one goes through
 * rd_*().  Both remember a fault, so that one check at the end serves.
 */
#ifndef BUF_H
#define BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t	*p;		/* owned; NULL while cap is 0 */
	size_t	 len;		/* bytes in use */
	size_t	 cap;		/* bytes allocated */
	bool	 bad;		/* out of memory once: contents are void */
};

#define BUF_INIT { NULL, 0, 0, false }

void	 buf_free(struct buf *);	/* releases and re-initialises */
/* Room for n more bytes behind len; NULL and bad when out of memory. */
uint8_t	*buf_room(struct buf *, size_t n);
void	 put_bytes(struct buf *, const void *, size_t);
void	 put_zero(struct buf *, size_t);
void	 put_u8(struct buf *, uint8_t);
void	 put_le16(struct buf *, uint16_t);
void	 put_le32(struct buf *, uint32_t);
void	 put_le64(struct buf *, uint64_t);
/* LEB128: seven bits a byte, low ones first; at most ten bytes. */
void	 put_var(struct buf *, uint64_t);
/* Formatted text, without a NUL. */
void	 put_fmt(struct buf *, const char *, ...)
	     __attribute__((format(printf, 2, 3)));

/*
 * Room for one more behind the n items of `size` bytes in an array: vp is
 * the address of its pointer, *cap what it has room for.  -ENOMEM: it is
 * as it was.
 */
int	 more_room(void *vp, size_t n, size_t *cap, size_t size);

/* In-place stores, for fields that are filled in later. */
void	 set_le32(uint8_t *, uint32_t);
void	 set_le64(uint8_t *, uint64_t);
uint16_t get_le16(const uint8_t *);
uint32_t get_le32(const uint8_t *);
uint64_t get_le64(const uint8_t *);

struct rd {
	const uint8_t	*p;	/* next byte */
	size_t		 n;	/* bytes left */
	bool		 bad;	/* a read went past the end, or was malformed */
};

/* Each gives 0 (or NULL) and sets bad when too little is left. */
uint8_t	 rd_u8(struct rd *);
uint16_t rd_le16(struct rd *);
uint32_t rd_le32(struct rd *);
uint64_t rd_le64(struct rd *);
uint64_t rd_var(struct rd *);
const uint8_t *rd_bytes(struct rd *, size_t);
/* rd_var() as a length or a count: bad where it is larger than max. */
size_t	 rd_len(struct rd *, size_t max);

#endif
