/*
 * sftp-ans.c: what an answer of an SFTP server means.  All of it is
 * hostile: each length is checked against what is there, each answer
 * against what was asked.
 */
#include <sys/stat.h>

#include <errno.h>
#include <string.h>

#include "sftp-int.h"
#include "sshwire.h"

#define ATTR_SIZE	0x1u
#define ATTR_OWNER	0x2u
#define ATTR_MODE	0x4u

static int
garbled(const struct sftp *s, const char *what, struct err *e)
{
	return err_setx(e, EPROTO, "%s: garbled SFTP: %s", s->st->name, what);
}

/* A write counts wherever its file is used again; a session's drain may
 * have been another's. */
static void
file_failed(struct req *r, int rc, const struct err *e)
{
	struct sftp_file	*f = r->f;

	if (f == NULL || f->failed != 0 ||
	    (r->type != FXP_WRITE && r->type != FXP_EXTENDED))
		return;
	f->failed = rc;
	f->why = *e;
}

/* How a request ended, for whoever cares. */
static void
ended(struct sftp *s, struct req *r, int rc, const struct err *e)
{
	if (rc < 0)
		file_failed(r, rc, e);
	if (r->a != NULL) {
		r->a->done = true;
		r->a->rc = rc;
		if (rc < 0)
			r->a->e = *e;
	} else if (rc < 0 && s->rc == 0 && r->type != FXP_CLOSE) {
		s->rc = rc;
		s->e = *e;
	}
	req_free(s, r);
}

/* The server's words, on one line and printable; they may be missing. */
static void
words(struct rd *b, char *to, size_t len)
{
	size_t		 n, i, k = 0;
	const uint8_t	*p;

	if (b->n == 0)
		return;
	p = sw_rdstr(b, &n);
	for (i = 0; i < n && k + 1 < len; i++)
		to[k++] = p[i] >= ' ' && p[i] < 0x7f ? (char)p[i] : '?';
	to[k] = '\0';
}

/* Version 3 has no code for a full disk; some servers say it. */
static int
status_errno(uint32_t code, const char *text)
{
	switch (code) {
	case FX_NO_SUCH_FILE:
		return ENOENT;
	case FX_DENIED:
		return EACCES;
	case FX_UNSUPPORTED:
		return EOPNOTSUPP;
	case FX_NO_SPACE:
	case FX_QUOTA:
		return ENOSPC;
	default:
		return strcasestr(text, "no space") != NULL ||
		    strcasestr(text, "disk full") != NULL ||
		    strcasestr(text, "quota exceeded") != NULL ? ENOSPC : EIO;
	}
}

/*
 * The end of the file is the end of a read that allows for it.  Whatever
 * other pieces say, there is nothing behind it.
 */
static int
at_end(struct req *r, struct err *e)
{
	size_t	 k = (size_t)(r->p - r->base);

	if (r->got == NULL)
		return err_setx(e, EIO, "read %s: it ends before",
		    r->f->name);
	if (k < *r->got) {
		memset(r->p, 0, *r->got - k);
		*r->got = k;
	}
	return 0;
}

static int
refused(const struct sftp *s, const struct req *r, uint32_t code,
    const char *text, struct err *e)
{
	const char	*on = r->f != NULL ? r->f->name : s->st->name;
	const char	*why = code == FX_NO_SUCH_FILE ? "no such file" :
	    code == FX_DENIED ? "permission denied" :
	    *text != '\0' ? text : "it failed";

	return err_setx(e, status_errno(code, text), "%s %s%s%s: %s", r->what,
	    on, r->path != NULL ? ":" : "", r->path != NULL ? r->path : "",
	    why);
}

static int
status(struct sftp *s, struct req *r, struct rd *b, struct err *e)
{
	uint32_t	 code = sw_rd32(b);
	struct err	 why = { 0, "" };
	char		 text[128] = "";
	int		 rc = 0;

	words(b, text, sizeof(text));
	if (b->bad)
		return garbled(s, "a status", e);
	if (code == FX_OK && (r->type == FXP_READ || r->type == FXP_OPEN ||
	    r->type == FXP_STAT || r->type == FXP_FSTAT))
		return garbled(s, "an answer without what was asked for", e);
	if (code == FX_EOF && r->type == FXP_READ)
		rc = at_end(r, &why);
	else if (code != FX_OK)
		rc = refused(s, r, code, text, &why);
	ended(s, r, rc, &why);
	return 0;
}

