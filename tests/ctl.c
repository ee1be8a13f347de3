/*
 * ctl.c: the promises of the control protocol: its frames, and the lease
 * of a real daemon.
 */
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "tap.h"

static char	 cfgfs[4096];		/* the program */
static char	 dir[] = "/tmp/ctl.XXXXXX";
static char	 state[64], mnt[64];

static void
frames_come_back(void)
{
	struct buf	 b = BUF_INIT;
	enum ctl_type	 type;
	struct rd	 body;
	size_t		 i;

	ctl_put(&b, CTL_FREEZE, "abc", 3);
	ctl_put(&b, CTL_STATS, NULL, 0);
	for (i = 0; i < 11; i++)
		OK(ctl_get(b.p, i, &type, &body) == 0);
	OK(ctl_get(b.p, b.len, &type, &body) == 11);
	OK(type == CTL_FREEZE && body.n == 3 && body.p[2] == 'c');
	OK(ctl_get(b.p + 11, b.len - 11, &type, &body) == 8);
	OK(type == CTL_STATS && body.n == 0);
	buf_free(&b);
}

static void
frames_of_impossible_length_are_refused(void)
{
	uint8_t		 p[8] = { 0 };
	enum ctl_type	 type;
	struct rd	 body;

	set_le32(p, 3);
	OK(ctl_get(p, 4, &type, &body) == -EBADMSG);
	set_le32(p, CTL_MAX + 1);
	OK(ctl_get(p, 4, &type, &body) == -EBADMSG);
	set_le32(p, UINT32_MAX);
	OK(ctl_get(p, 8, &type, &body) == -EBADMSG);
}

/* Start a daemon; 0 where none can run here. */
static int
start(void)
{
	static char	 opt[256];
	char		 tree[64];
	int		 status;
	pid_t		 pid;

	if (geteuid() != 0 || access("/dev/fuse", R_OK | W_OK) == -1) {
		tap_skip("needs root and /dev/fuse");
		return 0;
	}
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	OK(mkdtemp(dir) != NULL);
	(void)snprintf(state, sizeof(state), "%s/s", dir);
	(void)snprintf(mnt, sizeof(mnt), "%s/m", dir);
	(void)snprintf(tree, sizeof(tree), "%s/t", dir);
	OK(mount("tmpfs", dir, "tmpfs", 0, NULL) == 0);
	OK(mkdir(tree, 0755) == 0 && mkdir(mnt, 0755) == 0);
	(void)snprintf(opt, sizeof(opt), "tree=%s,state=%s", tree, state);
	if ((pid = fork()) == 0) {
		(void)execl(cfgfs, cfgfs, "-o", opt, mnt, (char *)NULL);
		_exit(127);
	}
	OK(waitpid(pid, &status, 0) == pid && status == 0);
	return status == 0;
}

static void
end(void)
{
	(void)umount2(mnt, MNT_DETACH);
	(void)umount2(mnt, MNT_DETACH);
	OK(umount2(dir, MNT_DETACH) == 0);
	OK(rmdir(dir) == 0);
}

static int
client(void)
{
	struct err	 e = { 0, "" };
	int		 fd = ctl_connect(state, &e);

	if (!OK(fd >= 0))
		tap_diag("%s", e.msg);
	return fd;
}

static int
call(int fd, enum ctl_type type, struct buf *answer)
{
	struct buf	 own = BUF_INIT;
	int		 rc;

	rc = ctl_call(fd, type, NULL, answer == NULL ? &own : answer, NULL);
	buf_free(&own);
	return rc;
}

/* A number from the statistics; -1 where it isn't there. */
static long long
stat_of(int fd, const char *name)
{
	struct buf	 b = BUF_INIT;
	char		*p, key[64];
	long long	 v = -1;

	OK(call(fd, CTL_STATS, &b) == 0);
	put_u8(&b, 0);
	(void)snprintf(key, sizeof(key), "\n%s ", name);
	if (!b.bad && (p = strstr((char *)b.p, key)) != NULL)
		v = atoll(p + strlen(key));
	buf_free(&b);
	return v;
}

static void
in_mnt(char out[128], const char *name)
{
	(void)snprintf(out, 128, "%s/%s", mnt, name);
}

