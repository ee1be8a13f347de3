/*
 * out.h: how cfg talks: JSON, colours, a pager on a terminal, a line of
 * progress for what takes long.
 */
#ifndef OUT_H
#define OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"

/* Append a JSON string with its quotes; bytes that are no UTF-8 become
 * U+FFFD (names then also come as "path_b64" where that matters). */
void	json_str(struct buf *, const char *);

/* Append "KEY": "name", and where the name is no UTF-8 also "KEY_b64". */
void	json_name(struct buf *, const char *key, const char *name);

/* Append text for a terminal: lines and tabs stay, other control
 * characters become ^X, bytes that are no UTF-8 \ooo. */
void	out_text(struct buf *, const char *, size_t len);

/* Append a path inside the tree, or another name, on one line. */
void	out_path(struct buf *, const char *);

/* "2026-11-23 14:02:31" in local time, from ns since 1970. */
void	out_time(struct buf *, int64_t ns);
/* ns since 1970. */
int64_t	out_now(void);
/* "512 B", "3.4 KB", "1.0 MB". */
void	out_size(struct buf *, uint64_t bytes);

/*
 * Write all of it to standard output; through $PAGER (or less -FRX)
 * where `page` and standard output is a terminal.  0 or -errno; EPIPE of
 * a pager that was left is 0.
 */
int	out_write(const struct buf *, bool page);

/* The same for the whole of what a verb says; the buffer is freed. */
int	out_end(struct buf *, bool page, struct err *);
/* All of it to a descriptor: 0 or -errno. */
int	out_fd(int fd, const struct buf *);

/* Progress on standard error, where that is a terminal and a second has
 * passed; out_progress_end() wipes it. */
void	out_progress(const char *what, uint64_t done, uint64_t of);
void	out_progress_end(void);

#endif
