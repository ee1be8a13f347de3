/*
 * cmd-import.c: cfg import: a plain tree of files that differ from the
 * base, as NanoBSD keeps it on /cfg, as one commit over the head.
 *
 * What is running stays as it is.  Where a daemon runs, the imported paths
 * are put in its journal before the commit: else nobody would look there,
 * and the difference would not be seen as pending.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ctl.h"
#include "../lib/jrn.h"
#include "../lib/path.h"
#include "cfg.h"
#include "change.h"
#include "links.h"
#include "patt.h"
#include "pend.h"
#include "out.h"
#include "pers.h"
#include "towrite.h"
#include "walk.h"

struct job {
	struct cfg	*c;
	const char	*dir;
	const char	*basedir;
	int		 from;		/* the tree that is imported */
	struct ents	 ov;		/* of the head */
	struct pers	 pers;
	struct patt	*patt;
	struct pend	 pend;		/* what it would change */
	size_t		 cap;
	struct links	 links;		/* of the imported tree */
	struct commit	 commit;
	struct err	*e;
};

/* What NanoBSD and file systems keep beside the files themselves. */
static bool
no_part(const char *path)
{
	return strcmp(path, ".ignore") == 0 || strcmp(path, ".snap") == 0 ||
	    strcmp(path, "lost+found") == 0;
}

