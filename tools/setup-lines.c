/*
 * setup-lines.c: a line more or less in a file of settings, all else of it
 * staying as it is: bytes, mode, owner, attributes, links to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/path.h"
#include "apply.h"
#include "out.h"
#include "setup-do.h"

#define FILE_MOST	(1u << 20)	/* bytes of settings that are read */

struct file {
	char		*real;	/* owned: where links lead */
	int		 dir;	/* its directory */
	const char	*name;	/* in that, within real */
	struct ent	 e;	/* ENT_NONE: there is none */
	struct buf	 b;
};

static void
file_close(struct file *f)
{
	free(f->real);
	ent_free(&f->e);
	buf_free(&f->b);
	if (f->dir != -1)
		(void)close(f->dir);	/* only its entries change */
}

static int
file_open(struct file *f, const char *path, struct err *e)
{
	char	*slash;
	int	 rc;

	*f = (struct file){ .dir = -1, .b = BUF_INIT };
	f->real = realpath(path, NULL);
	if (f->real == NULL && (f->real = strdup(path)) == NULL)
		return err_set(e, ENOMEM, "%s", path);
	slash = strrchr(f->real, '/');
	*slash = '\0';
	f->name = slash + 1;
	f->dir = open(slash == f->real ? "/" : f->real, O_RDONLY |
	    O_DIRECTORY | O_CLOEXEC);
	if (f->dir == -1)
		return err_set(e, errno, "%s", path);
	if ((rc = ent_read(f->dir, f->name, f->name, 0, &f->e, NULL, NULL,
	    e)) < 0)
		return rc;
	if (f->e.type != ENT_NONE && f->e.type != ENT_REG)
		return err_setx(e, EINVAL, "%s: is no file", path);
	if (f->e.type == ENT_REG && (rc = walk_slurp(f->dir, f->name,
	    FILE_MOST, &f->b)) < 0)
		return err_set(e, -rc, "read %s", path);
	return 0;
}

static int
file_save(struct file *f, const struct buf *b, struct err *e)
{
	struct apply	 a = APPLY_INIT(f->dir, true);
	int64_t		 now = out_now();
	int		 rc;

	if (b->bad)
		return err_set(e, ENOMEM, "%s", f->name);
	if (f->e.type == ENT_NONE) {
		f->e.type = ENT_REG;
		f->e.mode = 0644;
		f->e.uid = (uint32_t)geteuid();
		f->e.gid = (uint32_t)getegid();
		if (f->e.path == NULL &&
		    (f->e.path = strdup(f->name)) == NULL)
			return err_set(e, ENOMEM, "%s", f->name);
	}
	f->e.mtime = now / 1000000000;
	f->e.mtime_ns = (uint32_t)(now % 1000000000);
	rc = apply_ent(&a, &f->e, b->p, b->len, e);
	apply_free(&a);
	if (rc >= 0)
		sync();		/* the next boot reads it */
	return rc < 0 ? rc : 0;
}

int
lines_add(const char *path, const struct strs *l, bool *cut, struct err *e)
{
	struct file	 f;
	size_t		 i;
	int		 rc;

	*cut = false;
	if ((rc = file_open(&f, path, e)) == 0) {
		*cut = f.b.len > 0 && f.b.p[f.b.len - 1] != '\n';
		if (*cut)
			put_u8(&f.b, '\n');
		for (i = 0; i < l->n; i++)
			put_fmt(&f.b, "%s\n", l->v[i]);
		rc = file_save(&f, &f.b, e);
	}
	file_close(&f);
	return rc;
}

/* The last line that is exactly so, of n bytes with its newline, or NULL. */
static const char *
find_line(const struct buf *b, const char *line, size_t *n)
{
	const char	*p = (const char *)b->p, *end = p + b->len;
	const char	*found = NULL, *nl;
	size_t		 k = strlen(line), len;

	for (; p < end; p += len) {
		nl = memchr(p, '\n', (size_t)(end - p));
		len = nl == NULL ? (size_t)(end - p) : (size_t)(nl - p) + 1;
		if (len - (nl != NULL) == k && memcmp(p, line, k) == 0) {
			found = p;
			*n = len;
		}
	}
	return found;
}

int
lines_remove(const char *path, const char *line, bool cut, bool *empty,
    struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct file	 f;
	const char	*p;
	size_t		 n, at;
	int		 rc;

	*empty = false;
	if ((rc = file_open(&f, path, e)) < 0)
		goto out;
	*empty = f.e.type == ENT_REG && f.b.len == 0;
	if (f.b.len == 0 || (p = find_line(&f.b, line, &n)) == NULL)
		goto out;
	at = (size_t)(p - (const char *)f.b.p);
	put_bytes(&b, f.b.p, at);
	put_bytes(&b, p + n, f.b.len - at - n);
	if (cut && b.len > 0 && b.len == at && b.p[b.len - 1] == '\n')
		b.len--;
	*empty = b.len == 0;
	rc = file_save(&f, &b, e);
out:
	buf_free(&b);
	file_close(&f);
	return rc;
}
