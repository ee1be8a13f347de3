/*
 * sftpbad.c: servers that lie, cut and garble.  Their answers are those of
 * real servers, recorded and spoilt, or made by hand.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/sftp.h"
#include "sftpkit.h"
#include "tap.h"

static char		 dir[64];
static struct err	 e;
static struct buf	 said[KINDS];	/* by each server */

static int
replay(const void *p, size_t n, struct session *res)
{
	struct script	 sc;

	e = (struct err){ 0, "" };
	script_open(&sc, p, n);
	return session_run(&sc.st, "/session", res, &e);
}

static bool
told(int rc)
{
	return rc < 0 && e.code == -rc && strstr(e.msg, "far") != NULL;
}

static bool
is_right(const struct session *n)
{
	uint8_t	 b[SESSION_LEN];

	session_file(b);
	return memcmp(n->part, b, sizeof(n->part)) == 0 && n->got == 10 &&
	    memcmp(n->tail, b + SESSION_LEN - 10, 10) == 0 &&
	    n->tail[10] == 0;
}

static void
what_was_recorded_is_a_session(void)
{
	struct session	 n;
	int		 kind;

	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind)) {
			tap_skip("not both servers are here");
			continue;
		}
		OK(said[kind].len > 0);
		OK(replay(said[kind].p, said[kind].len, &n) == 0);
		OK(is_right(&n));
	}
}

static void
a_cut_at_any_byte_is_an_error(void)
{
	struct session	 n;
	uint8_t		*p;
	size_t		 k;
	int		 kind, rc;

	for (kind = 0; kind < KINDS; kind++)
		for (k = 0; k < said[kind].len; k++) {
			/* A copy of its own size, for the sanitizers. */
			p = malloc(k + 1);
			memcpy(p, said[kind].p, k);
			rc = replay(p, k, &n);
			OK(rc == -EPIPE && told(rc));
			free(p);
		}
}

static size_t
packet(const struct buf *b, size_t pos)
{
	return pos + 4 + b->p[pos + 3] + 256u * b->p[pos + 2];
}

/*
 * The bytes of a packet that say what it is: length, type, number; the
 * length of what is in it; how it went, but for a close.
 */
static size_t
frame_len(const struct buf *b, size_t pos)
{
	size_t	 next = packet(b, pos);

	switch (b->p[pos + 4]) {
	case 102:
	case 103:
		return 13;
	case 101:
		return next < b->len && b->p[next + 4] == 105 ? 9 : 13;
	default:
		return 9;
	}
}

static void
a_flipped_bit_in_a_frame_is_an_error(void)
{
	struct session	 n;
	struct buf	*b;
	size_t		 pos, i, tries = 0;
	int		 bit, kind, rc;

	for (kind = 0; kind < KINDS; kind++) {
		b = &said[kind];
		/* Behind the last there is nothing that could not fit. */
		for (pos = 0; pos < b->len && packet(b, pos) < b->len;
		    pos = packet(b, pos))
			for (i = 0; i < 8 * frame_len(b, pos); i++) {
				bit = 1 << i % 8;
				b->p[pos + i / 8] ^= (uint8_t)bit;
				rc = replay(b->p, b->len, &n);
				if (!OK(rc < 0 && told(rc)))
					tap_diag("byte %zu of the packet at "
					    "%zu, bit %d", i / 8, pos, bit);
				b->p[pos + i / 8] ^= (uint8_t)bit;
				tries++;
			}
	}
	tap_diag("%zu bits", tries);
}

static void
garbled_bytes_do_no_harm(void)
{
	uint64_t	 rng = tap_seed(4711);
	struct session	 n;
	struct buf	*b;
	size_t		 k;
	uint8_t		*p;
	int		 i, rc, good = 0;

	for (i = 0; i < 4000; i++) {
		b = &said[i % KINDS];
		if (b->len == 0)
			continue;
		p = malloc(b->len);
		memcpy(p, b->p, b->len);
		for (k = 1 + tap_rand(&rng) % 6; k > 0; k--)
			p[tap_rand(&rng) % b->len] = (uint8_t)
			    (tap_rand(&rng) >> 40);
		rc = replay(p, b->len, &n);
		OK(rc == 0 || told(rc));
		good += rc == 0;
		free(p);
	}
	tap_diag("%d of 4000 not noticed", good);
}

