/*
 * osdep-linux-mnt.c: mounts under Linux, as the kernel's own table tells
 * of them, and fstab(5).
 */
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "osdep.h"
#include "osfs.h"

struct row {			/* a line of the table */
	long		 id;
	long		 parent;	/* the mount that this one is on */
	bool		 lazytime;
	struct os_mnt	 m;
};

struct table {
	struct row	*v;		/* owned */
	size_t		 n;
};

void
os_mnt_free(struct os_mnt *m)
{
	free(m->dir);
	free(m->from);
	free(m->type);
	memset(m, 0, sizeof(*m));
}

static void
table_free(struct table *t)
{
	size_t	 i;

	for (i = 0; i < t->n; i++)
		os_mnt_free(&t->v[i].m);
	free(t->v);
	memset(t, 0, sizeof(*t));
}

/* A new string in which \ooo is the byte again. */
static char *
unescape(const char *s)
{
	char	*p = malloc(strlen(s) + 1), *q = p;

	if (p == NULL)
		return NULL;
	while (*s != '\0') {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' &&
		    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*q++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 4;
		} else
			*q++ = *s++;
	}
	*q = '\0';
	return p;
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

/*
 * proc(5), /proc/PID/mountinfo:
 * id parent maj:min root dir options [tags] - type source fsoptions
 * 0, -EBADMSG for a line that is none, -ENOMEM.
 */
static int
row_parse(char *line, struct row *r)
{
	char	*f[6], *g[3], *save = NULL, *w;
	int	 i;

	memset(r, 0, sizeof(*r));
	line[strcspn(line, "\n")] = '\0';
	for (i = 0; i < 6; i++)
		if ((f[i] = strtok_r(i == 0 ? line : NULL, " ", &save)) == NULL)
			return -EBADMSG;
	while ((w = strtok_r(NULL, " ", &save)) != NULL && strcmp(w, "-") != 0)
		;		/* tags of propagation */
	for (i = 0; i < 3; i++) {
		g[i] = strtok_r(NULL, " ", &save);
		if (g[i] == NULL && i == 0)
			return -EBADMSG;
	}
	/* An empty source leaves one field less. */
	if (g[2] == NULL) {
		g[2] = g[1];
		g[1] = NULL;
	}
	r->id = (long)strtoull(f[0], NULL, 10);
	r->parent = (long)strtoull(f[1], NULL, 10);
	r->m.dir = unescape(f[4]);
	r->m.type = unescape(g[0]);
	r->m.from = unescape(g[1] == NULL ? "" : g[1]);
	r->m.dir_ro = has_opt(f[5], "ro");
	r->m.fs_ro = g[2] != NULL && has_opt(g[2], "ro");
	r->m.ro = r->m.dir_ro || r->m.fs_ro;
	r->lazytime = g[2] != NULL && has_opt(g[2], "lazytime");
	if (r->m.dir == NULL || r->m.type == NULL || r->m.from == NULL) {
		os_mnt_free(&r->m);
		return -ENOMEM;
	}
	return 0;
}

static int
table_add(struct table *t, size_t *cap, char *line)
{
	int	 rc;

	if (more_room(&t->v, t->n, cap, sizeof(*t->v)) < 0)
		return -ENOMEM;
	if ((rc = row_parse(line, &t->v[t->n])) == 0)
		t->n++;
	return rc;
}

