/*
 * hold.c: requests: taken from the kernel, counted, and those that change
 * something held back while there is a freeze.
 */
#include <sys/uio.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hold.h"
#include "past.h"
#include "sys.h"
#include "wire.h"

/* A request that waits. */
struct held {
	struct held	*next;
	size_t		 size;
	uint8_t		 req[];
};

bool
hold_changes(uint32_t opcode)
{
	switch (opcode) {
	case WIRE_SETATTR:
	case WIRE_SYMLINK:
	case WIRE_MKNOD:
	case WIRE_MKDIR:
	case WIRE_UNLINK:
	case WIRE_RMDIR:
	case WIRE_RENAME:
	case WIRE_LINK:
	case WIRE_WRITE:
	case WIRE_SETXATTR:
	case WIRE_REMOVEXATTR:
	case WIRE_CREATE:
	case WIRE_FALLOCATE:
	case WIRE_RENAME2:
	case WIRE_COPY_FILE_RANGE:
	case WIRE_TMPFILE:
		return true;
	default:
		return false;
	}
}

static struct wire_in
head_of(const uint8_t *req)
{
	struct wire_in	 in;

	memcpy(&in, req, sizeof(in));
	return in;
}

static void
serve(struct view *v, size_t size)
{
	struct fuse_buf	 buf = { .size = size, .mem = v->req };

	fuse_session_process_buf(v->se, &buf);
}

static int
hold(struct view *v, size_t size)
{
	struct held	*h, **p;

	if ((h = malloc(sizeof(*h) + size)) == NULL)
		return -ENOMEM;
	h->next = NULL;
	h->size = size;
	memcpy(h->req, v->req, size);
	for (p = &v->held; *p != NULL; p = &(*p)->next)
		continue;
	*p = h;
	v->nheld++;
	return 0;
}

void
hold_release(struct view *v)
{
	struct held	*h;

	while ((h = v->held) != NULL) {
		v->held = h->next;
		v->nheld--;
		memcpy(v->req, h->req, h->size);
		serve(v, h->size);
		free(h);
	}
}

void
hold_refuse(int fd, uint64_t unique, int error)
{
	struct wire_out	 out = { sizeof(out), -error, unique };

	/* If it fails the caller is gone. */
	if (write(fd, &out, sizeof(out)) == -1)
		errno = 0;
}

/*
 * Somebody waits no longer for a request.  What is served is served at
 * once, so only one that is held can be meant, or handed on.
 */
static void
interrupt(struct view *v, int fd)
{
	struct held	*h, **p;
	uint64_t	 unique;

	memcpy(&unique, v->req + sizeof(struct wire_in), sizeof(unique));
	for (p = &v->held; (h = *p) != NULL; p = &h->next)
		if (head_of(h->req).unique == unique)
			break;
	if (h == NULL) {
		if (v->past != NULL)
			past_interrupt(v->past, unique);
		return;
	}
	*p = h->next;
	v->nheld--;
	free(h);
	hold_refuse(fd, unique, EINTR);
}

/*
 * There was no room for a change, but files without a name are kept: the
 * kernel may have dropped one before it asked, and tells it in a FORGET
 * that it lets other requests overtake.  Hear all that waits, then try
 * once more.
 */
static void
retry(struct view *v, int fd, size_t size)
{
	struct pollfd	 p = { .fd = fd, .events = POLLIN };

	if (hold(v, size) < 0) {
		hold_refuse(fd, head_of(v->req).unique, ENOSPC);
		return;
	}
	v->full = VIEW_ROOM;
	while (poll(&p, 1, 0) == 1 && (p.revents & POLLIN) != 0 &&
	    hold_take(v, fd, true) == 1)
		;
	v->full = VIEW_RETRY;
	hold_release(v);
}

int
hold_take(struct view *v, int fd, bool frozen)
{
	struct wire_in	 in;
	ssize_t		 n;

	n = read(fd, v->req, VIEW_HEAD + VIEW_WRITE);
	if (n == -1) {
		/* ENOENT: interrupted before we had it. */
		return errno == EAGAIN || errno == EINTR || errno == ENOENT ?
		    0 : -errno;
	}
	if ((size_t)n < sizeof(in))
		return -EIO;
	in = head_of(v->req);
	v->nreq[in.opcode < VIEW_OPS ? in.opcode : 0]++;
	if (in.opcode == WIRE_INIT)
		memcpy(&v->offered, v->req + sizeof(in) + WIRE_INIT_FLAGS,
		    sizeof(v->offered));
	if (in.opcode == WIRE_INTERRUPT)
		interrupt(v, fd);
	else if (v->past != NULL && past_take(v->past, v->req, (size_t)n))
		return 1;
	else if (frozen && hold_changes(in.opcode)) {
		if (hold(v, (size_t)n) < 0)
			hold_refuse(fd, in.unique, ENOMEM);
	} else {
		serve(v, (size_t)n);
		if (v->full == VIEW_FULL)
			retry(v, fd, (size_t)n);
		v->full = VIEW_ROOM;
	}
	return 1;
}

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 13)

/* libfuse's answers.  The first is INIT's, where the bits are set that
 * libfuse has no name for. */
static ssize_t
answer(int fd, struct iovec *iov, int count, void *arg)
{
	struct view	*v = arg;
	struct wire_out	 out;
	uint32_t	 flags;
	uint8_t		*p;
	size_t		 n = 0;
	int		 i;

	if (v->offered != 0) {
		if (count > 1 && iov[1].iov_len >= WIRE_INIT_FLAGS + 4) {
			p = (uint8_t *)iov[1].iov_base + WIRE_INIT_FLAGS;
			memcpy(&flags, p, sizeof(flags));
			flags |= sys_init_flags(v->offered);
			memcpy(p, &flags, sizeof(flags));
		}
		v->offered = 0;
	}
	for (i = 0; i < count; i++)
		n += iov[i].iov_len;
	memcpy(&out, iov[0].iov_base, sizeof(out));
	if (out.error == -ENOSPC && v->nkept > 0 && v->full == VIEW_ROOM) {
		v->full = VIEW_FULL;
		return (ssize_t)n;	/* not yet */
	}
	if (n > sizeof(v->answer))
		return writev(fd, iov, count);
	/* In one piece: the kernel looks up the page of each. */
	for (n = 0, i = 0; i < count; n += iov[i++].iov_len)
		memcpy(v->answer + n, iov[i].iov_base, iov[i].iov_len);
	return write(fd, v->answer, n);
}

static ssize_t
take(int fd, void *buf, size_t n, void *arg)
{
	(void)arg;
	return read(fd, buf, n);
}

int
hold_attach(struct view *v, int fd)
{
	static const struct fuse_custom_io io = {
		.writev = answer,
		.read = take,
	};

	return fuse_session_custom_io(v->se, &io, fd);
}

#else	/* libfuse before 3.13: its bits of INIT have to do */

int
hold_attach(struct view *v, int fd)
{
	char	 name[32];

	(void)snprintf(name, sizeof(name), "/dev/fd/%d", fd);
	return fuse_session_mount(v->se, name);
}

#endif
