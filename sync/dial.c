/*
 * dial.c: a TCP connection to another host.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pump.h"
#include "ssh.h"

/* Until a connect() under way has come to an end: 0 or -errno. */
static int
await(int fd, int seconds)
{
	struct pollfd	 p = { fd, POLLOUT, 0 };
	int64_t		 end = pump_now() + (int64_t)seconds * 1000, left;
	socklen_t	 n = sizeof(int);
	int		 rc, code = 0;

	do {
		if ((left = end - pump_now()) <= 0)
			return -ETIMEDOUT;
		rc = poll(&p, 1, left > 1000000 ? 1000000 : (int)left);
	} while (rc == 0 || (rc == -1 && errno == EINTR));
	if (rc == -1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &n) == -1)
		return -errno;
	return -code;
}

/* A socket connected to one address, or -errno. */
static int
dial(const struct addrinfo *ai, int seconds)
{
	int	 fd, rc, on = 1;

	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, ai->ai_protocol);
	if (fd == -1)
		return -errno;
	rc = connect(fd, ai->ai_addr, ai->ai_addrlen) == -1 ? -errno : 0;
	if (rc == -EINPROGRESS || rc == -EINTR)
		rc = await(fd, seconds);
	if (rc < 0) {
		(void)close(fd);
		return rc;
	}
	/* Without either the connection works, only less well. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	return fd;
}

static int
no_address(const char *host, int code, struct err *e)
{
	switch (code) {
	case EAI_SYSTEM:
		return err_set(e, errno, "%s", host);
	case EAI_MEMORY:
		return err_set(e, ENOMEM, "%s", host);
	case EAI_AGAIN:
		return err_setx(e, EAGAIN, "%s: its address can't be looked up "
		    "now", host);
	case EAI_NONAME:
#if defined(EAI_NODATA) && EAI_NODATA != EAI_NONAME
	case EAI_NODATA:
#endif
		return err_setx(e, ENOENT, "%s: no such host", host);
	default:
		return err_setx(e, EIO, "%s: %s", host, gai_strerror(code));
	}
}

int
ssh_connect(const struct url *u, int seconds, struct err *e)
{
	struct addrinfo	 hints, *all = NULL;
	const struct addrinfo	*ai;
	char		 port[8];
	int		 rc;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	hints.ai_flags = AI_NUMERICSERV;
	(void)snprintf(port, sizeof(port), "%u", (unsigned)u->port);
	if ((rc = getaddrinfo(u->host, port, &hints, &all)) != 0)
		return no_address(u->host, rc, e);
	rc = -EADDRNOTAVAIL;
	for (ai = all; ai != NULL; ai = ai->ai_next)
		if ((rc = dial(ai, seconds)) >= 0)
			break;
	freeaddrinfo(all);
	if (rc == -ETIMEDOUT)
		return err_setx(e, ETIMEDOUT, "%s: no answer", u->host);
	return rc < 0 ? err_set(e, -rc, "%s", u->host) : rc;
}
