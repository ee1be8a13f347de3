/*
 * wear.c: what commits write, and the budget for it.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "confedit.h"
#include "out.h"
#include "wear.h"

static char *
file_of(const struct cfg *c)
{
	char	*file;

	return c->inst.state == NULL || asprintf(&file, "%s/wear",
	    c->inst.state) == -1 ? NULL : file;
}

void
wear_note(const struct cfg *c, const struct wear_line *l)
{
	char		*file = file_of(c);
	struct buf	 b = BUF_INIT;
	int		 fd;

	put_fmt(&b, "%" PRId64 " %" PRIu64 " %" PRIu64 "\n", l->time,
	    l->bytes, l->device);
	if (file != NULL && !b.bad && (fd = open(file, O_WRONLY | O_APPEND |
	    O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644)) != -1) {
		(void)out_fd(fd, &b);
		(void)close(fd);
	}
	buf_free(&b);
	free(file);
}

static int
add(struct wear_lines *l, const struct wear_line *x)
{
	if (more_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return -ENOMEM;
	l->v[l->n++] = *x;
	return 0;
}

int
wear_lines(const struct cfg *c, struct wear_lines *l)
{
	char			*file = file_of(c), *p, *nl;
	struct buf		 b = BUF_INIT;
	struct wear_line	 x;
	struct err		 ignored;
	int			 rc = 0;

	memset(l, 0, sizeof(*l));
	if (file == NULL || conf_load(file, &b, &ignored) < 0)
		b.len = 0;
	for (p = (char *)b.p; rc == 0 && b.len > 0 && *p != '\0'; p = nl) {
		nl = p + strcspn(p, "\n");
		if (*nl == '\n')
			*nl++ = '\0';
		if (sscanf(p, "%" SCNd64 " %" SCNu64 " %" SCNu64, &x.time,
		    &x.bytes, &x.device) == 3)
			rc = add(l, &x);
	}
	buf_free(&b);
	free(file);
	return rc;
}

struct recent {
	struct wear_lines l;
	int64_t		 from, to;
};

static int
of_store(void *arg, const struct store_write *w)
{
	struct recent		*r = arg;
	struct wear_line	 x = { w->time, w->bytes, 0 };

	return w->time <= r->from || w->time > r->to ? 0 : add(&r->l, &x);
}

static int
by_time(const void *a, const void *b)
{
	const struct wear_line	*x = a, *y = b;

	return x->time < y->time ? -1 : x->time > y->time;
}

static uint64_t
sum(const struct wear_lines *l)
{
	uint64_t	 n = 0;
	size_t		 i;

	for (i = 0; i < l->n; i++)
		n += l->v[i].bytes;
	return n;
}

int
wear_day(const struct cfg *c, struct store *s, int64_t now,
    struct wear_lines *l, struct err *e)
{
	struct recent		 r = { { NULL, 0, 0 }, now - WEAR_DAY, now };
	struct wear_lines	 ram;
	size_t			 i, k = 0;
	int			 rc;

	memset(l, 0, sizeof(*l));
	if ((rc = store_ledger(s, of_store, &r, e)) < 0)
		goto out;
	if ((rc = wear_lines(c, &ram)) == 0) {
		for (i = 0; i < ram.n; i++)
			if (ram.v[i].time > r.from && ram.v[i].time <= now)
				ram.v[k++] = ram.v[i];
		ram.n = k;
	}
	/* Areas that were written anew have forgotten; a boot has, too. */
	*l = sum(&ram) > sum(&r.l) ? ram : r.l;
	free(l->v == ram.v ? r.l.v : ram.v);
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_time);
	return rc < 0 ? err_set(e, -rc, "wear") : 0;
out:
	free(r.l.v);
	return rc;
}

int64_t
wear_until(const struct wear_lines *l, uint64_t budget, int64_t now)
{
	uint64_t	 left = sum(l);
	size_t		 i;

	for (i = 0; i < l->n && left >= budget; i++)
		left -= l->v[i].bytes;
	return budget == 0 || i == 0 ? 0 : l->v[i - 1].time + WEAR_DAY - now;
}

int64_t
wear_wait(const struct cfg *c, uint64_t budget, int64_t now)
{
	struct cfg_store	 st;
	struct wear_lines	 l;
	struct err		 ignored;
	int64_t			 wait = 0;

	if (budget == 0 || cfg_open(c, false, &st, &ignored) < 0)
		return 0;
	if (wear_day(c, st.s, now, &l, &ignored) == 0) {
		wait = wear_until(&l, budget, now);
		free(l.v);
	}
	(void)cfg_close(&st, NULL, &ignored);
	return wait;
}

bool
wear_device(const char *store, dev_t *dev, uint64_t *bytes)
{
	struct stat	 st;

	*bytes = 0;
	if (*dev == 0) {
		if (store == NULL || stat(store, &st) == -1)
			return false;
		*dev = S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode) ?
		    st.st_rdev : st.st_dev;
	}
	return os_disk_written(*dev, bytes) == 0;
}
