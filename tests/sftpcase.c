/*
 * sftpcase.c: what tests of the SFTP client share.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sftpcase.h"

struct far_host	 host;
struct filter	 flt;
struct sftp	*s;
struct err	 e;
bool		 plain;

static char	 dir[64];

const char *
case_dir(void)
{
	return dir;
}

const char *
at(const char *name)
{
	static char	 p[4][160];
	static int	 i;

	i = (i + 1) % 4;
	(void)snprintf(p[i], sizeof(p[i]), "%s/%s", dir, name);
	return p[i];
}

bool
says(const char *what)
{
	if (strstr(e.msg, what) != NULL)
		return true;
	tap_diag("the line is: %s", e.msg);
	return false;
}

void
put_file(const char *name, const void *p, size_t n, unsigned mode)
{
	int	 fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	OK(fd != -1 && write(fd, p, n) == (ssize_t)n &&
	    fchmod(fd, (mode_t)mode) == 0);
	(void)close(fd);
}

bool
file_is(const char *name, const void *p, size_t n)
{
	uint8_t	*b = malloc(n + 1);
	int	 fd = open(at(name), O_RDONLY);
	bool	 is;

	is = fd != -1 && b != NULL && read(fd, b, n + 1) == (ssize_t)n &&
	    memcmp(b, p, n) == 0;
	if (fd != -1)
		(void)close(fd);
	free(b);
	return is;
}

bool
case_begin(int kind, uid_t uid, uint64_t fsize)
{
	e = (struct err){ 0, "" };
	s = NULL;
	if (!OK(host_start(&host, kind, uid, fsize)))
		return false;
	filter_open(&flt, host.st);
	flt.plain = plain;
	if (OK(sftp_open(&s, &flt.st, SECONDS, &e) == 0))
		return true;
	tap_diag("%s", e.msg);
	return false;
}

void
case_end(void)
{
	sftp_close(s);
	s = NULL;
	filter_free(&flt);
	host_stop(&host);
}

/* Run a case with each server. */
void
with_each(void (*fn)(void))
{
	int	 kind;

	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind)) {
			tap_skip(kind == OPENSSH ? "no sftp-server" :
			    "no gesftpserver");
			continue;
		}
		if (case_begin(kind, 0, 0))
			fn();
		case_end();
	}
}

/* The same, and once more without extensions. */
void
with_each_and_less(void (*fn)(void))
{
	with_each(fn);
	plain = true;
	with_each(fn);
	plain = false;
}

int
case_main(int argc, char **argv, const struct tap_case *c, size_t n)
{
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-sftp.XXXXXX");
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, n);
	(void)snprintf(rm, sizeof(rm), "rm -rf '%s'", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
