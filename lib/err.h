/*
 * err.h: one line of context for a failure.
 *
 * A function that can fail returns 0 (or a count) or -errno, and, where
 * it takes a struct err, leaves there the line that a user will read:
 * what was tried, on which object, why.  It is set once, where the
 * failure happened, and passed up untouched.  lib/ never prints.
 */
#ifndef ERR_H
#define ERR_H

struct err {
	int	code;		/* errno value, 0 while nothing failed */
	char	msg[1024];	/* one line, no newline, never overflows */
};

/*
 * Format the line, append ": " and strerror(code), return -code.
 * e may be NULL: then only the value is returned.
 */
int	err_set(struct err *e, int code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* The same without strerror, where the line already says why. */
int	err_setx(struct err *e, int code, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

#endif
