/*
 * sftp.c: the SFTP client keeps its promises with two servers that have
 * nothing in common but the draft: OpenSSH's and Green End's.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/sftp.h"
#include "sftpkit.h"
#include "simio.h"
#include "tap.h"

#define SECONDS	20		/* no answer takes so long */
#define NOBODY	65534

static char		 dir[64];
static bool		 own_ns;	/* what is mounted is ours */
static struct far_host	 host;
static struct filter	 flt;		/* over it */
static bool		 plain;		/* a host without extensions */
static struct sftp	*s;
static struct err	 e;

static const char *
at(const char *name)
{
	static char	 p[4][160];
	static int	 i;

	i = (i + 1) % 4;
	(void)snprintf(p[i], sizeof(p[i]), "%s/%s", dir, name);
	return p[i];
}

static bool
says(const char *what)
{
	if (strstr(e.msg, what) != NULL)
		return true;
	tap_diag("the line is: %s", e.msg);
	return false;
}

static void
put_file(const char *name, const void *p, size_t n, mode_t mode)
{
	int	 fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	OK(fd != -1 && write(fd, p, n) == (ssize_t)n && fchmod(fd, mode) == 0);
	(void)close(fd);
}

static bool
file_is(const char *name, const void *p, size_t n)
{
	uint8_t	*b = malloc(n + 1);
	int	 fd = open(at(name), O_RDONLY);
	bool	 is;

	is = fd != -1 && b != NULL && read(fd, b, n + 1) == (ssize_t)n &&
	    memcmp(b, p, n) == 0;
	if (fd != -1)
		(void)close(fd);
	free(b);
	return is;
}

static bool
begin(int kind, uid_t uid, uint64_t fsize)
{
	e = (struct err){ 0, "" };
	s = NULL;
	if (!OK(host_start(&host, kind, uid, fsize)))
		return false;
	filter_open(&flt, host.st);
	flt.plain = plain;
	if (OK(sftp_open(&s, &flt.st, SECONDS, &e) == 0))
		return true;
	tap_diag("%s", e.msg);
	return false;
}

static void
end(void)
{
	sftp_close(s);
	s = NULL;
	filter_free(&flt);
	host_stop(&host);
}

/* Run a case with each server. */
static void
with_each(void (*fn)(void))
{
	int	 kind;

	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind)) {
			tap_skip(kind == OPENSSH ? "no sftp-server" :
			    "no gesftpserver");
			continue;
		}
		if (begin(kind, 0, 0))
			fn();
		end();
	}
}

/* The same, and once more without extensions. */
static void
with_each_and_less(void (*fn)(void))
{
	with_each(fn);
	plain = true;
	with_each(fn);
	plain = false;
}

static void
trips(void)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	uint8_t		  b[8][300], w[512] = { 7 };
	uint8_t		  all[8 * 300];
	size_t		  i;

	for (i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 7 + i / 256);
	put_file("trips", all, sizeof(all), 0640);
	OK(sftp_can_fsync(s) == !plain && sftp_can_replace(s) == !plain);
	OK(sftp_waits(s) == 1);
	OK(sftp_file_open(s, at("trips"), SFTP_READ | SFTP_WRITE, &f, &st,
	    &e) == 0);
	OK(st.size == sizeof(all) && st.mode == (S_IFREG | 0640));
	OK(sftp_waits(s) == 2);
	for (i = 0; i < 8; i++)
		OK(sftp_file_read(f, b[i], 300, i * 300, NULL, &e) == 0);
	OK(sftp_waits(s) == 2);
	OK(sftp_drain(s, &e) == 0 && memcmp(b, all, sizeof(all)) == 0);
	OK(sftp_waits(s) == 3);
	OK(sftp_file_write(f, w, sizeof(w), 0, &e) == 0);
	OK(sftp_file_sync(f, &e) == 0);
	OK(sftp_drain(s, &e) == 0);
	sftp_file_close(f);
	OK(sftp_waits(s) == 4);
	memcpy(all, w, sizeof(w));
	OK(file_is("trips", all, sizeof(all)));
	OK(sftp_drain(s, &e) == 0);
}

static void
round_trips_are_three(void)
{
	with_each_and_less(trips);
}

#define BIG	(3u << 20)

static size_t
some(uint64_t *rng)
{
	return 1 + tap_rand(rng) % (tap_rand(rng) % 4 == 0 ? 200000 : 900);
}

