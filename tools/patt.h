/*
 * patt.h: patterns that name what never counts as pending, in a subset
 * of gitignore's syntax: comments, blank lines, "!" to take back, "/" at
 * the front or in the middle to anchor, "/" at the end for directories,
 * "*", "?", "[...]", "**", backslash to quote.  The last that matches
 * wins; below an ignored directory everything is ignored.
 */
#ifndef PATT_H
#define PATT_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/err.h"

struct patt;

/* Where the file of patterns lies in the tree. */
#define PATT_FILE	"cfgfs/ignore"

/* The built-in patterns alone: derived databases, editors' swap files. */
int	patt_new(struct patt **, struct err *);
/* This one pattern alone; -EINVAL says why it is none. */
int	patt_one(struct patt **, const char *pattern, struct err *);
/* Add patterns from text of n bytes; a bad line is -EINVAL and names
 * `name` and the line's number. */
int	patt_add(struct patt *, const char *text, size_t n, const char *name,
	    struct err *);
/* patt_new(), and what PATT_FILE below `tree` holds, if it is there. */
int	patt_load(struct patt **, int tree, struct err *);
bool	patt_match(const struct patt *, const char *path, bool dir);
void	patt_free(struct patt *);

#endif
