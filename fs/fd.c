/*
 * fd.c: the descriptors that the daemon has at hand.
 *
 * Two small caches, the least recently used going first: directories,
 * which all names are reached from, and regular files, so that creating,
 * writing and removing one opens it once.  A node without a name keeps
 * one of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sys.h"
#include "view.h"

static struct cfd *
table(struct view *v, const struct node *n, int *size)
{
	*size = S_ISDIR(n->type) ? FDS_DIR : FDS_FILE;
	return S_ISDIR(n->type) ? v->dirs : v->files;
}

/* Close a descriptor that is at hand and forget it. */
static void
evict(struct cfd *c)
{
	if (c->node == NULL)
		return;
	(void)close(c->fd);	/* nothing is buffered in it */
	c->node->slot = -1;
	c->node = NULL;
}

static struct cfd *
put(struct view *v, struct node *n, int fd)
{
	struct cfd	*t, *c;
	int		 i, size;

	t = c = table(v, n, &size);
	for (i = 0; i < size && c->node != NULL; i++)
		if (t[i].node == NULL || t[i].used < c->used)
			c = &t[i];
	evict(c);
	c->node = n;
	c->fd = fd;
	c->rdonly = false;
	c->used = ++v->tick;
	c->pos = 0;
	n->slot = (int16_t)(c - t);
	return c;
}

static struct cfd *
at_hand(struct view *v, struct node *n)
{
	struct cfd	*t;
	int		 size;

	if (n->slot < 0)
		return NULL;
	t = table(v, n, &size);
	t[n->slot].used = ++v->tick;
	return &t[n->slot];
}

int
fd_now(struct view *v, struct node *n)
{
	struct cfd	*c;

	if (n == v->nodes.root)
		return v->rootfd;
	if (n->fd != -1)
		return n->fd;
	return (c = at_hand(v, n)) == NULL ? -1 : c->fd;
}

int
fd_dir(struct view *v, struct node *n)
{
	struct node	*d;
	int		 base, fd, depth = 0, i;

	if ((base = fd_now(v, n)) != -1)
		return base;
	if (!S_ISDIR(n->type))
		return -ENOTDIR;
	/* Climb to what is at hand, then come back down by names. */
	for (d = n; (base = fd_now(v, d)) == -1; d = d->names->dir) {
		if (d->names == NULL)
			return -ESTALE;
		depth++;
	}
	for (; depth > 0; depth--, base = fd) {
		for (d = n, i = 1; i < depth; i++)
			d = d->names->dir;
		fd = openat(base, d->names->s, O_RDONLY | O_DIRECTORY |
		    O_NOFOLLOW | O_CLOEXEC);
		if (fd == -1)
			return errno == ENOENT ? -ESTALE : -errno;
		(void)put(v, d, fd);
	}
	return base;
}

static int
open_file(struct view *v, const struct node *n, int flags)
{
	int	 dfd, fd;

	if (n->names == NULL)
		return -ESTALE;
	if ((dfd = fd_dir(v, n->names->dir)) < 0)
		return dfd;
	/* O_NONBLOCK: should a fifo be there now, don't wait for it. */
	fd = openat(dfd, n->names->s, flags | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	return fd == -1 ? -errno : fd;
}

int
fd_file(struct view *v, struct node *n, bool write)
{
	struct cfd	*c;
	struct stat	 st;
	bool		 ro = false;
	int		 fd;

	if (n->fd != -1)
		return n->fd;
	if ((c = at_hand(v, n)) != NULL && !(write && c->rdonly))
		return c->fd;
	if (!S_ISREG(n->type))
		return -EINVAL;
	fd = open_file(v, n, O_RDWR);
	if (!write && (fd == -EROFS || fd == -EACCES || fd == -EPERM ||
	    fd == -ETXTBSY)) {
		fd = open_file(v, n, O_RDONLY);
		ro = true;
	}
	if (fd < 0)
		return fd == -ENOENT ? -ESTALE : fd;
	if (fstat(fd, &st) == -1 || (uint64_t)st.st_ino != n->ino) {
		(void)close(fd);
		return -ESTALE;
	}
	if (c != NULL)
		evict(c);
	put(v, n, fd)->rdonly = ro;
	return fd;
}

void
fd_give(struct view *v, struct node *n, int fd)
{
	struct cfd	*c;

	if (n == NULL || n->fd != -1) {
		(void)close(fd);
		return;
	}
	if ((c = at_hand(v, n)) != NULL)
		evict(c);
	(void)put(v, n, fd);
}

/* Give up the descriptor of a kept node that has names nobody told us. */
static bool
one_less(struct view *v)
{
	struct node	*n;
	struct stat	 st;
	size_t		 i;

	for (i = 0; i < v->nodes.nbuckets; i++)
		for (n = v->nodes.byino[i]; n != NULL; n = n->hnext)
			if (n->fd != -1 && S_ISREG(n->type) &&
			    fstat(n->fd, &st) == 0 && st.st_nlink > 0) {
				fd_drop(v, n);
				return true;
			}
	return false;
}

int
fd_keep(struct view *v, struct node *n, const struct name *m)
{
	struct cfd	*c;
	int		 dfd, fd;

	if (n->fd != -1 || n->names != m || m->next != NULL)
		return 0;
	if (v->nkept >= v->maxkept && !one_less(v))
		return -ENFILE;
	if ((c = at_hand(v, n)) != NULL && !c->rdonly) {
		fd = c->fd;	/* it moves from the cache to the node */
		c->node = NULL;
		n->slot = -1;
	} else if (S_ISREG(n->type)) {
		if ((fd = open_file(v, n, O_RDWR)) == -ETXTBSY ||
		    fd == -EROFS || fd == -EACCES || fd == -EPERM)
			fd = open_file(v, n, O_RDONLY);
	} else {
		if ((dfd = fd_dir(v, m->dir)) < 0)
			return dfd;
		fd = sys_open_path(dfd, m->s);
	}
	if (fd < 0)
		return fd;
	n->fd = fd;
	v->nkept++;
	return 0;
}

void
fd_unkeep(struct view *v, struct node *n)
{
	if (n->fd == -1 || n->names == NULL)
		return;
	v->nkept--;
	/* It is for writing, or it only names the object. */
	if (S_ISREG(n->type))
		(void)put(v, n, n->fd);
	else
		(void)close(n->fd);
	n->fd = -1;
}

void
fd_drop(struct view *v, struct node *n)
{
	struct cfd	*c;

	if ((c = at_hand(v, n)) != NULL)
		evict(c);
	if (n->fd != -1) {
		(void)close(n->fd);
		n->fd = -1;
		v->nkept--;
	}
}

void
fd_dropall(struct view *v)
{
	int	 i;

	for (i = 0; i < FDS_DIR; i++)
		evict(&v->dirs[i]);
	for (i = 0; i < FDS_FILE; i++)
		evict(&v->files[i]);
}

off_t *
fd_pos(struct view *v, struct node *n)
{
	if (n == v->nodes.root)
		return &v->rootpos;
	return n->slot >= 0 ? &v->dirs[n->slot].pos : NULL;
}