/*
 * Hundreds of requests of all sizes, with a drain only now and then: what
 * is read is what was written before, by a model that is an array.  Or
 * the reads are drained before each write.
 */
static void
mixed(struct sftp_file *f, uint8_t *model, uint64_t rng, int ops, bool apart)
{
	uint8_t	*got[40], *want[40], w[200000];
	size_t	 len[40], n, off, i, k = 0;

	for (; ops > 0; ops--) {
		n = some(&rng);
		off = tap_rand(&rng) % (BIG - n);
		if (tap_rand(&rng) % 2 == 0) {
			for (i = 0; i < n; i++)
				w[i] = (uint8_t)(tap_rand(&rng) >> 40);
			OK(sftp_file_write(f, w, n, off, &e) == 0);
			memcpy(model + off, w, n);
		} else {
			got[k] = malloc(n);
			want[k] = xmemdup(model + off, n);
			len[k] = n;
			OK(sftp_file_read(f, got[k], n, off, NULL, &e) == 0);
			k++;
		}
		if (k < 40 && ops > 1 && !apart)
			continue;
		OK(sftp_drain(s, &e) == 0);
		for (; k > 0; k--) {
			OK(memcmp(got[k - 1], want[k - 1], len[k - 1]) == 0);
			free(got[k - 1]);
			free(want[k - 1]);
		}
	}
}

static void
many(void)
{
	struct sftp_file *f;
	uint8_t		 *model = calloc(1, BIG);
	uint64_t	  seed = tap_seed(20261125);

	OK(sftp_file_open(s, at("many"), SFTP_READ | SFTP_WRITE | SFTP_CREAT |
	    SFTP_TRUNC, &f, NULL, &e) == 0);
	OK(sftp_file_size(f, BIG, &e) == 0);
	mixed(f, model, seed, 500, false);
	sftp_file_close(f);
	OK(sftp_drain(s, &e) == 0 && file_is("many", model, BIG));
	free(model);
}

static void
hundreds_of_requests_keep_their_order(void)
{
	with_each(many);
}

/* Answers worth megabytes stand in the way of requests worth as many. */
static void
crossed(void)
{
	struct sftp_file *f, *g;
	uint8_t		 *in = malloc(BIG), *out = malloc(2 * BIG);
	uint64_t	  rng = 5;
	size_t		  i;

	for (i = 0; i < 2 * BIG; i++)
		out[i] = (uint8_t)(tap_rand(&rng) >> 40);
	put_file("from", out + BIG, BIG, 0600);
	OK(sftp_file_open(s, at("from"), SFTP_READ, &f, NULL, &e) == 0);
	OK(sftp_file_open(s, at("to"), SFTP_WRITE | SFTP_CREAT | SFTP_TRUNC,
	    &g, NULL, &e) == 0);
	OK(sftp_file_read(f, in, BIG, 0, NULL, &e) == 0);
	OK(sftp_file_write(g, out, 2 * BIG, 0, &e) == 0);
	OK(sftp_drain(s, &e) == 0);
	OK(memcmp(in, out + BIG, BIG) == 0 && file_is("to", out, 2 * BIG));
	sftp_file_close(f);
	sftp_file_close(g);
	free(in);
	free(out);
}

static void
megabytes_may_cross(void)
{
	with_each(crossed);
}

static void
through(int kind, bool dribble, uint64_t seed)
{
	struct sftp_file *f;
	uint8_t		 *model = calloc(1, BIG);

	if (!host_has(kind) || !OK(host_start(&host, kind, 0, 0))) {
		free(model);
		return;
	}
	filter_open(&flt, host.st);
	flt.dribble = dribble;
	flt.lean = !dribble;
	flt.rng = seed;
	OK(sftp_open(&s, &flt.st, SECONDS, &e) == 0);
	OK(sftp_file_open(s, at("thr"), SFTP_READ | SFTP_WRITE | SFTP_CREAT |
	    SFTP_TRUNC, &f, NULL, &e) == 0);
	OK(sftp_file_size(f, BIG, &e) == 0);
	mixed(f, model, seed, dribble ? 10 : 200, flt.lean);
	sftp_file_close(f);
	OK(sftp_drain(s, &e) == 0 && file_is("thr", model, BIG));
	end();
	free(model);
}

