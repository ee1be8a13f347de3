/*
 * wlog.c: what a disk of qemu's was told, by its driver blklogwrites, in the
 * format of the kernel's dm-log-writes: and what the disk holds if the power
 * goes at some point of that.
 *
 *	wlog count LOG			entries, writes, bytes, flushes
 *	wlog list LOG			each of them
 *	wlog cut LOG N SEED DISK	DISK, as it was before, becomes what it
 *					is when the power goes within entry N
 *
 * A flush makes what was written before it last.  Of what was written since,
 * each sector is there or not, as SEED has it: entry N is under way.
 */
#include <sys/types.h>

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC	UINT64_C(0x6a736677736872)

enum { FLUSH = 1, FUA = 2, DISCARD = 4 };
enum { SECTOR = 512, SUPER = 28, ENTRY = 32 };

/* One entry; its data lies at that offset in the log. */
struct entry {
	uint64_t	sector, count, flags;
	off_t		data;
};

struct log {
	int		 fd;
	const char	*name;
	struct entry	*e;
	uint64_t	 n;
};

static uint64_t
le64(const uint8_t *p)
{
	uint64_t v = 0;
	int i;

	for (i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void
get(int fd, const char *name, void *buf, size_t n, off_t at)
{
	if (pread(fd, buf, n, at) != (ssize_t)n)
		err(2, "read %s", name);
}

static void
log_open(struct log *l, const char *name)
{
	uint8_t b[ENTRY];
	off_t at = SECTOR;
	uint64_t i;

	l->name = name;
	if ((l->fd = open(name, O_RDONLY)) == -1)
		err(2, "%s", name);
	get(l->fd, name, b, SUPER, 0);
	l->n = le64(b) == MAGIC ? le64(b + 16) : 0;
	if (l->n > 10000000 || (l->e = calloc(l->n + 1, sizeof(*l->e))) == NULL)
		errx(2, "%s: no log of writes", name);
	for (i = 0; i < l->n; i++) {
		get(l->fd, name, b, ENTRY, at);
		l->e[i].sector = le64(b);
		l->e[i].count = le64(b + 8);
		l->e[i].flags = le64(b + 16);
		l->e[i].data = at += SECTOR;
		if ((l->e[i].flags & DISCARD) == 0)
			at += (off_t)l->e[i].count * SECTOR;
	}
}

static void
count(const struct log *l)
{
	uint64_t i, writes = 0, bytes = 0, flushes = 0;

	for (i = 0; i < l->n; i++) {
		writes += l->e[i].count != 0;
		bytes += l->e[i].count * SECTOR;
		flushes += (l->e[i].flags & FLUSH) != 0;
	}
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", l->n,
	    writes, bytes, flushes);
}

static void
list(const struct log *l)
{
	uint64_t i;

	for (i = 0; i < l->n; i++)
		printf("%" PRIu64 " at %" PRIu64 ", %" PRIu64 " bytes%s%s%s\n",
		    i, l->e[i].sector * SECTOR, l->e[i].count * SECTOR,
		    l->e[i].flags & FLUSH ? " flush" : "",
		    l->e[i].flags & FUA ? " fua" : "",
		    l->e[i].flags & DISCARD ? " discard" : "");
}

/* The entry's sectors, or about half of them. */
static void
put(const struct log *l, const struct entry *e, int all, int fd,
    const char *disk)
{
	uint8_t b[SECTOR] = { 0 };
	uint64_t i;

	for (i = 0; i < e->count; i++) {
		if (!all && (random() & 1))
			continue;
		if ((e->flags & DISCARD) == 0)
			get(l->fd, l->name, b, sizeof(b),
			    e->data + (off_t)i * SECTOR);
		if (pwrite(fd, b, sizeof(b), (off_t)(e->sector + i) * SECTOR)
		    != sizeof(b))
			err(2, "write %s", disk);
	}
}

static void
cut(const struct log *l, uint64_t at, const char *disk)
{
	uint64_t i, last = 0;
	int fd;

	if ((fd = open(disk, O_WRONLY)) == -1)
		err(2, "%s", disk);
	for (i = 0; i < at && i < l->n; i++)
		if (l->e[i].flags & FLUSH)
			last = i;
	for (i = 0; i <= at && i < l->n; i++)
		put(l, &l->e[i], i < last || (i < at &&
		    l->e[i].flags & FUA), fd, disk);
	if (close(fd) == -1)
		err(2, "close %s", disk);
}

int
main(int argc, char **argv)
{
	struct log l;

	if (argc < 3)
		errx(64, "usage: wlog count | list | cut log [n seed disk]");
	log_open(&l, argv[2]);
	if (strcmp(argv[1], "count") == 0)
		count(&l);
	else if (strcmp(argv[1], "list") == 0)
		list(&l);
	else if (strcmp(argv[1], "cut") == 0 && argc == 6) {
		srandom((unsigned)strtoul(argv[4], NULL, 10));
		cut(&l, strtoull(argv[3], NULL, 10), argv[5]);
	} else
		errx(64, "%s: unknown", argv[1]);
	free(l.e);
	(void)close(l.fd);	/* nothing was written to it */
	return 0;
}
