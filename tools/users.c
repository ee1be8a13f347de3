/*
 * users.c: in the static cfg, getpwuid(3) of this file and no other: glibc's
 * would load the modules that nsswitch.conf names, which are those of the
 * system it runs on and not of the one it was linked on.  At boot there is
 * nothing to ask but the list of users itself; who is not in it is a number.
 */
#include <sys/types.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The uid of a line, whose name is cut off by a NUL; -1: it has none. */
static int
user_line(char *line, uid_t *uid)
{
	char		*p = strchr(line, ':'), *end;
	unsigned long	 n;

	if (p == NULL || p == line)
		return -1;
	*p++ = '\0';
	if ((p = strchr(p, ':')) == NULL || p[1] < '0' || p[1] > '9')
		return -1;
	errno = 0;
	n = strtoul(p + 1, &end, 10);
	*uid = (uid_t)n;
	return *end != ':' || errno != 0 || *uid != n ? -1 : 0;
}

struct passwd *
getpwuid(uid_t uid)
{
	static struct passwd	 pw;	/* nothing but the name */
	static char		*line;
	static size_t		 cap;
	FILE			*f = fopen("/etc/passwd", "re");
	struct passwd		*found = NULL;
	uid_t			 has = 0;

	if (f == NULL)
		return NULL;
	while (found == NULL && getline(&line, &cap, f) != -1)
		if (user_line(line, &has) == 0 && has == uid) {
			pw.pw_name = line;
			pw.pw_uid = uid;
			found = &pw;
		}
	(void)fclose(f);	/* only read */
	return found;
}
