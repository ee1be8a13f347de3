/*
 * seal.c: a sealed copy gives back the store, and nothing to who has no
 * key.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sealkit.h"
#include "tap.h"

static void
tell(void *arg, const char *line)
{
	(void)arg;
	tap_diag("%s", line);
}

/* --- what goes in comes out */

static void
all_generations_come_back(void)
{
	struct io	*up, *again;
	struct sim	*sim;
	uint64_t	 n;
	bool		 said;

	for (n = 1; n <= 150; n += n < 5 ? 1 : 29) {
		sim = sealed_both(n, &up);
		OK(sealed_look(&sim->io, &said) == n && !said);
		OK(seal_probe(&sim->io) && !seal_probe(&med.io));
		OK(seal_check(&sim->io, tell, NULL, &er) == 0);
		OK(sim->bad == 0);
		/* What the store reads of both is the same. */
		store_close(st);
		OK(seal_open(&again, &sim->io, seal_test_key, false,
		    &er) == 0);
		if (OK(store_open(&st, again, &er) == 0))
			clean();
		store_close(st);
		st = NULL;
		io_close(again);
		sealed_done(sim, up);
	}
}

static void
large_contents_come_back(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	struct io	*up;
	struct sim	*sim;
	unsigned	 i;

	if (!begin(4 << 20, 4096, 3))
		return;
	for (i = 0; i < 6; i++) {
		start(&c, "large");
		noise(&b, 100000 + i * 37321, i + 1);
		add_file(&c, "big", b.p, b.len);
		OK(put(&c) == 0);
	}
	sim = sealed_new(&up);
	store_close(st);
	if (OK(store_open(&st, up, &er) == 0)) {
		OK(store_head(st) == 6 && content_is(6, "big", b.p, b.len));
		clean();
	}
	buf_free(&b);
	store_close(st);
	st = NULL;
	sealed_done(sim, up);
}

static void
reads_of_any_range_are_the_same(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(20, &up);
	uint8_t		*all = xalloc(SEAL_SMALL), *one = xalloc(SEAL_SMALL);
	uint64_t	 rng = tap_seed(5), off;
	size_t		 i, n;

	OK(up->ops->read(up, all, SEAL_SMALL, 0, &er) == 0);
	/* The store itself has records alone, and zeros. */
	OK(med.io.ops->read(&med.io, one, SEAL_SMALL, 0, &er) == 0);
	OK(memcmp(all, one, SEAL_SMALL) == 0);
	for (i = 0; i < 2000; i++) {
		off = tap_rand(&rng) % SEAL_SMALL;
		n = tap_rand(&rng) % (SEAL_SMALL - off + 1);
		if (i % 2 == 0)
			n %= 600;
		if (i % 3 == 0)
			off = off / 512 * 512;
		if (n > SEAL_SMALL - off)
			n = (size_t)(SEAL_SMALL - off);
		memset(one, 0x55, n);
		OK(up->ops->read(up, one, n, off, &er) == 0);
		OK(memcmp(one, all + off, n) == 0);
	}
	OK(up->ops->read(up, one, 2, SEAL_SMALL - 1, &er) == -EIO);
	OK(up->ops->read(up, one, 1, UINT64_MAX, &er) == -EIO);
	free(all);
	free(one);
	sealed_done(sim, up);
}

/* --- who has no key */

