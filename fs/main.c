/*
 * main.c: cfgfs serves a directory of configuration files: the order of
 * its start, and its loop.
 */
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "ctl.h"
#include "guard.h"
#include "hold.h"
#include "log.h"
#include "past.h"
#include "start.h"
#include "sys.h"
#include "touch.h"
#include "view.h"

#define FDS_OTHER	(FDS_DIR + FDS_FILE + CTL_CLIENTS + 32)

/*
 * What signals tell.  A request is waited for in read(2) alone, as it
 * costs one call less than poll(2) and read; all else comes as a signal,
 * SIGIO for the control sockets, and ends that read.  One that comes just
 * before it would be missed: so each arms a timer, which goes on until
 * the loop has looked.
 */
static volatile sig_atomic_t	 woken, ending, reaping;

#define AGAIN_US	10000	/* the timer's step */
#define ROUNDS		4	/* over the control sockets at once */

struct daemon {
	struct start	 s;
	struct opts	 o;
	struct view	 v;
	struct ctl	*ctl;
	int		 fusefd;
	int		 guardfd;
	int		 readyfd; /* to the caller's process, or -1 */
	pid_t		 unmounter; /* the process that unmounts, or 0 */
	bool		 ready;
};

static void
timer(long us)
{
	struct itimerval	 it;

	memset(&it, 0, sizeof(it));
	it.it_value.tv_sec = us / 1000000;
	it.it_value.tv_usec = us % 1000000;
	(void)setitimer(ITIMER_REAL, &it, NULL);
}

static void
on_signal(int sig)
{
	int	 saved = errno;

	if (sig == SIGCHLD)
		reaping = 1;
	else if (sig != SIGIO && sig != SIGALRM)
		ending = 1;
	woken = 1;
	timer(AGAIN_US);
	errno = saved;
}

