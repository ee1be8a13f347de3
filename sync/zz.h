/*
 * zz.h: signed numbers as unsigned ones, small where they are small.
 */
#ifndef ZZ_H
#define ZZ_H

#include <stdint.h>

static inline uint64_t
zigzag(int64_t v)
{
	return v < 0 ? ~((uint64_t)v << 1) : (uint64_t)v << 1;
}

static inline int64_t
unzigzag(uint64_t v)
{
	return (v & 1) != 0 ? -(int64_t)(v >> 1) - 1 : (int64_t)(v >> 1);
}

#endif
