/*
 * osdep-linux-disk.c: partitions under Linux, as sysfs tells of them.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "osdisk.h"

#define BLOCK	"/sys/class/block"
#define SECTOR	512u		/* what "size" counts, whatever the disk's */

/* What a file of sysfs holds, without its newline; false: not there. */
static bool
attr(const char *dev, const char *name, char *text, size_t len)
{
	char	 path[512];
	ssize_t	 k;
	int	 fd;

	if ((size_t)snprintf(path, sizeof(path), BLOCK "/%s/%s", dev, name) >=
	    sizeof(path) || (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return false;
	k = read(fd, text, len - 1);
	(void)close(fd);
	text[k < 0 ? 0 : k] = '\0';
	if (k > 0 && text[k - 1] == '\n')
		text[k - 1] = '\0';
	return k >= 0;
}

static bool
there(const char *dev, const char *name)
{
	char	 path[512];

	(void)snprintf(path, sizeof(path), BLOCK "/%s/%s", dev, name);
	return access(path, F_OK) == 0;
}

/* Whether the directory has entries; with `like`, such as begin with it. */
static bool
has_entry(const char *dev, const char *sub, const char *like)
{
	struct dirent	*de;
	char		 path[512];
	DIR		*d;
	bool		 yes = false;

	(void)snprintf(path, sizeof(path), BLOCK "/%s/%s", dev, sub);
	if ((d = opendir(path)) == NULL)
		return false;
	while (!yes && (de = readdir(d)) != NULL)
		yes = *de->d_name != '.' && strncmp(de->d_name, like,
		    strlen(like)) == 0;
	(void)closedir(d);
	return yes;
}

/*
 * A partition; or a disk that has none and is no invention of the kernel's,
 * as those are gone with it: RAM disks, loops, maps.
 */
static bool
is_place(const char *dev)
{
	char	 text[64];

	if (attr(dev, "ro", text, sizeof(text)) && strcmp(text, "0") != 0)
		return false;
	if (there(dev, "partition"))
		return true;
	return there(dev, "device") && !has_entry(dev, "", dev) &&
	    !has_entry(dev, "slaves", "") &&
	    (!attr(dev, "removable", text, sizeof(text)) ||
	    strcmp(text, "0") == 0);
}

/* The value of KEY= in a device's uevent, a new string or NULL. */
static char *
uevent(const char *dev, const char *key)
{
	char	 text[4096], *line, *save;
	size_t	 n = strlen(key);

	if (!attr(dev, "uevent", text, sizeof(text)))
		return NULL;
	for (line = strtok_r(text, "\n", &save); line != NULL;
	    line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, key, n) == 0 && line[n] == '=')
			return line[n + 1] == '\0' ? NULL :
			    strdup(line + n + 1);
	return NULL;
}

/* The name of a link in /dev/disk/by-partuuid that leads to the device. */
static char *
linked_id(const char *dev)
{
	static const char	 top[] = "/dev/disk/by-partuuid";
	struct dirent		*de;
	DIR			*d = opendir(top);
	char			*id = NULL, *p, *real;

	while (d != NULL && id == NULL && (de = readdir(d)) != NULL) {
		if (*de->d_name == '.' ||
		    asprintf(&p, "%s/%s", top, de->d_name) == -1)
			continue;
		real = realpath(p, NULL);
		if (real != NULL && strcmp(real, dev) == 0)
			id = strdup(de->d_name);
		free(real);
		free(p);
	}
	if (d != NULL)
		(void)closedir(d);
	return id;
}

/* What has it open for itself alone, as a mount does, keeps us out. */
static bool
is_used(const char *dev)
{
	int	 fd = open(dev, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd == -1)
		return true;
	(void)close(fd);
	return false;
}

static int
describe(const char *name, struct os_part *p)
{
	char	 text[64], *s;

	memset(p, 0, sizeof(*p));
	if (!attr(name, "size", text, sizeof(text)))
		return -ENOENT;
	p->size = strtoull(text, NULL, 10) * SECTOR;
	if (p->size == 0)
		return -ENOENT;
	if (asprintf(&p->dev, "/dev/%s", name) == -1) {
		p->dev = NULL;
		return -ENOMEM;
	}
	/* sysfs has a bang where the name has a slash: cciss!c0d0p1 */
	for (s = p->dev; (s = strchr(s, '!')) != NULL;)
		*s = '/';
	p->name = uevent(name, "PARTNAME");
	p->id = uevent(name, "PARTUUID");
	if (p->id == NULL && there(name, "partition"))
		p->id = linked_id(p->dev);
	p->used = has_entry(name, "holders", "") || is_used(p->dev);
	return 0;
}

int
os_parts(struct os_part **v, size_t *n, struct err *e)
{
	struct dirent	*de;
	struct os_part	 p;
	size_t		 cap = 0;
	DIR		*d;
	int		 rc = 0;

	*v = NULL;
	*n = 0;
	if ((d = opendir(BLOCK)) == NULL)
		return errno == ENOENT ? 0 : err_set(e, errno, BLOCK);
	while (rc == 0 && (de = readdir(d)) != NULL) {
		if (*de->d_name == '.' || !is_place(de->d_name))
			continue;
		if ((rc = describe(de->d_name, &p)) == 0)
			rc = os_parts_add(v, n, &cap, &p);
		else if (rc == -ENOENT)
			rc = 0;
	}
	(void)closedir(d);
	if (rc < 0) {
		os_parts_free(*v, *n);
		*v = NULL;
		*n = 0;
		return err_set(e, -rc, BLOCK);
	}
	os_parts_sort(*v, *n);
	return 0;
}

/* The device whose uevent has KEY=value; NULL: none. */
static char *
by_uevent(const char *key, const char *value)
{
	struct dirent	*de;
	DIR		*d = opendir(BLOCK);
	char		*dev = NULL, *has;

	while (d != NULL && dev == NULL && (de = readdir(d)) != NULL) {
		if (*de->d_name == '.')
			continue;
		has = uevent(de->d_name, key);
		if (has != NULL && strcmp(has, value) == 0 &&
		    asprintf(&dev, "/dev/%s", de->d_name) == -1)
			dev = NULL;
		free(has);
	}
	if (d != NULL)
		(void)closedir(d);
	return dev;
}

char *
os_dev_named(const char *from)
{
	static const struct {
		const char	*tag, *dir, *key;
	} tags[] = {
		{ "PARTLABEL=", "partlabel", "PARTNAME" },
		{ "PARTUUID=", "partuuid", "PARTUUID" },
		{ "LABEL=", "label", NULL },
		{ "UUID=", "uuid", NULL },
	};
	char	*link, *dev;
	size_t	 i, n;

	for (i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		n = strlen(tags[i].tag);
		if (strncmp(from, tags[i].tag, n) != 0)
			continue;
		if (asprintf(&link, "/dev/disk/by-%s/%s", tags[i].dir,
		    from + n) == -1)
			return NULL;
		dev = realpath(link, NULL);
		free(link);
		return dev != NULL || tags[i].key == NULL ? dev :
		    by_uevent(tags[i].key, from + n);
	}
	return realpath(from, NULL);
}

bool
os_bsd(void)
{
	return false;
}
