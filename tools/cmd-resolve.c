/*
 * cmd-resolve.c: cfg resolve: what is to become of a path that a new base
 * has something else for than the overlay.
 *
 * Nothing of it is kept anywhere but the list that the restore has left:
 * what the base had, what was committed and what the base has now are all
 * at hand, so the merge is made again when it is asked for, with what runs
 * as the user's version.
 */
#include <sys/wait.h>

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
#include "merge3.h"
#include "out.h"
#include "parked.h"
#include "walk.h"
#include "work.h"

enum how { NOTHING, MINE, THEIRS, MERGED, EDIT };

struct job {
	struct cfg	*c;
	struct work	 w;
	struct pend	 pend;
	struct parks	 parks;		/* all of the list */
	struct strs	 paths;
	enum how	 how;
	struct apply	 a;
};

const char *const rebase_text[WHY_N] = {
	[WHY_OVERLAP] = "changed in the same place here and in the base",
	[WHY_BINARY] = "changed here and in the base, and no text",
	[WHY_UNKNOWN] = "changed here and in the base; the old base is lost",
	[WHY_TYPE] = "of another type in the base",
	[WHY_DELETED] = "deleted here, changed in the base",
	[WHY_GONE] = "changed here, no longer in the base",
	[WHY_LINKED] = "changed in the base, and here a file of several names",
	[WHY_BACK] = "it was merged, and that was taken back"
};

/* The list of what is open, for a reader. */
static int
list(const struct job *j, struct err *e)
{
	const struct parked	*p;
	struct buf		 b = BUF_INIT;
	size_t			 i, n = 0;

	if (j->c->json)
		put_fmt(&b, "[");
	for (i = 0; i < j->parks.n; i++) {
		p = &j->parks.v[i];
		if (j->c->json) {
			put_fmt(&b, "%s{", n++ > 0 ? ",\n " : "");
			json_name(&b, "path", p->path);
			put_fmt(&b, ", \"state\": \"%s\"", park_word[p->state]);
			if (p->state != PARK_MERGED)
				put_fmt(&b, ", \"why\": \"%s\"",
				    rebase_word[p->why]);
			put_u8(&b, '}');
			continue;
		}
		put_fmt(&b, "%s ", park_word[p->state]);
		out_path(&b, p->path);
		if (p->state != PARK_MERGED)
			put_fmt(&b, "\t%s", rebase_text[p->why]);
		put_u8(&b, '\n');
	}
	if (j->c->json)
		put_fmt(&b, "]\n");
	else if (j->parks.n == 0)
		put_fmt(&b, "nothing to resolve\n");
	return out_end(&b, false, e);
}

/* Put one entry into the running tree. */
static int
put(struct job *j, const struct ent *x, const struct buf *b, struct err *e)
{
	int	 rc = apply_ent(&j->a, x, b->p, b->len, e);

	return rc == 1 ? err_setx(e, ENOTDIR, "%s: its directory is none now",
	    x->path) : rc;
}

/* What was committed, again, where something else was put there. */
static int
mine(struct job *j, struct parked *p, struct err *e)
{
	const struct ent	*x = ents_find(&j->w.ov, p->path);
	struct ent		 bare = *x;
	struct buf		 b = BUF_INIT;
	int			 rc = 0;

	if (p->state == PARK_MERGED || p->state == PARK_TAKEN) {
		bare.link = 0;
		if (x->type == ENT_REG)
			rc = pers_content(&j->w.pers, x, false, &b, e);
		if (rc == 0)
			rc = put(j, &bare, &b, e);
	}
	buf_free(&b);
	p->state = PARK_MINE;
	return rc;
}

static int
from_base(struct job *j, const char *path, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct ent	 x;
	int		 rc;

	if ((rc = pers_base(&j->w.pers, path, 0, &x, NULL, NULL, e)) < 0)
		return rc;
	if (x.type == ENT_REG)
		rc = pers_content(&j->w.pers, &x, true, &b, e);
	if (rc == 0)
		rc = put(j, &x, &b, e);
	ent_free(&x);
	buf_free(&b);
	return rc;
}

struct below {
	struct job	*j;
	struct err	*e;
};

static int
one_below(void *arg, const char *path, bool isdir)
{
	struct below	*b = arg;
	int		 rc = from_base(b->j, path, b->e);

	return rc < 0 ? rc : isdir ? WALK_DOWN : 0;
}

