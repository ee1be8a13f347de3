/*
 * setup-note.c: the record of what cfg setup has done.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "confedit.h"
#include "out.h"
#include "setup-do.h"

static const char	 first[] =
    "# What cfg setup did; cfg setup --undo takes it back.\n";

void
note_free(struct note *n)
{
	free(n->file);
	strs_free(&n->v);
	memset(n, 0, sizeof(*n));
}

int
note_load(struct note *n, const char *file, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*line, *save;
	int		 rc;

	memset(n, 0, sizeof(*n));
	if ((n->file = strdup(file)) == NULL)
		return err_set(e, ENOMEM, "%s", file);
	rc = conf_load(file, &b, e);
	line = rc == 0 && b.len > 0 ? strtok_r((char *)b.p, "\n", &save) :
	    NULL;
	for (; rc == 0 && line != NULL; line = strtok_r(NULL, "\n", &save))
		if (*line != '#' && strs_put(&n->v, strdup(line)) < 0)
			rc = err_set(e, ENOMEM, "%s", file);
	buf_free(&b);
	return rc;
}

const char *
note_is(const struct note *n, size_t i, const char *key)
{
	size_t	 k = strlen(key);

	return strncmp(n->v.v[i], key, k) == 0 && n->v.v[i][k] == ' ' ?
	    n->v.v[i] + k + 1 : NULL;
}

const char *
note_get(const struct note *n, const char *key)
{
	const char	*v = NULL;
	size_t		 i;

	for (i = 0; v == NULL && i < n->v.n; i++)
		v = note_is(n, i, key);
	return v;
}

static int
append(const struct note *n, const char *line, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 fd, rc;

	fd = open(n->file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW |
	    O_CLOEXEC, 0644);
	if (fd == -1)
		return err_set(e, errno, "open %s", n->file);
	if (n->v.n == 0)
		put_fmt(&b, "%s", first);
	put_fmt(&b, "%s\n", line);
	rc = b.bad ? -ENOMEM : out_fd(fd, &b);
	if (rc == 0 && fsync(fd) == -1)
		rc = -errno;
	if (close(fd) == -1 && rc == 0)
		rc = -errno;
	buf_free(&b);
	return rc < 0 ? err_set(e, -rc, "write %s", n->file) : 0;
}

int
note_put(struct note *n, const char *key, const char *value, struct err *e)
{
	char	*line;
	size_t	 i;
	int	 rc;

	if (asprintf(&line, "%s %s", key, value) == -1)
		return err_set(e, ENOMEM, "%s", n->file);
	for (i = 0; i < n->v.n; i++)
		if (strcmp(n->v.v[i], line) == 0) {
			free(line);
			return 0;
		}
	if ((rc = append(n, line, e)) < 0) {
		free(line);
		return rc;
	}
	return strs_put(&n->v, line) < 0 ? err_set(e, ENOMEM, "%s",
	    n->file) : 0;
}

/* From the top, as the record itself may need its directory first. */
int
note_mkdir(struct note *n, const char *dir, struct err *e)
{
	struct strs	 made = { NULL, 0, 0 };
	char		*path = strdup(dir), *p;
	size_t		 i;
	int		 rc = 0;

	if (path == NULL)
		return err_set(e, ENOMEM, "%s", dir);
	for (p = path + 1; rc == 0; *p++ = '/') {
		p += strcspn(p, "/");
		i = *p == '\0';
		*p = '\0';
		if (mkdir(path, 0755) == 0) {
			if (strs_put(&made, strdup(path)) < 0)
				rc = err_set(e, ENOMEM, "%s", dir);
		} else if (errno != EEXIST)
			rc = err_set(e, errno, "mkdir %s", path);
		if (i == 1)
			break;
	}
	for (i = 0; rc == 0 && i < made.n; i++)
		rc = note_put(n, "made-dir", made.v[i], e);
	strs_free(&made);
	free(path);
	return rc;
}

void
note_forget(const struct note *n)
{
	const char	*dir;
	size_t		 i;

	(void)unlink(n->file);
	for (i = n->v.n; i-- > 0;)
		if ((dir = note_is(n, i, "made-dir")) != NULL)
			(void)rmdir(dir);	/* or somebody uses it */
}
