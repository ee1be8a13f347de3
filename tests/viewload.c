/*
 * viewload.c: processes that change a tree and know what they did.
 *
 * Each has a directory with slots: names that hold nothing or a version.
 * Before each system call it notes what the slot may become, after it
 * what it is.  When a call fails because the view is gone, it waits for
 * the tree to be reachable again; every slot must then be what was noted,
 * or, for the call that failed, what it was to become.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"
#include "viewops.h"
#include "viewtool.h"

#define FILES	16		/* slots f0 .. */
#define DIRS	8		/* slots d0 ..: a directory with a file x */
#define ALL	(FILES + DIRS)
#define NONE	0		/* slot: no such name */
#define EMPTY	-1		/* a directory without its file */
#define TORN	-2		/* half a file */
#define WAIT	20		/* seconds until the tree is back */

struct shared {			/* of all processes */
	long	 ops, cuts, bad;
	int	 stop;
};

struct proc {
	struct shared	*sh;
	char		 dir[512];
	int		 have[ALL];	/* known to be */
	int		 want[ALL];	/* may be as well */
	bool		 linked[ALL];	/* shares its inode with another */
	int		 version;
	uint64_t	 seed;
};

static bool
is_dir(int slot)
{
	return slot >= FILES;
}

static const char *
slot_name(const struct proc *p, int s, const char *tail)
{
	static char	 buf[4][600];
	static int	 turn;
	char		*b = buf[turn++ % 4];

	snprintf(b, sizeof(buf[0]), "%s/%c%d%s", p->dir, is_dir(s) ? 'd' : 'f',
	    s, tail);
	return b;
}

static const char *
file_of(const struct proc *p, int s)
{
	return slot_name(p, s, is_dir(s) ? "/x" : "");
}

static size_t
text(char *b, int version)
{
	size_t	 n = 20 + (size_t)(version * 37 % 6000), i;

	memset(b, 'a' + version % 26, n);
	i = (size_t)snprintf(b, 20, "v%d.%zu.", version, n);
	b[i] = '-';
	return n;
}

/* What a slot holds now; errno is set where that can't be told. */
static int
look(const struct proc *p, int s)
{
	static char	 b[8192], want[8192];
	struct stat	 st;
	ssize_t		 n = 0, k;
	int		 fd, v;

	errno = 0;
	if ((fd = open(file_of(p, s), O_RDONLY)) == -1) {
		if (errno != ENOENT)
			return TORN;
		errno = 0;
		if (!is_dir(s))
			return NONE;
		if (stat(slot_name(p, s, ""), &st) == 0)
			return EMPTY;
		if (errno == ENOENT)
			errno = 0;
		return NONE;
	}
	while ((k = read(fd, b + n, sizeof(b) - 1 - (size_t)n)) > 0)
		n += k;
	if (k == -1 || close(fd) == -1)
		return TORN;
	errno = 0;
	b[n] = '\0';
	if (sscanf(b, "v%d.", &v) != 1 || v <= 0)
		return TORN;
	return text(want, v) == (size_t)n && memcmp(b, want, (size_t)n) == 0 ?
	    v : TORN;
}

/* Whether the view is away, or came between a call's two paths: then the
 * call counts as perhaps done. */
static bool
gone(int error)
{
	return error == EXDEV || error == ENOTCONN || error == ECONNABORTED ||
	    error == EIO || error == ENODEV || error == EINTR;
}

static void
bad(struct proc *p, int s, const char *what, int is)
{
	__atomic_add_fetch(&p->sh->bad, 1, __ATOMIC_RELAXED);
	printf("%s: %s: is %d, was %d, perhaps %d (%s)\n", slot_name(p, s, ""),
	    what, is, p->have[s], p->want[s], strerror(errno));
	fflush(stdout);
}

/*
 * Wait until the tree is served by someone alive: what a dead view had
 * cached (that a name is missing) is still told, but not its statfs.
 */
static void
await_tree(const struct proc *p)
{
	time_t		 end = time(NULL) + WAIT;
	struct statvfs	 v;

	while (statvfs(p->dir, &v) == -1 && gone(errno) && time(NULL) < end)
		(void)usleep(1000);
}

/* Each slot must be what is noted of it. */
static void
check(struct proc *p)
{
	time_t	 end = time(NULL) + WAIT;
	int	 s, v;

	await_tree(p);
	for (s = 0; s < ALL; s++) {
		v = look(p, s);
		if (errno != 0 && gone(errno) && time(NULL) < end) {
			await_tree(p);
			s = -1;			/* all over again */
			continue;
		}
		if (errno != 0)
			bad(p, s, "can't be read", v);
		else if (v != p->have[s] && v != p->want[s] &&
		    p->want[s] != TORN)
			bad(p, s, "lost", v);
		p->have[s] = p->want[s] = v;
	}
}

/* After a call: it took place, or the view was away, or it is wrong. */
static bool
done(struct proc *p, int rc, int a, int b)
{
	if (rc != -1) {
		p->have[a] = p->want[a];
		p->have[b] = p->want[b];
		__atomic_add_fetch(&p->sh->ops, 1, __ATOMIC_RELAXED);
		return true;
	}
	if (!gone(errno))
		bad(p, a, "unexpected error", 0);
	else
		__atomic_add_fetch(&p->sh->cuts, 1, __ATOMIC_RELAXED);
	check(p);
	return false;
}

