/*
 * past.c: the window into history: requests to the program that shows it,
 * and answers from there.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"
#include "hold.h"
#include "log.h"
#include "past.h"
#include "wire.h"

#define ASKED		128	/* requests without an answer, at most */
#define LONGEST		60000	/* ms until a request is given up: more than
				   the program waits for a slice */
#define PATIENCE	500	/* and of one who got a signal */
#define ROUNDS		64	/* reads at once */

/* A request that is with the program. */
struct asked {
	uint64_t	 unique;	/* 0: none */
	int64_t		 until;		/* ms: when it is given up */
	int		 error;		/* by which */
};

struct past {
	int		 fusefd;	/* the kernel; the caller's */
	int		 fd;		/* the program; -1: it is gone */
	pid_t		 pid;
	struct asked	 asked[ASKED];
	int		 n;		/* of these */
	bool		 news;		/* see past_news() */
	mode_t		 mode;		/* the window's, as of the state */
	uid_t		 uid;		/* directory: who may read the */
	gid_t		 gid;		/* store may see what was in it */
	size_t		 nin;		/* bytes of in */
	uint8_t		 in[PAST_ANSWER]; /* an answer, as far as it is here */
};

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* In the new process: what it is becomes the program. */
static void
become(const char *program, const char *statedir, int fd)
{
	char	*argv[] = { (char *)program, (char *)statedir, NULL };
	int	 null;

	(void)setsid();
	if ((null = open("/dev/null", O_RDWR)) != -1) {
		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
	}
	if (dup2(fd, STDIN_FILENO) != -1)
		(void)execv(program, argv);
	_exit(2);
}

int
past_start(struct past **out, const char *program, const char *statedir,
    int fusefd, struct err *e)
{
	struct past	*p;
	struct stat	 st;
	int		 fd[2] = { -1, -1 }, room = 512 * 1024, rc = 0;

	if ((p = calloc(1, sizeof(*p))) == NULL)
		return err_set(e, ENOMEM, "run %s", program);
	p->fusefd = fusefd;
	if (stat(statedir, &st) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1 ||
	    ctl_quicken(fd[0]) == -1 ||
	    fcntl(fd[1], F_SETFD, FD_CLOEXEC) == -1 ||
	    (p->pid = fork()) == -1)
		rc = err_set(e, errno, "run %s", program);
	else if (p->pid == 0)
		become(program, statedir, fd[1]);
	if (fd[1] != -1)
		(void)close(fd[1]);
	if (rc < 0) {
		if (fd[0] != -1)
			(void)close(fd[0]);
		free(p);
		return rc;
	}
	/* As much as the system gives. */
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	p->fd = fd[0];
	p->mode = S_IFDIR | (st.st_mode & 0777);
	p->uid = st.st_uid;
	p->gid = st.st_gid;
	*out = p;
	return 0;
}

static struct asked *
find(struct past *p, uint64_t unique)
{
	size_t	 i;

	for (i = 0; i < ASKED; i++)
		if (p->asked[i].unique == unique)
			return &p->asked[i];
	return NULL;
}

static void
forget(struct past *p, struct asked *a)
{
	p->n--;
	memset(a, 0, sizeof(*a));
}

static void
give_up(struct past *p, struct asked *a, int error)
{
	hold_refuse(p->fusefd, a->unique, error);
	forget(p, a);
}

/* The program is of no use any more. */
static void
gone(struct past *p)
{
	size_t	 i;

	if (p->fd == -1)
		return;
	(void)close(p->fd);
	p->fd = -1;
	log_msg(LOG_ERR, "cfg-hist has ended: no history until the next "
	    "start");
	for (i = 0; i < ASKED; i++)
		if (p->asked[i].unique != 0)
			give_up(p, &p->asked[i], EIO);
}

void
past_close(struct past *p)
{
	if (p == NULL)
		return;
	/* A stopped one would not see that its socket has ended. */
	if (p->fd != -1) {
		(void)kill(p->pid, SIGCONT);
		(void)close(p->fd);
	}
	free(p);
}

