/*
 * op-xattr.c: extended attributes, ACLs among them.
 */
#include <errno.h>
#include <string.h>

#include "../lib/osdep.h"
#include "sys.h"
#include "view.h"

#define CAPS "security.capability"

/* As os_getxattr(), of a node. */
static ssize_t
get(struct view *v, struct node *n, const char *attr, void *buf, size_t size)
{
	const char	*name;
	int		 dfd;

	if ((dfd = view_reach(v, n, &name)) < 0)
		return dfd;
	if (name == NULL && !S_ISDIR(n->type))
		return sys_fgetxattr(dfd, attr, buf, size);
	return os_getxattr(dfd, name == NULL ? "." : name, attr, buf, size);
}

static ssize_t
list(struct view *v, struct node *n, char *buf, size_t size)
{
	const char	*name;
	int		 dfd;

	if ((dfd = view_reach(v, n, &name)) < 0)
		return dfd;
	if (name == NULL && !S_ISDIR(n->type))
		return sys_flistxattr(dfd, buf, size);
	return os_listxattr(dfd, name == NULL ? "." : name, buf, size);
}

/* Answer with n bytes of out, or their number, or an error. */
static void
reply(fuse_req_t req, ssize_t n, size_t size)
{
	if (n < 0)
		fuse_reply_err(req, (int)-n);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)n);
	else
		fuse_reply_buf(req, (const char *)VIEW(req)->out, (size_t)n);
}

void
op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *attr, size_t size)
{
	struct view	*v = VIEW(req);
	struct node	*n;
	ssize_t		 k;
	bool		 caps = strcmp(attr, CAPS) == 0;

	if ((n = view_node(v, ino)) == NULL)
		k = -ESTALE;
	else if (caps && n->nocap)
		k = -OS_ENOATTR;		/* asked for before every write */
	else {
		k = get(v, n, attr, v->out, size < VIEW_WRITE ? size :
		    VIEW_WRITE);
		if (caps && k == -OS_ENOATTR)
			n->nocap = true;
	}
	reply(req, k, size);
}

void
op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct view	*v = VIEW(req);
	struct node	*n;

	if ((n = view_node(v, ino)) == NULL)
		reply(req, -ESTALE, size);
	else
		reply(req, list(v, n, (char *)v->out, size < VIEW_WRITE ?
		    size : VIEW_WRITE), size);
}

void
op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *attr,
    const char *value, size_t size, int flags)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*n;
	const char	*name;
	int		 dfd, rc;

	if ((n = view_node(v, ino)) == NULL) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	n->nocap = false;
	if ((rc = view_touch_node(v, n, JRN_XATTR, &who)) == 0) {
		if ((dfd = view_reach(v, n, &name)) < 0)
			rc = dfd;
		else if (name == NULL && !S_ISDIR(n->type))
			rc = sys_fsetxattr(dfd, attr, value, size, flags);
		else
			rc = os_setxattr(dfd, name == NULL ? "." : name, attr,
			    value, size, flags);
	}
	fuse_reply_err(req, -rc);
}

void
op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *attr)
{
	struct view	*v = VIEW(req);
	struct who	 who = view_who(req);
	struct node	*n;
	const char	*name;
	int		 dfd, rc;

	if ((n = view_node(v, ino)) == NULL) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if ((rc = view_touch_node(v, n, JRN_XATTR, &who)) == 0) {
		if ((dfd = view_reach(v, n, &name)) < 0)
			rc = dfd;
		else if (name == NULL && !S_ISDIR(n->type))
			rc = sys_fremovexattr(dfd, attr);
		else
			rc = os_removexattr(dfd, name == NULL ? "." : name,
			    attr);
	}
	fuse_reply_err(req, -rc);
}
