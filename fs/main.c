/*
 * main.c: cfgfs serves a directory of configuration files: the order of
 * its start, and its loop.
 */
#include <sys/resource.h>
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
#include "start.h"
#include "sys.h"
#include "touch.h"
#include "view.h"

#define FDS_OTHER	(FDS_DIR + FDS_FILE + CTL_CLIENTS + 32)

static int	 wake[2] = { -1, -1 };	/* a signal writes to it: 't', 'c' */

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
on_signal(int sig)
{
	int	 saved = errno;

	/* A full pipe will wake the loop as well. */
	if (write(wake[1], sig == SIGCHLD ? "c" : "t", 1) == -1)
		errno = 0;
	errno = saved;
}

static int
catch_signals(struct err *e)
{
	static const int	 sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	struct sigaction	 sa;
	size_t			 i;

	if (pipe(wake) == -1)
		return err_set(e, errno, "pipe");
	for (i = 0; i < 2; i++) {
		(void)fcntl(wake[i], F_SETFD, FD_CLOEXEC);
		(void)fcntl(wake[i], F_SETFL, O_NONBLOCK);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_flags = SA_RESTART;
	sa.sa_handler = on_signal;
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		(void)sigaction(sigs[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	return 0;
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
	if (d->v.se == NULL)
		return err_setx(e, ENOMEM, "libfuse refuses its arguments");
	d->fusefd = sys_mount(d->s.inst.mount, d->s.inst.store == NULL ?
	    "cfgfs" : d->s.inst.store, d->o.flags, e);
	if (d->fusefd < 0)
		return d->fusefd;
	if (hold_attach(&d->v, d->fusefd) != 0)
		return err_setx(e, EINVAL, "libfuse refuses its descriptor");
	return 0;
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

/* Signals that came: true when it is time to end. */
static bool
signalled(struct daemon *d)
{
	char	 c;
	pid_t	 pid;
	bool	 end = false;

	while (read(wake[0], &c, 1) == 1) {
		if (c == 't')
			unmount(d);
		while (c == 'c' && (pid = waitpid(-1, NULL, WNOHANG)) > 0)
			end = end || pid == d->unmounter;
	}
	return end;
}

/* Serve until the view is unmounted: 0, or -errno. */
static int
loop(struct daemon *d)
{
	struct pollfd	 p[2 + CTL_FDS];
	int		 n, rc;

	for (;;) {
		p[0] = (struct pollfd){ .fd = d->fusefd, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = wake[0], .events = POLLIN };
		n = ctl_poll(d->ctl, p + 2);
		if (poll(p, (nfds_t)n + 2, ctl_timeout(d->ctl)) == -1) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (p[0].revents != 0) {
			rc = hold_take(&d->v, d->fusefd, ctl_frozen(d->ctl));
			if (rc < 0)
				return rc == -ENODEV ? 0 : rc;
		}
		if (!d->ready && d->v.inited) {
			d->ready = true;
			log_msg(LOG_NOTICE, "serving %s", d->s.inst.mount);
			report(d, NULL);
		}
		if (p[1].revents != 0 && signalled(d))
			return 0;
		ctl_serve(d->ctl, p + 2, n);
		ctl_tick(d->ctl);
	}
}

static void
finish(struct daemon *d)
{
	ctl_close(d->ctl);
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
	rc = d->guardfd < 0 ? d->guardfd : catch_signals(&e);
	if (rc == 0)
		rc = prepare(d, &e);
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
detached(struct daemon *d)
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
	if (strcmp(msg, "+") == 0)
		return EX_OK;
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
	return d.o.foreground ? serve(&d) : detached(&d);
}
