/*
 * gitout.c: the history of a store as a stream for git fast-import(1).
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../lib/path.h"
#include "gitout.h"
#include "hist.h"

#define PIECE	(1u << 20)	/* bytes kept before they are told */

struct job {
	struct gitout	*g;
	struct buf	 out;
	struct ents	 ov;	/* of the generation in hand */
	struct pers	 pers;	/* and what it looks like */
	int64_t		 time;	/* seconds, of the last commit */
	struct err	*e;
};

static int
flush(struct job *j, size_t least)
{
	int	 rc;

	if (j->out.bad)
		return err_set(j->e, ENOMEM, "export");
	if (j->out.len < least)
		return 0;
	rc = j->g->put(j->g->arg, &j->out, j->e);
	j->out.len = 0;
	return rc;
}

static void
put_data(struct job *j, const void *p, size_t n)
{
	put_fmt(&j->out, "data %zu\n", n);
	put_bytes(&j->out, p, n);
	put_u8(&j->out, '\n');
}

/* Git keeps its own directory out of every tree. */
static bool
path_can(const char *p)
{
	size_t	 n;

	for (; *p != '\0'; p += n + (p[n] == '/')) {
		n = strcspn(p, "/");
		if (n == 4 && strncasecmp(p, ".git", 4) == 0)
			return false;
	}
	return true;
}

static int
put_path(struct job *j, const char *before, const char *path)
{
	char	*vis = path_vis(path);

	if (vis == NULL)
		return err_set(j->e, ENOMEM, "%s", path);
	/* A blank at the end of a name would be lost. */
	put_fmt(&j->out, *vis == '"' ? "%s%s\n" : "%s\"%s\"\n", before, vis);
	free(vis);
	return 0;
}

/* What the generation has at this path. */
static int
put_now(void *arg, const char *path)
{
	struct job	*j = arg;
	struct buf	 b = BUF_INIT;
	struct ent	 x;
	bool		 from_base;
	int		 rc;

	if (*path == '\0')
		return 0;
	if ((rc = pers_get(&j->pers, path, 0, &x, &from_base, j->e)) < 0)
		return rc;
	if (x.type == ENT_DIR)
		goto out;		/* it is there with what it holds */
	if ((x.type != ENT_REG && x.type != ENT_LNK) || !path_can(path)) {
		if (x.type != ENT_NONE)
			j->g->left++;
		if (path_can(path))
			rc = put_path(j, "D ", path);
		goto out;
	}
	if (x.type == ENT_REG)
		rc = pers_content(&j->pers, &x, from_base, &b, j->e);
	else
		put_bytes(&b, x.target, strlen(x.target));
	if (rc == 0)
		rc = put_path(j, x.type == ENT_LNK ? "M 120000 inline " :
		    (x.mode & 0111) != 0 ? "M 100755 inline " :
		    "M 100644 inline ", path);
	put_data(j, b.p, b.len);
	if (rc == 0)
		rc = flush(j, PIECE);
out:
	ent_free(&x);
	buf_free(&b);
	return rc;
}

/* All of a tree; who begins a history has nothing to go on from. */
static int
put_tree(struct job *j)
{
	size_t	 i;
	int	 rc = 0;

	put_fmt(&j->out, "deleteall\n");
	if (j->pers.base != -1)
		return pers_walk(&j->pers, "", put_now, j, j->e);
	for (i = 0; i < j->ov.n && rc == 0; i++)
		rc = put_now(j, j->ov.v[i].path);
	return rc;
}

/* A name as git takes it: no brackets, no newlines. */
static void
put_who(struct job *j, const char *what, const char *name)
{
	struct buf	 b = BUF_INIT;

	for (; name != NULL && *name != '\0'; name++)
		if ((unsigned char)*name >= ' ' && strchr("<>", *name) == NULL)
			put_u8(&b, (uint8_t)*name);
	put_u8(&b, '\0');
	if (b.bad || b.len == 1)
		put_fmt(&j->out, "%s cfg <cfg> %" PRId64 " +0000\n", what,
		    j->time);
	else
		put_fmt(&j->out, "%s %s <%s> %" PRId64 " +0000\n", what,
		    (char *)b.p, (char *)b.p, j->time);
	buf_free(&b);
}

static void
put_head(struct job *j, const char *who, const char *msg)
{
	put_fmt(&j->out, "commit refs/heads/main\n");
	put_who(j, "author", who);
	put_who(j, "committer", who);
	put_data(j, msg, strlen(msg));
}

static int
put_base(struct job *j)
{
	put_head(j, NULL, "base\n");
	return put_tree(j);
}

/* The message, and which generation it is. */
static int
put_gen(struct job *j, const struct hist *h)
{
	struct buf	 m = BUF_INIT;
	const char	*msg = h->rec.msg;

	if (h->kept && h->rec.time / 1000000000 > 0)
		j->time = h->rec.time / 1000000000;
	put_fmt(&m, "%s%sgeneration %" PRIu64 "\n", msg == NULL ? "" : msg,
	    msg == NULL || *msg == '\0' ? "" : "\n\n", h->gen);
	put_u8(&m, '\0');
	if (m.bad)
		return err_set(j->e, ENOMEM, "export");
	put_head(j, h->kept ? h->rec.user : NULL, (char *)m.p);
	buf_free(&m);
	return 0;
}

/* What a change led to: a directory that was none may show what the base
 * has below it. */
static int
put_change(struct job *j, struct hist *h, const char *path)
{
	struct ent	 was;
	bool		 known;
	int		 rc;

	if (pers_isdir(&j->pers, path) != 1)
		return put_now(j, path);
	if ((rc = hist_was(h, path, &was, &known, j->e)) < 0)
		return rc;
	if (was.type != ENT_DIR && was.type != ENT_NONE && path_can(path))
		rc = put_path(j, "D ", path);
	if (rc == 0 && was.type != ENT_DIR && j->pers.base != -1)
		rc = pers_walk(&j->pers, path, put_now, j, j->e);
	ent_free(&was);
	return rc;
}

static int
one(struct job *j, struct hist *h, bool first)
{
	size_t	 i;
	int	 rc;

	ents_free(&j->ov);
	if ((rc = store_overlay(j->g->s, h->gen, &j->ov, j->e)) < 0 ||
	    (rc = put_gen(j, h)) < 0)
		return rc;
	if (first || !h->kept)
		rc = put_tree(j);
	for (i = 0; !first && i < h->rec.n && rc == 0; i++)
		rc = put_change(j, h, h->rec.v[i].e.path);
	return rc < 0 ? rc : flush(j, PIECE);
}

int
git_out(struct gitout *g, struct err *e)
{
	struct job	 j = { .g = g, .e = e };
	struct hist	 h;
	bool		 first = true;
	int		 rc;

	g->left = 0;
	j.pers = (struct pers){ g->base, &j.ov, g->s, NULL };
	if ((rc = hist_open(&h, g->s, 1, g->base, e)) == 0 && g->base != -1 &&
	    store_oldest(g->s) <= 1) {
		rc = put_base(&j);
		first = false;
	}
	while (rc == 0 && (rc = hist_next(&h, e)) == 1) {
		rc = one(&j, &h, first);
		first = false;
	}
	put_fmt(&j.out, "done\n");
	if (rc == 0)
		rc = flush(&j, 0);
	hist_close(&h);
	ents_free(&j.ov);
	buf_free(&j.out);
	return rc;
}
