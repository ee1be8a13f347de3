/*
 * setup-look.c: what there is on this machine that a plan depends on.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/buf.h"
#include "../lib/ctl.h"
#include "../lib/osdep.h"
#include "../lib/osdisk.h"
#include "cfg.h"
#include "setup.h"
#include "setup-do.h"

void
facts_free(struct facts *f)
{
	place_free(&f->asked);
	place_free(&f->now);
	free(f->below);
	place_free(&f->set);
	place_free(&f->in_cfg);
	place_free(&f->file);
	while (f->n-- > 0)
		place_free(&f->v[f->n]);
	free(f->v);
	free(f->basearg);
	free(f->rundir);
	free(f->mount);
	free(f->tag);
	free(f->type);
	free(f->from);
	free(f->conf_base);
	free(f->served);
	free(f->served_base);
	free(f->record);
	free(f->set_in);
	free(f->cfg);
	strs_free(&f->units);
	strs_free(&f->on);
	memset(f, 0, sizeof(*f));
}

static int
no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "setup");
}

static bool
is_dir(const char *path)
{
	struct stat	 st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- the tree */

/* What an instance is or was; one that has ended leaves store and base. */
static int
find_served(struct facts *f, struct cfg *c, struct err *e)
{
	struct err	 ignored;
	int		 ctl;

	if (cfg_inst(c, &ignored) < 0 || c->inst.store == NULL)
		return 0;
	if ((ctl = ctl_connect(c->inst.state, &ignored)) >= 0) {
		(void)close(ctl);
		if ((f->served = strdup(c->inst.store)) == NULL)
			return no_memory(e);
	}
	if (c->inst.base != NULL && is_dir(c->inst.base) &&
	    (f->served_base = strdup(c->inst.base)) == NULL)
		return no_memory(e);
	return 0;
}

/*
 * Whether the root has something where the RAM disk is: seen by a bind of
 * the directory above, which does not last.
 */
static int
find_under(struct facts *f, struct err *e)
{
	struct strs	 l = { NULL, 0, 0 };
	struct err	 ignored;
	const char	*name = strrchr(f->mount, '/') + 1;
	char		*at, *slash, *up = strdup(f->mount);
	int		 fd = -1, rc = 0;

	if (asprintf(&at, "%s/cfgfs/.image-%s", f->rundir, f->tag) == -1)
		at = NULL;
	if (at == NULL || up == NULL) {
		rc = no_memory(e);
		goto out;
	}
	up[name - f->mount - 1] = '\0';
	slash = strrchr(at, '/');
	*slash = '\0';
	(void)mkdir(at, 0755);
	*slash = '/';
	if ((mkdir(at, 0700) == -1 && errno != EEXIST) ||
	    os_mount_bind(*up == '\0' ? "/" : up, at, true, &ignored) < 0)
		goto out;
	if ((fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) != -1 &&
	    walk_list(fd, name, &l, &ignored) == 0)
		f->under = l.n > 0;
	if (fd != -1)
		(void)close(fd);
	rc = os_unmount(at, false, e);
	(void)rmdir(at);
out:
	strs_free(&l);
	free(at);
	free(up);
	return rc;
}

struct seen {
	struct facts	*f;
	int		 fd;
	dev_t		 dev;
};

