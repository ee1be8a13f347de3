/*
 * setup-undo.c: what cfg setup did, taken back by its record, from its end.
 *
 * Each line may have been done or not, and may have been taken back already
 * by one that failed later: so each is looked at anew.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/buf.h"
#include "../lib/osdep.h"
#include "out.h"
#include "setup-do.h"

#define PIECE	(64u << 10)	/* bytes of zeros that are written at once */

void
undo_free(struct undo *u)
{
	note_free(&u->note);
	strs_free(&u->say);
}

/* ---- the record */

static int
load(struct undo *u, const char *fmt, const char *a, struct err *e)
{
	char	*file;
	int	 rc;

	if (asprintf(&file, fmt, a) == -1)
		return err_set(e, ENOMEM, "setup");
	note_free(&u->note);
	rc = note_load(&u->note, file, e);
	free(file);
	return rc < 0 ? rc : u->note.v.n > 0;
}

static int
find_record(struct undo *u, const char *mount, struct err *e)
{
	const struct inst	*in = &u->c->inst;
	char			*state;
	int			 rc = 0;

	if (u->live && in->base != NULL)
		rc = load(u, "%s/cfgfs/setup", in->base, e);
	if (rc == 0)
		rc = load(u, "%s/cfgfs/setup", mount, e);
	if (rc == 0) {
		if ((state = inst_statedir(mount)) == NULL)
			return err_set(e, ENOMEM, "setup");
		rc = load(u, RUNDIR "/cfgfs/.setup-%s",
		    strrchr(state, '/') + 1, e);
		free(state);
	}
	if (rc == 0)
		return err_setx(e, ENOENT, "%s: was not set up by cfg setup "
		    "(there is no %s/cfgfs/setup)", mount, mount);
	return rc < 0 ? rc : 0;
}

static int
say_tree(struct undo *u)
{
	if (u->real && u->discard)
		return strs_fmt(&u->say, "%s becomes what it was before; what was "
		    "changed since is lost (--discard)", u->mount);
	if (u->real)
		return strs_fmt(&u->say, "%s keeps all that was changed since, written "
		    "to where it was before (--discard: not)", u->mount);
	return strs_fmt(&u->say, "%s stays as it is now, in RAM; the next boot has the "
	    "image's", u->mount);
}

/* A sentence for each line that is worth one, in the order of doing. */
static int
say_all(struct undo *u)
{
	const struct note	*n = &u->note;
	const char		*v;
	size_t			 i;
	int			 rc = 0;

	for (i = n->v.n; rc == 0 && i-- > 0;)
		if ((v = note_is(n, i, "view")) != NULL) {
			if ((rc = say_tree(u)) == 0)
				rc = strs_fmt(&u->say, "the view over %s goes", v);
		} else if ((v = note_is(n, i, "systemd")) != NULL ||
		    (v = note_is(n, i, "openrc")) != NULL)
			rc = strs_fmt(&u->say, "%s is disabled", v);
		else if ((v = note_is(n, i, "line")) != NULL)
			rc = strs_fmt(&u->say, "%.*s loses the line %s",
			    (int)strcspn(v, " "), v, v + strcspn(v, " ") + 1);
		else if ((v = note_is(n, i, "import")) != NULL)
			rc = strs_fmt(&u->say, "%s gets what is committed", v);
		else if ((v = note_is(n, i, "made-store")) != NULL)
			rc = strs_fmt(&u->say, "%s %s", v, u->remove_store ?
			    "is removed, with all that was committed" :
			    "stays, with all that was committed "
			    "(--remove-store: not)");
	return rc;
}

/* It would be ended by nobody. */
static int
check_trial(const struct undo *u, struct err *e)
{
	char	*now;
	bool	 runs;

	if (asprintf(&now, "%s/trial/now", u->c->inst.state) == -1)
		return err_set(e, ENOMEM, "setup");
	runs = access(now, F_OK) == 0;
	free(now);
	return runs ? err_setx(e, EBUSY, "%s: a trial runs: cfg confirm or "
	    "cfg cancel ends it", u->mount) : 0;
}

int
undo_find(struct undo *u, struct err *e)
{
	struct err	 ignored;
	char		*mount;
	int		 rc;

	/* What an instance has left counts, too: its tree is there. */
	u->live = cfg_inst(u->c, &ignored) == 0;
	mount = realpath(u->c->mountpt, NULL);
	if (mount == NULL)
		return err_set(e, errno, "%s", u->c->mountpt);
	rc = find_record(u, mount, e);
	free(mount);
	if (rc < 0)
		return rc;
	u->mount = note_get(&u->note, "mount");
	u->base = note_get(&u->note, "base");
	if (u->mount == NULL || u->base == NULL ||
	    note_get(&u->note, "store") == NULL)
		return err_setx(e, EBADMSG, "%s: is damaged: no mount, base "
		    "or store", u->note.file);
	u->real = strcmp(u->base, u->mount) == 0;
	if (say_all(u) < 0)
		return err_set(e, ENOMEM, "setup");
	return u->live ? check_trial(u, e) : 0;
}

/* ---- line by line */

