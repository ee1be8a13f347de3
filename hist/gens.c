/*
 * gens.c: generations and contents at hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "../lib/path.h"
#include "../sync/url.h"
#include "gens.h"

/* ms */
#define IDLE		1000	/* the store stays open that long unused, */
#define LONGEST		10000	/* and so long at all */
#define GIVE_WAY	200	/* so long those get who wait for its slice */
#define TRUST		1000	/* a file that looks unchanged is believed to
				   be so: its clock may be coarse */
#define TRUST_DEV	50	/* a device shows nothing */

static int64_t
now_ms(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
gens_init(struct gens *g, const struct inst *inst)
{
	memset(g, 0, sizeof(*g));
	g->inst = inst;
	g->base = -1;
	g->near = (struct walk_at){ -1, -1, NULL };
}

static void
drop_content(struct content *c)
{
	free(c->path);
	buf_free(&c->b);
	memset(c, 0, sizeof(*c));
}

/* What was read from the store goes with it.  Whether its slice was
 * mounted for us alone. */
static bool
close_store(struct gens *g)
{
	struct err	 e;
	uint64_t	 window;
	size_t		 i;

	for (i = 0; i < GENS_TREES; i++) {
		ents_free(&g->g[i].ov);
		memset(&g->g[i], 0, sizeof(g->g[i]));
	}
	store_close(g->s);
	g->s = NULL;
	if (slice_close(g->slice, &window, &e) < 0)
		syslog(LOG_WARNING, "%s", e.msg);
	g->slice = NULL;
	return window > 0;
}

/* The same to open it at once again: those who wait for it come first. */
static void
let_others(struct gens *g)
{
	if (close_store(g))
		(void)nanosleep(&(struct timespec){ 0, GIVE_WAY * 1000000 },
		    NULL);
}

void
gens_rest(struct gens *g)
{
	size_t	 i;

	(void)close_store(g);
	for (i = 0; i < GENS_FILES; i++)
		drop_content(&g->c[i]);
	walk_at_close(&g->near);
	if (g->base != -1)
		(void)close(g->base);
	gens_init(g, g->inst);
}

int
gens_idle(const struct gens *g)
{
	int64_t	 left = g->used + IDLE - now_ms();

	if (g->s == NULL && g->base == -1)
		return -1;
	return left < 0 ? 0 : (int)left;
}

static int
open_base(struct gens *g, struct err *e)
{
	g->used = now_ms();
	if (g->base != -1 || g->inst->base == NULL)
		return 0;
	g->base = open(g->inst->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->base == -1)
		return err_set(e, errno, "%s", g->inst->base);
	g->near = (struct walk_at){ g->base, -1, NULL };
	return 0;
}

static int
open_store(struct gens *g, struct err *e)
{
	const char	*path = g->inst->store;
	struct io	*io;
	int		 rc;

	if (path == NULL)
		return err_setx(e, ENOENT, "no store");
	if (url_is(path)) {
		if (!g->told)
			syslog(LOG_NOTICE, "%s: the history of a store on "
			    "another host is not shown", path);
		g->told = true;
		return err_setx(e, ENOENT, "%s: on another host", path);
	}
	if ((rc = open_base(g, e)) < 0 ||
	    (rc = slice_open(&g->slice, path, false, &io, e)) < 0)
		return rc;
	g->opened = now_ms();
	if (stat(path, &g->st) == -1)
		memset(&g->st, 0, sizeof(g->st));
	if ((rc = store_open(&g->s, io, e)) < 0)
		(void)close_store(g);
	return rc;
}

/* Whether another commit may be there than when the store was opened. */
static bool
is_old(const struct gens *g)
{
	int64_t		 age = now_ms() - g->opened;
	struct stat	 st;

	if (age > TRUST || stat(g->inst->store, &st) == -1)
		return true;
	if (!S_ISREG(st.st_mode))
		return age > TRUST_DEV;
	return st.st_ino != g->st.st_ino || st.st_dev != g->st.st_dev ||
	    st.st_mtim.tv_sec != g->st.st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != g->st.st_mtim.tv_nsec;
}

/* The store open; `fresh`, its head is what it is now. */
static int
have_store(struct gens *g, bool fresh, struct err *e)
{
	int	 rc = 0;

	if (g->s != NULL && ((fresh && is_old(g)) ||
	    now_ms() - g->opened > LONGEST))
		let_others(g);
	if (g->s == NULL)
		rc = open_store(g, e);
	g->used = now_ms();
	return rc;
}

int
gens_range(struct gens *g, uint64_t *oldest, uint64_t *head, struct err *e)
{
	int	 rc;

	if ((rc = have_store(g, true, e)) < 0)
		return rc;
	*oldest = store_oldest(g->s);
	*head = store_head(g->s);
	return 0;
}

int64_t
gens_time(struct gens *g, uint64_t gen)
{
	struct commit	 c;
	struct err	 ignored;

	if (gen == 0 || have_store(g, false, &ignored) < 0)
		return 0;
	if (g->timed != gen) {
		g->timed = gen;
		g->time = 0;	/* where a checkpoint alone knows of it */
		if (store_record(g->s, gen, &c, &ignored) == 0) {
			g->time = c.time;
			commit_free(&c);
		}
	}
	return g->time;
}

static bool
in_range(const struct gens *g, uint64_t gen)
{
	return gen >= store_oldest(g->s) && gen <= store_head(g->s);
}

int
gens_has(struct gens *g, uint64_t gen, struct err *e)
{
	int	 rc;

	if (gen == 0)
		return 0;
	/* What was there a moment ago need not be looked for. */
	if (g->s != NULL && now_ms() - g->opened < TRUST && in_range(g, gen))
		return 0;
	if ((rc = have_store(g, true, e)) < 0)
		return rc;
	return in_range(g, gen) ? 0 : err_setx(e, ENOENT, "no generation");
}

/* The overlay of a generation, into the place that was used least lately. */
static int
load(struct gens *g, uint64_t gen, struct gen **out, struct err *e)
{
	struct gen	*x = &g->g[0];
	size_t		 i;
	int		 rc;

	for (i = 1; i < GENS_TREES; i++)
		if (g->g[i].used < x->used)
			x = &g->g[i];
	ents_free(&x->ov);
	memset(x, 0, sizeof(*x));
	if (gen != 0 && (rc = store_overlay(g->s, gen, &x->ov, e)) < 0) {
		ents_free(&x->ov);
		return rc;
	}
	x->gen = gen;
	*out = x;
	return 0;
}

int
gens_tree(struct gens *g, uint64_t gen, const struct pers **pers,
    struct err *e)
{
	struct gen	*x = NULL;
	size_t		 i;
	int		 rc;

	rc = gen == 0 ? open_base(g, e) : have_store(g, false, e);
	for (i = 0; rc == 0 && i < GENS_TREES; i++)
		if (g->g[i].used != 0 && g->g[i].gen == gen)
			x = &g->g[i];
	if (rc == 0 && x == NULL)
		rc = load(g, gen, &x, e);
	/* A commit may have taken its place since the store was opened. */
	if (rc < 0 && gen != 0 && g->s != NULL && is_old(g) &&
	    (rc = have_store(g, true, e)) == 0)
		rc = load(g, gen, &x, e);
	if (rc < 0)
		return rc == -ENOENT ? -ESTALE : rc;
	x->used = ++g->tick;
	x->pers = (struct pers){ g->base, gen == 0 ? NULL : &x->ov, g->s,
	    g->base == -1 ? NULL : &g->near };
	*pers = &x->pers;
	return 0;
}

static struct content *
at_hand(struct gens *g, uint64_t gen, const char *path)
{
	size_t	 i;

	for (i = 0; i < GENS_FILES; i++)
		if (g->c[i].used != 0 && g->c[i].gen == gen &&
		    strcmp(g->c[i].path, path) == 0)
			return &g->c[i];
	return NULL;
}

/* A free place, those that were used least lately having made room. */
static struct content *
make_room(struct gens *g, uint64_t size)
{
	struct content	*least, *place;
	uint64_t	 sum;
	size_t		 i;

	for (;;) {
		least = place = NULL;
		sum = size;
		for (i = 0; i < GENS_FILES; i++) {
			if (g->c[i].used == 0) {
				place = &g->c[i];
				continue;
			}
			sum += g->c[i].b.len;
			if (least == NULL || g->c[i].used < least->used)
				least = &g->c[i];
		}
		if (place != NULL && (least == NULL || sum <= GENS_BYTES))
			return place;
		drop_content(least);
	}
}

/* Of a file of the base: from where it is. */
static ssize_t
read_base(const struct pers *p, const char *path, void *to, size_t size,
    uint64_t off, struct err *e)
{
	ssize_t	 n;
	int	 fd;

	if ((fd = path_open(p->base, path, O_RDONLY | O_NONBLOCK)) < 0)
		return err_set(e, -fd, "base: %s", path);
	if ((n = pread(fd, to, size, (off_t)off)) == -1)
		n = err_set(e, errno, "base: %s", path);
	(void)close(fd);
	return n;
}

static int
load_content(struct gens *g, uint64_t gen, const struct pers *p,
    const struct ent *x, struct content **out, struct err *e)
{
	struct content	*c = make_room(g, x->size);
	int		 rc;

	if ((rc = pers_content(p, x, false, &c->b, e)) == 0 &&
	    (c->path = strdup(x->path)) == NULL)
		rc = err_set(e, ENOMEM, "%s", x->path);
	if (rc < 0) {
		drop_content(c);
		return rc;
	}
	c->gen = gen;
	*out = c;
	return 0;
}

/* Find the content, or *from_base. */
static int
find_content(struct gens *g, uint64_t gen, const char *path,
    const struct pers **p, bool *from_base, struct content **c,
    struct err *e)
{
	struct ent	 x;
	int		 rc;

	if ((rc = gens_tree(g, gen, p, e)) < 0 ||
	    (rc = pers_get(*p, path, 0, &x, from_base, e)) < 0)
		return rc;
	if (x.type != ENT_REG)
		rc = err_set(e, EINVAL, "%s", path);
	else if (!*from_base)
		rc = load_content(g, gen, *p, &x, c, e);
	ent_free(&x);
	return rc;
}

ssize_t
gens_read(struct gens *g, uint64_t gen, const char *path, void *to,
    size_t size, uint64_t off, struct err *e)
{
	const struct pers	*p = NULL;
	struct content		*c = at_hand(g, gen, path);
	bool			 from_base = false;
	int			 rc = 0;

	if (c == NULL)
		rc = find_content(g, gen, path, &p, &from_base, &c, e);
	if (rc < 0 && g->s != NULL && is_old(g)) {
		let_others(g);
		rc = find_content(g, gen, path, &p, &from_base, &c, e);
	}
	if (rc < 0)
		return rc;
	if (from_base)
		return read_base(p, path, to, size, off, e);
	c->used = ++g->tick;
	if (off >= c->b.len)
		return 0;
	if (size > c->b.len - off)
		size = (size_t)(c->b.len - off);
	memcpy(to, c->b.p + off, size);
	return (ssize_t)size;
}
