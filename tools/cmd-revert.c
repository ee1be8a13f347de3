/*
 * cmd-revert.c: cfg revert: give back what is persisted, live, as an
 * editor would: by temporary name and rename, and only where something
 * differs.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "apply.h"
#include "cfg.h"
#include "derived.h"
#include "links.h"
#include "pend.h"
#include "walk.h"
#include "work.h"

struct job {
	struct cfg	*c;
	struct work	 w;
	struct strs	 paths;
	struct pend	 pend;
	bool		*sel;		/* by index: to be reverted */
	struct links	 base;		/* the base's hard links, if needed */
	bool		 base_read;
	struct apply	 a;
	size_t		 ndone, nfailed;
};

/* Numbers of the base's groups, beyond those of overlays. */
#define BASE_LINK	0x80000000u

/*
 * What is asked for, and the directories that must be there again for it.
 * One whose place was taken by something else is not swept away unasked.
 */
static int
choose(struct job *j, struct err *e)
{
	const struct pent	*p;
	const char		*last = "";
	char			*vis;
	size_t			 i, k;

	if ((j->sel = calloc(j->pend.n + 1, sizeof(*j->sel))) == NULL)
		return err_set(e, ENOMEM, "revert");
	for (i = j->pend.n; i-- > 0;) {
		p = &j->pend.v[i];
		for (k = 0; k < j->paths.n && !j->sel[i]; k++)
			j->sel[i] = path_within(p->path, j->paths.v[k]);
		if (!j->sel[i] && p->was.type == ENT_DIR &&
		    p->now.type != ENT_DIR && *last != '\0' &&
		    path_within(last, p->path)) {
			if (p->now.type != ENT_NONE) {
				vis = path_vis(p->path);
				(void)err_setx(e, ENOTDIR, "%s is not a "
				    "directory now: revert it as well",
				    vis == NULL ? "?" : vis);
				free(vis);
				return -ENOTDIR;
			}
			j->sel[i] = true;
		}
		if (j->sel[i] && p->was.type != ENT_NONE)
			last = p->path;
	}
	return 0;
}

static bool
pending(const struct job *j, const char *path)
{
	size_t	 lo = 0, hi = j->pend.n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (path_cmp(j->pend.v[mid].path, path) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < j->pend.n && strcmp(j->pend.v[lo].path, path) == 0;
}

/* A group of the overlay: join the names that are as they should be. */
static int
join_overlay(struct job *j, const struct pent *p)
{
	const struct ents	*ov = &j->w.ov;
	size_t			 i;

	for (i = 0; i < ov->n; i++)
		if (ov->v[i].link == p->was.link &&
		    !pending(j, ov->v[i].path))
			return apply_linked(&j->a, p->was.link,
			    ov->v[i].path);
	return 0;
}

/* The same for a group of the base. */
static int
join_base(struct job *j, struct pent *p, struct err *e)
{
	const struct lname	*m;
	struct ent		 base;
	uint64_t		 ino, nlink;
	size_t			 n;
	int			 rc;

	if ((rc = pers_base(&j->w.pers, p->path, 0, &base, &ino, &nlink,
	    e)) < 0)
		return rc;
	ent_free(&base);
	if (nlink < 2)
		return 0;
	if (!j->base_read && (rc = links_scan(&j->base, j->w.pers.base,
	    j->w.patt, e)) < 0)
		return rc;
	j->base_read = true;
	if ((n = links_of(&j->base, ino, &m)) < 2)
		return 0;
	p->was.link = BASE_LINK | (uint32_t)(m - j->base.v);
	for (; n > 0; n--, m++)
		if (pers_over(&j->w.pers, m->path) == NULL &&
		    !pending(j, m->path))
			return apply_linked(&j->a, p->was.link, m->path);
	return 0;
}

static int
join_links(struct job *j, struct err *e)
{
	struct pent	*p;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; i < j->pend.n && rc == 0; i++) {
		p = &j->pend.v[i];
		if (!j->sel[i] || p->was.type == ENT_NONE ||
		    p->was.type == ENT_DIR)
			continue;
		if (p->was_base)
			rc = join_base(j, p, e);
		else if (p->was.link != 0 && join_overlay(j, p) < 0)
			rc = err_set(e, ENOMEM, "revert");
	}
	return rc;
}

static void
say(struct job *j, const struct pent *p, int rc, const struct err *e)
{
	char	*vis = path_vis(*p->path == '\0' ? "." : p->path);

	if (rc < 0) {
		cfg_warn(j->c, "%s", e->msg);
		j->nfailed++;
	} else if (rc == 1) {
		cfg_warn(j->c, "%s: its directory is none now",
		    vis == NULL ? "?" : vis);
		j->nfailed++;
	} else {
		(void)printf("%c %s\n", pend_letter(p),
		    vis == NULL ? "?" : vis);
		j->ndone++;
	}
	free(vis);
}

