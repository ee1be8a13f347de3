/*
 * main.c: cfg-hist shows what was committed, in the view of the cfgfs
 * that started it (lib/past.h): one request after the other, until that
 * has gone.
 */
#include <sys/types.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "../lib/inst.h"
#include "../lib/past.h"
#include "hops.h"

#define EX_OK		0
#define EX_FAIL		2
#define EX_MISUSE	64

/* Exactly n bytes: 0, or -1 where there are no more. */
static int
take(void *to, size_t n)
{
	uint8_t	*p = to;
	ssize_t	 k;

	while (n > 0) {
		if ((k = read(STDIN_FILENO, p, n)) == -1 && errno == EINTR)
			continue;
		if (k <= 0)
			return -1;
		p += k;
		n -= (size_t)k;
	}
	return 0;
}

/* One request, which begins with its length. */
static int
serve(struct fuse_session *se)
{
	static uint64_t	 req[PAST_ASK / sizeof(uint64_t)];
	struct fuse_buf	 buf = { .mem = req };
	uint32_t	 len;

	if (take(&len, sizeof(len)) < 0 || len < sizeof(len) ||
	    len > sizeof(req))
		return -1;
	memcpy(req, &len, sizeof(len));
	if (take((uint8_t *)req + sizeof(len), len - sizeof(len)) < 0)
		return -1;
	buf.size = len;
	fuse_session_process_buf(se, &buf);
	return 0;
}

static void
rest(struct window *w)
{
	gens_rest(&w->gens);
	strs_free(&w->list);
	w->listed = 0;
}

static void
loop(struct window *w, struct fuse_session *se)
{
	struct pollfd	 p = { .fd = STDIN_FILENO, .events = POLLIN };
	int		 n;

	for (;;) {
		if ((n = poll(&p, 1, gens_idle(&w->gens))) == 0)
			rest(w);
		else if (n > 0 && serve(se) < 0)
			break;
		else if (n == -1 && errno != EINTR)
			break;
	}
	rest(w);
}

int
main(int argc, char **argv)
{
	static struct window	 w;
	char			*fargv[] = { "cfg-hist", NULL };
	struct fuse_args	 args = FUSE_ARGS_INIT(1, fargv);
	struct fuse_session	*se;
	struct inst		 inst;
	struct err		 e = { 0, "" };

	if (argc != 2 || argv[1][0] != '/') {
		fprintf(stderr, "cfg-hist: it is for cfgfs to start this: see "
		    "its option history\n");
		return EX_MISUSE;
	}
	openlog("cfg-hist", LOG_PID, LOG_DAEMON);
	if (inst_load(&inst, argv[1], &e) < 0) {
		syslog(LOG_ERR, "%s", e.msg);
		return EX_FAIL;
	}
	gens_init(&w.gens, &inst);
	/* libfuse takes it to be the kernel's, and writes its answers there. */
	if ((se = fuse_session_new(&args, &hops, sizeof(hops), &w)) == NULL ||
	    fuse_session_mount(se, "/dev/fd/0") != 0) {
		syslog(LOG_ERR, "libfuse refuses its descriptor");
		return EX_FAIL;
	}
	loop(&w, se);
	fuse_session_destroy(se);
	hnodes_free(&w.nodes);
	inst_free(&inst);
	return EX_OK;
}
