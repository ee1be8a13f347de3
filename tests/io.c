/*
 * io.c: the promises of lib/io.h, on memory, a file and, as root, a real
 * block device.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/io.h"
#include "tap.h"

#define SIZE	(256u * 1024)

static char	 dir[64];
static char	 path[96];		/* of a file of SIZE bytes */

/* Random reads and writes against a plain copy in memory. */
static void
agrees_with_a_copy(struct io *io)
{
	uint64_t	 r = tap_seed(11), off;
	uint8_t		*copy = calloc(1, io->size), *b = malloc(io->size);
	size_t		 n, i;
	int		 k;

	OK(io->ops->read(io, copy, io->size, 0, NULL) == 0);
	for (k = 0; k < 400; k++) {
		off = tap_rand(&r) % io->size;
		n = (size_t)(tap_rand(&r) % (io->size - off));
		if (k % 3 != 0)
			n %= 5000;
		if (tap_rand(&r) % 2 == 0) {
			off -= off % io->block;
			n -= n % io->block;
			for (i = 0; i < n; i++)
				b[i + 1] = (uint8_t)tap_rand(&r);
			/* From an odd address too. */
			OK(io->ops->write(io, b + 1, n, off, NULL) == 0);
			memcpy(copy + off, b + 1, n);
		} else {
			OK(io->ops->read(io, b, n, off, NULL) == 0);
			OK(memcmp(b, copy + off, n) == 0);
		}
		if (k % 50 == 0)
			OK(io->ops->flush(io, NULL) == 0);
	}
	OK(io->ops->read(io, b, io->size, 0, NULL) == 0);
	OK(memcmp(b, copy, io->size) == 0);
	free(copy);
	free(b);
}

/* What any medium refuses. */
static void
keeps_its_bounds(struct io *io)
{
	struct err	 e;
	static uint8_t	 b[8192];

	OK(io->ops->read(io, b, 2, io->size - 1, &e) == -EIO);
	OK(strstr(e.msg, io->name) != NULL);
	OK(io->ops->read(io, b, 1, UINT64_MAX, &e) == -EIO);
	OK(io->ops->read(io, b, 1, io->size - 1, &e) == 0);
	OK(io->ops->read(io, b, 0, io->size, &e) == 0);
	OK(io->ops->write(io, b, io->block, io->size, &e) == -EINVAL);
	OK(io->ops->write(io, b, 1, 0, &e) == -EINVAL);
	OK(io->ops->write(io, b, io->block, 1, &e) == -EINVAL);
	OK(io->ops->write(io, b, io->block, io->size - io->block, &e) == 0);
}

static void
memory_is_a_medium(void)
{
	struct io	*io;
	struct err	 e;

	OK(io_mem(&io, SIZE + 5, 512, &e) == 0);
	OK(io->size == SIZE && io->block == 512);
	agrees_with_a_copy(io);
	keeps_its_bounds(io);
	io_close(io);
	io_close(NULL);
	OK(io_mem(&io, SIZE, 500, &e) == -EINVAL && io == NULL);
	OK(io_mem(&io, SIZE, 256, &e) == -EINVAL);
}

static void
a_file_is_made_once_and_of_real_blocks(void)
{
	struct stat	 st;
	struct err	 e;
	uint8_t		*b = malloc(SIZE), *z = calloc(1, SIZE);
	int		 fd;

	OK(io_create(path, SIZE, &e) == 0);
	OK(stat(path, &st) == 0 && st.st_size == SIZE);
	OK((st.st_mode & 07777) == 0600);
	OK((uint64_t)st.st_blocks * 512 >= SIZE);	/* no holes */
	fd = open(path, O_RDONLY);
	OK(fd != -1 && read(fd, b, SIZE) == SIZE && memcmp(b, z, SIZE) == 0);
	(void)close(fd);
	OK(io_create(path, SIZE, &e) == -EEXIST && strstr(e.msg, path) != NULL);
	OK(stat(path, &st) == 0);		/* and it is still there */
	OK(io_create("/nowhere/at/all", SIZE, &e) == -ENOENT);
	free(b);
	free(z);
}

static void
a_file_is_a_medium(void)
{
	struct io	*io;
	struct err	 e;
	uint8_t		 a[512], b[512];
	char		 sl[128];
	int		 fd;

	OK(io_open(&io, path, IO_WRITE, &e) == 0);
	OK(io->size == SIZE && io->block == 512);
	agrees_with_a_copy(io);
	keeps_its_bounds(io);
	memset(a, 'x', sizeof(a));
	OK(io->ops->write(io, a, 512, 1024, &e) == 0);
	OK(io->ops->flush(io, &e) == 0);
	io_close(io);
	fd = open(path, O_RDONLY);
	OK(pread(fd, b, 512, 1024) == 512 && memcmp(a, b, 512) == 0);
	(void)close(fd);
	/* The rest that is no whole block is not used; links are followed. */
	OK(truncate(path, SIZE + 100) == 0);
	(void)snprintf(sl, sizeof(sl), "%s/link", dir);
	OK(symlink(path, sl) == 0);
	OK(io_open(&io, sl, 0, &e) == 0 && io->size == SIZE);
	OK(io->ops->read(io, b, 512, 1024, &e) == 0 && memcmp(a, b, 512) == 0);
	OK(io->ops->write(io, a, 512, 0, &e) < 0);
	io_close(io);
	OK(truncate(path, SIZE) == 0);
}

