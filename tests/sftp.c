/*
 * sftp.c: the SFTP client against real servers, over a socket pair and
 * without SSH: OpenSSH's, and another where there is one; and what a line
 * that is cut, garbled or silent does to it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/far.h"
#include "tap.h"

static const char *const servers[] = {
	"/usr/lib/openssh/sftp-server",
	"/usr/libexec/sftp-server",
	"/usr/lib/ssh/sftp-server",
	"/usr/libexec/gesftpserver",
	"/usr/lib/gesftpserver",
	"/usr/bin/gesftpserver"
};

static char	dir[] = "/tmp/cfgfs-sftp.XXXXXX";
static pid_t	pid;
static struct err er;

static const char *
at(const char *name)
{
	static char	 p[4][128];
	static int	 n;

	n = (n + 1) % 4;
	(void)snprintf(p[n], sizeof(p[n]), "%s/%s", dir, name);
	return p[n];
}

/* A server as a child; the other end of its pipe. */
static int
serve(const char *path)
{
	int	 s[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		(void)dup2(s[1], 0);
		(void)dup2(s[1], 1);
		(void)close(s[0]);
		(void)close(s[1]);
		(void)execl(path, path, (char *)NULL);
		_exit(127);
	}
	(void)close(s[1]);
	(void)fcntl(s[0], F_SETFD, FD_CLOEXEC);
	return s[0];
}

static void
ended(void)
{
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	pid = 0;
}

/* --- a line that is not what it should be */

struct line {
	struct stream	 st;
	struct stream	*real;
	uint64_t	 cut;		/* bytes in after which it ends; 0: no */
	uint64_t	 flip;		/* byte in that is another; 0: none */
	bool		 dribble;	/* a byte at a time */
	unsigned	 flipbit;
};

static ssize_t
line_read(struct stream *st, void *p, size_t n, struct err *e)
{
	struct line	*l = (struct line *)st;
	ssize_t		 k;

	if (l->dribble)
		n = 1;
	if (l->cut > 0) {
		if (st->in >= l->cut)
			return 0;
		if (n > l->cut - st->in)
			n = (size_t)(l->cut - st->in);
	}
	if ((k = l->real->read(l->real, p, n, e)) <= 0)
		return k;
	if (l->flip > st->in && l->flip <= st->in + (uint64_t)k)
		((uint8_t *)p)[l->flip - st->in - 1] ^=
		    (uint8_t)(1u << l->flipbit);
	st->in += (uint64_t)k;
	return k;
}

static ssize_t
line_write(struct stream *st, const void *p, size_t n, struct err *e)
{
	struct line	*l = (struct line *)st;

	return l->real->write(l->real, p, l->dribble ? 1 : n, e);
}

static int
line_wait(struct stream *st, int writing, int ms, struct err *e)
{
	struct line	*l = (struct line *)st;

	return l->real->wait(l->real, writing, ms, e);
}

static void
line_init(struct line *l, struct stream *real)
{
	memset(l, 0, sizeof(*l));
	l->real = real;
	l->st = (struct stream){ .read = line_read, .write = line_write,
	    .wait = line_wait, .name = "line" };
}

/* --- what is done with a server */

static void
fill(uint8_t *p, size_t n, uint64_t seed)
{
	while (n-- > 0)
		*p++ = (uint8_t)tap_rand(&seed);
}

static bool
on_disk(const char *path, const uint8_t *p, size_t n)
{
	uint8_t	*b = malloc(n + 1);
	int	 fd = open(path, O_RDONLY);
	ssize_t	 k = fd == -1 ? -1 : read(fd, b, n + 1);

	if (fd != -1)
		(void)close(fd);
	k = k == (ssize_t)n && memcmp(b, p, n) == 0;
	free(b);
	return k;
}

#define BIG	(3u << 20)

