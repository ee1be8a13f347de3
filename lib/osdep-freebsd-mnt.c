/*
 * osdep-freebsd-mnt.c: mounts under FreeBSD, by getmntinfo(3) and
 * nmount(2), and fstab(5).
 */
#include <sys/param.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <errno.h>
#include <fstab.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "osdep.h"
#include "osfs.h"

extern char	**environ;

void
os_mnt_free(struct os_mnt *m)
{
	free(m->dir);
	free(m->from);
	free(m->type);
	memset(m, 0, sizeof(*m));
}

static bool
on_way(const char *dir, const char *path)
{
	size_t	 n = strlen(dir);

	if (n == 1)
		return true;	/* "/" */
	return strncmp(path, dir, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/');
}

/*
 * The kernel lists mounts in the order in which they were made, and each
 * hides what was at or below its directory: so the last one on the way
 * holds path.  Valid until the next call.
 */
static const struct statfs *
find(const char *path)
{
	const struct statfs	*best = NULL;
	struct statfs		*v;
	int			 i, n;

	n = getmntinfo(&v, MNT_NOWAIT);
	for (i = 0; i < n; i++)
		if (on_way(v[i].f_mntonname, path))
			best = &v[i];
	return best;
}

static int
describe(const struct statfs *sf, struct os_mnt *m, struct err *e)
{
	memset(m, 0, sizeof(*m));
	m->dir = strdup(sf->f_mntonname);
	m->from = strdup(sf->f_mntfromname);
	m->type = strdup(sf->f_fstypename);
	m->ro = m->fs_ro = (sf->f_flags & MNT_RDONLY) != 0;
	if (m->dir == NULL || m->from == NULL || m->type == NULL) {
		os_mnt_free(m);
		return err_set(e, ENOMEM, "mounts");
	}
	return 0;
}

int
os_mnt_at(const char *dir, struct os_mnt *m, struct err *e)
{
	const struct statfs	*sf = find(dir);

	memset(m, 0, sizeof(*m));
	if (sf == NULL || strcmp(sf->f_mntonname, dir) != 0)
		return err_setx(e, ENOENT, "%s: nothing is mounted there",
		    dir);
	return describe(sf, m, e);
}

int
os_mnt_of(const char *path, struct os_mnt *m, struct err *e)
{
	const struct statfs	*sf = find(path);

	memset(m, 0, sizeof(*m));
	if (sf == NULL)
		return err_setx(e, ENOENT, "%s: nothing is mounted there",
		    path);
	return describe(sf, m, e);
}

/*
 * nmount(2) of pairs of strings that end with a NULL name; a value that
 * is NULL is none.  0 or -errno.
 */
static int
mount_pairs(const char *const *pairs, int flags)
{
	struct iovec	 iov[16];
	unsigned	 n = 0;
	size_t		 i;

	for (i = 0; pairs[i] != NULL; i += 2) {
		if (n + 2 > sizeof(iov) / sizeof(iov[0]))
			return -E2BIG;
		iov[n].iov_base = (void *)(uintptr_t)pairs[i];
		iov[n++].iov_len = strlen(pairs[i]) + 1;
		iov[n].iov_base = (void *)(uintptr_t)pairs[i + 1];
		iov[n++].iov_len = pairs[i + 1] == NULL ? 0 :
		    strlen(pairs[i + 1]) + 1;
	}
	return nmount(iov, n, flags) == -1 ? -errno : 0;
}

/* Where there is no tmpfs: a memory disk with UFS, by mdmfs(8). */
static int
mount_md(const char *dir)
{
	const char	*argv[] = { "mdmfs", "-S", "-p", "0755", "-s", "32m",
	    "md", dir, NULL };
	pid_t		 pid;
	int		 rc, st;

	rc = posix_spawn(&pid, "/sbin/mdmfs", NULL, NULL,
	    (char *const *)(uintptr_t)argv, environ);
	if (rc != 0)
		return -rc;
	while (waitpid(pid, &st, 0) == -1)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(st) && WEXITSTATUS(st) == 0 ? 0 : -EIO;
}

int
os_mount_ram(const char *dir, struct err *e)
{
	const char	*pairs[] = { "fstype", "tmpfs", "fspath", dir,
	    "from", "tmpfs", "mode", "0755", NULL };
	int		 rc = mount_pairs(pairs, 0);

	if (rc == -ENODEV || rc == -EOPNOTSUPP)
		rc = mount_md(dir);
	return rc == 0 ? 0 : err_set(e, -rc, "mount a RAM disk on %s", dir);
}

int
os_mount_bind(const char *from, const char *to, bool ro, struct err *e)
{
	const char	*pairs[] = { "fstype", "nullfs", "fspath", to,
	    "target", from, ro ? "ro" : NULL, NULL, NULL };
	int		 rc = mount_pairs(pairs, ro ? MNT_RDONLY : 0);

	return rc == 0 ? 0 : err_set(e, -rc, "bind %s to %s", from, to);
}

int
os_remount(const struct os_mnt *m, bool ro, struct err *e)
{
	const struct statfs	*sf = find(m->dir);
	const char		*pairs[10] = { "fstype", NULL, "fspath",
	    m->dir, "from", m->from, NULL, NULL, NULL, NULL };
	int			 flags, rc;

	if (sf == NULL || strcmp(sf->f_mntonname, m->dir) != 0)
		return err_setx(e, ENOENT, "%s: nothing is mounted there",
		    m->dir);
	ro = ro && m->ro;	/* back as it was */
	/* What an update may change and is not told again would be lost. */
	flags = (int)(sf->f_flags & MNT_UPDATEMASK) | MNT_UPDATE;
	if (ro)
		flags |= MNT_RDONLY;
	pairs[1] = sf->f_fstypename;
	pairs[6] = ro ? "ro" : "rw";
	rc = mount_pairs(pairs, flags);
	return rc == 0 ? 0 : err_set(e, -rc, "remount %s read-%s", m->dir,
	    ro ? "only" : "write");
}

int
os_unmount(const char *dir, bool lazy, struct err *e)
{
	if (unmount(dir, lazy ? MNT_FORCE : 0) == -1)
		return err_set(e, errno, "unmount %s", dir);
	return 0;
}

/* Whether a list "a,b=c,d" has the word. */
static bool
has_opt(const char *list, const char *word)
{
	size_t	 n = strlen(word);

	for (;; list++) {
		if (strncmp(list, word, n) == 0 &&
		    (list[n] == ',' || list[n] == '\0'))
			return true;
		if ((list = strchr(list, ',')) == NULL)
			return false;
	}
}

int
os_fstab(struct os_fs **v, size_t *n, struct err *e)
{
	struct fstab	*t;
	size_t		 cap = 0;
	int		 rc = 0;

	*v = NULL;
	*n = 0;
	if (setfsent() == 0)
		return 0;
	while (rc == 0 && (t = getfsent()) != NULL)
		rc = os_fstab_add(v, n, &cap, t->fs_spec, t->fs_file,
		    has_opt(t->fs_mntops, "noauto"), e);
	endfsent();
	return rc;
}
