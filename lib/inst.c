/*
 * inst.c: the file by which an instance describes itself.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "buf.h"
#include "inst.h"

#define INFO_MAX	(128 * 1024)	/* more is no such file */

char *
inst_statedir(const char *mount)
{
	struct buf	 b = BUF_INIT;
	const char	*p = mount;
	bool		 slash = false;

	put_fmt(&b, "%s/cfgfs/", RUNDIR);
	while (*p == '/')
		p++;
	if (*p == '\0')
		put_u8(&b, '-');	/* the root itself */
	for (; *p != '\0'; p++) {
		if (*p == '/') {
			slash = true;
			continue;
		}
		if (slash)
			put_u8(&b, '-');
		slash = false;
		put_u8(&b, (uint8_t)*p);
	}
	put_u8(&b, '\0');
	if (b.bad)
		buf_free(&b);
	return (char *)b.p;
}

void
inst_free(struct inst *in)
{
	free(in->state);
	free(in->mount);
	free(in->tree);
	free(in->base);
	free(in->store);
	memset(in, 0, sizeof(*in));
}

static char *
in_dir(const char *dir, const char *name)
{
	struct buf	 b = BUF_INIT;

	put_fmt(&b, "%s/%s", dir, name);
	put_u8(&b, '\0');
	if (b.bad)
		buf_free(&b);
	return (char *)b.p;
}

/* A line, or none where there is no value. */
static void
put_line(struct buf *b, const char *name, const char *value)
{
	const unsigned char	*s = (const unsigned char *)value;

	if (s == NULL)
		return;
	put_fmt(b, "%s=", name);
	for (; *s != '\0'; s++) {
		if (*s < 0x20 || *s >= 0x7f || *s == '\\')
			put_fmt(b, "\\%03o", (unsigned)*s);
		else
			put_u8(b, *s);
	}
	put_u8(b, '\n');
}

/* The value's bytes again, in place; false where it is malformed. */
static bool
unescape(char *s)
{
	char		*q = s;
	unsigned	 v;
	int		 i;

	while (*s != '\0') {
		if (*s != '\\') {
			*q++ = *s++;
			continue;
		}
		for (s++, v = 0, i = 0; i < 3; i++, s++) {
			if (*s < '0' || *s > '7')
				return false;
			v = v * 8 + (unsigned)(*s - '0');
		}
		if (v == 0 || v > 255)
			return false;
		*q++ = (char)v;
	}
	*q = '\0';
	return true;
}

static int
write_all(int fd, const uint8_t *p, size_t n)
{
	ssize_t	 k;

	for (; n > 0; p += k, n -= (size_t)k)
		if ((k = write(fd, p, n)) == -1) {
			if (errno != EINTR)
				return -errno;
			k = 0;
		}
	return 0;
}

/* Into a temporary name and then in place of the old; no sync, as it is
 * in RAM. */
static int
replace(const char *dir, const char *tmp, const char *name,
    const struct buf *b)
{
	struct stat	 st;
	int		 fd, rc;

	(void)unlink(tmp);	/* left by one that was killed */
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return -errno;
	/* Who may read the directory may read what it is of. */
	if (stat(dir, &st) == -1 || fchown(fd, (uid_t)-1, st.st_gid) == -1 ||
	    fchmod(fd, 0600 | (st.st_mode & S_IRGRP)) == -1)
		rc = -errno;
	else
		rc = write_all(fd, b->p, b->len);
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	if (rc == 0 && rename(tmp, name) == -1)
		rc = -errno;
	if (rc < 0)
		(void)unlink(tmp);
	return rc;
}

int
inst_save(const struct inst *in, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*tmp = in_dir(in->state, "info.new");
	char		*name = in_dir(in->state, "info");
	int		 rc;

	put_line(&b, "mount", in->mount);
	put_line(&b, "tree", in->tree);
	put_line(&b, "base", in->base);
	put_line(&b, "store", in->store);
	put_fmt(&b, "pid=%ld\n", (long)in->pid);
	if (tmp == NULL || name == NULL || b.bad)
		rc = -ENOMEM;
	else
		rc = replace(in->state, tmp, name, &b);
	free(tmp);
	free(name);
	buf_free(&b);
	return rc == 0 ? 0 : err_set(e, -rc, "write %s/info", in->state);
}

/* The file as one string, with a NUL. */
static int
slurp(const char *name, struct buf *b)
{
	uint8_t	*p;
	ssize_t	 n;
	int	 fd, rc = 0;

	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -errno;
	for (;;) {
		if (b->len > INFO_MAX)
			rc = -EFBIG;
		else if ((p = buf_room(b, 4096)) == NULL)
			rc = -ENOMEM;
		if (rc < 0)
			break;
		if ((n = read(fd, p, 4096)) == 0)
			break;
		if (n > 0)
			b->len += (size_t)n;
		else if (errno != EINTR) {
			rc = -errno;
			break;
		}
	}
	(void)close(fd);
	put_u8(b, '\0');
	return rc < 0 ? rc : b->bad ? -ENOMEM : 0;
}

/* Take one line over; what has a name unknown to us is left alone. */
static int
take(struct inst *in, char *line)
{
	char	 *value = strchr(line, '='), **to, *end;
	unsigned long long n;

	if (value == NULL)
		return -EBADMSG;
	*value++ = '\0';
	if (strcmp(line, "pid") == 0) {
		errno = 0;
		n = strtoull(value, &end, 10);
		if (errno != 0 || *end != '\0' || n == 0 || n > INT_MAX)
			return -EBADMSG;
		in->pid = (pid_t)n;
		return 0;
	}
	if (strcmp(line, "mount") == 0)
		to = &in->mount;
	else if (strcmp(line, "tree") == 0)
		to = &in->tree;
	else if (strcmp(line, "base") == 0)
		to = &in->base;
	else if (strcmp(line, "store") == 0)
		to = &in->store;
	else
		return 0;
	/* A store may be a URL. */
	if (*to != NULL || !unescape(value) ||
	    (*value != '/' && to != &in->store))
		return -EBADMSG;
	return (*to = strdup(value)) == NULL ? -ENOMEM : 0;
}

int
inst_load(struct inst *in, const char *statedir, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*name = in_dir(statedir, "info"), *p, *nl;
	int		 rc;

	memset(in, 0, sizeof(*in));
	if (name == NULL || (in->state = strdup(statedir)) == NULL)
		rc = -ENOMEM;
	else
		rc = slurp(name, &b);
	for (p = (char *)b.p; rc == 0 && *p != '\0'; p = nl + 1) {
		if ((nl = strchr(p, '\n')) == NULL) {
			rc = -EBADMSG;
			break;
		}
		*nl = '\0';
		rc = take(in, p);
	}
	if (rc == 0 && (in->mount == NULL || in->tree == NULL || in->pid == 0))
		rc = -EBADMSG;
	if (rc < 0)
		inst_free(in);
	if (rc == -EBADMSG || rc == -EFBIG)
		rc = err_setx(e, EBADMSG, "%s/info: damaged", statedir);
	else if (rc < 0)
		rc = err_set(e, -rc, "read %s/info", statedir);
	buf_free(&b);
	free(name);
	return rc;
}
