/*
 * simio.c: a simulated medium under struct io.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "simio.h"

void *
xrealloc(void *old, size_t n)
{
	void	*p = realloc(old, n == 0 ? 1 : n);

	if (p == NULL) {
		fprintf(stderr, "test: out of memory\n");
		exit(2);
	}
	return p;
}

void *
xalloc(size_t n)
{
	void	*p = xrealloc(NULL, n);

	memset(p, 0, n);
	return p;
}

void *
xmemdup(const void *from, size_t n)
{
	void	*p = xrealloc(NULL, n);

	if (n > 0)
		memcpy(p, from, n);
	return p;
}

size_t
env_count(const char *name, size_t dflt, bool soaked)
{
	const char	*s = getenv(name), *k = getenv("SOAK");
	size_t		 v = s == NULL ? dflt : strtoull(s, NULL, 0);
	size_t		 m = soaked && k != NULL ? strtoull(k, NULL, 0) : 1;

	/* Sanitizers look at each access, and are slow: the states that a
	 * power cut can leave are gone through without them. */
	if (soaked && s == NULL && getenv("SANITIZED") != NULL)
		v = (v + 3) / 4;
	return v * (m == 0 ? 1 : m);
}

static struct sim *
sim_of(struct io *io)
{
	return (struct sim *)(void *)io;	/* its first member */
}

static void
note(struct sim *s, bool flush, const void *data, size_t n, uint64_t off)
{
	if (s->nops == s->cap) {
		s->cap = s->cap == 0 ? 64 : s->cap * 2;
		s->ops = xrealloc(s->ops, s->cap * sizeof(*s->ops));
	}
	s->ops[s->nops++] = (struct sim_op){ flush, off, n,
	    flush ? NULL : xmemdup(data, n) };
}

/* Whether the fault strikes this operation. */
static enum sim_fault
strike(struct sim *s, enum sim_on on)
{
	if (s->fault == SIM_NONE || s->on != on)
		return SIM_NONE;
	if (s->countdown > 0) {
		s->countdown--;
		return SIM_NONE;
	}
	if (s->hits > 0 && !s->for_good)
		return SIM_NONE;
	s->hits++;
	return s->fault;
}

static bool
within(const struct sim *s, size_t n, uint64_t off)
{
	return off <= s->io.size && n <= s->io.size - off;
}

static int
sim_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct sim	*s = sim_of(io);

	if (!within(s, n, off))
		return err_set(e, EIO, "%s: read past the end", io->name);
	if (strike(s, SIM_READS) != SIM_NONE)
		return err_set(e, EIO, "read %s", io->name);
	memcpy(p, s->img + off, n);
	return 0;
}

static int
sim_write(struct io *io, const void *p, size_t n, uint64_t off, struct err *e)
{
	struct sim	*s = sim_of(io);
	size_t		 half = n / 2 / SIM_SECTOR * SIM_SECTOR;
	enum sim_fault	 f;

	if (n == 0 || n % io->block != 0 || off % io->block != 0) {
		s->bad++;
		return err_set(e, EINVAL, "%s: unaligned write", io->name);
	}
	if (!within(s, n, off)) {
		s->bad++;
		return err_set(e, ENOSPC, "%s: write past the end", io->name);
	}
	f = strike(s, SIM_WRITES);
	if (f != SIM_NONE)
		s->hit_off = off;
	if (f == SIM_SHORT || f == SIM_TORN) {
		const uint8_t	*from = p;

		if (f == SIM_TORN) {
			from += half;
			off += half;
			n -= half;
		} else {
			n = half;
		}
		if (n > 0) {
			note(s, false, from, n, off);
			memcpy(s->img + off, from, n);
		}
	}
	if (f != SIM_NONE)
		return err_set(e, f == SIM_ENOSPC ? ENOSPC : EIO, "write %s",
		    io->name);
	note(s, false, p, n, off);
	memcpy(s->img + off, p, n);
	return 0;
}

static int
sim_flush(struct io *io, struct err *e)
{
	struct sim	*s = sim_of(io);
	enum sim_fault	 f = strike(s, SIM_FLUSHES);
	size_t		 i;

	if (f == SIM_LIE)
		return 0;
	if (f == SIM_LOSE)
		memcpy(s->img, s->durable, io->size);
	if (f != SIM_NONE)
		return err_set(e, f == SIM_ENOSPC ? ENOSPC : EIO, "flush %s",
		    io->name);
	for (i = s->synced; i < s->nops; i++)
		if (!s->ops[i].flush)
			memcpy(s->durable + s->ops[i].off, s->ops[i].data,
			    s->ops[i].n);
	note(s, true, NULL, 0, 0);
	s->synced = s->nops;
	return 0;
}

static void
sim_close(struct io *io)
{
	(void)io;	/* the test owns the medium, and looks at it later */
}

static const struct io_ops sim_ops = {
	.read = sim_read, .write = sim_write, .flush = sim_flush,
	.close = sim_close
};

struct sim *
sim_new(uint64_t size, uint32_t block)
{
	struct sim	*s = xalloc(sizeof(*s));

	s->io = (struct io){ &sim_ops, "medium", size, block, 0 };
	s->img = xalloc(size);
	s->durable = xalloc(size);
	return s;
}

static void
clear_log(struct sim *s)
{
	size_t	 i;

	for (i = 0; i < s->nops; i++)
		free(s->ops[i].data);
	s->nops = s->synced = 0;
	s->fault = SIM_NONE;
	s->hits = 0;
}

void
sim_free(struct sim *s)
{
	if (s == NULL)
		return;
	clear_log(s);
	free(s->ops);
	free(s->img);
	free(s->durable);
	free(s);
}

void
sim_load(struct sim *s, const uint8_t *img)
{
	clear_log(s);
	memcpy(s->img, img, s->io.size);
	memcpy(s->durable, img, s->io.size);
}

void
sim_forget(struct sim *s)
{
	clear_log(s);
	memcpy(s->durable, s->img, s->io.size);
}

void
sim_fail(struct sim *s, enum sim_on on, enum sim_fault f, size_t nth,
    bool for_good)
{
	s->on = on;
	s->fault = f;
	s->countdown = nth;
	s->for_good = for_good;
	s->hits = 0;
}

size_t
sim_count(const struct sim *s, bool flushes, size_t *bytes)
{
	size_t	 i, k = 0, sum = 0;

	for (i = 0; i < s->nops; i++) {
		if (s->ops[i].flush == flushes)
			k++;
		sum += s->ops[i].n;
	}
	if (bytes != NULL)
		*bytes = sum;
	return k;
}
