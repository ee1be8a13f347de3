/*
 * sftp-file.c: requests on files of the other host.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sftp-int.h"
#include "sshwire.h"

#define ATTR_SIZE	0x1u
#define ATTR_MODE	0x4u

static void
put_str(struct sftp *s, const char *p)
{
	sw_putstr(&s->out, p, strlen(p));
}

static void
put_64(struct sftp *s, uint64_t v)
{
	sw_put32(&s->out, (uint32_t)(v >> 32));
	sw_put32(&s->out, (uint32_t)v);
}

static void
put_handle(struct sftp *s, const struct sftp_file *f)
{
	sw_putstr(&s->out, f->handle, f->handlelen);
}

char *
sftp_name(const struct sftp *s, const char *path)
{
	char	*p;

	return asprintf(&p, "%s:%s", s->st->name, path) == -1 ? NULL : p;
}

/* A request on a path, or on two; whoever makes it waits for it. */
static int
ask(struct sftp *s, uint8_t type, const char *what, const char *a,
    const char *b, struct answer *ans, struct err *e)
{
	struct req	*r;
	size_t		 mark;
	int		 rc;

	if ((rc = req_begin(s, type, what, NULL, &r, &mark, e)) < 0)
		return rc;
	r->a = ans;
	r->path = a;
	if (type == FXP_EXTENDED)
		put_str(s, "posix-rename@openssh.com");
	put_str(s, a);
	if (b != NULL)
		put_str(s, b);
	return req_end(s, r, mark, e);
}

static int
ask_wait(struct sftp *s, uint8_t type, const char *what, const char *a,
    const char *b, struct answer *ans, struct err *e)
{
	int	 rc = ask(s, type, what, a, b, ans, e);

	return rc < 0 ? rc : answer_wait(s, ans, e);
}

int
sftp_stat(struct sftp *s, const char *path, struct sftp_stat *st,
    struct err *e)
{
	struct answer	 a = { .done = false };
	int		 rc;

	rc = ask_wait(s, FXP_STAT, "stat", path, NULL, &a, e);
	*st = a.st;
	return rc;
}

int
sftp_remove(struct sftp *s, const char *path, struct err *e)
{
	struct answer	 a = { .done = false };

	return ask_wait(s, FXP_REMOVE, "remove", path, NULL, &a, e);
}

int
sftp_rename(struct sftp *s, const char *from, const char *to, bool *gap,
    struct err *e)
{
	struct answer	 a = { .done = false }, b = { .done = false };
	struct answer	 c = { .done = false };
	struct sftp_stat st;
	struct err	 ignored;
	int		 rc = -EOPNOTSUPP;

	if (s->replace)
		rc = ask_wait(s, FXP_EXTENDED, "rename", from, to, &a, e);
	if (rc != -EOPNOTSUPP)
		return rc;
	/* Where there is nothing to be replaced that is enough. */
	rc = ask_wait(s, FXP_RENAME, "rename", from, to, &b, e);
	if (rc == 0 || s->dead != 0 || rc == -ENOENT || rc == -EACCES)
		return rc;
	/* `to` goes only for what is there to take its place. */
	if (sftp_stat(s, from, &st, &ignored) < 0 ||
	    sftp_remove(s, to, &ignored) < 0)
		return s->dead != 0 ? err_setx(e, -s->dead, "%s",
		    s->why.msg) : rc;
	*gap = true;
	return ask_wait(s, FXP_RENAME, "rename", from, to, &c, e);
}

void
file_free(struct sftp_file *f)
{
	free(f->name);
	free(f);
}

static int
send_open(struct sftp *s, const char *path, int flags, struct sftp_file *f,
    struct answer *a, struct err *e)
{
	struct req	*r;
	size_t		 mark;
	int		 rc;

	if ((rc = req_begin(s, FXP_OPEN, "open", f, &r, &mark, e)) < 0)
		return rc;
	r->a = a;
	put_str(s, path);
	sw_put32(&s->out, (uint32_t)flags);
	/* The mode counts where the file is made: nobody else's to read. */
	sw_put32(&s->out, (flags & SFTP_CREAT) != 0 ? ATTR_MODE : 0);
	if ((flags & SFTP_CREAT) != 0)
		sw_put32(&s->out, 0600);
	return req_end(s, r, mark, e);
}

int
sftp_file_open(struct sftp *s, const char *path, int flags,
    struct sftp_file **fp, struct sftp_stat *st, struct err *e)
{
	struct answer	 a = { .done = false }, b = { .done = false };
	struct sftp_file *f = calloc(1, sizeof(*f));
	struct err	 e2;
	int		 rc, rc2 = 0;

