/*
 * osdep-freebsd-disk.c: partitions under FreeBSD, as geom(4) tells of them,
 * and fstab(5).
 */
#include <sys/types.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <fstab.h>
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

static bool
has_noauto(const char *list)
{
	size_t	 n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == 6 && strncmp(list, "noauto", n) == 0)
			return true;
	}
	return false;
}

int
os_fstab(struct os_fs **v, size_t *n, struct err *e)
{
	struct fstab	*t;
	struct os_fs	 f;
	size_t		 cap = 0, k;
	int		 rc = 0;

	*v = NULL;
	*n = 0;
	if (setfsent() == 0)
		return 0;
	while (rc == 0 && (t = getfsent()) != NULL) {
		for (k = strlen(t->fs_file); k > 1; k--) {
			if (t->fs_file[k - 1] != '/')
				break;
			t->fs_file[k - 1] = '\0';
		}
		f.from = strdup(t->fs_spec);
		f.dir = strdup(t->fs_file);
		f.noauto = has_noauto(t->fs_mntops);
		if (f.from == NULL || f.dir == NULL ||
		    more_room(v, *n, &cap, sizeof(**v)) < 0) {
			free(f.from);
			free(f.dir);
			rc = err_set(e, ENOMEM, "read /etc/fstab");
		} else
			(*v)[(*n)++] = f;
	}
	endfsent();
	return rc;
}

void
os_fstab_free(struct os_fs *v, size_t n)
{
	while (n-- > 0) {
		free(v[n].from);
		free(v[n].dir);
	}
	free(v);
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
