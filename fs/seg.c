/*
 * seg.c: the segment of the journal that is added to, and the table that
 * finds the records of a path in it.
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seg.h"

#define SEG_FIRST	16384u		/* bytes reserved at first */

static uint32_t
path_hash(const char *p, size_t n)
{
	uint32_t	 h = 2166136261u;

	for (; n > 0; n--)
		h = (h ^ (unsigned char)*p++) * 16777619u;	/* FNV-1a */
	return h ^ h >> 15;
}

struct jrn_rec
seg_rec(const struct seg *t, const struct slot *s)
{
	struct rd	 r = { t->map + s->off, t->used - s->off, false };
	struct jrn_rec	 rec;

	jrn_peek(&r, &rec);
	return rec;
}

/* The next slot from *i on that holds this path, or NULL. */
static struct slot *
slot_next(const struct seg *t, uint32_t h, const char *path, size_t len,
    size_t *i)
{
	struct jrn_rec	 rec;
	struct slot	*s;

	for (; (s = &t->tab[*i & (t->cap - 1)])->off != 0; ++*i) {
		if (s->hash != h)
			continue;
		rec = seg_rec(t, s);
		if (rec.pathlen == len && memcmp(rec.path, path, len) == 0) {
			++*i;
			return s;
		}
	}
	return NULL;
}

struct slot *
seg_next(const struct seg *t, const char *path, size_t len, struct slot *last)
{
	uint32_t	 h = path_hash(path, len);
	size_t		 i = last == NULL ? h : (size_t)(last - t->tab) + 1;

	return slot_next(t, h, path, len, &i);
}


unsigned
seg_flags(const struct seg *t, const char *path, size_t len, int *n)
{
	unsigned	 flags = 0;
	struct slot	*s = NULL;

	for (*n = 0; (s = seg_next(t, path, len, s)) != NULL; ++*n)
		flags |= seg_rec(t, s).flags;
	return flags;
}

static int
tab_resize(struct seg *t, size_t cap)
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

/* Enter a record; there is room (seg_slot()). */
static void
tab_add(struct seg *t, const struct jrn_rec *rec, size_t off)
{
	uint32_t	 h = path_hash(rec->path, rec->pathlen);
	size_t		 i = h;

	while (t->tab[i & (t->cap - 1)].off != 0)
		i++;
	t->tab[i & (t->cap - 1)] = (struct slot){ h, (uint32_t)off, rec->pid };
	t->nrec++;
}

int
seg_slot(struct seg *t)
{
	return t->nrec + 1 <= t->cap / 4 * 3 ? 0 : tab_resize(t, t->cap * 2);
}

int
seg_reserve(struct seg *t, size_t size)
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
seg_close(struct seg *t)
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
seg_index(struct seg *t)
{
	struct rd	 r = { t->map + JRN_HEAD, t->size - JRN_HEAD, false };
	struct jrn_rec	 rec;
	size_t		 off = JRN_HEAD;
	int		 rc;

	memset(t->tab, 0, t->cap * sizeof(*t->tab));
	t->nrec = 0;
	while (jrn_get(&r, &rec) == 1) {
		if ((rc = seg_slot(t)) < 0)
			return rc;
		tab_add(t, &rec, off);
		off = (size_t)(r.p - t->map);
	}
	t->used = off;
	return 0;
}

int
seg_make(struct seg *t, uint64_t seq, const uint8_t *recs, size_t n,
    struct err *e)
{
	static const char tmp[] = "journal.new";
	struct seg	 was = *t;
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
	else if ((rc = head.bad ? -ENOMEM : seg_reserve(t, size)) < 0)
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

int
seg_take_over(struct seg *t, uint64_t seq, struct err *e)
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
	if ((rc = seg_reserve(t, size)) < 0) {
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
	/* The rest of a torn record, whose change never took place. */
	memset(t->map + t->used, 0, t->size - t->used);
	return 1;
}


/* The first word comes last, so that a reader, or a successor, never sees
 * half of a record. */
void
seg_append(struct seg *t, const struct buf *b)
{
	struct rd	 r = { b->p, b->len, false };
	struct jrn_rec	 rec;
	uint8_t		*p = t->map + t->used;

	memcpy(p + 4, b->p + 4, b->len - 4);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy(p, b->p, 4);
	(void)jrn_peek(&r, &rec);
	tab_add(t, &rec, t->used);
	t->used += b->len;
}

int
seg_init(struct seg *t, int dirfd)
{
	memset(t, 0, sizeof(*t));
	t->dirfd = dirfd;
	t->fd = -1;
	return tab_resize(t, 256);
}

void
seg_free(struct seg *t)
{
	seg_close(t);
	free(t->tab);
	t->tab = NULL;
}
