/*
 * hold.h: requests: taken from the kernel, counted, and those that change
 * something held back while there is a freeze.
 */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "view.h"

/*
 * Take one request from the kernel and serve it, or, where `frozen`, set
 * it aside if it changes anything.  1, 0 where there was none, or -errno:
 * -ENODEV when the view is unmounted.
 */
int	hold_take(struct view *, int fd, bool frozen);
/* Serve what was set aside, in order. */
void	hold_release(struct view *);
/* Whether requests of this kind change anything. */
bool	hold_changes(uint32_t opcode);
/* Answer a request by this error, without libfuse. */
void	hold_refuse(int fd, uint64_t unique, int error);
/* Let the session answer by this descriptor of a mounted view; 0, or
 * else it can't.  The session owns the descriptor then. */
int	hold_attach(struct view *, int fd);

#endif