static void
files(struct sftp *s)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	uint8_t		 *p = malloc(BIG), *q = malloc(BIG);
	size_t		  i, got;
	bool		  gap = false;

	fill(p, BIG, 7);
	OK(sftp_stat(s, at("none"), &st, &er) == -ENOENT);
	OK(strstr(er.msg, "none") != NULL);
	OK(sftp_file_open(s, at("none"), SFTP_READ, &f, &st, &er) == -ENOENT);
	OK(sftp_file_open(s, at("a"), SFTP_READ | SFTP_WRITE | SFTP_CREAT |
	    SFTP_EXCL, &f, &st, &er) == 0);
	OK(st.size == 0 && (st.mode == 0 || S_ISREG(st.mode)));
	/* Small ones by the hundred, from the end, then one large. */
	for (i = 1000; i-- > 0;)
		OK(sftp_file_write(f, p + i * 100, 100, i * 100, &er) == 0);
	OK(sftp_file_write(f, p + 100000, BIG - 100000, 100000, &er) == 0);
	OK(sftp_file_sync(f, &er) == 0 && sftp_drain(s, &er) == 0);
	OK(on_disk(at("a"), p, BIG));
	for (i = 0; i < BIG; i += 4099)
		OK(sftp_file_read(f, q + i, BIG - i < 4099 ? BIG - i : 4099,
		    i, NULL, &er) == 0);
	OK(sftp_drain(s, &er) == 0 && memcmp(p, q, BIG) == 0);
	/* The end: an error, or what there is. */
	OK(sftp_file_read(f, q, 100, BIG - 10, NULL, &er) == 0);
	OK(sftp_drain(s, &er) == -EIO && strstr(er.msg, "it ends before"));
	OK(sftp_file_read(f, q, 100, BIG - 10, &got, &er) == 0);
	OK(sftp_drain(s, &er) == 0 && got == 10 && q[10] == 0 &&
	    memcmp(q, p + BIG - 10, 10) == 0);
	OK(sftp_file_read(f, q, 100, BIG + 10, &got, &er) == 0);
	OK(sftp_drain(s, &er) == 0 && got == 0);
	OK(sftp_file_size(f, 1000, &er) == 0);
	sftp_file_close(f);
	OK(sftp_stat(s, at("a"), &st, &er) == 0 && st.size == 1000);
	OK(sftp_file_open(s, at("a"), SFTP_WRITE | SFTP_CREAT | SFTP_EXCL, &f,
	    NULL, &er) < 0);
	/* Over another. */
	OK(sftp_file_open(s, at("b"), SFTP_WRITE | SFTP_CREAT, &f, NULL,
	    &er) == 0);
	OK(sftp_file_write(f, "b", 1, 0, &er) == 0);
	OK(sftp_drain(s, &er) == 0);
	sftp_file_close(f);
	OK(sftp_rename(s, at("b"), at("a"), &gap, &er) == 0);
	OK(gap == !sftp_can_replace(s));
	OK(on_disk(at("a"), (const uint8_t *)"b", 1));
	gap = false;
	OK(sftp_rename(s, at("a"), at("c"), &gap, &er) == 0 && !gap);
	OK(sftp_rename(s, at("none"), at("d"), &gap, &er) < 0);
	OK(sftp_remove(s, at("c"), &er) == 0);
	OK(sftp_remove(s, at("c"), &er) == -ENOENT);
	free(p);
	free(q);
}

static void
media(struct sftp *s)
{
	struct io_range	 v[9];
	struct err	 e2;
	struct io	*io;
	uint8_t		 b[9][600] = { { 0 } }, w[1024];
	uint64_t	 waits;
	size_t		 i;

	fill(w, sizeof(w), 9);
	OK(far_open(&io, s, at("m"), FAR_WRITE, 0, &er) == -ENOENT);
	OK(far_open(&io, s, at("m"), FAR_WRITE | FAR_CREATE, 65536, &er) == 0);
	OK(io->size == 65536 && io->block == 512 && far_bytes(io) == 65536);
	OK(io->ops->write(io, w, 512, 512, &er) == 0);
	OK(io_order(io, &er) == 0);
	OK(io->ops->write(io, w + 512, 512, 70000 - 70000 % 512, &er) == 0);
	OK(io->size > 65536 && io->ops->flush(io, &er) == 0);
	for (i = 0; i < 9; i++)
		v[i] = (struct io_range){ b[i], i + 1, 512 + i * 10 };
	waits = sftp_waits(s);
	OK(io_readv(io, v, 9, &er) == 0);
	OK(sftp_waits(s) <= waits + 1);
	for (i = 0; i < 9; i++)
		OK(memcmp(b[i], w + i * 10, i + 1) == 0);
	OK(io->ops->read(io, b[0], 100, io->size - 50, &er) == -EIO);
	OK(strstr(er.msg, "it ends before") != NULL);
	io_close(io);
	OK(far_open(&io, s, at("m"), FAR_WRITE | FAR_CREATE, 512, &er) < 0);
	OK(far_open(&io, s, at("m"), 0, 0, &er) == 0);
	OK(io->ops->write(io, w, 512, 0, &er) == -EINVAL);
	io_close(io);
	(void)mkdir(at("d"), 0755);
	OK(far_open(&io, s, at("d"), 0, 0, &e2) < 0);
	OK(sftp_remove(s, at("m"), &er) == 0);
}

