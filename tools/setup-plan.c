/*
 * setup-plan.c: what cfg setup would do, by the facts alone: its steps, and
 * the commands that do the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "setup.h"

/* A new string in *s from what was put together. */
static char *
taken(struct buf *b)
{
	put_u8(b, '\0');
	if (!b->bad)
		return (char *)b->p;
	buf_free(b);
	return NULL;
}

static struct setup_step *
add(struct setup *p, enum setup_kind kind, char *say)
{
	struct setup_step	*s = &p->v[p->n];

	if (say == NULL)
		return NULL;
	s->kind = kind;
	s->say = say;
	p->n++;
	return s;
}

static int
plan_store(struct setup *p)
{
	const struct setup_place	*at = p->at;
	struct setup_step		*s;
	struct buf			 b = BUF_INIT;
	uint64_t			 size = p->f->size;
	const char			*slash = strrchr(at->path, '/');
	int				 rc = 0;

	if (at->holds == SETUP_STORE)
		return 0;
	if (size == 0)
		size = at == &p->f->in_cfg ? 1u << 20 : SETUP_FILE;
	if (at->file) {
		put_fmt(&b, "Make a store in the new file %s, of %llu KB.",
		    at->path, (unsigned long long)size / 1024);
		if (at == &p->f->file)
			put_fmt(&b, "  A partition of its own would be "
			    "better: it does not go down with a file "
			    "system.");
	} else
		put_fmt(&b, "Make a store on %s, which is blank.", at->path);
	if ((s = add(p, SETUP_MAKE, taken(&b))) == NULL)
		return -ENOMEM;
	if (at == &p->f->file)
		rc = strs_fmt(&s->cmds, "mkdir -p %.*s", (int)(slash - at->path),
		    at->path);
	return rc < 0 ? rc : at->file ? strs_fmt(&s->cmds, "cfg init --size %lluK %s",
	    (unsigned long long)size / 1024, at->path) :
	    strs_fmt(&s->cmds, "cfg init %s", at->path);
}

static int
plan_import(struct setup *p)
{
	struct setup_step	*s;
	char			*say;
	const char		*cfg = p->f->cfg;

	if (cfg == NULL || p->at->holds == SETUP_STORE)
		return 0;
	if (asprintf(&say, "Take over what %s holds, as the first commit.",
	    cfg) == -1)
		return -ENOMEM;
	if ((s = add(p, SETUP_IMPORT, say)) == NULL ||
	    strs_fmt(&s->cmds, "mount -r %s", cfg) < 0 ||
	    strs_fmt(&s->cmds, "cfg -s %s import --base %s %s", p->at->path, p->base,
	    cfg) < 0 || strs_fmt(&s->cmds, "umount %s", cfg) < 0)
		return -ENOMEM;
	return 0;
}

static int
find_lines(struct setup *p)
{
	const struct facts	*f = p->f;
	bool			 etc = strcmp(f->mount, "/etc") == 0;
	int			 rc = 0;

	if (asprintf(&p->conf, "%s/%s", f->mount, f->bsd ? "rc.conf" :
	    "default/cfgfs") == -1) {
		p->conf = NULL;
		return -ENOMEM;
	}
	if (!f->bsd)
		return p->setting == NULL ? 0 :
		    strs_fmt(&p->lines, "STORE=%s", p->setting);
	if (!f->enabled)
		rc = strs_fmt(&p->lines, "cfgfs_enable=\"YES\"");
	if (rc == 0 && p->setting != NULL)
		rc = strs_fmt(&p->lines, "cfgfs_store=\"%s\"", p->setting);
	if (rc == 0 && p->setting != NULL && !etc)
		rc = strs_fmt(&p->lines, "cfgfs_mount=\"%s\"", f->mount);
	if (rc == 0 && p->setting != NULL && strcmp(p->base, f->mount) != 0 &&
	    f->conf_base == NULL)
		rc = strs_fmt(&p->lines, "cfgfs_base=\"%s\"", p->base);
	return rc;
}

static int
plan_lines(struct setup *p)
{
	struct setup_step	*s;
	char			*say;
	size_t			 i;
	const char		*slash = strrchr(p->conf, '/');

	if (p->lines.n == 0 || p->hand)
		return 0;
	if (asprintf(&say, "Say in %s where the store is.", p->conf) == -1 ||
	    (s = add(p, SETUP_LINES, say)) == NULL)
		return -ENOMEM;
	if (!p->f->bsd && strs_fmt(&s->cmds, "mkdir -p %.*s", (int)(slash - p->conf),
	    p->conf) < 0)
		return -ENOMEM;
	for (i = 0; i < p->lines.n; i++)
		if (strs_fmt(&s->cmds, "echo '%s' >> %s", p->lines.v[i], p->conf) < 0)
			return -ENOMEM;
	return 0;
}

/* What ends the machine is to be up before that. */
static const char *
at_shutdown(const struct facts *f)
{
	size_t	 i;

	for (i = 0; i < f->units.n; i++)
		if (strstr(f->units.v[i], "cfgfs-shutdown") != NULL)
			return f->units.v[i];
	return NULL;
}

