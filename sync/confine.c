/*
 * confine.c: give up what is not needed any more.
 */
#include <sys/types.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "confine.h"

/* Who to be; NULL where there is no such user. */
static const struct passwd *
look_up(const char *user)
{
	const struct passwd	*pw;

	if (user != NULL)
		return getpwnam(user);
	if ((pw = getpwnam("cfgfs")) != NULL)
		return pw;
	return getpwnam("nobody");
}

static int
become(const char *user, struct err *e)
{
	const struct passwd	*pw = look_up(user);
	const char		*name = user == NULL ? "nobody" : user;

	if (pw == NULL)
		return err_setx(e, ENOENT, "%s: no such user", name);
	if (pw->pw_uid == 0)
		return err_setx(e, EINVAL, "%s: this user is root", name);
	if (setgroups(1, &pw->pw_gid) == -1 || setgid(pw->pw_gid) == -1 ||
	    setuid(pw->pw_uid) == -1)
		return err_set(e, errno, "become %s", name);
	/* Believed only when seen: there must be no way back. */
	if (setuid(0) == 0 || geteuid() != pw->pw_uid)
		return err_setx(e, EPERM, "become %s: still root", name);
	return 0;
}

int
confine(const char *user, struct err *e)
{
	int	 rc;

	if (geteuid() == 0 && (rc = become(user, e)) < 0)
		return rc;
	return os_box(e);
}
