/*
 * message.h: a message that waits for the next commit: what made the
 * pending changes says in it what they are.  One file in the state
 * directory, so it is gone when they are.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "../lib/err.h"

/* Put it there, in place of another.  state: the directory's descriptor. */
int	message_put(int state, const char *text, struct err *);
/* A new string, or NULL where none waits. */
char	*message_get(int state);
void	message_drop(int state);

#endif
