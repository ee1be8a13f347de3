/*
 * sealkit.h: what the tests of sealed copies share: a store of texts, and
 * the loop that copies it.
 */
#ifndef SEALKIT_H
#define SEALKIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../sync/seal-int.h"
#include "simio.h"
#include "storekit.h"

#define SAID	"PLAINLY-SAID"	/* in every text */

extern const uint8_t	 seal_test_key[SEAL_KEY];

/* Commit texts until the store on `med` has generation n. */
void	said_commit(uint64_t n);
/* What generation gen says of the file "etc/said". */
void	said_text(char out[64], uint64_t gen);
/* The whole copy of the store on `med`, on a new medium below, which
 * remembers the writes. */
struct sim *sealed_new(struct io **up);
/* Send what records of the store the copy does not have. */
void	sealed_send(struct io *up);
/*
 * Open what lies on a medium and read all of it: the newest generation, 0
 * where it is refused, UINT64_MAX where a content is wrong.  *said is whether
 * it said that there is damage.
 */
uint64_t sealed_look(struct io *below, bool *said);
/* The same of bytes. */
uint64_t image_look(const uint8_t *img, uint64_t size, bool *said);

#define SEAL_SMALL	(64 * 1024)
/* A store of n generations on `med`, and its copy; the areas go round at
 * about 30.  And the end of both. */
struct sim *sealed_both(uint64_t n, struct io **up);
void	sealed_done(struct sim *, struct io *up);
void	sealed_super(struct super *);
/* A record of n bytes of contents, made by hand; bytes with padding. */
size_t	sealed_rec(uint8_t *p, const struct super *, uint64_t off,
	    uint32_t gen, uint8_t fill, size_t n);

#endif