static void
nothing_is_in_clear(void)
{
	static const char *const plain[] = { SAID, "etc/said", "etc", "joe",
	    "generation", "CFGSTORE" };
	struct io	*up;
	struct sim	*sim = sealed_both(120, &up);
	struct super	 sb;
	struct seal_frame f;
	size_t		 i, k, n = 0, hist[256] = { 0 };
	double		 bits = 0;
	uint64_t	 tag = get_le64(sim->img + 48), off;

	sealed_super(&sb);
	for (i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		OK(memmem(sim->img, sim->io.size, plain[i],
		    strlen(plain[i])) == NULL);
	for (off = sb.first; off < sb.first + 3 * sb.area; off += 512) {
		const uint8_t	*p = sim->img + seal_place(&sb, off);

		if (!seal_frame_get(p, &sb, tag, off, &f))
			continue;
		/* Heads, which are zeros for the most part. */
		for (k = SF_CLEAR; k < SF_REST; k++, n++)
			hist[p[k]]++;
	}
	OK(n > 5000);
	for (i = 0; i < 256; i++)
		if (hist[i] > 0)
			bits -= (double)hist[i] / (double)n *
			    log2((double)hist[i] / (double)n);
	if (!OK(bits > 7.9))
		tap_diag("%zu bytes, %f bits in each", n, bits);
	sealed_done(sim, up);
}

static void
another_key_is_said_to_be_one(void)
{
	struct io	*up, *again;
	struct sim	*sim = sealed_both(3, &up);
	uint8_t		 key[SEAL_KEY];
	size_t		 i;

	for (i = 0; i < 8 * SEAL_KEY; i++) {
		memcpy(key, seal_test_key, SEAL_KEY);
		key[i / 8] ^= (uint8_t)(1u << i % 8);
		OK(seal_open(&again, &sim->io, key, false, &er) == -EACCES);
		OK(again == NULL && strstr(er.msg, "another key") != NULL);
	}
	/* With the first header gone, the same. */
	sim->img[40] ^= 1;
	OK(seal_open(&again, &sim->io, key, false, &er) == -EACCES);
	sim->img[sim->io.size - 100] ^= 1;
	OK(seal_open(&again, &sim->io, key, false, &er) == -EBADMSG);
	OK(seal_open(&again, &sim->io, seal_test_key, false,
	    &er) == -EBADMSG);
	OK(seal_check(&sim->io, NULL, NULL, &er) == -EBADMSG);
	OK(seal_open(&again, &med.io, key, false, &er) == -EINVAL);
	OK(seal_check(&med.io, NULL, NULL, &er) == -EINVAL);
	sealed_done(sim, up);
}

static void
the_same_record_gives_the_same_bytes(void)
{
	struct io	*up, *two;
	struct sim	*sim = sealed_both(40, &up), *other = sealed_new(&two);
	struct sim_op	*op;
	struct buf	 seen = BUF_INIT;
	size_t		 i, k;

	OK(sim->io.size == other->io.size && memcmp(sim->img, other->img,
	    sim->io.size) == 0);
	io_close(two);
	sim_free(other);
	/* Sent as it grows: the nonces of all there ever were. */
	sim_forget(sim);
	while (store_head(st) < 200) {
		said_commit(store_head(st) + 1);
		sealed_send(up);
	}
	for (i = 0; i < sim->nops; i++) {
		op = &sim->ops[i];
		for (k = 0; !op->flush && k + SF_REST < op->n; k += 1024)
			if (memcmp(op->data + k, "cfSF", 4) == 0)
				put_bytes(&seen, op->data + k + SF_CLEAR,
				    SEAL_NONCE);
	}
	OK(seen.len / SEAL_NONCE >= 160);
	for (i = 0; i < seen.len; i += SEAL_NONCE)
		for (k = 0; k < i; k += SEAL_NONCE)
			OK(memcmp(seen.p + i, seen.p + k, SEAL_NONCE) != 0);
	buf_free(&seen);
	sealed_done(sim, up);
}

/* --- headers */

struct tally {
	struct io	 io;
	struct io	*real;
	size_t		 reads;
	size_t		 readvs;
	size_t		 bytes;
	size_t		 orders;
};

static int
t_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct tally	*t = (struct tally *)io;

	t->reads++;
	t->bytes += n;
	return t->real->ops->read(t->real, p, n, off, e);
}

static int
t_readv(struct io *io, const struct io_range *v, size_t n, struct err *e)
{
	struct tally	*t = (struct tally *)io;
	size_t		 i;

	t->readvs++;
	for (i = 0; i < n; i++)
		t->bytes += v[i].n;
	return io_readv(t->real, v, n, e);
}

static int
t_order(struct io *io, struct err *e)
{
	((struct tally *)io)->orders++;
	return io_order(((struct tally *)io)->real, e);
}

static const struct io_ops t_ops = {
	.read = t_read, .readv = t_readv, .order = t_order
};

static void
headers_cost_one_small_read_together(void)
{
	struct io	*up, *again;
	struct sim	*sim = sealed_both(40, &up);
	struct tally	 t = { .io = sim->io, .real = &sim->io };
	struct io_range	 v[64];
	uint8_t		 b[64][REC_LEN] = { { 0 } }, sup[SUPER_LEN];
	uint8_t		 want[REC_LEN];
	struct super	 sb;
	size_t		 i;

	sealed_super(&sb);
	t.io.ops = &t_ops;
	OK(seal_open(&again, &t.io, seal_test_key, false, &er) == 0);
	t.reads = t.readvs = t.bytes = 0;
	for (i = 0; i < 63; i++)
		v[i] = (struct io_range){ b[i], i % 5 == 0 ? 20 : REC_LEN,
		    sb.first + i * 512 };
	v[63] = (struct io_range){ sup, SUPER_LEN, 0 };
	OK(io_readv(again, v, 64, &er) == 0);
	OK(t.reads == 0 && t.readvs == 1 && t.bytes <= 63 * 256);
	for (i = 0; i < 63; i++) {
		OK(med.io.ops->read(&med.io, want, REC_LEN, v[i].off,
		    &er) == 0);
		OK(memcmp(want, b[i], v[i].n) == 0);
	}
	OK(med.io.ops->read(&med.io, want, REC_LEN, 0, &er) == 0);
	OK(memcmp(want, sup, REC_LEN) == 0);
	OK(io_order(again, &er) == 0 && t.orders == 1);
	io_close(again);
	sealed_done(sim, up);
}

