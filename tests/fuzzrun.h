/*
 * fuzzrun.h: run a fuzz target without a fuzzer.
 *
 * A target is a program of its own: LLVMFuzzerTestOneInput() and some
 * seeds.  Built with -DLIBFUZZER and -fsanitize=fuzzer it is libFuzzer's;
 * built as a test it runs the seeds and a fixed number of random
 * mutations of them, so that it can't rot.  `PROG -w DIR` writes the
 * seeds as a corpus.
 */
#ifndef FUZZRUN_H
#define FUZZRUN_H

#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* The exit status of main().  runs: mutated inputs, unless FUZZ_RUNS. */
int	fuzz_main(int argc, char **argv, const struct buf *seeds, size_t n,
	    size_t runs);

/* Stop the program, as a fuzzer wants it, unless cond. */
#define FUZZ_MUST(cond) fuzz_must((cond) != 0, #cond, __FILE__, __LINE__)
void	fuzz_must(int, const char *, const char *, int);

#endif
