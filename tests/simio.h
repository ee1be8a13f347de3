/*
 * simio.h: a simulated medium under struct io.
 *
 * It remembers every write and every flush, fails where it is told to,
 * and knows what a flush has made durable.  What a power cut can leave
 * of the rest is cut.h's to say.  Out of memory ends the test program.
 */
#ifndef SIMIO_H
#define SIMIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/io.h"

#define SIM_SECTOR	512	/* what a medium writes whole or tears */

struct sim_op {
	bool		 flush;
	uint64_t	 off;	/* of a write: where */
	size_t		 n;	/* and how many bytes */
	uint8_t		*data;	/* owned by the log; NULL for a flush */
};

enum sim_fault {
	SIM_NONE,
	SIM_EIO,	/* the operation fails and does nothing */
	SIM_ENOSPC,	/* the same with another errno */
	SIM_SHORT,	/* a write does its first half, and fails */
	SIM_TORN,	/* a write does its last half, and fails */
	SIM_LIE,	/* a flush does nothing and says it did */
	SIM_LOSE	/* a flush fails, and what was not durable is gone */
};

enum sim_on { SIM_WRITES, SIM_FLUSHES, SIM_READS };

struct sim {
	struct io	 io;		/* what the store is given */
	uint8_t		*img;		/* what reads see */
	uint8_t		*durable;	/* as the last honest flush left it */
	struct sim_op	*ops;		/* since sim_load() or sim_forget() */
	size_t		 nops;
	size_t		 cap;
	size_t		 synced;	/* operations that are durable */
	enum sim_fault	 fault;
	enum sim_on	 on;		/* which kind of operation fails */
	size_t		 countdown;	/* operations of that kind before it */
	bool		 for_good;	/* and all that follow */
	size_t		 hits;		/* faults that have happened */
	uint64_t	 hit_off;	/* where the last failed write began */
	size_t		 bad;		/* calls outside of the contract */
};

/* A medium of zeros; sim_free() takes NULL. */
struct sim *sim_new(uint64_t size, uint32_t block);
void	sim_free(struct sim *);
/* Put these io.size bytes on it, all durable; forget log and faults. */
void	sim_load(struct sim *, const uint8_t *);
/* Forget the log up to here, and the faults; all is durable. */
void	sim_forget(struct sim *);
/* The nth operation (from 0) of this kind fails, or it and all later. */
void	sim_fail(struct sim *, enum sim_on, enum sim_fault, size_t nth,
	    bool for_good);
/* How many writes or flushes the log holds, and the bytes of the writes. */
size_t	sim_count(const struct sim *, bool flushes, size_t *bytes);

/* malloc, realloc and memdup that end the program when there is none. */
void	*xalloc(size_t);
void	*xrealloc(void *, size_t);
void	*xmemdup(const void *, size_t);

/* A count from the environment, or this; times SOAK where `soaked`. */
size_t	env_count(const char *name, size_t dflt, bool soaked);

#endif
