/*
 * hops.c: the window's operations, but for listing.  Nothing is opened
 * and nothing changes: what changes something does not get here.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/past.h"
#include "../lib/path.h"
#include "hops.h"

#define SAY_EVERY	60	/* seconds between two messages */
#define GEN_TRUST	1.0	/* seconds: a generation that is there may be
				   gone after that */

int
hops_errno(struct window *w, int rc, const struct err *e)
{
	struct timespec	 ts;

	switch (-rc) {
	case ENOENT:
	case ESTALE:
	case OS_ENOATTR:
	case ERANGE:
	case EINVAL:
	case ENOTDIR:
	case ENXIO:
		return -rc;
	default:
		break;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	if (e != NULL && (w->said == 0 || ts.tv_sec - w->said > SAY_EVERY)) {
		w->said = ts.tv_sec > 0 ? ts.tv_sec : 1;
		syslog(LOG_WARNING, "%s", e->msg);
	}
	return rc == -ENOMEM ? ENOMEM : EIO;
}

void
hops_stat(const struct ent *x, uint64_t id, struct stat *st)
{
	static const mode_t	 types[] = {
		[ENT_REG] = S_IFREG, [ENT_DIR] = S_IFDIR,
		[ENT_LNK] = S_IFLNK, [ENT_FIFO] = S_IFIFO,
		[ENT_CHR] = S_IFCHR, [ENT_BLK] = S_IFBLK,
		[ENT_SOCK] = S_IFSOCK,
	};

	memset(st, 0, sizeof(*st));
	st->st_ino = (ino_t)id;
	st->st_mode = types[x->type] | (mode_t)x->mode;
	st->st_nlink = x->type == ENT_DIR ? 2 : 1;
	st->st_uid = x->uid;
	st->st_gid = x->gid;
	if (x->type == ENT_CHR || x->type == ENT_BLK)
		st->st_rdev = makedev(x->major, x->minor);
	st->st_size = (off_t)(x->type == ENT_LNK ? strlen(x->target) :
	    x->size);
	st->st_blocks = (st->st_size + 511) / 512;
	st->st_blksize = 4096;
	st->st_mtim.tv_sec = (time_t)x->mtime;
	st->st_mtim.tv_nsec = (long)x->mtime_ns;
	st->st_atim = st->st_ctim = st->st_mtim;
}

/* Where a link to this generation leads. */
static void
link_target(uint64_t gen, char out[32])
{
	if (gen == 0)
		(void)snprintf(out, 32, "@base");
	else
		(void)snprintf(out, 32, "@%llu", (unsigned long long)gen);
}

void
hops_link_stat(struct window *w, uint64_t gen, struct stat *st)
{
	int64_t		 time = gens_time(&w->gens, gen);
	char		 target[32];

	memset(st, 0, sizeof(*st));
	link_target(gen, target);
	st->st_ino = (ino_t)hnode_id(HNODE_LINK, gen, "");
	st->st_mode = S_IFLNK | 0777;
	st->st_nlink = 1;
	st->st_size = (off_t)strlen(target);
	st->st_mtim.tv_sec = (time_t)(time / 1000000000);
	st->st_mtim.tv_nsec = (long)(time % 1000000000);
	st->st_atim = st->st_ctim = st->st_mtim;
}

int
hops_ent(struct window *w, uint64_t gen, const char *path, struct ent *x,
    struct err *e)
{
	const struct pers	*p;
	int			 rc;

	memset(x, 0, sizeof(*x));
	if ((rc = gens_tree(&w->gens, gen, &p, e)) < 0 ||
	    (rc = pers_get(p, path, 0, x, NULL, e)) < 0)
		return rc;
	if (*path == '\0' && x->type == ENT_NONE) {
		x->type = ENT_DIR;
		x->mode = 0755;
	}
	return 0;
}

int
hops_entry(struct window *w, uint64_t gen, const struct ent *x,
    struct fuse_entry_param *out)
{
	struct hnode	*n;

	n = hnode_enter(&w->nodes, HNODE_TREE, gen, x->path);
	if (n == NULL)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	out->ino = n->id;
	hops_stat(x, n->id, &out->attr);
	out->attr_timeout = out->entry_timeout = FOREVER;
	return 0;
}

/* "@N": the number, without zeros before it; 0: it is none. */
static uint64_t
gen_of(const char *name)
{
	uint64_t	 n = 0;

	if (*name++ != '@' || *name == '0' || strlen(name) > 18)
		return 0;
	for (; *name >= '0' && *name <= '9'; name++)
		n = n * 10 + (uint64_t)(*name - '0');
	return *name == '\0' ? n : 0;
}

static int
look_up_head(struct window *w, struct fuse_entry_param *out, struct err *e)
{
	struct hnode	*n;
	uint64_t	 oldest, head;
	int		 rc;

	if ((rc = gens_range(&w->gens, &oldest, &head, e)) < 0)
		return rc;
	if ((n = hnode_enter(&w->nodes, HNODE_LINK, head, "")) == NULL)
		return err_set(e, ENOMEM, "@head");
	out->ino = n->id;
	hops_link_stat(w, head, &out->attr);
	out->attr_timeout = FOREVER;	/* another head is another inode */
	return 0;
}

/* In the window itself: generations, and names of some. */
static int
look_up_gen(struct window *w, const char *name, struct fuse_entry_param *out,
    struct err *e)
{
	struct ent	 x = { .path = NULL };
	uint64_t	 gen = gen_of(name);
	int		 rc;

	if (strcmp(name, "@head") == 0)
		return look_up_head(w, out, e);
	if (gen == 0 && strcmp(name, "@base") != 0)
		return -ENOENT;
	if ((rc = gens_has(&w->gens, gen, e)) == 0 &&
	    (rc = hops_ent(w, gen, "", &x, e)) == 0)
		rc = hops_entry(w, gen, &x, out);
	ent_free(&x);
	if (rc == 0 && gen != 0)
		out->entry_timeout = GEN_TRUST;
	return rc;
}

static int
look_up(struct window *w, const struct hnode *dir, const char *name,
    struct fuse_entry_param *out, struct err *e)
{
	struct ent	 x = { .path = NULL };
	char		*path = path_join(dir->path, name);
	int		 rc;

	if (path == NULL)
		return err_set(e, ENOMEM, "look up");
	if ((rc = hops_ent(w, dir->gen, path, &x, e)) == 0) {
		if (x.type == ENT_NONE)
			out->entry_timeout = FOREVER;
		else
			rc = hops_entry(w, dir->gen, &x, out);
	}
	ent_free(&x);
	free(path);
	return rc;
}

static void
op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct window		*w = WINDOW(req);
	struct fuse_entry_param	 out;
	struct hnode		*dir;
	struct err		 e = { 0, "" };
	int			 rc = -ESTALE;

	memset(&out, 0, sizeof(out));
	if (parent == PAST_ROOT)
		rc = look_up_gen(w, name, &out, &e);
	else if ((dir = hnode_get(&w->nodes, parent)) != NULL)
		rc = look_up(w, dir, name, &out, &e);
	if (rc < 0)
		fuse_reply_err(req, hops_errno(w, rc, &e));
	else
		fuse_reply_entry(req, &out);
}