/* What the base has, with all below it where it is a directory. */
static int
theirs(struct job *j, struct parked *p, struct err *e)
{
	struct below	 b = { j, e };
	int		 rc = from_base(j, p->path, e);

	if (rc == 0)
		rc = walk_tree(j->w.pers.base, p->path, one_below, &b, e);
	p->state = PARK_TAKEN;
	return rc == -ENOTDIR || rc == -ENOENT ? 0 : rc;
}

/*
 * What runs, as *x, and in *text what it gives merged with the new base,
 * with marks where both changed the same.
 */
static int
merged_text(struct job *j, const struct parked *p, struct ent *x,
    struct buf *text, struct err *e)
{
	struct rebase	 rb = { j->w.st.s, j->w.pers.base, NULL };
	const struct ent *was = ents_find(&j->w.ov, p->path);
	enum rebase_why	 why = p->why;
	const char	*name;
	int		 dfd, rc;

	memset(x, 0, sizeof(*x));
	if ((dfd = path_parent(j->w.tree, p->path, &name)) < 0)
		return err_set(e, -dfd, "%s", p->path);
	rc = ent_read(dfd, name, p->path, ENT_HASH, x, NULL, NULL, e);
	(void)close(dfd);
	if (rc < 0)
		return rc;
	if (x->type == ENT_REG && (rc = walk_slurp(j->w.tree, p->path,
	    REBASE_MAX, text)) < 0)
		return err_set(e, -rc, "read %s", p->path);
	if (merge3_marked(text->p, text->len))
		return 0;		/* it is at hand, half done */
	x->base = was->base;
	x->link = was->link;
	rc = rebase_ent(&rb, x, text, &why, NULL, e);
	if (rc == REBASE_PARKED) {
		struct buf	 b = BUF_INIT;

		rc = why != WHY_OVERLAP ? REBASE_PARKED :
		    rebase_ent(&rb, x, text, &why, &b, e);
		if (rc >= 0 && b.len > 0) {
			buf_free(text);
			*text = b;
			rc = 0;
		} else if (rc >= 0)
			rc = err_setx(e, EINVAL, "%s: %s: --mine or --theirs",
			    p->path, rebase_text[why]);
	}
	x->base = NULL;
	return rc < 0 ? rc : 0;
}

/* Have the user's editor change the text. */
static int
edit_file(const char *file, struct err *e)
{
	char		*argv[] = { (char *)"sh", (char *)"-c", NULL,
			    (char *)"sh", (char *)file, NULL };
	const char	*ed = getenv("VISUAL");
	pid_t		 pid;
	int		 st = 0, rc = 0;

	if (ed == NULL || *ed == '\0')
		ed = getenv("EDITOR");
	if (ed == NULL || *ed == '\0')
		ed = "vi";
	if (asprintf(&argv[2], "%s \"$1\"", ed) == -1)
		return err_set(e, ENOMEM, "%s", ed);
	if ((pid = fork()) == 0) {
		(void)execv("/bin/sh", argv);
		_exit(127);
	}
	while (pid != -1 && waitpid(pid, &st, 0) == -1 && errno == EINTR)
		;
	if (pid == -1)
		rc = err_set(e, errno, "run %s", ed);
	else if (st != 0)
		rc = err_setx(e, EIO, "%s failed: nothing is taken", ed);
	free(argv[2]);
	return rc;
}

static int
edit(struct job *j, const struct parked *p, struct buf *text, struct err *e)
{
	char	*file;
	int	 fd = -1, rc;

	if (asprintf(&file, "%s/edit.XXXXXX", j->c->inst.state) == -1)
		return err_set(e, ENOMEM, "%s", p->path);
	if ((fd = mkstemp(file)) == -1) {
		rc = err_set(e, errno, "create %s", file);
		free(file);
		return rc;
	}
	if ((rc = out_fd(fd, text)) < 0)
		rc = err_set(e, -rc, "write %s", file);
	(void)close(fd);
	if (rc == 0 && (rc = edit_file(file, e)) == 0) {
		text->len = 0;
		rc = walk_slurp(j->w.state, path_base(file), REBASE_MAX,
		    text);
		if (rc < 0)
			rc = err_set(e, -rc, "read %s", file);
		else if (merge3_marked(text->p, text->len))
			rc = err_setx(e, EINVAL, "%s: there are conflicts in "
			    "it still: nothing is taken", p->path);
	}
	(void)unlink(file);
	free(file);
	return rc;
}