/* Take away what was added; a directory only when it is empty then. */
static int
take_away(struct job *j, const struct pent *p, struct err *e)
{
	const char	*name;
	int		 dfd, rc;

	if ((dfd = path_parent(j->w.tree, p->path, &name)) < 0)
		return dfd == -ENOENT ? 0 : err_set(e, -dfd, "open %s",
		    p->path);
	rc = unlinkat(dfd, name, p->now.type == ENT_DIR ? AT_REMOVEDIR : 0);
	rc = rc == -1 && errno != ENOENT ? -errno : 0;
	(void)close(dfd);
	if (rc == -ENOTEMPTY || rc == -EEXIST)
		return err_setx(e, -rc, "%s: stays, as it holds what does "
		    "not count as a change", p->path);
	return rc < 0 ? err_set(e, -rc, "remove %s", p->path) : 0;
}

static int
give_back(struct job *j, const struct pent *p, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 rc = 0;

	if (p->was.type == ENT_REG &&
	    apply_find(&j->a, p->was.link) == NULL)
		rc = pers_content(&j->w.pers, &p->was, p->was_base, &b, e);
	if (rc == 0)
		rc = apply_ent(&j->a, &p->was, b.p, b.len, e);
	buf_free(&b);
	return rc;
}

/* What was put into a directory has changed its time. */
static void
set_time(struct job *j, const struct ent *was)
{
	struct timespec	 t[2] = { { 0, UTIME_OMIT },
			    { (time_t)was->mtime, (long)was->mtime_ns } };
	int		 fd;

	fd = path_open(j->w.tree, was->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return;
	(void)futimens(fd, t);		/* a time alone is no change */
	(void)close(fd);
}

static void
warn_derived(void *arg, const char *line)
{
	cfg_warn(arg, "%s", line);
}

static void
derived_again(struct job *j)
{
	struct ents	 done = { NULL, 0, 0 };
	struct ent	 x;
	size_t		 i;

	for (i = 0; i < j->pend.n; i++) {
		memset(&x, 0, sizeof(x));
		if (!j->sel[i] ||
		    (x.path = strdup(j->pend.v[i].path)) == NULL)
			continue;
		x.type = ENT_REG;	/* the path alone counts */
		(void)ents_put(&done, &x);
	}
	derived_make(j->w.tree, j->w.ctl == -1 ? j->c->inst.tree :
	    j->c->inst.mount, &done, warn_derived, j->c);
	ents_free(&done);
}

static int
revert(struct job *j, bool dry, struct err *e)
{
	struct pent	*p;
	size_t		 i;
	int		 rc;

	if ((rc = work_find(&j->w, UINT64_MAX, &j->pend, e)) < 0 ||
	    (rc = choose(j, e)) < 0 || (rc = join_links(j, e)) < 0)
		return rc;
	if (!dry)
		work_sweep(&j->w, &j->pend);
	/* What was added goes first, the deepest before the rest. */
	for (i = j->pend.n; i-- > 0;) {
		p = &j->pend.v[i];
		if (j->sel[i] && p->was.type == ENT_NONE)
			say(j, p, dry ? 0 : take_away(j, p, e), e);
	}
	for (i = 0; i < j->pend.n; i++) {
		p = &j->pend.v[i];
		if (j->sel[i] && p->was.type != ENT_NONE)
			say(j, p, dry ? 0 : give_back(j, p, e), e);
	}
	for (i = j->pend.n; i-- > 0 && !dry;) {
		p = &j->pend.v[i];
		if (j->sel[i] && p->was.type == ENT_DIR)
			set_time(j, &p->was);
	}
	if (j->ndone > 0 && !dry)
		derived_again(j);
	return 0;
}

int
cmd_revert(struct cfg *c, int argc, char **argv)
{
	struct job	 j = { .c = c };
	struct err	 e = { 0, "" };
	bool		 dry = false;
	char		*p;
	int		 ch, rc;

	while ((ch = getopt(argc, argv, "n")) != -1) {
		if (ch != 'n')
			return cfg_usage(c);
		dry = true;
	}
	if (optind == argc || c->storepath != NULL)
		return cfg_usage(c);
	if (!dry && geteuid() != 0)
		return cfg_failx(c, "only root reverts: %s",
		    strerror(EPERM));
	if ((rc = work_open(&j.w, c, &e)) < 0)
		return cfg_fail(c, &e);
	j.a = (struct apply)APPLY_INIT(j.w.tree, true);
	for (; rc == 0 && optind < argc; optind++)
		if ((rc = cfg_path(c, argv[optind], &p, &e)) == 0 &&
		    strs_put(&j.paths, p) < 0)
			rc = err_set(&e, ENOMEM, "revert");
	if (rc == 0)
		rc = revert(&j, dry, &e);
	if (rc == 0)
		(void)printf("%zu path%s %sreverted\n", j.ndone,
		    j.ndone == 1 ? "" : "s", dry ? "would be " : "");
	if (j.a.left)
		cfg_warn(c, "not all extended attributes could be set");
	strs_free(&j.paths);
	pend_free(&j.pend);
	free(j.sel);
	links_free(&j.base);
	apply_free(&j.a);
	work_close(&j.w);
	return rc < 0 ? cfg_fail(c, &e) : j.nfailed > 0 ? EX_FAIL : EX_OK;
}
