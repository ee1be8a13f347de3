/*
 * storekit.c: a medium that counts, and commits by hand.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "storekit.h"
#include "tap.h"

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

static const struct io_ops c_ops = {
	.read = c_read, .write = c_write, .flush = c_flush
};

struct count	 med;
struct store	*st;
struct err	 er;

void
reset_counts(void)
{
	med.writes = med.flushes = 0;
	med.read = med.written = 0;
}

bool
reopen(void)
{
	store_close(st);
	st = NULL;
	return OK(store_open(&st, &med.io, &er) == 0);
}

void
finish(void)
{
	store_close(st);
	st = NULL;
	io_close(med.real);
	memset(&med, 0, sizeof(med));
}

void
medium(uint64_t size, uint32_t block)
{
	memset(&med, 0, sizeof(med));
	if (io_mem(&med.real, size, block, &er) < 0)
		exit(2);
	med.io = *med.real;
	med.io.ops = &c_ops;
}

bool
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

struct change *
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

struct change *
add_file(struct commit *c, const char *path, const void *p, size_t n)
{
	struct change	*ch = add(c, path, ENT_REG);

	ch->e.size = n;
	hash_mem(&ch->e.hash, n == 0 ? "" : p, n);
	put_bytes(&ch->data, p, n);
	return ch;
}

void
add_text(struct commit *c, const char *path, const char *text)
{
	(void)add_file(c, path, text, strlen(text));
}

void
add_drop(struct commit *c, const char *path)
{
	add(c, path, ENT_NONE)->op = CHANGE_DROP;
}

void
start(struct commit *c, const char *msg)
{
	memset(c, 0, sizeof(*c));
	c->time = 1700000000123456789;
	c->uid = 1000;
	c->user = strdup("joe");
	c->msg = strdup(msg);
}

/* Commit, and free; the result. */
int
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

int
put_text(const char *path, const char *text)
{
	struct commit	 c;

	start(&c, "text");
	add_text(&c, path, text);
	return put(&c);
}

uint64_t
size_of_last(void)
{
	struct store_space	 sp;

	store_space(st, &sp);
	return sp.written;
}

bool
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

bool
text_is(uint64_t gen, const char *path, const char *text)
{
	return content_is(gen, path, text, strlen(text));
}

bool
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

void
clean(void)
{
	OK(store_verify(st, tell, NULL, &er) == 0);
	OK(store_damage(st) == NULL);
}

/* Lines as a configuration has them, one of them changed. */
void
lines(struct buf *b, unsigned seed, int n, int which, unsigned value)
{
	int	 i;

	b->len = 0;
	for (i = 0; i < n; i++)
		put_fmt(b, "name_%d_%u=\"value %u\"\n", i, seed,
		    i == which ? value : (unsigned)i * 7919u * (seed + 1) %
		    9973u);
}

void
noise(struct buf *b, size_t n, uint64_t seed)
{
	uint64_t	 r;

	b->len = 0;
	while (b->len < n) {
		r = tap_rand(&seed);
		put_bytes(b, &r, n - b->len < 8 ? n - b->len : 8);
	}
}
