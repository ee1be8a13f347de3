/*
 * guard.c: the small process that outlives the daemon: when it dies
 * without having unmounted, /etc must not stay dead with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "guard.h"
#include "log.h"
#include "sys.h"

static void
detach(const char *mount)
{
	struct os_mnt	 m;
	struct err	 e = { 0, "" };

	if (os_mnt_at(mount, &m, NULL) == 0 && sys_is_view(m.type)) {
		if (os_unmount(mount, true, &e) == 0)
			log_msg(LOG_ERR, "%s: the daemon died; the running "
			    "tree is there without it", mount);
		else
			log_msg(LOG_ERR, "the daemon died: %s", e.msg);
	}
}

static void
guard(const char *mount, int fd)
{
	char	 c;
	ssize_t	 n;

	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	while ((n = read(fd, &c, 1)) == -1 && errno == EINTR)
		continue;
	if (n == 0)
		detach(mount);
	_exit(0);
}

int
guard_start(const char *mount, const int *toclose, int n, struct err *e)
{
	int	 fd[2], i, null;
	pid_t	 pid;

	if (pipe(fd) == -1)
		return err_set(e, errno, "start the guard");
	if (fcntl(fd[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd[1], F_SETFD, FD_CLOEXEC) == -1 || (pid = fork()) == -1) {
		i = err_set(e, errno, "start the guard");
		(void)close(fd[0]);
		(void)close(fd[1]);
		return i;
	}
	if (pid > 0) {
		(void)close(fd[0]);
		return fd[1];
	}
	/* It must hold nothing that keeps others waiting. */
	(void)close(fd[1]);
	for (i = 0; i < n; i++)
		if (toclose[i] >= 0)
			(void)close(toclose[i]);
	(void)setsid();
	if ((null = open("/dev/null", O_RDWR)) != -1) {
		for (i = 0; i < 3; i++)
			(void)dup2(null, i);
		if (null > 2)
			(void)close(null);
	}
	guard(mount, fd[0]);
	return 0;	/* not reached */
}

void
guard_release(int fd)
{
	if (fd < 0)
		return;
	/* If the guard is gone, nobody needs to be told. */
	if (write(fd, "q", 1) == -1)
		errno = 0;
	(void)close(fd);
}
