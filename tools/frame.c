/*
 * frame.c: frames on a socket or a pipe.
 */
#include <sys/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#include "frame.h"

/* As far as it goes at once. */
static ssize_t
move(int fd, bool out, uint8_t *p, size_t n)
{
	ssize_t	 k;

	k = out ? send(fd, p, n, MSG_NOSIGNAL) : recv(fd, p, n, 0);
	if (k == -1 && errno == ENOTSOCK)
		k = out ? write(fd, p, n) : read(fd, p, n);
	return k;
}

static int
move_all(int fd, bool out, int seconds, uint8_t *p, size_t n)
{
	struct pollfd	 pf = { .fd = fd, .events = POLLIN };
	ssize_t		 k;

	while (n > 0) {
		k = seconds > 0 ? poll(&pf, 1, seconds * 1000) : 1;
		if (k == 0)
			return -ETIMEDOUT;
		if (k > 0)
			k = move(fd, out, p, n);
		if (k == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return k == 0 ? -EPIPE : -errno;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

int
frame_send(int fd, size_t most, char type, const void *body, size_t n)
{
	uint8_t	 head[5];
	int	 rc;

	if (n > most)
		return -EMSGSIZE;
	set_le32(head, (uint32_t)n);
	head[4] = (uint8_t)type;
	if ((rc = move_all(fd, true, 0, head, sizeof(head))) < 0)
		return rc;
	/* What is sent is not written to. */
	return move_all(fd, true, 0, (uint8_t *)(uintptr_t)body, n);
}

int
frame_recv(int fd, int seconds, size_t most, char *type, struct buf *body)
{
	uint8_t	 head[5], *p;
	uint32_t n;
	int	 rc;

	if ((rc = move_all(fd, false, seconds, head, 1)) < 0)
		return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
	if ((rc = move_all(fd, false, seconds, head + 1,
	    sizeof(head) - 1)) < 0)
		return rc;
	if ((n = get_le32(head)) > most)
		return -EBADMSG;
	body->len = 0;
	if ((p = buf_room(body, (size_t)n + 1)) == NULL)
		return -ENOMEM;
	if ((rc = move_all(fd, false, seconds, p, n)) < 0)
		return rc;
	body->len = n;
	*type = (char)head[4];
	return 1;
}
