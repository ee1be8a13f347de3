/*
 * log.c: messages to the system's logger, which never wait for anything.
 *
 * syslog(3) will not do: it may look up the time zone below /etc, which
 * is us.  What is sent is RFC 3164's, without the time, which the logger
 * adds.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "sys.h"

#define FACILITY	(3 << 3)	/* system daemons */

static bool	 tostderr;

void
log_stderr(void)
{
	tostderr = true;
}

static void
send_line(const char *s, size_t n)
{
	struct sockaddr_un	 sa = { .sun_family = AF_UNIX };
	int			 fd;

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s",
	    sys_log_socket());
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		(void)send(fd, s, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)close(fd);
}

void
log_msg(int level, const char *fmt, ...)
{
	char	 line[1200];
	va_list	 ap;
	int	 at, n;

	at = snprintf(line, sizeof(line), "<%d>cfgfs[%ld]: ",
	    FACILITY | level, (long)getpid());
	va_start(ap, fmt);
	n = vsnprintf(line + at, sizeof(line) - (size_t)at, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	send_line(line, strlen(line));
	if (tostderr)
		(void)fprintf(stderr, "cfgfs: %s\n", line + at);
}
