/*
 * histstore.c: a store with a long history, for the benchmark.
 *
 *	histstore make FILE MIB N	a store with N commits, each of one line
 *					in one of 40 files
 *	histstore heads FILE		read each record's header, one behind
 *					the other, and nothing else: what any
 *					way through the history must read
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../sync/store-int.h"

#define FILES	40
#define LINES	60

static void
die(const char *what)
{
	(void)fprintf(stderr, "histstore: %s\n", what);
	exit(2);
}

/* File number `nr` after its n-th change. */
static void
content(struct buf *b, int nr, int n)
{
	int	 i;

	for (i = 0; i < LINES; i++)
		put_fmt(b, "option_%d_%d=\"%d\"\n", nr, i,
		    (n - i + LINES) / LINES);
}

static int
commit(struct store *s, int i, struct err *e)
{
	struct change	 ch = { .op = CHANGE_SET, .uid = 0, .comm = "vi" };
	struct commit	 c = { .time = 1700000000000000000 +
			    (int64_t)i * 60000000000, .v = &ch, .n = 1 };
	uint64_t	 gen;
	char		 path[32], msg[32], user[] = "root";
	int		 rc;

	(void)snprintf(path, sizeof(path), "etc.d/file%02d.conf", i % FILES);
	(void)snprintf(msg, sizeof(msg), "change %d", i);
	c.user = user;
	c.msg = msg;
	ch.e = (struct ent){ .path = path, .type = ENT_REG, .mode = 0644,
	    .mtime = 1700000000 + i * 60 };
	content(&ch.data, i % FILES, i / FILES);
	ch.e.size = ch.data.len;
	hash_mem(&ch.e.hash, ch.data.p, ch.data.len);
	rc = store_commit(s, &c, &gen, e);
	buf_free(&ch.data);
	return rc;
}

static void
make(const char *path, const char *mib, const char *count)
{
	struct err	 e;
	struct store	*s;
	struct io	*io;
	int		 fd, i, n = atoi(count);

	if ((fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1 ||
	    ftruncate(fd, (off_t)atoi(mib) << 20) == -1 || close(fd) == -1)
		die(path);
	if (io_open(&io, path, IO_WRITE, &e) < 0 ||
	    store_create(io, &(struct store_geom){ 0, 0 }, &e) < 0 ||
	    store_open(&s, io, &e) < 0)
		die(e.msg);
	for (i = 0; i < n; i++)
		if (commit(s, i, &e) < 0)
			die(e.msg);
	store_close(s);
	io_close(io);
}

static void
heads(const char *path)
{
	struct err	 e;
	struct io	*io;
	struct super	 sb;
	struct rec	 r;
	uint8_t		 buf[REC_LEN];
	uint64_t	 off, end;
	uint32_t	 i;
	size_t		 n = 0;
	bool		 copied;

	if (io_open(&io, path, 0, &e) < 0 ||
	    super_read(io, &sb, &copied, &e) < 0)
		die(e.msg);
	for (i = 0; i < sb.areas; i++) {
		off = sb.first + i * sb.area;
		for (end = off + sb.area; off + REC_LEN <= end;
		    off += rec_size(&r, sb.align), n++)
			if (io->ops->read(io, buf, sizeof(buf), off, &e) < 0 ||
			    !rec_get(buf, sb.id, off, end, &r))
				break;
	}
	io_close(io);
	(void)printf("%zu headers\n", n);
}

int
main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "make") == 0)
		make(argv[2], argv[3], argv[4]);
	else if (argc == 3 && strcmp(argv[1], "heads") == 0)
		heads(argv[2]);
	else
		die("usage: make file MiB n | heads file");
	return 0;
}
