/*
 * mirror-auto.c: the process that pushes in the background.
 *
 * Each commit, and cfgfs when it starts, begins one.  There is one at a
 * time for a box: a byte in a fifo tells the one that is there, a lock says
 * whether there is one.  The byte is written before the lock is tried,
 * and looked for after the lock was given back: so none is lost.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "mirror.h"
#include "mstate.h"

#define WAIT_FIRST	5		/* seconds before the second try */
#define WAIT_MOST	600

struct autos {
	struct margs	*a;
	int		 fifo;
	int		 lock;
	int		 wait;		/* seconds before the next try */
	uint64_t	 head;		/* of the store, at the last wake-up */
	char		 last[512];	/* what the log has been told */
};

static int
open_in(const struct margs *a, const char *name, int flags, struct err *e)
{
	char	*p;
	int	 fd;

	if (asprintf(&p, "%s/mirror/%s", a->c->inst.state, name) == -1)
		return err_set(e, ENOMEM, "%s", name);
	if (strcmp(name, "#wake") == 0 && mkfifo(p, 0600) == -1 &&
	    errno != EEXIST)
		fd = -1;
	else
		fd = open(p, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd == -1)
		fd = err_set(e, errno, "open %s", p);
	free(p);
	return fd;
}

/* Names with "#" are no mirrors'. */
static int
prepare(struct autos *u, struct err *e)
{
	char	*dir;
	int	 rc;

	if (asprintf(&dir, "%s/mirror", u->a->c->inst.state) == -1)
		return err_set(e, ENOMEM, "mirror");
	rc = mkdir(dir, 0755) == -1 && errno != EEXIST ?
	    err_set(e, errno, "mkdir %s", dir) : 0;
	free(dir);
	if (rc < 0)
		return rc;
	if ((u->fifo = open_in(u->a, "#wake", O_RDWR | O_NONBLOCK, e)) < 0)
		return u->fifo;
	u->lock = open_in(u->a, "#lock", O_RDWR | O_CREAT, e);
	return u->lock < 0 ? u->lock : 0;
}

static bool
lock(const struct autos *u)
{
	return flock(u->lock, LOCK_EX | LOCK_NB) == 0;
}

/* Whether somebody has asked for another look; forgets it. */
static bool
woken(const struct autos *u)
{
	char	 b[64];
	bool	 yes = false;

	while (read(u->fifo, b, sizeof(b)) > 0)
		yes = true;
	return yes;
}

/* Away from the terminal, the session and the directory of who began it,
 * which may all end. */
static int
detach(void)
{
	pid_t	 pid;
	int	 null;

	if ((pid = fork()) == -1)
		return -errno;
	if (pid > 0)
		_exit(EX_OK);
	(void)setsid();
	(void)signal(SIGHUP, SIG_IGN);
	(void)chdir("/");
	if ((null = open("/dev/null", O_RDWR)) == -1)
		return -errno;
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		(void)close(null);
	return 0;
}

static uint64_t
head_now(struct margs *a)
{
	struct cfg_store	 st;
	struct err		 ignored;
	uint64_t		 head = 0;

	if (cfg_open(a->c, false, &st, &ignored) == 0) {
		head = store_head(st.s);
		(void)cfg_end(&st, -1, 0, &ignored);
	}
	return head;
}

/* The log hears of each failure once. */
static void
tell(struct autos *u, const struct conf_far *m, int rc, const struct err *e)
{
	char	 line[sizeof(u->last)];

	if (rc < 0)
		(void)snprintf(line, sizeof(line), "%s: %.400s", m->name,
		    e->msg);
	else
		(void)snprintf(line, sizeof(line), "%s: up to date", m->name);
	if (strcmp(line, u->last) == 0)
		return;
	memcpy(u->last, line, sizeof(line));
	openlog("cfg-mirror", LOG_PID, LOG_DAEMON);
	syslog(rc < 0 ? LOG_WARNING : LOG_INFO, "%s: %s",
	    u->a->c->inst.mount, line);
	closelog();
}

/* A push to each that is behind: whether all are up to date. */
static bool
round_of(struct autos *u)
{
	const struct conf_far	*m;
	struct mstate		 s;
	struct err		 e = { 0, "" };
	bool			 done = true;
	size_t			 i;
	int			 rc;

	/* What the configuration says may have changed since. */
	conf_free(&u->a->conf);
	if (conf_read(&u->a->conf, cfg_root(u->a->c), &e) < 0)
		return true;
	for (i = 0; i < u->a->conf.n; i++) {
		m = &u->a->conf.mirror[i];
		if (m->manual)
			continue;
		mstate_load(u->a->c->inst.state, m->name, &s);
		if (s.at.id != 0 && s.at.seq >= u->head && s.error[0] == '\0')
			continue;
		rc = mirror_push(u->a, m, true, &e);
		tell(u, m, rc, &e);
		/* A mirror that refuses will go on doing so. */
		if (rc < 0 && rc != -EEXIST)
			done = false;
	}
	return done;
}

/* Until all is done: then the lock is given back. */
static void
work(struct autos *u)
{
	struct pollfd	 p = { .fd = u->fifo, .events = POLLIN };

	u->wait = WAIT_FIRST;
	u->head = head_now(u->a);
	do {
		/* A slice is not mounted for each try. */
		if (woken(u))
			u->head = head_now(u->a);
		if (round_of(u))
			break;
		if (poll(&p, 1, u->wait * 1000) > 0)
			u->wait = WAIT_FIRST;
		else if ((u->wait *= 2) > WAIT_MOST)
			u->wait = WAIT_MOST;
	} while (access(u->a->c->inst.state, F_OK) == 0);
	(void)flock(u->lock, LOCK_UN);
}

/* Whether any mirror wants it. */
static bool
wanted(const struct margs *a)
{
	size_t	 i;

	for (i = 0; i < a->conf.n; i++)
		if (!a->conf.mirror[i].manual)
			return true;
	return false;
}

int
mirror_auto(struct margs *a)
{
	struct autos	 u = { .a = a, .fifo = -1, .lock = -1 };
	struct err	 e;

	if (!wanted(a))
		return EX_OK;
	if (cfg_inst(a->c, &e) < 0 || prepare(&u, &e) < 0)
		return cfg_fail(a->c, &e);
	(void)!write(u.fifo, "", 1);	/* full: it has been told */
	if (!lock(&u))
		return EX_OK;
	if (detach() < 0)
		return EX_FAIL;
	do
		work(&u);
	while (woken(&u) && lock(&u));
	return EX_OK;
}