static void
op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	hnode_forget(&WINDOW(req)->nodes, ino, count);
	fuse_reply_none(req);
}

/* The entry of a node that is a path in a generation. */
static int
node_ent(struct window *w, fuse_ino_t ino, struct ent *x, struct err *e)
{
	const struct hnode	*n = hnode_get(&w->nodes, ino);
	int			 rc;

	memset(x, 0, sizeof(*x));
	if (n == NULL || n->kind != HNODE_TREE)
		return -ESTALE;
	rc = hops_ent(w, n->gen, n->path, x, e);
	return rc == 0 && x->type == ENT_NONE ? -ESTALE : rc;
}

static void
op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct window		*w = WINDOW(req);
	const struct hnode	*n = hnode_get(&w->nodes, ino);
	struct err		 e = { 0, "" };
	struct stat		 st;
	struct ent		 x = { .path = NULL };
	int			 rc = 0;

	(void)fi;
	if (n != NULL && n->kind == HNODE_LINK)
		hops_link_stat(w, n->gen, &st);
	else if ((rc = node_ent(w, ino, &x, &e)) == 0)
		hops_stat(&x, ino, &st);
	ent_free(&x);
	if (rc < 0)
		fuse_reply_err(req, hops_errno(w, rc, &e));
	else
		fuse_reply_attr(req, &st, FOREVER);
}

