/*
 * store.c: the promises of the store's interface.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "../lib/io.h"
#include "../lib/path.h"
#include "../sync/delta.h"
#include "../sync/store.h"
#include "tap.h"

/* --- a medium that counts */

struct count {
	struct io	 io;
	struct io	*real;
	size_t		 writes;
	size_t		 flushes;
	uint64_t	 read;		/* bytes */
	uint64_t	 written;
	int		 fail_writes;	/* so many from now on fail */
	bool		 fail_flush;
};

static int
c_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct count	*c = (struct count *)io;

	c->read += n;
	return c->real->ops->read(c->real, p, n, off, e);
}

static int
c_write(struct io *io, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct count	*c = (struct count *)io;

	c->writes++;
	c->written += n;
	if (c->fail_writes > 0) {
		c->fail_writes--;
		return err_set(e, EIO, "write %s", io->name);
	}
	return c->real->ops->write(c->real, p, n, off, e);
}

static int
c_flush(struct io *io, struct err *e)
{
	struct count	*c = (struct count *)io;

	c->flushes++;
	if (c->fail_flush)
		return err_set(e, EIO, "flush %s", io->name);
	return c->real->ops->flush(c->real, e);
}

static const struct io_ops c_ops = { c_read, c_write, c_flush, NULL };

static struct count	 med;		/* the medium of the running case */
static struct store	*st;
static struct err	 er;

static void
reset_counts(void)
{
	med.writes = med.flushes = 0;
	med.read = med.written = 0;
}

static bool
reopen(void)
{
	store_close(st);
	st = NULL;
	return OK(store_open(&st, &med.io, &er) == 0);
}

static void
finish(void)
{
	store_close(st);
	st = NULL;
	io_close(med.real);
	memset(&med, 0, sizeof(med));
}

static void
medium(uint64_t size, uint32_t block)
{
	memset(&med, 0, sizeof(med));
	if (io_mem(&med.real, size, block, &er) < 0)
		exit(2);
	med.io = *med.real;
	med.io.ops = &c_ops;
}

static bool
begin(uint64_t size, uint32_t align, uint32_t areas)
{
	struct store_geom	 g = { align, areas };

	medium(size, 512);
	if (!OK(store_create(&med.io, &g, &er) == 0)) {
		tap_diag("%s", er.msg);
		return false;
	}
	return reopen();
}

/* --- commits by hand */

static struct change *
add(struct commit *c, const char *path, enum ent_type type)
{
	struct change	*n;

	c->v = realloc(c->v, (c->n + 1) * sizeof(*c->v));
	n = &c->v[c->n++];
	memset(n, 0, sizeof(*n));
	n->op = CHANGE_SET;
	n->e.path = strdup(path);
	n->e.type = type;
	n->e.mode = type == ENT_DIR ? 0755 : 0644;
	n->e.mtime = 1700000000;
	return n;
}

static struct change *
add_file(struct commit *c, const char *path, const void *p, size_t n)
{
	struct change	*ch = add(c, path, ENT_REG);

	ch->e.size = n;
	hash_mem(&ch->e.hash, n == 0 ? "" : p, n);
	put_bytes(&ch->data, p, n);
	return ch;
}

static void
add_text(struct commit *c, const char *path, const char *text)
{
	(void)add_file(c, path, text, strlen(text));
}

static void
add_drop(struct commit *c, const char *path)
{
	add(c, path, ENT_NONE)->op = CHANGE_DROP;
}

static void
start(struct commit *c, const char *msg)
{
	memset(c, 0, sizeof(*c));
	c->time = 1700000000123456789;
	c->uid = 1000;
	c->user = strdup("joe");
	c->msg = strdup(msg);
}

/* Commit, and free; the result. */
static int
put(struct commit *c)
{
	uint64_t	 gen, head = store_head(st);
	int		 rc;

	er.msg[0] = '\0';
	if ((rc = store_commit(st, c, &gen, &er)) == 0)
		OK(gen == head + 1 && store_head(st) == gen);
	else
		OK(er.msg[0] != '\0');
	commit_free(c);
	return rc;
}

static int
put_text(const char *path, const char *text)
{
	struct commit	 c;

	start(&c, "text");
	add_text(&c, path, text);
	return put(&c);
}

static uint64_t
size_of_last(void)
{
	struct store_space	 sp;

	store_space(st, &sp);
	return sp.written;
}

