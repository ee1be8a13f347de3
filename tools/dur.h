/*
 * dur.h: lengths of time, as people write them.
 */
#ifndef DUR_H
#define DUR_H

#include <stdbool.h>
#include <stdint.h>

#include "../lib/buf.h"

#define SECOND	INT64_C(1000000000)	/* ns */

/* "90s", "10m", "1h30m", "2d": ns, more than 0.  A number alone is none, as
 * nobody knows what it counts. */
bool	dur_parse(const char *, int64_t *ns);
/* Append "7m12s", "2h", "3d4h": two units at most; less than a second is
 * "0s". */
void	dur_put(struct buf *, int64_t ns);

#endif
