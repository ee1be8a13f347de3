/*
 * spawn.c: a program that is run is bounded in time, output, descriptors,
 * and in what it leaves behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tools/spawn.h"
#include "tap.h"

static char	 tmp[] = "/tmp/cfgfs-spawn.XXXXXX";
static char	*env[] = { (char *)"PATH=" SPAWN_PATH, (char *)"A=b c",
		    (char *)tmp, NULL };

/* sh -c of this; what it said is a string in *b. */
static int
sh(const char *script, const char *text, unsigned seconds, struct buf *b,
    struct err *e)
{
	char		*argv[] = { (char *)"sh", (char *)"-c",
			    (char *)script, (char *)"sh", tmp, NULL };
	struct spawn	 s = { .file = "/bin/sh", .argv = argv, .env = env,
			    .text = text, .in = -1, .seconds = seconds,
			    .out = b };
	int		 rc;

	*b = (struct buf)BUF_INIT;
	*e = (struct err){ 0, "" };
	rc = spawn_run(&s, e);
	put_u8(b, '\0');
	return rc;
}

static void
says(const char *script, const char *text, int want, const char *out,
    const char *why)
{
	struct buf	 b;
	struct err	 e;

	if (!OK(sh(script, text, 20, &b, &e) == want) ||
	    !OK(strcmp((char *)b.p, out) == 0) ||
	    !OK(strcmp(e.msg, why) == 0))
		tap_diag("%s: said %s: %s", script, (char *)b.p, e.msg);
	buf_free(&b);
}

static int64_t
seconds_now(void)
{
	struct timespec	 t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void
how_it_ended_is_told(void)
{
	char		*argv[] = { (char *)"x", NULL };
	struct spawn	 s = { .file = "/nonexistent", .argv = argv,
			    .env = env, .in = -1, .seconds = 9 };
	struct err	 e;

	says("echo a; echo b >&2", NULL, 0, "a\nb\n", "");
	says("echo no; exit 3", NULL, 1, "no\n", "exit status 3");
	says("kill -9 $$", NULL, 1, "", "ended by signal 9");
	OK(spawn_run(&s, &e) == 1 && strcmp(e.msg, "exit status 127") == 0);
	s.file = "/etc/passwd";
	OK(spawn_run(&s, &e) == 1 &&
	    strcmp(e.msg, "can't be executed") == 0);
}

static void
it_reads_what_it_is_given(void)
{
	says("cat", "one\ntwo\n", 0, "one\ntwo\n", "");
	says("cat", NULL, 0, "", "");
	says("cat", "", 0, "", "");
	says("pwd; echo $A", NULL, 0, "/\nb c\n", "");
}

static void
more_than_a_pipe_goes_through(void)
{
	struct buf	 b;
	struct err	 e;
	char		*big = malloc(300001);

	if (big == NULL) {
		OK(big != NULL);
		return;
	}
	memset(big, 'x', 300000);
	big[300000] = '\0';
	OK(sh("wc -c | tr -d ' '", big, 20, &b, &e) == 0);
	OK(strcmp((char *)b.p, "300000\n") == 0);
	buf_free(&b);
	/* All is read, so it is not in the way; the first part is kept. */
	OK(sh("cat", big, 20, &b, &e) == 0);
	OK(b.len > SPAWN_OUT && b.len < SPAWN_OUT + 64);
	OK(strstr((char *)b.p, "x\n(and more)\n") != NULL);
	buf_free(&b);
	/* Who reads nothing is no failure, and no signal for us. */
	OK(sh("exec < /dev/null; sleep 0.1; echo done", big, 20, &b, &e) == 0);
	OK(strcmp((char *)b.p, "done\n") == 0);
	buf_free(&b);
	free(big);
}

static void
descriptors_stay_here(void)
{
	int	 fd = open("/dev/null", O_RDONLY), high = dup2(fd, 200);

	OK(fd > 2 && high == 200);
	says("for i in 3 4 5 6 7 8 9; do (eval \": <&$i\") 2> /dev/null && "
	    "echo $i; done; test ! -e /dev/fd/200 || echo 200; exec true",
	    NULL, 0, "", "");
	(void)close(fd);
	(void)close(high);
}

static void
time_is_limited(void)
{
	struct buf	 b;
	struct err	 e;
	int64_t		 t = seconds_now();

	OK(sh("echo first; sleep 60", NULL, 1, &b, &e) == 1);
	OK(strcmp((char *)b.p, "first\n") == 0);
	OK(strcmp(e.msg, "took longer than 1 second") == 0);
	buf_free(&b);
	/* Its children ignore it, too. */
	OK(sh("trap '' TERM; (sleep 61); sleep 60", NULL, 1, &b, &e) == 1);
	OK(strcmp(e.msg, "took longer than 1 second") == 0);
	buf_free(&b);
	OK(seconds_now() - t < 20);
}

/* Whether the process that wrote its number there is gone, or a zombie
 * that nobody waits for. */
static bool
gone(const char *name)
{
	char	 path[128], line[64] = "";
	FILE	*f;
	int	 i;

	(void)snprintf(path, sizeof(path), "%s/%s", tmp, name);
	if ((f = fopen(path, "r")) == NULL)
		return false;
	(void)fgets(line, sizeof(line), f);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "ps -o stat= -p %d | grep -qv Z",
	    atoi(line));
	for (i = 0; i < 100 && system(path) == 0; i++)
		(void)usleep(50000);
	return atoi(line) > 1 && i < 100;
}

