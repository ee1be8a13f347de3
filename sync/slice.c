/*
 * slice.c: reach a store where it lies, and leave the place as found.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "../lib/osfs.h"
#include "slice.h"

/*
 * One window at a time on the whole system: a second writer would find
 * the slice writable only because of the first, and a reader would keep
 * it from being unmounted.  But readers share the lock of one that has
 * mounted a slice, as a program that reads may well run, or be, another;
 * who is the last of them unmounts it.  The lock is outside of any slice.
 */
#define LOCK_FILE	RUNDIR "/cfgfs-slice.lock"
#define LOCK_WAIT	30		/* seconds */

/* What is busy for a moment may be free soon after. */
#define BUSY_TRIES	40
#define PAUSE_NS	50000000

enum found {
	FOUND_USABLE,		/* nothing is changed */
	FOUND_RO,		/* mounted, read-only */
	FOUND_UNMOUNTED
};

struct slice {
	struct io	*io;		/* owned; NULL until it is open */
	enum found	 found;
	struct os_mnt	 mnt;		/* FOUND_RO: as it was */
	char		*dir;		/* owned: FOUND_UNMOUNTED: where */
	int		 lock;		/* of the window, or -1 */
	bool		 shared;	/* the lock is, with other readers */
	bool		 held;		/* signals are held off */
	sigset_t	 mask;		/* the mask that held before */
	uint64_t	 start;		/* ns, when the window was opened */
};

