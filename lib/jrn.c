/*
 * jrn.c: the change journal's format, and its reader.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "crc.h"
#include "jrn.h"
#include "path.h"

#define MAGIC	0x4a474643u	/* "CFGJ" */
#define VERSION	1u

/*
 * A record: size with a tag in its high byte, checksum, count, op, flags,
 * length of the path, uid, gid, pid, time, program; then the path with a
 * NUL and zeros up to a multiple of 8.  The checksum leaves out itself and
 * the count.
 */
#define FIXED	52
#define BODY	12		/* op: the checksummed part goes on */
#define ALIGN	8u
#define TAG	0xa5000000u	/* no one flipped bit makes it the end */
#define MAXREC	((FIXED + PATH_LIMIT + 1 + ALIGN - 1) / ALIGN * ALIGN)

#define PREFIX	"journal."
#define SEG_MAX	(1u << 30)	/* bytes: none is ever as long */

void
jrn_put_head(struct buf *b, uint64_t seq)
{
	put_le32(b, MAGIC);
	put_le32(b, VERSION);
	put_le64(b, seq);
}

static uint32_t
rec_crc(const uint8_t *p, size_t size)
{
	return crc32c(crc32c(0, p, 4), p + BODY, size - BODY);
}

void
jrn_put(struct buf *b, const struct jrn_rec *rec)
{
	size_t	 at = b->len, size;

	size = (FIXED + rec->pathlen + 1 + ALIGN - 1) / ALIGN * ALIGN;
	put_le32(b, TAG | (uint32_t)size);
	put_le32(b, 0);
	put_le32(b, rec->count);
	put_u8(b, (uint8_t)rec->op);
	put_u8(b, rec->flags);
	put_le16(b, (uint16_t)rec->pathlen);
	put_le32(b, rec->uid);
	put_le32(b, rec->gid);
	put_le32(b, rec->pid);
	put_le64(b, (uint64_t)rec->time);
	put_bytes(b, rec->comm, JRN_COMM);
	put_bytes(b, rec->path, rec->pathlen);
	put_zero(b, at + size - b->len);
	if (!b->bad)
		set_le32(b->p + at + 4, rec_crc(b->p + at, size));
}

size_t
jrn_peek(const struct rd *r, struct jrn_rec *rec)
{
	const uint8_t	*p = r->p;

	rec->count = get_le32(p + JRN_COUNT_OFF);
	rec->op = (enum jrn_op)p[12];
	rec->flags = p[13];
	rec->pathlen = get_le16(p + 14);
	rec->uid = get_le32(p + 16);
	rec->gid = get_le32(p + 20);
	rec->pid = get_le32(p + 24);
	rec->time = (int64_t)get_le64(p + 28);
	memcpy(rec->comm, p + FIXED - JRN_COMM, JRN_COMM);
	rec->path = (const char *)p + FIXED;
	return get_le32(p) & ~TAG;
}

int
jrn_get(struct rd *r, struct jrn_rec *rec)
{
	const uint8_t	*p = r->p;
	uint32_t	 size;

	if (r->n < 4 || (size = get_le32(p)) == 0)
		return 0;
	if ((size & 0xff000000u) != TAG)
		return -EBADMSG;
	size &= ~TAG;
	if (size < FIXED + ALIGN - FIXED % ALIGN || size > MAXREC ||
	    size % ALIGN != 0 || size > r->n ||
	    rec_crc(p, size) != get_le32(p + 4))
		return -EBADMSG;
	(void)jrn_peek(r, rec);
	if (rec->op < JRN_CREATE || rec->op > JRN_SCAN ||
	    (rec->flags & ~(JRN_BORN | JRN_TREE | JRN_LINKED)) != 0 ||
	    rec->pathlen >= size - FIXED || rec->path[rec->pathlen] != '\0' ||
	    rec->comm[JRN_COMM - 1] != '\0' ||
	    !path_ok(rec->path, rec->pathlen))
		return -EBADMSG;
	(void)rd_bytes(r, size);
	return 1;
}

/* The number of a segment's file name; 0 where it is none. */
static uint64_t
seg_number(const char *name)
{
	uint64_t	 v = 0;
	const char	*p = name + sizeof(PREFIX) - 1;

	if (strncmp(name, PREFIX, sizeof(PREFIX) - 1) != 0 || *p == '0')
		return 0;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > UINT64_MAX / 10 - 9)
			return 0;
		v = v * 10 + (uint64_t)(*p - '0');
	}
	return *p == '\0' ? v : 0;
}

void
jrn_name(char out[JRN_NAME], uint64_t seq)
{
	(void)snprintf(out, JRN_NAME, PREFIX "%llu", (unsigned long long)seq);
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t	*x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The numbers of the segments, in order, in a new array. */
static int
seg_list(int dirfd, uint64_t upto, uint64_t **out, size_t *n, struct err *e)
{
	struct dirent	*d;
	uint64_t	*v = NULL, seq;
	size_t		 cap = 0;
	DIR		*dp;
	int		 fd, rc = 0;

	*n = 0;
	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 || (dp = fdopendir(fd)) == NULL) {
		rc = err_set(e, errno, "open the state directory");
		if (fd != -1)
			(void)close(fd);
		return rc;
	}
	while (rc == 0 && (errno = 0, d = readdir(dp)) != NULL) {
		if ((seq = seg_number(d->d_name)) == 0 || seq > upto)
			continue;
		if (more_room(&v, *n, &cap, sizeof(*v)) < 0) {
			rc = err_set(e, ENOMEM, "list the journal");
			break;
		}
		v[(*n)++] = seq;
	}
	if (rc == 0 && errno != 0)
		rc = err_set(e, errno, "list the journal");
	(void)closedir(dp);	/* it was only read */
	if (rc < 0) {
		free(v);
		return rc;
	}
	if (*n > 0)
		qsort(v, *n, sizeof(*v), by_number);
	*out = v;
	return 0;
}

