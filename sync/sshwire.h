/*
 * sshwire.h: the two types of RFC 4251, section 5, of which SSH's keys and
 * the agent's messages are made: uint32, big-endian, and string.
 */
#ifndef SSHWIRE_H
#define SSHWIRE_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"

uint32_t sw_rd32(struct rd *);
/* The string's bytes, *n of them; NULL and bad where it is cut short. */
const uint8_t *sw_rdstr(struct rd *, size_t *n);
void	 sw_put32(struct buf *, uint32_t);
void	 sw_putstr(struct buf *, const void *, size_t);

#endif