static void
one_byte_at_a_time_is_enough(void)
{
	uint64_t	 seed = tap_seed(77);

	through(OPENSSH, true, seed);
	through(GREENEND, true, seed);
}

static void
an_answer_cut_short_is_gone_on_with(void)
{
	uint64_t	 seed = tap_seed(78);

	through(OPENSSH, false, seed);
	through(GREENEND, false, seed);
}

static void
ends(void)
{
	static uint8_t	  b[100000], all[70000];
	struct sftp_file *f;
	size_t		  i, got = 9, got2 = 9, got3 = 9;

	for (i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i % 251 + 1);
	memset(b, 0xee, sizeof(b));
	put_file("ends", all, sizeof(all), 0600);
	OK(sftp_file_open(s, at("ends"), SFTP_READ, &f, NULL, &e) == 0);
	OK(sftp_file_read(f, b, 1000, 69001, NULL, &e) == 0);
	OK(sftp_drain(s, &e) == -EIO && says("ends: it ends before"));
	OK(says("read far:/"));
	OK(sftp_drain(s, &e) == 0);		/* told once */
	OK(sftp_file_read(f, b, 1000, 69000, NULL, &e) == 0);
	OK(sftp_drain(s, &e) == 0 && memcmp(b, all + 69000, 1000) == 0);
	OK(sftp_file_read(f, b, sizeof(b), 0, &got, &e) == 0);
	OK(sftp_drain(s, &e) == 0 && got == sizeof(all));
	OK(memcmp(b, all, sizeof(all)) == 0);
	for (i = sizeof(all); i < sizeof(b); i++)
		OK(b[i] == 0);
	OK(sftp_file_read(f, b, 100, 70000, &got2, &e) == 0);
	OK(sftp_file_read(f, b + 100, 100, 69999, &got3, &e) == 0);
	OK(sftp_drain(s, &e) == 0 && got2 == 0 && got3 == 1);
	OK(b[0] == 0 && b[100] == all[69999] && b[101] == 0);
	OK(sftp_file_read(f, b, 0, 70000, &got2, &e) == 0 && got2 == 0);
	sftp_file_close(f);
}

static void
the_end_of_a_file_is_told(void)
{
	with_each(ends);
}

static void
refuses(void)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	bool		  gap = false;

	OK(sftp_stat(s, at("no\nsuch"), &st, &e) == -ENOENT);
	OK(says("stat far:/") && says("/no?such: no such file"));
	OK(st.size == 0 && st.mode == 0);
	OK(sftp_file_open(s, at("nosuch"), SFTP_READ, &f, &st, &e) == -ENOENT);
	OK(f == NULL && says("open far:/") && says("/nosuch: no such file"));
	OK(sftp_remove(s, at("nosuch"), &e) == -ENOENT);
	OK(says("remove far:/") && says("/nosuch: no such file"));
	OK(sftp_rename(s, at("nosuch"), at("other"), &gap, &e) == -ENOENT);
	OK(says("rename far:/") && says("/nosuch: no such file") && !gap);
	(void)mkdir(at("dir"), 0755);
	OK(sftp_stat(s, at("dir"), &st, &e) == 0 && S_ISDIR(st.mode));
	OK(sftp_file_open(s, at("dir"), SFTP_READ | SFTP_WRITE, &f, &st,
	    &e) < 0 && S_ISDIR(st.mode) && says("open far:/"));
	put_file("there", "x", 1, 0600);
	OK(sftp_file_open(s, at("there"), SFTP_WRITE | SFTP_CREAT |
	    SFTP_EXCL, &f, NULL, &e) < 0 && f == NULL);
	OK(file_is("there", "x", 1));
	/* And it goes on. */
	OK(sftp_stat(s, at("there"), &st, &e) == 0 && st.size == 1);
	OK(sftp_remove(s, at("there"), &e) == 0 &&
	    access(at("there"), F_OK) == -1);
	OK(sftp_file_open(s, at("new"), SFTP_WRITE | SFTP_CREAT | SFTP_EXCL,
	    &f, &st, &e) == 0 && st.size == 0 && st.mode == (S_IFREG | 0600));
	OK(sftp_file_size(f, 12345, &e) == 0);
	sftp_file_close(f);
	OK(sftp_stat(s, at("new"), &st, &e) == 0 && st.size == 12345);
	OK(sftp_remove(s, at("new"), &e) == 0);
}

static void
what_is_refused_is_named(void)
{
	with_each(refuses);
}