#define HELLO	"\0\0\0\x05\x02\0\0\0\x03"
#define HANDLE	"\0\0\0\x0a\x66\0\0\0\1\0\0\0\1h"
#define ID2	"\0\0\0\2"

/* What comes as the answer to "read 4 bytes", by number 2. */
static const struct lie {
	const char	*what;
	const char	*p;
	size_t		 n;
	int		 rc;		/* of the drain */
	const char	*line;
} lies[] = {
#define LIE(what, bytes, rc, line) { what, bytes, sizeof(bytes) - 1, rc, line }
	LIE("the truth", "\0\0\0\x0d\x67" ID2 "\0\0\0\4good", 0, ""),
	LIE("the truth in two pieces", "\0\0\0\x0b\x67" ID2 "\0\0\0\2go"
	    "\0\0\0\x0b\x67" ID2 "\0\0\0\2od", 0, ""),
	LIE("more than was asked", "\0\0\0\x0e\x67" ID2 "\0\0\0\5goods",
	    -EPROTO, "data that nobody asked for"),
	LIE("nothing", "\0\0\0\x09\x67" ID2 "\0\0\0\0", -EPROTO, "data"),
	LIE("more than is there", "\0\0\0\x0b\x67" ID2 "\0\0\0\4go",
	    -EPROTO, "data"),
	LIE("less than is there", "\0\0\0\x0d\x67" ID2 "\0\0\0\3good",
	    -EPROTO, "data"),
	LIE("the largest length", "\0\0\0\x0d\x67" ID2 "\xff\xff\xff\xffgood",
	    -EPROTO, "data"),
	LIE("no length", "\0\0\0\x07\x67" ID2 "\0\0", -EPROTO, "data"),
	LIE("another number", "\0\0\0\x0d\x67\0\0\0\3\0\0\0\4good",
	    -EPROTO, "nobody waits for"),
	LIE("a number of long ago", "\0\0\0\x0d\x67\0\0\0\1\0\0\0\4good",
	    -EPROTO, "nobody waits for"),
	LIE("a number of the same slot", "\0\0\0\x0d\x67\0\0\1\2\0\0\0\4good",
	    -EPROTO, "nobody waits for"),
	LIE("no number", "\0\0\0\3\x67\0\0", -EPROTO, "a packet of 3 bytes"),
	LIE("an empty packet", "\0\0\0\0", -EPROTO, "a packet of 0 bytes"),
	LIE("a packet too large", "\0\4\0\1\x67", -EPROTO,
	    "a packet of 262145 bytes"),
	LIE("a packet of gigabytes", "\xff\xff\xff\xff\x67", -EPROTO,
	    "a packet of 4294967295 bytes"),
	LIE("a handle", "\0\0\0\x0a\x66" ID2 "\0\0\0\1h", -EPROTO,
	    "a handle"),
	LIE("attributes", "\0\0\0\x09\x69" ID2 "\0\0\0\0", -EPROTO,
	    "attributes that nobody asked for"),
	LIE("a greeting", HELLO, -EPROTO, "a version"),
	LIE("names", "\0\0\0\x09\x68" ID2 "\0\0\0\0", -EPROTO,
	    "of an unknown type"),
	LIE("a request", "\0\0\0\x09\x05" ID2 "\0\0\0\0", -EPROTO,
	    "of an unknown type"),
	LIE("success without data", "\0\0\0\x11\x65" ID2
	    "\0\0\0\0\0\0\0\0\0\0\0\0", -EPROTO, "without what was asked"),
	LIE("a status without a code", "\0\0\0\x07\x65" ID2 "\0\0", -EPROTO,
	    "a status"),
	LIE("words longer than the packet", "\0\0\0\x0e\x65" ID2
	    "\0\0\0\4\0\0\0\2a", -EPROTO, "a status"),
	LIE("a status of old", "\0\0\0\x09\x65" ID2 "\0\0\0\4", -EIO,
	    "read far:/f: it failed"),
	LIE("words for a terminal", "\0\0\0\x11\x65" ID2 "\0\0\0\4\0\0\0\4"
	    "a\7\n\x9b", -EIO, "read far:/f: a???"),
	LIE("a full disk of later versions", "\0\0\0\x09\x65" ID2
	    "\0\0\0\x0e", -ENOSPC, "read far:/f: "),
	LIE("a code of the future", "\0\0\0\x09\x65" ID2 "\xff\xff\xff\xff",
	    -EIO, "read far:/f: "),
	LIE("the end of the file", "\0\0\0\x09\x65" ID2 "\0\0\0\1", -EIO,
	    "read far:/f: it ends before"),
	LIE("the end of the connection", "", -EPIPE,
	    "far: the connection was closed"),
};