static int
table_read(struct table *t, struct err *e)
{
	static const char	 name[] = "/proc/self/mountinfo";
	FILE			*f;
	char			*line = NULL;
	size_t			 cap = 0, n = 0;
	int			 rc = 0;

	memset(t, 0, sizeof(*t));
	if ((f = fopen(name, "re")) == NULL)
		return err_set(e, errno, "open %s", name);
	while (rc == 0 && getline(&line, &n, f) != -1)
		rc = table_add(t, &cap, line);
	if (rc == 0 && ferror(f))
		rc = -EIO;
	if (rc < 0) {
		table_free(t);
		rc = err_set(e, -rc, "read %s", name);
	}
	free(line);
	(void)fclose(f);	/* nothing was written */
	return rc;
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

static bool
is_root(const struct table *t, const struct row *r)
{
	size_t	 i;

	for (i = 0; i < t->n; i++)
		if (t->v[i].id == r->parent && &t->v[i] != r)
			return false;
	return true;
}

/*
 * Walk path over the mounts as the kernel does: from each to the one on
 * it that is met first.  So a mount that is hidden by a later one, above
 * it or over it, is never found.
 */
static struct row *
table_walk(const struct table *t, const char *path)
{
	struct row	*cur = NULL, *best, *r;
	size_t		 i, steps;

	for (steps = 0; steps <= t->n; steps++) {
		best = NULL;
		for (i = 0; i < t->n; i++) {
			r = &t->v[i];
			if (r == cur || !on_way(r->m.dir, path))
				continue;
			if (cur == NULL ? !is_root(t, r) : r->parent != cur->id)
				continue;
			if (best == NULL ||
			    strlen(r->m.dir) < strlen(best->m.dir))
				best = r;
		}
		if (best == NULL)
			break;
		cur = best;
	}
	return cur;
}

/* The row of the mount that holds path; exactly there with `at`. */
static int
find(const char *path, bool at, struct row *out, struct err *e)
{
	struct table	 t;
	struct row	*r;
	int		 rc;

	memset(out, 0, sizeof(*out));
	if ((rc = table_read(&t, e)) < 0)
		return rc;
	r = table_walk(&t, path);
	if (r == NULL || (at && strcmp(r->m.dir, path) != 0))
		rc = err_setx(e, ENOENT, "%s: nothing is mounted there", path);
	else {
		*out = *r;
		memset(&r->m, 0, sizeof(r->m));
	}
	table_free(&t);
	return rc;
}

int
os_mnt_at(const char *dir, struct os_mnt *m, struct err *e)
{
	struct row	 r;
	int		 rc = find(dir, true, &r, e);

	*m = r.m;
	return rc;
}

int
os_mnt_of(const char *path, struct os_mnt *m, struct err *e)
{
	struct row	 r;
	int		 rc = find(path, false, &r, e);

	*m = r.m;
	return rc;
}

int
os_mount_ram(const char *dir, struct err *e)
{
	if (mount("tmpfs", dir, "tmpfs", 0, "mode=0755") == -1)
		return err_set(e, errno, "mount a RAM disk on %s", dir);
	return 0;
}

/* The flags of mount(2) that keep what a mount is: all but read-only. */
static unsigned long
kept_flags(const char *dir, bool lazytime)
{
	static const struct {
		unsigned long	 st, ms;
	} same[] = {
		{ ST_NOSUID, MS_NOSUID },
		{ ST_NODEV, MS_NODEV },
		{ ST_NOEXEC, MS_NOEXEC },
		{ ST_SYNCHRONOUS, MS_SYNCHRONOUS },
		{ ST_MANDLOCK, MS_MANDLOCK },
		{ ST_NOATIME, MS_NOATIME },
		{ ST_NODIRATIME, MS_NODIRATIME },
		{ ST_RELATIME, MS_RELATIME },
	};
	struct statvfs		 sv;
	unsigned long		 flags = lazytime ? MS_LAZYTIME : 0;
	size_t			 i;

	if (statvfs(dir, &sv) == -1)
		return flags;
	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if ((sv.f_flag & same[i].st) != 0)
			flags |= same[i].ms;
	if ((flags & (MS_NOATIME | MS_RELATIME)) == 0)
		flags |= MS_STRICTATIME;
	return flags;
}

/*
 * Private, as else what is mounted later over `from` would appear over
 * `to` too: the two would be peers.
 */
int
os_mount_bind(const char *from, const char *to, bool ro, struct err *e)
{
	int	 saved;

	if (mount(from, to, "none", MS_BIND, NULL) == -1)
		return err_set(e, errno, "bind %s to %s", from, to);
	if (mount(NULL, to, "none", MS_PRIVATE, NULL) == 0 && (!ro ||
	    mount(NULL, to, "none", MS_REMOUNT | MS_BIND | MS_RDONLY |
	    kept_flags(to, false), NULL) == 0))
		return 0;
	saved = errno;
	(void)umount2(to, MNT_DETACH);	/* the first failure counts */
	return err_set(e, saved, "bind %s to %s", from, to);
}

int
os_remount(const struct os_mnt *m, bool ro, struct err *e)
{
	struct row	 now;
	unsigned long	 flags;
	int		 rc;

	if ((rc = find(m->dir, true, &now, e)) < 0)
		return rc;
	flags = MS_REMOUNT | kept_flags(m->dir, now.lazytime);
	os_mnt_free(&now.m);
	/*
	 * A remount that is no bind sets both the file system's flag and
	 * the mount's own; other mounts of the same one need not notice.
	 */
	if (!m->fs_ro)
		flags |= MS_BIND;
	if (ro && (m->fs_ro || m->dir_ro))
		flags |= MS_RDONLY;
	if (mount(NULL, m->dir, "none", flags, NULL) == -1)
		return err_set(e, errno, "remount %s read-%s", m->dir,
		    ro ? "only" : "write");
	/* Then the mount's own, where that had not been read-only. */
	if (ro && m->fs_ro && !m->dir_ro && mount(NULL, m->dir, "none",
	    (flags & ~MS_RDONLY) | MS_BIND, NULL) == -1)
		return err_set(e, errno, "remount %s as it was", m->dir);
	return 0;
}

int
os_unmount(const char *dir, bool lazy, struct err *e)
{
	if (umount2(dir, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == -1)
		return err_set(e, errno, "unmount %s", dir);
	return 0;
}

int
os_fstab(struct os_fs **v, size_t *n, struct err *e)
{
	struct mntent	*m;
	FILE		*file;
	size_t		 cap = 0;
	int		 rc = 0;

	*v = NULL;
	*n = 0;
	if ((file = setmntent("/etc/fstab", "re")) == NULL)
		return errno == ENOENT ? 0 :
		    err_set(e, errno, "open /etc/fstab");
	while (rc == 0 && (m = getmntent(file)) != NULL)
		rc = os_fstab_add(v, n, &cap, m->mnt_fsname, m->mnt_dir,
		    hasmntopt(m, "noauto") != NULL, e);
	(void)endmntent(file);
	return rc;
}
