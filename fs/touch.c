/*
 * touch.c: the daemon's end of the change journal.
 *
 * The newest segment is mapped, and a table finds in it the records of a
 * path.  Space is reserved before it is written to.  Where there is none
 * left, one record for which room was kept says that everything is to be
 * looked at, and the change goes on: deleting must work on a full disk.
 */
#include <sys/mman.h>
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
#include "touch.h"

#define SEG_FIRST	16384u		/* bytes reserved at first */
#define SEG_COMPACT	65536u		/* below this none is compacted */
#define SEG_MAX		(8u << 20)	/* beyond this it becomes one SCAN */
#define SPARE		128u		/* bytes kept for a SCAN record */
#define WHO_MAX		4		/* records of a path */

struct slot {
	uint32_t	 hash;	/* of the path */
	uint32_t	 off;	/* of the record in the segment; 0: free */
	uint32_t	 pid;	/* who changed it last */
};

struct touch {
	int		 dirfd;	/* the state directory; the caller's */
	int		 root;	/* the running tree; the caller's */
	int		 fd;	/* the segment */
	uint8_t		*map;	/* its bytes */
	size_t		 size;	/* that are reserved and mapped */
	size_t		 used;	/* and in use */
	size_t		 least;	/* in use when last compacted */
	uint64_t	 seq;	/* the segment's number */
	uint64_t	 nrec;	/* its records */
	struct slot	*tab;	/* open addressing, 2^n slots */
	size_t		 cap;
	struct buf	 path;	/* of the change at hand */
	struct buf	 rec;	/* the record in the making */
	char		 comm[JRN_COMM]; /* who makes it, */
	bool		 known;	/* once that was asked for */
	bool		 full;	/* no space was left last time */
};

static uint32_t
path_hash(const char *p, size_t n)
{
	uint32_t	 h = 2166136261u;

	for (; n > 0; n--)
		h = (h ^ (unsigned char)*p++) * 16777619u;	/* FNV-1a */
	return h ^ h >> 15;
}

/* The record at a slot. */
static struct jrn_rec
rec_at(const struct touch *t, const struct slot *s)
{
	struct rd	 r = { t->map + s->off, t->used - s->off, false };
	struct jrn_rec	 rec;

	jrn_peek(&r, &rec);
	return rec;
}

/* The next slot from *i on that holds this path, or NULL. */
static struct slot *
next_slot(const struct touch *t, uint32_t h, const char *path, size_t len,
    size_t *i)
{
	struct jrn_rec	 rec;
	struct slot	*s;

	for (; (s = &t->tab[*i & (t->cap - 1)])->off != 0; ++*i) {
		if (s->hash != h)
			continue;
		rec = rec_at(t, s);
		if (rec.pathlen == len && memcmp(rec.path, path, len) == 0) {
			++*i;
			return s;
		}
	}
	return NULL;
}

/* The flags of all records of this path; *n of them. */
static unsigned
flags_of(const struct touch *t, const char *path, size_t len, int *n)
{
	uint32_t	 h = path_hash(path, len);
	size_t		 i = h;
	unsigned	 flags = 0;
	struct slot	*s;

	for (*n = 0; (s = next_slot(t, h, path, len, &i)) != NULL; ++*n)
		flags |= rec_at(t, s).flags;
	return flags;
}

static int
tab_resize(struct touch *t, size_t cap)
{
	struct slot	*old = t->tab, *tab;
	size_t		 i, j;

	if ((tab = calloc(cap, sizeof(*tab))) == NULL)
		return -ENOMEM;
	for (i = 0; old != NULL && i < t->cap; i++) {
		if (old[i].off == 0)
			continue;
		for (j = old[i].hash; tab[j & (cap - 1)].off != 0; j++)
			continue;
		tab[j & (cap - 1)] = old[i];
	}
	free(old);
	t->tab = tab;
	t->cap = cap;
	return 0;
}

/* Enter a record; there is room (tab_room()). */
static void
tab_add(struct touch *t, const struct jrn_rec *rec, size_t off)
{
	uint32_t	 h = path_hash(rec->path, rec->pathlen);
	size_t		 i = h;

	while (t->tab[i & (t->cap - 1)].off != 0)
		i++;
	t->tab[i & (t->cap - 1)] = (struct slot){ h, (uint32_t)off, rec->pid };
	t->nrec++;
}

static int
tab_room(struct touch *t)
{
	return t->nrec + 1 <= t->cap / 4 * 3 ? 0 : tab_resize(t, t->cap * 2);
}

