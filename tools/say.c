/*
 * say.c: what cfg says when something is wrong: one line, on standard
 * error, that begins with the program and the verb.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cfg.h"

static void
say(const struct cfg *c, const char *what)
{
	(void)fflush(stdout);		/* in order, on a terminal */
	if (c->verb != NULL)
		(void)fprintf(stderr, "cfg: %s: %s\n", c->verb, what);
	else
		(void)fprintf(stderr, "cfg: %s\n", what);
}

/* A line too long is cut: its beginning says what it is about. */
static void
vsay(const struct cfg *c, const char *fmt, va_list ap)
{
	char	 line[sizeof(((struct err *)0)->msg)];

	(void)vsnprintf(line, sizeof(line), fmt, ap);
	say(c, line);
}

int
cfg_fail(const struct cfg *c, const struct err *e)
{
	say(c, e->msg);
	return EX_FAIL;
}

int
cfg_failx(const struct cfg *c, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vsay(c, fmt, ap);
	va_end(ap);
	return EX_FAIL;
}

void
cfg_warn(const struct cfg *c, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	vsay(c, fmt, ap);
	va_end(ap);
}

int
cfg_usage(const struct cfg *c)
{
	const struct cmd	*m;

	for (m = cfg_cmds; m->name != NULL; m++)
		if (c->verb != NULL && strcmp(m->name, c->verb) == 0)
			(void)fprintf(stderr, "usage: cfg %s %s\n", m->name,
			    m->usage);
	return EX_MISUSE;
}