/* Open "/f" and read 4 bytes from what is in b behind HELLO and HANDLE. */
static int
read_four(const struct buf *b, bool early, char got[4])
{
	struct sftp_file *f = NULL;
	struct script	  sc;
	struct sftp	 *s;
	int		  rc;

	e = (struct err){ 0, "" };
	script_open(&sc, b->p, b->len);
	if (!OK(sftp_open(&s, &sc.st, 20, &e) == 0))
		return -EIO;
	sc.early = early;
	rc = sftp_file_open(s, "/f", SFTP_READ, &f, NULL, &e);
	if (rc == 0 && (rc = sftp_file_read(f, got, 4, 0, NULL, &e)) == 0)
		rc = sftp_drain(s, &e);
	sftp_file_close(f);
	sftp_close(s);
	return rc;
}

static void
a_lie_is_called_one(void)
{
	const struct lie *l = lies;
	char		  got[4];
	size_t		  i;
	int		  rc;

	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++, l++) {
		struct buf	 b = BUF_INIT;

		put_bytes(&b, HELLO HANDLE, sizeof(HELLO HANDLE) - 1);
		put_bytes(&b, l->p, l->n);
		memset(got, '?', sizeof(got));
		rc = read_four(&b, false, got);
		if (!OK(rc == l->rc && strstr(e.msg, l->line) != NULL))
			tap_diag("%s: %d, %s", l->what, rc, e.msg);
		OK(rc != 0 || memcmp(got, "good", 4) == 0);
		OK(rc != -EPROTO || told(rc));
		buf_free(&b);
	}
}

/* Else it could be answered for ever, and we would ask for ever. */
static void
no_answer_comes_before_its_question(void)
{
	struct buf	 b = BUF_INIT;
	char		 got[4];

	put_bytes(&b, HELLO HANDLE, sizeof(HELLO HANDLE) - 1);
	put_bytes(&b, lies[0].p, lies[0].n);
	OK(read_four(&b, true, got) == -EPROTO);
	OK(strstr(e.msg, "that nobody waits for") != NULL);
	b.len = sizeof(HELLO HANDLE) - 1;
	put_bytes(&b, lies[1].p, lies[1].n);
	OK(read_four(&b, false, got) == 0);
	buf_free(&b);
}

static int
greeted(const void *p, size_t n)
{
	struct script	 sc;
	struct sftp	*s;
	int		 rc;

	e = (struct err){ 0, "" };
	script_open(&sc, p, n);
	rc = sftp_open(&s, &sc.st, 20, &e);
	OK((rc == 0) == (s != NULL));
	sftp_close(s);
	return rc;
}

