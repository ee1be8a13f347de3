/*
 * osfs.c: the lines of fstab(5) as a list, and what is asked of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "osfs.h"
#include "path.h"

int
os_fstab_add(struct os_fs **v, size_t *n, size_t *cap, const char *from,
    const char *dir, bool noauto, struct err *e)
{
	size_t		 len = strlen(dir);
	struct os_fs	 f = { .from = strdup(from), .noauto = noauto };

	while (len > 1 && dir[len - 1] == '/')
		len--;
	f.dir = strndup(dir, len);
	if (f.from == NULL || f.dir == NULL ||
	    more_room(v, *n, cap, sizeof(**v)) < 0) {
		free(f.from);
		free(f.dir);
		return err_set(e, ENOMEM, "read /etc/fstab");
	}
	(*v)[(*n)++] = f;
	return 0;
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

int
os_fstab_noauto(const char *path, char **dir, struct err *e)
{
	struct os_fs	*v, *best = NULL;
	size_t		 n, i;
	int		 rc;

	*dir = NULL;
	if ((rc = os_fstab(&v, &n, e)) < 0)
		return rc;
	for (i = 0; i < n; i++)
		if (v[i].dir[0] == '/' && v[i].dir[1] != '\0' &&
		    path_within(path, v[i].dir) && (best == NULL ||
		    strlen(v[i].dir) > strlen(best->dir)))
			best = &v[i];
	if (best == NULL || !best->noauto)
		rc = -ENOENT;
	else if ((*dir = strdup(best->dir)) == NULL)
		rc = err_set(e, ENOMEM, "read /etc/fstab");
	os_fstab_free(v, n);
	return rc;
}
