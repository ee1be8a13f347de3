/*
 * io.c: a file, a raw device, or memory, as a medium.
 *
 * Reads go through the page cache and writes past it (O_DIRECT), on two
 * descriptors: small reads are cheap, and one write is one request.  The
 * kernel keeps the two in step.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "osdep.h"

#define MEM_ALIGN	4096u		/* enough for any direct write */
#define WRITE_MAX	(8u << 20)	/* bytes that are one request */
#define READ_MAX	(64u << 10)	/* of a device that reads in units */

struct file_io {
	struct io	 io;
	char		*name;		/* owned; io.name */
	int		 fd;		/* reads, the lock, other writes */
	int		 direct;	/* writes past the cache, or -1 */
	uint32_t	 rdunit;	/* reads are multiples of it */
};

/* Whether n bytes at off lie within the medium. */
static bool
inside(const struct io *io, size_t n, uint64_t off)
{
	return off <= io->size && n <= io->size - off;
}

static bool
in_units(const struct io *io, size_t n, uint64_t off)
{
	return n % io->block == 0 && off % io->block == 0;
}

/* pread(2) until all is there; the end comes too early: -EIO. */
static int
read_all(int fd, uint8_t *p, size_t n, uint64_t off)
{
	ssize_t	 k;

	while (n > 0) {
		if ((k = pread(fd, p, n, (off_t)off)) == -1) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (k == 0)
			return -EIO;
		p += k;
		n -= (size_t)k;
		off += (uint64_t)k;
	}
	return 0;
}

/* Reads that begin or end inside of a unit, by way of whole ones. */
static int
read_units(struct file_io *f, uint8_t *p, size_t n, uint64_t off)
{
	void		*b = NULL;
	uint64_t	 start;
	size_t		 skip, len, k;
	int		 rc = 0;

	if (posix_memalign(&b, MEM_ALIGN, READ_MAX) != 0)
		return -ENOMEM;
	while (n > 0 && rc == 0) {
		skip = (size_t)(off % f->rdunit);
		start = off - skip;
		len = skip + n;
		len += (f->rdunit - len % f->rdunit) % f->rdunit;
		if (len > READ_MAX)
			len = READ_MAX;
		if ((rc = read_all(f->fd, b, len, start)) < 0)
			break;
		k = len - skip < n ? len - skip : n;
		memcpy(p, (uint8_t *)b + skip, k);
		p += k;
		n -= k;
		off += k;
	}
	free(b);
	return rc;
}

static int
file_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	struct file_io	*f = (struct file_io *)io;
	int		 rc;

	if (!inside(io, n, off))
		return err_setx(e, EIO, "read %s: it ends before", io->name);
	if (f->rdunit > 1)
		rc = read_units(f, p, n, off);
	else
		rc = read_all(f->fd, p, n, off);
	return rc == 0 ? 0 : err_set(e, -rc, "read %s", io->name);
}

static int
write_all(int fd, const uint8_t *p, size_t n, uint64_t off)
{
	ssize_t	 k;

	while (n > 0) {
		if ((k = pwrite(fd, p, n, (off_t)off)) == -1) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (k == 0)
			return -EIO;
		p += k;
		n -= (size_t)k;
		off += (uint64_t)k;
	}
	return 0;
}

/* Write through aligned memory, past the cache. */
static int
write_direct(struct file_io *f, const uint8_t *p, size_t n, uint64_t off)
{
	void	*b = NULL;
	size_t	 k;
	int	 rc = 0;

	if ((uintptr_t)p % MEM_ALIGN == 0)
		return write_all(f->direct, p, n, off);
	if (posix_memalign(&b, MEM_ALIGN, n < WRITE_MAX ? n : WRITE_MAX) != 0)
		return -ENOMEM;
	for (; n > 0 && rc == 0; n -= k) {
		k = n < WRITE_MAX ? n : WRITE_MAX;
		memcpy(b, p, k);
		rc = write_all(f->direct, b, k, off);
		p += k;
		off += k;
	}
	free(b);
	return rc;
}

static int
file_write(struct io *io, const void *p, size_t n, uint64_t off,
    struct err *e)
{
	struct file_io	*f = (struct file_io *)io;
	int		 rc = -EINVAL;

	if (!inside(io, n, off) || !in_units(io, n, off))
		return err_set(e, EINVAL, "write %s", io->name);
	if (n == 0)
		return 0;
	if (f->direct != -1 && (rc = write_direct(f, p, n, off)) == -EINVAL) {
		/* It opened, but can't; or wants larger units than these. */
		(void)close(f->direct);
		f->direct = -1;
	}
	if (f->direct == -1)
		rc = write_all(f->fd, p, n, off);
	return rc == 0 ? 0 : err_set(e, -rc, "write %s", io->name);
}