/* One push as the mirror makes it: what it waits for. */
static void
waits(struct sftp *s)
{
	struct io_range	 v[8];
	struct io	*io;
	uint8_t		 b[8][76] = { { 0 } }, w[512] = { 1 };
	uint64_t	 n;
	size_t		 i;

	OK(far_open(&io, s, at("w"), FAR_WRITE | FAR_CREATE, 65536, &er) == 0);
	io_close(io);
	n = sftp_waits(s);
	OK(far_open(&io, s, at("w"), FAR_WRITE, 0, &er) == 0);
	for (i = 0; i < 8; i++)
		v[i] = (struct io_range){ b[i], 76, i * 4096 };
	OK(io_readv(io, v, 8, &er) == 0);
	OK(io_order(io, &er) == 0);
	OK(io->ops->write(io, w, 512, 4096, &er) == 0);
	OK(io->ops->flush(io, &er) == 0);
	io_close(io);
	/* Open and its stat may come apart. */
	OK(sftp_waits(s) - n <= 4);
	OK(sftp_remove(s, at("w"), &er) == 0);
}

static void
with(const char *server, void (*fn)(struct sftp *))
{
	struct stream	*st;
	struct sftp	*s;
	int		 fd = serve(server);

	if (!OK(fd != -1 && stream_fd(&st, fd, "host", &er) == 0))
		return;
	if (OK(sftp_open(&s, st, 10, &er) == 0))
		fn(s);
	else
		tap_diag("%s: %s", server, er.msg);
	sftp_close(s);
	stream_close(st);
	ended();
}

static void
each(void (*fn)(struct sftp *))
{
	size_t	 i, n = 0;

	for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (access(servers[i], X_OK) == 0) {
			with(servers[i], fn);
			n++;
		}
	if (n == 0)
		tap_skip("no SFTP server");
}

static void
files_are_what_they_are(void)
{
	each(files);
}

static void
a_file_is_a_medium(void)
{
	each(media);
}

static void
waiting_is_for_round_trips(void)
{
	each(waits);
}

static const char *
any(void)
{
	size_t	 i;

	for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		if (access(servers[i], X_OK) == 0)
			return servers[i];
	return NULL;
}

/* A small session over a line; what it made of it: 0 or -errno. */
static int
session(struct line *l, bool *read_ok)
{
	struct sftp	*s = NULL;
	struct io	*io = NULL;
	uint8_t		 w[600], b[600];
	int		 rc;

	*read_ok = false;
	fill(w, sizeof(w), 3);
	memset(b, 0, sizeof(b));
	if ((rc = sftp_open(&s, &l->st, 1, &er)) == 0 &&
	    (rc = far_open(&io, s, at("x"), FAR_WRITE | FAR_CREATE, 0,
	    &er)) == 0 &&
	    (rc = io->ops->write(io, w, 512, 0, &er)) == 0 &&
	    (rc = io->ops->flush(io, &er)) == 0 &&
	    (rc = io->ops->read(io, b, 512, 0, &er)) == 0)
		*read_ok = memcmp(b, w, 512) == 0;
	io_close(io);
	sftp_close(s);
	return rc;
}

static int
over(void (*set)(struct line *, uint64_t), uint64_t v, bool *read_ok,
    uint64_t *in)
{
	struct stream	*st;
	struct line	 l;
	int		 fd = serve(any()), rc;

	if (!OK(fd != -1 && stream_fd(&st, fd, "line", &er) == 0))
		return -EIO;
	line_init(&l, st);
	set(&l, v);
	rc = session(&l, read_ok);
	if (in != NULL)
		*in = l.st.in;
	stream_close(st);
	ended();
	(void)unlink(at("x"));
	return rc;
}

