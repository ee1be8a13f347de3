/*
 * seal.h: a copy of a store that who keeps it can't read.
 *
 * A medium over a medium: what is written to the one above is a store,
 * record by record; below lie the same records, each sealed with
 * XChaCha20-Poly1305 (libsodium) behind a small header in clear, which
 * tells lengths, order and a checksum, so that a host that has no key can
 * store, resume and check the copy.  cfgseal(5) is the format.
 *
 * The unit of the store (align) at offset U times align of an area lies
 * at U times (align + SEAL_OVER) of the area's place below, so no index is
 * needed: a record's offset tells where its frame is.  The nonce is a
 * keyed hash of the record: to send a record again gives the same
 * bytes, and two records never share one.  Header (76 bytes) and rest of
 * a record are sealed apart, so that reading a header reads a few bytes.
 */
#ifndef SEAL_H
#define SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../lib/io.h"

#define SEAL_KEY	32
#define SEAL_OVER	512		/* bytes more for each unit */

/* Must be called once, before the process is confined. */
int	seal_init(struct err *);

/*
 * A key file: one line "cfgfs-key-1 BASE64".  Read: -EINVAL where it is
 * none, -EPERM where others than the owner can read it.  Make: a new one,
 * O_EXCL, mode 0600, synced.
 */
int	seal_key_read(const char *file, uint8_t key[SEAL_KEY], struct err *);
int	seal_key_make(const char *file, struct err *);

/* Whether the medium begins like a sealed copy. */
bool	seal_probe(struct io *);

/*
 * The sealed copy on `below` (the caller's, which outlives it) as the
 * medium of a store.  A wrong key: -EACCES, "NAME: sealed with another
 * key"; no sealed copy: -EINVAL; a newer format: -EPROTONOSUPPORT; both
 * headers damaged: -EBADMSG.
 *
 * Writes take a superblock, or whole records with their padding, in one
 * area; all else is -EINVAL.  Headers of records (at most 76 bytes at a
 * multiple of align) are read alone, all those of an io_readv() by one
 * below; for other reads the area is opened in memory up to there, which
 * takes at most twice its size.
 *
 * What does not open is no record: it reads as bytes 0xff, so that it is
 * not taken for what was never written, which is zeros; the rest of a record
 * whose header alone opens reads as zeros.  That it is damaged is for the
 * store's checksums to say: to it, it is a medium that rots.
 */
int	seal_open(struct io **, struct io *below, const uint8_t key[SEAL_KEY],
	    bool write, struct err *);
/*
 * Make one, for the store whose superblock (its first 512 bytes) this is,
 * on a medium below that may be empty and grows.  The first header is
 * written; the rest is the caller's to write.  -EFBIG: areas of more than
 * 256 MiB.
 */
int	seal_create(struct io **, struct io *below,
	    const uint8_t key[SEAL_KEY], const uint8_t super[512],
	    struct err *);
/* Bytes that a sealed copy of a store with this superblock takes; 0 where
 * it can't be sealed. */
uint64_t seal_size(const uint8_t super[512]);
/*
 * Check a sealed copy without a key: frames' order, lengths, checksums.
 * fn as mirror_compare().  Returns the number of faults, or -errno; a last
 * record that was torn is none.
 */
int	seal_check(struct io *below, void (*fn)(void *, const char *),
	    void *arg, struct err *);

#endif
