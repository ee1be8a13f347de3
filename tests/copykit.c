/*
 * copykit.c: what the tests of copies share.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "copykit.h"
#include "tap.h"

struct err	 mer;

static struct far *
far_of(struct io *io)
{
	return (struct far *)(void *)io;	/* its first member */
}

static int
f_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct far	*f = far_of(io);

	f->reads++;
	f->rd += n;
	if (off > io->size || n > io->size - off)
		return err_set(e, EIO, "%s: read past the end", io->name);
	return f->sim->io.ops->read(&f->sim->io, p, n, off, e);
}

static int
f_readv(struct io *io, const struct io_range *v, size_t n, struct err *e)
{
	struct far	*f = far_of(io);
	size_t		 i;
	int		 rc = 0;

	f->readvs++;
	for (i = 0; i < n && rc == 0; i++) {
		f->reads--;
		rc = f_read(io, v[i].p, v[i].n, v[i].off, e);
	}
	return rc;
}

static int
f_write(struct io *io, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct far	*f = far_of(io);

	f->writes++;
	f->wr += n;
	if (off + n > io->size)
		io->size = off + n;
	if (f->writes == f->fail ||
	    (f->stop != 0 && f->writes >= f->stop)) {
		f->broken = true;
		return 0;	/* nobody knows yet */
	}
	return f->sim->io.ops->write(&f->sim->io, p, n, off, e);
}

static int
f_flush(struct io *io, struct err *e)
{
	struct far	*f = far_of(io);

	f->flushes++;
	if (f->broken)
		return err_set(e, ENOSPC, "write %s", io->name);
	return f->sim->io.ops->flush(&f->sim->io, e);
}

/* Done in its turn, and told of later. */
static int
f_order(struct io *io, struct err *e)
{
	struct far	*f = far_of(io);

	f->orders++;
	return f->sim->io.ops->flush(&f->sim->io, e);
}

static const struct io_ops far_ops = {
	.read = f_read, .write = f_write, .flush = f_flush,
	.readv = f_readv, .order = f_order
};

void
far_begin(struct far *f, struct sim *sim, uint64_t size)
{
	memset(f, 0, sizeof(*f));
	f->io = sim->io;
	f->io.ops = &far_ops;
	f->io.name = "far";
	f->io.size = size;
	f->sim = sim;
}

void
far_reset(struct far *f)
{
	far_begin(f, f->sim, f->io.size);
}

int
bring(struct io *from, struct io *to, struct mirror_at *at, bool whole,
    uint64_t *sent)
{
	struct mirror_at	 none = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = from, .to = to,
	    .at = at == NULL ? &none : at, .whole = whole };
	int			 rc;

	mer = (struct err){ 0, "" };
	rc = mirror_update(&j, &mer);
	if (sent != NULL)
		*sent = j.sent;
	if (rc < 0)
		OK(mer.msg[0] != '\0' && mer.code == -rc);
	return rc;
}

struct sim *
image_of(const struct sim *s)
{
	struct sim	*n = sim_new(s->io.size, s->io.block);

	sim_load(n, s->img);
	return n;
}

const char *
copy_holds(struct drive *d, struct io *io, uint64_t head)
{
	static char	 msg[1200];
	struct store	*s;
	struct err	 e = { 0, "" };
	const char	*r = NULL;
	uint64_t	 gen;

	if (store_open(&s, io, &e) < 0) {
		snprintf(msg, sizeof(msg), "open: %s", e.msg);
		return msg;
	}
	if (store_head(s) != head) {
		snprintf(msg, sizeof(msg), "opened to %llu, not %llu; %s",
		    (unsigned long long)store_head(s),
		    (unsigned long long)head, store_damage(s) == NULL ?
		    "no damage said" : store_damage(s));
		r = msg;
	} else if (store_damage(s) != NULL) {
		snprintf(msg, sizeof(msg), "%s", store_damage(s));
		r = msg;
	}
	for (gen = store_oldest(s); r == NULL && gen <= head; gen++)
		r = hist_agree(&d->h, s, gen, true);
	store_close(s);
	return r;
}

static void
hear(void *arg, const char *line)
{
	snprintf(arg, 160, "%s", line);
}

const char *
copy_same(struct io *from, struct io *to)
{
	static char		 line[1200];
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = from, .to = to, .at = &at };
	struct err		 e = { 0, "" };
	uint64_t		 behind = 0;
	int			 rc;

	line[0] = '\0';
	rc = mirror_compare(&j, &behind, hear, line, &e);
	if (rc < 0)
		snprintf(line, sizeof(line), "compare: %s", e.msg);
	else if (behind != 0)
		snprintf(line, sizeof(line), "behind by %llu",
		    (unsigned long long)behind);
	return rc != 0 || behind != 0 ? line : NULL;
}

bool
go_on(struct drive *d, size_t n)
{
	return drive_run(d, d->done + n, 0);
}

uint64_t
drive_head(const struct drive *d)
{
	return d->h.v[d->h.n - 1].gen;
}
