/*
 * storekit.h: what the tests of the store share: a medium that counts
 * and fails, one store on it, and commits by hand.
 */
#ifndef STOREKIT_H
#define STOREKIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../lib/io.h"
#include "../sync/store.h"

struct count {
	struct io	 io;
	struct io	*real;
	size_t		 writes;
	size_t		 flushes;
	uint64_t	 read;		/* bytes */
	uint64_t	 written;
	int		 fail_writes;	/* so many from now on fail */
	bool		 fail_flush;
};

extern struct count	 med;	/* the medium of the running case */
extern struct store	*st;	/* the store on it, or NULL */
extern struct err	 er;	/* what failed last */

void	medium(uint64_t size, uint32_t block);
/* A medium with a new store on it, opened. */
bool	begin(uint64_t size, uint32_t align, uint32_t areas);
bool	reopen(void);
void	finish(void);
void	reset_counts(void);

/* Build a commit, by joe; put() frees it. */
void	start(struct commit *, const char *msg);
struct change *add(struct commit *, const char *path, enum ent_type);
struct change *add_file(struct commit *, const char *path, const void *,
	    size_t);
void	add_text(struct commit *, const char *path, const char *text);
void	add_drop(struct commit *, const char *path);
int	put(struct commit *);
/* A commit of one file. */
int	put_text(const char *path, const char *text);

uint64_t size_of_last(void);	/* bytes of the last commit */
bool	has(uint64_t gen, const char *path);
bool	content_is(uint64_t gen, const char *path, const void *, size_t);
bool	text_is(uint64_t gen, const char *path, const char *text);
/* Nothing is wrong anywhere in the store. */
void	clean(void);

/* n lines as a configuration has them, one of them with this value. */
void	lines(struct buf *, unsigned seed, int n, int which, unsigned value);
/* n bytes that nothing makes smaller. */
void	noise(struct buf *, size_t n, uint64_t seed);

#endif