static bool
content_is(uint64_t gen, const char *path, const void *p, size_t n)
{
	struct ents	 ov;
	struct ent	*e;
	struct buf	 b = BUF_INIT;
	bool		 ok = false;

	if (store_overlay(st, gen, &ov, &er) < 0)
		return false;
	if ((e = ents_find(&ov, path)) != NULL &&
	    store_content(st, e, &b, &er) == 0)
		ok = b.len == n && (n == 0 || memcmp(b.p, p, n) == 0);
	buf_free(&b);
	ents_free(&ov);
	return ok;
}

static bool
text_is(uint64_t gen, const char *path, const char *text)
{
	return content_is(gen, path, text, strlen(text));
}

static bool
has(uint64_t gen, const char *path)
{
	struct ents	 ov;
	bool		 yes;

	if (store_overlay(st, gen, &ov, &er) < 0)
		return false;
	yes = ents_find(&ov, path) != NULL;
	ents_free(&ov);
	return yes;
}

static void
tell(void *arg, const char *line)
{
	(void)arg;
	tap_diag("%s", line);
}

static void
clean(void)
{
	OK(store_verify(st, tell, NULL, &er) == 0);
	OK(store_damage(st) == NULL);
}

/* Lines as a configuration has them, one of them changed. */
static void
lines(struct buf *b, unsigned seed, int n, int which, unsigned value)
{
	int	 i;

	b->len = 0;
	for (i = 0; i < n; i++)
		put_fmt(b, "name_%d_%u=\"value %u\"\n", i, seed,
		    i == which ? value : (unsigned)i * 7919u * (seed + 1) %
		    9973u);
}

static void
noise(struct buf *b, size_t n, uint64_t seed)
{
	uint64_t	 r;

	b->len = 0;
	while (b->len < n) {
		r = tap_rand(&seed);
		put_bytes(b, &r, n - b->len < 8 ? n - b->len : 8);
	}
}

/* --- the promises */

static void
every_type_comes_back(void)
{
	static const uint8_t	 x[] = "user.a\0\3\0\0\0abcuser.b\0\0\0\0\0";
	struct commit	 c;
	struct change	*ch;
	struct ents	 ov;
	struct ent	*e;
	int		 round;

	if (!begin(1 << 20, 512, 0))
		return;
	start(&c, "all");
	ch = add(&c, "", ENT_DIR);
	ch->e.mode = 0700;
	ch = add_file(&c, "a\nb \xff", "hello", 5);
	ch->e.mode = 06751;
	ch->e.uid = 4294967294u;
	ch->e.gid = 65534;
	ch->e.mtime = -5;
	ch->e.mtime_ns = 999999999;
	ch->e.xattr = malloc(sizeof(x) - 1);
	memcpy(ch->e.xattr, x, sizeof(x) - 1);
	ch->e.xattrlen = sizeof(x) - 1;
	add(&c, "dir", ENT_DIR)->e.mode = 01777;
	ch = add(&c, "dir/blk", ENT_BLK);
	ch->e.major = 4000000000u;
	ch->e.minor = 77;
	add(&c, "dir/chr", ENT_CHR)->e.minor = 3;
	add_text(&c, "dir/empty", "");
	add(&c, "dir/fifo", ENT_FIFO)->e.mtime = INT64_MAX;
	add(&c, "gone", ENT_WHITEOUT)->e.mode = 0123;	/* means nothing */
	ch = add_file(&c, "h1", "linked", 6);
	ch->e.link = 9;
	ch = add(&c, "h2", ENT_REG);
	ch->e.size = 6;
	hash_mem(&ch->e.hash, "linked", 6);
	ch->e.link = 9;
	add(&c, "lnk", ENT_LNK)->e.target = strdup("../to where");
	OK(put(&c) == 0);
	for (round = 0; round < 3; round++) {
		if (!OK(store_overlay(st, 1, &ov, &er) == 0))
			break;
		OK(ov.n == 11 && ov.v[0].mode == 0700);
		e = ents_find(&ov, "a\nb \xff");
		OK(e != NULL && e->mode == 06751 && e->uid == 4294967294u &&
		    e->gid == 65534 && e->mtime == -5 &&
		    e->mtime_ns == 999999999 && e->xattrlen == sizeof(x) - 1 &&
		    memcmp(e->xattr, x, sizeof(x) - 1) == 0);
		e = ents_find(&ov, "dir/blk");
		OK(e != NULL && e->type == ENT_BLK &&
		    e->major == 4000000000u && e->minor == 77);
		e = ents_find(&ov, "dir/chr");
		OK(e != NULL && e->type == ENT_CHR && e->minor == 3);
		e = ents_find(&ov, "dir/fifo");
		OK(e != NULL && e->type == ENT_FIFO && e->mtime == INT64_MAX);
		e = ents_find(&ov, "gone");
		OK(e != NULL && e->type == ENT_WHITEOUT && e->mode == 0);
		e = ents_find(&ov, "lnk");
		OK(e != NULL && strcmp(e->target, "../to where") == 0);
		e = ents_find(&ov, "h2");
		OK(e != NULL && e->link == 9);
		ents_free(&ov);
		OK(text_is(1, "a\nb \xff", "hello"));
		OK(text_is(1, "dir/empty", ""));
		OK(text_is(1, "h1", "linked") && text_is(1, "h2", "linked"));
		/* Once more as read back, then as a checkpoint carries it. */
		if (round == 1)
			while (size_of_last() <= 512)
				OK(put_text("z", "z") == 0);
		reopen();
	}
	clean();
	finish();
}