/* Write a line to a file of the view in a process of its own. */
static pid_t
writer(const char *name)
{
	char	 path[128];
	pid_t	 pid;
	int	 fd;

	in_mnt(path, name);
	if ((pid = fork()) != 0)
		return pid;
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	_exit(fd == -1 || write(fd, "x\n", 2) != 2);
}

/* Wait until the daemon holds n requests. */
static void
held(int fd, long long n)
{
	int	 i;

	for (i = 0; i < 500 && stat_of(fd, "held") != n; i++)
		(void)poll(NULL, 0, 10);
	OK(stat_of(fd, "held") == n);
}

static bool
ended_well(pid_t pid)
{
	int	 status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

static void
a_freeze_holds_changes_back_and_lets_reads_go_on(void)
{
	struct buf	 b = BUF_INIT;
	struct stat	 st;
	char		 old[128], path[128];
	pid_t		 one, two;
	int		 a, c;

	if (!start())
		return;
	OK(ended_well(writer("old")));
	in_mnt(old, "old");
	in_mnt(path, "new");
	a = client();
	OK(call(a, CTL_FREEZE, &b) == 0 && b.len == 8 &&
	    get_le64(b.p) == 1);
	OK(call(a, CTL_FREEZE, NULL) == -EALREADY);
	one = writer("new");
	two = writer("old");
	held(a, 2);
	OK(stat(old, &st) == 0 && st.st_size == 2);
	OK(stat_of(a, "frozen") == 1 && stat_of(a, "lease") == getpid());
	c = client();
	OK(call(c, CTL_FREEZE, &b) == -EBUSY && b.len == 4 &&
	    get_le32(b.p) == (uint32_t)getpid());
	OK(call(c, CTL_THAW, NULL) == -EPERM);
	OK(call(a, CTL_THAW, NULL) == 0);
	OK(ended_well(one) && ended_well(two));
	OK(stat(path, &st) == 0 && st.st_size == 2);
	OK(call(a, CTL_THAW, NULL) == -EINVAL);
	/* The lease lasts after the thaw, until the socket closes. */
	OK(call(c, CTL_FREEZE, NULL) == -EBUSY);
	OK(call(a, CTL_FREEZE, &b) == 0 && get_le64(b.p) == 2);
	OK(call(a, CTL_THAW, NULL) == 0);
	(void)close(a);
	while (stat_of(c, "lease") != 0)
		(void)poll(NULL, 0, 10);
	/* Nothing was changed: the segment goes on. */
	OK(call(c, CTL_FREEZE, &b) == 0 && get_le64(b.p) == 2);
	(void)close(c);
	buf_free(&b);
	end();
}

static void
a_client_that_dies_thaws(void)
{
	pid_t	 holder, w;
	int	 a, fd[2], status;
	char	 c;

	if (!start())
		return;
	OK(pipe(fd) == 0);
	if ((holder = fork()) == 0) {
		a = ctl_connect(state, NULL);
		if (a < 0 || call(a, CTL_FREEZE, NULL) != 0 ||
		    write(fd[1], "f", 1) != 1)
			_exit(1);
		(void)pause();
	}
	OK(read(fd[0], &c, 1) == 1);
	a = client();
	w = writer("x");
	held(a, 1);
	OK(kill(holder, SIGKILL) == 0);
	OK(waitpid(holder, &status, 0) == holder);
	OK(ended_well(w));
	OK(stat_of(a, "frozen") == 0 && stat_of(a, "lease") == 0);
	(void)close(a);
	(void)close(fd[0]);
	(void)close(fd[1]);
	end();
}

static void
a_process_held_back_can_be_killed(void)
{
	struct stat	 st;
	char		 path[128];
	pid_t		 w;
	int		 a, status;

	if (!start())
		return;
	a = client();
	OK(call(a, CTL_FREEZE, NULL) == 0);
	w = writer("x");
	held(a, 1);
	OK(kill(w, SIGKILL) == 0);
	OK(waitpid(w, &status, 0) == w && WIFSIGNALED(status));
	held(a, 0);
	OK(call(a, CTL_THAW, NULL) == 0);
	in_mnt(path, "x");
	OK(stat(path, &st) == -1 && errno == ENOENT);
	(void)close(a);
	end();
}

static void
a_freeze_ends_by_itself(void)
{
	struct timespec	 t0, t1;
	pid_t		 w;
	int		 a;

	if (!start())
		return;
	a = client();
	(void)clock_gettime(CLOCK_MONOTONIC, &t0);
	OK(call(a, CTL_FREEZE, NULL) == 0);
	w = writer("x");
	OK(ended_well(w));
	(void)clock_gettime(CLOCK_MONOTONIC, &t1);
	OK(t1.tv_sec - t0.tv_sec >= CTL_FREEZE_MAX - 1 &&
	    t1.tv_sec - t0.tv_sec <= CTL_FREEZE_MAX + 5);
	OK(call(a, CTL_THAW, NULL) == -ETIMEDOUT);
	OK(call(a, CTL_FREEZE, NULL) == 0 && call(a, CTL_THAW, NULL) == 0);
	(void)close(a);
	end();
}

static void
root_is_given_the_tree_below_the_view(void)
{
	struct stat	 below, seen;
	struct err	 e;
	char		 path[128];
	int		 a, i, tree;

	if (!start())
		return;
	OK(ended_well(writer("x")));
	in_mnt(path, "x");
	a = client();
	for (i = 0; i < 3; i++) {
		OK((tree = ctl_tree(a, &e)) >= 0);
		OK(stat(path, &seen) == 0 &&
		    fstatat(tree, "x", &below, 0) == 0 &&
		    seen.st_ino == below.st_ino &&
		    seen.st_dev != below.st_dev);
		OK((fcntl(tree, F_GETFD) & FD_CLOEXEC) != 0);
		(void)close(tree);
	}
	(void)close(a);
	end();
}

static void
what_is_no_request_ends_the_connection(void)
{
	uint8_t	 junk[64];
	char	 c;
	int	 a, b;

	if (!start())
		return;
	a = client();
	b = client();
	memset(junk, 0xff, sizeof(junk));
	OK(write(a, junk, sizeof(junk)) == (ssize_t)sizeof(junk));
	OK(read(a, &c, 1) <= 0);
	OK(call(b, CTL_STATS, NULL) == 0);
	OK(call(b, (enum ctl_type)77, NULL) == -ENOSYS);
	(void)close(a);
	(void)close(b);
	end();
}

static void
a_client_that_takes_nothing_stops_nobody(void)
{
	struct buf	 b = BUF_INIT;
	struct timespec	 t0, t1;
	int		 a, i;

	if (!start())
		return;
	a = client();
	ctl_put(&b, CTL_STATS, NULL, 0);
	OK(fcntl(a, F_SETFL, O_NONBLOCK) == 0);
	for (i = 0; i < 100000 && write(a, b.p, b.len) > 0; i++)
		continue;
	(void)clock_gettime(CLOCK_MONOTONIC, &t0);
	OK(ended_well(writer("x")));
	(void)clock_gettime(CLOCK_MONOTONIC, &t1);
	OK(t1.tv_sec - t0.tv_sec < 5);
	(void)close(a);
	buf_free(&b);
	end();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "frames come back", frames_come_back },
		{ "frames of impossible length are refused",
		    frames_of_impossible_length_are_refused },
		{ "a freeze holds changes back and lets reads go on",
		    a_freeze_holds_changes_back_and_lets_reads_go_on },
		{ "a client that dies thaws", a_client_that_dies_thaws },
		{ "a process held back can be killed",
		    a_process_held_back_can_be_killed },
		{ "root is given the tree below the view",
		    root_is_given_the_tree_below_the_view },
		{ "what is no request ends the connection",
		    what_is_no_request_ends_the_connection },
		{ "a client that takes nothing stops nobody",
		    a_client_that_takes_nothing_stops_nobody },
		{ "a freeze ends by itself", a_freeze_ends_by_itself },
	};
	const char	*slash = strrchr(argv[0], '/');

	(void)snprintf(cfgfs, sizeof(cfgfs), "%.*s/../fs/cfgfs",
	    slash == NULL ? 1 : (int)(slash - argv[0]),
	    slash == NULL ? "." : argv[0]);
	(void)signal(SIGPIPE, SIG_IGN);
	if (geteuid() == 0 && (unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)) {
		printf("Bail out! no mount namespace\n");
		return 1;
	}
	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
