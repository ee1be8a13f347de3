/*
 * err.c: one line of context for a failure.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

static void
err_vfmt(struct err *e, int code, const char *why, const char *fmt, va_list ap)
{
	size_t	 room, wl;
	char	*p;
	int	 n;

	if (e == NULL)
		return;
	e->code = code;
	/* A long path may cut the line, never the reason at its end. */
	wl = why == NULL ? 0 : strlen(why) + 2;
	room = wl < sizeof(e->msg) / 2 ? sizeof(e->msg) - wl : sizeof(e->msg);
	n = vsnprintf(e->msg, room, fmt, ap);
	if (n < 0)
		e->msg[0] = '\0';
	for (p = e->msg; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';	/* a name may hold anything */
	if (why == NULL)
		return;
	n = (int)strlen(e->msg);
	(void)snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, ": %s", why);
}

int
err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	err_vfmt(e, code, strerror(code), fmt, ap);
	va_end(ap);
	return -code;
}

int
err_setx(struct err *e, int code, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	err_vfmt(e, code, NULL, fmt, ap);
	va_end(ap);
	return -code;
}
