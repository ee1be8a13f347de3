/*
 * apply.c: the promises of copying a tree, and of putting entries in it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/osdep.h"
#include "../lib/path.h"
#include "../tools/apply.h"
#include "../tools/copy.h"
#include "../tools/walk.h"
#include "tap.h"
#include "tree.h"

static const char odd[] = "new\nline \xff\xfe \"quoted\"";

static void
fill(int d)
{
	char	 name255[256];

	memset(name255, 'n', 255);
	name255[255] = '\0';
	t_file(d, "rc.conf", "hostname=\"box\"\n");
	t_file(d, "ssh/sshd_config", "Port 22\n");
	t_file(d, "empty", "");
	t_file(d, odd, "odd\n");
	t_file(d, name255, "long\n");
	t_file(d, ".profile", "set\n");
	t_mkdir(d, "empty.d/deeper");
	t_symlink(d, "localtime", "/usr/share/zoneinfo/UTC");
	t_fifo(d, "fifo");
	t_link(d, "rc.conf", "rc.conf.link");
	t_link(d, "fifo", "ssh/fifo");
	t_chmod(d, "ssh", 0500);
	t_chmod(d, "rc.conf", 0640);
	t_chmod(d, "empty", 04755);
	t_time(d, "rc.conf", 1000000);
	t_time(d, "localtime", 1000001);
	t_time(d, "fifo", 1000002);
	t_time(d, "empty.d", 1000003);
	t_time(d, "", 1000004);
}

static void
a_copy_is_equal_to_the_last_bit(void)
{
	struct err	 e = { 0, "" };
	int		 a = t_dir(), b = t_dir();
	bool		 left = false;

	fill(a);
	if (geteuid() == 0) {
		OK(fchownat(a, "rc.conf", 12, 34, 0) == 0);
		OK(fchownat(a, "localtime", 12, 34, AT_SYMLINK_NOFOLLOW) ==
		    0);
		OK(mknodat(a, "null", S_IFCHR | 0666, makedev(1, 3)) == 0);
		OK(os_setxattr(a, "localtime", "trusted.t", "v", 1, 0) == 0);
		t_time(a, "rc.conf", 1000000);
		t_time(a, "localtime", 1000001);
		t_time(a, "", 1000004);
	}
	if (!OK(copy_tree(a, b, &left, &e) == 0))
		tap_diag("%s", e.msg);
	OK(!left);
	OK(t_same(b, a, 1));
	/* Who is not root could not empty them. */
	t_chmod(a, "ssh", 0700);
	t_chmod(b, "ssh", 0700);
}

static void
sockets_are_left_out(void)
{
	struct sockaddr_un	 s = { .sun_family = AF_UNIX };
	struct err		 e;
	int			 a = t_dir(), b = t_dir(), k, i;
	bool			 left = false;

	t_file(a, "f", "x");
	k = socket(AF_UNIX, SOCK_STREAM, 0);
	for (i = 0; t_dirname(i + 2) != NULL; i++)
		;
	(void)strcpy(s.sun_path, t_dirname(i));
	(void)strcat(s.sun_path, "/sock");
	OK(bind(k, (struct sockaddr *)&s, sizeof(s)) == 0);
	(void)close(k);
	OK(t_there(a, "sock"));
	OK(copy_tree(a, b, &left, &e) == 0);
	OK(t_there(b, "f") && !t_there(b, "sock"));
}

static void
holes_stay_holes(void)
{
	struct stat	 st;
	struct err	 e;
	int		 a = t_dir(), b = t_dir(), fd;
	bool		 left = false;

	fd = openat(a, "sparse", O_WRONLY | O_CREAT, 0644);
	OK(pwrite(fd, "x", 1, 16 << 20) == 1);
	OK(ftruncate(fd, 32 << 20) == 0);
	(void)close(fd);
	OK(copy_tree(a, b, &left, &e) == 0);
	OK(fstatat(b, "sparse", &st, 0) == 0 && st.st_size == 32 << 20);
	OK(st.st_blocks < 1024);
	OK(t_same(b, a, 1));
}