static void
set_none(struct line *l, uint64_t v)
{
	(void)l;
	(void)v;
}

static void
set_dribble(struct line *l, uint64_t v)
{
	(void)v;
	l->dribble = true;
}

static void
set_cut(struct line *l, uint64_t v)
{
	l->cut = v;
}

static void
set_flip(struct line *l, uint64_t v)
{
	l->flip = v / 8 + 1;
	l->flipbit = (unsigned)(v % 8);
}

static void
a_byte_at_a_time_is_enough(void)
{
	bool	 good;

	if (any() == NULL) {
		tap_skip("no SFTP server");
		return;
	}
	OK(over(set_dribble, 0, &good, NULL) == 0 && good);
}

static void
a_cut_anywhere_is_an_error(void)
{
	uint64_t	 in, i;
	bool		 good;

	if (any() == NULL) {
		tap_skip("no SFTP server");
		return;
	}
	OK(over(set_none, 0, &good, &in) == 0 && good);
	for (i = 1; i < in; i++)
		if (!OK(over(set_cut, i, &good, NULL) == -EPIPE)) {
			tap_diag("cut at %u of %u: %s", (unsigned)i,
			    (unsigned)in, er.msg);
			return;
		}
}

/* What is not in a content or in words is checked. */
static void
a_garbled_bit_never_hangs(void)
{
	uint64_t	 in, i, k, seed = tap_seed(20261125);
	bool		 good;
	int		 rc;

	if (any() == NULL) {
		tap_skip("no SFTP server");
		return;
	}
	OK(over(set_none, 0, &good, &in) == 0 && good);
	for (i = 0; i < 300; i++) {
		k = tap_rand(&seed) % (in * 8);
		rc = over(set_flip, k, &good, NULL);
		OK(rc <= 0);
		OK(rc == 0 || er.msg[0] != '\0');
		OK(strchr(er.msg, '\n') == NULL);
	}
}

static void
silence_ends(void)
{
	struct stream	*st;
	struct sftp	*s;
	int		 p[2];

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	OK(stream_fd(&st, p[0], "host", &er) == 0);
	OK(sftp_open(&s, st, 1, &er) == -ETIMEDOUT && s == NULL);
	OK(strcmp(er.msg, "host: no answer for 1 seconds") == 0);
	stream_close(st);
	(void)close(p[1]);
}

static void
a_server_that_dies_is_said(void)
{
	struct stream	*st;
	struct sftp	*s;
	struct io	*io;
	uint8_t		 b[512] = { 0 };

	if (any() == NULL) {
		tap_skip("no SFTP server");
		return;
	}
	OK(stream_fd(&st, serve(any()), "host", &er) == 0);
	OK(sftp_open(&s, st, 10, &er) == 0);
	OK(far_open(&io, s, at("y"), FAR_WRITE | FAR_CREATE, 512, &er) == 0);
	ended();
	(void)io->ops->write(io, b, 512, 0, &er);
	OK(io->ops->flush(io, &er) < 0 && er.msg[0] != '\0');
	OK(io->ops->write(io, b, 512, 0, &er) < 0);
	OK(io->ops->flush(io, &er) < 0);
	io_close(io);
	sftp_close(s);
	stream_close(st);
	(void)unlink(at("y"));
}

static const struct tap_case cases[] = {
	{ "files are read, written, renamed", files_are_what_they_are },
	{ "a file there is a medium", a_file_is_a_medium },
	{ "a push waits four times", waiting_is_for_round_trips },
	{ "a byte at a time is enough", a_byte_at_a_time_is_enough },
	{ "a cut anywhere is an error", a_cut_anywhere_is_an_error },
	{ "a garbled bit never hangs", a_garbled_bit_never_hangs },
	{ "silence ends", silence_ends },
	{ "a server that dies is said", a_server_that_dies_is_said },
};

int
main(int argc, char **argv)
{
	int	 rc;

	(void)signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(dir) == NULL)
		return 2;
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	(void)rmdir(at("d"));
	(void)rmdir(dir);
	return rc;
}