static int
see(void *arg, const char *path, bool isdir)
{
	struct seen	*s = arg;
	struct stat	 st;

	(void)isdir;
	if (fstatat(s->fd, path, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return 0;
	if (st.st_dev == s->dev)
		return S_ISDIR(st.st_mode) ? WALK_DOWN : 0;
	if (asprintf(&s->f->below, "%s/%s", s->f->mount, path) == -1)
		s->f->below = NULL;
	return -EXDEV;
}

/* Whether another file system begins somewhere below. */
static int
find_below(struct facts *f, int fd, struct err *e)
{
	struct seen	 s = { f, fd, 0 };
	struct stat	 st;
	int		 rc;

	if (fstat(fd, &st) == -1)
		return err_set(e, errno, "%s", f->mount);
	s.dev = st.st_dev;
	rc = walk_tree(fd, "", see, &s, e);
	return rc == -EXDEV && f->below != NULL ? 0 : rc;
}

static int
find_tree(struct facts *f, struct cfg *c, struct err *e)
{
	struct os_mnt	 m;
	char		*state;
	int		 fd, rc;

	if ((f->mount = realpath(c->mountpt, NULL)) == NULL)
		return err_set(e, errno, "%s", c->mountpt);
	if ((f->rundir = strdup(RUNDIR)) == NULL ||
	    (state = inst_statedir(f->mount)) == NULL)
		return no_memory(e);
	f->tag = strdup(strrchr(state, '/') + 1);
	free(state);
	if (f->tag == NULL)
		return no_memory(e);
	if ((fd = open(f->mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return err_set(e, errno, "%s", f->mount);
	f->ram = os_is_ramdisk(fd);
	if ((rc = find_served(f, c, e)) == 0 && f->served == NULL)
		rc = find_below(f, fd, e);
	(void)close(fd);
	if (rc < 0 || (rc = os_mnt_of(f->mount, &m, e)) < 0)
		return rc;
	f->own = strcmp(m.dir, f->mount) == 0;
	f->ro = m.ro;
	f->type = m.type;
	f->from = m.from;
	m.type = m.from = NULL;
	os_mnt_free(&m);
	if (strcmp(f->mount, "/etc") == 0 && is_dir("/conf/base/etc") &&
	    (f->conf_base = strdup("/conf/base/etc")) == NULL)
		return no_memory(e);
	return f->ram && f->served_base == NULL && f->conf_base == NULL &&
	    f->basearg == NULL ? find_under(f, e) : 0;
}

static int
find_record(struct facts *f, struct err *e)
{
	char	*v[3] = { NULL, NULL, NULL };
	size_t	 i;
	int	 rc = 0;

	if (asprintf(&v[0], "%s/cfgfs/setup", f->served_base != NULL ?
	    f->served_base : f->mount) == -1 ||
	    asprintf(&v[1], "%s/cfgfs/setup", f->mount) == -1 ||
	    asprintf(&v[2], "%s/cfgfs/.setup-%s", f->rundir, f->tag) == -1)
		rc = no_memory(e);
	for (i = 0; rc == 0 && f->record == NULL && i < 3; i++)
		if (access(v[i], F_OK) == 0) {
			f->record = v[i];
			v[i] = NULL;
		}
	for (i = 0; i < 3; i++)
		free(v[i]);
	return rc;
}

/* ---- the boot */

static bool
in_some(const char *const *dirs, const char *name)
{
	char	*p;
	bool	 yes = false;

	for (; !yes && *dirs != NULL; dirs++)
		if (asprintf(&p, "%s/%s", *dirs, name) != -1) {
			yes = access(p, F_OK) == 0;
			free(p);
		}
	return yes;
}

static int
sort_unit(struct facts *f, const char *name, bool on, struct err *e)
{
	return strs_put(on ? &f->on : &f->units, strdup(name)) < 0 ?
	    no_memory(e) : 0;
}

static int
find_systemd(struct facts *f, struct err *e)
{
	static const char *const	 dirs[] = { "/etc/systemd/system",
	    "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
	    "/lib/systemd/system", NULL };
	static const char *const	 units[] = { "cfgfs-restore.service",
	    "cfgfs.service", "cfgfs-shutdown.service" };
	struct err	 ignored;
	char		 cmd[80];
	size_t		 i;
	int		 rc = 0;

	for (i = 0; rc == 0 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (!in_some(dirs, units[i]))
			continue;
		(void)snprintf(cmd, sizeof(cmd),
		    "systemctl --quiet is-enabled %s", units[i]);
		rc = sort_unit(f, units[i], setup_run(cmd, &ignored) == 0,
		    e);
	}
	return rc;
}

/* "LEVEL/NAME", as below /etc/runlevels. */
static int
find_openrc(struct facts *f, struct err *e)
{
	static const char *const	 scripts[] = { "sysinit/cfgfs-restore",
	    "sysinit/cfgfs", "default/cfgfs-shutdown" };
	static const char *const	 levels[] = { "/etc/runlevels/sysinit",
	    "/etc/runlevels/boot", "/etc/runlevels/default", NULL };
	static const char *const	 dirs[] = { "/etc/init.d", NULL };
	const char	*name;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; rc == 0 && i < sizeof(scripts) / sizeof(scripts[0]);
	    i++) {
		name = strchr(scripts[i], '/') + 1;
		if (in_some(dirs, name))
			rc = sort_unit(f, scripts[i], in_some(levels, name),
			    e);
	}
	return rc;
}

static int
find_boot(struct facts *f, struct err *e)
{
	static const char *const	 rcd[] = { "/usr/local/etc/rc.d",
	    "/etc/rc.d", NULL };
	static const char *const	 hooks[] = {
	    "/etc/initramfs-tools/hooks", "/usr/share/initramfs-tools/hooks",
	    NULL };
	static const char *const	 dracut[] = {
	    "/usr/lib/dracut/modules.d", "/usr/local/lib/dracut/modules.d",
	    NULL };

	if (f->bsd) {
		f->init = SETUP_RC;
		return in_some(rcd, "cfgfs") ? sort_unit(f, "rc.d/cfgfs",
		    f->enabled, e) : 0;
	}
	f->initramfs = in_some(hooks, "cfgfs");
	f->dracut = in_some(dracut, "90cfgfs");
	if (is_dir("/run/systemd/system")) {
		f->init = SETUP_SYSTEMD;
		return find_systemd(f, e);
	}
	if (is_dir("/run/openrc") || access("/sbin/openrc-run", X_OK) == 0) {
		f->init = SETUP_OPENRC;
		return find_openrc(f, e);
	}
	return 0;
}

int
facts_find(struct facts *f, struct cfg *c, const char *store,
    const char *base, struct err *e)
{
	int	 rc;

	memset(f, 0, sizeof(*f));
	f->bsd = os_bsd();
	if (base != NULL && (f->basearg = realpath(base, NULL)) == NULL)
		return err_set(e, errno, "%s", base);
	if ((rc = find_tree(f, c, e)) < 0 || (rc = find_record(f, e)) < 0 ||
	    (rc = places_find(f, store, e)) < 0)
		return rc;
	return find_boot(f, e);
}