static uint64_t
now_ns(void)
{
	struct timespec	 ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
pause_short(void)
{
	struct timespec	 ts = { 0, PAUSE_NS };

	(void)nanosleep(&ts, NULL);	/* waking early does no harm */
}

/* Hold off all signals but those of a fault of our own. */
static void
hold_signals(struct slice *s)
{
	static const int faults[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL,
	    SIGSEGV, SIGSYS, SIGTRAP };
	sigset_t	 all;
	size_t		 i;

	(void)sigfillset(&all);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigdelset(&all, faults[i]);
	if (sigprocmask(SIG_BLOCK, &all, &s->mask) == 0)
		s->held = true;
}

/* The window's lock and the signals, given back. */
static void
let_go(struct slice *s)
{
	if (s->lock != -1)
		(void)close(s->lock);
	s->lock = -1;
	if (s->held) {
		s->held = false;
		(void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
	}
}

/*
 * What was found is written into the lock's file before it is changed, and
 * taken out once it has been put back: so a window whose owner was killed
 * is closed by the next.
 */
static void
remember(struct slice *s, char what, const struct os_mnt *m, const char *dir)
{
	struct buf	 b = BUF_INIT;

	if (s->lock == -1)
		return;
	put_fmt(&b, "%c%d%d%s", what, m != NULL && m->fs_ro,
	    m != NULL && m->dir_ro, dir);
	put_u8(&b, '\0');
	/* If it can't be written, being killed is all that is not covered. */
	if (!b.bad)
		(void)!pwrite(s->lock, b.p, b.len, 0);
	buf_free(&b);
}

static void
forget(struct slice *s)
{
	if (s->lock != -1)
		(void)!ftruncate(s->lock, 0);
}

static void
recover(struct slice *s)
{
	struct os_mnt	 m;
	char		 b[PATH_MAX + 4];
	ssize_t		 n = pread(s->lock, b, sizeof(b), 0);

	if (n < 5 || b[n - 1] != '\0' || b[3] != '/' ||
	    os_mnt_at(b + 3, &m, NULL) < 0)
		n = 0;			/* nothing to be done */
	else if (b[0] == 'u')
		(void)os_unmount(m.dir, false, NULL);
	else if (!m.ro) {
		m.fs_ro = b[1] == '1';
		m.dir_ro = b[2] == '1';
		m.ro = true;
		(void)os_remount(&m, true, NULL);
	}
	if (n > 0)
		os_mnt_free(&m);
	forget(s);
}

/* Whether a reader who holds the lock has mounted dir for itself. */
static bool
is_shared(const struct slice *s, const char *dir)
{
	struct os_mnt	 m;
	char		 b[PATH_MAX + 4], *real;
	ssize_t		 n = pread(s->lock, b, sizeof(b), 0);
	bool		 is;

	if (n < 5 || b[n - 1] != '\0' || b[0] != 'u' ||
	    (real = realpath(dir, NULL)) == NULL)
		return false;
	is = strcmp(real, b + 3) == 0 && os_mnt_at(real, &m, NULL) == 0;
	free(real);
	if (is)
		os_mnt_free(&m);
	return is;
}

/*
 * Wait for the window's lock, or for a part in that of another reader, who
 * has mounted dir; a writer's dir is NULL.  Early at boot there may be no
 * place for it, nor anyone else; and who may not take it may not mount
 * either.
 */
static int
take_lock(struct slice *s, const char *path, const char *dir, struct err *e)
{
	uint64_t	 until = now_ns() + LOCK_WAIT * 1000000000ull;

	s->lock = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (s->lock == -1)
		return errno == ENOENT || errno == EROFS || errno == EACCES ?
		    0 : err_set(e, errno, "open %s", LOCK_FILE);
	while (flock(s->lock, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(e, errno, "lock %s", LOCK_FILE);
		if (dir != NULL && flock(s->lock, LOCK_SH | LOCK_NB) == 0) {
			if ((s->shared = is_shared(s, dir)))
				return 0;
			(void)flock(s->lock, LOCK_UN);
		}
		if (now_ns() > until)
			return err_setx(e, EBUSY, "%s: the slice is in use by "
			    "another program", path);
		pause_short();
	}
	recover(s);
	return 0;
}

static void
exec_mount(const char *dir, bool write, int out)
{
	static const char *const at[] = { "/sbin/mount", "/bin/mount",
	    "/usr/bin/mount", "/usr/sbin/mount" };
	const char	*argv[] = { "mount", "-o", write ? "rw" : "ro", dir,
	    NULL };
	static const char *const env[] = { "PATH=/sbin:/bin:/usr/sbin:/usr/bin",
	    NULL };
	size_t		 i;

	if (dup2(out, STDERR_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(127);
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		(void)execve(at[i], (char *const *)argv, (char *const *)env);
	_exit(127);
}

/*
 * Mount what fstab(5) has for dir, by mount(8), which knows labels,
 * helpers and options.  Whether it is there then is what counts.
 */
static int
mount_fstab(const char *dir, bool write, struct err *e)
{
	struct os_mnt	 m;
	char		 says[256];
	ssize_t		 n;
	int		 p[2];
	pid_t		 pid;

	/* Non-blocking: what it says beyond a pipe's fill is dropped. */
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) == -1)
		return err_set(e, errno, "mount %s", dir);
	if ((pid = fork()) == 0)
		exec_mount(dir, write, p[1]);
	(void)close(p[1]);
	while (pid != -1 && waitpid(pid, NULL, 0) == -1 && errno == EINTR)
		;
	n = read(p[0], says, sizeof(says) - 1);
	(void)close(p[0]);
	if (pid == -1)
		return err_set(e, EAGAIN, "mount %s", dir);
	if (os_mnt_at(dir, &m, NULL) == 0) {
		os_mnt_free(&m);
		return 0;
	}
	says[n > 0 ? n : 0] = '\0';
	says[strcspn(says, "\n")] = '\0';
	return err_setx(e, EIO, "mount %s: %s", dir,
	    *says == '\0' ? "it failed" : says);
}

/* Retry what fails with EBUSY for a while. */
static int
remount_ro(const struct os_mnt *m, struct err *e)
{
	int	 i, rc;

	for (i = 0; (rc = os_remount(m, true, e)) == -EBUSY &&
	    i < BUSY_TRIES; i++)
		pause_short();
	return rc;
}

/*
 * Another program may have gone there meanwhile: then at least nothing
 * can be written to it.
 */
static int
unmount(const char *dir, struct err *e)
{
	struct os_mnt	 m;
	int		 i, rc;

	for (i = 0; (rc = os_unmount(dir, false, e)) == -EBUSY &&
	    i < BUSY_TRIES; i++)
		pause_short();
	if (rc == -EBUSY && os_mnt_at(dir, &m, NULL) == 0) {
		m.fs_ro = m.dir_ro = true;
		if (os_remount(&m, true, NULL) == 0)
			rc = err_setx(e, EBUSY, "unmount %s: in use by "
			    "another program; left mounted read-only", dir);
		os_mnt_free(&m);
	}
	return rc;
}

/* Whether it is not for others to unmount.  The last one gets the lock:
 * one that fails to has none any more. */
static bool
is_last(const struct slice *s)
{
	return !s->shared || flock(s->lock, LOCK_EX | LOCK_NB) == 0;
}

/*
 * Everything as it was found, whatever is open.  *ns (may be NULL) is the
 * length of the window.
 */
static int
put_back(struct slice *s, uint64_t *ns, struct err *e)
{
	bool	 last;
	int	 rc = 0;

	io_close(s->io);
	s->io = NULL;
	last = is_last(s);
	switch (s->found) {
	case FOUND_USABLE:
		break;
	case FOUND_RO:
		rc = remount_ro(&s->mnt, e);
		break;
	case FOUND_UNMOUNTED:
		rc = last ? unmount(s->dir, e) : 0;
		break;
	}
	if (ns != NULL)
		*ns = s->found == FOUND_USABLE ? 0 : now_ns() - s->start;
	if (rc == 0 && last)
		forget(s);
	/* Last, as a signal that was held off may end us here. */
	let_go(s);
	os_mnt_free(&s->mnt);
	free(s->dir);
	free(s);
	return rc;
}

/* The same where something has failed already, which is what counts. */
static int
give_up(struct slice *s, int rc, const struct err *why, struct err *e)
{
	struct err	 then;

	if (put_back(s, NULL, &then) < 0)
		return err_setx(e, -rc, "%.500s; and %.500s", why->msg,
		    then.msg);
	return err_setx(e, -rc, "%s", why->msg);
}

/* The absolute path by which to look into fstab(5): without links as far
 * as that can be told while something may not be mounted. */
static char *
absolute(const char *path)
{
	char	*real, *dir, *p = NULL, *slash;
	size_t	 n;

	if ((real = realpath(path, NULL)) != NULL)
		return real;
	if ((dir = strdup(path)) == NULL)
		return NULL;
	slash = strrchr(dir, '/');
	if (slash != NULL && slash != dir) {
		*slash = '\0';
		real = realpath(dir, NULL);
	} else
		real = realpath(slash == NULL ? "." : "/", NULL);
	if (real == NULL)
		p = strdup(path);	/* to fail where it is opened */
	else if ((p = malloc(strlen(real) + strlen(path) + 2)) != NULL) {
		n = strlen(real);
		(void)snprintf(p, n + strlen(path) + 2, "%s/%s",
		    n == 1 ? "" : real,
		    slash == NULL ? path : path + (slash - dir) + 1);
	}
	free(real);
	free(dir);
	return p;
}

/* Mount dir unless it is; the window is open then. */
static int
reach_dir(struct slice *s, const char *dir, bool write, struct err *e)
{
	struct os_mnt	 m;
	int		 rc;

	if ((s->dir = realpath(dir, NULL)) == NULL)
		return err_set(e, errno, "mount %s", dir);
	if (s->shared) {
		s->start = now_ns();
		s->found = FOUND_UNMOUNTED;
		return 0;
	}
	if ((rc = os_mnt_at(s->dir, &m, e)) == 0) {
		os_mnt_free(&m);
		return 0;
	}
	if (rc != -ENOENT)
		return rc;
	remember(s, 'u', NULL, s->dir);
	s->start = now_ns();
	if ((rc = mount_fstab(s->dir, write, e)) < 0)
		return rc;
	s->found = FOUND_UNMOUNTED;
	if (write || s->lock == -1)
		return 0;
	/* Whoever comes between has taken this for what a dead one left, and
	 * has unmounted it. */
	s->shared = flock(s->lock, LOCK_SH | LOCK_NB) == 0;
	if (s->shared)
		return 0;
	s->found = FOUND_USABLE;
	return err_setx(e, ESTALE, "mount %s: another program was faster",
	    s->dir);
}

/* Make the file system that holds path writable. */
static int
reach_write(struct slice *s, const char *path, struct err *e)
{
	struct statvfs	 vfs;
	char		*real;
	int		 rc;

	/* To go through the table of mounts takes longer than the write. */
	if (statvfs(path, &vfs) == 0 && (vfs.f_flag & ST_RDONLY) == 0)
		return 0;
	if ((real = absolute(path)) == NULL)
		return err_set(e, ENOMEM, "open %s", path);
	rc = os_mnt_of(real, &s->mnt, e);
	free(real);
	if (rc < 0 || !s->mnt.ro)
		return rc;
	remember(s, 'r', &s->mnt, s->mnt.dir);
	s->start = now_ns();
	if ((rc = os_remount(&s->mnt, false, e)) == 0)
		s->found = FOUND_RO;
	return rc;
}

static bool
is_device(const char *path)
{
	struct stat	 st;

	return stat(path, &st) == 0 &&
	    (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode));
}

/* Bring it about that path can be opened. */
static int
reach(struct slice *s, const char *path, bool write, struct err *e)
{
	char	*abs, *dir = NULL;
	int	 rc;

	if (is_device(path))
		return 0;
	if ((abs = absolute(path)) == NULL)
		return err_set(e, ENOMEM, "open %s", path);
	rc = os_fstab_noauto(abs, &dir, e);
	if (rc == -ENOENT && !write) {
		rc = 0;			/* as it is, or not at all */
		goto out;
	}
	if (rc < 0 && rc != -ENOENT)
		goto out;
	do {
		if ((rc = take_lock(s, path, write ? NULL : dir, e)) < 0)
			break;
		hold_signals(s);
		if (dir != NULL && (rc = reach_dir(s, dir, write, e)) ==
		    -ESTALE) {
			let_go(s);
			free(s->dir);
			s->dir = NULL;
		}
	} while (rc == -ESTALE);
	if (rc == 0 && write && s->found == FOUND_USABLE && !is_device(path))
		rc = reach_write(s, path, e);
	if (s->found == FOUND_USABLE)
		let_go(s);
out:
	free(abs);
	free(dir);
	return rc;
}

static int
begin(struct slice **sp, const char *path, bool write, struct err *e)
{
	struct err	 why;
	int		 rc;

	if ((*sp = calloc(1, sizeof(**sp))) == NULL)
		return err_set(e, ENOMEM, "open %s", path);
	(*sp)->lock = -1;
	if ((rc = reach(*sp, path, write, &why)) < 0) {
		rc = give_up(*sp, rc, &why, e);
		*sp = NULL;
	}
	return rc;
}

/* Open the medium in the window, which is closed where that fails. */
static int
open_io(struct slice **sp, const char *path, int flags, struct io **iop,
    struct err *e)
{
	struct err	 why;
	int		 rc;

	if ((rc = io_open(&(*sp)->io, path, flags, &why)) < 0) {
		rc = give_up(*sp, rc, &why, e);
		*sp = NULL;
		return rc;
	}
	*iop = (*sp)->io;
	return 0;
}

int
slice_open(struct slice **sp, const char *path, bool write, struct io **iop,
    struct err *e)
{
	int	 rc;

	*iop = NULL;
	if ((rc = begin(sp, path, write, e)) < 0)
		return rc;
	return open_io(sp, path, write ? IO_WRITE : 0, iop, e);
}

int
slice_create(struct slice **sp, const char *path, uint64_t size,
    struct io **iop, struct err *e)
{
	struct err	 why;
	int		 rc;

	*iop = NULL;
	if ((rc = begin(sp, path, true, e)) < 0)
		return rc;
	if ((rc = io_create(path, size, &why)) < 0) {
		rc = give_up(*sp, rc, &why, e);
		*sp = NULL;
		return rc;
	}
	return open_io(sp, path, IO_WRITE, iop, e);
}

int
slice_close(struct slice *s, uint64_t *window_ns, struct err *e)
{
	if (window_ns != NULL)
		*window_ns = 0;
	return s == NULL ? 0 : put_back(s, window_ns, e);
}