static int
file_flush(struct io *io, struct err *e)
{
	int	 rc = os_flush(((struct file_io *)io)->fd);

	return rc == 0 ? 0 : err_set(e, -rc, "flush %s", io->name);
}

static void
file_close(struct io *io)
{
	struct file_io	*f = (struct file_io *)io;

	/* What counts has been flushed. */
	if (f->direct != -1)
		(void)close(f->direct);
	if (f->fd != -1)
		(void)close(f->fd);
	free(f->name);
	free(f);
}

static const struct io_ops file_ops = {
	.read = file_read, .write = file_write, .flush = file_flush,
	.close = file_close
};

/*
 * The lock against other writers.  A holder of a shared lock is none:
 * udevd takes one on a disk for a moment, after each writer has closed
 * it, and is waited for.
 */
static int
lock(struct file_io *f, struct err *e)
{
	if (flock(f->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK && flock(f->fd, LOCK_SH | LOCK_NB) == 0) {
		while (flock(f->fd, LOCK_EX) == -1)
			if (errno != EINTR)
				return err_set(e, errno, "lock %s", f->name);
		return 0;
	}
	if (errno == EWOULDBLOCK)
		return err_setx(e, EBUSY, "%s: in use by another writer",
		    f->name);
	return err_set(e, errno, "lock %s", f->name);
}

/* The medium's size and units; EINVAL where it is neither of the two. */
static int
measure(struct file_io *f, const struct stat *st, struct err *e)
{
	struct io	*io = &f->io;
	int		 rc;

	f->rdunit = 1;
	if (S_ISREG(st->st_mode)) {
		io->size = (uint64_t)st->st_size;
		io->block = 512;
	} else {
		rc = os_disk(f->fd, &io->size, &io->block, &io->phys);
		if (rc == -ENOTBLK)
			return err_setx(e, EINVAL,
			    "%s: neither a file nor a disk", f->name);
		if (rc < 0)
			return err_set(e, -rc, "size of %s", f->name);
		if (io->block < 512 || io->block > READ_MAX ||
		    (io->block & (io->block - 1)) != 0)
			return err_setx(e, EINVAL, "%s: sectors of %u bytes",
			    f->name, (unsigned)io->block);
		if (S_ISCHR(st->st_mode))
			f->rdunit = io->block;
	}
	io->size -= io->size % io->block;
	return 0;
}

/*
 * The second descriptor.  On a disk, O_EXCL keeps away from one that is
 * mounted: what would be written there is another's.
 */
static int
open_direct(struct file_io *f, const char *path, const struct stat *st,
    bool excl, struct err *e)
{
	struct stat	 now;

	f->direct = open(path, O_RDWR | O_DIRECT | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY | (excl && S_ISBLK(st->st_mode) ? O_EXCL : 0));
	if (f->direct == -1) {
		if (errno == EBUSY)
			return err_setx(e, EBUSY, "%s: mounted, or held by "
			    "another program", f->name);
		return 0;	/* then all goes through the cache */
	}
	if (fstat(f->direct, &now) == -1 || now.st_ino != st->st_ino ||
	    now.st_dev != st->st_dev)
		return err_setx(e, EBUSY, "%s: replaced by another program",
		    f->name);
	return 0;
}

int
io_open(struct io **iop, const char *path, int flags, struct err *e)
{
	struct file_io	*f;
	struct stat	 st;
	bool		 wr = (flags & IO_WRITE) != 0;
	bool		 locked = (flags & IO_NOLOCK) == 0;
	int		 rc = 0;

	*iop = NULL;
	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->name = strdup(path)) == NULL) {
		free(f);
		return err_set(e, ENOMEM, "open %s", path);
	}
	f->io.ops = &file_ops;
	f->io.name = f->name;
	f->direct = -1;
	/* Should it be a fifo or a terminal, the open must do nothing. */
	f->fd = open(path, (wr ? O_RDWR : O_RDONLY) | O_CLOEXEC |
	    O_NONBLOCK | O_NOCTTY);
	if (f->fd == -1 && errno == EISDIR)
		rc = err_setx(e, EINVAL, "%s: neither a file nor a disk", path);
	else if (f->fd == -1 && errno == EPERM && stat(path, &st) == 0 &&
	    S_ISCHR(st.st_mode))
		/* What FreeBSD says of a disk that is mounted. */
		rc = err_setx(e, EBUSY, "%s: mounted, or held by another "
		    "program", path);
	else if (f->fd == -1)
		rc = err_set(e, errno, "open %s", path);
	else if (fstat(f->fd, &st) == -1)
		rc = err_set(e, errno, "stat %s", path);
	else
		rc = measure(f, &st, e);
	if (rc == 0 && wr && locked)
		rc = lock(f, e);
	if (rc == 0 && wr)
		rc = open_direct(f, path, &st, locked, e);
	if (rc < 0) {
		file_close(&f->io);
		return rc;
	}
	*iop = &f->io;
	return 0;
}