/* --- writing */

static void
a_cut_at_any_sector_is_a_torn_end(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(1, &up);
	uint8_t		*before, *img;
	uint64_t	 gen, head;
	size_t		 i, k, cuts = 0;
	bool		 said;

	for (gen = 2; gen <= 90; gen++) {
		sim_forget(sim);
		before = xmemdup(sim->img, sim->io.size);
		said_commit(gen);
		sealed_send(up);
		for (i = 0; i < sim->nops; i++) {
			const struct sim_op	*w = &sim->ops[i];

			for (k = 0; !w->flush && k <= w->n; k += 512) {
				img = xmemdup(before, sim->io.size);
				memcpy(img + w->off, w->data, k);
				head = image_look(img, sim->io.size, &said);
				OK(head >= gen - 1 && !said);
				OK(k < w->n || head == gen);
				memcpy(sim->img, img, sim->io.size);
				OK(!seal_check(&sim->io, tell, NULL, &er));
				free(img);
				cuts++;
			}
		}
		free(before);
		OK(sealed_look(&sim->io, &said) == gen && !said);
	}
	OK(cuts > 180);
	sealed_done(sim, up);
}

static void
whole_records_alone_are_taken(void)
{
	struct io	*up, *ro;
	struct sim	*sim = sealed_both(1, &up);
	struct super	 sb;
	uint8_t		 b[4096] = { 0 }, back[4096];
	uint64_t	 at;
	size_t		 n, i;

	sealed_super(&sb);
	at = sb.first + sb.area;
	n = sealed_rec(b, &sb, at, 3, 'x', 600);
	OK(n == 1024);
	n += sealed_rec(b + n, &sb, at + n, 3, 'y', 1000);
	OK(n == 3072 - 512);
	sim_forget(sim);
	OK(up->ops->write(up, b, 512, at, &er) == -EINVAL);
	OK(up->ops->write(up, b, 1024, at + 512, &er) == -EINVAL);
	OK(up->ops->write(up, b, 1024, at + 1, &er) == -EINVAL);
	OK(up->ops->write(up, b, 1023, at, &er) == -EINVAL);
	OK(up->ops->write(up, b, 1536, at, &er) == -EINVAL);
	OK(up->ops->write(up, b, n + 512, at, &er) == -EINVAL);
	OK(up->ops->write(up, b, 0, at, &er) == -EINVAL);
	OK(up->ops->write(up, b, 512, 0, &er) == -EINVAL);
	OK(up->ops->write(up, b, 512, SEAL_SMALL, &er) == -EINVAL);
	OK(up->ops->write(up, b, 512, UINT64_MAX - 511, &er) == -EINVAL);
	for (i = REC_LEN + 600; i < 1024; i++) {
		b[i] = 1;
		OK(up->ops->write(up, b, 1024, at, &er) == -EINVAL);
		b[i] = 0;
	}
	OK(strstr(er.msg, "whole records") != NULL);
	OK(seal_open(&ro, &sim->io, seal_test_key, false, &er) == 0);
	OK(ro->ops->write(ro, b, n, at, &er) == -EROFS);
	io_close(ro);
	OK(sim->nops == 0);
	/* Two at once are one write below. */
	OK(up->ops->write(up, b, n, at, &er) == 0);
	OK(sim->nops == 1 && sim->bad == 0);
	OK(up->ops->read(up, back, n, at, &er) == 0);
	OK(memcmp(b, back, n) == 0);
	sealed_done(sim, up);
}

