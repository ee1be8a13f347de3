/*
 * cmd-export.c: cfg export: the overlay as a plain tree, as NanoBSD keeps
 * it on /cfg, or as a tar archive; deletions, for which neither has a
 * form, as a list that NanoBSD's boot takes; or the history for git.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "apply.h"
#include "cfg.h"
#include "gitout.h"
#include "out.h"
#include "pers.h"
#include "tar.h"
#include "walk.h"

#define FLUSH	(1024 * 1024)	/* bytes of archive kept before writing */

struct job {
	const struct cfg *c;
	const char	*gen;		/* as named; NULL: the head */
	const char	*basedir;
	const char	*dir;		/* plain tree, or NULL */
	const char	*tar;		/* archive, "-" standard output */
	const char	*git;		/* stream, the same way */
	const char	*list;		/* file for deletions, or NULL */
	bool		 force;
	struct ents	 ov;
	struct pers	 pers;
	size_t		 deleted;
	struct buf	 removed;	/* the list */
};

/*
 * One path as a word of etc.remove, which rc.initdiskless gives to
 * rm -rf by the shell's splitting and globbing: what means something to
 * either is in brackets; white space only as its class.
 */
static void
put_removed(struct buf *b, const char *p)
{
	put_fmt(b, "./");
	for (; *p != '\0'; p++)
		switch (*p) {
		case ' ':
		case '\t':
		case '\n':
			put_fmt(b, "[[:space:]]");
			break;
		case '*':
		case '?':
		case '[':
			put_fmt(b, "[%c]", *p);
			break;
		case '\\':
			put_fmt(b, "[\\\\]");
			break;
		default:
			put_u8(b, (uint8_t)*p);
			break;
		}
	put_u8(b, '\n');
}

static int
write_all(int fd, const char *name, const struct buf *b, struct err *e)
{
	int	 rc = b->bad ? -ENOMEM : out_fd(fd, b);

	return rc < 0 ? err_set(e, -rc, "write %s", name) : 0;
}

/* What is written must be there after a power cut; a pipe or a terminal
 * can't promise that, and is not asked. */
static int
finish(int fd, const char *name, struct err *e)
{
	int	 rc = 0;

	if (fsync(fd) == -1 && errno != EINVAL && errno != EROFS &&
	    errno != ENOTSUP)
		rc = err_set(e, errno, "write %s", name);
	if (fd != STDOUT_FILENO && close(fd) == -1 && rc == 0)
		rc = err_set(e, errno, "close %s", name);
	return rc;
}

static int
open_out(const char *name, struct err *e)
{
	int	 fd;

	if (strcmp(name, "-") == 0)
		return STDOUT_FILENO;
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return fd == -1 ? err_set(e, errno, "%s", name) : fd;
}

/* The content of an entry; none where an earlier link has it. */
static int
content(struct job *j, const struct apply *seen, const struct ent *x,
    struct buf *b, struct err *e)
{
	b->len = 0;
	if (x->type != ENT_REG || apply_find(seen, x->link) != NULL)
		return 0;
	return store_content(j->pers.s, x, b, e);
}

static int
to_tar(struct job *j, struct err *e)
{
	struct apply	 seen = APPLY_INIT(-1, false);
	struct buf	 out = BUF_INIT, data = BUF_INIT;
	struct err	 e2;
	struct ent	*x;
	size_t		 i;
	int		 fd, rc = 0, rc2;

	if ((fd = open_out(j->tar, e)) < 0)
		return fd;
	for (i = 0; i < j->ov.n && rc == 0; i++) {
		x = &j->ov.v[i];
		if ((rc = content(j, &seen, x, &data, e)) < 0)
			break;
		tar_put(&out, x, data.p, data.len,
		    apply_find(&seen, x->link));
		if (apply_linked(&seen, x->link, x->path) < 0)
			rc = err_set(e, ENOMEM, "%s", j->tar);
		else if (out.len >= FLUSH) {
			rc = write_all(fd, j->tar, &out, e);
			out.len = 0;
		}
	}
	tar_end(&out);
	if (rc == 0)
		rc = write_all(fd, j->tar, &out, e);
	rc2 = finish(fd, j->tar, rc == 0 ? e : &e2);
	apply_free(&seen);
	buf_free(&out);
	buf_free(&data);
	return rc < 0 ? rc : rc2;
}