static void
who_and_why_come_back(void)
{
	struct commit	 c;

	if (!begin(1 << 20, 0, 0))
		return;
	start(&c, "why\nso");
	add_text(&c, "a", "1");
	c.v[0].uid = 7;
	strcpy(c.v[0].comm, "vi");
	add_text(&c, "b", "2");
	c.v[1].uid = 0;
	strcpy(c.v[1].comm, "fifteen-letters");
	OK(put(&c) == 0);
	memset(&c, 0, sizeof(c));	/* nobody, nothing */
	add_drop(&c, "a");
	c.v[0].uid = 8;
	OK(put(&c) == 0);
	OK(reopen());
	if (OK(store_record(st, 1, &c, &er) == 0)) {
		OK(c.time == 1700000000123456789 && c.uid == 1000);
		OK(strcmp(c.user, "joe") == 0 && strcmp(c.msg, "why\nso") == 0);
		OK(c.n == 2 && c.v[0].op == CHANGE_SET && c.v[0].uid == 7);
		OK(strcmp(c.v[0].comm, "vi") == 0 && c.v[0].data.len == 0);
		OK(strcmp(c.v[1].comm, "fifteen-letters") == 0);
		OK(c.v[1].uid == 0 && strcmp(c.v[1].e.path, "b") == 0);
		commit_free(&c);
	}
	if (OK(store_record(st, 2, &c, &er) == 0)) {
		OK(c.user == NULL && c.msg == NULL && c.n == 1);
		OK(c.v[0].op == CHANGE_DROP && c.v[0].uid == 8);
		OK(strcmp(c.v[0].e.path, "a") == 0);
		commit_free(&c);
	}
	OK(store_record(st, 3, &c, &er) == -ENOENT);
	OK(store_record(st, 0, &c, &er) == -ENOENT);
	finish();
}

static void
an_overlay_has_nothing_below_what_is_no_directory(void)
{
	struct commit	 c;

	if (!begin(1 << 20, 0, 0))
		return;
	start(&c, "tree");
	add(&c, "d", ENT_DIR);
	add_text(&c, "d/a", "1");
	add_text(&c, "d/e/b", "2");
	add_text(&c, "d.x", "3");
	OK(put(&c) == 0);
	/* The whiteout takes all below it along, and dropping is no error. */
	start(&c, "gone");
	add(&c, "d", ENT_WHITEOUT);
	add_drop(&c, "d/a");
	OK(put(&c) == 0);
	OK(!has(2, "d/a") && !has(2, "d/e/b") && has(2, "d") && has(2, "d.x"));
	start(&c, "below a whiteout");
	add_text(&c, "d/a", "1");
	OK(put(&c) == -EINVAL);
	start(&c, "back");
	add_drop(&c, "d");
	add_drop(&c, "never was");
	OK(put(&c) == 0);
	OK(!has(3, "d") && has(3, "d.x") && has(1, "d/e/b"));
	start(&c, "both");
	add(&c, "q", ENT_FIFO);
	add_text(&c, "q/below", "1");
	OK(put(&c) == -EINVAL);
	OK(store_head(st) == 3);
	OK(reopen() && !has(3, "d") && has(2, "d"));
	clean();
	finish();
}

