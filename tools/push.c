/*
 * push.c: a copy of the store on another host: extended in place, or made
 * under a new name and then put where it belongs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/far.h"
#include "../sync/seal.h"
#include "../sync/store-int.h"
#include "out.h"
#include "push.h"

#define OFTEN_NS	100000000	/* how often progress is told */

/* The copy, as a file and as the store that it holds. */
struct copy {
	struct io	*file;		/* owned */
	struct io	*up;		/* owned; NULL: the file is the store */
};

struct tell {
	int		 sock;
	int64_t		 last;		/* ns, when it was told */
};

static struct io *
store_of(const struct copy *c)
{
	return c->up == NULL ? c->file : c->up;
}

static void
copy_close(struct copy *c)
{
	io_close(c->up);
	io_close(c->file);
	c->up = c->file = NULL;
}

static void
tell(void *arg, uint64_t done, uint64_t of)
{
	struct tell	*t = arg;
	struct buf	 b = BUF_INIT;
	int64_t		 now = out_now();

	if (now - t->last < OFTEN_NS && now >= t->last)
		return;
	t->last = now;
	put_le64(&b, done);
	put_le64(&b, of);
	if (!b.bad)
		(void)frame_send(t->sock, NET_FRAME, 'p', b.p, b.len);
	buf_free(&b);
}

static void
tell_line(void *arg, const char *line)
{
	struct net_far	*f = arg;

	f->r.faults++;
	(void)frame_send(f->sock, NET_FRAME, 'l', line, strlen(line));
}

static int
super(const struct push *p, uint8_t buf[SUPER_LEN], struct err *e)
{
	return p->from->ops->read(p->from, buf, SUPER_LEN, 0, e);
}

/* What is there, opened.  -ENOENT: nothing. */
static int
copy_open(struct net_far *f, const char *path, bool write, struct copy *c,
    struct err *e)
{
	int	 rc;

	memset(c, 0, sizeof(*c));
	rc = far_open(&c->file, f->sftp, path, write ? FAR_WRITE : 0, 0, e);
	if (rc == 0 && f->seal != NULL &&
	    (rc = seal_open(&c->up, c->file, f->seal, write, e)) == -EINVAL &&
	    store_probe(c->file))
		rc = err_setx(e, EEXIST, "%s: a copy is there that is not "
		    "sealed", c->file->name);
	if (rc < 0)
		copy_close(c);
	return rc;
}

static bool
is_foreign(int rc)
{
#ifdef EMEDIUMTYPE
	if (rc == -EMEDIUMTYPE)
		return true;
#endif
	return rc == -EINVAL;
}

/* What is no copy of the store may be a sealed one: only then is it worth
 * a round trip to look. */
static int
explain(const struct copy *c, int rc, struct err *e)
{
	if (!is_foreign(rc) || c->up != NULL || !seal_probe(c->file))
		return rc;
	return err_setx(e, EEXIST, "%s: a sealed copy is there, and no key "
	    "was named", c->file->name);
}

/* How much of a copy begun earlier can be gone on with; 0: nothing. */
static uint64_t
begun(struct net_far *f, const char *path, const uint8_t *mine,
    struct copy *c)
{
	uint8_t		 theirs[SUPER_LEN];
	struct err	 ignored;
	uint64_t	 have;

	if (copy_open(f, path, true, c, &ignored) < 0)
		return 0;
	have = far_bytes(c->file);
	if (have < SUPER_LEN || store_of(c)->ops->read(store_of(c), theirs,
	    SUPER_LEN, 0, &ignored) < 0 ||
	    memcmp(mine, theirs, SUPER_LEN) != 0) {
		copy_close(c);
		return 0;
	}
	/* Of a sealed one each unit takes more room than of the store. */
	return c->up == NULL ? have : have / (SEAL_OVER + ALIGN_LEAST) *
	    ALIGN_LEAST;
}

static int
copy_create(struct net_far *f, const char *path, const uint8_t *mine,
    struct copy *c, struct err *e)
{
	struct err	 ignored;
	int		 rc;

	(void)sftp_remove(f->sftp, path, &ignored);	/* or it is not there */
	memset(c, 0, sizeof(*c));
	rc = far_open(&c->file, f->sftp, path, FAR_WRITE | FAR_CREATE, 0, e);
	if (rc == 0 && f->seal != NULL)
		rc = seal_create(&c->up, c->file, f->seal, mine, e);
	return rc;
}

/* The whole copy under a new name, which then takes the other's place. */
static int
anew(struct net_far *f, const struct push *p, struct mirror_job *j,
    struct err *e)
{
	uint8_t		 mine[SUPER_LEN];
	struct copy	 c = { NULL, NULL };
	uint64_t	 have = 0;
	char		*path = NULL;
	int		 rc;

	if (asprintf(&path, "%s.new", f->path) == -1)
		return err_set(e, ENOMEM, "%s", f->path);
	if ((rc = super(p, mine, e)) < 0)
		goto out;
	if ((have = begun(f, path, mine, &c)) == 0)
		rc = copy_create(f, path, mine, &c, e);
	if (rc == 0) {
		j->to = store_of(&c);
		memset(j->at, 0, sizeof(*j->at));
		rc = mirror_fill(j, have, e);
	}
	copy_close(&c);
	if (rc == 0)			/* COMMIT POINT of a new copy */
		rc = sftp_rename(f->sftp, path, f->path, &f->r.gap, e);
out:
	free(path);
	return rc;
}

/*
 * Whether another copy may take the place of this one: where it is
 * damaged beyond mending, and where that was asked for.
 */
static bool
hopeless(int rc, const struct push *p)
{
	return rc == -ESTALE || (p->force && (rc == -EEXIST ||
	    is_foreign(rc) || rc == -EBADMSG || rc == -EACCES ||
	    rc == -EPROTONOSUPPORT));
}

int
job_push(struct net_far *f, void *arg, struct err *e)
{
	struct push		*p = arg;
	struct tell		 t = { .sock = f->sock };
	struct mirror_job	 j = { .from = p->from, .at = &p->at,
	    .records = f->seal != NULL, .whole = p->whole, .progress = tell,
	    .arg = &t };
	struct copy		 c;
	int			 rc;

	if ((rc = copy_open(f, f->path, true, &c, e)) == 0) {
		j.to = store_of(&c);
		rc = explain(&c, mirror_update(&j, e), e);
		copy_close(&c);
	}
	if (rc == -ENOENT || hopeless(rc, p))
		rc = anew(f, p, &j, e);
	f->r.at = p->at;
	f->r.sent = j.sent;
	f->r.was = j.was;
	return rc;
}

int
job_compare(struct net_far *f, void *arg, struct err *e)
{
	struct push		*p = arg;
	struct tell		 t = { .sock = f->sock };
	struct mirror_job	 j = { .from = p->from, .at = &p->at,
	    .progress = tell, .arg = &t };
	struct copy		 c;
	int			 rc;

	if ((rc = copy_open(f, f->path, false, &c, e)) < 0)
		return rc;
	j.to = store_of(&c);
	rc = explain(&c, mirror_compare(&j, &f->r.behind, tell_line, f, e),
	    e);
	copy_close(&c);
	f->r.at = p->at;
	return rc < 0 ? rc : 0;
}
