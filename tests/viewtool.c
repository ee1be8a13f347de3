/*
 * viewtool.c: a client of the control socket, and the table of verbs.
 *
 *	viewtool VERB argument ...
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "../lib/jrn.h"
#include "../lib/osdep.h"
#include "../lib/path.h"
#include "viewtool.h"

static int
ctl(const char *dir, struct err *e)
{
	int	 fd = ctl_connect(dir, e);

	if (fd < 0) {
		fprintf(stderr, "viewtool: %s\n", e->msg);
		exit(2);
	}
	return fd;
}

/* One call; prints what failed. */
static int
call(int fd, enum ctl_type t, struct buf *answer, const char *what)
{
	struct err	 e = { 0, "" };
	int		 rc = ctl_call(fd, t, NULL, answer, &e);

	if (rc < 0)
		printf("%s: %s\n", what, strerror(-rc));
	return rc;
}

static int
stats(const char *dir, struct buf *b)
{
	struct err	 e = { 0, "" };
	int		 fd = ctl(dir, &e), rc;

	rc = call(fd, CTL_STATS, b, "stats");
	put_u8(b, 0);
	(void)close(fd);
	return rc;
}

int64_t
tool_stat(const char *dir, const char *name)
{
	struct buf	 b = BUF_INIT;
	const char	*p;
	size_t		 n = strlen(name);
	int64_t		 v = -1;

	if (stats(dir, &b) < 0)
		exit(2);
	for (p = (const char *)b.p; *p != '\0'; p += strcspn(p, "\n")) {
		p += *p == '\n';
		if (strncmp(p, name, n) == 0 && p[n] == ' ')
			v = strtoll(p + n + 1, NULL, 10);
	}
	buf_free(&b);
	return v;
}

/* stat DIR [NAME]: all statistics, or one. */
static int
verb_stat(int argc, char **argv)
{
	struct buf	 b = BUF_INIT;

	if (argc > 1) {
		printf("%jd\n", (intmax_t)tool_stat(argv[0], argv[1]));
		return 0;
	}
	if (stats(argv[0], &b) < 0)
		return 2;
	fputs((const char *)b.p, stdout);
	buf_free(&b);
	return 0;
}

/*
 * freeze DIR [COMMAND]: freeze, say so, run the command or wait for the
 * end of standard input, thaw.
 */
static int
verb_freeze(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	int		 fd = ctl(argv[0], &e), rc;
	char		 c;

	if ((rc = call(fd, CTL_FREEZE, &b, "freeze")) < 0) {
		if (rc == -EBUSY && b.len >= 4)
			printf("holder %u\n", get_le32(b.p));
		return 1;
	}
	r = (struct rd){ b.p, b.len, false };
	printf("frozen %ju\n", (uintmax_t)rd_le64(&r));
	fflush(stdout);
	if (argc > 1)
		printf("command: %d\n", system(argv[1]));
	else
		while (read(0, &c, 1) == 1)
			;
	if (call(fd, CTL_THAW, &b, "thaw") < 0)
		return 1;
	printf("thawed\n");
	(void)close(fd);
	buf_free(&b);
	return 0;
}

/*
 * handover DIR PID: the holder of a lease closes its socket, while another,
 * which the daemon (PID) looks at first, asks for it: it is to have it.
 */
static int
verb_handover(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT;
	int		 first = ctl(argv[0], &e), holder, status;
	pid_t		 daemon, pid;

	if (argc < 2 || (daemon = (pid_t)atoi(argv[1])) <= 0 ||
	    call(first, CTL_STATS, &b, "stats") < 0 ||
	    (holder = ctl(argv[0], &e)) < 0 ||
	    call(holder, CTL_FREEZE, &b, "freeze") < 0 ||
	    call(holder, CTL_THAW, &b, "thaw") < 0 ||
	    kill(daemon, SIGSTOP) == -1)
		return 2;
	if ((pid = fork()) == 0) {
		(void)close(holder);
		_exit(call(first, CTL_FREEZE, &b, "freeze") < 0);
	}
	(void)usleep(200000);	/* until it has asked */
	(void)close(holder);
	(void)kill(daemon, SIGCONT);
	buf_free(&b);
	return pid == -1 || waitpid(pid, &status, 0) != pid || status != 0;
}

/* rotate DIR: as a commit does: end the segment, drop all before. */
static int
verb_rotate(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT, none = BUF_INIT;
	struct rd	 r;
	int		 fd = ctl(argv[0], &e), dfd, rc;

	(void)argc;
	if (call(fd, CTL_FREEZE, &b, "freeze") < 0)
		return 1;
	r = (struct rd){ b.p, b.len, false };
	if ((dfd = open(argv[0], O_RDONLY | O_DIRECTORY)) == -1)
		return 2;
	rc = jrn_replace(dfd, rd_le64(&r), &none, &e);
	if (rc < 0)
		printf("%s\n", e.msg);
	if (call(fd, CTL_THAW, &b, "thaw") < 0)
		return 1;
	(void)close(dfd);
	(void)close(fd);
	buf_free(&b);
	return rc < 0;
}