static void
failures_below_are_told(void)
{
	struct io	*up, *again;
	struct sim	*sim = sealed_both(3, &up);
	struct super	 sb;
	uint8_t		 b[2048], back[2048];
	size_t		 n;

	sealed_super(&sb);
	n = sealed_rec(b, &sb, sb.first, 9, 'x', 900);
	sim_fail(sim, SIM_WRITES, SIM_EIO, 0, true);
	OK(up->ops->write(up, b, n, sb.first, &er) == -EIO);
	sim_fail(sim, SIM_FLUSHES, SIM_EIO, 0, true);
	OK(up->ops->flush(up, &er) == -EIO && io_order(up, &er) == -EIO);
	sim_fail(sim, SIM_READS, SIM_EIO, 0, true);
	OK(up->ops->read(up, back, REC_LEN, sb.first, &er) == -EIO);
	OK(up->ops->read(up, back, 1024, sb.first, &er) == -EIO);
	OK(seal_open(&again, &sim->io, seal_test_key, false, &er) == -EIO);
	OK(seal_check(&sim->io, NULL, NULL, &er) == -EIO);
	sim_forget(sim);
	OK(up->ops->write(up, b, n, sb.first, &er) == 0);
	OK(up->ops->read(up, back, n, sb.first, &er) == 0);
	OK(memcmp(b, back, n) == 0);
	sealed_done(sim, up);
}

static void
either_header_serves(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(4, &up);
	uint8_t		 super[SUPER_LEN], b[SUPER_LEN];
	bool		 said;

	OK(up->ops->read(up, super, SUPER_LEN, 0, &er) == 0);
	io_close(up);
	memset(sim->img, 0, SH_LEN);
	OK(seal_probe(&sim->io) && sealed_look(&sim->io, &said) == 4 && said);
	OK(seal_check(&sim->io, NULL, NULL, &er) == 1);
	OK(seal_open(&up, &sim->io, seal_test_key, true, &er) == 0);
	OK(up->ops->read(up, b, SUPER_LEN, 0, &er) == 0);
	OK(seal_blank(b, SUPER_LEN));
	/* And is mended. */
	OK(up->ops->write(up, super, SUPER_LEN, 0, &er) == 0);
	OK(up->ops->read(up, b, SUPER_LEN, 0, &er) == 0);
	OK(memcmp(b, super, SUPER_LEN) == 0);
	OK(sealed_look(&sim->io, &said) == 4 && !said);
	sim->img[sim->io.size - 1] ^= 1;
	OK(up->ops->read(up, b, SUPER_LEN, SEAL_SMALL - SUPER_LEN, &er) == 0);
	OK(seal_blank(b, SUPER_LEN));
	OK(seal_check(&sim->io, NULL, NULL, &er) == 1);
	OK(up->ops->write(up, super, SUPER_LEN, SEAL_SMALL - SUPER_LEN,
	    &er) == 0);
	OK(seal_check(&sim->io, tell, NULL, &er) == 0);
	sealed_done(sim, up);
}

/* A copy that is being made is as long as what was sent. */
static void
a_short_copy_reads_as_far_as_it_goes(void)
{
	struct io	*up;
	struct sim	*sim = sealed_both(40, &up), *cut;
	uint64_t	 n, head, best = 0;
	bool		 said;

	for (n = 0; n <= sim->io.size; n += 512) {
		cut = sim_new(n == 0 ? 512 : n, 512);
		memcpy(cut->img, sim->img, (size_t)n);
		head = sealed_look(&cut->io, &said);
		OK(head <= 40 && (n >= SH_LEN + 1024 || head == 0));
		if (head > best)
			best = head;
		if (n >= SH_LEN && n < sim->io.size)
			OK(seal_check(&cut->io, NULL, NULL, &er) > 0);
		sim_free(cut);
	}
	OK(best == 40);
	sealed_done(sim, up);
}

/* --- what can't be sealed, and keys */

static void
what_can_not_be_is_refused(void)
{
	struct io	*io, *up;
	struct super	 sb = { .version = 1, .id = 9, .size = SEAL_SMALL,
	    .align = 512, .areas = 3, .area = 20480, .first = 512 };
	uint8_t		 b[SUPER_LEN];

	OK(io_mem(&io, 1 << 20, 512, &er) == 0);
	super_put(b, &sb);
	OK(seal_size(b) == 2 * SH_LEN + 3 * 40 * 1024);
	b[100] = 1;
	OK(seal_size(b) == 0);
	OK(seal_create(&up, io, seal_test_key, b, &er) == -EINVAL);
	sb.size = UINT64_C(1) << 40;
	sb.area = UINT64_C(1) << 30;
	super_put(b, &sb);
	OK(seal_size(b) == 0);
	OK(seal_create(&up, io, seal_test_key, b, &er) == -EFBIG &&
	    up == NULL && strstr(er.msg, "areas") != NULL);
	io_close(io);
	OK(io_mem(&io, 1 << 20, 4096, &er) == 0);
	sb.size = SEAL_SMALL;
	sb.area = 20480;
	super_put(b, &sb);
	OK(seal_create(&up, io, seal_test_key, b, &er) == -EINVAL);
	io_close(io);
}

