/*
 * keys.c: read what a connection needs of the file system.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys.h"

#define KEY_SIZE	(64 * 1024)
#define KNOWN_SIZE	(4 * 1024 * 1024)

/* "dir/name" in a new string, name alone where it is absolute. */
static char *
at(const char *dir, const char *name)
{
	size_t	 n;
	char	*s;

	if (dir == NULL || *name == '/')
		return strdup(name);
	n = strlen(dir) + strlen(name) + 2;
	if ((s = malloc(n)) != NULL)
		(void)snprintf(s, n, "%s/%s", dir, name);
	return s;
}

/*
 * Append a file to b, at most max bytes in all.  Room is made once: no
 * copy of a private key is left behind where a buffer was before.
 */
static int
slurp(const char *path, struct buf *b, size_t max, bool secret,
    struct err *e)
{
	struct stat	 st;
	uint8_t		*p;
	size_t		 left;
	ssize_t		 k;
	int		 fd, rc = 0;

	/* Not to hang on what is no file. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return err_set(e, errno, "%s", path);
	if (fstat(fd, &st) == -1)
		rc = err_set(e, errno, "%s", path);
	else if (!S_ISREG(st.st_mode))
		rc = err_setx(e, EINVAL, "%s: not a regular file", path);
	else if (secret && (st.st_mode & 077) != 0)
		rc = err_setx(e, EPERM, "%s: others may read it", path);
	else if (b->len > max || (uint64_t)st.st_size > max - b->len)
		rc = err_setx(e, EFBIG, "%s: larger than %zu bytes", path,
		    max);
	else if ((p = buf_room(b, (size_t)st.st_size + 1)) == NULL)
		rc = err_set(e, ENOMEM, "%s", path);
	if (rc < 0)
		goto out;
	for (left = (size_t)st.st_size; left > 0; left -= (size_t)k) {
		if ((k = read(fd, p, left)) == -1) {
			rc = err_set(e, errno, "%s", path);
			goto out;
		}
		if (k == 0)
			break;
		p += k;
		b->len += (size_t)k;
	}
	*p = '\0';	/* libssh2 takes a key for a string */
out:
	(void)close(fd);	/* nothing was written */
	return rc;
}

/* What need not be there: none of these is an error. */
static bool
absent(int rc)
{
	return rc == -ENOENT || rc == -ENOTDIR || rc == -EACCES;
}

static int
add_key(struct keys *k, const char *dir, const char *name, bool must,
    struct err *e)
{
	struct err	 own;
	char		*path;
	int		 rc;

	if (k->n == KEYS_MAX)
		return 0;
	if ((path = at(dir, name)) == NULL)
		return err_set(e, ENOMEM, "%s", name);
	rc = slurp(path, &k->key[k->n], KEY_SIZE, true, must ? e : &own);
	if (rc == 0) {
		k->name[k->n++] = path;
		return 0;
	}
	buf_free(&k->key[k->n]);
	free(path);
	if (must)
		return rc;
	if (absent(rc))
		return 0;
	*e = own;
	return rc;
}

static int
add_known(struct keys *k, const char *dir, const char *name, bool must,
    struct err *e)
{
	struct err	 own;
	char		*path;
	int		 rc;

	if ((path = at(dir, name)) == NULL)
		return err_set(e, ENOMEM, "%s", name);
	rc = slurp(path, &k->known, KNOWN_SIZE, false, &own);
	if (rc == 0)
		put_u8(&k->known, '\n');	/* the last line may lack it */
	free(path);
	if (rc < 0 && (must || !absent(rc))) {
		*e = own;
		return rc;
	}
	return k->known.bad ? err_set(e, ENOMEM, "%s", name) : 0;
}

/* The user's directory for SSH, as a new string; NULL where there is none. */
static char *
ssh_dir(void)
{
	const char		*home = getenv("HOME");
	const struct passwd	*pw;

	if (home == NULL || *home != '/') {
		if ((pw = getpwuid(geteuid())) == NULL)
			return NULL;
		home = pw->pw_dir;
	}
	return at(home, ".ssh");
}