/* as DIR UID: may this user connect, freeze, ask for statistics? */
static int
verb_as(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT;
	int		 fd;

	if (argc < 2 || setgid((gid_t)atoi(argv[1])) == -1 ||
	    setuid((uid_t)atoi(argv[1])) == -1)
		return 2;
	if ((fd = ctl_connect(argv[0], &e)) < 0) {
		printf("connect: %s\n", strerror(-fd));
		return 1;
	}
	(void)call(fd, CTL_STATS, &b, "stats");
	(void)call(fd, CTL_FREEZE, &b, "freeze");
	(void)call(fd, CTL_THAW, &b, "thaw");
	if (ctl_tree(fd, &e) < 0)
		printf("tree: %s\n", strerror(e.code));
	return 0;
}

/* raw DIR BYTE...: send these and wait for the end. */
static int
verb_raw(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	char		 b[4096];
	int		 fd = ctl(argv[0], &e), i;
	size_t		 n = 0;
	ssize_t		 k, got = 0;

	for (i = 1; i < argc && n < sizeof(b); i++)
		b[n++] = (char)strtol(argv[i], NULL, 0);
	if (write(fd, b, n) == -1 || shutdown(fd, SHUT_WR) == -1)
		return 1;
	while ((k = read(fd, b, sizeof(b))) > 0)
		got += k;
	printf("%zd bytes\n", got);
	return 0;
}

/* quiet DIR: connect, and say nothing until the end of standard input. */
static int
verb_quiet(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	int		 fd = ctl(argv[0], &e);
	char		 c;

	(void)argc;
	while (read(0, &c, 1) == 1)
		;
	(void)close(fd);
	return 0;
}

/* peek DIR PATH: a file's content, read beneath the view. */
static int
verb_peek(int argc, char **argv)
{
	struct err	 e = { 0, "" };
	int		 c = ctl(argv[0], &e), tree, fd = -1;
	char		 b[4096];
	ssize_t		 n;

	if ((tree = ctl_tree(c, &e)) < 0)
		printf("%s\n", e.msg);
	else if ((fd = path_open(tree, argc > 1 ? argv[1] : "", O_RDONLY)) < 0)
		printf("%s\n", strerror(-fd));
	while (fd >= 0 && (n = read(fd, b, sizeof(b))) > 0)
		(void)fwrite(b, 1, (size_t)n, stdout);
	return fd < 0;
}

/* exchange A B: what mv can't. */
static int
verb_exchange(int argc, char **argv)
{
	int	 rc;

	if (argc < 2)
		return 2;
	rc = os_renameat(AT_FDCWD, argv[0], AT_FDCWD, argv[1],
	    OS_RENAME_EXCHANGE);
	return rc < 0 ? 1 : 0;
}

/* map FILE TEXT: put TEXT at its begin by a shared mapping, without
 * msync(2), say so, and keep it mapped until standard input ends. */
static int
verb_map(int argc, char **argv)
{
	size_t	 n = argc < 2 ? 0 : strlen(argv[1]);
	char	*p, c;
	int	 fd;

	if (argc < 2 || (fd = open(argv[0], O_RDWR)) == -1)
		return 2;
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return 2;
	memcpy(p, argv[1], n);
	printf("mapped\n");
	(void)fflush(stdout);
	while (read(0, &c, 1) > 0)
		continue;
	return 0;
}

static const struct verb {
	const char	*name;
	int		(*fn)(int, char **);
	const char	*usage;
} verbs[] = {
	{ "stat", verb_stat, "DIR [NAME]" },
	{ "freeze", verb_freeze, "DIR [COMMAND]" },
	{ "handover", verb_handover, "DIR PID" },
	{ "rotate", verb_rotate, "DIR" },
	{ "as", verb_as, "DIR UID" },
	{ "quiet", verb_quiet, "DIR" },
	{ "peek", verb_peek, "DIR PATH" },
	{ "raw", verb_raw, "DIR BYTE ..." },
	{ "exchange", verb_exchange, "A B" },
	{ "map", verb_map, "FILE TEXT" },
	{ "jrn", verb_jrn, "DIR" },
	{ "cover", verb_cover, "DIR BEFORE AFTER [BELOW]" },
	{ "change", verb_change, "TREE SEED COUNT" },
	{ "saves", verb_saves, "TREE COUNT UNIQUE" },
	{ "hog", verb_hog, "TREE FILES" },
	{ "load", verb_load, "TREE PROCESSES STOPFILE SEED" },
	{ "req", verb_req, "DIR TREE" },
};

int
main(int argc, char **argv)
{
	size_t	 i;

	for (i = 0; argc > 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].fn(argc - 2, argv + 2);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(stderr, "usage: viewtool %s %s\n", verbs[i].name,
		    verbs[i].usage);
	return 64;
}
