/*
 * ask.c: a question on the terminal.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "ask.h"

bool
ask_can(const struct cfg *c)
{
	if (isatty(STDIN_FILENO))
		return true;
	(void)cfg_failx(c, "no terminal to ask on: -y says yes");
	return false;
}

bool
ask_yes(const char *fmt, ...)
{
	va_list	 ap;
	int	 ch, first;

	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)printf(" [y/N] ");
	(void)fflush(stdout);
	first = ch = getchar();
	while (ch != '\n' && ch != EOF)
		ch = getchar();
	return first == 'y' || first == 'Y';
}

int
ask_to_do(const struct cfg *c, bool yes)
{
	(void)fflush(stdout);
	if (yes)
		return EX_OK;
	if (!ask_can(c))
		return EX_FAIL;
	if (ask_yes("Do this?"))
		return EX_OK;
	(void)printf("nothing was changed\n");
	return EX_NO;
}
