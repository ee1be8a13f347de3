/*
 * tstate.c: the trial that runs.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "bg.h"
#include "confedit.h"
#include "out.h"
#include "tstate.h"

#define KIND	"trial"
#define TRIES	200		/* of a tenth of a second */

/* One line for any text: what would end it is \n, \\ a backslash. */
static void
put_line(struct buf *b, const char *name, const char *v)
{
	put_fmt(b, "%s ", name);
	for (; *v != '\0'; v++)
		if (*v == '\n')
			put_fmt(b, "\\n");
		else if (*v == '\\')
			put_fmt(b, "\\\\");
		else
			put_u8(b, (uint8_t)*v);
	put_u8(b, '\n');
}

static char *
get_line(const char *v)
{
	char	*s = malloc(strlen(v) + 1), *to = s;

	for (; s != NULL && *v != '\0'; v++)
		if (*v == '\\' && v[1] != '\0')
			*to++ = *++v == 'n' ? '\n' : *v;
		else
			*to++ = *v;
	if (s != NULL)
		*to = '\0';
	return s;
}

static int
take(struct tstate *t, const char *line)
{
	const char	*v = strchr(line, ' ');
	char		*s;

	if (v++ == NULL)
		return 0;
	if (strncmp(line, "time ", 5) == 0)
		t->time = strtoll(v, NULL, 10);
	else if (strncmp(line, "until ", 6) == 0)
		t->until = strtoll(v, NULL, 10);
	else if (strncmp(line, "generation ", 11) == 0)
		t->gen = strtoull(v, NULL, 10);
	else if ((s = get_line(v)) == NULL)
		return -ENOMEM;
	else if (strncmp(line, "path ", 5) == 0)
		return strs_put(&t->paths, s);
	else if (strncmp(line, "user ", 5) == 0)
		t->user = s;
	else if (strncmp(line, "confirm-if ", 11) == 0)
		t->confirm_if = s;
	else
		free(s);
	return 0;
}

static char *
file_of(const char *statedir, const char *name)
{
	char	*p;

	return asprintf(&p, "%s/" KIND "/%s", statedir, name) == -1 ? NULL :
	    p;
}

int
tstate_load(const char *statedir, struct tstate *t, struct err *e)
{
	char		*file = file_of(statedir, "now"), *p, *nl;
	struct buf	 b = BUF_INIT;
	int		 rc;

	memset(t, 0, sizeof(*t));
	if (file == NULL)
		return err_set(e, ENOMEM, "trial");
	rc = conf_load(file, &b, e);
	for (p = (char *)b.p; rc == 0 && p != NULL && *p != '\0'; p = nl) {
		nl = p + strcspn(p, "\n");
		if (*nl == '\n')
			*nl++ = '\0';
		if (take(t, p) < 0)
			rc = err_set(e, ENOMEM, "trial");
	}
	buf_free(&b);
	free(file);
	if (rc < 0)
		tstate_free(t);
	return rc < 0 ? rc : t->time != 0;
}

void
tstate_free(struct tstate *t)
{
	free(t->user);
	free(t->confirm_if);
	strs_free(&t->paths);
	memset(t, 0, sizeof(*t));
}

/* A file of the directory, whole or as before. */
static int
put_file(const char *statedir, const char *name, const struct buf *b,
    struct err *e)
{
	char	*to = file_of(statedir, name), *tmp = file_of(statedir, "#new");
	int	 fd = -1, rc;

	if (to == NULL || tmp == NULL || b->bad)
		rc = -ENOMEM;
	else if ((fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW |
	    O_CLOEXEC, 0644)) == -1)
		rc = -errno;
	else {
		rc = out_fd(fd, b);
		if (close(fd) == -1 && rc == 0)
			rc = -errno;
		if (rc == 0 && rename(tmp, to) == -1)
			rc = -errno;
	}
	free(to);
	free(tmp);
	return rc < 0 ? err_set(e, -rc, "write %s/" KIND "/%s", statedir,
	    name) : 0;
}

int
tstate_save(const char *statedir, const struct tstate *t, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 rc;

	put_fmt(&b, "time %" PRId64 "\nuntil %" PRId64 "\ngeneration %" PRIu64
	    "\n", t->time, t->until, t->gen);
	if (t->user != NULL)
		put_line(&b, "user", t->user);
	if (t->confirm_if != NULL)
		put_line(&b, "confirm-if", t->confirm_if);
	for (i = 0; i < t->paths.n; i++)
		put_line(&b, "path", t->paths.v[i]);
	rc = put_file(statedir, "now", &b, e);
	buf_free(&b);
	return rc;
}

int
tstate_end(const char *statedir, struct err *e)
{
	char	*file = file_of(statedir, "now");
	int	 rc = file == NULL ? -ENOMEM : unlink(file) == -1 &&
		    errno != ENOENT ? -errno : 0;

	free(file);
	return rc < 0 ? err_set(e, -rc, "remove %s/" KIND "/now", statedir) :
	    0;
}

int64_t
tstate_left(const struct tstate *t)
{
	return t->until - os_uptime();
}

void
tstate_note(const char *statedir, const char *line)
{
	struct buf	 b = BUF_INIT;
	struct err	 ignored;

	put_fmt(&b, "%s", line);
	(void)put_file(statedir, "last", &b, &ignored);
	buf_free(&b);
}

char *
tstate_last(const char *statedir)
{
	char		*file = file_of(statedir, "last");
	struct buf	 b = BUF_INIT;
	struct err	 ignored;

	if (file == NULL || conf_load(file, &b, &ignored) < 0 || b.len <= 1)
		buf_free(&b);
	free(file);
	return (char *)b.p;
}

int
tstate_hold(const char *statedir, struct err *e)
{
	struct bg	 b;
	int		 fd, i;

	/* The directory may not be there yet. */
	if ((fd = bg_open(&b, statedir, KIND, e)) < 0)
		return fd;
	bg_close(&b);
	fd = bg_file(statedir, KIND, "#end", O_RDWR | O_CREAT, e);
	for (i = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == -1; i++) {
		if (errno != EWOULDBLOCK || i == TRIES) {
			(void)close(fd);
			return err_setx(e, EBUSY, "a trial is being begun or "
			    "ended");
		}
		(void)poll(NULL, 0, 100);
	}
	return fd;
}
