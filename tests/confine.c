/*
 * confine.c: the promises of sync/confine.h, each tried in a child.
 */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../sync/confine.h"
#include "tap.h"

static pid_t	 bystander;	/* of this user, to be left alone */
static int	 file = -1;	/* opened before */
static int	 pair[2];	/* sockets, too */

/* Run fn in a confined child: what it returned, 100 where not confined. */
static int
confined(int (*fn)(void))
{
	struct err	 e = { 0, "" };
	pid_t		 pid;
	int		 st;

	if ((pid = fork()) == 0) {
		if (confine(NULL, &e) < 0) {
			tap_diag("%s", e.msg);
			_exit(100);
		}
		_exit(fn());
	}
	if (!OK(pid != -1 && waitpid(pid, &st, 0) == pid))
		return 100;
	return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
}

/* The calls that must fail: each gives the number that says which. */
static int
opens(void)
{
	if (open("/etc/passwd", O_RDONLY) != -1)
		return 1;
	if (open("/dev/null", O_RDWR) != -1)
		return 2;
	if (open("/tmp", O_RDWR | O_TMPFILE, 0600) != -1)
		return 3;
	if (creat("/tmp/cfgfs-confine", 0600) != -1)
		return 4;
	if (mkdir("/tmp/cfgfs-confine", 0700) != -1)
		return 5;
	if (unlink("/tmp/cfgfs-confine") != -1 || errno == ENOENT)
		return 6;
	if (chdir("/") != -1)
		return 7;
	if (rename("/tmp/a", "/tmp/b") != -1 || errno == ENOENT)
		return 8;
	return 0;
}

static int
sockets(void)
{
	int	 sv[2];

	if (socket(AF_INET, SOCK_STREAM, 0) != -1)
		return 1;
	if (socket(AF_UNIX, SOCK_STREAM, 0) != -1)
		return 2;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) != -1)
		return 3;
	if (socket(AF_NETLINK, SOCK_RAW, 0) != -1)
		return 4;
	return 0;
}

static int
programs(void)
{
	char	*argv[] = { (char *)"/bin/true", NULL };
	pid_t	 pid;

	if ((pid = fork()) != -1) {
		if (pid == 0)
			_exit(0);
		return 1;
	}
	execv(argv[0], argv);
	return errno == EPERM || errno == EACCES ? 0 : 2;
}

static int
others(void)
{
	if (kill(bystander, 0) != -1 || kill(bystander, SIGTERM) != -1)
		return 1;
	if (kill(-1, 0) != -1)
		return 2;
	if (ptrace(PTRACE_ATTACH, bystander, NULL, NULL) != -1)
		return 3;
	if (getuid() == 0 || geteuid() == 0 || setuid(0) != -1 ||
	    setgid(0) != -1)
		return 4;
	return 0;
}

static int
memory(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		return 1;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 2;
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC) != -1)
		return 3;
	return munmap(p, 4096);
}

/* What must go on. */
static int
goes_on(void)
{
	struct stat	 st;
	struct timespec	 ts;
	char		*big, c = 'x';
	uint8_t		 r[16];

	if (pwrite(file, "abc", 3, 0) != 3 || fsync(file) == -1 ||
	    fdatasync(file) == -1 || ftruncate(file, 2) == -1 ||
	    fstat(file, &st) == -1 || st.st_size != 2 ||
	    pread(file, &c, 1, 1) != 1 || c != 'b' ||
	    lseek(file, 0, SEEK_SET) != 0 || read(file, &c, 1) != 1)
		return 1;
	if (send(pair[0], "y", 1, 0) != 1 || recv(pair[1], &c, 1, 0) != 1 ||
	    fcntl(pair[0], F_SETFL, O_NONBLOCK) == -1)
		return 2;
	if ((big = malloc(8 << 20)) == NULL)
		return 3;
	memset(big, 1, 8 << 20);
	free(big);
	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1 || time(NULL) <= 0)
		return 4;
	os_random(r, sizeof(r));
	if (dprintf(file, "%d", 5) != 1 || close(file) == -1)
		return 5;
	return 0;
}

static int
ends_itself(void)
{
	abort();
}

static void
no_file_can_be_opened(void)
{
	OK(confined(opens) == 0);
}

static void
no_socket_can_be_made(void)
{
	OK(confined(sockets) == 0);
}

static void
no_program_can_be_run(void)
{
	OK(confined(programs) == 0);
}

static void
other_processes_are_out_of_reach(void)
{
	OK(confined(others) == 0);
	OK(kill(bystander, 0) == 0);
}

static void
memory_is_not_run(void)
{
	OK(confined(memory) == 0);
}

static void
what_is_held_goes_on(void)
{
	OK(confined(goes_on) == 0);
}

static void
it_can_still_abort(void)
{
	OK(confined(ends_itself) == 128 + SIGABRT);
}

static void
an_unknown_user_and_root_are_refused(void)
{
	struct err	 e = { 0, "" };

	if (geteuid() != 0) {
		tap_skip("not root");
		return;
	}
	OK(confine("no-such-user", &e) == -ENOENT);
	OK(strcmp(e.msg, "no-such-user: no such user") == 0);
	OK(confine("root", &e) == -EINVAL && geteuid() == 0);
}

/* A process of the user that a confined one becomes. */
static pid_t
stand_by(void)
{
	pid_t	 pid = fork();
	char	 c;

	if (pid != 0)	/* it is there when it has become that user */
		return pid == -1 || read(pair[0], &c, 1) != 1 ? -1 : pid;
	if (geteuid() == 0 && setuid(65534) == -1)
		_exit(1);
	if (write(pair[1], "r", 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "no file can be opened", no_file_can_be_opened },
		{ "no socket can be made", no_socket_can_be_made },
		{ "no program can be run", no_program_can_be_run },
		{ "other processes are out of reach",
		    other_processes_are_out_of_reach },
		{ "memory is not run", memory_is_not_run },
		{ "what is held goes on", what_is_held_goes_on },
		{ "it can still abort", it_can_still_abort },
		{ "an unknown user and root are refused",
		    an_unknown_user_and_root_are_refused },
	};
	char	 name[] = "/tmp/cfgfs-confine.XXXXXX";
	int	 rc;

	if ((file = mkstemp(name)) == -1 || unlink(name) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1 ||
	    (bystander = stand_by()) == -1) {
		perror("confine");
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)kill(bystander, SIGKILL);
	(void)waitpid(bystander, NULL, 0);
	return rc;
}