static void
what_can_not_be_is_refused_and_changes_nothing(void)
{
	struct commit	 c;

	if (!begin(1 << 20, 0, 0))
		return;
	OK(put_text("a", "1") == 0);
	reset_counts();
	start(&c, "order");
	add_text(&c, "b", "1");
	add_text(&c, "a", "1");
	OK(put(&c) == -EINVAL);
	start(&c, "twice");
	add_text(&c, "b", "1");
	add_text(&c, "b", "2");
	OK(put(&c) == -EINVAL);
	start(&c, "path");
	add_text(&c, "../b", "1");
	OK(put(&c) == -EINVAL);
	start(&c, "socket");
	add(&c, "s", ENT_SOCK);
	OK(put(&c) == -EINVAL);
	start(&c, "hash");
	add_text(&c, "b", "1");
	c.v[0].e.hash.b[3] ^= 1;
	OK(put(&c) == -EINVAL);
	start(&c, "no content");
	add_text(&c, "b", "12");
	c.v[0].data.len = 0;
	OK(put(&c) == -EINVAL);
	OK(med.writes == 0 && store_head(st) == 1 && !store_failed(st));
	OK(put_text("b", "2") == 0);
	finish();
}

static void
one_commit_is_one_write_and_one_flush(void)
{
	struct buf	 b = BUF_INIT;
	int		 i, switches = 0;

	if (!begin(64 * 1024, 512, 0))
		return;
	for (i = 0; i < 200; i++) {
		lines(&b, 1, 40, 7, (unsigned)i);
		put_u8(&b, '\0');
		reset_counts();
		OK(put_text("rc.conf", (char *)b.p) == 0);
		OK(med.writes == 1 && med.flushes == 1);
		OK(med.written == size_of_last());
		if (med.written > 512 && i > 0)
			switches++;
	}
	OK(switches >= 5);
	buf_free(&b);
	finish();
}

static void
small_commits_are_small(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	char		 path[40];
	uint64_t	 want[2][3] = { { 512, 512, 1024 },
	    { 4096, 4096, 4096 } };
	int		 n[3] = { 1, 10, 30 }, i, f, k, round;

	for (k = 0; k < 2; k++) {
		if (!begin(1 << 20, k == 0 ? 512 : 4096, 0))
			return;
		for (i = 0; i < 3; i++)
			for (round = 0; round < 2; round++) {
				start(&c, "edit");
				for (f = 0; f < n[i]; f++) {
					(void)snprintf(path, sizeof(path),
					    "d%d/file%02d.conf", f / 10, f);
					lines(&b, (unsigned)f, i == 0 ? 40 :
					    300, 20, (unsigned)round * 77u);
					add_file(&c, path, b.p, b.len)->
					    e.mtime_ns = (uint32_t)f * 777777u;
				}
				OK(put(&c) == 0);
				if (round == 0)
					continue;
				tap_diag("align %d, %d files: %" PRIu64
				    " bytes", k == 0 ? 512 : 4096, n[i],
				    size_of_last());
				OK(size_of_last() <= want[k][i]);
			}
		finish();
	}
	buf_free(&b);
}

/* Bytes of the delta; it must give the new content back. */
static size_t
delta(const struct buf *a, const struct buf *b)
{
	struct buf	 d = BUF_INIT;
	uint8_t		*out = malloc(b->len + 1), how;
	size_t		 n;

	OK(delta_make(&d, &how, a->p, a->len, b->p, b->len) == 0);
	OK(delta_apply(out, b->len, a->p, a->len, how, d.p, d.len) == 0);
	OK(memcmp(out, b->p, b->len) == 0);
	n = d.len;
	free(out);
	buf_free(&d);
	return n;
}

static void
rules(struct buf *b, const char *macro, int every)
{
	int	 i;

	b->len = 0;
	for (i = 0; i < 1500; i++)
		put_fmt(b, "pass in quick on %s proto %s from 10.%d.%d.0/24 "
		    "to port %d\n", macro, every > 0 && i % every == 5 ?
		    "udp" : "tcp", i * 31 % 256, i * 77 % 256,
		    i * 7919 % 65536);
}