static void
nothing_is_left_behind(void)
{
	struct buf	 b;
	struct err	 e;
	int64_t		 t = seconds_now();

	OK(sh("sleep 60 & echo $! > \"$1/child\"; echo ok", NULL, 30, &b,
	    &e) == 0);
	OK(strcmp((char *)b.p, "ok\n") == 0);
	OK(gone("child"));
	buf_free(&b);
	OK(sh("trap '' TERM; sh -c 'trap \"\" TERM; sleep 62; sleep 62' & "
	    "echo $! > \"$1/child\"; wait", NULL, 1, &b, &e) == 1);
	OK(gone("child"));
	buf_free(&b);
	OK(seconds_now() - t < 20);
}

/* A daemon goes on, and does not hold us though it has our pipe. */
static void
what_makes_a_session_stays(void)
{
	struct buf	 b;
	struct err	 e;
	int64_t		 t = seconds_now();
	char		 path[128], line[32] = "";
	FILE		*f;

	OK(sh("setsid sh -c 'echo $$ > \"$1/tmp\"; mv \"$1/tmp\" "
	    "\"$1/daemon\"; exec sleep 30' sh \"$1\" & "
	    "while [ ! -e \"$1/daemon\" ]; do sleep 0.02; done", NULL, 20, &b,
	    &e) == 0);
	OK(seconds_now() - t < 15);
	buf_free(&b);
	(void)snprintf(path, sizeof(path), "%s/daemon", tmp);
	if (!OK((f = fopen(path, "r")) != NULL))
		return;
	(void)fgets(line, sizeof(line), f);
	(void)fclose(f);
	OK(atoi(line) > 1 && kill(atoi(line), SIGKILL) == 0);
}

static void
what_ends_us_ends_it(void)
{
	struct buf	 b;
	struct err	 e;
	char		 path[128];
	int		 st = 0, i;
	pid_t		 pid = fork();

	if (pid == 0) {
		(void)sh("echo $$ > \"$1/tmp\"; mv \"$1/tmp\" \"$1/told\"; "
		    "exec sleep 60", NULL, 50, &b, &e);
		_exit(9);
	}
	(void)snprintf(path, sizeof(path), "%s/told", tmp);
	for (i = 0; i < 200 && access(path, F_OK) == -1; i++)
		(void)usleep(50000);
	OK(pid > 0 && kill(pid, SIGTERM) == 0);
	OK(waitpid(pid, &st, 0) == pid);
	OK(WIFSIGNALED(st) && WTERMSIG(st) == SIGTERM);
	OK(gone("told"));
}

static void
tools_are_found_in_the_systems_places(void)
{
	char	 path[64];

	OK(spawn_find("sh -n", 2, path, sizeof(path)));
	OK(strcmp(path, "/bin/sh") == 0 || strcmp(path, "/usr/bin/sh") == 0);
	OK(spawn_find("/bin/sh", 7, path, sizeof(path)));
	OK(strcmp(path, "/bin/sh") == 0);
	OK(!spawn_find("no-such-tool", 12, path, sizeof(path)));
	OK(!spawn_find("/etc/passwd", 11, path, sizeof(path)));
	OK(!spawn_find("/", 1, path, sizeof(path)));
}

/* As while a slice is mounted: its end must be seen all the same, and it
 * must not inherit that. */
static void
signals_may_be_blocked(void)
{
	sigset_t	 all, was;
	struct buf	 b;
	struct err	 e;
	int64_t		 began = seconds_now();
	int		 rc;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &was);
	rc = sh("kill -TERM $$; echo still here", NULL, 20, &b, &e);
	(void)sigprocmask(SIG_SETMASK, &was, NULL);
	OK(rc == 1 && strcmp((char *)b.p, "") == 0);
	OK(strcmp(e.msg, "ended by signal 15") == 0);
	OK(seconds_now() - began < 10);
	buf_free(&b);
}

static const struct tap_case cases[] = {
	{ "signals may be blocked here", signals_may_be_blocked },
	{ "how a program ended is told", how_it_ended_is_told },
	{ "it reads what it is given", it_reads_what_it_is_given },
	{ "more than a pipe holds goes through",
	    more_than_a_pipe_goes_through },
	{ "descriptors stay here", descriptors_stay_here },
	{ "its time is limited, whatever it ignores", time_is_limited },
	{ "nothing of its group is left behind", nothing_is_left_behind },
	{ "what makes a session of its own stays, and holds nobody",
	    what_makes_a_session_stays },
	{ "what ends us ends it", what_ends_us_ends_it },
	{ "tools are found in the system's places",
	    tools_are_found_in_the_systems_places },
};

int
main(int argc, char **argv)
{
	char	 cmd[64];
	int	 rc;

	if (mkdtemp(tmp) == NULL)
		return 2;
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", tmp);
	return system(cmd) == 0 ? rc : 2;
}