/* Read a whole segment.  1, or 0 where it is gone by now. */
static int
seg_read(int dirfd, uint64_t seq, struct buf *b, struct err *e)
{
	char		 name[JRN_NAME];
	struct stat	 st;
	ssize_t		 n;
	int		 fd, rc = 1;

	jrn_name(name, seq);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? 0 : err_set(e, errno, "open %s",
		    name);
	b->len = 0;
	if (fstat(fd, &st) == -1)
		rc = err_set(e, errno, "read %s", name);
	else if (!S_ISREG(st.st_mode) || st.st_size > SEG_MAX)
		rc = err_setx(e, EFBIG, "%s: not a journal segment", name);
	else if (st.st_size > 0 && buf_room(b, (size_t)st.st_size) == NULL)
		rc = err_set(e, ENOMEM, "read %s", name);
	while (rc == 1 && (off_t)b->len < st.st_size) {
		n = pread(fd, b->p + b->len, (size_t)st.st_size - b->len,
		    (off_t)b->len);
		if (n == -1)
			rc = err_set(e, errno, "read %s", name);
		if (n <= 0)
			break;
		b->len += (size_t)n;
	}
	(void)close(fd);
	return rc;
}

/* Hand out the records of one segment; *bad: it does not end well. */
static int
seg_scan(const struct buf *b, uint64_t seq,
    int (*fn)(void *, const struct jrn_rec *), void *arg, bool *head,
    bool *tail)
{
	struct rd	 r = { b->p, b->len, false };
	struct jrn_rec	 rec;
	int		 got, rc = 0;

	*head = *tail = false;
	if (rd_le32(&r) != MAGIC || rd_le32(&r) != VERSION ||
	    rd_le64(&r) != seq || r.bad) {
		*head = true;
		return 0;
	}
	while (rc == 0 && (got = jrn_get(&r, &rec)) == 1)
		rc = fn(arg, &rec);
	*tail = rc == 0 && got < 0;
	return rc;
}

int
jrn_scan(int dirfd, uint64_t upto, int (*fn)(void *, const struct jrn_rec *),
    void *arg, bool *damaged, uint64_t *last, struct err *e)
{
	struct buf	 b = BUF_INIT;
	uint64_t	*seq = NULL;
	size_t		 n = 0, i;
	bool		 head, tail;
	int		 rc;

	*damaged = false;
	*last = 0;
	if ((rc = seg_list(dirfd, upto, &seq, &n, e)) < 0)
		return rc;
	for (i = 0; rc == 0 && i < n; i++) {
		*last = seq[i];
		if ((rc = seg_read(dirfd, seq[i], &b, e)) <= 0)
			continue;
		rc = seg_scan(&b, seq[i], fn, arg, &head, &tail);
		if (head || (tail && i + 1 < n))
			*damaged = true;
	}
	buf_free(&b);
	free(seq);
	return rc;
}

int
jrn_create(int dirfd, const char *name, struct err *e)
{
	struct stat	 d;
	int		 fd, rc;

	/* What is left there is of one that died half-way. */
	(void)unlinkat(dirfd, name, 0);
	fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW |
	    O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(e, errno, "create %s", name);
	if (fstat(dirfd, &d) == -1 || fchown(fd, (uid_t)-1, d.st_gid) == -1 ||
	    fchmod(fd, 0600 | (d.st_mode & S_IRGRP)) == -1) {
		rc = err_set(e, errno, "create %s", name);
		(void)close(fd);
		(void)unlinkat(dirfd, name, 0);
		return rc;
	}
	return fd;
}

static int
seg_write(int dirfd, const char *name, const struct buf *b, struct err *e)
{
	size_t	 done = 0;
	ssize_t	 n;
	int	 fd, rc = 0;

	if ((fd = jrn_create(dirfd, name, e)) < 0)
		return fd;
	while (rc == 0 && done < b->len) {
		n = pwrite(fd, b->p + done, b->len - done, (off_t)done);
		if (n == -1)
			rc = err_set(e, errno, "write %s", name);
		else
			done += (size_t)n;
	}
	if (close(fd) == -1 && rc == 0)
		rc = err_set(e, errno, "close %s", name);
	if (rc < 0)
		(void)unlinkat(dirfd, name, 0);
	return rc;
}

int
jrn_replace(int dirfd, uint64_t upto, const struct buf *recs, struct err *e)
{
	static const char tmp[] = "journal.new";
	struct buf	 head = BUF_INIT;
	uint64_t	*seq = NULL;
	size_t		 n = 0, i;
	char		 name[JRN_NAME];
	int		 rc;

	if (recs->len > 0) {
		jrn_name(name, upto);
		jrn_put_head(&head, upto);
		put_bytes(&head, recs->p, recs->len);
		rc = head.bad || recs->bad ?
		    err_set(e, ENOMEM, "write %s", name) :
		    seg_write(dirfd, tmp, &head, e);
		buf_free(&head);
		if (rc < 0)
			return rc;
		if (renameat(dirfd, tmp, dirfd, name) == -1) {
			rc = err_set(e, errno, "rename %s to %s", tmp, name);
			(void)unlinkat(dirfd, tmp, 0);
			return rc;
		}
	}
	if ((rc = seg_list(dirfd, upto, &seq, &n, e)) < 0)
		return rc;
	for (i = 0; i < n; i++) {
		if (seq[i] == upto && recs->len > 0)
			continue;
		jrn_name(name, seq[i]);
		if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
			rc = err_set(e, errno, "unlink %s", name);
	}
	free(seq);
	return rc;
}
