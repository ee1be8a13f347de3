/*
 * netstore.c: a store on another host, where a verb of cfg works on one.
 */
#include <sys/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "mirror.h"
#include "netio.h"
#include "remote.h"

/* SFTP has no locks: writers of this machine take this one. */
#define LOCK_FILE	RUNDIR "/cfgfs-remote.lock"

/* The line of the configuration that has this URL, or one without more. */
static int
far_of(struct conf *conf, const struct cfg *c, const char *url,
    struct conf_far *plain, const struct conf_far **f, struct err *e)
{
	int	 rc;

	memset(plain, 0, sizeof(*plain));
	if ((rc = conf_read(conf, cfg_root(c), e)) < 0)
		return rc;
	plain->url = (char *)(uintptr_t)url;
	plain->timeout = CONF_TIMEOUT;
	if ((*f = conf_url(conf, url)) == NULL)
		*f = plain;
	return 0;
}

/* The lock: *fd, or -1 where there is no place for it early at boot, nor
 * anyone else. */
static int
lock(int *fd, const char *url, struct err *e)
{
	*fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (*fd == -1)
		return errno == ENOENT || errno == EROFS || errno == EACCES ?
		    0 : err_set(e, errno, "open %s", LOCK_FILE);
	if (flock(*fd, LOCK_EX | LOCK_NB) == -1) {
		(void)close(*fd);
		*fd = -1;
		return err_setx(e, EBUSY, "%s: in use by another writer",
		    url);
	}
	return 0;
}

int
remote_open(struct io **io, const struct cfg *c, const char *url, bool write,
    uint64_t size, struct err *e)
{
	const struct conf_far	*f;
	struct conf_far		 plain;
	struct conf		 conf;
	struct net		*net;
	int			 fd = -1, rc;

	*io = NULL;
	if ((rc = far_of(&conf, c, url, &plain, &f, e)) < 0)
		return rc;
	if ((!write || (rc = lock(&fd, url, e)) == 0) &&
	    (rc = mirror_connect(&net, c, f, NULL, isatty(STDIN_FILENO),
	    e)) < 0 && fd != -1)
		(void)close(fd);
	if (rc == 0)
		rc = netio_open(io, net, fd, url, write, size, e);
	conf_free(&conf);
	return rc;
}

int
remote_copy(const struct cfg *c, const char *url, const char *copy,
    struct err *e)
{
	const struct conf_far	*f;
	struct conf_far		 plain;
	struct conf		 conf;
	struct cfg		 mine = *c;
	uint64_t		 gen;
	bool			 made;
	int			 rc;

	if ((rc = far_of(&conf, c, url, &plain, &f, e)) < 0)
		return rc;
	rc = pull_into(&mine, f, NULL, copy, false, &made, &gen, e);
	conf_free(&conf);
	return rc;
}

const char *
remote_store(const struct cfg *c)
{
	static char	*url;		/* as long as the process */
	struct conf	 conf;
	struct err	 e;

	if (url != NULL || !config_there(c))
		return url;
	if (conf_read(&conf, cfg_root(c), &e) < 0) {
		cfg_warn(c, "%s", e.msg);
		return NULL;
	}
	url = conf.store.url;
	conf.store.url = NULL;
	conf_free(&conf);
	return url;
}
