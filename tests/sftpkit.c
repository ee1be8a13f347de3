/*
 * sftpkit.c: real SFTP servers, and streams worse than any network.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sftpkit.h"
#include "tap.h"

static const char *const servers[KINDS][4] = {
	[OPENSSH] = { "/usr/lib/openssh/sftp-server",
	    "/usr/libexec/sftp-server", "/usr/lib/ssh/sftp-server", NULL },
	[GREENEND] = { "/usr/libexec/gesftpserver",
	    "/usr/local/libexec/gesftpserver", NULL, NULL }
};

static const char *
program(int kind)
{
	size_t	 i;

	for (i = 0; servers[kind][i] != NULL; i++)
		if (access(servers[kind][i], X_OK) == 0)
			return servers[kind][i];
	return NULL;
}

bool
host_has(int kind)
{
	return program(kind) != NULL;
}

static void
exec_server(const char *prog, int fd, uid_t uid, uint64_t fsize)
{
	struct rlimit	 lim = { fsize, fsize };

	if (dup2(fd, 0) == -1 || dup2(fd, 1) == -1)
		_exit(126);
	/* A file that is too large shall be an error, and no signal. */
	if (fsize > 0 && (signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
	    setrlimit(RLIMIT_FSIZE, &lim) == -1))
		_exit(126);
	if (uid != 0 && (setgid((gid_t)uid) == -1 || setuid(uid) == -1))
		_exit(126);
	execl(prog, prog, (char *)NULL);
	_exit(127);
}

bool
host_start(struct far_host *h, int kind, uid_t uid, uint64_t fsize)
{
	const char	*prog = program(kind);
	struct err	 e;
	int		 p[2];

	memset(h, 0, sizeof(*h));
	if (prog == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) == -1)
		return false;
	if ((h->pid = fork()) == 0)
		exec_server(prog, p[1], uid, fsize);
	(void)close(p[1]);
	if (h->pid == -1 || stream_fd(&h->st, p[0], "far", &e) < 0) {
		(void)close(p[0]);
		return false;
	}
	return true;
}

