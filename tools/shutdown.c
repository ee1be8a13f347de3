/*
 * shutdown.c: which paths a commit has that nobody named one by one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../lib/path.h"
#include "conf.h"
#include "lease.h"
#include "out.h"
#include "shutdown.h"

#define NAMED		5		/* paths that are said to be lost */
#define FROM_MAX	(64u << 20)	/* bytes of a list of paths */

static bool
is_dir(const struct pent *p)
{
	return p->now.type == ENT_DIR || p->was.type == ENT_DIR;
}

int
shutdown_pick(const struct pend *p, const bool *marked, struct strs *paths,
    struct err *e)
{
	size_t	 i, k;

	for (i = 0; i < p->n; i++) {
		if (!marked[i])
			continue;
		/* What is below a path follows it. */
		for (k = i + 1; k < p->n && is_dir(&p->v[i]) &&
		    path_within(p->v[k].path, p->v[i].path); k++)
			if (!marked[k])
				break;
		if (k < p->n && is_dir(&p->v[i]) && !marked[k] &&
		    path_within(p->v[k].path, p->v[i].path))
			continue;
		if (strs_put(paths, strdup(p->v[i].path)) < 0)
			return err_set(e, ENOMEM, "commit");
	}
	return 0;
}

/* Mark what is committed, and name what is lost. */
static void
mark(const struct autoconf *a, const struct pend *p, bool *marked,
    struct buf *lost, size_t *left)
{
	const struct auto_class	*k;
	size_t			 i;

	for (i = 0; i < p->n; i++) {
		k = auto_class(a, p->v[i].path, is_dir(&p->v[i]));
		if (k != NULL && k->never)
			continue;
		marked[i] = a->shutdown == SHUTDOWN_COMMIT ||
		    (k != NULL && k->shutdown);
		if (marked[i] || a->shutdown == SHUTDOWN_IGNORE)
			continue;
		if ((*left)++ >= NAMED)
			continue;
		put_fmt(lost, "%s", *left == 1 ? "" : ", ");
		out_path(lost, *p->v[i].path == '\0' ? "." : p->v[i].path);
	}
	if (*left > NAMED)
		put_fmt(lost, " and %zu more", *left - NAMED);
	put_u8(lost, '\0');
}

static void
say_lost(const struct cfg *c, const struct buf *lost, size_t left)
{
	if (left == 0 || lost->bad)
		return;
	cfg_warn(c, "not committed, and lost by a shutdown: %s",
	    (char *)lost->p);
	openlog("cfg", LOG_PID, LOG_DAEMON);
	syslog(LOG_WARNING, "%s: not committed, and lost by a shutdown: %s",
	    c->inst.mount, (char *)lost->p);
	closelog();
}

int
shutdown_paths(struct work *w, struct cfg *c, struct strs *paths,
    size_t *left, struct err *e)
{
	struct buf	 lost = BUF_INIT;
	struct conf	 conf;
	struct pend	 p;
	bool		*marked;
	int		 rc;

	*left = 0;
	if ((rc = conf_read(&conf, cfg_root(c), e)) < 0)
		return rc;
	lease_try_settle(w, c);
	if ((rc = work_find(w, UINT64_MAX, &p, e)) < 0)
		goto out;
	if ((marked = calloc(p.n + 1, sizeof(*marked))) == NULL)
		rc = err_set(e, ENOMEM, "commit");
	else {
		mark(&conf.autos, &p, marked, &lost, left);
		rc = shutdown_pick(&p, marked, paths, e);
		say_lost(c, &lost, *left);
	}
	free(marked);
	pend_free(&p);
out:
	buf_free(&lost);
	conf_free(&conf);
	return rc;
}

static int
read_all(int fd, const char *file, struct buf *b, struct err *e)
{
	ssize_t	 n = 1;
	uint8_t	*p;

	while (n > 0) {
		if (b->len > FROM_MAX)
			return err_set(e, EFBIG, "read %s", file);
		if ((p = buf_room(b, 4096)) == NULL)
			return err_set(e, ENOMEM, "read %s", file);
		if ((n = read(fd, p, 4096)) > 0)
			b->len += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == -1)
			return err_set(e, errno, "read %s", file);
	}
	return 0;
}

int
shutdown_from(const struct cfg *c, const char *file, struct strs *paths,
    struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 at, had = paths->n;
	char		*p;
	int		 fd = STDIN_FILENO, rc;

	if (strcmp(file, "-") != 0 &&
	    (fd = open(file, O_RDONLY | O_CLOEXEC)) == -1)
		return err_set(e, errno, "open %s", file);
	rc = read_all(fd, file, &b, e);
	put_u8(&b, '\0');	/* behind the last one, if it lacks it */
	if (rc == 0 && b.bad)
		rc = err_set(e, ENOMEM, "read %s", file);
	for (at = 0; rc == 0 && at < b.len; at += strlen((char *)b.p + at) + 1)
		if (b.p[at] != '\0' && (rc = cfg_path(c, (char *)b.p + at, &p,
		    e)) == 0 && strs_put(paths, p) < 0)
			rc = err_set(e, ENOMEM, "read %s", file);
	if (rc == 0 && paths->n == had)
		rc = err_setx(e, EINVAL, "%s: it names no path", file);
	if (fd != STDIN_FILENO)
		(void)close(fd);
	buf_free(&b);
	return rc;
}
