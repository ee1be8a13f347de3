/*
 * textdiff.h: line differences by Myers' algorithm (E. Myers, "An O(ND)
 * Difference Algorithm and Its Variations", 1986), in linear space, and
 * the unified format that patch(1) applies.
 */
#ifndef TEXTDIFF_H
#define TEXTDIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"

/* Whether git would call it binary: a NUL in the first 8000 bytes. */
bool	text_binary(const uint8_t *, size_t n);

/* One run of lines that differs: a[a0..a1) became b[b0..b1), from 0. */
struct hunk {
	size_t	a0, a1, b0, b1;
};

/* All runs, in order; *h is the caller's to free(3).  -ENOMEM. */
int	text_hunks(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
	    struct hunk **h, size_t *nh, struct err *);

/*
 * Append the "@@" parts of a unified diff with `context` lines around,
 * "\ No newline at end of file" where due; *added and *removed count
 * lines.  Equal texts append nothing.
 */
int	text_unified(const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
	    unsigned context, struct buf *out, size_t *added,
	    size_t *removed, struct err *);

#endif
