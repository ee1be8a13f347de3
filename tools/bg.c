/*
 * bg.c: processes in the background.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bg.h"

int
bg_file(const char *statedir, const char *kind, const char *name, int flags,
    struct err *e)
{
	char	*p;
	int	 fd;

	if (asprintf(&p, "%s/%s/%s", statedir, kind, name) == -1)
		return err_set(e, ENOMEM, "%s", name);
	fd = open(p, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		fd = err_set(e, errno, "open %s", p);
	free(p);
	return fd;
}

static int
make(const char *statedir, const char *kind, struct err *e)
{
	char	*dir, *fifo = NULL;
	int	 rc = 0;

	if (asprintf(&dir, "%s/%s", statedir, kind) == -1)
		return err_set(e, ENOMEM, "%s", kind);
	if (mkdir(dir, 0755) == -1 && errno != EEXIST)
		rc = err_set(e, errno, "mkdir %s", dir);
	else if (asprintf(&fifo, "%s/#wake", dir) == -1) {
		fifo = NULL;
		rc = err_set(e, ENOMEM, "%s", dir);
	} else if (mkfifo(fifo, 0600) == -1 && errno != EEXIST)
		rc = err_set(e, errno, "mkfifo %s", fifo);
	free(fifo);
	free(dir);
	return rc;
}

int
bg_open(struct bg *b, const char *statedir, const char *kind, struct err *e)
{
	int	 rc;

	*b = (struct bg)BG_NONE;
	if ((rc = make(statedir, kind, e)) < 0)
		return rc;
	b->fifo = bg_file(statedir, kind, "#wake", O_RDWR | O_NONBLOCK, e);
	if (b->fifo < 0)
		return b->fifo;
	b->lock = bg_file(statedir, kind, "#lock", O_RDWR | O_CREAT, e);
	if (b->lock < 0) {
		rc = b->lock;
		bg_close(b);
		return rc;
	}
	return 0;
}

void
bg_close(struct bg *b)
{
	if (b->fifo >= 0)
		(void)close(b->fifo);
	if (b->lock >= 0)
		(void)close(b->lock);
	*b = (struct bg)BG_NONE;
}

void
bg_wake(const struct bg *b)
{
	(void)!write(b->fifo, "", 1);	/* full: it has been told */
}

bool
bg_lock(const struct bg *b)
{
	return flock(b->lock, LOCK_EX | LOCK_NB) == 0;
}

void
bg_unlock(const struct bg *b)
{
	(void)flock(b->lock, LOCK_UN);
}

bool
bg_woken(const struct bg *b)
{
	char	 buf[64];
	bool	 yes = false;

	while (read(b->fifo, buf, sizeof(buf)) > 0)
		yes = true;
	return yes;
}

bool
bg_wait(const struct bg *b, int ms)
{
	struct pollfd	 p = { .fd = b->fifo, .events = POLLIN };

	return poll(&p, 1, ms) > 0;
}

int
bg_detach(void)
{
	pid_t	 pid;
	int	 null;

	if ((pid = fork()) == -1)
		return -errno;
	if (pid > 0)
		_exit(0);
	(void)setsid();
	(void)signal(SIGHUP, SIG_IGN);
	(void)chdir("/");
	if ((null = open("/dev/null", O_RDWR)) == -1)
		return -errno;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		(void)close(null);
	return 0;
}
