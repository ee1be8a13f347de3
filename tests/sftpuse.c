/*
 * sftpuse.c: a session of every kind of request.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sftpkit.h"

void
session_file(uint8_t b[SESSION_LEN])
{
	size_t	 i;

	for (i = 0; i < SESSION_LEN; i++)
		b[i] = (uint8_t)(i * 13 + i / 256 + 1);
}

static int
use_file(struct sftp *s, struct sftp_file *f, struct session *n,
    struct err *e)
{
	uint8_t	 w[512] = { 0xc3 };
	size_t	 i;
	int	 rc = 0;

	for (i = 0; i < 8 && rc == 0; i++)
		rc = sftp_file_read(f, n->part[i], 64, i * 64, NULL, e);
	if (rc == 0)
		rc = sftp_file_read(f, n->tail, 100, SESSION_LEN - 10,
		    &n->got, e);
	if (rc == 0)
		rc = sftp_drain(s, e);
	if (rc == 0 && (rc = sftp_file_write(f, w, sizeof(w), 0, e)) == 0 &&
	    (rc = sftp_file_sync(f, e)) == 0)
		rc = sftp_drain(s, e);
	return rc;
}

static int
use(struct sftp *s, const char *path, struct session *n, struct err *e)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	char		  to[256];
	bool		  gap = false;
	int		  rc;

	rc = sftp_file_open(s, path, SFTP_READ | SFTP_WRITE, &f, &st, e);
	if (rc < 0)
		return rc;
	rc = use_file(s, f, n, e);
	if (rc == 0)
		rc = sftp_file_size(f, 700, e);
	sftp_file_close(f);
	if (rc == 0)
		rc = sftp_stat(s, path, &st, e);
	(void)snprintf(to, sizeof(to), "%s.new", path);
	if (rc == 0)
		rc = sftp_rename(s, path, to, &gap, e);
	return rc < 0 ? rc : sftp_remove(s, to, e);
}

int
session_run(struct stream *st, const char *path, struct session *n,
    struct err *e)
{
	struct sftp	*s;
	int		 rc;

	memset(n, 0, sizeof(*n));
	if ((rc = sftp_open(&s, st, 20, e)) < 0)
		return rc;
	rc = use(s, path, n, e);
	n->waits = sftp_waits(s);
	sftp_close(s);
	return rc;
}

bool
session_record(int kind, const char *dir, struct buf *out)
{
	struct far_host	 h;
	struct filter	 f;
	struct session	 n;
	struct err	 e;
	uint8_t		 b[SESSION_LEN];
	char		 path[200];
	bool		 good;
	int		 fd;

	session_file(b);
	(void)snprintf(path, sizeof(path), "%s/session", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	good = fd != -1 && write(fd, b, sizeof(b)) == (ssize_t)sizeof(b);
	if (fd != -1)
		(void)close(fd);
	if (!good || !host_start(&h, kind, 0, 0))
		return false;
	filter_open(&f, h.st);
	good = session_run(&f.st, path, &n, &e) == 0;
	put_bytes(out, f.seen.p, f.seen.len);
	filter_free(&f);
	host_stop(&h);
	return good && !out->bad;
}
