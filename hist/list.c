/*
 * list.c: listing: the window, with the generations that there are now,
 * and directories of these.  Nothing is opened, so a position says by
 * itself what comes next.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/past.h"
#include "../lib/path.h"
#include "hops.h"

/* Positions: that of "." is 0, that of what the directory holds begins
 * here. */
#define FIRST		2
/* In the window: "@base", "@head", then generation N at this and N. */
#define GENS		3

/* An answer in the making. */
struct out {
	fuse_req_t	 req;
	size_t		 size;	/* bytes that it may have */
	size_t		 used;
	bool		 plus;	/* with attributes */
};

/*
 * Add a name; next is the position behind it.  p->ino is 0 where its
 * node was not counted.  False: it did not fit.
 */
static bool
add(struct out *o, const char *name, const struct fuse_entry_param *p,
    off_t next)
{
	char	*to = WINDOW(o->req)->out + o->used;
	size_t	 room = o->size - o->used, n;

	n = o->plus ? fuse_add_direntry_plus(o->req, to, room, name, p, next) :
	    fuse_add_direntry(o->req, to, room, name, &p->attr, next);
	if (n > room)
		return false;
	o->used += n;
	return true;
}

/* A name of which its type and number are told, no more. */
static bool
add_plain(struct out *o, const char *name, uint64_t id, mode_t type,
    off_t next)
{
	struct fuse_entry_param	 p;

	memset(&p, 0, sizeof(p));
	p.attr.st_ino = (ino_t)id;
	p.attr.st_mode = type;
	return add(o, name, &p, next);
}

/* "." and "..". */
static bool
dots(struct out *o, off_t off, uint64_t self, uint64_t up)
{
	return (off > 0 || add_plain(o, ".", self, S_IFDIR, 1)) &&
	    (off > 1 || add_plain(o, "..", up, S_IFDIR, FIRST));
}

static int
list_gens(struct out *o, off_t off, struct err *e)
{
	struct window	*w = WINDOW(o->req);
	uint64_t	 oldest = 0, head = 0, gen;
	char		 name[32];
	int		 rc;
	bool		 fits;

	rc = gens_range(&w->gens, &oldest, &head, e);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	fits = dots(o, off, PAST_ROOT, FUSE_ROOT_ID) && (off > FIRST ||
	    add_plain(o, "@base", hnode_id(HNODE_TREE, 0, ""), S_IFDIR,
	    FIRST + 1));
	if (rc < 0)
		return 0;		/* no store that can be used here */
	fits = fits && (off > FIRST + 1 || add_plain(o, "@head",
	    hnode_id(HNODE_LINK, head, ""), S_IFLNK, GENS + 1));
	gen = off > GENS ? (uint64_t)off - GENS : 1;
	if (gen < oldest)
		gen = oldest;
	for (; fits && gen <= head && gen > 0; gen++) {
		(void)snprintf(name, sizeof(name), "@%llu",
		    (unsigned long long)gen);
		fits = add_plain(o, name, hnode_id(HNODE_TREE, gen, ""),
		    S_IFDIR, (off_t)(GENS + gen + 1));
	}
	return 0;
}

/* Have w->list be what the directory holds. */
static int
load(struct window *w, const struct hnode *n, struct err *e)
{
	const struct pers	*p;
	int			 rc;

	if (w->listed == n->id)
		return 0;
	strs_free(&w->list);
	w->listed = 0;
	if ((rc = gens_tree(&w->gens, n->gen, &p, e)) < 0 ||
	    (rc = pers_list(p, n->path, &w->list, e)) < 0)
		return rc;
	strs_sort(&w->list);
	w->listed = n->id;
	return 0;
}

static bool
add_path(struct out *o, uint64_t gen, char *path, off_t next)
{
	struct window		*w = WINDOW(o->req);
	struct fuse_entry_param	 p;
	struct ent		 x = { .path = NULL };
	struct err		 ignored;
	mode_t			 type = 0;
	size_t			 n = strlen(path);
	bool			 fits;

	if (n > 0 && path[n - 1] == '/') {
		path[n - 1] = '\0';
		type = S_IFDIR;
	}
	/* What can't be looked at is there, at least. */
	if (!o->plus || hops_ent(w, gen, path, &x, &ignored) < 0 ||
	    x.type == ENT_NONE || hops_entry(w, gen, &x, &p) < 0)
		fits = add_plain(o, path_base(path),
		    hnode_id(HNODE_TREE, gen, path), type, next);
	else if (!(fits = add(o, path_base(path), &p, next)))
		hnode_forget(&w->nodes, p.ino, 1);
	ent_free(&x);
	if (type != 0)
		path[n - 1] = '/';
	return fits;
}

/* Of the directory that holds this one. */
static uint64_t
id_above(const struct hnode *n)
{
	const char	*slash = strrchr(n->path, '/');
	char		*up;
	uint64_t	 id = PAST_ROOT;

	if (*n->path == '\0')
		return id;
	up = strndup(n->path, slash == NULL ? 0 : (size_t)(slash - n->path));
	if (up != NULL)
		id = hnode_id(HNODE_TREE, n->gen, up);
	free(up);
	return id;
}

static int
list_dir(struct out *o, const struct hnode *n, off_t off, struct err *e)
{
	struct window	*w = WINDOW(o->req);
	size_t		 i;
	int		 rc;

	if ((rc = load(w, n, e)) < 0)
		return rc;
	if (!dots(o, off, n->id, id_above(n)))
		return 0;
	for (i = off > FIRST ? (size_t)off - FIRST : 0; i < w->list.n; i++)
		if (!add_path(o, n->gen, w->list.v[i],
		    (off_t)(FIRST + i + 1)))
			break;
	return 0;
}

static void
list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, bool plus)
{
	struct window		*w = WINDOW(req);
	const struct hnode	*n = hnode_get(&w->nodes, ino);
	struct out		 o = { .req = req, .size = size,
	    .plus = plus };
	struct err		 e = { 0, "" };
	int			 rc = -ESTALE;

	if (o.size > sizeof(w->out))
		o.size = sizeof(w->out);
	if (ino == PAST_ROOT)
		rc = list_gens(&o, off, &e);
	else if (n != NULL && n->kind == HNODE_TREE)
		rc = list_dir(&o, n, off, &e);
	if (rc < 0)
		fuse_reply_err(req, hops_errno(w, rc, &e));
	else
		fuse_reply_buf(req, w->out, o.used);
}

void
hops_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void
hops_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