static char	 dir[64];

static int
read_of(const char *line, size_t n, mode_t mode)
{
	char	 path[96];
	uint8_t	 key[SEAL_KEY];
	int	 fd, rc;

	(void)snprintf(path, sizeof(path), "%s/line", dir);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	OK(fd != -1 && write(fd, line, n) == (ssize_t)n);
	OK(fchmod(fd, mode) == 0 && close(fd) == 0);
	er.msg[0] = '\0';
	rc = seal_key_read(path, key, &er);
	OK(rc == 0 || strstr(er.msg, path) != NULL);
	return rc;
}

static void
key_files_are_made_and_read(void)
{
	char		 path[96], line[128];
	uint8_t		 key[SEAL_KEY], two[SEAL_KEY];
	struct stat	 sb;
	FILE		*f;
	size_t		 n, i;
	int		 c;

	(void)snprintf(path, sizeof(path), "%s/key", dir);
	OK(seal_key_read(path, key, &er) == -ENOENT);
	(void)umask(0);
	OK(seal_key_make(path, &er) == 0);
	(void)umask(022);
	OK(stat(path, &sb) == 0 && (sb.st_mode & 07777) == 0600);
	OK(seal_key_read(path, key, &er) == 0);
	OK(seal_key_make(path, &er) == -EEXIST);
	OK(seal_key_read(path, two, &er) == 0 && memcmp(key, two,
	    SEAL_KEY) == 0);
	f = fopen(path, "r");
	n = f == NULL ? 0 : fread(line, 1, sizeof(line), f);
	OK(f != NULL && fclose(f) == 0 && n == 57 && line[56] == '\n');
	OK(memcmp(line, "cfgfs-key-1 ", 12) == 0);
	OK(unlink(path) == 0 && seal_key_make(path, &er) == 0);
	OK(seal_key_read(path, two, &er) == 0 && memcmp(key, two,
	    SEAL_KEY) != 0);
	/* The line, and everything that is nearly it. */
	OK(read_of(line, n, 0600) == 0 && read_of(line, n - 1, 0400) == 0);
	OK(read_of(line, n, 0640) == -EPERM);
	OK(read_of(line, n, 0604) == -EPERM);
	OK(read_of(line, n, 0620) == -EPERM);
	for (i = 0; i < n - 1; i++)
		OK(read_of(line, i, 0600) == -EINVAL);
	line[n] = '\n';
	OK(read_of(line, n + 1, 0600) == -EINVAL);
	for (i = 0; i < n; i++) {
		c = line[i];
		line[i] = i % 2 == 0 ? ' ' : '\n';
		if (line[i] != c)
			OK(read_of(line, n, 0600) == -EINVAL);
		line[i] = (char)c;
	}
	OK(seal_key_read(dir, key, &er) == -EINVAL);
	OK(seal_key_make("/nowhere/at/all", &er) == -ENOENT);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "all generations come back", all_generations_come_back },
		{ "large contents come back", large_contents_come_back },
		{ "reads of any range are the same",
		    reads_of_any_range_are_the_same },
		{ "nothing is in clear", nothing_is_in_clear },
		{ "another key is said to be one",
		    another_key_is_said_to_be_one },
		{ "the same record gives the same bytes, another one none",
		    the_same_record_gives_the_same_bytes },
		{ "headers cost one small read together",
		    headers_cost_one_small_read_together },
		{ "a cut at any sector is a torn end",
		    a_cut_at_any_sector_is_a_torn_end },
		{ "whole records alone are taken",
		    whole_records_alone_are_taken },
		{ "failures below are told", failures_below_are_told },
		{ "either header serves, and is mended",
		    either_header_serves },
		{ "a short copy reads as far as it goes",
		    a_short_copy_reads_as_far_as_it_goes },
		{ "what can't be sealed is refused",
		    what_can_not_be_is_refused },
		{ "key files are made and read",
		    key_files_are_made_and_read },
	};
	char	 path[96];
	int	 i, rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgseal.XXXXXX");
	if (mkdtemp(dir) == NULL || seal_init(&er) < 0)
		return 2;
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	for (i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir,
		    i == 0 ? "key" : "line");
		(void)unlink(path);
	}
	(void)rmdir(dir);
	return rc;
}
