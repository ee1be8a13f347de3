/*
 * viewcases.c: the table of directed cases, and how they keep their log.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "viewcases.h"
#include "viewcmp.h"

const struct view_case view_cases[] = {
	{ "names", "any name of up to 255 bytes", case_names },
	{ "deep", "paths longer than PATH_MAX, step by step", case_deep },
	{ "seekdir", "a directory that changes while it is read",
	    case_seekdir },
	{ "bigdir", "a directory of 10,000 entries", case_bigdir },
	{ "rename", "rename: every kind onto every kind", case_rename },
	{ "setgid", "setgid directories give their group", case_setgid },
	{ "defacl", "default ACLs take the place of the umask", case_defacl },
	{ "acl", "ACLs count, and so does their change", case_acl },
	{ "sticky", "sticky directories protect their entries", case_sticky },
	{ "eacces", "what is not allowed is refused alike", case_eacces },
	{ "suid", "writing takes setuid and setgid away", case_suid },
	{ "flags", "open with every flag on every kind", case_flags },
	{ "holes", "a file of 64 MiB with holes", case_holes },
	{ "locks", "locks between processes", case_locks },
	{ "mmap", "mappings are one with reads and writes", case_mmap },
	{ "append", "two append at once, nothing lost", case_append },
	{ "unlinked", "a file unlinked while open is all there",
	    case_unlinked },
	{ "times", "each change moves the times it should", case_times },
	{ "special", "fifos, sockets and devices work", case_special },
	{ "exec", "programs run, and are busy meanwhile", case_exec },
	{ "full", "a full RAM disk takes nothing away", case_full },
	{ NULL, NULL, NULL },
};

long
view_log(struct buf *l, const char *call, long rc)
{
	if (rc < 0)
		put_fmt(l, "%s: %s\n", call, strerror(errno));
	else
		put_fmt(l, "%s: %ld\n", call, rc);
	return rc;
}

void
log_stat(struct buf *l, int dfd, const char *name)
{
	struct stat	 st;

	put_fmt(l, "%.40s: ", name);
	if (fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		put_fmt(l, "%s", strerror(errno));
	else
		view_stat(l, &st, 0);
	put_u8(l, '\n');
}

void
log_fstat(struct buf *l, int fd)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		put_fmt(l, "fstat: %s", strerror(errno));
	else
		view_stat(l, &st, 0);
	put_u8(l, '\n');
}

void
put_file(int dfd, const char *name, const char *text, unsigned mode)
{
	int	 fd = openat(dfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd == -1 || write(fd, text, strlen(text)) == -1 ||
	    fchmod(fd, mode) == -1 || close(fd) == -1)
		tap_diag("%s: %s", name, strerror(errno));
}

void
log_file(struct buf *l, int dfd, const char *name)
{
	char	 b[4096];
	ssize_t	 n;
	int	 fd = openat(dfd, name, O_RDONLY | O_NONBLOCK);

	put_fmt(l, "%.40s holds ", name);
	if (fd == -1)
		put_fmt(l, "nothing: %s", strerror(errno));
	else {
		while ((n = read(fd, b, sizeof(b))) > 0)
			put_bytes(l, b, (size_t)n);
		(void)close(fd);
	}
	put_u8(l, '\n');
}

void
in_child(int root, struct buf *l, void (*fn)(int, struct buf *))
{
	struct buf	 mine = BUF_INIT;
	char		 b[4096];
	ssize_t		 n;
	pid_t		 pid;
	int		 p[2], status;

	if (pipe(p) == -1 || (pid = fork()) == -1)
		abort();
	if (pid == 0) {
		(void)close(p[0]);
		fn(root, &mine);
		if (mine.len > 0 && write(p[1], mine.p, mine.len) == -1)
			_exit(1);
		_exit(0);
	}
	(void)close(p[1]);
	while ((n = read(p[0], b, sizeof(b))) > 0)
		put_bytes(l, b, (size_t)n);
	(void)close(p[0]);
	(void)waitpid(pid, &status, 0);
	put_fmt(l, "child: %d\n", status);
}