static void
a_path_may_be_longer_than_the_system_allows(void)
{
	struct err	 e;
	struct buf	 p = BUF_INIT;
	int		 a = t_dir(), b = t_dir(), i, fd = dup(a), up;
	char		 name[201];
	bool		 left = false;

	memset(name, 'd', 200);
	name[200] = '\0';
	for (i = 0; i < 40; i++) {
		OK(mkdirat(fd, name, 0755) == 0);
		up = fd;
		fd = openat(up, name, O_RDONLY | O_DIRECTORY);
		(void)close(up);
		put_fmt(&p, "%s/", name);
	}
	put_bytes(&p, "f", 2);
	t_file(fd, "f", "deep\n");
	(void)close(fd);
	if (!OK(copy_tree(a, b, &left, &e) == 0))
		tap_diag("%s", e.msg);
	OK(t_there(b, (char *)p.p));
	OK(t_same(b, a, 1));
	OK(walk_remove(b, name, &e) == 0 && !t_there(b, name));
	buf_free(&p);
}

static void
a_tree_inside_of_its_base_is_refused(void)
{
	struct err	 e;
	int		 a = t_dir(), b;
	bool		 left = false;

	t_mkdir(a, "x/tree");
	b = path_open(a, "x/tree", O_RDONLY | O_DIRECTORY);
	OK(copy_tree(a, b, &left, &e) == -EINVAL);
	(void)close(b);
}

/* Apply one entry of this description. */
static int
put(struct apply *a, const char *path, enum ent_type t, const char *data,
    uint32_t link)
{
	struct ent	 x = { .type = t, .mode = 0700, .mtime = 7,
			    .uid = geteuid(), .gid = getegid(),
			    .link = link };
	struct err	 e = { 0, "" };
	int		 rc;

	x.path = strdup(path);
	if (t == ENT_LNK)
		x.target = strdup(data);
	rc = apply_ent(a, &x, data, data == NULL ? 0 : strlen(data), &e);
	if (rc < 0)
		tap_diag("%s", e.msg);
	ent_free(&x);
	return rc;
}

static void
check(int d, const char *path, const char *want)
{
	char	*s = t_read(d, path);

	if (!OK(strcmp(s, want) == 0))
		tap_diag("%s: %s", path, s);
	free(s);
}

static void
any_type_takes_the_place_of_any_other(void)
{
	static const enum ent_type ty[] = { ENT_REG, ENT_DIR, ENT_LNK,
	    ENT_FIFO, ENT_WHITEOUT };
	int		 d = t_dir(), fd;
	struct apply	 a = APPLY_INIT(d, false);
	struct ent	 x;
	struct err	 e;
	size_t		 i, k;

	for (i = 0; i < 5; i++)
		for (k = 0; k < 5; k++) {
			OK(put(&a, "p", ty[i], "1", 0) == 0);
			if (ty[i] == ENT_DIR)
				t_file(d, "p/below", "x");
			OK(put(&a, "p", ty[k], "2", 0) == 0);
			OK(ent_read(d, "p", "p", 0, &x, NULL, NULL, &e) ==
			    0);
			OK(x.type == (ty[k] == ENT_WHITEOUT ? ENT_NONE :
			    ty[k]));
			OK(x.type != ENT_DIR || t_there(d, "p/below") ==
			    (ty[i] == ENT_DIR));
			ent_free(&x);
			t_rm(d, "p");
		}
	fd = openat(d, ".", O_RDONLY);
	(void)close(fd);
	apply_free(&a);
}

static void
a_reader_keeps_the_file_that_it_opened(void)
{
	int		 d = t_dir(), fd;
	struct apply	 a = APPLY_INIT(d, false);
	char		 b[8] = "";

	t_file(d, "f", "old");
	fd = openat(d, "f", O_RDONLY);
	OK(put(&a, "f", ENT_REG, "new!", 0) == 0);
	OK(read(fd, b, sizeof(b)) == 3 && memcmp(b, "old", 3) == 0);
	(void)close(fd);
	check(d, "f", "new!");
	apply_free(&a);
}

