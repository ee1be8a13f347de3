/*
 * setup-choose.c: where the store is to be, and what the base is, by the
 * facts alone.  A device is never taken that anybody else may want: what is
 * not named by the user is blank or a store, and the only one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "setup.h"

static int
no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "setup");
}

static bool
label_ok(const struct setup_place *p)
{
	return p->name != NULL && (strcasecmp(p->name, "cfg") == 0 ||
	    strcasecmp(p->name, "cfgfs") == 0);
}

/* Nobody else has to do with it. */
static bool
is_free(const struct setup_place *p)
{
	return !p->used && !p->fstab && p->size >= SETUP_LEAST;
}

static bool
has_store(const struct setup_place *p)
{
	return !p->used && p->holds == SETUP_STORE;
}

static bool
is_labelled(const struct setup_place *p)
{
	return is_free(p) && label_ok(p) && p->holds == SETUP_BLANK;
}

static bool
is_blank(const struct setup_place *p)
{
	return is_free(p) && p->holds == SETUP_BLANK &&
	    p->size <= SETUP_BLANK_MOST;
}

/* The one partition of that kind: 1, 0 where there is none.  Of several,
 * which one is meant is not to be guessed. */
static int
the_one(const struct facts *f, bool (*fits)(const struct setup_place *),
    const char *what, const struct setup_place **at, struct err *e)
{
	const struct setup_place	*p, *first = NULL;

	for (p = f->v; p < f->v + f->n; p++) {
		if (!fits(p))
			continue;
		if (first != NULL)
			return err_setx(e, EINVAL, "%s and %s %s: --store "
			    "says which", first->path, p->path, what);
		first = p;
	}
	*at = first;
	return first != NULL;
}

/* One that somebody has named. */
static int
named(const struct setup_place *p, const struct setup_place **at,
    struct err *e)
{
	if (p->used)
		return err_setx(e, EBUSY, "%s: in use: mounted, swap, or "
		    "part of another device", p->path);
	if (p->holds == SETUP_OTHER)
		return err_setx(e, EEXIST, "%s: holds %s; cfg init --force "
		    "overwrites it", p->path, p->what);
	*at = p;
	return 0;
}

static int
guess(struct setup *p, struct err *e)
{
	const struct facts	*f = p->f;
	int			 rc;

	p->guessed = true;
	if ((rc = the_one(f, has_store, "hold a store", &p->at, e)) != 0 ||
	    (rc = the_one(f, is_labelled, "are named so", &p->at, e)) != 0)
		return rc < 0 ? rc : 0;
	if (f->cfg != NULL && f->in_cfg.path != NULL) {
		p->at = &f->in_cfg;
		if (p->at->holds == SETUP_OTHER)
			return named(p->at, &p->at, e);
		return 0;
	}
	if ((rc = the_one(f, is_blank, "are blank", &p->at, e)) != 0)
		return rc < 0 ? rc : 0;
	if (f->file.path == NULL)
		return err_setx(e, ENOENT, "no place for a store is seen "
		    "here: --store names one");
	return named(&f->file, &p->at, e);
}

static int
choose_store(struct setup *p, struct err *e)
{
	const struct facts	*f = p->f;
	const char		*has = f->served != NULL ? f->served :
				    f->set.path;

	if (f->asked.path != NULL && has != NULL &&
	    strcmp(f->asked.path, has) != 0)
		return err_setx(e, EEXIST, "%s: %s has the store %s already",
		    f->asked.path, f->served != NULL ? f->mount : f->set_in,
		    has);
	if (f->served != NULL && f->set.path == NULL) {
		p->at = &f->now;
		return 0;
	}
	if (f->asked.path != NULL)
		return named(&f->asked, &p->at, e);
	if (f->set.path != NULL)
		return named(&f->set, &p->at, e);
	return guess(p, e);
}

/* What the settings call it: a disk may have another number next time. */
static int
name_store(struct setup *p, struct err *e)
{
	const struct setup_place	*at = p->at;
	int				 n;

	if (p->f->set.path == at->path && p->f->set_in != NULL)
		return 0;
	if (!at->file && label_ok(at))
		n = asprintf(&p->setting, p->f->bsd ? "/dev/gpt/%s" :
		    "PARTLABEL=%s", at->name);
	else if (!at->file && !p->f->bsd && at->id != NULL)
		n = asprintf(&p->setting, "PARTUUID=%s", at->id);
	else
		n = asprintf(&p->setting, "%s", at->path);
	if (n != -1)
		return 0;
	p->setting = NULL;
	return no_memory(e);
}

static int
choose_base(struct setup *p, struct err *e)
{
	const struct facts	*f = p->f;
	const char		*name = strrchr(f->mount, '/') + 1;
	const char		*base = f->served_base != NULL ?
				    f->served_base :
				    f->basearg != NULL ? f->basearg :
				    f->conf_base != NULL ? f->conf_base :
				    f->ram ? NULL : f->mount;

	if (base != NULL)
		p->base = strdup(base);
	else if (!f->under)
		return err_setx(e, ENOENT, "%s is a RAM disk, and the image "
		    "has none below it: --base names the directory that it "
		    "is made from", f->mount);
	else if (asprintf(&p->image, "%s/cfgfs/.image-%s", f->rundir,
	    f->tag) == -1 || asprintf(&p->base, "%s/%s", p->image, name) == -1)
		p->base = NULL;
	return p->base == NULL ? no_memory(e) : 0;
}

/*
 * Whether a name can go through settings, options of a mount and a shell
 * as it is.
 */
static bool
plain(const char *s)
{
	return s == NULL || s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._:@%+=-")] == '\0';
}

static int
check(const struct setup *p, struct err *e)
{
	const struct facts	*f = p->f;
	const char		*const v[] = { p->at->path, p->setting,
				    p->base, f->mount, f->cfg };
	size_t			 i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (!plain(v[i]))
			return err_setx(e, EINVAL, "%s: a name with blanks, "
			    "commas or quotes can't be in the settings",
			    v[i]);
	if (f->size != 0 && (!p->at->file || p->at->holds != SETUP_NONE))
		return err_setx(e, EEXIST, "%s: is there and has its size; "
		    "--size is for a new file", p->at->path);
	return 0;
}

int
setup_choose(struct setup *p, struct err *e)
{
	const struct facts	*f = p->f;
	int			 rc;

	if (f->own && !f->ram && f->served == NULL)
		return err_setx(e, EINVAL, "%s is a file system of its own: "
		    "cfg setup is for a directory of the root's, or for one "
		    "in RAM", f->mount);
	if (f->below != NULL && f->served == NULL)
		return err_setx(e, EBUSY, "%s: something is mounted there, "
		    "and the view would hide it", f->below);
	if ((rc = choose_store(p, e)) < 0 || (rc = choose_base(p, e)) < 0 ||
	    (rc = name_store(p, e)) < 0)
		return rc;
	return check(p, e);
}