static void
a_file_that_shrinks_under_it_is_an_io_error(void)
{
	struct io	*io;
	struct err	 e;
	uint8_t		 b[512];

	OK(io_open(&io, path, 0, &e) == 0);
	OK(truncate(path, 1000) == 0);
	OK(io->ops->read(io, b, 512, 800, &e) == -EIO);
	OK(strstr(e.msg, path) != NULL);
	io_close(io);
	OK(truncate(path, SIZE) == 0);
}

static void
what_is_no_medium_is_refused(void)
{
	struct io	*io;
	struct err	 e;
	char		 fifo[128];
	int		 w;

	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", dir);
	OK(mkfifo(fifo, 0600) == 0);
	for (w = 0; w <= IO_WRITE; w += IO_WRITE) {
		OK(io_open(&io, dir, w, &e) == -EINVAL && io == NULL);
		OK(strstr(e.msg, dir) != NULL);
		OK(io_open(&io, "/dev/null", w, &e) == -EINVAL);
		OK(io_open(&io, fifo, w, &e) == -EINVAL);
		OK(io_open(&io, "/nowhere", w, &e) == -ENOENT);
		OK(strstr(e.msg, "/nowhere") != NULL);
	}
}

static void
there_is_one_writer_and_any_readers(void)
{
	struct io	*a, *b, *c;
	struct err	 e;
	char		 want[160];

	OK(io_open(&a, path, IO_WRITE, &e) == 0);
	OK(io_open(&b, path, IO_WRITE, &e) == -EBUSY);
	(void)snprintf(want, sizeof(want), "%s: in use by another writer",
	    path);
	OK(strcmp(e.msg, want) == 0);
	OK(io_open(&b, path, 0, &e) == 0);
	OK(io_open(&c, path, IO_WRITE | IO_NOLOCK, &e) == 0);
	io_close(c);
	io_close(a);
	OK(io_open(&a, path, IO_WRITE, &e) == 0);
	io_close(a);
	io_close(b);
}

static void
who_holds_a_shared_lock_is_waited_for(void)
{
	struct io	*io;
	struct err	 e;
	int		 p[2], fd;
	pid_t		 pid;
	char		 c;

	OK(pipe(p) == 0);
	if ((pid = fork()) == 0) {
		fd = open(path, O_RDONLY);
		if (fd == -1 || flock(fd, LOCK_SH) == -1)
			_exit(1);
		(void)!write(p[1], "x", 1);
		(void)usleep(100 * 1000);	/* how long is all the same */
		_exit(0);
	}
	OK(read(p[0], &c, 1) == 1);
	OK(io_open(&io, path, IO_WRITE, &e) == 0);
	io_close(io);
	OK(waitpid(pid, NULL, 0) == pid);
	(void)close(p[0]);
	(void)close(p[1]);
}

/* A loop device with sectors of ss bytes on `path`; 0, or it is skipped. */
static int
loop(const char *ss, char *dev, int n)
{
	char	 cmd[256];
	FILE	*f;

	(void)snprintf(cmd, sizeof(cmd), "losetup -f --show -b %s %s "
	    "2>/dev/null", ss, path);
	dev[0] = '\0';
	if (geteuid() == 0 && (f = popen(cmd, "r")) != NULL) {
		if (fgets(dev, n, f) != NULL)
			dev[strcspn(dev, "\n")] = '\0';
		(void)pclose(f);
	}
	if (dev[0] == '\0')
		tap_skip("no loop devices here");
	return dev[0] == '\0' ? -1 : 0;
}

static void
unloop(const char *dev)
{
	char	 cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "losetup -d %s", dev);
	OK(system(cmd) == 0);
}

static void
a_disk_is_a_medium(void)
{
	struct io	*io, *b;
	struct err	 e;
	char		 dev[64];

	if (loop("512", dev, sizeof(dev)) < 0)
		return;
	OK(io_open(&io, dev, IO_WRITE, &e) == 0);
	if (io != NULL) {
		OK(io->size == SIZE && io->block == 512 && io->phys >= 512);
		OK(io_open(&b, dev, IO_WRITE, &e) == -EBUSY);
		agrees_with_a_copy(io);
		keeps_its_bounds(io);
		io_close(io);
	}
	unloop(dev);
}

static void
a_disk_of_large_sectors_has_large_blocks(void)
{
	struct io	*io;
	struct err	 e;
	char		 dev[64];

	if (loop("4096", dev, sizeof(dev)) < 0)
		return;
	OK(io_open(&io, dev, IO_WRITE, &e) == 0);
	if (io != NULL) {
		OK(io->size == SIZE && io->block == 4096);
		agrees_with_a_copy(io);
		keeps_its_bounds(io);
		io_close(io);
	}
	unloop(dev);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "memory is a medium", memory_is_a_medium },
		{ "a file is made once, and of real blocks",
		    a_file_is_made_once_and_of_real_blocks },
		{ "a file is a medium", a_file_is_a_medium },
		{ "a file that shrinks under it is an I/O error",
		    a_file_that_shrinks_under_it_is_an_io_error },
		{ "what is no medium is refused",
		    what_is_no_medium_is_refused },
		{ "there is one writer, and any readers",
		    there_is_one_writer_and_any_readers },
		{ "who holds a shared lock is waited for",
		    who_holds_a_shared_lock_is_waited_for },
		{ "a disk is a medium", a_disk_is_a_medium },
		{ "a disk of large sectors has large blocks",
		    a_disk_of_large_sectors_has_large_blocks },
	};
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-io.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	(void)snprintf(path, sizeof(path), "%s/medium", dir);
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