struct git_file {
	int		 fd;
	const char	*name;
};

static int
put_git(void *arg, const struct buf *b, struct err *e)
{
	const struct git_file	*f = arg;

	return write_all(f->fd, f->name, b, e);
}

static int
to_git(struct job *j, struct err *e)
{
	struct git_file	 f = { -1, j->git };
	struct gitout	 g = { .s = j->pers.s, .base = j->pers.base,
	    .put = put_git, .arg = &f };
	struct err	 e2;
	int		 rc, rc2;

	if ((f.fd = open_out(j->git, e)) < 0)
		return f.fd;
	rc = git_out(&g, e);
	rc2 = finish(f.fd, j->git, rc == 0 ? e : &e2);
	if (rc == 0 && g.left > 0)
		cfg_warn(j->c, "%zu left out: git has no form for them",
		    g.left);
	return rc < 0 ? rc : rc2;
}

/* But for what newfs(8) puts there. */
static bool
is_empty(int fd)
{
	struct strs	 s = { 0 };
	struct err	 ignored;
	size_t		 i, n = 0;

	(void)walk_list(fd, "", &s, &ignored);
	for (i = 0; i < s.n; i++)
		if (strcmp(s.v[i], "lost+found/") != 0 &&
		    strcmp(s.v[i], ".snap/") != 0)
			n++;
	strs_free(&s);
	return n == 0;
}

static int
open_dir(const struct job *j, struct err *e)
{
	int	 fd;

	if (mkdirat(AT_FDCWD, j->dir, 0755) == -1 && errno != EEXIST)
		return err_set(e, errno, "%s", j->dir);
	fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return err_set(e, errno, "%s", j->dir);
	if (!j->force && !is_empty(fd)) {
		(void)close(fd);	/* only read */
		return err_setx(e, ENOTEMPTY, "%s: not empty; -f writes "
		    "into it", j->dir);
	}
	return fd;
}

/*
 * The directories above path that only the base has: with the base's
 * modes and owners, as boot's cp -Rp gives those to /etc's.
 */
static int
parents(struct job *j, struct apply *a, const char *path, struct err *e)
{
	const char	*slash;
	struct ent	 x;
	char		*up;
	int		 fd, rc = 0;

	for (slash = strchr(path, '/'); slash != NULL && rc >= 0;
	    slash = strchr(slash + 1, '/')) {
		if ((up = strndup(path, (size_t)(slash - path))) == NULL)
			return err_set(e, ENOMEM, "%s", j->dir);
		if ((fd = path_open(a->root, up, O_RDONLY | O_DIRECTORY)) >=
		    0)
			(void)close(fd);	/* it is there */
		else if ((rc = pers_get(&j->pers, up, 0, &x, NULL, e)) == 0) {
			if (x.type != ENT_DIR) {
				x.type = ENT_DIR;
				x.mode = 0755;
				x.mtime = out_now() / 1000000000;
			}
			rc = apply_ent(a, &x, NULL, 0, e);
			ent_free(&x);
		}
		free(up);
	}
	return rc < 0 ? rc : 0;
}

