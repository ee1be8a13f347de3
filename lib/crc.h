/*
 * crc.h: CRC-32C (Castagnoli), as in RFC 3720 appendix B.4, for records
 * of the journal and the store: finds torn and rotten bytes.
 */
#ifndef CRC_H
#define CRC_H

#include <stddef.h>
#include <stdint.h>

/* Start with crc 0; feed the result back in to continue. */
uint32_t crc32c(uint32_t crc, const void *, size_t);

#endif