static int
handle(struct sftp *s, struct req *r, struct rd *b, struct err *e)
{
	size_t		 n;
	const uint8_t	*p = sw_rdstr(b, &n);

	if (r->type != FXP_OPEN || p == NULL || n > HANDLE_MAX ||
	    r->a == NULL || b->n > 0)
		return garbled(s, "a handle", e);
	memcpy(r->a->handle, p, n);
	r->a->handlelen = n;
	ended(s, r, 0, NULL);
	return 0;
}

/* A short answer is gone on from, by a request of the same number. */
static int
data(struct sftp *s, struct req *r, struct rd *b, struct err *e)
{
	size_t		 n, k;
	const uint8_t	*p = sw_rdstr(b, &n);

	if (r->type != FXP_READ || p == NULL || n == 0 || n > r->n ||
	    b->n > 0)
		return garbled(s, "data that nobody asked for", e);
	/* Another piece may have met the end of the file before this one. */
	k = r->got == NULL ? SIZE_MAX : *r->got;
	if ((size_t)(r->p - r->base) + n <= k)
		memcpy(r->p, p, n);
	else
		n = r->n;
	r->p += n;
	r->n -= n;
	r->off += n;
	if (r->n == 0) {
		ended(s, r, 0, NULL);
		return 0;
	}
	put_read(s, r);
	if (s->out.bad)
		return err_set(e, ENOMEM, "%s", s->st->name);
	req_queued(s, r);
	return 0;
}

static int
attrs(struct sftp *s, struct req *r, struct rd *b, struct err *e)
{
	uint32_t	 flags = sw_rd32(b);
	uint64_t	 hi;

	if ((r->type != FXP_STAT && r->type != FXP_FSTAT) || r->a == NULL)
		return garbled(s, "attributes that nobody asked for", e);
	/* A file that is taken for an empty one would be written anew. */
	if ((flags & ATTR_SIZE) == 0)
		return garbled(s, "attributes without a size", e);
	hi = sw_rd32(b);
	r->a->st.size = hi << 32 | sw_rd32(b);
	if ((flags & ATTR_OWNER) != 0)
		(void)rd_bytes(b, 8);
	if ((flags & ATTR_MODE) != 0)
		r->a->st.mode = sw_rd32(b);
	if ((r->a->st.mode & S_IFMT) == 0)
		r->a->st.mode = 0;
	if (b->bad || r->a->st.size > INT64_MAX)
		return garbled(s, "attributes", e);
	ended(s, r, 0, NULL);
	return 0;
}

/* The first answer: which extensions there are. */
static int
version(struct sftp *s, struct rd *b, struct err *e)
{
	struct req	*r = &s->req[0];
	const uint8_t	*name;
	uint32_t	 ver;
	size_t		 n, k;

	if (!r->used || r->type != FXP_INIT)
		return garbled(s, "a version", e);
	ver = sw_rd32(b);
	if (b->bad || r->end > s->sent)
		return garbled(s, "a version", e);
	if (ver != 3)
		return err_setx(e, EPROTO, "%s: speaks SFTP version %u, "
		    "not 3", s->st->name, (unsigned)ver);
	while (b->n > 0) {
		name = sw_rdstr(b, &n);
		(void)sw_rdstr(b, &k);
		if (b->bad)
			return garbled(s, "extensions", e);
		if (n == 17 && memcmp(name, "fsync@openssh.com", n) == 0)
			s->fsync = true;
		if (n == 24 && memcmp(name, "posix-rename@openssh.com",
		    n) == 0)
			s->replace = true;
	}
	ended(s, r, 0, NULL);
	return 0;
}

int
answer_take(struct sftp *s, const uint8_t *p, size_t n, struct err *e)
{
	struct rd	 b = { p, n, false };
	uint8_t		 type = rd_u8(&b);
	struct req	*r;
	uint32_t	 id;

	if (type == FXP_VERSION)
		return version(s, &b, e);
	id = sw_rd32(&b);
	r = &s->req[id % REQS];
	/* Nor does anybody wait for an answer to what is not yet asked: there
	 * could be any number of those. */
	if (b.bad || !r->used || r->id != id || r->type == FXP_INIT ||
	    r->end > s->sent)
		return garbled(s, "an answer that nobody waits for", e);
	switch (type) {
	case FXP_STATUS:
		return status(s, r, &b, e);
	case FXP_HANDLE:
		return handle(s, r, &b, e);
	case FXP_DATA:
		return data(s, r, &b, e);
	case FXP_ATTRS:
		return attrs(s, r, &b, e);
	default:
		return garbled(s, "a packet of an unknown type", e);
	}
}