static int
to_dir(struct job *j, struct err *e)
{
	struct apply	 a = APPLY_INIT(-1, false);
	struct buf	 data = BUF_INIT;
	struct ent	*x;
	size_t		 i;
	int		 rc = 0;

	if ((a.root = open_dir(j, e)) < 0)
		return a.root;
	for (i = 0; i < j->ov.n && rc >= 0; i++) {
		x = &j->ov.v[i];
		if (x->type == ENT_SOCK ||
		    (x->type == ENT_WHITEOUT && !j->force))
			continue;
		if (x->type != ENT_WHITEOUT &&
		    (rc = parents(j, &a, x->path, e)) < 0)
			break;
		if ((rc = content(j, &a, x, &data, e)) == 0)
			rc = apply_ent(&a, x, data.p, data.len, e);
		if (rc >= 0 && x->type != ENT_WHITEOUT &&
		    apply_linked(&a, x->link, x->path) < 0)
			rc = err_set(e, ENOMEM, "%s", j->dir);
	}
	if (a.left)
		cfg_warn(j->c, "%s: can't hold all extended attributes",
		    j->dir);
	sync();			/* it may be a slice that boot will read */
	(void)close(a.root);
	apply_free(&a);
	buf_free(&data);
	return rc < 0 ? rc : 0;
}

static int
to_list(struct job *j, struct err *e)
{
	struct err	 e2;
	int		 fd, rc, rc2;

	if (j->list == NULL) {
		if (j->deleted > 0)
			cfg_warn(j->c, "%zu deletion%s left out; "
			    "--remove-list lists them", j->deleted,
			    j->deleted == 1 ? "" : "s");
		return 0;
	}
	if ((fd = open_out(j->list, e)) < 0)
		return fd;
	rc = write_all(fd, j->list, &j->removed, e);
	rc2 = finish(fd, j->list, rc == 0 ? e : &e2);
	return rc < 0 ? rc : rc2;
}

static int
export(struct job *j, struct store *s, struct err *e)
{
	uint64_t	 gen;
	size_t		 i;
	int		 rc;

	if ((rc = cfg_gen(s, j->gen == NULL ? "@0" : j->gen, &gen, e)) < 0 ||
	    (rc = store_overlay(s, gen, &j->ov, e)) < 0)
		return rc;
	j->pers.ov = &j->ov;
	j->pers.s = s;
	if (j->git != NULL)
		return to_git(j, e);
	for (i = 0; i < j->ov.n; i++)
		if (j->ov.v[i].type == ENT_WHITEOUT) {
			put_removed(&j->removed, j->ov.v[i].path);
			j->deleted++;
		}
	rc = j->tar != NULL ? to_tar(j, e) : to_dir(j, e);
	return rc < 0 ? rc : to_list(j, e);
}

static int
options(struct job *j, int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "base", required_argument, NULL, 'b' },
		{ "gen", required_argument, NULL, 'g' },
		{ "git", required_argument, NULL, 'G' },
		{ "remove-list", required_argument, NULL, 'r' },
		{ "tar", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	int	 ch;

	while ((ch = getopt_long(argc, argv, "f", lo, NULL)) != -1)
		switch (ch) {
		case 'b':
			j->basedir = optarg;
			break;
		case 'f':
			j->force = true;
			break;
		case 'g':
			j->gen = optarg;
			break;
		case 'G':
			j->git = optarg;
			break;
		case 'r':
			j->list = optarg;
			break;
		case 't':
			j->tar = optarg;
			break;
		default:
			return -1;
		}
	/* One of the three, and the history is of no one generation. */
	if (argc - optind + (j->tar != NULL) + (j->git != NULL) != 1 ||
	    (j->git != NULL && (j->gen != NULL || j->list != NULL)))
		return -1;
	j->dir = argv[optind];		/* or NULL */
	return 0;
}

int
cmd_export(struct cfg *c, int argc, char **argv)
{
	struct job		 j = { .c = c, .pers = { .base = -1 } };
	struct cfg_store	 st = { 0 };
	struct err		 e = { 0 };
	int			 rc;

	if (options(&j, argc, argv) == -1)
		return cfg_usage(c);
	if ((rc = cfg_read(c, &st, &e)) == 0 &&
	    (rc = cfg_base(c, j.basedir, &j.pers.base, &e)) == 0)
		rc = export(&j, st.s, &e);
	rc = cfg_end(&st, j.pers.base, rc, &e);
	ents_free(&j.ov);
	buf_free(&j.removed);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