static int
undo_unit(const char *init, const char *v, struct err *e)
{
	char		 cmd[300];
	const char	*name = strchr(v, '/');
	struct err	 ignored;
	bool		 systemd = strcmp(init, "systemd") == 0;
	int		 rc;

	if (systemd)
		(void)snprintf(cmd, sizeof(cmd), "systemctl disable %s", v);
	else
		(void)snprintf(cmd, sizeof(cmd), "rc-update del %s %.*s",
		    name == NULL ? v : name + 1,
		    name == NULL ? 0 : (int)(name - v), v);
	rc = setup_run(cmd, e);
	if (strstr(v, "cfgfs-shutdown") == NULL)
		return rc;
	if (systemd)
		(void)snprintf(cmd, sizeof(cmd), "systemctl stop %s", v);
	else
		(void)snprintf(cmd, sizeof(cmd), "rc-service %s stop",
		    name == NULL ? v : name + 1);
	(void)setup_run(cmd, &ignored);	/* it may not run */
	return rc;
}

static int
undo_line(struct undo *u, const char *v, struct err *e)
{
	const char	*cut = note_get(&u->note, "cut");
	char		*file = strndup(v, strcspn(v, " "));
	bool		 empty;
	int		 rc;

	if (file == NULL)
		return err_set(e, ENOMEM, "setup");
	rc = access(file, F_OK) == -1 ? 0 : lines_remove(file,
	    v + strlen(file) + 1, cut != NULL && strcmp(cut, file) == 0,
	    &empty, e);
	free(file);
	return rc;
}

static void
undo_file(const char *file)
{
	struct stat	 st;

	if (lstat(file, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
		(void)unlink(file);	/* an empty one harms nobody */
}

/* What was committed, back to where it came from. */
static int
undo_import(struct undo *u, const char *dir, struct err *e)
{
	const char	*store = note_get(&u->note, "store");
	char	*argv[] = { *u->c->argv, (char *)(uintptr_t)"-s",
		    (char *)(uintptr_t)store, (char *)(uintptr_t)"export",
		    (char *)(uintptr_t)"-f", (char *)(uintptr_t)"--base",
		    (char *)(uintptr_t)u->base, (char *)(uintptr_t)dir,
		    NULL };
	struct os_mnt	 m;
	char		 cmd[300];
	bool		 was = os_mnt_at(dir, &m, e) == 0;
	int		 rc = 0, k;

	if (was)
		os_mnt_free(&m);
	(void)snprintf(cmd, sizeof(cmd), "mount %s", dir);
	if ((!was && (rc = setup_run(cmd, e)) < 0) || u->discard)
		return rc;
	rc = setup_cfg(u->c, argv, e);
	k = was ? 0 : os_unmount(dir, false, rc < 0 ? NULL : e);
	return rc < 0 ? rc : k;
}

static int
wipe(const char *dev, struct err *e)
{
	struct io	*io;
	void		*zero;
	uint64_t	 off;
	size_t		 n;
	int		 rc;

	if ((rc = io_open(&io, dev, IO_WRITE, e)) < 0)
		return rc;
	if ((zero = calloc(1, PIECE)) == NULL)
		rc = err_set(e, ENOMEM, "%s", dev);
	for (off = 0; rc == 0 && off < io->size; off += n) {
		n = io->size - off < PIECE ? (size_t)(io->size - off) : PIECE;
		rc = io->ops->write(io, zero, n, off, e);
		out_progress("zeros", off, io->size);
	}
	out_progress_end();
	if (rc == 0)
		rc = io->ops->flush(io, e);
	free(zero);
	io_close(io);
	return rc;
}

/* A device was blank. */
static int
undo_store(struct undo *u, const char *path, struct err *e)
{
	struct stat	 st;

	if (!u->remove_store)
		return 0;
	if (stat(path, &st) == -1)
		return errno == ENOENT && strncmp(path, "/cfg/", 5) != 0 ?
		    0 : err_set(e, errno, "remove %s", path);
	if (!S_ISREG(st.st_mode))
		return wipe(path, e);
	return unlink(path) == -1 ? err_set(e, errno, "remove %s", path) : 0;
}

static int
undo_image(const char *dir, struct err *e)
{
	struct os_mnt	 m;
	int		 rc = os_mnt_at(dir, &m, e);

	if (rc == 0) {
		os_mnt_free(&m);
		rc = os_unmount(dir, false, e);
	} else if (rc == -ENOENT)
		rc = 0;
	(void)rmdir(dir);
	return rc;
}

static int
undo_one(struct undo *u, size_t i, struct err *e)
{
	const struct note	*n = &u->note;
	const char		*v;

	if (note_is(n, i, "view") != NULL)
		return undo_view(u, e);
	if ((v = note_is(n, i, "systemd")) != NULL)
		return undo_unit("systemd", v, e);
	if ((v = note_is(n, i, "openrc")) != NULL)
		return undo_unit("openrc", v, e);
	if ((v = note_is(n, i, "line")) != NULL)
		return undo_line(u, v, e);
	if ((v = note_is(n, i, "made-file")) != NULL)
		undo_file(v);
	if ((v = note_is(n, i, "import")) != NULL)
		return undo_import(u, v, e);
	if ((v = note_is(n, i, "image")) != NULL)
		return undo_image(v, e);
	if ((v = note_is(n, i, "made-store")) != NULL)
		return undo_store(u, v, e);
	return 0;
}

int
undo_do(struct undo *u, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 rc = 0;

	for (i = u->note.v.n; rc == 0 && i-- > 0;)
		rc = undo_one(u, i, e);
	if (rc == 0 && u->live && u->real) {
		/* It was read below the view, and is where it was made. */
		put_fmt(&b, "%s/cfgfs/setup", u->mount);
		put_u8(&b, '\0');
		if (b.bad)
			return err_set(e, ENOMEM, "setup");
		free(u->note.file);
		u->note.file = (char *)b.p;
	}
	if (rc == 0)
		note_forget(&u->note);
	return rc;
}