static void
a_delta_costs_what_changed(void)
{
	struct buf	 a = BUF_INIT, b = BUF_INIT;
	size_t		 n;

	lines(&a, 3, 60, 20, 5);
	lines(&b, 3, 60, 20, 123);
	OK((n = delta(&a, &b)) <= 13);
	tap_diag("one value: %zu", n);
	lines(&a, 3, 3000, 1500, 5);
	lines(&b, 3, 3000, 1500, 1234567);
	OK((n = delta(&a, &b)) <= 16);
	tap_diag("one value in the middle of %zu: %zu", b.len, n);
	rules(&a, "$ext_if", 0);
	rules(&b, "$ext_if", 30);
	OK((n = delta(&a, &b)) <= 319);
	tap_diag("50 scattered edits of %zu: %zu", b.len, n);
	rules(&b, "$wan0_if", 0);
	OK((n = delta(&a, &b)) <= 863);
	tap_diag("a macro renamed in 1500 lines: %zu", n);
	b.len = 0;
	put_bytes(&b, a.p, 30000);
	put_bytes(&b, a.p + 33000, 40000);
	put_bytes(&b, a.p + 30000, 3000);
	put_bytes(&b, a.p + 73000, a.len - 73000);
	OK((n = delta(&a, &b)) <= 30);
	tap_diag("a block moved: %zu", n);
	noise(&a, 24000, 5);
	b.len = 0;
	put_bytes(&b, a.p, a.len);
	noise(&a, 40, 6);
	memcpy(b.p + 9000, a.p, 40);
	noise(&a, 24000, 5);
	OK((n = delta(&a, &b)) <= 60);
	tap_diag("40 bytes of a binary: %zu", n);
	b.len = 0;
	OK(delta(&b, &a) > a.len && delta(&a, &a) <= 4);
	buf_free(&a);
	buf_free(&b);
}

/* Any bytes for a delta: an error or the length asked for, no more. */
static void
a_hostile_delta_is_refused(void)
{
	uint64_t	 r = tap_seed(11);
	struct buf	 a = BUF_INIT, b = BUF_INIT, d = BUF_INIT;
	uint8_t		*out, how;
	size_t		 good = 0;
	int		 i, k;

	lines(&a, 3, 60, 20, 5);
	lines(&b, 3, 62, 30, 77);
	out = malloc(b.len);
	for (i = 0; i < 20000; i++) {
		d.len = 0;
		OK(delta_make(&d, &how, a.p, a.len, b.p, b.len) == 0);
		for (k = 0; k < 3; k++)
			d.p[tap_rand(&r) % d.len] = (uint8_t)tap_rand(&r);
		if (tap_rand(&r) % 4 == 0)
			how = (uint8_t)(tap_rand(&r) % 5);
		if (delta_apply(out, b.len, a.p, a.len, how, d.p,
		    tap_rand(&r) % (d.len + 1)) == 0)
			good++;
	}
	OK(good < 20000);
	free(out);
	buf_free(&a);
	buf_free(&b);
	buf_free(&d);
}

static void
history_lasts_over_compactions(void)
{
	struct commit	 c;
	char		 text[64], path[32];
	uint64_t	 g, old;
	int		 i;

	if (!begin(256 * 1024, 512, 0))
		return;
	for (i = 1; i <= 2000; i++) {
		(void)snprintf(text, sizeof(text), "this is number %d", i);
		(void)snprintf(path, sizeof(path), "f%d", i % 20);
		if (!OK(put_text(path, text) == 0))
			break;
		if (i % 97 == 0 && !reopen())
			return;
	}
	old = store_oldest(st);
	tap_diag("256 KiB, 512: oldest %" PRIu64 " of 2000", old);
	OK(old > 1 && old < 1800);
	for (g = old + 1; g <= 2000; g += 13) {
		(void)snprintf(text, sizeof(text), "this is number %d", (int)g);
		(void)snprintf(path, sizeof(path), "f%d", (int)g % 20);
		OK(text_is(g, path, text));
		if (OK(store_record(st, g, &c, &er) == 0)) {
			OK(c.n == 1 && strcmp(c.v[0].e.path, path) == 0);
			commit_free(&c);
		}
	}
	OK(has(old, "f1") && !has(old - 1, "f1") && er.code == ENOENT);
	clean();
	finish();
}

static void
a_full_store_says_so_before_it_writes(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	struct store_space sp;
	int		 i;

	if (!begin(64 * 1024, 512, 0))
		return;
	noise(&b, 9000, 7);
	start(&c, "large");
	add_file(&c, "big", b.p, b.len);
	OK(put(&c) == 0);
	OK(put_text("a", "before") == 0);
	reset_counts();
	noise(&b, 9000, 8);
	start(&c, "too large");
	add_text(&c, "a", "after");
	add_file(&c, "big2", b.p, b.len);
	OK(put(&c) == -ENOSPC);
	OK(med.writes == 0 && med.flushes == 0 && !store_failed(st));
	store_space(st, &sp);
	OK(sp.left < 9000 && sp.live > 9000 && sp.area > sp.live);
	OK(text_is(2, "a", "before") && store_head(st) == 2);
	/* To replace what is large is possible, where both don't fit. */
	for (i = 0; i < 20; i++) {
		noise(&b, 9000, (uint64_t)(20 + i));
		start(&c, "instead");
		add_file(&c, "big", b.p, b.len);
		OK(put(&c) == 0);
		OK(content_is(store_head(st), "big", b.p, b.len));
		OK(put_text("a", i % 2 == 0 ? "x" : "y") == 0);
	}
	OK(reopen() && content_is(store_head(st), "big", b.p, b.len));
	if (OK(store_record(st, store_head(st) - 1, &c, &er) == 0)) {
		OK(c.n == 1 && strcmp(c.v[0].e.path, "big") == 0);
		OK(c.msg != NULL && strcmp(c.msg, "instead") == 0);
		commit_free(&c);
	}
	start(&c, "away");
	add_drop(&c, "big");
	OK(put(&c) == 0);
	clean();
	buf_free(&b);
	finish();
}

