/*
 * autostate.c: the plan, kept while the process is started anew.
 *
 * It is in the state directory, so a reboot begins with none.  Who reads it
 * may not be who wrote it, and it may be of another version: what can't be
 * read is nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "auto.h"
#include "bg.h"
#include "out.h"

#define MAGIC	0x31747561u		/* "aut1" */
#define MOST	(64u << 20)		/* bytes of it */

static void
put_str(struct buf *b, const char *s)
{
	put_le32(b, (uint32_t)strlen(s));
	put_bytes(b, s, strlen(s));
}

static char *
get_str(struct rd *r)
{
	size_t		 n = rd_le32(r);
	const uint8_t	*p = n > r->n ? NULL : rd_bytes(r, n);

	if (p == NULL || memchr(p, '\0', n) != NULL)
		r->bad = true;
	return r->bad ? NULL : strndup((const char *)p, n);
}

static void
get_comm(struct rd *r, char comm[JRN_COMM])
{
	const uint8_t	*p = rd_bytes(r, JRN_COMM);

	if (p != NULL)
		memcpy(comm, p, JRN_COMM);
	comm[JRN_COMM - 1] = '\0';
}

static void
put_path(struct buf *b, const struct plan_path *q)
{
	size_t	 i;

	put_str(b, q->path);
	put_u8(b, (uint8_t)((q->tree ? 1 : 0) | (q->adopted ? 2 : 0)));
	put_le64(b, q->mark);
	put_le64(b, q->tried);
	put_le64(b, (uint64_t)q->again);
	put_le64(b, (uint64_t)q->first);
	put_le64(b, (uint64_t)q->last);
	put_le32(b, (uint32_t)q->nwho);
	for (i = 0; i < q->nwho; i++) {
		put_le32(b, q->who[i].uid);
		put_bytes(b, q->who[i].comm, JRN_COMM);
		put_le64(b, (uint64_t)q->who[i].first);
		put_le64(b, (uint64_t)q->who[i].last);
		put_le32(b, q->who[i].count);
	}
}

/* What it holds so far is freed with the plan. */
static void
get_path(struct rd *r, struct plan_path *q)
{
	uint8_t	 flags;
	size_t	 i, n;

	q->path = get_str(r);
	flags = rd_u8(r);
	q->tree = (flags & 1) != 0;
	q->adopted = (flags & 2) != 0;
	q->mark = rd_le64(r);
	q->tried = rd_le64(r);
	q->again = (int64_t)rd_le64(r);
	q->first = (int64_t)rd_le64(r);
	q->last = (int64_t)rd_le64(r);
	n = rd_le32(r);
	if (n > r->n || (n > 0 && (q->who = calloc(n, sizeof(*q->who))) ==
	    NULL))
		r->bad = true;
	for (i = 0; i < n && !r->bad; i++) {
		q->who[i].uid = rd_le32(r);
		get_comm(r, q->who[i].comm);
		q->who[i].first = (int64_t)rd_le64(r);
		q->who[i].last = (int64_t)rd_le64(r);
		q->who[i].count = rd_le32(r);
		q->nwho++;
	}
}

static void
put_churn(struct buf *b, const struct plan_churn *c)
{
	put_str(b, c->path);
	put_bytes(b, c->comm, JRN_COMM);
	put_le64(b, (uint64_t)c->since);
	put_le32(b, c->n);
	put_le32(b, c->before);
	put_le32(b, c->backs);
	put_le32(b, c->backs_before);
}

static void
get_churn(struct rd *r, struct plan_churn *c)
{
	c->path = get_str(r);
	get_comm(r, c->comm);
	c->since = (int64_t)rd_le64(r);
	c->n = rd_le32(r);
	c->before = rd_le32(r);
	c->backs = rd_le32(r);
	c->backs_before = rd_le32(r);
}

static void
parse(struct plan *p, struct rd *r)
{
	size_t	 n, k;

	if (rd_le32(r) != MAGIC)
		r->bad = true;
	p->looked = (int64_t)rd_le64(r);
	p->wait = (int64_t)rd_le64(r);
	p->failed = get_str(r);
	n = rd_le32(r);
	k = rd_le32(r);
	if (r->bad || n > r->n || k > r->n)
		r->bad = true;
	if (p->failed != NULL && *p->failed == '\0') {
		free(p->failed);
		p->failed = NULL;
	}
	for (; n > 0 && !r->bad; n--)
		if (more_room(&p->v, p->n, &p->cap, sizeof(*p->v)) < 0)
			r->bad = true;
		else {
			memset(&p->v[p->n], 0, sizeof(*p->v));
			get_path(r, &p->v[p->n++]);
		}
	for (; k > 0 && !r->bad; k--)
		if (more_room(&p->churn, p->nchurn, &p->churn_cap,
		    sizeof(*p->churn)) < 0)
			r->bad = true;
		else {
			memset(&p->churn[p->nchurn], 0, sizeof(*p->churn));
			get_churn(r, &p->churn[p->nchurn++]);
		}
}

int
autostate_load(struct plan *p, const char *statedir, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	ssize_t		 n = 1;
	uint8_t		*to;
	int		 fd;

	memset(p, 0, sizeof(*p));
	fd = bg_file(statedir, AUTO_KIND, "state", O_RDONLY, e);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	while (n > 0 && b.len < MOST && (to = buf_room(&b, 4096)) != NULL)
		if ((n = read(fd, to, 4096)) > 0)
			b.len += (size_t)n;
	(void)close(fd);
	r = (struct rd){ b.p, b.len, n != 0 };
	if (!r.bad)
		parse(p, &r);
	if (r.bad)
		plan_end(p);
	buf_free(&b);
	return 0;
}

int
autostate_save(const struct plan *p, const char *statedir, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*to = NULL, *tmp = NULL;
	size_t		 i;
	int		 fd, rc;

	put_le32(&b, MAGIC);
	put_le64(&b, (uint64_t)p->looked);
	put_le64(&b, (uint64_t)p->wait);
	put_str(&b, p->failed == NULL ? "" : p->failed);
	put_le32(&b, (uint32_t)p->n);
	put_le32(&b, (uint32_t)p->nchurn);
	for (i = 0; i < p->n; i++)
		put_path(&b, &p->v[i]);
	for (i = 0; i < p->nchurn; i++)
		put_churn(&b, &p->churn[i]);
	if (asprintf(&to, "%s/" AUTO_KIND "/state", statedir) == -1)
		to = NULL;
	if (asprintf(&tmp, "%s/" AUTO_KIND "/#new", statedir) == -1)
		tmp = NULL;
	fd = rc = bg_file(statedir, AUTO_KIND, "#new", O_WRONLY | O_CREAT |
	    O_TRUNC, e);
	if (fd >= 0) {
		rc = b.bad || to == NULL || tmp == NULL ? -ENOMEM :
		    out_fd(fd, &b);
		if (close(fd) == -1 && rc == 0)
			rc = -errno;
		if (rc == 0 && rename(tmp, to) == -1)
			rc = -errno;
		if (rc < 0)
			(void)err_set(e, -rc, "write %s/" AUTO_KIND "/state",
			    statedir);
	}
	free(to);
	free(tmp);
	buf_free(&b);
	return rc;
}
