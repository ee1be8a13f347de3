/*
 * tap.h: tests in C, with output that prove(1) reads.
 *
 * A test program names its cases in one table and calls tap_main().
 * OK() counts within a case; a case is one TAP line.
 */
#ifndef TAP_H
#define TAP_H

#include <stddef.h>
#include <stdint.h>

struct tap_case {
	const char	*promise;	/* what holds if this passes */
	void		(*fn)(void);
};

/* Run all cases, or those whose promise contains argv[1]; 0 or 1. */
int	tap_main(int argc, char **argv, const struct tap_case *, size_t n);

/* Note a failure of the running case, with the place, unless cond. */
#define OK(cond) tap_ok((cond) != 0, #cond, __FILE__, __LINE__)
int	tap_ok(int, const char *, const char *, int);
/* Skip the running case; on CI (environment CI set) that is a failure. */
void	tap_skip(const char *why);
/* A line of comment. */
void	tap_diag(const char *, ...) __attribute__((format(printf, 1, 2)));

/* A seed: from the environment (SEED) or the fixed one given; printed. */
uint64_t tap_seed(uint64_t fixed);
/* xorshift64*: the same everywhere for a seed (never 0). */
uint64_t tap_rand(uint64_t *state);

#endif
