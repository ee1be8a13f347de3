/*
 * spawn.c: running another program, bounded in everything.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "spawn.h"

#define GRACE	2		/* seconds between one signal and the next */

/* What ends us, ends it first. */
static const int	 ending[] = { SIGINT, SIGTERM, SIGHUP };
#define NENDING	(sizeof(ending) / sizeof(ending[0]))

static volatile sig_atomic_t	 told;	/* the signal that came, or 0 */

/* How hard a program whose time is over is asked to end. */
enum stage { RUNS, ASKED, KILLED, LEFT };

struct run {
	const struct spawn *s;
	pid_t		 pid;
	int		 in, out;	/* our ends of its pipes, or -1 */
	size_t		 fed;		/* bytes of s->text that it took */
	bool		 cut;		/* more output than is kept */
	enum stage	 stage;
	struct timespec	 until;		/* when this stage is over */
	sigset_t	 mask;		/* what was blocked before */
	sigset_t	 waits;		/* and is while we wait: its end is not */
	struct sigaction was[NENDING], was_child, was_pipe;
};

bool
spawn_find(const char *name, size_t n, char *path, size_t len)
{
	const char	*d = SPAWN_PATH ":/rescue";
	struct stat	 st;
	size_t		 k;
	bool		 abs = memchr(name, '/', n) != NULL;

	do {
		k = abs ? 0 : strcspn(d, ":");
		if ((size_t)snprintf(path, len, "%.*s%s%.*s", (int)k, d,
		    abs ? "" : "/", (int)n, name) < len &&
		    stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    (st.st_mode & 0111) != 0)
			return true;
		d += k;
	} while (!abs && *d++ == ':');
	return false;
}

static void
note(int sig)
{
	if (sig != SIGCHLD)
		told = sig;
}

static void
catch_signals(struct run *r)
{
	struct sigaction sa = { .sa_handler = note };
	struct sigaction ign = { .sa_handler = SIG_IGN };
	sigset_t	 set;
	size_t		 i;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	for (i = 0; i < NENDING; i++)
		(void)sigaddset(&set, ending[i]);
	/* They come in ppoll(2) alone, so none comes just before it. */
	(void)sigprocmask(SIG_BLOCK, &set, &r->mask);
	/* Who has a slice mounted has blocked them all. */
	r->waits = r->mask;
	(void)sigdelset(&r->waits, SIGCHLD);
	told = 0;
	(void)sigaction(SIGCHLD, &sa, &r->was_child);
	(void)sigaction(SIGPIPE, &ign, &r->was_pipe);
	for (i = 0; i < NENDING; i++) {
		(void)sigaction(ending[i], NULL, &r->was[i]);
		if (r->was[i].sa_handler != SIG_IGN)
			(void)sigaction(ending[i], &sa, NULL);
	}
}

static void
restore_signals(struct run *r)
{
	size_t	 i;

	for (i = 0; i < NENDING; i++)
		(void)sigaction(ending[i], &r->was[i], NULL);
	(void)sigaction(SIGPIPE, &r->was_pipe, NULL);
	(void)sigaction(SIGCHLD, &r->was_child, NULL);
	if (told != 0)
		(void)raise(told);	/* it comes with the next line */
	(void)sigprocmask(SIG_SETMASK, &r->mask, NULL);
}

/* In the child: never returns. */
static void
become(const struct run *r, int in, int out)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigset_t	 none;
	size_t		 i;

	(void)setsid();
	if (dup2(in, 0) == -1 || dup2(out, 1) == -1 || dup2(out, 2) == -1 ||
	    chdir("/") == -1)
		_exit(126);
	os_closefrom(3);
	(void)sigaction(SIGPIPE, &dfl, NULL);
	(void)sigaction(SIGCHLD, &dfl, NULL);
	for (i = 0; i < NENDING; i++)
		(void)sigaction(ending[i], &r->was[i], NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)umask(022);
	(void)execve(r->s->file, r->s->argv, r->s->env);
	_exit(errno == EACCES ? 126 : 127);
}

/*
 * A pipe, both ends above the first three; ours, p[mine], does not wait.
 */
static int
make_pipe(int p[2], int mine)
{
	if (pipe2(p, O_CLOEXEC) == -1)
		return -errno;
	return fcntl(p[mine], F_SETFL, O_NONBLOCK) == -1 ? -errno : 0;
}

static void
shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static int
begin(struct run *r, struct err *e)
{
	const struct spawn *s = r->s;
	int		 in[2] = { -1, -1 }, out[2] = { -1, -1 }, null, rc = 0;

	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		rc = -errno;
	if (rc == 0 && s->text != NULL)
		rc = make_pipe(in, 1);
	if (rc == 0 && s->out != NULL)
		rc = make_pipe(out, 0);
	if (rc == 0 && (r->pid = fork()) == -1)
		rc = -errno;
	if (rc == 0 && r->pid == 0)
		become(r, s->text != NULL ? in[0] : s->in != -1 ? s->in :
		    null, s->out != NULL ? out[1] : null);
	shut(&in[0]);
	shut(&out[1]);
	shut(&null);
	if (rc < 0) {
		shut(&in[1]);
		shut(&out[0]);
		return err_set(e, -rc, "run %s", s->file);
	}
	r->in = in[1];
	r->out = out[0];
	return 0;
}

