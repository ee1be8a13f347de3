/*
 * tar.h: entries as a POSIX pax archive (IEEE 1003.1, pax, "pax
 * Interchange Format"), which GNU tar and bsdtar read.
 */
#ifndef TAR_H
#define TAR_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"

/*
 * Append one member: e with its n bytes of content (regular files), or,
 * where `linked` is not NULL, as a hard link to that path, which came
 * earlier.  Names may be any bytes of any length.  Sockets and whiteouts
 * have no form in an archive: nothing is appended.
 */
void	tar_put(struct buf *, const struct ent *e, const uint8_t *, size_t n,
	    const char *linked);

/* Append the end of the archive. */
void	tar_end(struct buf *);

#endif
