/*
 * setup-place.c: where a store is or could be on this machine, and what is
 * there now.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "../lib/osdisk.h"
#include "../lib/osfs.h"
#include "../sync/url.h"
#include "cfg.h"
#include "confedit.h"
#include "init.h"
#include "setup.h"

#define PIECE		(256u << 10)	/* bytes that are read at once */
#define TAIL		(1u << 20)	/* bytes at the end of a device, where
					   tables and volumes leave copies */
#define CFG_STORE	"etc.store"	/* in fstab's noauto /cfg */

void
place_free(struct setup_place *p)
{
	free(p->path);
	free(p->name);
	free(p->id);
	free(p->what);
	memset(p, 0, sizeof(*p));
}

static int
no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "setup");
}

static int
is_other(struct setup_place *p, const char *what, struct err *e)
{
	p->holds = SETUP_OTHER;
	free(p->what);
	p->what = strdup(what);
	return p->what == NULL ? no_memory(e) : 0;
}

/* 1: zeros only, from off to end. */
static int
zeros(struct io *io, uint64_t off, uint64_t end, uint8_t *b, struct err *e)
{
	size_t	 n, i;
	int	 rc;

	for (; off < end; off += n) {
		n = end - off < PIECE ? (size_t)(end - off) : PIECE;
		if ((rc = io->ops->read(io, b, n, off, e)) < 0)
			return rc;
		for (i = 0; i < n; i++)
			if (b[i] != 0)
				return 0;
	}
	return 1;
}

static int
is_blank(struct io *io, struct err *e)
{
	uint64_t	 head = io->size < SETUP_BLANK_MOST ? io->size :
			    SETUP_BLANK_MOST;
	uint8_t		*b = malloc(PIECE);
	int		 rc;

	if (b == NULL)
		return no_memory(e);
	rc = zeros(io, 0, head, b, e);
	if (rc == 1 && head < io->size)
		rc = zeros(io, io->size - TAIL > head ? io->size - TAIL :
		    head, io->size, b, e);
	free(b);
	return rc;
}

static int
look_in(struct setup_place *p, struct io *io, struct err *e)
{
	const char	*what;
	int		 rc;

	p->size = io->size;
	if (store_probe(io)) {
		p->holds = SETUP_STORE;
		return 0;
	}
	if ((what = init_holds(io)) != NULL)
		return is_other(p, what, e);
	if (p->file)
		return is_other(p, "a file's content", e);
	if ((rc = is_blank(io, e)) < 0)
		return rc;
	if (rc == 0)
		return is_other(p, "something that is no store", e);
	p->holds = SETUP_BLANK;
	return 0;
}