/* Reserve and map this many bytes of the segment. */
static int
reserve(struct touch *t, size_t size)
{
	static const uint8_t zero[4096];
	size_t		 at, n;
	void		*map;
	int		 rc;

	rc = posix_fallocate(t->fd, 0, (off_t)size);
	if (rc == EINVAL || rc == EOPNOTSUPP) {
		/* The file system can't: then by hand. */
		for (rc = 0, at = t->size; rc == 0 && at < size; at += n) {
			n = size - at < sizeof(zero) ? size - at :
			    sizeof(zero);
			if (pwrite(t->fd, zero, n, (off_t)at) != (ssize_t)n)
				rc = ENOSPC;
		}
	}
	if (rc != 0)
		return -rc;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, t->fd, 0);
	if (map == MAP_FAILED)
		return -errno;
	if (t->map != NULL)
		(void)munmap(t->map, t->size);
	t->map = map;
	t->size = size;
	return 0;
}

static void
seg_close(struct touch *t)
{
	if (t->map != NULL)
		(void)munmap(t->map, t->size);
	if (t->fd != -1)
		(void)close(t->fd);	/* it lies in RAM */
	t->map = NULL;
	t->size = t->used = 0;
	t->fd = -1;
}

/* Enter all the records of the mapped segment. */
static int
seg_index(struct touch *t)
{
	struct rd	 r = { t->map + JRN_HEAD, t->size - JRN_HEAD, false };
	struct jrn_rec	 rec;
	size_t		 off = JRN_HEAD;
	int		 rc;

	memset(t->tab, 0, t->cap * sizeof(*t->tab));
	t->nrec = 0;
	while (jrn_get(&r, &rec) == 1) {
		if ((rc = tab_room(t)) < 0)
			return rc;
		tab_add(t, &rec, off);
		off = (size_t)(r.p - t->map);
	}
	t->used = off;
	return 0;
}

/*
 * Make the segment seq of these record bytes, and let it take the place
 * of the one that is mapped.  On failure that one stays.
 */
static int
seg_make(struct touch *t, uint64_t seq, const uint8_t *recs, size_t n,
    struct err *e)
{
	static const char tmp[] = "journal.new";
	struct touch	 was = *t;
	struct buf	 head = BUF_INIT;
	char		 name[JRN_NAME];
	size_t		 size = SEG_FIRST;
	int		 rc;

	while (size < (JRN_HEAD + n) * 2)
		size *= 2;
	jrn_name(name, seq);
	jrn_put_head(&head, seq);
	t->map = NULL;
	t->size = 0;
	if ((t->fd = jrn_create(t->dirfd, tmp, e)) < 0)
		rc = t->fd;
	else if ((rc = head.bad ? -ENOMEM : reserve(t, size)) < 0)
		rc = err_set(e, -rc, "write %s", name);
	else {
		memcpy(t->map, head.p, JRN_HEAD);
		if (n > 0)
			memcpy(t->map + JRN_HEAD, recs, n);
		if (renameat(t->dirfd, tmp, t->dirfd, name) == -1)
			rc = err_set(e, errno, "rename %s to %s", tmp, name);
	}
	buf_free(&head);
	if (rc < 0) {
		if (t->fd >= 0) {
			seg_close(t);
			(void)unlinkat(t->dirfd, tmp, 0);
		}
		was.tab = t->tab;
		was.cap = t->cap;
		*t = was;
		return rc;
	}
	t->seq = seq;
	if (was.map != NULL)
		(void)munmap(was.map, was.size);
	if (was.fd != -1)
		(void)close(was.fd);
	return seg_index(t);
}