void
host_stop(struct far_host *h)
{
	stream_close(h->st);
	if (h->pid > 0) {
		(void)kill(h->pid, SIGKILL);
		while (waitpid(h->pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	memset(h, 0, sizeof(*h));
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* The names of extensions are in the first packet. */
static void
make_plain(uint8_t *p, size_t n)
{
	static const char	 org[] = "@openssh.com";
	uint8_t			*at;

	while ((at = memmem(p, n, org, strlen(org))) != NULL)
		*at = '%';
}

static ssize_t
filter_read(struct stream *st, void *p, size_t n, struct err *e)
{
	struct filter	*f = (struct filter *)st;
	ssize_t		 k;

	k = f->under->read(f->under, p, f->dribble && n > 1 ? 1 : n, e);
	if (k > 0 && f->plain && st->in == 0)
		make_plain(p, (size_t)k);
	if (k > 0) {
		st->in += (uint64_t)k;
		put_bytes(&f->seen, p, (size_t)k);
	}
	return k;
}

/* Ask for less: the length is the last thing in a read. */
static void
make_lean(struct filter *f, uint8_t *p, size_t n)
{
	uint32_t	 want = be32(p + n - 4), less;

	less = 1 + (uint32_t)(tap_rand(&f->rng) % want);
	p[n - 4] = (uint8_t)(less >> 24);
	p[n - 3] = (uint8_t)(less >> 16);
	p[n - 2] = (uint8_t)(less >> 8);
	p[n - 1] = (uint8_t)less;
}

/* Move complete packets on to `ready`. */
static void
repack(struct filter *f)
{
	size_t	 pos = 0, n;

	while (f->out.len - pos >= 4) {
		n = 4 + (size_t)be32(f->out.p + pos);
		if (f->out.len - pos < n)
			break;
		if (f->out.p[pos + 4] == 5)
			make_lean(f, f->out.p + pos, n);
		put_bytes(&f->ready, f->out.p + pos, n);
		pos += n;
	}
	if (pos > 0)
		memmove(f->out.p, f->out.p + pos, f->out.len - pos);
	f->out.len -= pos;
}

/* -EAGAIN until all that is ready has gone. */
static ssize_t
flush_ready(struct filter *f, struct err *e)
{
	ssize_t	 k;

	while (f->ready.len > 0) {
		k = f->under->write(f->under, f->ready.p, f->ready.len, e);
		if (k < 0)
			return k;
		memmove(f->ready.p, f->ready.p + k, f->ready.len - (size_t)k);
		f->ready.len -= (size_t)k;
	}
	return 0;
}

static ssize_t
filter_write(struct stream *st, const void *p, size_t n, struct err *e)
{
	struct filter	*f = (struct filter *)st;
	ssize_t		 k;

	if (!f->lean) {
		k = f->under->write(f->under, p, f->dribble && n > 1 ? 1 : n,
		    e);
	} else if ((k = flush_ready(f, e)) == 0) {
		put_bytes(&f->out, p, n);
		repack(f);
		k = (ssize_t)n;
		if (flush_ready(f, e) < 0 && e->code != 0)
			return -e->code;
	}
	if (k > 0) {
		st->out += (uint64_t)k;
		put_bytes(&f->sent, p, (size_t)k);
	}
	return k;
}

static int
filter_wait(struct stream *st, int writing, int ms, struct err *e)
{
	struct filter	*f = (struct filter *)st;
	ssize_t		 k;

	k = flush_ready(f, e);
	if (k < 0 && k != -EAGAIN)
		return (int)k;
	return f->under->wait(f->under, writing || f->ready.len > 0, ms, e);
}

static void
nothing_to_close(struct stream *st)
{
	(void)st;
}

void
filter_open(struct filter *f, struct stream *under)
{
	memset(f, 0, sizeof(*f));
	f->st = (struct stream){ .read = filter_read, .write = filter_write,
	    .wait = filter_wait, .close = nothing_to_close,
	    .name = under->name };
	f->under = under;
}

void
filter_free(struct filter *f)
{
	buf_free(&f->out);
	buf_free(&f->ready);
	buf_free(&f->seen);
	buf_free(&f->sent);
}

/* One more packet may be read; behind the last one, the end. */
static void
let_one(struct script *s)
{
	size_t	 left = s->n - s->pos, k = left;

	if (left == 0) {
		s->open = s->n + 1;
		return;
	}
	if (left >= 4 && be32(s->p + s->pos) < left - 4)
		k = 4 + (size_t)be32(s->p + s->pos);
	s->open = s->pos + k;
}

static ssize_t
script_read(struct stream *st, void *p, size_t n, struct err *e)
{
	struct script	*s = (struct script *)st;

	(void)e;
	if (s->pos == s->n && s->open > s->n)
		return 0;
	if (s->pos >= s->open) {
		if (s->early)
			let_one(s);
		return -EAGAIN;
	}
	if (n > s->open - s->pos)
		n = s->open - s->pos;
	memcpy(p, s->p + s->pos, n);
	s->pos += n;
	st->in += n;
	return (ssize_t)n;
}

static ssize_t
script_write(struct stream *st, const void *p, size_t n, struct err *e)
{
	(void)p;
	(void)e;
	st->out += n;
	return (ssize_t)n;
}

static int
script_wait(struct stream *st, int writing, int ms, struct err *e)
{
	struct script	*s = (struct script *)st;

	(void)writing;
	(void)ms;
	(void)e;
	let_one(s);
	return 0;
}

void
script_open(struct script *s, const void *p, size_t n)
{
	memset(s, 0, sizeof(*s));
	s->st = (struct stream){ .read = script_read, .write = script_write,
	    .wait = script_wait, .close = nothing_to_close, .name = "far" };
	s->p = p;
	s->n = n;
}
