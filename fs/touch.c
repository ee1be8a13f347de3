/*
 * touch.c: the daemon's end of the change journal.
 *
 * Space is reserved before it is written to.  Where there is none left,
 * one record for which room was kept says that everything is to be
 * looked at, and the change goes on: deleting must work on a full disk.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "log.h"
#include "seg.h"
#include "touch.h"

#define SEG_COMPACT	65536u		/* below this none is compacted */
#define SPARE		128u		/* bytes kept for a SCAN record */
#define WHO_MAX		4		/* records of a path */

struct touch {
	struct seg	 s;	/* what is added to */
	int		 root;	/* the running tree; the caller's */
	size_t		 least;	/* bytes in use when last compacted */
	struct buf	 path;	/* of the change at hand */
	struct buf	 rec;	/* the record in the making */
	char		 comm[JRN_COMM]; /* who makes it, */
	bool		 known;	/* once that was asked for */
	bool		 full;	/* no space was left last time */
};

/* Whether the path, or one above it, was made in this segment. */
static bool
born_here(const struct touch *t, const char *path, size_t len)
{
	int	 n;

	for (;;) {
		if ((seg_flags(&t->s, path, len, &n) & JRN_BORN) != 0)
			return true;
		while (len > 0 && path[len - 1] != '/')
			len--;
		if (len == 0)
			return false;
		len--;
	}
}

/* The directory of the path that was looked at last: often the next one's,
 * too. */
struct last {
	const char	*path;	/* NULL: none */
	size_t		 len;	/* of its directory's path */
	int		 fd;	/* of that, or -errno */
};

static bool
is_gone(const struct touch *t, const char *path, struct last *l)
{
	struct stat	 st;
	const char	*name = path_base(path);
	size_t		 len = (size_t)(name - path);

	if (l->path == NULL || len != l->len ||
	    memcmp(path, l->path, len) != 0) {
		if (l->path != NULL && l->fd >= 0)
			(void)close(l->fd);
		l->path = path;
		l->len = len;
		l->fd = path_parent(t->root, path, &name);
	}
	if (l->fd < 0)
		return l->fd == -ENOENT || l->fd == -ENOTDIR;
	if (*name == '\0')
		return false;	/* the root */
	return fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT;
}

static void
put_scan(struct buf *b)
{
	struct timespec	 ts;
	struct jrn_rec	 rec = { .op = JRN_SCAN, .flags = JRN_TREE,
	    .pid = (uint32_t)getpid(), .count = 1, .comm = "cfgfs",
	    .path = "" };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	rec.time = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	jrn_put(b, &rec);
}

/* Leave out what came and went in this segment; too much that is left
 * becomes one record.  Failure is no harm: it is tried again later. */
static void
compact(struct touch *t)
{
	struct buf	 b = BUF_INIT;
	struct jrn_rec	 rec;
	struct rd	 r = { t->s.map + JRN_HEAD, t->s.used - JRN_HEAD, false };
	struct last	 last = { NULL, 0, -1 };
	const uint8_t	*p = r.p;

	for (; jrn_get(&r, &rec) == 1; p = r.p)
		if (!born_here(t, rec.path, rec.pathlen) ||
		    !is_gone(t, rec.path, &last))
			put_bytes(&b, p, (size_t)(r.p - p));
	if (last.path != NULL && last.fd >= 0)
		(void)close(last.fd);
	if (b.len > SEG_MAX / 2) {
		b.len = 0;
		put_scan(&b);
	}
	if (!b.bad)
		(void)seg_make(&t->s, t->s.seq, b.p, b.len, NULL);
	t->least = t->s.used;
	buf_free(&b);
}

/* Room for n more bytes of records behind what is used. */
static int
room(struct touch *t, size_t n)
{
	size_t	 size = t->s.size;

	if (t->s.used + n > SEG_COMPACT && t->s.used >= 2 * t->least)
		compact(t);
	if (t->s.used + n + SPARE <= t->s.size)
		return 0;
	while (size < t->s.used + n + SPARE)
		size += size < (1u << 20) ? size : (1u << 20);
	return seg_reserve(&t->s, size);
}

static int
add(struct touch *t, const struct jrn_rec *rec)
{
	int	 rc;

	if ((rc = seg_slot(&t->s)) < 0)
		return rc;
	t->rec.len = 0;
	jrn_put(&t->rec, rec);
	if (t->rec.bad) {
		buf_free(&t->rec);
		return -ENOMEM;
	}
	if ((rc = room(t, t->rec.len)) < 0) {
		if (!t->full)
			log_msg(LOG_WARN, "no space for the journal: it "
			    "names everything from now on");
		t->full = true;
		return touch_scan(t);
	}
	t->full = false;
	seg_append(&t->s, &t->rec);
	return 0;
}

int
touch_scan(struct touch *t)
{
	struct slot	*s = NULL;
	int		 rc;

	while ((s = seg_next(&t->s, "", 0, s)) != NULL)
		if (seg_rec(&t->s, s).op == JRN_SCAN)
			return 0;
	t->rec.len = 0;
	put_scan(&t->rec);
	if (t->rec.bad || (rc = seg_slot(&t->s)) < 0) {
		buf_free(&t->rec);
		return -ENOMEM;
	}
	/* It fits into what was kept for it. */
	if (t->s.used + t->rec.len > t->s.size && (rc = room(t, t->rec.len)) < 0)
		return rc;
	seg_append(&t->s, &t->rec);
	return 0;
}