static void
catch_signals(void)
{
	static const int	 sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD,
	    SIGIO, SIGALRM };
	struct sigaction	 sa;
	size_t			 i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;	/* without SA_RESTART: see above */
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		(void)sigaction(sigs[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
}

/* As many descriptors as there may be: most are for nodes without name. */
static unsigned
raise_limit(void)
{
	struct rlimit	 rl;
	rlim_t		 most = 65536;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return 64;
	if (rl.rlim_max < most)
		most = rl.rlim_max;
	if (rl.rlim_cur < most) {
		rl.rlim_cur = most;
		if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
			most = rl.rlim_cur;
	}
	return most < FDS_OTHER + 64 ? 64 : (unsigned)most - FDS_OTHER;
}

static void
node_gone(void *arg, struct node *n)
{
	fd_drop(arg, n);
}

static int
view_init(struct daemon *d, struct err *e)
{
	struct view	*v = &d->v;
	struct stat	 st;
	int		 rc;

	v->rootfd = d->s.treefd;
	v->rootpos = -1;
	v->maxkept = raise_limit();
	if (fstat(v->rootfd, &st) == -1)
		return err_set(e, errno, "stat %s", d->s.inst.tree);
	if ((v->req = malloc(VIEW_HEAD + VIEW_WRITE)) == NULL ||
	    nodes_init(&v->nodes, (uint64_t)st.st_ino) < 0)
		return err_set(e, ENOMEM, "start");
	v->out = v->req + VIEW_HEAD;
	v->nodes.gone = node_gone;
	v->nodes.arg = v;
	v->mask = umask(0);
	(void)umask(v->mask);
	/* What an older journal says is of a tree that is no more. */
	if (d->s.fresh && (rc = jrn_replace(d->s.statefd, UINT64_MAX,
	    &(struct buf)BUF_INIT, e)) < 0)
		return rc;
	if ((rc = touch_open(&v->touch, d->s.statefd, v->rootfd, e)) < 0)
		return rc;
	if (!d->s.fresh && (rc = touch_scan(v->touch)) < 0)
		return err_set(e, -rc, "write the journal");
	return 0;
}

static int
session(struct daemon *d, struct err *e)
{
	char		*argv[] = { "cfgfs", "-d", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(d->o.debug ? 2 : 1, argv);

	d->v.se = fuse_session_new(&args, &view_ops, sizeof(view_ops), &d->v);
	fuse_opt_free_args(&args);
	if (d->v.se == NULL)
		return err_setx(e, ENOMEM, "libfuse refuses its arguments");
	d->fusefd = sys_mount(d->s.inst.mount, d->s.inst.store == NULL ?
	    "cfgfs" : d->s.inst.store, d->o.flags, e);
	if (d->fusefd < 0)
		return d->fusefd;
	if (hold_attach(&d->v, d->fusefd) != 0)
		return err_setx(e, EINVAL, "libfuse refuses its descriptor");
	return d->s.hist == NULL ? 0 : past_start(&d->v.past, d->s.hist,
	    d->s.inst.state, d->fusefd, e);
}

static int
prepare(struct daemon *d, struct err *e)
{
	int	 rc;

	if ((rc = view_init(d, e)) < 0 ||
	    (rc = ctl_open(&d->ctl, d->s.inst.state, &d->v, e)) < 0 ||
	    (rc = start_claim(&d->s, e)) < 0)
		return rc;
	d->s.inst.pid = getpid();
	if ((rc = inst_save(&d->s.inst, e)) < 0)
		return rc;
	return session(d, e);
}

/* Tell the caller's process how the start went. */
static void
report(struct daemon *d, const struct err *e)
{
	int	 null;

	if (d->readyfd == -1) {
		if (e != NULL)
			fprintf(stderr, "cfgfs: %s\n", e->msg);
		return;
	}
	if (write(d->readyfd, e == NULL ? "+" : e->msg,
	    e == NULL ? 1 : strlen(e->msg)) == -1)
		errno = 0;	/* nobody waits */
	(void)close(d->readyfd);
	d->readyfd = -1;
	if ((null = open("/dev/null", O_RDWR)) != -1) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		if (null > 2)
			(void)close(null);
	}
}

/*
 * Unmount, from another process: it may ask us for something first, and
 * with files open there is no end to be waited for.
 */
static void
unmount(struct daemon *d)
{
	if (d->unmounter != 0)
		return;
	if ((d->unmounter = fork()) == 0) {
		(void)close(d->fusefd);
		_exit(os_unmount(d->s.inst.mount, true, NULL) == 0 ? 0 : 1);
	}
	if (d->unmounter == -1) {
		log_msg(LOG_ERR, "unmount: %s", strerror(errno));
		d->unmounter = 0;
	}
}

/* The unmounting process: true when it is done. */
static bool
reap(const struct daemon *d)
{
	pid_t	 pid;
	bool	 done = false;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		done = done || pid == d->unmounter;
	return done;
}

/* Milliseconds until something is to be done without a signal, or -1. */
static int
next_tick(const struct daemon *d)
{
	int	 ms = ctl_timeout(d->ctl), k = -1;

	if (d->v.past != NULL)
		k = past_timeout(d->v.past);
	return ms < 0 || (k >= 0 && k < ms) ? k : ms;
}

/* All that signals told of: true when it is time to end. */
static bool
attend(struct daemon *d)
{
	struct pollfd	 p[CTL_FDS];
	int		 ms, n, round;
	bool		 more = false;

	timer(0);
	woken = 0;
	if (ending) {
		ending = 0;
		unmount(d);
	}
	if (reaping) {
		reaping = 0;
		if (reap(d))
			return true;
	}
	for (round = 0; round < ROUNDS; round++) {
		n = ctl_poll(d->ctl, p);
		if (poll(p, (nfds_t)n, 0) <= 0 || !ctl_serve(d->ctl, p, n))
			break;
	}
	ctl_tick(d->ctl);
	if (d->v.past != NULL) {
		more = past_serve(d->v.past);
		past_tick(d->v.past);
	}
	/* Who asks without end has to share with the others. */
	if (round == ROUNDS || more)
		timer(AGAIN_US);
	else if ((ms = next_tick(d)) >= 0 && !woken)
		timer((ms + 1) * 1000L);
	return false;
}

/* Serve until the view is unmounted: 0, or -errno. */
static int
loop(struct daemon *d)
{
	int	 rc;

	for (;;) {
		if (woken && attend(d))
			return 0;
		rc = hold_take(&d->v, d->fusefd, ctl_frozen(d->ctl));
		if (rc < 0)
			return rc == -ENODEV ? 0 : rc;
		if (d->v.past != NULL && past_news(d->v.past))
			woken = 1;
		if (!d->ready && d->v.inited) {
			d->ready = true;
			log_msg(LOG_NOTICE, "serving %s", d->s.inst.mount);
			report(d, NULL);
		}
	}
}

static void
finish(struct daemon *d)
{
	ctl_close(d->ctl);
	past_close(d->v.past);
	if (d->v.se != NULL)
		fuse_session_destroy(d->v.se);	/* closes fusefd */
	touch_close(d->v.touch);
	fd_dropall(&d->v);
	nodes_free(&d->v.nodes);
	free(d->v.req);
	start_free(&d->s);
	opts_free(&d->o);
}

/* What becomes the daemon: the exit code. */
static int
serve(struct daemon *d)
{
	struct err	 e = { 0, "" };
	int		 toclose[] = { d->s.treefd, d->s.statefd, d->readyfd };
	int		 rc;

	(void)chdir("/");
	d->fusefd = -1;
	d->guardfd = guard_start(d->s.inst.mount, toclose, 3, &e);
	catch_signals();
	rc = d->guardfd < 0 ? d->guardfd : prepare(d, &e);
	if (rc < 0) {
		report(d, &e);
		/* The guard takes care of what may be mounted. */
		if (d->guardfd >= 0)
			(void)close(d->guardfd);
		finish(d);
		return EX_FAIL;
	}
	if (d->o.foreground)
		log_stderr();
	sys_protect();
	if ((rc = loop(d)) < 0) {
		log_msg(LOG_ERR, "%s: %s", d->s.inst.mount, strerror(-rc));
		(void)close(d->guardfd);
	} else {
		log_msg(LOG_NOTICE, "%s is no longer served",
		    d->s.inst.mount);
		guard_release(d->guardfd);
	}
	finish(d);
	return rc < 0 ? EX_FAIL : EX_OK;
}

/* In the background: the caller's process waits until it is usable. */
static int
detached(struct daemon *d, const char *self)
{
	char	 msg[sizeof(((struct err *)NULL)->msg) + 1];
	size_t	 n = 0;
	ssize_t	 k;
	int	 fd[2];
	pid_t	 pid;

	if (pipe(fd) == -1 || fcntl(fd[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fd[1], F_SETFD, FD_CLOEXEC) == -1 || (pid = fork()) == -1) {
		fprintf(stderr, "cfgfs: fork: %s\n", strerror(errno));
		return EX_FAIL;
	}
	if (pid == 0) {
		(void)close(fd[0]);
		(void)setsid();
		d->readyfd = fd[1];
		exit(serve(d));
	}
	(void)close(fd[1]);
	while (n < sizeof(msg) - 1 &&
	    (k = read(fd[0], msg + n, sizeof(msg) - 1 - n)) != 0) {
		if (k > 0)
			n += (size_t)k;
		else if (errno != EINTR)
			break;
	}
	msg[n] = '\0';
	if (strcmp(msg, "+") == 0) {
		start_others(&d->s, &d->o, self);
		return EX_OK;
	}
	fprintf(stderr, "cfgfs: %s\n", n > 0 ? msg : "the daemon died");
	return EX_FAIL;
}

int
main(int argc, char **argv)
{
	static struct daemon	 d;
	struct err		 e = { 0, "" };
	int			 rc;

	d.readyfd = -1;
	if ((rc = opts_parse(&d.o, argc, argv)) != -1) {
		opts_free(&d.o);
		return rc;
	}
	if (start_prepare(&d.s, &d.o, argv[0], &e) < 0) {
		fprintf(stderr, "cfgfs: %s\n", e.msg);
		start_free(&d.s);
		opts_free(&d.o);
		return EX_FAIL;
	}
	return d.o.foreground ? serve(&d) : detached(&d, argv[0]);
}