	*fp = NULL;
	if (f == NULL || (f->name = sftp_name(s, path)) == NULL) {
		free(f);
		return err_set(e, ENOMEM, "%s", path);
	}
	f->s = s;
	/* One round trip: behind the open, the path is the file. */
	if ((rc = send_open(s, path, flags, f, &a, e)) == 0 && st != NULL)
		rc2 = ask(s, FXP_STAT, "stat", path, NULL, &b, &e2);
	/* The last answer first: then the other is there as well. */
	if (st != NULL && rc == 0 && rc2 == 0)
		rc2 = answer_wait(s, &b, &e2);
	if (rc == 0)
		rc = answer_wait(s, &a, e);
	if (st != NULL)
		*st = b.st;
	if (rc < 0) {
		f->closed = true;
		if (f->nreq == 0)
			file_free(f);
		return rc;
	}
	memcpy(f->handle, a.handle, a.handlelen);
	f->handlelen = a.handlelen;
	if (rc2 < 0) {
		sftp_file_close(f);
		return err_setx(e, -rc2, "%s", e2.msg);
	}
	*fp = f;
	return 0;
}

void
sftp_file_close(struct sftp_file *f)
{
	struct sftp	*s;
	struct req	*r;
	struct err	 ignored;
	size_t		 mark;

	if (f == NULL)
		return;
	s = f->s;
	if (s->dead == 0 && req_begin(s, FXP_CLOSE, "close", f, &r, &mark,
	    &ignored) == 0) {
		put_handle(s, f);
		(void)req_end(s, r, mark, &ignored);
	}
	/* Freed with its last answer, or with the session. */
	f->closed = true;
	if (f->nreq == 0)
		file_free(f);
}

int
sftp_file_size(struct sftp_file *f, uint64_t size, struct err *e)
{
	struct answer	 a = { .done = false };
	struct sftp	*s = f->s;
	struct req	*r;
	size_t		 mark;
	int		 rc;

	rc = req_begin(s, FXP_FSETSTAT, "size of", f, &r, &mark, e);
	if (rc < 0)
		return rc;
	r->a = &a;
	put_handle(s, f);
	sw_put32(&s->out, ATTR_SIZE);
	put_64(s, size);
	if ((rc = req_end(s, r, mark, e)) < 0)
		return rc;
	return answer_wait(s, &a, e);
}

int
sftp_file_failed(const struct sftp_file *f, struct err *e)
{
	return f->failed == 0 ? 0 : err_setx(e, -f->failed, "%s", f->why.msg);
}

void
put_read(struct sftp *s, const struct req *r)
{
	sw_put32(&s->out, (uint32_t)(1 + 4 + 4 + r->f->handlelen + 8 + 4));
	put_u8(&s->out, FXP_READ);
	sw_put32(&s->out, r->id);
	put_handle(s, r->f);
	put_64(s, r->off);
	sw_put32(&s->out, (uint32_t)r->n);
}

int
sftp_file_read(struct sftp_file *f, void *p, size_t n, uint64_t off,
    size_t *got, struct err *e)
{
	struct sftp	*s = f->s;
	struct req	*r;
	uint8_t		*to = p;
	size_t		 k, mark;
	int		 rc;

	if (got != NULL) {
		*got = n;		/* until a piece meets the end */
		memset(p, 0, n);
	}
	for (; n > 0; n -= k, to += k, off += k) {
		k = n < PIECE ? n : PIECE;
		rc = req_begin(s, FXP_READ, "read", f, &r, &mark, e);
		if (rc < 0)
			return rc;
		r->base = p;
		r->p = to;
		r->n = k;
		r->off = off;
		r->got = got;
		s->out.len = mark;
		put_read(s, r);
		if ((rc = req_end(s, r, mark, e)) < 0)
			return rc;
	}
	return 0;
}

int
sftp_file_write(struct sftp_file *f, const void *p, size_t n, uint64_t off,
    struct err *e)
{
	struct sftp	*s = f->s;
	const uint8_t	*from = p;
	struct req	*r;
	size_t		 k, mark;
	int		 rc;

	for (; n > 0; n -= k, from += k, off += k) {
		k = n < PIECE ? n : PIECE;
		rc = req_begin(s, FXP_WRITE, "write", f, &r, &mark, e);
		if (rc < 0)
			return rc;
		put_handle(s, f);
		put_64(s, off);
		sw_putstr(&s->out, from, k);
		if ((rc = req_end(s, r, mark, e)) < 0)
			return rc;
	}
	return 0;
}

int
sftp_file_sync(struct sftp_file *f, struct err *e)
{
	struct sftp	*s = f->s;
	struct req	*r;
	size_t		 mark;
	int		 rc;

	if (!s->fsync)
		return 0;
	rc = req_begin(s, FXP_EXTENDED, "fsync", f, &r, &mark, e);
	if (rc < 0)
		return rc;
	put_str(s, "fsync@openssh.com");
	put_handle(s, f);
	return req_end(s, r, mark, e);
}
