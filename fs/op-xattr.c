/*
 * op-xattr.c: extended attributes, ACLs among them.
 */
#include <errno.h>
#include <string.h>

#include "../lib/osdep.h"
#include "sys.h"
#include "view.h"

#define CAPS "security.capability"
#define ACL "system.posix_acl_access"

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

/* Take the names out that only root is shown; the bytes left. */
static size_t
hide_trusted(char *names, size_t n)
{
	size_t	 from, to = 0, k;

	for (from = 0; from < n; from += k) {
		k = strnlen(names + from, n - from) + 1;
		if (k > n - from)
			k = n - from;
		if (strncmp(names + from, "trusted.", 8) == 0)
			continue;
		memmove(names + to, names + from, k);
		to += k;
	}
	return to;
}

void
op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct view	*v = VIEW(req);
	struct node	*n;
	ssize_t		 k;

	if ((n = view_node(v, ino)) == NULL) {
		reply(req, -ESTALE, size);
		return;
	}
	k = list(v, n, (char *)v->out, VIEW_WRITE);
	if (k > 0 && view_who(req).uid != 0)
		k = (ssize_t)hide_trusted((char *)v->out, (size_t)k);
	if (size > 0 && k > 0 && (size_t)k > size)
		k = -ERANGE;
	reply(req, k, size);
}

/* An ACL that is set by somebody who is not of the group takes setgid
 * away, as it would on the RAM disk. */
static int
drop_setgid(struct view *v, struct node *n, fuse_req_t req)
{
	struct stat	 st;
	const char	*name;
	int		 dfd, rc;

	if (fuse_req_ctx(req)->uid == 0)
		return 0;
	if ((rc = view_stat(v, n, &st)) < 0)
		return rc;
	if ((st.st_mode & S_ISGID) == 0 || view_member(req, st.st_gid))
		return 0;
	st.st_mode &= 07777 & ~(mode_t)S_ISGID;
	if ((dfd = view_reach(v, n, &name)) < 0)
		return dfd;
	if (name == NULL)
		return sys_fchmod(dfd, st.st_mode);
	return fchmodat(dfd, name, st.st_mode, 0) == -1 ? -errno : 0;
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
	if (rc == 0 && strcmp(attr, ACL) == 0)
		rc = drop_setgid(v, n, req);
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