static int
agent_socket(void)
{
	const char		*path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un	 un;
	int			 fd;

	memset(&un, 0, sizeof(un));
	un.sun_family = AF_UNIX;
	if (path == NULL || *path == '\0' ||
	    strlen(path) >= sizeof(un.sun_path))
		return -1;
	memcpy(un.sun_path, path, strlen(path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == -1) {
		(void)close(fd);	/* an agent that is gone is none */
		return -1;
	}
	return fd;
}

/* Take the file as the one to learn into, if it can be written to. */
static bool
learn_at(struct keys *k, const char *dir, const char *name, int create)
{
	char	*path = at(dir, name);

	if (path == NULL)
		return false;
	k->learn = open(path, O_RDWR | O_APPEND | O_NOCTTY | O_CLOEXEC |
	    O_NONBLOCK | create, 0600);
	if (k->learn == -1) {
		free(path);
		return false;
	}
	k->learnname = path;
	return true;
}

/*
 * A file that is there comes first, so that none is made that may stay
 * empty.
 */
static void
learn(struct keys *k, const struct keys_where *w, const char *ssh)
{
	if (w->known != NULL) {
		(void)learn_at(k, w->conf, w->known, 0);
		return;
	}
	if (w->conf != NULL && learn_at(k, w->conf, "known_hosts", 0))
		return;
	if (ssh != NULL && learn_at(k, ssh, "known_hosts", 0))
		return;
	if (w->conf != NULL && learn_at(k, w->conf, "known_hosts", O_CREAT))
		return;
	if (ssh != NULL)
		(void)learn_at(k, ssh, "known_hosts", O_CREAT);
}

static int
read_private(struct keys *k, const struct keys_where *w, const char *ssh,
    struct err *e)
{
	static const char *const names[] = { "id_ed25519", "id_ecdsa",
	    "id_rsa" };
	size_t	 i;
	int	 rc;

	if (w->key != NULL)
		return add_key(k, w->conf, w->key, true, e);
	k->agent = agent_socket();
	if (w->conf != NULL && (rc = add_key(k, w->conf, "key", false, e)) < 0)
		return rc;
	for (i = 0; ssh != NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if ((rc = add_key(k, ssh, names[i], false, e)) < 0)
			return rc;
	return 0;
}

static int
read_known(struct keys *k, const struct keys_where *w, const char *ssh,
    struct err *e)
{
	int	 rc;

	if (w->known != NULL)
		return add_known(k, w->conf, w->known, true, e);
	if (w->conf != NULL &&
	    (rc = add_known(k, w->conf, "known_hosts", false, e)) < 0)
		return rc;
	if (ssh != NULL &&
	    (rc = add_known(k, ssh, "known_hosts", false, e)) < 0)
		return rc;
	return add_known(k, "/etc/ssh", "ssh_known_hosts", false, e);
}

int
keys_read(struct keys *k, const struct keys_where *w, struct err *e)
{
	char	*ssh;
	int	 rc;

	memset(k, 0, sizeof(*k));
	k->learn = k->agent = k->tty = -1;
	ssh = ssh_dir();
	if ((rc = read_private(k, w, ssh, e)) < 0 ||
	    (rc = read_known(k, w, ssh, e)) < 0) {
		keys_free(k);
		goto out;
	}
	if (w->ask)
		k->tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (k->tty != -1)
		learn(k, w, ssh);
out:
	free(ssh);
	return rc;
}

/* A struct of zeros has no descriptors: 0 stands for none there. */
static void
drop(int *fd)
{
	if (*fd > 0)
		(void)close(*fd);	/* what was learnt was synced */
	*fd = -1;
}

void
keys_free(struct keys *k)
{
	size_t	 i;

	for (i = 0; i < KEYS_MAX; i++) {
		if (k->key[i].p != NULL)
			explicit_bzero(k->key[i].p, k->key[i].cap);
		buf_free(&k->key[i]);
		free(k->name[i]);
		k->name[i] = NULL;
	}
	k->n = 0;
	buf_free(&k->known);
	free(k->learnname);
	k->learnname = NULL;
	drop(&k->learn);
	drop(&k->agent);
	drop(&k->tty);
}
