/*
 * mirkit.c: a copy's medium that is far away, and what a copy should be.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mirkit.h"
#include "tap.h"

static struct away *
away_of(struct io *io)
{
	return (struct away *)(void *)io;	/* its first member */
}

static int
give(struct away *a, void *p, size_t n, uint64_t off, struct err *e)
{
	if (off > a->io.size || n > a->io.size - off)
		return err_set(e, EIO, "%s: read past the end", a->io.name);
	memcpy(p, a->sim->img + off, n);
	a->read += n;
	if (a->answer != NULL)
		a->answer(a->arg, p, n, off);
	return 0;
}

static int
a_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct away	*a = away_of(io);

	a->reads++;
	return give(a, p, n, off, e);
}

static int
a_readv(struct io *io, const struct io_range *v, size_t n, struct err *e)
{
	struct away	*a = away_of(io);
	size_t		 i;
	int		 rc = 0;

	a->readvs++;
	for (i = 0; i < n && rc == 0; i++)
		rc = give(a, v[i].p, v[i].n, v[i].off, e);
	return rc;
}

static int
gone(struct away *a, struct err *e)
{
	return a->writes <= a->stop ? 0 : err_set(e, ECONNRESET, "%s",
	    a->io.name);
}

/* One unit of it gets lost; what is before it and behind it does not. */
static int
lossy(struct away *a, const uint8_t *p, size_t n, uint64_t off,
    struct err *e)
{
	struct io	*to = &a->sim->io;
	size_t		 at = a->fail_at - a->fail_at % SIM_SECTOR;
	int		 rc = 0;

	a->lost = true;
	if (at >= n)
		at = n - SIM_SECTOR;
	if (at > 0)
		rc = to->ops->write(to, p, at, off, e);
	at += SIM_SECTOR;
	if (rc == 0 && at < n)
		rc = to->ops->write(to, p + at, n - at, off + at, e);
	return rc;
}

static int
a_write(struct io *io, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct away	*a = away_of(io);
	struct io	*to = &a->sim->io;
	size_t		 nth = a->writes++;
	int		 rc;

	if (!a->grows && (off > io->size || n > io->size - off)) {
		a->sim->bad++;
		return err_set(e, EIO, "%s: write past the end", io->name);
	}
	if ((rc = gone(a, e)) < 0)
		return rc;
	rc = nth == a->fail ? lossy(a, p, n, off, e) :
	    to->ops->write(to, p, n, off, e);
	if (rc == 0 && off + n > io->size)
		io->size = off + n;
	return rc;
}

static int
a_order(struct io *io, struct err *e)
{
	struct away	*a = away_of(io);
	int		 rc = gone(a, e);

	a->orders++;
	return rc < 0 ? rc : a->sim->io.ops->flush(&a->sim->io, e);
}

static int
a_flush(struct io *io, struct err *e)
{
	struct away	*a = away_of(io);
	int		 rc = gone(a, e);

	a->flushes++;
	if (rc == 0)
		rc = a->sim->io.ops->flush(&a->sim->io, e);
	if (rc == 0 && a->lost) {
		a->lost = false;
		rc = err_set(e, EIO, "write %s", io->name);
	}
	return rc;
}

static const struct io_ops away_ops = {
	.read = a_read, .write = a_write, .flush = a_flush,
	.readv = a_readv, .order = a_order
};

void
away_begin(struct away *a)
{
	sim_forget(a->sim);
	a->reads = a->readvs = a->writes = a->flushes = a->orders = 0;
	a->read = 0;
	a->fail = a->stop = SIZE_MAX;
	a->fail_at = 0;
	a->lost = false;
}

struct away *
away_new(uint64_t size, uint64_t room)
{
	struct away	*a = xalloc(sizeof(*a));

	a->sim = sim_new(room, SIM_SECTOR);
	a->io = (struct io){ &away_ops, "copy", size, SIM_SECTOR, 0 };
	a->grows = size < room;
	away_begin(a);
	return a;
}

void
away_free(struct away *a)
{
	if (a != NULL)
		sim_free(a->sim);
	free(a);
}

int
update(struct io *from, struct io *to, struct mirror_at *at, bool whole,
    struct mirror_job *job, struct err *e)
{
	struct mirror_job	 j = { .from = from, .to = to, .at = at,
	    .whole = whole };
	int			 rc = mirror_update(&j, e);

	if (job != NULL)
		*job = j;
	return rc;
}

static void
tell(void *arg, const char *line)
{
	(void)arg;
	tap_diag("compare: %s", line);
}

int
compare(struct io *from, struct io *to, uint64_t *behind)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = from, .to = to, .at = &at };
	struct err		 e = { 0, "" };
	int			 rc = mirror_compare(&j, behind, tell, NULL,
	    &e);

	if (rc < 0)
		tap_diag("compare: %s", e.msg);
	return rc;
}

const char *
copy_agrees(struct drive *d, struct io *copy, uint64_t upto)
{
	static char	 msg[1400];
	struct store	*s = NULL;
	struct err	 e = { 0, "" };
	const char	*r = NULL;
	uint64_t	 gen;

	if (store_open(&s, copy, &e) < 0) {
		snprintf(msg, sizeof(msg), "%.1000s", e.msg);
		return msg;
	}
	if (store_head(s) != upto || store_damage(s) != NULL ||
	    store_oldest(s) > store_oldest(d->s)) {
		snprintf(msg, sizeof(msg), "has %llu to %llu of %llu to %llu"
		    "; %.900s", (unsigned long long)store_oldest(s),
		    (unsigned long long)store_head(s),
		    (unsigned long long)store_oldest(d->s),
		    (unsigned long long)upto, store_damage(s) == NULL ? "" :
		    store_damage(s));
		r = msg;
	}
	for (gen = store_oldest(d->s); r == NULL && gen <= upto; gen++)
		r = hist_agree(&d->h, s, gen, true);
	store_close(s);
	return r;
}

bool
commits(struct drive *d, size_t n)
{
	enum drive_kind	 kind = DRIVE_RANDOM;
	size_t		 tries = 0, goal = d->done + n;
	int		 r;

	while (d->done < goal) {
		if (tries++ > 4 * n + 50)
			return OK(!"commits get through");
		if ((r = drive_commit(d, kind)) < 0)
			return false;
		kind = r == 0 ? DRIVE_SHRINK : tap_rand(&d->g.rng) % 2 == 0 ?
		    DRIVE_LINE : DRIVE_RANDOM;
	}
	return true;
}

bool
areas(struct drive *d, size_t n)
{
	size_t	 goal = d->moves + n, tries = 0;

	while (d->moves < goal)
		if (tries++ > 2000 || !commits(d, 1))
			return OK(!"areas are begun");
	return true;
}