static void
nothing_is_written_through_a_link(void)
{
	int		 d = t_dir(), out = t_dir(), i;
	struct apply	 a = APPLY_INIT(d, false);
	char		 up[80];

	for (i = 0; t_dirname(i + 1) != NULL; i++)
		;
	t_file(out, "victim", "safe");
	OK(put(&a, "evil", ENT_LNK, t_dirname(i), 0) == 0);
	OK(put(&a, "evil/victim", ENT_REG, "owned", 0) == 1);
	OK(put(&a, "evil/new", ENT_DIR, NULL, 0) == 1);
	OK(put(&a, "evil/victim", ENT_WHITEOUT, NULL, 0) == 0);
	(void)strcpy(up, t_dirname(i));
	(void)strcat(up, "/victim");
	OK(put(&a, "f", ENT_LNK, up, 0) == 0);
	OK(put(&a, "f", ENT_REG, "mine", 0) == 0);
	check(out, "victim", "safe");
	check(d, "f", "mine");
	OK(!t_there(out, "new"));
	apply_free(&a);
}

static void
a_group_becomes_one_inode(void)
{
	int		 d = t_dir();
	struct apply	 a = APPLY_INIT(d, false);
	struct stat	 x, y, z;
	struct strs	 l = { NULL, 0, 0 };
	struct err	 e;

	t_file(d, "other", "?");
	t_file(d, "b", "?");
	OK(put(&a, "a", ENT_REG, "one", 9) == 0);
	OK(put(&a, "b", ENT_REG, NULL, 9) == 0);
	OK(put(&a, "c", ENT_REG, "two", 0) == 0);
	/* A name that is right already must not leave a temporary one. */
	OK(put(&a, "b", ENT_REG, NULL, 9) == 0);
	OK(fstatat(d, "a", &x, 0) == 0 && fstatat(d, "b", &y, 0) == 0 &&
	    fstatat(d, "c", &z, 0) == 0);
	OK(x.st_ino == y.st_ino && x.st_nlink == 2 && z.st_ino != x.st_ino);
	OK(walk_list(d, "", &l, &e) == 0 && l.n == 4);
	strs_free(&l);
	apply_free(&a);
}

static void
attributes_that_are_not_said_go(void)
{
	int		 d = t_dir();
	struct apply	 a = APPLY_INIT(d, false);
	char		 v[8];

	if (geteuid() != 0) {
		tap_skip("not root");
		return;
	}
	t_mkdir(d, "dir");
	OK(os_setxattr(d, "dir", "trusted.x", "1", 1, 0) == 0);
	OK(put(&a, "dir", ENT_DIR, NULL, 0) == 0);
	OK(os_getxattr(d, "dir", "trusted.x", v, sizeof(v)) == -OS_ENOATTR);
	apply_free(&a);
}

static void
a_directory_keeps_its_time_unless_live(void)
{
	int		 d = t_dir();
	struct apply	 a = APPLY_INIT(d, false), b = APPLY_INIT(d, true);
	struct stat	 st;

	t_mkdir(d, "dir");
	t_time(d, "dir", 1000);
	OK(put(&a, "dir/f", ENT_REG, "x", 0) == 0);
	OK(fstatat(d, "dir", &st, 0) == 0 && st.st_mtime == 1000);
	OK(put(&b, "dir/f", ENT_REG, "y", 0) == 0);
	OK(fstatat(d, "dir", &st, 0) == 0 && st.st_mtime != 1000);
	apply_free(&a);
	apply_free(&b);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a copy is equal to the last bit",
		    a_copy_is_equal_to_the_last_bit },
		{ "sockets are left out", sockets_are_left_out },
		{ "holes stay holes", holes_stay_holes },
		{ "a path may be longer than the system allows",
		    a_path_may_be_longer_than_the_system_allows },
		{ "a tree inside of its base is refused",
		    a_tree_inside_of_its_base_is_refused },
		{ "any type takes the place of any other",
		    any_type_takes_the_place_of_any_other },
		{ "a reader keeps the file that it opened",
		    a_reader_keeps_the_file_that_it_opened },
		{ "nothing is written through a link",
		    nothing_is_written_through_a_link },
		{ "a group becomes one inode", a_group_becomes_one_inode },
		{ "attributes that are not said go",
		    attributes_that_are_not_said_go },
		{ "a directory keeps its time unless live",
		    a_directory_keeps_its_time_unless_live },
	};
	int	 rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));

	t_sweep();
	return rc;
}
