/*
 * mstate.c: what is known of a mirror since the box started.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "confedit.h"
#include "mstate.h"
#include "out.h"

static char *
file_of(const char *statedir, const char *name, const char *suffix)
{
	char	*p;

	return asprintf(&p, "%s/mirror/%s%s", statedir, name, suffix) == -1 ?
	    NULL : p;
}

static void
take(struct mstate *m, const char *line)
{
	const char	*v = strchr(line, ' ');
	uint64_t	 n;

	if (v++ == NULL)
		return;
	n = strtoull(v, NULL, 10);
	if (strncmp(line, "id ", 3) == 0)
		m->at.id = n;
	else if (strncmp(line, "seq ", 4) == 0)
		m->at.seq = n;
	else if (strncmp(line, "off ", 4) == 0)
		m->at.off = n;
	else if (strncmp(line, "sum ", 4) == 0)
		m->at.sum = (uint32_t)n;
	else if (strncmp(line, "when ", 5) == 0)
		m->when = (int64_t)n;
	else if (strncmp(line, "since ", 6) == 0)
		m->since = (int64_t)n;
	else if (strncmp(line, "whole ", 6) == 0)
		m->whole = n != 0;
	else if (strncmp(line, "error ", 6) == 0)
		(void)snprintf(m->error, sizeof(m->error), "%s", v);
}

void
mstate_load(const char *statedir, const char *name, struct mstate *m)
{
	char		*file = file_of(statedir, name, ""), *p, *nl;
	struct buf	 b = BUF_INIT;
	struct err	 ignored;

	memset(m, 0, sizeof(*m));
	if (file != NULL && conf_load(file, &b, &ignored) == 0)
		for (p = (char *)b.p; p != NULL && *p != '\0'; p = nl) {
			nl = p + strcspn(p, "\n");
			if (*nl == '\n')
				*nl++ = '\0';
			take(m, p);
		}
	buf_free(&b);
	free(file);
}

static int
write_state(const char *tmp, const char *file, const struct mstate *m)
{
	struct buf	 b = BUF_INIT;
	int		 fd, rc;

	put_fmt(&b, "id %" PRIu64 "\nseq %" PRIu64 "\noff %" PRIu64
	    "\nsum %" PRIu32 "\nwhen %" PRId64 "\nsince %" PRId64
	    "\nwhole %d\nerror %s\n", m->at.id, m->at.seq, m->at.off,
	    m->at.sum, m->when, m->since, m->whole, m->error);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	    0644);
	if (fd == -1)
		rc = -errno;
	else {
		rc = b.bad ? -ENOMEM : out_fd(fd, &b);
		if (close(fd) == -1 && rc == 0)
			rc = -errno;
		if (rc == 0 && rename(tmp, file) == -1)
			rc = -errno;
	}
	buf_free(&b);
	return rc;
}

int
mstate_save(const char *statedir, const char *name, const struct mstate *m,
    struct err *e)
{
	char	*dir = file_of(statedir, "", ""), *file = NULL, *tmp = NULL;
	int	 rc;

	file = file_of(statedir, name, "");
	tmp = file_of(statedir, name, "#new");	/* no name has a "#" */
	if (dir == NULL || file == NULL || tmp == NULL)
		rc = -ENOMEM;
	else if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		rc = -errno;
	else
		rc = write_state(tmp, file, m);
	if (rc < 0)
		rc = err_set(e, -rc, "write %s/mirror/%s", statedir, name);
	free(dir);
	free(file);
	free(tmp);
	return rc;
}

void
mstate_forget(const char *statedir, const char *name)
{
	char	*file = file_of(statedir, name, "");

	if (file != NULL)
		(void)unlink(file);	/* or there was none */
	free(file);
}

void
mstate_tried(struct mstate *m, int rc, const struct err *e)
{
	int64_t	 now = out_now();

	if (rc < 0) {
		if (m->since == 0)
			m->since = now;
		(void)snprintf(m->error, sizeof(m->error), "%.500s", e->msg);
		m->error[strcspn(m->error, "\n")] = '\0';
		return;
	}
	m->when = now;
	m->since = 0;
	m->error[0] = '\0';
}
