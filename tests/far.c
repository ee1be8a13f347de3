/*
 * far.c: a file on another host is a medium like any other: a store lives
 * on it, and what failed is not forgotten.
 */
#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../sync/far.h"
#include "../sync/store.h"
#include "drive.h"
#include "sftpcase.h"

static int
put(struct io *io, const void *p, size_t n, uint64_t off)
{
	return io->ops->write(io, p, n, off, &e);
}

static int
get(struct io *io, void *p, size_t n, uint64_t off)
{
	return io->ops->read(io, p, n, off, &e);
}

static void
grows(void)
{
	uint8_t		 b[2048], r[2048];
	struct stat	 st;
	struct io	*io;

	memset(b, 'b', sizeof(b));
	(void)unlink(at("new"));
	OK(far_open(&io, s, at("new"), FAR_WRITE, 0, &e) == -ENOENT);
	OK(io == NULL && says("open far:/") && says("/new: no such file"));
	OK(far_open(&io, s, at("new"), FAR_CREATE, 4196, &e) == 0);
	OK(strncmp(io->name, "far:/", 5) == 0 && strstr(io->name, "/new"));
	OK(io->block == 512 && io->size == 4096 && far_bytes(io) == 4196);
	OK(get(io, r, 100, 4096) == 0 && r[0] == 0 && r[99] == 0);
	OK(get(io, r, 101, 4096) == -EIO && says("/new: it ends before"));
	OK(get(io, r, 1, UINT64_MAX) == -EIO);
	OK(put(io, b, 100, 0) == -EINVAL && put(io, b, 512, 100) == -EINVAL);
	OK(put(io, b, 512, UINT64_MAX - 511) == -EINVAL);
	OK(put(io, b, 1024, 8192) == 0);
	OK(io->size == 9216 && far_bytes(io) == 9216);
	OK(get(io, r, 2048, 7168) == 0 && r[1023] == 0 &&
	    memcmp(r + 1024, b, 1024) == 0);
	OK(io->ops->flush(io, &e) == 0);
	io_close(io);
	OK(far_open(&io, s, at("new"), FAR_CREATE, 4196, &e) < 0);
	OK(io == NULL && stat(at("new"), &st) == 0 && st.st_size == 9216 &&
	    (st.st_mode & 07777) == 0600);
	OK(far_open(&io, s, at("new"), 0, 0, &e) == 0 && io->size == 9216);
	OK(put(io, b, 512, 0) == -EINVAL);
	OK(get(io, r, 10, 9206) == 0 && memcmp(r, b, 10) == 0);
	io_close(io);
	OK(far_open(&io, s, case_dir(), 0, 0, &e) == -EINVAL && io == NULL);
	OK(says(": not a file"));
	OK(far_open(&io, s, case_dir(), FAR_WRITE, 0, &e) == -EINVAL);
	OK(far_open(&io, s, "/dev/null", FAR_WRITE, 0, &e) == -EINVAL);
}

static void
a_file_is_made_read_written_and_grows(void)
{
	with_each_and_less(grows);
}

/* How often the other side was asked to sync. */
static int
syncs(void)
{
	static const char	 name[] = "fsync@openssh.com";
	const uint8_t		*p = flt.sent.p, *end = p + flt.sent.len;
	int			 n = 0;

	while ((p = memmem(p, (size_t)(end - p), name, strlen(name))) !=
	    NULL) {
		p++;
		n++;
	}
	return n;
}

static void
counts(void)
{
	uint8_t		 b[65536] = { 1 }, r[40][100] = { { 0 } };
	struct io_range	 v[40];
	struct io	*io;
	uint64_t	 w;
	size_t		 i;

	(void)unlink(at("count"));
	OK(far_open(&io, s, at("count"), FAR_CREATE, 0, &e) == 0);
	OK(sftp_waits(s) == 2);
	for (i = 0; i < 16; i++) {
		memset(b, (int)i + 1, sizeof(b));
		OK(put(io, b, sizeof(b), i * sizeof(b)) == 0);
		OK(io_order(io, &e) == 0);
	}
	w = sftp_waits(s);
	OK(w == 2);
	OK(io->ops->flush(io, &e) == 0 && sftp_waits(s) <= w + 1);
	OK(syncs() == (plain ? 0 : 17));
	w = sftp_waits(s);
	for (i = 0; i < 40; i++)
		v[i] = (struct io_range){ r[i], 100, i * 26000 };
	OK(io_readv(io, v, 40, &e) == 0 && sftp_waits(s) == w + 1);
	for (i = 0; i < 40; i++)
		OK(r[i][0] == i * 26000 / 65536 + 1);
	v[20].off = 16 * 65536 - 99;
	OK(io_readv(io, v, 40, &e) == -EIO && says("it ends before"));
	OK(io_readv(io, v, 20, &e) == 0);
	OK(io_readv(io, NULL, 0, &e) == 0);
	w = sftp_waits(s);
	io_close(io);
	OK(sftp_waits(s) == w);
}

static void
round_trips_are_few(void)
{
	with_each_and_less(counts);
}

/* n random commits to the store on this medium; *now is its head. */
static void
live(struct io *io, uint64_t seed, int n, struct pool *pool,
    struct ents *now)
{
	struct gen	 g = { seed, 12, 20000, 6000, 4, 1, pool };
	struct store	*st = NULL;
	uint64_t	 gen = 0;