static int
put(const char *path, int flags, int version)
{
	char	 b[8192];
	size_t	 n = text(b, version);
	ssize_t	 k;
	int	 fd = open(path, O_WRONLY | flags, 0644), saved;

	if (fd == -1)
		return -1;
	if ((k = write(fd, b, n)) != (ssize_t)n) {
		saved = k == -1 ? errno : EIO;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return close(fd);
}

/* By a temporary file and rename: old or new, nothing between. */
static void
save(struct proc *p, int s)
{
	char	 tmp[600];
	int	 v = ++p->version;

	snprintf(tmp, sizeof(tmp), "%s/tmp.%d", p->dir, v % 7);
	if (!done(p, put(tmp, O_CREAT | O_TRUNC, v), s, s))
		return;
	p->want[s] = v;
	if (done(p, rename(tmp, file_of(p, s)), s, s))
		p->linked[s] = false;
}

static void
rewrite(struct proc *p, int s)
{
	int	 v = ++p->version;

	if (p->linked[s])
		return;
	p->want[s] = TORN;		/* whatever it is, if cut off */
	if (put(file_of(p, s), O_CREAT | O_TRUNC, v) == -1) {
		(void)done(p, -1, s, s);
		if (p->have[s] == TORN)
			save(p, s);
	} else {
		p->want[s] = v;
		(void)done(p, 0, s, s);
	}
}

static void
delete(struct proc *p, int s)
{
	bool	 dir = is_dir(s);

	if (p->have[s] != EMPTY) {
		p->want[s] = dir ? EMPTY : NONE;
		if (!done(p, unlink(file_of(p, s)), s, s))
			return;
	}
	if (dir) {
		p->want[s] = NONE;
		(void)done(p, rmdir(slot_name(p, s, "")), s, s);
	}
}

static void
create(struct proc *p, int s)
{
	if (is_dir(s)) {
		p->want[s] = EMPTY;
		if (!done(p, mkdir(slot_name(p, s, ""), 0755), s, s))
			return;
	}
	p->linked[s] = false;
	rewrite(p, s);
}

/* One slot of each kind; the second may be there already. */
static void
move(struct proc *p, int s, int t)
{
	if (s == t || is_dir(s) != is_dir(t) ||
	    (is_dir(t) && p->have[t] != NONE) || p->linked[s] ||
	    p->linked[t])
		return;
	p->want[t] = p->have[s];
	p->want[s] = NONE;
	(void)done(p, rename(slot_name(p, s, ""), slot_name(p, t, "")), s, t);
}

static void
hard(struct proc *p, int s, int t)
{
	if (s == t || is_dir(s) || is_dir(t) || p->have[t] != NONE)
		return;
	p->linked[s] = p->linked[t] = true;
	p->want[t] = p->have[s];
	(void)done(p, link(file_of(p, s), file_of(p, t)), t, t);
}

static void
step(struct proc *p)
{
	int	 s = (int)(tap_rand(&p->seed) % ALL);
	int	 t = (int)(tap_rand(&p->seed) % ALL);

	if (p->have[s] == NONE)
		create(p, s);
	else if (p->have[s] == EMPTY || p->have[s] == TORN)
		save(p, s);
	else switch (tap_rand(&p->seed) % 8) {
	case 0:		delete(p, s); break;
	case 1:		rewrite(p, s); break;
	case 2:
	case 3:		move(p, s, t); break;
	case 4:		hard(p, s, t); break;
	case 5:		(void)done(p, chmod(file_of(p, s), 0600 +
			    (mode_t)(p->version % 8)), s, s); break;
	default:	save(p, s); break;
	}
}

static void
work(struct proc *p)
{
	int	 i;

	for (i = 1; !__atomic_load_n(&p->sh->stop, __ATOMIC_RELAXED); i++) {
		step(p);
		if (i % 200 == 0)
			check(p);
	}
	check(p);
}

/* load TREE PROCESSES STOPFILE SEED: until the file is there. */
int
verb_load(int argc, char **argv)
{
	struct shared	*sh;
	struct proc	*p;
	int		 i, n = argc < 4 ? 0 : atoi(argv[1]), status, failed = 0;

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (n <= 0 || sh == MAP_FAILED || (p = calloc(1, sizeof(*p))) == NULL)
		return 64;
	p->sh = sh;
	for (i = 0; i < n; i++) {
		snprintf(p->dir, sizeof(p->dir), "%s/p%d", argv[0], i);
		p->seed = strtoull(argv[3], NULL, 0) + (uint64_t)i + 1;
		if (mkdir(p->dir, 0755) == -1 && errno != EEXIST)
			return 2;
		if (fork() == 0) {
			work(p);
			_exit(0);
		}
	}
	while (access(argv[2], F_OK) == -1)
		(void)usleep(10000);
	sh->stop = 1;
	while (wait(&status) != -1)
		failed += status != 0;
	printf("calls %ld cut %ld bad %ld died %d\n", sh->ops, sh->cuts,
	    sh->bad, failed);
	return sh->bad > 0 || failed > 0 || sh->ops == 0;
}

/* change TREE SEED COUNT: random calls of every kind (viewdraw.c). */
int
verb_change(int argc, char **argv)
{
	struct buf	 log = BUF_INIT;
	struct side	 s;
	struct op	 o;
	uint64_t	 seed;
	long		 i, n;

	if (argc < 3)
		return 64;
	seed = strtoull(argv[1], NULL, 0) * 1000003 + 1;
	n = atol(argv[2]);
	if ((s.root = open(argv[0], O_RDONLY | O_DIRECTORY)) == -1)
		return 2;
	for (i = 0; i < SLOTS; i++)
		s.slot[i] = -1;
	for (i = 0; i < n; i++) {
		op_draw(&o, &seed);
		log.len = 0;
		op_run(&s, &o, &log);
	}
	buf_free(&log);
	return 0;
}