static void
a_greeting_is_checked(void)
{
	OK(greeted(HELLO, 9) == 0);
	OK(greeted("\0\0\0\x05\x02\0\0\0\x02", 9) == -EPROTO);
	OK(strstr(e.msg, "far: speaks SFTP version 2, not 3") != NULL);
	OK(greeted("\0\0\0\x05\x02\0\0\0\x06", 9) == -EPROTO);
	OK(greeted("\0\0\0\x06\x02\0\0\0\x03\0", 10) == -EPROTO);
	OK(greeted("\0\0\0\x0a\x02\0\0\0\x03\0\0\0\2a", 14) == -EPROTO);
	OK(strstr(e.msg, "far: garbled SFTP: extensions") != NULL);
	/* A shell that has something to say. */
	OK(greeted("Welcome to far.\n", 16) == -EPROTO);
	OK(strstr(e.msg, "far: not SFTP: ") != NULL);
	OK(greeted("\0\0\0\x09\x65\0\0\0\0\0\0\0\0", 13) == -EPROTO);
	OK(greeted("", 0) == -EPIPE);
}

/* Attributes without a size are not those of an empty file. */
static void
a_size_is_not_made_up(void)
{
	static const char	 attrs[] = HELLO "\0\0\0\x15\x69\0\0\0\1"
	    "\0\0\0\x0c\0\0\x81\xa4\0\0\0\1\0\0\0\1", mode[] = HELLO
	    "\0\0\0\x15\x69\0\0\0\1"
	    "\0\0\0\5\0\0\0\0\0\0\0\7\0\0\1\xa4", huge[] = HELLO
	    "\0\0\0\x11\x69\0\0\0\1\0\0\0\1\x80\0\0\0\0\0\0\0";
	static const struct { const char *p; size_t n; int rc; } t[] = {
		{ attrs, sizeof(attrs) - 1, -EPROTO },
		{ mode, sizeof(mode) - 1, 0 },
		{ huge, sizeof(huge) - 1, -EPROTO } };
	struct sftp_stat	 st;
	struct script		 sc;
	struct sftp		*s;
	size_t			 i;

	for (i = 0; i < 3; i++) {
		script_open(&sc, t[i].p, t[i].n);
		OK(sftp_open(&s, &sc.st, 20, &e) == 0);
		OK(sftp_stat(s, "/f", &st, &e) == t[i].rc);
		/* Permissions without a type say nothing of the type. */
		OK(t[i].rc != 0 || (st.size == 7 && st.mode == 0));
		sftp_close(s);
	}
}

/*
 * A file of 40,000 bytes grows while it is read: of its two pieces the
 * first meets the end, the second does not.
 */
static void
nothing_is_behind_the_end(void)
{
	static uint8_t	  b[40000];
	struct buf	  in = BUF_INIT;
	struct sftp_file *f = NULL;
	struct script	  sc;
	struct sftp	 *s;
	size_t		  got, i, order;

	for (order = 0; order < 2; order++) {
		in.len = 0;
		put_bytes(&in, HELLO HANDLE, sizeof(HELLO HANDLE) - 1);
		put_bytes(&in, "\0\0\0\x0c\x67" ID2 "\0\0\0\3abc", 16);
		if (order == 0)
			put_bytes(&in, "\0\0\0\x09\x65" ID2 "\0\0\0\1", 13);
		put_bytes(&in, "\0\0\x1c\x49\x67\0\0\0\3\0\0\x1c\x40", 13);
		for (i = 0; i < 0x1c40; i++)
			put_u8(&in, 'x');
		if (order == 1)
			put_bytes(&in, "\0\0\0\x09\x65" ID2 "\0\0\0\1", 13);
		script_open(&sc, in.p, in.len);
		OK(sftp_open(&s, &sc.st, 20, &e) == 0);
		OK(sftp_file_open(s, "/f", SFTP_READ, &f, NULL, &e) == 0);
		OK(sftp_file_read(f, b, sizeof(b), 0, &got, &e) == 0);
		OK(sftp_drain(s, &e) == 0 && got == 3);
		OK(memcmp(b, "abc", 3) == 0);
		for (i = 3; i < sizeof(b) && b[i] == 0; i++)
			;
		OK(i == sizeof(b));
		sftp_file_close(f);
		sftp_close(s);
	}
	buf_free(&in);
}

static bool
all_of(int fd, void *p, size_t n, bool out)
{
	uint8_t	*b = p;
	ssize_t	 k;

	for (; n > 0; n -= (size_t)k, b += k) {
		k = out ? write(fd, b, n) : read(fd, b, n);
		if (k <= 0)
			return false;
	}
	return true;
}

