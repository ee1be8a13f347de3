/*
 * message.c: a message that waits for the next commit.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/jrn.h"
#include "message.h"
#include "out.h"

#define NAME	"message"
#define TMP	"message.new"
#define MOST	4096		/* bytes that are read */

int
message_put(int state, const char *text, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 fd, rc;

	if ((fd = jrn_create(state, TMP, e)) < 0)
		return fd;
	put_fmt(&b, "%s", text);
	if ((rc = b.bad ? -ENOMEM : out_fd(fd, &b)) < 0)
		rc = err_set(e, -rc, "write " TMP);
	buf_free(&b);
	if (close(fd) == -1 && rc == 0)
		rc = err_set(e, errno, "close " TMP);
	if (rc == 0 && renameat(state, TMP, state, NAME) == -1)
		rc = err_set(e, errno, "rename " TMP);
	if (rc < 0)
		(void)unlinkat(state, TMP, 0);
	return rc;
}

char *
message_get(int state)
{
	char	*s = NULL;
	ssize_t	 n;
	int	 fd;

	fd = openat(state, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if ((s = malloc(MOST + 1)) != NULL) {
		n = read(fd, s, MOST);
		s[n > 0 ? n : 0] = '\0';
		if (*s == '\0') {
			free(s);
			s = NULL;
		}
	}
	(void)close(fd);
	return s;
}

void
message_drop(int state)
{
	/* None there is as well. */
	(void)unlinkat(state, NAME, 0);
}