static void
feed(struct run *r)
{
	size_t	 n = strlen(r->s->text + r->fed);
	ssize_t	 k = n == 0 ? 0 : write(r->in, r->s->text + r->fed, n);

	if (k > 0)
		r->fed += (size_t)k;
	if ((size_t)k == n || (k == -1 && errno != EAGAIN && errno != EINTR))
		shut(&r->in);	/* all taken, or it reads no more */
}

/* What it said; false: no more now. */
static bool
hear(struct run *r)
{
	struct buf	*b = r->s->out;
	char		 part[4096];
	ssize_t		 k = read(r->out, part, sizeof(part));
	size_t		 n, room;

	if (k == -1)
		return errno == EINTR;
	if (k == 0) {
		shut(&r->out);
		return false;
	}
	n = (size_t)k;
	room = SPAWN_OUT - b->len;
	if (n > room)
		r->cut = true;
	put_bytes(b, part, n > room ? room : n);
	return true;
}

/* So many seconds from now. */
static void
set_until(struct run *r, unsigned seconds)
{
	(void)clock_gettime(CLOCK_MONOTONIC, &r->until);
	r->until.tv_sec += (time_t)seconds;
}

/* What is left of this stage; false: nothing. */
static bool
time_left(const struct run *r, struct timespec *left)
{
	struct timespec	 now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	left->tv_sec = r->until.tv_sec - now.tv_sec;
	left->tv_nsec = r->until.tv_nsec - now.tv_nsec;
	if (left->tv_nsec < 0) {
		left->tv_sec--;
		left->tv_nsec += 1000000000;
	}
	return left->tv_sec >= 0;
}

/* To the group, and to it alone should it not have made one yet. */
static void
signal_it(const struct run *r, int sig)
{
	(void)kill(-r->pid, sig);
	(void)kill(r->pid, sig);
}

static void
press(struct run *r)
{
	switch (r->stage) {
	case RUNS:
		signal_it(r, SIGTERM);
		r->stage = ASKED;
		break;
	case ASKED:
		signal_it(r, SIGKILL);
		r->stage = KILLED;
		break;
	case KILLED:
	case LEFT:
		r->stage = LEFT;	/* stuck in the kernel */
		break;
	}
	set_until(r, GRACE);
}

/* Whether it has ended; it stays to be waited for, so that its number
 * names its group. */
static bool
ended(const struct run *r)
{
	siginfo_t	 si;

	memset(&si, 0, sizeof(si));
	return waitid(P_PID, (id_t)r->pid, &si, WEXITED | WNOHANG |
	    WNOWAIT) == -1 || si.si_pid == r->pid;
}

static void
attend(struct run *r)
{
	struct pollfd	 f[2];
	struct timespec	 left;
	int		 i;

	while (!ended(r) && r->stage != LEFT) {
		if ((told != 0 && r->stage == RUNS) || !time_left(r, &left)) {
			press(r);
			continue;
		}
		f[0] = (struct pollfd){ .fd = r->in, .events = POLLOUT };
		f[1] = (struct pollfd){ .fd = r->out, .events = POLLIN };
		if (ppoll(f, 2, &left, &r->waits) <= 0)
			continue;
		if (f[0].revents != 0)
			feed(r);
		if (f[1].revents != 0)
			(void)hear(r);
	}
	/* What holds the pipe open may go on talking: that is not for us. */
	for (i = 0; i < 32 && r->out != -1 && hear(r); i++)
		;
}

static int
verdict(const struct run *r, int st, struct err *e)
{
	if (WIFEXITED(st) && WEXITSTATUS(st) == 0 && r->stage == RUNS)
		return 0;
	if (r->stage != RUNS)
		(void)err_setx(e, ETIMEDOUT, "took longer than %u second%s",
		    r->s->seconds, r->s->seconds == 1 ? "" : "s");
	else if (WIFSIGNALED(st))
		(void)err_setx(e, EINTR, "ended by signal %d", WTERMSIG(st));
	else if (WEXITSTATUS(st) == 126)
		(void)err_setx(e, EACCES, "can't be executed");
	else
		(void)err_setx(e, EIO, "exit status %d", WEXITSTATUS(st));
	return 1;
}

int
spawn_run(const struct spawn *s, struct err *e)
{
	struct run	 r = { .s = s, .in = -1, .out = -1 };
	int		 st = 0, rc;

	catch_signals(&r);
	if ((rc = begin(&r, e)) == 0) {
		set_until(&r, s->seconds);
		attend(&r);
		(void)kill(-r.pid, SIGKILL);
		while (waitpid(r.pid, &st, r.stage == LEFT ? WNOHANG : 0) ==
		    -1 && errno == EINTR)
			;
		rc = verdict(&r, st, e);
		if (r.cut)
			put_fmt(s->out, "\n(and more)\n");
	}
	shut(&r.in);
	shut(&r.out);
	restore_signals(&r);
	return rc;
}
