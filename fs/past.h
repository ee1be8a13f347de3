/*
 * past.h: the window into history, ".cfg" in the root of the view, which
 * another program shows, cfg-hist: the daemon has no store.
 *
 * What the kernel asks of the window is handed on to that program, and
 * what it answers is handed back; the daemon waits for neither.  Whatever
 * becomes of it, each request is answered once, and within a minute: EIO
 * where it can't, or no longer can.
 */
#ifndef FS_PAST_H
#define FS_PAST_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"
#include "../lib/past.h"

struct past;

/*
 * Start the program (an absolute path) for this state directory; fusefd,
 * the caller's, is where the kernel is answered.
 */
int	past_start(struct past **, const char *program, const char *statedir,
	    int fusefd, struct err *);
/* Also lets the program go on, where it is stopped: to its end.  NULL is
 * allowed. */
void	past_close(struct past *);

/* Whether this request of n bytes was dealt with, or will be. */
bool	past_take(struct past *, const uint8_t *req, size_t n);
/* The kernel's count of a node went down. */
void	past_forget(struct past *, uint64_t id, uint64_t count);
/*
 * The one who made this request was sent a signal.  Where it is not
 * answered soon he is told so.
 */
void	past_interrupt(struct past *, uint64_t unique);

/* Hand back what answers there are; whether there may be more. */
bool	past_serve(struct past *);
/* Whether past_timeout() has to be asked again, since the last call. */
bool	past_news(struct past *);
/* Milliseconds until past_tick() has something to do; -1: never. */
int	past_timeout(const struct past *);
void	past_tick(struct past *);

/* The window itself, as stat(2) tells it. */
void	past_stat(const struct past *, struct stat *);

#endif
