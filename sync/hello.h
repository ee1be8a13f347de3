/*
 * hello.h: what an SSH server says of itself before anything is agreed on,
 * so that a message can say what it has.
 */
#ifndef HELLO_H
#define HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hello {
	char	 kex[512];	/* lists with commas, as it sent them, cut */
	char	 hostkey[512];
};

enum hello_is { HELLO_NOTHING, HELLO_NOT_SSH, HELLO_SSH, HELLO_LISTS };

/*
 * Look at the first n bytes that a server sent: nothing, something else,
 * an SSH server, one whose lists (RFC 4253, section 7.1) could be read.
 */
enum hello_is hello_look(struct hello *, const uint8_t *, size_t n);

/* Whether two lists with commas have a word in common. */
bool	hello_common(const char *, const char *);
/* Append to the list `out` (len bytes in all) those words of another that
 * are among the n in have, and not in out yet. */
void	hello_both(char *out, size_t len, const char *list,
	    const char *const *have, size_t n);

#endif