/* 0, or -errno where the program can't be told. */
static int
tell(struct past *p, const void *req, size_t n)
{
	ssize_t	 k;

	if (p->fd == -1 || n > PAST_ASK)
		return -EIO;
	k = send(p->fd, req, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (k == -1 && (errno == EAGAIN || errno == ENOBUFS))
		return -EAGAIN;
	/* So little goes as a whole, or not at all. */
	if (k != (ssize_t)n) {
		gone(p);
		return -EIO;
	}
	return 0;
}

static void
hand_on(struct past *p, const struct wire_in *in, const uint8_t *req,
    size_t n)
{
	struct asked	*a = find(p, 0);

	if (a == NULL || tell(p, req, n) < 0) {
		hold_refuse(p->fusefd, in->unique, EIO);
		return;
	}
	*a = (struct asked){ in->unique, now_ms() + LONGEST, EIO };
	p->news = p->n++ == 0;
}

bool
past_take(struct past *p, const uint8_t *req, size_t n)
{
	struct wire_in	 in;

	memcpy(&in, req, sizeof(in));
	if (in.opcode == WIRE_INIT)
		(void)tell(p, req, n);	/* its answer nobody waits for */
	if ((in.nodeid & PAST_BIT) == 0)
		return false;
	switch (in.opcode) {
	case WIRE_GETATTR:
		if (in.nodeid == PAST_ROOT)
			return false;
		/* FALLTHROUGH */
	case WIRE_LOOKUP:
	case WIRE_READLINK:
	case WIRE_READ:
	case WIRE_READDIR:
	case WIRE_READDIRPLUS:
	case WIRE_GETXATTR:
	case WIRE_LISTXATTR:
	case WIRE_LSEEK:
		hand_on(p, &in, req, n);
		return true;
	case WIRE_COPY_FILE_RANGE:
		/* The kernel then copies by itself. */
		hold_refuse(p->fusefd, in.unique, EXDEV);
		return true;
	default:
		if (!hold_changes(in.opcode))
			return false;
		hold_refuse(p->fusefd, in.unique, EROFS);
		return true;
	}
}

void
past_forget(struct past *p, uint64_t id, uint64_t count)
{
	struct wire_in	 in = { .opcode = WIRE_FORGET, .nodeid = id };
	uint8_t		 req[sizeof(in) + sizeof(count)];

	if (id == PAST_ROOT)
		return;
	in.len = sizeof(req);
	memcpy(req, &in, sizeof(in));
	memcpy(req + sizeof(in), &count, sizeof(count));
	/* One that is not told of keeps some bytes there. */
	(void)tell(p, req, sizeof(req));
}

void
past_interrupt(struct past *p, uint64_t unique)
{
	struct asked	*a = unique == 0 ? NULL : find(p, unique);

	if (a == NULL || a->error == EINTR)
		return;
	a->until = now_ms() + PATIENCE;
	a->error = EINTR;
	p->news = true;
}

bool
past_news(struct past *p)
{
	bool	 news = p->news;

	p->news = false;
	return news;
}

int
past_timeout(const struct past *p)
{
	int64_t	 first = INT64_MAX, now;
	size_t	 i;

	if (p->n == 0)
		return -1;
	for (i = 0; i < ASKED; i++)
		if (p->asked[i].unique != 0 && p->asked[i].until < first)
			first = p->asked[i].until;
	now = now_ms();
	return first <= now ? 0 : (int)(first - now);
}

void
past_tick(struct past *p)
{
	int64_t	 now = p->n == 0 ? 0 : now_ms();
	size_t	 i;

	for (i = 0; i < ASKED && p->n > 0; i++)
		if (p->asked[i].unique != 0 && p->asked[i].until <= now)
			give_up(p, &p->asked[i], p->asked[i].error);
}

/* The answer at the begin of what came in, to the kernel: its size, 0
 * where it is not whole, -EPROTO where it is none. */
static ssize_t
hand_back(struct past *p)
{
	struct wire_out	 out;
	struct asked	*a;

	if (p->nin < sizeof(out))
		return 0;
	memcpy(&out, p->in, sizeof(out));
	if (out.len < sizeof(out) || out.len > sizeof(p->in))
		return -EPROTO;
	if (p->nin < out.len)
		return 0;
	/* INIT's, or one that came too late. */
	a = out.unique == 0 ? NULL : find(p, out.unique);
	if (a == NULL)
		return (ssize_t)out.len;
	forget(p, a);
	if (out.error == -ENOSYS)
		hold_refuse(p->fusefd, out.unique, EIO);
	else if (write(p->fusefd, p->in, out.len) == -1)
		/* The kernel did not like it; or has no use for it. */
		hold_refuse(p->fusefd, out.unique, EIO);
	return (ssize_t)out.len;
}

bool
past_serve(struct past *p)
{
	ssize_t	 n;
	int	 i;

	for (i = 0; p->fd != -1 && i < ROUNDS; i++) {
		n = recv(p->fd, p->in + p->nin, sizeof(p->in) - p->nin,
		    MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n <= 0) {
			gone(p);
			return false;
		}
		p->nin += (size_t)n;
		while ((n = hand_back(p)) > 0) {
			p->nin -= (size_t)n;
			memmove(p->in, p->in + n, p->nin);
		}
		if (n < 0)
			gone(p);
	}
	return p->fd != -1;
}

void
past_stat(const struct past *p, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_ino = (ino_t)PAST_ROOT;
	st->st_mode = p->mode;
	st->st_uid = p->uid;
	st->st_gid = p->gid;
	st->st_nlink = 2;
	st->st_blksize = 4096;
	/* Always another time: so the kernel lists it anew. */
	(void)clock_gettime(CLOCK_REALTIME, &st->st_mtim);
	st->st_atim = st->st_ctim = st->st_mtim;
}