int
place_look(struct setup_place *p, struct err *e)
{
	struct slice	*sl = NULL;
	struct io	*io = NULL;
	struct stat	 st;
	int		 rc, k;

	free(p->what);
	p->what = NULL;
	p->file = stat(p->path, &st) == -1 || S_ISREG(st.st_mode);
	rc = slice_open(&sl, p->path, false, &io, e);
	if (rc == -ENOENT) {
		p->holds = SETUP_NONE;
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = look_in(p, io, e);
	k = slice_close(sl, NULL, rc < 0 ? NULL : e);
	return rc < 0 ? rc : k;
}

/* ---- partitions */

static bool
in_fstab(const struct os_part *p, const struct os_fs *v, size_t n)
{
	char	*dev;
	size_t	 i;
	bool	 yes = false;

	for (i = 0; !yes && i < n; i++) {
		dev = os_dev_named(v[i].from);
		yes = dev != NULL && strcmp(dev, p->dev) == 0;
		free(dev);
	}
	return yes;
}

/* Whether it is worth to read all of it: to be taken it has to be blank. */
static bool
may_be(const struct setup_place *p)
{
	return p->size >= SETUP_LEAST && (p->size <= SETUP_BLANK_MOST ||
	    (p->name != NULL && (strcasecmp(p->name, "cfg") == 0 ||
	    strcasecmp(p->name, "cfgfs") == 0)));
}

/* What can't be read is nothing for us. */
static void
look_part(struct setup_place *p, bool whole)
{
	struct err	 ignored;
	struct io	*io;

	p->holds = SETUP_OTHER;
	if (p->used)
		return;
	if (whole) {
		if (place_look(p, &ignored) < 0)
			p->holds = SETUP_OTHER;
		return;
	}
	if (io_open(&io, p->path, 0, &ignored) < 0)
		return;
	if (store_probe(io))
		p->holds = SETUP_STORE;
	io_close(io);
}

static int
find_parts(struct facts *f, const struct os_fs *fs, size_t nfs,
    struct err *e)
{
	struct setup_place	*p;
	struct os_part		*v;
	size_t			 n, i;
	int			 rc;

	if ((rc = os_parts(&v, &n, e)) < 0)
		return rc;
	if (n > 0 && (f->v = calloc(n, sizeof(*f->v))) == NULL)
		rc = no_memory(e);
	for (i = 0; rc == 0 && i < n; i++) {
		p = &f->v[f->n++];
		p->fstab = in_fstab(&v[i], fs, nfs);
		p->path = v[i].dev;
		p->name = v[i].name;
		p->id = v[i].id;
		p->size = v[i].size;
		p->used = v[i].used;
		look_part(p, may_be(p));
		v[i].dev = v[i].name = v[i].id = NULL;	/* they are p's */
	}
	os_parts_free(v, n);
	return rc;
}

/* ---- what is named */

/* As the list of partitions has it, else as it is. */
static int
named(const struct facts *f, struct setup_place *p, char *path,
    struct err *e)
{
	const struct setup_place	*q;
	size_t				 i;

	p->path = path;
	for (i = 0; i < f->n; i++) {
		q = &f->v[i];
		if (strcmp(q->path, path) != 0)
			continue;
		p->used = q->used;
		p->fstab = q->fstab;
		if ((q->name != NULL && (p->name = strdup(q->name)) ==
		    NULL) || (q->id != NULL && (p->id = strdup(q->id)) ==
		    NULL))
			return no_memory(e);
	}
	if (url_is(path)) {
		p->holds = SETUP_STORE;
		p->file = true;
		return 0;
	}
	return p->used ? 0 : place_look(p, e);
}

static int
find_asked(struct facts *f, const char *store, struct err *e)
{
	char	*path;

	if (store == NULL)
		return 0;
	if (url_is(store))
		return err_setx(e, EINVAL, "%s: is on another host: "
		    "cfgconfig(5) tells how to have a store there", store);
	path = os_dev_named(store);
	if (path == NULL && *store != '/')
		return err_setx(e, ENOENT, "%s: there is no such device, and "
		    "a new file needs a path from /", store);
	if (path == NULL && (path = strdup(store)) == NULL)
		return no_memory(e);
	return named(f, &f->asked, path, e);
}

/* The value of the last line KEY=value, without its quotes: a new string. */
static char *
setting(const char *text, const char *key)
{
	const char	*p, *v;
	size_t		 k = strlen(key), n;
	char		*last = NULL;

	for (p = text; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		v = p + strspn(p, " \t");
		if (strncmp(v, key, k) != 0 || v[k] != '=')
			continue;
		v += k + 1;
		free(last);
		if (*v == '"' || *v == '\'')
			last = strndup(v + 1, strcspn(v + 1, *v == '"' ?
			    "\"\n" : "'\n"));
		else
			last = strndup(v, strcspn(v, " \t\r\n#"));
	}
	return last;
}

static int
find_set_in(struct facts *f, const char *dir, const char *file,
    const char *key, struct err *e)
{
	struct buf	 b = BUF_INIT;
	char		*name, *store = NULL, *on = NULL, *path;
	int		 rc;

	if (asprintf(&name, "%s/%s", dir, file) == -1)
		return no_memory(e);
	rc = conf_load(name, &b, e);
	if (rc == 0 && b.len > 0) {
		store = setting((char *)b.p, key);
		on = f->bsd ? setting((char *)b.p, "cfgfs_enable") : NULL;
	}
	f->enabled = f->enabled || (on != NULL &&
	    strcasecmp(on, "yes") == 0);
	if (store != NULL && *store != '\0' && f->set.path == NULL) {
		path = url_is(store) ? strdup(store) : os_dev_named(store);
		if (path == NULL && *store == '/')
			path = strdup(store);
		if (path == NULL)
			rc = err_setx(e, ENOENT, "%s: %s=%s: there is no "
			    "such device", name, key, store);
		else if ((rc = named(f, &f->set, path, e)) == 0) {
			f->set_in = name;
			name = NULL;
		}
	}
	free(name);
	free(store);
	free(on);
	buf_free(&b);
	return rc;
}

static int
find_set(struct facts *f, struct err *e)
{
	const char	*dir = f->served_base != NULL ? f->served_base :
			    f->mount;
	int		 rc;

	if (!f->bsd)
		return strcmp(f->mount, "/etc") != 0 ? 0 :
		    find_set_in(f, dir, "default/cfgfs", "STORE", e);
	if ((rc = find_set_in(f, dir, "rc.conf", "cfgfs_store", e)) < 0)
		return rc;
	return f->conf_base == NULL ? 0 :
	    find_set_in(f, "/conf", "cfgfs.conf", "store", e);
}

/* ---- files */

static bool
can_keep(const char *dir, bool *own)
{
	struct os_mnt	 m;
	struct err	 ignored;
	int		 fd;
	bool		 ok;

	if ((fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return false;
	ok = !os_is_ramdisk(fd) && os_mnt_of(dir, &m, &ignored) == 0;
	(void)close(fd);
	if (!ok)
		return false;
	ok = !m.ro && strcmp(m.type, "overlay") != 0;
	*own = strcmp(m.dir, "/") != 0;
	os_mnt_free(&m);
	return ok;
}

/*
 * On the root's file system, as others may not be mounted yet when the store
 * is read.
 */
static int
find_file(struct facts *f, struct err *e)
{
	const char	*top = f->bsd ? "/var/db" : "/var/lib";
	bool		 own = true;
	char		*path;

	if (can_keep(top, &own) && !own) {
		if (asprintf(&path, "%s/cfgfs/%s.store", top, f->tag) == -1)
			return no_memory(e);
	} else if (can_keep("/", &own)) {
		if (asprintf(&path, "/cfgfs/%s.store", f->tag) == -1)
			return no_memory(e);
	} else
		return 0;
	return named(f, &f->file, path, e);
}

/* NanoBSD's: "/cfg", which fstab mounts when it is asked to. */
static int
find_cfg(struct facts *f, const struct os_fs *v, size_t n, struct err *e)
{
	struct stat	 st;
	struct err	 ignored;
	char		*path;
	size_t		 i;

	for (i = 0; i < n; i++)
		if (v[i].noauto && strcmp(v[i].dir, "/cfg") == 0 &&
		    stat(v[i].dir, &st) == 0)
			break;
	if (i == n)
		return 0;
	if ((f->cfg = strdup(v[i].dir)) == NULL ||
	    asprintf(&path, "%s/%s", f->cfg, CFG_STORE) == -1)
		return no_memory(e);
	if (named(f, &f->in_cfg, path, &ignored) < 0) {
		/* It can't be mounted: it is no place for anything. */
		place_free(&f->in_cfg);
		free(f->cfg);
		f->cfg = NULL;
	}
	return 0;
}

static int
find_now(struct facts *f, struct err *e)
{
	char	*path;
	int	 rc;

	if (f->served == NULL)
		return 0;
	if ((path = strdup(f->served)) == NULL)
		return no_memory(e);
	rc = named(f, &f->now, path, e);
	f->now.holds = SETUP_STORE;
	return rc;
}

int
places_find(struct facts *f, const char *store, struct err *e)
{
	struct os_fs	*fs;
	size_t		 n;
	int		 rc;

	if ((rc = os_fstab(&fs, &n, e)) < 0)
		return rc;
	if ((rc = find_parts(f, fs, n, e)) == 0 &&
	    (rc = find_now(f, e)) == 0 && (rc = find_set(f, e)) == 0 &&
	    (rc = find_asked(f, store, e)) == 0 &&
	    (rc = find_cfg(f, fs, n, e)) == 0)
		rc = find_file(f, e);
	os_fstab_free(fs, n);
	return rc;
}