/* Whether the path, or one above it, was made in this segment. */
static bool
born_here(const struct touch *t, const char *path, size_t len)
{
	int	 n;

	for (;;) {
		if ((flags_of(t, path, len, &n) & JRN_BORN) != 0)
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
	struct rd	 r = { t->map + JRN_HEAD, t->used - JRN_HEAD, false };
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
		(void)seg_make(t, t->seq, b.p, b.len, NULL);
	t->least = t->used;
	buf_free(&b);
}

/* Room for n more bytes of records behind what is used. */
static int
room(struct touch *t, size_t n)
{
	size_t	 size = t->size;

	if (t->used + n > SEG_COMPACT && t->used >= 2 * t->least)
		compact(t);
	if (t->used + n + SPARE <= t->size)
		return 0;
	while (size < t->used + n + SPARE)
		size += size < (1u << 20) ? size : (1u << 20);
	return reserve(t, size);
}

/* The record's bytes become part of the segment.  Its first word comes
 * last, so that a reader, or a successor, never sees half of it. */
static void
append(struct touch *t, const struct buf *b)
{
	uint8_t	*p = t->map + t->used;

	memcpy(p + 4, b->p + 4, b->len - 4);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(p, b->p, 4);
	t->used += b->len;
}

static int
add(struct touch *t, const struct jrn_rec *rec)
{
	int	 rc;

	if ((rc = tab_room(t)) < 0)
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
	append(t, &t->rec);
	tab_add(t, rec, t->used - t->rec.len);
	return 0;
}

int
touch_scan(struct touch *t)
{
	struct jrn_rec	 rec;
	struct rd	 r;
	struct slot	*s;
	uint32_t	 h = path_hash("", 0);
	size_t		 i = h;
	int		 rc;

	while ((s = next_slot(t, h, "", 0, &i)) != NULL)
		if (rec_at(t, s).op == JRN_SCAN)
			return 0;
	t->rec.len = 0;
	put_scan(&t->rec);
	if (t->rec.bad || (rc = tab_room(t)) < 0) {
		buf_free(&t->rec);
		return -ENOMEM;
	}
	/* It fits into what was kept for it. */
	if (t->used + t->rec.len > t->size && (rc = room(t, t->rec.len)) < 0)
		return rc;
	append(t, &t->rec);
	r = (struct rd){ t->rec.p, t->rec.len, false };
	jrn_peek(&r, &rec);
	tab_add(t, &rec, t->used - t->rec.len);
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
	uint8_t		*p = t->map + s->off + JRN_COUNT_OFF;
	uint32_t	 n = get_le32(p);

	if (n < UINT32_MAX)
		set_le32(p, n + 1);
}

int
touch_again(struct touch *t, const struct node *dir, const char *name,
    unsigned flags, const struct who *who)
{
	struct jrn_rec	 rec;
	struct slot	*s, *mine = NULL, *last = NULL;
	bool		 tree = (flags & JRN_TREE) == 0;
	uint32_t	 h;
	size_t		 i;
	int		 n = 0, rc;

	t->known = false;
	if ((rc = node_path(dir, name, &t->path)) < 0)
		return rc;
	h = path_hash((char *)t->path.p, t->path.len);
	i = h;
	while ((s = next_slot(t, h, (char *)t->path.p, t->path.len, &i)) !=
	    NULL) {
		last = s;
		n++;
		rec = rec_at(t, s);
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
	(void)flags_of(t, rec.path, rec.pathlen, &n);
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
	size_t	 used = t->used;
	int	 fd, rc;

	*ended = t->seq - 1;
	if (t->nrec == 0)
		return 0;
	if ((fd = dup(t->fd)) == -1)
		return err_set(e, errno, "end journal.%llu",
		    (unsigned long long)t->seq);
	if ((rc = seg_make(t, t->seq + 1, NULL, 0, e)) == 0) {
		*ended = t->seq - 1;
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

/* Go on in the newest segment that is there.  1, or 0 where it can't be
 * used. */
static int
take_over(struct touch *t, uint64_t seq, struct err *e)
{
	char		 name[JRN_NAME];
	struct stat	 st;
	struct buf	 head = BUF_INIT;
	size_t		 size = SEG_FIRST;
	int		 rc;

	jrn_name(name, seq);
	t->fd = openat(t->dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (t->fd == -1)
		return errno == ENOENT ? 0 : err_set(e, errno, "open %s",
		    name);
	if (fstat(t->fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_size < JRN_HEAD || st.st_size > SEG_MAX) {
		seg_close(t);
		return 0;
	}
	while (size < (size_t)st.st_size)
		size *= 2;
	t->size = (size_t)st.st_size;
	if ((rc = reserve(t, size)) < 0) {
		seg_close(t);
		return err_set(e, -rc, "map %s", name);
	}
	jrn_put_head(&head, seq);
	if (head.bad || memcmp(t->map, head.p, JRN_HEAD) != 0) {
		buf_free(&head);
		seg_close(t);
		return 0;
	}
	buf_free(&head);
	if ((rc = seg_index(t)) < 0) {
		seg_close(t);
		return err_set(e, -rc, "read %s", name);
	}
	t->seq = seq;
	t->least = t->used;
	/* The rest of a torn record, whose change never took place. */
	memset(t->map + t->used, 0, t->size - t->used);
	return 1;
}

int
touch_open(struct touch **tp, int dirfd, int root, struct err *e)
{
	struct touch	*t;
	uint64_t	 n = 0, last = 0;
	bool		 damaged;
	int		 rc;

	*tp = NULL;
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return err_set(e, ENOMEM, "open the journal");
	t->dirfd = dirfd;
	t->root = root;
	t->fd = -1;
	if ((rc = tab_resize(t, 256)) < 0) {
		free(t);
		return err_set(e, -rc, "open the journal");
	}
	rc = jrn_scan(dirfd, UINT64_MAX, count_only, &n, &damaged, &last, e);
	if (rc == 0 && last > 0 && (rc = take_over(t, last, e)) == 1) {
		*tp = t;
		return 0;
	}
	if (rc == 0)
		rc = seg_make(t, last + 1, NULL, 0, e);
	if (rc < 0) {
		touch_close(t);
		return rc;
	}
	*tp = t;
	return 0;
}

void
touch_close(struct touch *t)
{
	if (t == NULL)
		return;
	seg_close(t);
	buf_free(&t->path);
	buf_free(&t->rec);
	free(t->tab);
	free(t);
}

uint64_t
touch_bytes(const struct touch *t)
{
	return t->used;
}

uint64_t
touch_records(const struct touch *t)
{
	return t->nrec;
}

uint64_t
touch_segment(const struct touch *t)
{
	return t->seq;
}
