/*
 * far.c: a file on another host as a medium.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "far.h"

struct far_io {
	struct io	 io;
	struct sftp	*sftp;		/* the caller's */
	struct sftp_file *f;		/* owned */
	char		*name;		/* owned; io.name */
	uint64_t	 bytes;		/* of the file */
	bool		 write;
	bool		 failed;	/* a flush failed: that is final */
};

static int
usable(const struct far_io *f, struct err *e)
{
	return !f->failed ? 0 : err_setx(e, EIO, "%s: closed, as a flush "
	    "failed", f->name);
}

/* A write that is known to have failed is no ground for others, even if it
 * was a read that came across its answer. */
static int
writable(const struct far_io *f, struct err *e)
{
	int	 rc = usable(f, e);

	return rc < 0 ? rc : sftp_file_failed(f->f, e);
}

static int
far_readv(struct io *io, const struct io_range *v, size_t n, struct err *e)
{
	struct far_io	*f = (struct far_io *)io;
	struct err	 ignored;
	size_t		 i;
	int		 rc = usable(f, e);

	for (i = 0; i < n && rc == 0; i++) {
		if (v[i].off > f->bytes || v[i].n > f->bytes - v[i].off)
			rc = err_setx(e, EIO, "read %s: it ends before",
			    f->name);
		else
			rc = sftp_file_read(f->f, v[i].p, v[i].n, v[i].off,
			    NULL, e);
	}
	/* What is under way must not arrive in memory that is gone. */
	if (rc < 0)
		(void)sftp_drain(f->sftp, &ignored);
	else
		rc = sftp_drain(f->sftp, e);
	return rc;
}

static int
far_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct io_range	 v = { p, n, off };

	return far_readv(io, &v, 1, e);
}

static int
far_write(struct io *io, const void *p, size_t n, uint64_t off,
    struct err *e)
{
	struct far_io	*f = (struct far_io *)io;
	int		 rc = writable(f, e);

	if (rc < 0)
		return rc;
	if (!f->write || off > INT64_MAX || n > INT64_MAX - off ||
	    off % io->block != 0 || n % io->block != 0)
		return err_set(e, EINVAL, "write %s", f->name);
	if ((rc = sftp_file_write(f->f, p, n, off, e)) < 0)
		return rc;
	if (off + n > f->bytes) {
		f->bytes = off + n;
		io->size = f->bytes - f->bytes % io->block;
	}
	return 0;
}

static int
far_order(struct io *io, struct err *e)
{
	struct far_io	*f = (struct far_io *)io;
	int		 rc = writable(f, e);

	return rc < 0 ? rc : sftp_file_sync(f->f, e);
}

static int
far_flush(struct io *io, struct err *e)
{
	struct far_io	*f = (struct far_io *)io;
	int		 rc = far_order(io, e);

	if (rc == 0)
		rc = sftp_drain(f->sftp, e);
	if (rc == 0)
		rc = sftp_file_failed(f->f, e);
	if (rc < 0)
		f->failed = true;
	return rc;
}

static void
far_close(struct io *io)
{
	struct far_io	*f = (struct far_io *)io;

	sftp_file_close(f->f);
	free(f->name);
	free(f);
}

static const struct io_ops far_ops = {
	.read = far_read, .write = far_write, .flush = far_flush,
	.close = far_close, .readv = far_readv, .order = far_order
};

static int
reach(struct far_io *f, const char *path, int flags, uint64_t size,
    struct err *e)
{
	struct sftp_stat	 st = { 0, 0 };
	struct err		 ignored;
	int			 how = SFTP_READ, rc;

	f->write = (flags & (FAR_WRITE | FAR_CREATE)) != 0;
	if (f->write)
		how |= SFTP_WRITE;
	if ((flags & FAR_CREATE) != 0)
		how |= SFTP_CREAT | SFTP_EXCL;
	rc = sftp_file_open(f->sftp, path, how, &f->f, &st, e);
	if (st.mode != 0 && !S_ISREG(st.mode))
		return err_setx(e, EINVAL, "%s: not a file", f->name);
	if (rc < 0)
		return rc;
	f->bytes = st.size;
	if ((flags & FAR_CREATE) != 0 && size > 0) {
		if ((rc = sftp_file_size(f->f, size, e)) < 0) {
			/* It is ours, and of no use. */
			(void)sftp_remove(f->sftp, path, &ignored);
			return rc;
		}
		f->bytes = size;
	}
	f->io.block = 512;
	f->io.size = f->bytes - f->bytes % f->io.block;
	return 0;
}

int
far_open(struct io **iop, struct sftp *s, const char *path, int flags,
    uint64_t size, struct err *e)
{
	struct far_io	*f = calloc(1, sizeof(*f));
	int		 rc;

	*iop = NULL;
	if (f == NULL || (f->name = sftp_name(s, path)) == NULL) {
		free(f);
		return err_set(e, ENOMEM, "%s", path);
	}
	f->io.ops = &far_ops;
	f->io.name = f->name;
	f->sftp = s;
	if ((rc = reach(f, path, flags, size, e)) < 0)
		far_close(&f->io);
	else
		*iop = &f->io;
	return rc;
}

uint64_t
far_bytes(const struct io *io)
{
	return ((const struct far_io *)io)->bytes;
}
