/*
 * ask.h: a question on the terminal that is answered by yes or no.
 */
#ifndef ASK_H
#define ASK_H

#include <stdbool.h>

#include "cfg.h"

/* Whether there is a terminal to ask on; where not that has been said. */
bool	ask_can(const struct cfg *);
/*
 * Whether what was said is to be done: EX_OK where `yes` or the answer is;
 * else EX_NO, or EX_FAIL without a terminal, and that has been said.
 */
int	ask_to_do(const struct cfg *, bool yes);
/* Print the question and read a line: whether it begins with y or Y. */
bool	ask_yes(const char *, ...) __attribute__((format(printf, 1, 2)));

#endif