static void
a_failed_write_goes_elsewhere_once(void)
{
	if (!begin(64 * 1024, 512, 0))
		return;
	OK(put_text("a", "1") == 0);
	med.fail_writes = 1;
	reset_counts();
	OK(put_text("a", "2") == 0);
	OK(med.writes == 2 && !store_failed(st));
	OK(reopen() && text_is(2, "a", "2") && text_is(1, "a", "1"));
	med.fail_writes = 2;
	OK(put_text("a", "3") == -EIO);
	OK(store_failed(st) && text_is(2, "a", "2"));
	OK(put_text("a", "3") == -EIO);
	OK(reopen() && !store_failed(st) && store_head(st) == 2);
	OK(put_text("a", "3") == 0 && text_is(3, "a", "3"));
	clean();
	finish();
}

static void
a_failed_flush_is_final(void)
{
	if (!begin(64 * 1024, 512, 0))
		return;
	OK(put_text("a", "1") == 0);
	med.fail_flush = true;
	OK(put_text("a", "2") == -EIO);
	med.fail_flush = false;
	OK(store_failed(st) && store_head(st) == 1);
	reset_counts();
	OK(put_text("a", "2") == -EIO && med.writes == 0);
	OK(reopen() && !store_failed(st));
	OK(put_text("a", "3") == 0);
	clean();
	finish();
}

static void
flip(uint64_t off, uint8_t bits)
{
	uint8_t	 block[512];
	uint64_t at = off & ~(uint64_t)511;

	OK(med.real->ops->read(med.real, block, 512, at, &er) == 0);
	block[off - at] ^= bits;
	OK(med.real->ops->write(med.real, block, 512, at, &er) == 0);
}

/* Where on the medium these bytes are; 0: nowhere. */
static uint64_t
where(const void *p, size_t n)
{
	uint8_t	*all = malloc((size_t)med.io.size);
	uint64_t off = 0, i;

	OK(med.real->ops->read(med.real, all, (size_t)med.io.size, 0,
	    &er) == 0);
	for (i = 0; i + n <= med.io.size && off == 0; i++)
		if (memcmp(all + i, p, n) == 0)
			off = i;
	free(all);
	return off;
}

static void
a_rotten_content_is_never_given_out(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT, out = BUF_INIT;
	struct ents	 ov;

	if (!begin(1 << 20, 512, 0))
		return;
	noise(&b, 5000, 9);
	start(&c, "noise");
	add_file(&c, "f", b.p, b.len);
	OK(put(&c) == 0);
	OK(put_text("g", "fine") == 0 && put_text("g", "finer") == 0);
	flip(where(b.p + 2000, 64), 0x10);
	OK(reopen() && store_head(st) == 3);
	if (OK(store_overlay(st, 3, &ov, &er) == 0)) {
		OK(store_content(st, ents_find(&ov, "f"), &out, &er) ==
		    -EBADMSG);
		OK(out.len == 0);
		OK(store_verify(st, NULL, NULL, &er) > 0);
		ents_free(&ov);
	}
	OK(text_is(3, "g", "finer"));
	/* It does not hold up what follows, compactions neither. */
	while (size_of_last() <= 512)
		OK(put_text("g", size_of_last() % 2 == 0 ? "x" : "y") == 0);
	OK(!content_is(store_head(st), "f", b.p, b.len));
	start(&c, "again");
	add_file(&c, "f", b.p, b.len);
	OK(put(&c) == 0);
	OK(content_is(store_head(st), "f", b.p, b.len));
	buf_free(&b);
	buf_free(&out);
	finish();
}