/* The program that asks, looked up once for each change at most. */
static const char *
comm(struct touch *t, const struct who *who)
{
	if (!t->known) {
		memset(t->comm, 0, sizeof(t->comm));
		os_progname(who->pid, t->comm, sizeof(t->comm));
		t->known = true;
	}
	return t->comm;
}

static void
bump(const struct touch *t, const struct slot *s)
{
	uint8_t		*p = t->s.map + s->off + JRN_COUNT_OFF;
	uint32_t	 n = get_le32(p);

	if (n < UINT32_MAX)
		set_le32(p, n + 1);
}

int
touch_again(struct touch *t, const struct node *dir, const char *name,
    unsigned flags, const struct who *who)
{
	struct jrn_rec	 rec;
	struct slot	*s = NULL, *mine = NULL, *last = NULL;
	bool		 tree = (flags & JRN_TREE) == 0;
	int		 n = 0, rc;

	t->known = false;
	if ((rc = node_path(dir, name, &t->path)) < 0)
		return rc;
	while ((s = seg_next(&t->s, (char *)t->path.p, t->path.len, s)) !=
	    NULL) {
		last = s;
		n++;
		rec = seg_rec(&t->s, s);
		tree = tree || (rec.flags & JRN_TREE) != 0;
		if (mine == NULL && rec.uid == who->uid &&
		    (s->pid == (uint32_t)who->pid ||
		    strcmp(rec.comm, comm(t, who)) == 0))
			mine = s;
	}
	if (n == 0 || !tree)
		return 0;
	/* Pages written back later, by nobody in particular, and the fifth
	 * who changes a path, are not told apart. */
	if (mine == NULL && (who->pid == 0 || n >= WHO_MAX))
		mine = last;
	if (mine == NULL)
		return 0;
	mine->pid = (uint32_t)who->pid;
	bump(t, mine);
	return 1;
}

int
touch_new(struct touch *t, const struct node *dir, const char *name,
    enum jrn_op op, unsigned flags, const struct who *who)
{
	struct timespec	 ts;
	struct jrn_rec	 rec = { .op = op, .uid = who->uid, .gid = who->gid,
	    .pid = (uint32_t)who->pid, .count = 1 };
	int		 n, rc;

	if ((rc = node_path(dir, name, &t->path)) < 0)
		return rc;
	rec.path = (char *)t->path.p;
	rec.pathlen = t->path.len;
	/* Only what comes first can tell that a path was born. */
	(void)seg_flags(&t->s, rec.path, rec.pathlen, &n);
	if (n > 0)
		flags &= ~(unsigned)JRN_BORN;
	rec.flags = (uint8_t)flags;
	memcpy(rec.comm, comm(t, who), sizeof(rec.comm));
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	rec.time = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	return add(t, &rec);
}

int
touch_rotate(struct touch *t, uint64_t *ended, struct err *e)
{
	size_t	 used = t->s.used;
	int	 fd, rc;

	*ended = t->s.seq - 1;
	if (t->s.nrec == 0)
		return 0;
	if ((fd = dup(t->s.fd)) == -1)
		return err_set(e, errno, "end journal.%llu",
		    (unsigned long long)t->s.seq);
	if ((rc = seg_make(&t->s, t->s.seq + 1, NULL, 0, e)) == 0) {
		*ended = t->s.seq - 1;
		t->least = 0;
		/* What was reserved and not needed; if not, no harm. */
		if (ftruncate(fd, (off_t)used) == -1)
			errno = 0;
	}
	(void)close(fd);
	return rc;
}

static int
count_only(void *arg, const struct jrn_rec *rec)
{
	(void)rec;
	++*(uint64_t *)arg;
	return 0;
}

int
touch_open(struct touch **tp, int dirfd, int root, struct err *e)
{
	struct touch	*t;
	uint64_t	 n = 0, last = 0;
	bool		 damaged;
	int		 rc;

	*tp = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    seg_init(&t->s, dirfd) < 0) {
		free(t);
		return err_set(e, ENOMEM, "open the journal");
	}
	t->root = root;
	rc = jrn_scan(dirfd, UINT64_MAX, count_only, &n, &damaged, &last, e);
	if (rc == 0 && last > 0)
		rc = seg_take_over(&t->s, last, e);
	if (rc == 0)
		rc = seg_make(&t->s, last + 1, NULL, 0, e);
	if (rc < 0) {
		touch_close(t);
		return rc;
	}
	t->least = t->s.used;
	*tp = t;
	return 0;
}

void
touch_close(struct touch *t)
{
	if (t == NULL)
		return;
	seg_free(&t->s);
	buf_free(&t->path);
	buf_free(&t->rec);
	free(t);
}

uint64_t
touch_bytes(const struct touch *t)
{
	return t->s.used;
}

uint64_t
touch_records(const struct touch *t)
{
	return t->s.nrec;
}

uint64_t
touch_segment(const struct touch *t)
{
	return t->s.seq;
}