static int
plan_enable(struct setup *p)
{
	const struct facts	*f = p->f;
	struct setup_step	*s;
	struct buf		 b = BUF_INIT;
	const char		*down = at_shutdown(f);
	char			*all;
	size_t			 i;
	int			 rc = 0;

	if (f->units.n == 0 || p->hand || f->init == SETUP_RC)
		return 0;
	s = add(p, SETUP_ENABLE, strdup("Have each boot restore and serve "
	    "it, and each shutdown look after what is pending."));
	if (s == NULL)
		return -ENOMEM;
	if (f->init == SETUP_SYSTEMD) {
		for (i = 0; i < f->units.n; i++)
			put_fmt(&b, " %s", f->units.v[i]);
		if ((all = taken(&b)) == NULL)
			return -ENOMEM;
		rc = strs_fmt(&s->cmds, "systemctl enable%s", all);
		free(all);
		if (rc == 0 && down != NULL)
			rc = strs_fmt(&s->cmds, "systemctl start %s", down);
		return rc;
	}
	/* OpenRC: "boot/NAME", the level before the name. */
	for (i = 0; rc == 0 && i < f->units.n; i++) {
		all = strchr(f->units.v[i], '/');
		rc = strs_fmt(&s->cmds, "rc-update add %s %.*s", all + 1,
		    (int)(all - f->units.v[i]), f->units.v[i]);
	}
	if (rc == 0 && down != NULL)
		rc = strs_fmt(&s->cmds, "rc-service %s start", strchr(down, '/') + 1);
	return rc;
}

static int
plan_initrd(struct setup *p)
{
	const struct facts	*f = p->f;
	struct setup_step	*s;

	if (p->hand || p->lines.n == 0 || (!f->initramfs && !f->dracut))
		return 0;
	s = add(p, SETUP_INITRD, strdup("Have the restore in the "
	    "initramfs, before anything reads it."));
	if (s == NULL)
		return -ENOMEM;
	return strs_fmt(&s->cmds, f->initramfs ? "update-initramfs -u" : "dracut -f");
}

static int
plan_view(struct setup *p)
{
	const struct facts	*f = p->f;
	struct setup_step	*s;
	struct buf		 b = BUF_INIT;
	const char		*slash = strrchr(f->mount, '/');
	int			 up = (int)(slash - f->mount);

	if (f->served != NULL)
		return 0;
	put_fmt(&b, "Mount the view over %s now.", f->mount);
	if (f->ram)
		put_fmt(&b, "  It stays as it is; what is not in the store "
		    "is pending.");
	if ((s = add(p, SETUP_VIEW, taken(&b))) == NULL)
		return -ENOMEM;
	if (p->image != NULL && (strs_fmt(&s->cmds, "mkdir -p %s", p->image) < 0 ||
	    strs_fmt(&s->cmds, f->bsd ? "mount -t nullfs -r %.*s %s" :
	    "mount --bind %.*s %s", up == 0 ? 1 : up, up == 0 ? "/" :
	    f->mount, p->image) < 0))
		return -ENOMEM;
	if (strcmp(p->base, f->mount) == 0)
		return strs_fmt(&s->cmds, "cfgfs -o store=%s %s", p->at->path, f->mount);
	return strs_fmt(&s->cmds, "cfgfs -o store=%s,base=%s %s", p->at->path, p->base,
	    f->mount);
}

/* What somebody has to write into the image. */
static int
plan_hand(struct setup *p)
{
	const struct facts	*f = p->f;
	struct strs		*l = &p->image_lines;
	bool			 etc = strcmp(f->mount, "/etc") == 0;
	size_t			 i;

	if (!p->hand || p->lines.n == 0)
		return 0;
	if (f->bsd && f->conf_base != NULL) {
		if (strs_fmt(l, "/conf/cfgfs.conf: store=%s", p->setting ==
		    NULL ? p->at->path : p->setting) < 0 ||
		    strs_fmt(l, "/conf/cfgfs.conf: base=%s", p->base) < 0)
			return -ENOMEM;
	} else if (!f->bsd && !etc)
		return strs_fmt(l, "/etc/fstab: %s %s fuse.cfgfs nofail 0 0",
		    p->setting, f->mount);
	for (i = 0; i < p->lines.n; i++)
		if (strs_fmt(l, "%s: %s", p->conf, p->lines.v[i]) < 0)
			return -ENOMEM;
	return 0;
}

static int
plan_steps(struct setup *p)
{
	const struct facts	*f = p->f;
	int			 n;

	/* Settings are read before the store: they can't be in it. */
	p->hand = f->ram || f->ro || f->served != NULL ||
	    strcmp(p->base, f->mount) != 0 ||
	    (!f->bsd && strcmp(f->mount, "/etc") != 0);
	if (f->record != NULL)
		n = asprintf(&p->record, "%s", f->record);
	else if (p->hand)
		n = asprintf(&p->record, "%s/cfgfs/.setup-%s", f->rundir,
		    f->tag);
	else
		n = asprintf(&p->record, "%s/cfgfs/setup", f->mount);
	if (n == -1) {
		p->record = NULL;
		return -ENOMEM;
	}
	if (find_lines(p) < 0 || plan_store(p) < 0 || plan_import(p) < 0 ||
	    plan_lines(p) < 0 || plan_enable(p) < 0 || plan_initrd(p) < 0 ||
	    plan_view(p) < 0 || plan_hand(p) < 0)
		return -ENOMEM;
	return 0;
}

int
setup_plan(struct setup *p, const struct facts *f, struct err *e)
{
	int	 rc;

	memset(p, 0, sizeof(*p));
	p->f = f;
	if ((rc = setup_choose(p, e)) < 0)
		return rc;
	return plan_steps(p) < 0 ? err_set(e, ENOMEM, "setup") : 0;
}

bool
setup_done(const struct setup *p)
{
	return p->n == 0 && p->image_lines.n == 0;
}

void
setup_free(struct setup *p)
{
	free(p->setting);
	free(p->base);
	free(p->image);
	free(p->record);
	free(p->conf);
	while (p->n-- > 0) {
		free(p->v[p->n].say);
		strs_free(&p->v[p->n].cmds);
	}
	strs_free(&p->lines);
	strs_free(&p->image_lines);
}