static void
damage_in_the_middle_is_said_and_not_built_upon(void)
{
	uint64_t	 off;
	int		 i;

	if (!begin(1 << 20, 512, 0))
		return;
	OK(put_text("a", "the first text of all") == 0);
	for (i = 0; i < 4; i++)
		OK(put_text("b", i % 2 == 0 ? "x" : "y") == 0);
	off = where("the first text of all", 21);
	OK(off % 512 < 400);
	flip(off - off % 512 + 80, 1);		/* its meta */
	OK(reopen() && store_head(st) == 0);
	OK(store_damage(st) != NULL &&
	    strstr(store_damage(st), "1 to 5") != NULL);
	tap_diag("%s", store_damage(st));
	OK(put_text("c", "new") == 0 && text_is(1, "c", "new"));
	OK(reopen() && store_damage(st) == NULL && text_is(1, "c", "new"));
	OK(store_verify(st, NULL, NULL, &er) > 0);
	finish();
}

/* So many commits, then the head of this area is damaged. */
static void
damage_head(int commits, uint64_t area, uint64_t left)
{
	int	 i;

	if (!begin(64 * 1024, 512, 0))
		return;
	for (i = 0; i < commits; i++)
		OK(put_text("a", i % 2 == 0 ? "x" : "y") == 0);
	flip(512 + area * 31 * 512 + 20, 1);
	OK(reopen() && store_head(st) == left);
	OK(store_damage(st) != NULL);
	tap_diag("%s", store_damage(st));
	OK(put_text("a", "z") == 0);
	OK(reopen() && store_damage(st) == NULL);
	OK(store_head(st) == left + 1 && text_is(left + 1, "a", "z"));
	finish();
}

static void
a_damaged_newest_area_falls_back(void)
{
	/* 31 blocks: a checkpoint and 30 commits. */
	damage_head(20, 0, 0);
	damage_head(40, 2, 30);
	damage_head(70, 3, 60);
}

static void
the_superblock_has_a_copy(void)
{
	if (!begin(64 * 1024, 512, 0))
		return;
	OK(put_text("a", "1") == 0);
	flip(33, 1);
	OK(reopen() && text_is(1, "a", "1"));
	OK(store_damage(st) != NULL && store_probe(&med.io));
	OK(put_text("a", "2") == 0);
	flip(64 * 1024 - 500, 1);
	store_close(st);
	st = NULL;
	OK(store_open(&st, &med.io, &er) == -EBADMSG);
	OK(store_probe(&med.io));
	finish();
}

static void
what_is_no_store_is_refused(void)
{
	struct store_geom	 g = { 0, 0 };
	uint8_t			 b[512];

	medium(1 << 20, 512);
	OK(!store_probe(&med.io));
	OK(store_open(&st, &med.io, &er) == -EINVAL && st == NULL);
	OK(strstr(er.msg, "not a cfgfs store") != NULL);
	memset(b, 0x5a, sizeof(b));
	OK(med.real->ops->write(med.real, b, 512, 0, &er) == 0);
	OK(store_open(&st, &med.io, &er) == -EINVAL);
	finish();
	medium(32 * 1024, 512);
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	finish();
	medium(1 << 20, 4096);
	g.align = 512;
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	g = (struct store_geom){ 4096, 2 };
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	g = (struct store_geom){ 5000, 4 };
	OK(store_create(&med.io, &g, &er) == -EINVAL);
	finish();
}

static void
a_newer_version_is_refused(void)
{
	uint8_t	 b[512];
	int	 at;

	/* The version, and the feature word of what must be understood. */
	for (at = 8; at <= 20; at += 12) {
		if (!begin(64 * 1024, 512, 0))
			return;
		store_close(st);
		st = NULL;
		OK(med.real->ops->read(med.real, b, 512, 0, &er) == 0);
		set_le32(b + at, 2);
		set_le32(b + 508, crc32c(0, b, 508));
		OK(med.real->ops->write(med.real, b, 512, 0, &er) == 0);
		OK(store_open(&st, &med.io, &er) == -EPROTONOSUPPORT);
		tap_diag("%s", er.msg);
		OK(strchr(er.msg, '\n') == NULL);
		OK(at != 8 || strstr(er.msg, "version 2 is newer") != NULL);
		finish();
	}
}