/*
 * A server that is as simple as the draft allows: one request, one answer,
 * and it reads nothing while nobody takes that.
 */
static void
serve_simply(int fd)
{
	static uint8_t	 p[40000], a[13 + 32768];
	size_t		 n, k;

	for (;;) {
		if (!all_of(fd, p, 4, false))
			_exit(0);
		n = (size_t)p[2] << 8 | p[3];
		if (!all_of(fd, p, n, false))
			_exit(0);
		memset(a, 0, sizeof(a));
		k = 9;
		memcpy(a + 5, p + 1, 4);	/* the number, or version */
		a[4] = p[0] == 1 ? 2 : p[0] == 3 ? 102 : p[0] == 5 ? 103 : 101;
		if (p[0] != 1)
			k = p[0] == 5 ? sizeof(a) : 13;
		a[11] = p[0] == 5 ? 0x80 : 0;	/* 32768 bytes */
		a[2] = (uint8_t)((k - 4) >> 8);
		a[3] = (uint8_t)(k - 4);
		if (!all_of(fd, a, k, true))
			_exit(0);
	}
}

/* 3 MB of answers are due, and 6 MB of requests have to go out. */
static void
neither_side_waits_for_the_other_to_read(void)
{
	uint8_t		 *b = calloc(1, 6u << 20);
	struct sftp_file *f = NULL;
	struct stream	 *st = NULL;
	struct sftp	 *s = NULL;
	pid_t		  pid;
	int		  p[2], little = 4096;

	OK(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0);
	/* Less than a packet is on the way at any time. */
	OK(setsockopt(p[0], SOL_SOCKET, SO_SNDBUF, &little,
	    sizeof(little)) == 0);
	OK(setsockopt(p[1], SOL_SOCKET, SO_SNDBUF, &little,
	    sizeof(little)) == 0);
	if ((pid = fork()) == 0) {
		(void)close(p[0]);
		serve_simply(p[1]);
	}
	(void)close(p[1]);
	OK(stream_fd(&st, p[0], "far", &e) == 0);
	OK(sftp_open(&s, st, 2, &e) == 0);
	OK(sftp_file_open(s, "/f", SFTP_READ, &f, NULL, &e) == 0);
	OK(sftp_file_read(f, b, 3u << 20, 0, NULL, &e) == 0);
	OK(sftp_file_write(f, b + (3u << 20), 3u << 20, 0, &e) == 0);
	OK(sftp_file_write(f, b + (3u << 20), 3u << 20, 0, &e) == 0);
	if (!OK(sftp_drain(s, &e) == 0))
		tap_diag("%s", e.msg);
	sftp_file_close(f);
	sftp_close(s);
	stream_close(st);
	OK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	free(b);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "what was recorded is a session",
		    what_was_recorded_is_a_session },
		{ "a cut at any byte is an error",
		    a_cut_at_any_byte_is_an_error },
		{ "a flipped bit in the frame of an answer is an error",
		    a_flipped_bit_in_a_frame_is_an_error },
		{ "garbled bytes do no harm", garbled_bytes_do_no_harm },
		{ "a lie is called one", a_lie_is_called_one },
		{ "no answer comes before its question",
		    no_answer_comes_before_its_question },
		{ "a greeting is checked", a_greeting_is_checked },
		{ "a size is not made up", a_size_is_not_made_up },
		{ "nothing is behind the end", nothing_is_behind_the_end },
		{ "neither side waits for the other to read",
		    neither_side_waits_for_the_other_to_read },
	};
	char	 rm[128];
	int	 kind, rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-sftpbad.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	for (kind = 0; kind < KINDS; kind++)
		if (host_has(kind) &&
		    !session_record(kind, dir, &said[kind]))
			buf_free(&said[kind]);
	(void)alarm(120);	/* a hang is a failure */
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	for (kind = 0; kind < KINDS; kind++)
		buf_free(&said[kind]);
	(void)snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
