/*
 * osdep-freebsd-disk.c: partitions under FreeBSD, as geom(4) tells of them.
 */
#include <sys/types.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "osdisk.h"

int
os_parts(struct os_part **v, size_t *n, struct err *e)
{
	static const char	 name[] = "kern.geom.confxml";
	char			*xml = NULL;
	size_t			 len = 0;
	int			 rc;

	*v = NULL;
	*n = 0;
	if (sysctlbyname(name, NULL, &len, NULL, 0) == -1)
		return err_set(e, errno, "%s", name);
	len += len / 4;		/* it may grow meanwhile */
	if ((xml = malloc(len + 1)) == NULL)
		return err_set(e, ENOMEM, "%s", name);
	if (sysctlbyname(name, xml, &len, NULL, 0) == -1)
		rc = err_set(e, errno, "%s", name);
	else {
		xml[len] = '\0';
		rc = geom_parts(xml, v, n, e);
	}
	free(xml);
	return rc;
}

/* /dev/gpt/NAME is the partition of that name. */
static char *
labelled(const char *name)
{
	struct os_part	*v;
	struct err	 ignored;
	char		*dev = NULL;
	size_t		 n, i;

	if (os_parts(&v, &n, &ignored) < 0)
		return NULL;
	for (i = 0; i < n && dev == NULL; i++)
		if (v[i].name != NULL && strcmp(v[i].name, name) == 0)
			dev = strdup(v[i].dev);
	os_parts_free(v, n);
	return dev;
}

char *
os_dev_named(const char *from)
{
	char	*dev = NULL;

	if (strncmp(from, "/dev/gpt/", 9) == 0)
		dev = labelled(from + 9);
	return dev != NULL ? dev : realpath(from, NULL);
}

bool
os_bsd(void)
{
	return true;
}