static void
op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct window		*w = WINDOW(req);
	const struct hnode	*n = hnode_get(&w->nodes, ino);
	struct err		 e = { 0, "" };
	struct ent		 x = { .path = NULL };
	char			 target[32];
	int			 rc;

	if (n != NULL && n->kind == HNODE_LINK) {
		link_target(n->gen, target);
		fuse_reply_readlink(req, target);
		return;
	}
	rc = node_ent(w, ino, &x, &e);
	if (rc == 0 && x.type != ENT_LNK)
		rc = -EINVAL;
	if (rc < 0)
		fuse_reply_err(req, hops_errno(w, rc, &e));
	else
		fuse_reply_readlink(req, x.target);
	ent_free(&x);
}

static void
op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct window		*w = WINDOW(req);
	const struct hnode	*n = hnode_get(&w->nodes, ino);
	struct err		 e = { 0, "" };
	ssize_t			 k = -ESTALE;

	(void)fi;
	if (size > sizeof(w->out))
		size = sizeof(w->out);
	if (n != NULL && n->kind == HNODE_TREE)
		k = gens_read(&w->gens, n->gen, n->path, w->out, size,
		    (uint64_t)off, &e);
	if (k < 0)
		fuse_reply_err(req, hops_errno(w, (int)k, &e));
	else
		fuse_reply_buf(req, w->out, (size_t)k);
}

/* All data, and one hole behind it. */
static void
op_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
    struct fuse_file_info *fi)
{
	struct window	*w = WINDOW(req);
	struct err	 e = { 0, "" };
	struct ent	 x;
	int		 rc;

	(void)fi;
	rc = node_ent(w, ino, &x, &e);
	if (rc == 0 && (off < 0 || (uint64_t)off >= x.size))
		rc = -ENXIO;
	if (rc == 0 && whence != SEEK_DATA && whence != SEEK_HOLE)
		rc = -EINVAL;
	if (rc < 0)
		fuse_reply_err(req, hops_errno(w, rc, &e));
	else
		fuse_reply_lseek(req, whence == SEEK_DATA ? off :
		    (off_t)x.size);
	ent_free(&x);
}

/* The attributes of a node: one of them, or with `name` NULL the names of
 * all.  What was appended is the answer. */
static int
node_xattr(struct window *w, fuse_ino_t ino, const char *name, struct buf *b,
    struct err *e)
{
	const struct hnode	*n = hnode_get(&w->nodes, ino);
	struct ent		 x = { .path = NULL };
	struct rd		 r;
	const char		*s;
	const uint8_t		*v;
	size_t			 k;
	int			 rc = 0;

	if (ino != PAST_ROOT && (n == NULL || n->kind == HNODE_TREE))
		rc = node_ent(w, ino, &x, e);
	r = (struct rd){ x.xattr, x.xattrlen, false };
	if (rc == 0 && name != NULL)
		rc = -OS_ENOATTR;
	while (r.n > 0 && (s = memchr(r.p, '\0', r.n)) != NULL) {
		s = (const char *)rd_bytes(&r, (size_t)(s -
		    (const char *)r.p) + 1);
		k = rd_le32(&r);
		if ((v = rd_bytes(&r, k)) == NULL)
			break;
		if (name == NULL)
			put_bytes(b, s, strlen(s) + 1);
		else if (strcmp(s, name) == 0) {
			put_bytes(b, v, k);
			rc = 0;
			break;
		}
	}
	ent_free(&x);
	return rc == 0 && b->bad ? -ENOMEM : rc;
}

static void
reply_xattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct window	*w = WINDOW(req);
	struct err	 e = { 0, "" };
	struct buf	 b = BUF_INIT;
	int		 rc;

	rc = node_xattr(w, ino, name, &b, &e);
	if (rc == 0 && size > 0 && b.len > size)
		rc = -ERANGE;
	if (rc < 0)
		fuse_reply_err(req, hops_errno(w, rc, &e));
	else if (size == 0)
		fuse_reply_xattr(req, b.len);
	else
		fuse_reply_buf(req, (const char *)b.p, b.len);
	buf_free(&b);
}

static void
op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	reply_xattr(req, ino, name, size);
}

static void
op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	reply_xattr(req, ino, NULL, size);
}

static void
op_init(void *arg, struct fuse_conn_info *c)
{
	(void)arg;
	c->want = 0;	/* the daemon has made all out with the kernel */
}

const struct fuse_lowlevel_ops hops = {
	.init		= op_init,
	.lookup		= op_lookup,
	.forget		= op_forget,
	.getattr	= op_getattr,
	.readlink	= op_readlink,
	.read		= op_read,
	.lseek		= op_lseek,
	.readdir	= hops_readdir,
	.readdirplus	= hops_readdirplus,
	.getxattr	= op_getxattr,
	.listxattr	= op_listxattr,
};