static void
the_server_s_user_counts(void)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	int		  kind;
	bool		  gap = false;

	if (geteuid() != 0) {
		tap_skip("only root can be someone else");
		return;
	}
	put_file("secret", "abc", 3, 0600);
	(void)mkdir(at("closed"), 0700);
	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind) || !begin(kind, NOBODY, 0))
			continue;
		OK(sftp_file_open(s, at("secret"), SFTP_READ, &f, &st,
		    &e) == -EACCES && f == NULL);
		OK(says("/secret: permission denied") && st.size == 3);
		OK(sftp_stat(s, at("closed/x"), &st, &e) == -EACCES);
		OK(sftp_remove(s, at("secret"), &e) == -EACCES);
		OK(sftp_rename(s, at("secret"), at("taken"), &gap,
		    &e) == -EACCES && !gap);
		OK(file_is("secret", "abc", 3));
		end();
	}
}

static void
renames(void)
{
	bool	 gap = false;

	(void)unlink(at("b"));
	put_file("a", "one", 3, 0600);
	OK(sftp_rename(s, at("a"), at("b"), &gap, &e) == 0 && !gap);
	OK(file_is("b", "one", 3) && access(at("a"), F_OK) == -1);
	put_file("a", "two", 3, 0600);
	OK(sftp_rename(s, at("a"), at("b"), &gap, &e) == 0);
	OK(gap == plain);
	OK(file_is("b", "two", 3) && access(at("a"), F_OK) == -1);
	/* What is there stays where nothing comes in its place. */
	gap = false;
	OK(sftp_rename(s, at("a"), at("b"), &gap, &e) == -ENOENT);
	OK(!gap && file_is("b", "two", 3));
	put_file("a", "three", 5, 0600);
	(void)mkdir(at("full"), 0755);
	put_file("full/x", "y", 1, 0600);
	OK(sftp_rename(s, at("a"), at("full"), &gap, &e) < 0);
	OK(!gap && says("rename far:/") && file_is("full/x", "y", 1));
	OK(file_is("a", "three", 5));
}

static void
a_rename_replaces_and_loses_nothing(void)
{
	with_each_and_less(renames);
}

static void
a_full_disk_is_told(void)
{
	static uint8_t	  b[1 << 20];
	struct sftp_file *f;
	int		  kind, rc;

	if (!own_ns) {
		tap_skip("no mount namespace of its own");
		return;
	}
	(void)mkdir(at("disk"), 0755);
#ifdef __linux__
	OK(mount("none", at("disk"), "tmpfs", 0, "size=256k") == 0);
#endif
	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind) || !begin(kind, 0, 0))
			continue;
		OK(sftp_file_open(s, at("disk/f"), SFTP_WRITE | SFTP_CREAT,
		    &f, NULL, &e) == 0);
		OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
		rc = sftp_drain(s, &e);
		/* One of them says why, the other only that. */
		OK(rc == (kind == OPENSSH ? -EIO : -ENOSPC));
		OK(says("write far:/") && says("/disk/f: "));
		OK(sftp_drain(s, &e) == 0);
		OK(sftp_file_failed(f, &e) == rc && says("/disk/f: "));
		sftp_file_close(f);
		OK(sftp_remove(s, at("disk/f"), &e) == 0);
		end();
	}
	(void)umount(at("disk"));
}

static void
dies(void)
{
	static uint8_t	  b[1 << 20];
	struct sftp_file *f;
	struct sftp_stat  st;
	struct err	  first;

	OK(sftp_file_open(s, at("dies"), SFTP_READ | SFTP_WRITE | SFTP_CREAT |
	    SFTP_TRUNC, &f, NULL, &e) == 0);
	OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
	OK(sftp_drain(s, &e) == 0);
	OK(sftp_file_read(f, b, sizeof(b), 0, NULL, &e) == 0);
	OK(kill(host.pid, SIGKILL) == 0);
	OK(sftp_file_read(f, b, 100, 0, NULL, &e) == 0 || e.code != 0);
	OK(sftp_drain(s, &e) < 0 && says("far: the connection was closed"));
	first = e;
	/* And so it stays, without anybody waiting. */
	OK(sftp_drain(s, &e) == -first.code && strcmp(e.msg, first.msg) == 0);
	OK(sftp_file_write(f, b, 5, 0, &e) == -first.code);
	OK(sftp_file_sync(f, &e) < 0 || !sftp_can_fsync(s));
	OK(sftp_stat(s, at("dies"), &st, &e) == -first.code);
	sftp_file_close(f);
}