static void
any_medium_has_a_geometry(void)
{
	static const uint64_t	 size[] = { 64 * 1024, 1 << 20, 1030 * 1024,
	    16 << 20 };
	struct store_space	 sp;
	size_t			 i, k;

	for (i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		for (k = 0; k < 3; k++) {
			if (!begin(size[i], k == 0 ? 0 : k == 1 ? 512 : 4096,
			    k == 2 ? 3 : 0))
				continue;
			store_space(st, &sp);
			OK(sp.size == size[i] &&
			    sp.align == (k == 1 ? 512 : 4096));
			OK(put_text("a", "1") == 0 && put_text("a", "2") == 0);
			OK(put_text("a", "3") == 0 && put_text("a", "4") == 0);
			OK(reopen() && text_is(4, "a", "4"));
			clean();
			finish();
		}
}

static void
opening_reads_little_of_a_large_store(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;
	char		 path[32];
	int		 i;

	if (!begin(256u << 20, 4096, 0))
		return;
	noise(&b, 1 << 20, 3);
	for (i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "f%02d", i);
		memcpy(b.p, path, 3);
		start(&c, "large");
		add_file(&c, path, b.p, b.len);
		OK(put(&c) == 0);
	}
	OK(put_text("small", "1") == 0);
	reset_counts();
	OK(reopen() && store_head(st) == 21);
	tap_diag("256 MiB with 20 MiB in it: %" PRIu64 " bytes read",
	    med.read);
	OK(med.read < 1 << 20 && med.writes == 0);
	buf_free(&b);
	finish();
}

static void
a_large_content_fits(void)
{
	struct commit	 c;
	struct buf	 b = BUF_INIT;

	if (!begin(272u << 20, 4096, 0))
		return;
	noise(&b, 64u << 20, 3);
	start(&c, "64 MiB");
	add_file(&c, "big", b.p, b.len);
	OK(put(&c) == 0);
	b.p[40u << 20] ^= 1;
	start(&c, "one byte");
	add_file(&c, "big", b.p, b.len);
	OK(put(&c) == 0);
	OK(size_of_last() == 4096);
	OK(content_is(2, "big", b.p, b.len));
	buf_free(&b);
	finish();
}

static void
many_entries_fit(void)
{
	struct commit	 c;
	struct ents	 ov;
	char		 path[400];
	int		 i;

	if (!begin(16 << 20, 4096, 0))
		return;
	start(&c, "many");
	memset(path, 'n', sizeof(path));
	for (i = 0; i < 10000; i++) {
		(void)snprintf(path, sizeof(path), "d%03d/%05d", i / 50, i);
		add_text(&c, path, path);
	}
	OK(put(&c) == 0);
	tap_diag("10,000 files: %" PRIu64 " bytes", size_of_last());
	OK(put_text("x", "1") == 0 && size_of_last() == 4096);
	OK(reopen());
	if (OK(store_overlay(st, 2, &ov, &er) == 0)) {
		OK(ov.n == 10001);
		ents_free(&ov);
	}
	OK(text_is(2, "d199/09999", "d199/09999"));
	clean();
	finish();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "every type of entry comes back", every_type_comes_back },
		{ "who and why come back", who_and_why_come_back },
		{ "an overlay has nothing below what is no directory",
		    an_overlay_has_nothing_below_what_is_no_directory },
		{ "what can't be is refused and changes nothing",
		    what_can_not_be_is_refused_and_changes_nothing },
		{ "one commit is one write and one flush",
		    one_commit_is_one_write_and_one_flush },
		{ "small commits are small", small_commits_are_small },
		{ "a delta costs what changed", a_delta_costs_what_changed },
		{ "a hostile delta is refused", a_hostile_delta_is_refused },
		{ "history lasts over compactions",
		    history_lasts_over_compactions },
		{ "a full store says so before it writes",
		    a_full_store_says_so_before_it_writes },
		{ "a failed write goes elsewhere once",
		    a_failed_write_goes_elsewhere_once },
		{ "a failed flush is final", a_failed_flush_is_final },
		{ "a rotten content is never given out",
		    a_rotten_content_is_never_given_out },
		{ "damage in the middle is said and not built upon",
		    damage_in_the_middle_is_said_and_not_built_upon },
		{ "a damaged newest area falls back",
		    a_damaged_newest_area_falls_back },
		{ "the superblock has a copy", the_superblock_has_a_copy },
		{ "what is no store is refused", what_is_no_store_is_refused },
		{ "a newer version is refused", a_newer_version_is_refused },
		{ "any medium has a geometry", any_medium_has_a_geometry },
		{ "opening reads little of a large store",
		    opening_reads_little_of_a_large_store },
		{ "a large content fits", a_large_content_fits },
		{ "many entries fit", many_entries_fit },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
