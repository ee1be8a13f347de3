/*
 * stream.c: a stream over a connected descriptor: a socket, a pair of them.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream.h"

struct fd_stream {
	struct stream	 st;
	int		 fd;
	char		*name;	/* owned; st.name */
};

static ssize_t
fd_moved(struct fd_stream *f, ssize_t n, uint64_t *count, struct err *e)
{
	if (n >= 0) {
		*count += (uint64_t)n;
		return n;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return -EAGAIN;
	if (errno == EPIPE || errno == ECONNRESET)
		return err_setx(e, errno, "%s: the connection was closed",
		    f->name);
	return err_set(e, errno, "%s", f->name);
}

static ssize_t
fd_read(struct stream *st, void *p, size_t n, struct err *e)
{
	struct fd_stream	*f = (struct fd_stream *)st;

	return fd_moved(f, read(f->fd, p, n), &st->in, e);
}

static ssize_t
fd_write(struct stream *st, const void *p, size_t n, struct err *e)
{
	struct fd_stream	*f = (struct fd_stream *)st;

	return fd_moved(f, send(f->fd, p, n, MSG_NOSIGNAL), &st->out, e);
}

static int
fd_wait(struct stream *st, int writing, int ms, struct err *e)
{
	struct fd_stream	*f = (struct fd_stream *)st;
	struct pollfd		 p = { .fd = f->fd,
	    .events = writing ? POLLIN | POLLOUT : POLLIN };
	int			 n = poll(&p, 1, ms);

	if (n > 0 || (n == -1 && errno == EINTR))
		return 0;
	if (n == -1)
		return err_set(e, errno, "%s", f->name);
	return err_setx(e, ETIMEDOUT, "%s: no answer for %d seconds",
	    f->name, (ms + 999) / 1000);
}

static void
fd_close(struct stream *st)
{
	struct fd_stream	*f = (struct fd_stream *)st;

	(void)close(f->fd);
	free(f->name);
	free(f);
}

int
stream_fd(struct stream **sp, int fd, const char *name, struct err *e)
{
	struct fd_stream	*f;
	int			 flags;

	*sp = NULL;
	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return err_set(e, errno, "%s", name);
	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->name = strdup(name)) == NULL) {
		free(f);
		return err_set(e, ENOMEM, "%s", name);
	}
	f->fd = fd;
	f->st = (struct stream){ .read = fd_read, .write = fd_write,
	    .wait = fd_wait, .close = fd_close, .name = f->name };
	*sp = &f->st;
	return 0;
}

void
stream_close(struct stream *st)
{
	if (st != NULL)
		st->close(st);
}