	OK(store_open(&st, io, &e) == 0);
	for (; n > 0 && st != NULL; n--) {
		struct commit	 c = { 0, 0, NULL, NULL, NULL, 0 };
		struct ents	 after = { NULL, 0, 0 };

		gen_commit(&g, now, &c, &after);
		ok_rc(store_commit(st, &c, &gen, &e), &e, "commit");
		commit_free(&c);
		ents_free(now);
		*now = after;
	}
	store_close(st);
}

static void
holds_a_store(void)
{
	struct store_geom	 geom = { 512, 4 };
	struct store		*st = NULL;
	struct pool		 pool = { NULL, 0, 0 };
	struct ents		 now = { NULL, 0, 0 };
	struct io		*io;

	(void)unlink(at("store"));
	OK(far_open(&io, s, at("store"), FAR_CREATE, 256 * 1024, &e) == 0);
	OK(store_create(io, &geom, &e) == 0);
	live(io, tap_seed(99), 20, &pool, &now);
	OK(store_open(&st, io, &e) == 0 && store_head(st) == 20);
	ok_same(overlay_agrees(&pool, st, 20, &now, true), "far");
	store_close(st);
	io_close(io);
	/* The same by the file itself. */
	OK(io_open(&io, at("store"), 0, &e) == 0);
	OK(store_open(&st, io, &e) == 0 && store_damage(st) == NULL);
	OK(store_head(st) == 20);
	ok_same(overlay_agrees(&pool, st, 20, &now, true), "here");
	store_close(st);
	io_close(io);
	ents_free(&now);
	pool_free(&pool);
}

static void
a_store_lives_on_it(void)
{
	with_each_and_less(holds_a_store);
}

/*
 * The server's files end at 64 KiB.  A write behind that fails while
 * something is read, and so again at the flush, and for good.
 */
static void
a_failed_write_is_not_forgotten(void)
{
	uint8_t		 b[512] = { 9 }, r[512];
	struct io	*io, *other;
	int		 kind;

	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind) || !case_begin(kind, 0, 65536))
			continue;
		(void)unlink(at("lim"));
		(void)unlink(at("other"));
		OK(far_open(&io, s, at("lim"), FAR_CREATE, 65536, &e) == 0);
		OK(far_open(&other, s, at("other"), FAR_CREATE, 4096,
		    &e) == 0);
		OK(put(io, b, 512, 65536) == 0);
		OK(get(io, r, 512, 0) == -EIO && says("write far:/"));
		OK(says("/lim: "));
		OK(get(io, r, 512, 0) == 0);
		/* Nothing is built upon it. */
		OK(put(io, b, 512, 0) == -EIO && says("write far:/"));
		OK(io_order(io, &e) == -EIO);
		OK(put(other, b, 512, 0) == 0);
		OK(other->ops->flush(other, &e) == 0);
		OK(io->ops->flush(io, &e) == -EIO && says("write far:/"));
		OK(get(io, r, 512, 0) == -EIO && says("as a flush failed"));
		OK(put(io, b, 512, 0) == -EIO && says("as a flush failed"));
		OK(io_order(io, &e) == -EIO && io->ops->flush(io, &e) == -EIO);
		OK(get(other, r, 512, 0) == 0 && memcmp(r, b, 512) == 0);
		io_close(io);
		io_close(other);
		OK(far_open(&io, s, at("lim"), FAR_WRITE, 0, &e) == 0 &&
		    io->size == 65536);
		OK(put(io, b, 512, 0) == 0 && io->ops->flush(io, &e) == 0);
		io_close(io);
		/* What can't be made as large as it should is not left. */
		OK(far_open(&io, s, at("large"), FAR_CREATE, 1 << 20,
		    &e) < 0 && io == NULL && says("/large: "));
		OK(access(at("large"), F_OK) == -1);
		case_end();
	}
}

static void
a_write_that_fails_fails_the_flush(void)
{
	uint8_t		 b[512] = { 9 };
	struct io	*io;

	if (!case_begin(OPENSSH, 0, 65536))
		return;
	(void)unlink(at("lim"));
	OK(far_open(&io, s, at("lim"), FAR_CREATE, 65536, &e) == 0);
	OK(put(io, b, 512, 0) == 0 && io_order(io, &e) == 0);
	OK(put(io, b, 512, 65536) == 0 && io_order(io, &e) == 0);
	OK(io->ops->flush(io, &e) == -EIO && says("/lim: Failure"));
	OK(io->ops->flush(io, &e) == -EIO && says("as a flush failed"));
	io_close(io);
	case_end();
}

static void
a_host_that_is_gone_fails_all(void)
{
	uint8_t		 b[512] = { 9 };
	struct io	*io;

	if (!case_begin(OPENSSH, 0, 0))
		return;
	(void)unlink(at("gone"));
	OK(far_open(&io, s, at("gone"), FAR_CREATE, 65536, &e) == 0);
	OK(kill(host.pid, SIGKILL) == 0);
	(void)put(io, b, 512, 0);
	OK(io->ops->flush(io, &e) < 0 && says("far: the connection was"));
	OK(get(io, b, 512, 0) < 0);
	io_close(io);
	OK(far_open(&io, s, at("gone"), 0, 0, &e) < 0 && io == NULL);
	case_end();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a file is made, read, written to, and grows",
		    a_file_is_made_read_written_and_grows },
		{ "round trips are few", round_trips_are_few },
		{ "a store lives on it", a_store_lives_on_it },
		{ "a failed write is not forgotten",
		    a_failed_write_is_not_forgotten },
		{ "a write that fails, fails the flush",
		    a_write_that_fails_fails_the_flush },
		{ "a host that is gone fails all",
		    a_host_that_is_gone_fails_all },
	};

	return case_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
