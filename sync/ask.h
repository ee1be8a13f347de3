/*
 * ask.h: questions to the user on a terminal.
 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/err.h"

/* Show text; what can't be shown is no error. */
void	ask_say(int tty, const char *text);

/*
 * Show the question and read a line, without its newline, of at most
 * len - 1 bytes; a longer one is cut.  With `secret` it is not echoed.
 * The terminal is as before when this returns, and also when a signal
 * ends or stops the process meanwhile: signals wait until it is.  No
 * answer (end of file) or a signal: -ECANCELED.
 */
int	ask_line(int tty, const char *question, bool secret, char *line,
	    size_t len, struct err *);

#endif