/* It may lie in what is imported. */
static bool
is_store(const struct job *j, const char *path)
{
	struct stat	 store, st;
	const char	*name;
	int		 dfd;
	bool		 yes;

	if (stat(j->c->storepath != NULL ? j->c->storepath :
	    j->c->inst.store, &store) == -1 || !S_ISREG(store.st_mode) ||
	    (dfd = path_parent(j->from, path, &name)) < 0)
		return false;
	yes = fstatat(dfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == store.st_dev && st.st_ino == store.st_ino;
	(void)close(dfd);		/* only read */
	return yes;
}

static struct pent *
add_pent(struct job *j)
{
	if (more_room(&j->pend.v, j->pend.n, &j->cap, sizeof(*j->pend.v)) < 0)
		return NULL;
	memset(&j->pend.v[j->pend.n], 0, sizeof(*j->pend.v));
	return &j->pend.v[j->pend.n];
}

/* A number for all names of an inode; 0 where there is but one. */
static uint32_t
link_number(const struct job *j, uint64_t ino)
{
	const struct lname	*first;

	if (links_of(&j->links, ino, &first) < 2)
		return 0;
	return (uint32_t)(first - j->links.v) + 1;
}

/* The entries of the head and of the base, and whether it differs. */
static int
compare(struct job *j, struct pent *p, bool *differ)
{
	struct ent	 base;
	int		 rc;

	if ((rc = pers_get(&j->pers, p->path, ENT_HASH, &p->was,
	    &p->was_base, j->e)) < 0 ||
	    (rc = pers_base(&j->pers, p->path, ENT_HASH, &base, NULL, NULL,
	    j->e)) < 0)
		return rc;
	p->in_base = base.type != ENT_NONE;
	p->like_base = p->now.link == 0 && p->in_base &&
	    ent_same(&base, &p->now);
	*differ = !ent_same(&p->was, &p->now) ||
	    (p->now.link != 0 && p->was.link == 0) ||
	    (p->like_base && !p->was_base);
	ent_free(&base);
	return 0;
}

static int
one(void *arg, const char *path, bool isdir)
{
	struct job	*j = arg;
	struct pent	*p;
	const char	*name;
	uint64_t	 ino;
	bool		 differ = false;
	int		 dfd, rc;

	(void)isdir;		/* ent_read() says what it is now */
	if (no_part(path) || is_store(j, path))
		return 0;
	if ((p = add_pent(j)) == NULL || (p->path = strdup(path)) == NULL)
		return err_set(j->e, ENOMEM, "%s", j->dir);
	if ((dfd = path_parent(j->from, path, &name)) < 0) {
		rc = err_set(j->e, -dfd, "%s/%s", j->dir, path);
		goto drop;
	}
	rc = ent_read(dfd, name, path, ENT_HASH, &p->now, &ino, NULL, j->e);
	(void)close(dfd);		/* only read */
	if (rc < 0)
		goto drop;
	if (p->now.type == ENT_SOCK)
		j->pend.nsock++;
	if (p->now.type == ENT_NONE || p->now.type == ENT_SOCK ||
	    patt_match(j->patt, path, p->now.type == ENT_DIR))
		goto drop;
	if (p->now.type != ENT_DIR)
		p->now.link = link_number(j, ino);
	rc = p->now.type == ENT_DIR ? WALK_DOWN : 0;
	dfd = compare(j, p, &differ);
	if (dfd < 0)
		rc = dfd;
	else if (differ) {
		j->pend.n++;
		return rc;
	}
drop:
	free(p->path);
	ent_free(&p->was);
	ent_free(&p->now);
	return rc;
}

static int
sign(struct job *j)
{
	struct commit	*c = &j->commit;
	const char	*user = getlogin();
	char		*vis = path_vis(j->dir);
	int		 n;

	c->time = out_now();
	c->uid = (uint32_t)getuid();
	c->user = strdup(user == NULL ? cfg_user(c->uid) : user);
	n = vis == NULL ? -1 : asprintf(&c->msg, "import of %s", vis);
	free(vis);
	if (n == -1)
		c->msg = NULL;
	return c->user == NULL || n == -1 ? err_set(j->e, ENOMEM, "import") :
	    0;
}

static int
again(void *arg, const struct jrn_rec *r)
{
	jrn_put(arg, r);
	return 0;
}

static void
put_scan(struct buf *b, const char *path)
{
	struct jrn_rec	 r;

	memset(&r, 0, sizeof(r));
	r.op = JRN_SCAN;
	r.flags = JRN_TREE;
	r.count = 1;
	r.path = path;
	r.pathlen = strlen(path);
	jrn_put(b, &r);
}

/* Replace the journal's ended segments by the same and our paths. */
static int
rewrite(struct job *j, int state, uint64_t upto)
{
	struct buf	 b = BUF_INIT;
	uint64_t	 last;
	bool		 damaged = false;
	size_t		 i;
	int		 rc;

	if ((rc = jrn_scan(state, upto, again, &b, &damaged, &last, j->e)) ==
	    0) {
		if (damaged)
			put_scan(&b, "");
		for (i = 0; i < j->pend.n; i++)
			put_scan(&b, j->pend.v[i].path);
		rc = b.bad ? err_set(j->e, ENOMEM, "journal") :
		    jrn_replace(state, upto, &b, j->e);
	}
	buf_free(&b);
	return rc;
}

/* *ctl holds the lease until it is closed; -1: no daemon, no need. */
static int
journal(struct job *j, int *ctl)
{
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	uint64_t	 upto;
	int		 state = -1, rc;

	*ctl = -1;
	if (j->c->inst.state == NULL)
		return 0;
	rc = ctl_connect(j->c->inst.state, j->e);
	if (rc == -ENOENT || rc == -ECONNREFUSED)
		return 0;
	if (rc < 0)
		return rc;
	*ctl = rc;
	if ((rc = ctl_call(*ctl, CTL_FREEZE, NULL, &b, j->e)) < 0) {
		if (rc == -EBUSY)
			(void)err_setx(j->e, EBUSY,
			    "a commit is under way");
		goto out;
	}
	r = (struct rd){ b.p, b.len, false };
	upto = rd_le64(&r);
	b.len = 0;
	/* Nothing is to be held still: the segment has ended. */
	if ((rc = ctl_call(*ctl, CTL_THAW, NULL, &b, j->e)) < 0)
		goto out;
	state = open(j->c->inst.state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r.bad || state == -1)
		rc = err_set(j->e, r.bad ? EBADMSG : errno, "%s",
		    j->c->inst.state);
	else
		rc = rewrite(j, state, upto);
out:
	if (state != -1)
		(void)close(state);
	buf_free(&b);
	return rc;
}

static int
import(struct job *j, struct store *s)
{
	struct change_base	 base = { .keep = true };
	uint64_t		 gen;
	int			 ctl = -1, rc;

	j->pers.ov = &j->ov;
	j->pers.s = s;
	if ((rc = store_overlay(s, store_head(s), &j->ov, j->e)) < 0 ||
	    (rc = patt_new(&j->patt, j->e)) < 0 ||
	    (rc = links_scan(&j->links, j->from, j->patt, j->e)) < 0 ||
	    (rc = walk_tree(j->from, "", one, j, j->e)) < 0 ||
	    (rc = change_build(&j->commit, &j->pend, j->from, &j->pers,
	    j->patt, &base, j->e)) < 0)
		return rc;
	if (j->pend.nsock > 0)
		cfg_warn(j->c, "%zu socket%s left out", j->pend.nsock,
		    j->pend.nsock == 1 ? "" : "s");
	if (j->commit.n == 0) {
		(void)printf("nothing to import\n");
		return 0;
	}
	if ((rc = sign(j)) == 0 && (rc = journal(j, &ctl)) == 0 &&
	    (rc = store_commit(s, &j->commit, &gen, j->e)) == 0) {
		(void)printf("generation %llu: %zu path%s\n",
		    (unsigned long long)gen, j->commit.n,
		    j->commit.n == 1 ? "" : "s");
		if (ctl != -1)
			(void)printf("%s is as it was: cfg status shows "
			    "where it differs now, cfg revert takes over "
			    "what was imported\n", j->c->inst.mount);
	}
	if (ctl != -1)
		(void)close(ctl);
	return rc;
}

/* The instance, if there is one, must be that of this very store. */
static int
find_instance(struct cfg *c, struct err *e)
{
	if (c->storepath == NULL)
		return cfg_inst(c, e);
	cfg_served(c, c->storepath);
	return 0;
}

static int
open_all(struct job *j, struct towrite *to)
{
	int	 rc;

	if ((rc = find_instance(j->c, j->e)) < 0 ||
	    (rc = cfg_base(j->c, j->basedir, &j->pers.base, j->e)) < 0)
		return rc;
	if (j->pers.base == -1)
		return err_setx(j->e, EINVAL, "no base: --base names it");
	j->from = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->from == -1)
		return err_set(j->e, errno, "%s", j->dir);
	return towrite_open(to, j->c, j->e);
}

int
cmd_import(struct cfg *c, int argc, char **argv)
{
	struct err		 e = { 0 };
	struct job		 j = { .c = c, .from = -1, .e = &e,
	    .pers = { .base = -1 } };
	struct towrite		 to = { .dev = 0 };
	struct err		 e2;
	int			 ch, rc, rc2;

	while ((ch = getopt_long(argc, argv, "", cfg_base_opt,
	    NULL)) != -1)
		switch (ch) {
		case 'b':
			j.basedir = optarg;
			break;
		default:
			return cfg_usage(c);
		}
	if (argc - optind != 1)
		return cfg_usage(c);
	j.dir = argv[optind];
	if ((rc = open_all(&j, &to)) == 0)
		rc = import(&j, to.st.s);
	if (j.pers.base != -1)
		(void)close(j.pers.base);	/* only read */
	rc2 = towrite_close(&to, c, NULL, rc < 0 ? &e2 : &e);
	if (rc == 0)
		rc = rc2;
	commit_free(&j.commit);
	pend_free(&j.pend);
	links_free(&j.links);
	patt_free(j.patt);
	ents_free(&j.ov);
	if (j.from != -1)
		(void)close(j.from);		/* only read */
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
