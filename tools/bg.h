/*
 * bg.h: processes of the tools in the background, one of a kind for a
 * mount.  Each kind has a directory in the state directory; in it a lock
 * says whether there is one, and a byte in a fifo tells it to look again.
 *
 * Who wants it to look writes the byte before trying the lock, and who has
 * the lock looks for a byte after giving it back: so none is lost.
 */
#ifndef BG_H
#define BG_H

#include <stdbool.h>

#include "../lib/err.h"

struct bg {
	int	 fifo;
	int	 lock;
};

#define BG_NONE { -1, -1 }

/* Open, made where it is not there: STATEDIR/KIND/#lock and #wake. */
int	bg_open(struct bg *, const char *statedir, const char *kind,
	    struct err *);
void	bg_close(struct bg *);
void	bg_wake(const struct bg *);
/* Become the one: false where another is. */
bool	bg_lock(const struct bg *);
void	bg_unlock(const struct bg *);
/* Whether somebody has asked for another look; forgets it. */
bool	bg_woken(const struct bg *);
/* Wait for that, so many milliseconds at most: whether it came. */
bool	bg_wait(const struct bg *, int ms);
/* Away from the terminal, the session and the directory of who began it,
 * which may all end; the lock comes along.  The parent exits with 0. */
int	bg_detach(void);

/* A file of STATEDIR/KIND, opened: a descriptor or -errno. */
int	bg_file(const char *statedir, const char *kind, const char *name,
	    int flags, struct err *);

#endif