static int
merged(struct job *j, struct parked *p, struct err *e)
{
	struct buf	 text = BUF_INIT;
	struct ent	 x;
	bool		 marks;
	int		 rc = merged_text(j, p, &x, &text, e);

	if (rc == 0 && j->how == EDIT)
		rc = edit(j, p, &text, e);
	x.link = 0;
	if (rc == 0 && (rc = put(j, &x, &text, e)) == 0) {
		p->state = PARK_TAKEN;
		marks = merge3_marked(text.p, text.len);
		if (marks)
			cfg_warn(j->c, "%s: both versions are in it, "
			    "between lines of < and >", p->path);
	}
	ent_free(&x);
	buf_free(&text);
	return rc;
}

static int
one(struct job *j, const char *path, struct err *e)
{
	struct parked	*p = parks_find(&j->parks, path);

	if (p == NULL)
		return err_setx(e, ENOENT, "%s: the base has nothing else for "
		    "it", path);
	switch (j->how) {
	case MINE:
		return mine(j, p, e);
	case THEIRS:
		return theirs(j, p, e);
	case MERGED:
	case EDIT:
		return merged(j, p, e);
	case NOTHING:
		break;
	}
	return 0;
}

static void
warn_derived(void *arg, const char *line)
{
	cfg_warn(arg, "%s", line);
}

/* Databases of what was given something else. */
static void
derived_again(struct job *j)
{
	struct ents	 done = { NULL, 0, 0 };
	struct ent	 x;
	size_t		 i;

	for (i = 0; i < j->paths.n; i++) {
		memset(&x, 0, sizeof(x));
		x.type = ENT_REG;	/* the path alone counts */
		if ((x.path = strdup(j->paths.v[i])) != NULL)
			(void)ents_put(&done, &x);
	}
	derived_make(j->w.tree, j->w.ctl == -1 ? j->c->inst.tree :
	    j->c->inst.mount, &done, warn_derived, j->c);
	ents_free(&done);
}

static int
resolve(struct job *j, struct err *e)
{
	const struct strs	 all = { NULL, 0, 0 };
	struct err		 e2;
	size_t			 i;
	int			 rc, rc2;

	if ((rc = work_find(&j->w, UINT64_MAX, &j->pend, e)) < 0 ||
	    (rc = parks_open(&j->parks, j->w.tree, &j->w.pers, &j->pend,
	    &all, e)) < 0)
		return rc;
	if (j->how == NOTHING)
		return list(j, e);
	for (i = 0; i < j->paths.n && rc == 0; i++)
		rc = one(j, j->paths.v[i], e);
	derived_again(j);
	/* Those that were done are done. */
	rc2 = parks_write(&j->parks, j->w.tree, true, &e2);
	if (rc2 < 0 && rc == 0) {
		*e = e2;
		rc = rc2;
	}
	return rc;
}

static int
options(struct job *j, int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "mine", no_argument, NULL, MINE },
		{ "theirs", no_argument, NULL, THEIRS },
		{ "merged", no_argument, NULL, MERGED },
		{ "edit", no_argument, NULL, EDIT },
		{ NULL, 0, NULL, 0 }
	};
	int	 ch;

	while ((ch = getopt_long(argc, argv, "", lo, NULL)) != -1) {
		if (ch < MINE || ch > EDIT || j->how != NOTHING)
			return -1;
		j->how = (enum how)ch;
	}
	return (j->how == NOTHING) == (optind == argc) ? 0 : -1;
}

int
cmd_resolve(struct cfg *c, int argc, char **argv)
{
	struct job	 j = { .c = c };
	struct err	 e = { 0, "" };
	char		*p;
	int		 rc;

	if (c->storepath != NULL || options(&j, argc, argv) == -1)
		return cfg_usage(c);
	if (j.how != NOTHING && geteuid() != 0)
		return cfg_failx(c, "only root resolves: %s",
		    strerror(EPERM));
	if ((rc = work_open(&j.w, c, &e)) < 0)
		return cfg_fail(c, &e);
	j.a = (struct apply)APPLY_INIT(j.w.tree, true);
	for (; rc == 0 && optind < argc; optind++)
		if ((rc = cfg_path(c, argv[optind], &p, &e)) == 0 &&
		    strs_put(&j.paths, p) < 0)
			rc = err_set(&e, ENOMEM, "resolve");
	if (rc == 0)
		rc = resolve(&j, &e);
	strs_free(&j.paths);
	pend_free(&j.pend);
	parks_free(&j.parks);
	apply_free(&j.a);
	work_close(&j.w);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
