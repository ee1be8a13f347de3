/*
 * onpty.c: run a program on a terminal of its own, and be its user.
 *
 *	onpty [EXPECT SEND] ... -- COMMAND ARG ...
 *
 * Each EXPECT is awaited in what the program shows behind the one before,
 * then SEND and a newline are typed ("^C" and "^Z" alone are the keys).
 * A program that stops is continued, as by a shell's fg; "stopped, echo is
 * on" (or off) is shown then.
 * Standard output gets all that was shown, and at the end "echo is on"
 * or "echo is off".  Exit status: the program's, 128 and more for a signal;
 * 99: an EXPECT did not come in 20 seconds, or before the program ended.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static char	 shown[65536];
static size_t	 nshown;

static const char *
echo(int fd)
{
	struct termios	 t;

	if (tcgetattr(fd, &t) == -1)
		return "unknown";
	return (t.c_lflag & ECHO) != 0 ? "on" : "off";
}

/* The program itself, in front, once the shell has put it there. */
static void
program(int go, char **argv)
{
	char	 c;

	if (read(go, &c, 1) != 1)
		_exit(98);
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(98);
}

/*
 * What a shell does: the program is a job of its own, since a session's
 * leader can't be stopped by a key.
 */
static void
shell(const char *name, char **argv)
{
	int	 fd, go[2], st;
	pid_t	 pid;

	(void)setsid();
	(void)signal(SIGTTOU, SIG_IGN);
	if ((fd = open(name, O_RDWR | O_CLOEXEC)) == -1 ||
	    ioctl(fd, TIOCSCTTY, 0) == -1 || pipe2(go, O_CLOEXEC) == -1) {
		perror(name);
		_exit(98);
	}
	(void)dup2(fd, 0);
	(void)dup2(fd, 1);
	(void)dup2(fd, 2);
	if ((pid = fork()) == 0) {
		(void)signal(SIGTTOU, SIG_DFL);
		program(go[0], argv);
	}
	(void)setpgid(pid, pid);
	if (tcsetpgrp(fd, pid) == -1 || write(go[1], "g", 1) != 1)
		_exit(98);
	while (waitpid(pid, &st, WUNTRACED) == pid && WIFSTOPPED(st)) {
		dprintf(1, "stopped, echo is %s\n", echo(fd));
		(void)kill(-pid, SIGCONT);
	}
	_exit(WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
}

/* Read what is shown, for at most 20 ms. */
static void
look(int fd)
{
	struct pollfd	 p = { fd, POLLIN, 0 };
	ssize_t		 k;

	if (poll(&p, 1, 20) <= 0 || nshown == sizeof(shown) - 1)
		return;
	k = read(fd, shown + nshown, sizeof(shown) - 1 - nshown);
	if (k > 0)
		nshown += (size_t)k;
	shown[nshown] = '\0';
}

static void
type(int fd, const char *s)
{
	char	 line[256];

	if (strcmp(s, "^C") == 0)
		(void)snprintf(line, sizeof(line), "\003");
	else if (strcmp(s, "^Z") == 0)
		(void)snprintf(line, sizeof(line), "\032");
	else
		(void)snprintf(line, sizeof(line), "%s\n", s);
	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		exit(98);
}

static int
finish(int fd, int slave, int st)
{
	size_t	 before;

	do {
		before = nshown;
		look(fd);
	} while (nshown != before);
	fwrite(shown, 1, nshown, stdout);
	printf("\necho is %s\n", echo(slave));
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

int
main(int argc, char **argv)
{
	const char	*at, *name;
	time_t		 end;
	pid_t		 pid;
	int		 fd, slave, i, st, cmd;

	for (cmd = 1; cmd < argc && strcmp(argv[cmd], "--") != 0; cmd++)
		;
	if (cmd + 1 >= argc || cmd % 2 == 0)
		return 64;
	fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd == -1 || grantpt(fd) == -1 || unlockpt(fd) == -1 ||
	    (name = ptsname(fd)) == NULL ||
	    (slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1) {
		perror("pty");
		return 98;
	}
	if ((pid = fork()) == 0)
		shell(name, argv + cmd + 1);
	at = shown;
	for (i = 1; i < cmd; i += 2) {
		const char	*found;

		end = time(NULL) + 20;
		while ((found = strstr(at, argv[i])) == NULL) {
			if (time(NULL) > end || waitpid(pid, &st, WNOHANG) > 0) {
				(void)finish(fd, slave, 0);
				return 99;
			}
			look(fd);
		}
		at = found + strlen(argv[i]);
		type(fd, argv[i + 1]);
	}
	while (waitpid(pid, &st, WNOHANG) == 0)
		look(fd);
	return finish(fd, slave, st);
}
