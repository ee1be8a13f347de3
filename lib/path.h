/*
 * path.h: paths inside a tree, and reaching them without names.
 *
 * A path is relative to the tree's root, without leading or trailing
 * slash; "" is the root itself.  Components are any bytes but '/' and
 * NUL, 1 to 255 of them, never "." or "..".  A path may be longer than
 * PATH_MAX, up to PATH_LIMIT: it is walked a component at a time from a
 * directory descriptor, never following a symbolic link.
 */
#ifndef PATH_H
#define PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define PATH_LIMIT	65535	/* bytes of the longest path, without NUL */
#define PATH_NAME_MAX	255	/* bytes of the longest component */

/* Whether these n bytes are a path as above (n is without a NUL). */
bool	path_ok(const char *, size_t n);

/*
 * Order: by bytes, but '/' comes before all others, so that a directory
 * is followed at once by what is below it.
 */
int	path_cmp(const char *, const char *);

/* Whether path is dir itself or lies below it ("" holds everything). */
bool	path_within(const char *path, const char *dir);

/* The last component: path itself where it has no slash. */
const char *path_base(const char *path);

/* A new string "dir/name" ("name" where dir is ""); NULL: no memory. */
char	*path_join(const char *dir, const char *name);

/*
 * Open the directory that holds path, walking from root (a directory
 * descriptor) with O_NOFOLLOW; *name is set to the last component inside
 * path.  Returns a new descriptor that the caller closes, or -errno
 * (ENOTDIR or ELOOP where a component is not a directory).  For "" the
 * result is a duplicate of root and *name is ".".
 */
int	path_parent(int root, const char *path, const char **name);

/* Open path itself below root with these flags; O_NOFOLLOW | O_CLOEXEC
 * are added.  Returns a descriptor or -errno. */
int	path_open(int root, const char *path, int flags);

/*
 * Make path printable on one line: as it is where it consists of
 * printable ASCII or valid UTF-8 without control characters, quotes
 * or backslashes; otherwise in git's way: "in quotes", with \n, \t, \",
 * \\ and \ooo.  A new string, or NULL when out of memory.
 */
char	*path_vis(const char *path);

/* Bytes (1 to 4) of the UTF-8 character at s, which is *c; 0 where there
 * is none.  Never reads past a NUL. */
size_t	 utf8_get(const char *s, uint32_t *c);
/* Whether a terminal just shows it: no control, nothing that turns the
 * line around. */
bool	 utf8_printable(uint32_t c);

#endif
