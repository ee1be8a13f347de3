/*
 * meta-int.h: the numbers of the meta's layout, for its writer (meta.c)
 * and its reader (parse.c).
 */
#ifndef META_INT_H
#define META_INT_H

#include "store-int.h"
#include "zz.h"

#define OP_DROP		0x00	/* kind of a step: low two bits */
#define OP_EDIT		0x01	/* fields of an entry that is there */
#define OP_NEW		0x02	/* an entry from nothing */
#define OP_KIND		0x03
#define OP_KNOWN	0x04	/* the path is a number of the overlay before */
#define OP_WHO		0x08	/* another maker than the step before */
#define OP_CARRIED	0x10	/* the commit did not change this */
#define OP_ALL		0x1f

#define HAS_MODE	0x01	/* fields that are given */
#define HAS_OWNER	0x02
#define HAS_TIME	0x04
#define HAS_XATTR	0x08
#define HAS_LINK	0x10
#define HAS_BODY	0x20	/* content, target, or device numbers */
#define HAS_ALL		0x3f

#define ENC_NONE	0xff	/* in memory alone: content as before */

#define WHEN_FAR	((uint64_t)1 << 32) /* s: whole times from there on */

struct when {
	int64_t		 sec;
	uint32_t	 ns;
};

/* The mode of a new entry that gives none. */
uint32_t meta_mode(enum ent_type);

/* The time that the first step's is told from. */
static inline struct when
meta_start(int64_t ns)
{
	int64_t	 r = ns % 1000000000;

	if (r < 0)
		return (struct when){ ns / 1000000000 - 1,
		    (uint32_t)(r + 1000000000) };
	return (struct when){ ns / 1000000000, (uint32_t)r };
}

#endif
