/*
 * viewdraw.c: draws random system calls on a small set of paths, so small
 * that most calls meet what earlier ones left.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"
#include "viewops.h"

#define N50	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define N255	N50 N50 N50 N50 N50 "12345"

static const char *const dirs[] = { "d", "e", "d/d", "d/e", "e/d", "e/d/f",
    "d/g h", "\xff\xfe" };
static const char *const files[] = { "a", "b", "c", "d", "e", "f", "g h",
    "new\nline", "\xff\xfe", ".h", "-x" };
static const char *const odd[] = { N255, N255 "6", "a/", "d/", "d/.", "d/..",
    "d/./e", "", ".", "e/../a", "d/a/", "a/b/c", N255 "/a",
    "missing/x", "d//a" };
static const char *const targets[] = { "a", "d", "d/b", "./c", "missing",
    "e/d", "missing/x", "l", "d/", N255 };

const char *const kind_names[K_MAX] = {
	"open", "close", "read", "pread", "write", "pwrite", "ftruncate",
	"truncate", "unlink", "rmdir", "mkdir", "rename", "link", "linkfd",
	"symlink", "mknod", "bind", "chmod", "fchmod", "chown", "fchown",
	"utimens", "futimens", "setxattr", "getxattr", "listxattr",
	"removexattr", "acl", "statvfs", "fsync", "fallocate", "lseek",
	"readlink", "access", "fstat", "stat", "list", "mmap", "copyrange",
	"umask", "save", "slurp"
};

static const uint8_t weight[K_MAX] = {
	[K_OPEN] = 30, [K_CLOSE] = 8, [K_READ] = 8, [K_PREAD] = 6,
	[K_WRITE] = 14, [K_PWRITE] = 10, [K_FTRUNCATE] = 4, [K_TRUNCATE] = 4,
	[K_UNLINK] = 12, [K_RMDIR] = 5, [K_MKDIR] = 14, [K_RENAME] = 22,
	[K_LINK] = 8, [K_LINKFD] = 1, [K_SYMLINK] = 6, [K_MKNOD] = 4,
	[K_BIND] = 1, [K_CHMOD] = 8, [K_FCHMOD] = 3, [K_CHOWN] = 6,
	[K_FCHOWN] = 2, [K_UTIMENS] = 5, [K_FUTIMENS] = 3, [K_SETXATTR] = 4,
	[K_GETXATTR] = 2, [K_LISTXATTR] = 2, [K_REMOVEXATTR] = 2, [K_ACL] = 3,
	[K_STATVFS] = 1, [K_FSYNC] = 2, [K_FALLOCATE] = 4, [K_LSEEK] = 5,
	[K_READLINK] = 3, [K_ACCESS] = 5, [K_FSTAT] = 4, [K_STAT] = 8,
	[K_LIST] = 6, [K_MMAP] = 4, [K_COPYRANGE] = 2, [K_UMASK] = 1,
	[K_SAVE] = 8, [K_SLURP] = 6
};

#define PICK(a, s) ((a)[tap_rand(s) % (sizeof(a) / sizeof((a)[0]))])

static uint64_t
below(uint64_t *s, uint64_t n)
{
	return tap_rand(s) % n;
}

/* A path; the strings live until the second next call. */
static const char *
draw_path(uint64_t *s)
{
	static char	 buf[4][1024];
	static unsigned	 turn;
	char		*b = buf[turn++ % 4];
	uint64_t	 r = below(s, 100);

	b[0] = '\0';
	if (r < 4) {
		strcpy(b, PICK(odd, s));
		return b;
	}
	if (r < 55) {
		strcpy(b, PICK(dirs, s));
		strcat(b, "/");
	}
	strcat(b, PICK(files, s));
	return b;
}

static int
draw_open(uint64_t *s)
{
	static const int extra[] = { O_CREAT, O_CREAT, O_CREAT, O_EXCL,
	    O_TRUNC, O_APPEND, O_DIRECTORY, O_NOFOLLOW, O_SYNC, O_PATH };
	int	 fl = (int)below(s, 4), i;	/* 3 is a mode too */

	if (fl == 3)
		fl = O_RDWR;
	for (i = 0; i < 3; i++)
		if (below(s, 2))
			fl |= PICK(extra, s);
	return fl;
}

static int64_t
draw_time(uint64_t *s)
{
	switch (below(s, 4)) {
	case 0:		return -1;		/* UTIME_NOW */
	case 1:		return -2;		/* UTIME_OMIT */
	default:	return (int64_t)below(s, 1400000000) * 1000000000 +
			    (int64_t)below(s, 1000000000);
	}
}

void
op_draw(struct op *o, uint64_t *s)
{
	unsigned	 sum = 0, r, k;
	static const unsigned modes[] = { 0644, 0600, 0755, 0777, 0, 0400,
	    02755, 04755, 06777, 01777, 02777, 0700, 02644 };

	memset(o, 0, sizeof(*o));
	for (k = 0; k < K_MAX; k++)
		sum += weight[k];
	r = (unsigned)below(s, sum);
	for (k = 0; r >= weight[k]; k++)
		r -= weight[k];
	o->kind = (enum kind)k;
	o->who = below(s, 10) < 6 ? 0 : (int)below(s, 2) + 1;
	o->p = draw_path(s);
	o->q = o->kind == K_SYMLINK ? PICK(targets, s) : draw_path(s);
	o->slot = (int)below(s, SLOTS);
	o->slot2 = (int)below(s, SLOTS);
	o->flags = o->kind == K_OPEN ? draw_open(s) : 0;
	o->mode = PICK(modes, s);
	for (k = 0; k < 4; k++)
		o->r[k] = tap_rand(s);
	o->off = (off_t)below(s, below(s, 8) == 0 ? 1000000 : 9000);
	o->n = (size_t)below(s, below(s, 6) == 0 ? 70000 : 600);
	o->t[0] = draw_time(s);
	o->t[1] = draw_time(s);
}

void
op_print(struct buf *b, const struct op *o)
{
	put_fmt(b, "%s who %d p '%.60s' q '%.60s' slot %d %d flags %#x mode "
	    "%#o off %jd n %zu t %jd %jd r %#jx %#jx", kind_names[o->kind],
	    o->who, o->p, o->q, o->slot, o->slot2, (unsigned)o->flags,
	    o->mode, (intmax_t)o->off, o->n, (intmax_t)o->t[0],
	    (intmax_t)o->t[1], (uintmax_t)o->r[0], (uintmax_t)o->r[1]);
}
