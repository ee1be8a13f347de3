/*
 * inst.c: the promises of lib/inst.h.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../config.h"
#include "../lib/inst.h"
#include "tap.h"

static char	 dir[64];

static void
named(const char *mount, const char *want)
{
	char	*s = inst_statedir(mount);

	if (!OK(s != NULL && strcmp(s, want) == 0))
		tap_diag("have %s", s);
	free(s);
}

static void
a_mount_point_names_its_state_directory(void)
{
	named("/etc", RUNDIR "/cfgfs/etc");
	named("/usr/local/etc", RUNDIR "/cfgfs/usr-local-etc");
	named("/etc/", RUNDIR "/cfgfs/etc");
	named("//a//b", RUNDIR "/cfgfs/a-b");
	named("/", RUNDIR "/cfgfs/-");
}

static void
what_was_saved_is_loaded(void)
{
	struct inst	 a = { dir, (char *)"/e t\nc\\", (char *)"/t\xff=\x01",
	    (char *)"/b", (char *)"/dev/store", 4711 }, b;
	struct stat	 st;
	struct err	 e;
	char		 p[96];

	OK(inst_save(&a, &e) == 0);
	OK(inst_load(&b, dir, &e) == 0);
	OK(strcmp(b.state, dir) == 0 && strcmp(b.mount, a.mount) == 0);
	OK(strcmp(b.tree, a.tree) == 0 && strcmp(b.base, a.base) == 0);
	OK(strcmp(b.store, a.store) == 0 && b.pid == 4711);
	inst_free(&b);
	a.store = NULL;
	OK(inst_save(&a, &e) == 0);	/* replaces */
	OK(inst_load(&b, dir, &e) == 0 && b.store == NULL);
	inst_free(&b);
	(void)snprintf(p, sizeof(p), "%s/info", dir);
	OK(stat(p, &st) == 0 && (st.st_mode & 07777) == 0600);
	OK(chmod(dir, 0750) == 0 && inst_save(&a, &e) == 0);
	OK(stat(p, &st) == 0 && (st.st_mode & 07777) == 0640);
	OK(chmod(dir, 0700) == 0);
	(void)snprintf(p, sizeof(p), "%s/info.new", dir);
	OK(access(p, F_OK) == -1);
}

static void
refused(const char *text, size_t n)
{
	struct inst	 b;
	struct err	 e;
	char		 p[96];
	int		 fd;

	(void)snprintf(p, sizeof(p), "%s/info", dir);
	fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	OK(fd != -1 && write(fd, text, n) == (ssize_t)n && close(fd) == 0);
	if (!OK(inst_load(&b, dir, &e) == -EBADMSG && b.state == NULL))
		tap_diag("taken: %s", text);
	OK(strstr(e.msg, dir) != NULL);
}

static void
a_damaged_file_is_refused(void)
{
	static const char *const bad[] = { "", "x", "mount=/a\ntree=/b\n",
	    "mount=/a\ntree=/b\npid=1", "mount=a\ntree=/b\npid=1\n",
	    "mount=/a\ntree=/b\npid=-1\n", "mount=/a\ntree=/b\npid=1x\n",
	    "mount=/a\ntree=/b\npid=99999999999\n",
	    "mount=/\\9\ntree=/b\npid=1\n", "mount=/\\000\ntree=/b\npid=1\n",
	    "mount=/\\777\ntree=/b\npid=1\n", "mount=/\\1",
	    "mount=/a\nmount=/a\ntree=/b\npid=1\n", "tree=/b\npid=1\n" };
	struct inst	 b;
	struct err	 e;
	char		*big = malloc(300000);
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i], strlen(bad[i]));
	memset(big, 'x', 300000);
	refused(big, 300000);
	free(big);
	OK(inst_load(&b, "/nowhere", &e) == -ENOENT && b.state == NULL);
	OK(strcmp(e.msg, "read /nowhere/info: No such file or directory")
	    == 0);
}

static void
names_of_a_later_version_are_left_alone(void)
{
	static const char	 t[] = "later=thing\nmount=/a\ntree=/b\npid=7\n";
	struct inst		 b;
	struct err		 e;
	char			 p[96];
	int			 fd;

	(void)snprintf(p, sizeof(p), "%s/info", dir);
	fd = open(p, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	OK(fd != -1 && write(fd, t, sizeof(t) - 1) > 0 && close(fd) == 0);
	OK(inst_load(&b, dir, &e) == 0 && b.pid == 7 && b.base == NULL);
	inst_free(&b);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a mount point names its state directory",
		    a_mount_point_names_its_state_directory },
		{ "what was saved is loaded", what_was_saved_is_loaded },
		{ "a damaged file is refused", a_damaged_file_is_refused },
		{ "names of a later version are left alone",
		    names_of_a_later_version_are_left_alone },
	};
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-inst.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