/* Sync the directory that holds path, so that its name is there. */
static int
sync_parent(const char *path)
{
	const char	*slash = strrchr(path, '/');
	char		*dir;
	int		 fd, rc = 0;

	if (slash == NULL)
		dir = strdup(".");
	else
		dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (dir == NULL)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (fd == -1)
		return -errno;
	/* EINVAL: a file system that has no such thing. */
	if (fsync(fd) == -1 && errno != EINVAL)
		rc = -errno;
	(void)close(fd);
	return rc;
}

int
io_create(const char *path, uint64_t size, struct err *e)
{
	static uint8_t	 zero[64 * 1024];
	uint64_t		 off;
	size_t			 k;
	int			 fd, rc = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1)
		return err_set(e, errno, "create %s", path);
	for (off = 0; off < size && rc == 0; off += k) {
		k = size - off < sizeof(zero) ? (size_t)(size - off) :
		    sizeof(zero);
		rc = write_all(fd, zero, k, off);
	}
	if (rc == 0 && fsync(fd) == -1)
		rc = -errno;
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	if (rc == 0)
		rc = sync_parent(path);
	if (rc < 0) {
		(void)unlink(path);	/* the first failure counts */
		return err_set(e, -rc, "create %s", path);
	}
	return 0;
}

void
io_close(struct io *io)
{
	if (io != NULL)
		io->ops->close(io);
}

struct mem_io {
	struct io	 io;
	uint8_t		*p;	/* owned */
};

static int
mem_read(struct io *io, void *p, size_t n, uint64_t off, struct err *e)
{
	if (!inside(io, n, off))
		return err_setx(e, EIO, "read %s: it ends before", io->name);
	if (n > 0)
		memcpy(p, ((struct mem_io *)io)->p + off, n);
	return 0;
}

static int
mem_write(struct io *io, const void *p, size_t n, uint64_t off, struct err *e)
{
	if (!inside(io, n, off) || !in_units(io, n, off))
		return err_set(e, EINVAL, "write %s", io->name);
	if (n > 0)
		memcpy(((struct mem_io *)io)->p + off, p, n);
	return 0;
}

static int
mem_flush(struct io *io, struct err *e)
{
	(void)io;
	(void)e;
	return 0;		/* memory is as durable as it gets */
}

static void
mem_close(struct io *io)
{
	free(((struct mem_io *)io)->p);
	free(io);
}

static const struct io_ops mem_ops = {
	.read = mem_read, .write = mem_write, .flush = mem_flush,
	.close = mem_close
};

int
io_mem(struct io **iop, uint64_t size, uint32_t block, struct err *e)
{
	struct mem_io	*m;

	*iop = NULL;
	if (block < 512 || (block & (block - 1)) != 0)
		return err_set(e, EINVAL, "memory in blocks of %u bytes",
		    (unsigned)block);
	size -= size % block;
	if (size > SIZE_MAX || (m = calloc(1, sizeof(*m))) == NULL)
		return err_set(e, ENOMEM, "memory as a medium");
	if ((m->p = calloc(1, size == 0 ? 1 : (size_t)size)) == NULL) {
		free(m);
		return err_set(e, ENOMEM, "memory as a medium");
	}
	m->io.ops = &mem_ops;
	m->io.name = "memory";
	m->io.size = size;
	m->io.block = block;
	*iop = &m->io;
	return 0;
}

int
io_readv(struct io *io, const struct io_range *v, size_t n, struct err *e)
{
	size_t	 i;
	int	 rc = 0;

	if (io->ops->readv != NULL)
		return io->ops->readv(io, v, n, e);
	for (i = 0; i < n && rc == 0; i++)
		rc = io->ops->read(io, v[i].p, v[i].n, v[i].off, e);
	return rc;
}

int
io_order(struct io *io, struct err *e)
{
	return io->ops->order != NULL ? io->ops->order(io, e) :
	    io->ops->flush(io, e);
}
