/*
 * sftp.c: the SFTP client keeps its promises with two servers that have
 * nothing in common but the draft: OpenSSH's and Green End's.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sftpcase.h"
#include "simio.h"

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
	size_t	 len[40] = { 0 }, n, off, i, k = 0;

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
	case_end();
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
	case_end();
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
		{ "a rename replaces, and loses nothing",
		    a_rename_replaces_and_loses_nothing },
		{ "a stream is a socket with a name", streams_are_plain },
	};

	return case_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