static void
a_server_that_dies_ends_the_session(void)
{
	with_each(dies);
}

/* A server that stands still takes no memory and no more than a second. */
static void
a_server_that_is_silent_is_not_waited_for(void)
{
	static uint8_t	  b[65536];
	struct sftp_file *f;
	size_t		  n = 0;

	if (!OK(host_start(&host, OPENSSH, 0, 0)))
		return;
	OK(sftp_open(&s, host.st, 1, &e) == 0);
	OK(sftp_file_open(s, at("silent"), SFTP_WRITE | SFTP_CREAT, &f, NULL,
	    &e) == 0);
	OK(kill(host.pid, SIGSTOP) == 0);
	while (n < 64u << 20 &&
	    sftp_file_write(f, b, sizeof(b), n, &e) == 0)
		n += sizeof(b);
	OK(n >= 1u << 20 && n <= 4u << 20);
	OK(e.code == ETIMEDOUT && says("far: no answer for 1 second"));
	OK(sftp_drain(s, &e) == -ETIMEDOUT);
	sftp_file_close(f);
	end();
}

static void
several_files_fail_each_for_itself(void)
{
	static uint8_t	  b[8192];
	struct sftp_file *f, *g;

	if (!begin(OPENSSH, 0, 65536))
		return;
	OK(sftp_file_open(s, at("f"), SFTP_WRITE | SFTP_CREAT | SFTP_TRUNC,
	    &f, NULL, &e) == 0);
	OK(sftp_file_open(s, at("g"), SFTP_WRITE | SFTP_CREAT | SFTP_TRUNC,
	    &g, NULL, &e) == 0);
	OK(sftp_file_write(f, b, sizeof(b), 65536, &e) == 0);
	OK(sftp_file_write(g, b, sizeof(b), 0, &e) == 0);
	OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
	OK(sftp_file_sync(f, &e) == 0);
	OK(sftp_drain(s, &e) == -EIO && says("/f: Failure"));
	OK(sftp_drain(s, &e) == 0);
	OK(sftp_file_failed(f, &e) == -EIO && says("write far:/"));
	OK(sftp_file_failed(g, &e) == 0);
	/* What is closed with answers due is freed with the last of them. */
	OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
	sftp_file_close(f);
	sftp_file_close(g);
	end();
}

static void
streams_are_plain(void)
{
	struct stream	*st = NULL;

	OK(stream_fd(&st, -1, "far", &e) == -EBADF && st == NULL);
	OK(says("far: "));
	stream_close(NULL);
	sftp_close(NULL);
	sftp_file_close(NULL);
	if (!OK(host_start(&host, OPENSSH, 0, 0)))
		return;
	OK(strcmp(host.st->name, "far") == 0);
	OK(sftp_open(&s, host.st, SECONDS, &e) == 0);
	OK(host.st->out == 9 && host.st->in > 9);
	end();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "open, eight reads, a write and a sync: three round trips",
		    round_trips_are_three },
		{ "hundreds of requests are carried out in their order",
		    hundreds_of_requests_keep_their_order },
		{ "megabytes may cross on the way", megabytes_may_cross },
		{ "one byte at a time is enough",
		    one_byte_at_a_time_is_enough },
		{ "an answer that is cut short is gone on with",
		    an_answer_cut_short_is_gone_on_with },
		{ "the end of a file is told", the_end_of_a_file_is_told },
		{ "what is refused is named, and the session goes on",
		    what_is_refused_is_named },
		{ "what the server's user may not, we may not",
		    the_server_s_user_counts },
		{ "a rename replaces, and loses nothing",
		    a_rename_replaces_and_loses_nothing },
		{ "a full disk is told", a_full_disk_is_told },
		{ "a server that dies ends the session",
		    a_server_that_dies_ends_the_session },
		{ "a server that is silent costs its time, and no memory",
		    a_server_that_is_silent_is_not_waited_for },
		{ "each file has failures of its own",
		    several_files_fail_each_for_itself },
		{ "a stream is a socket with a name", streams_are_plain },
	};
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-sftp.XXXXXX");
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1) {
		perror(dir);
		return 2;
	}
#ifdef __linux__
	own_ns = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
#endif
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
