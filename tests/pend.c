/*
 * pend.c: what counts as pending, and what a commit makes of it.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/jrn.h"
#include "../lib/path.h"
#include "box.h"
#include "tap.h"
#include "tree.h"

static void
new_box(struct box *b)
{
	int	 base = t_dir();

	t_file(base, "rc.conf", "hostname=\"box\"\n");
	t_file(base, "passwd", "root\n");
	t_file(base, "ssh/sshd_config", "Port 22\n");
	t_file(base, "ssh/moduli", "2 2 2\n");
	t_file(base, "rc.d/one", "1\n");
	t_file(base, "rc.d/two", "2\n");
	t_symlink(base, "aliases", "mail/aliases");
	t_file(base, "group", "wheel\n");
	t_link(base, "group", "group.old");
	box_new(b, base);
}

static void
equal_trees_have_nothing_pending(void)
{
	struct box	 b;

	new_box(&b);
	box_expect(&b, "");
	t_time(b.run, "rc.conf", 12345);	/* times alone are nothing */
	box_expect(&b, "");
	box_free(&b);
}

static void
what_save_cfg_loses_is_seen_and_comes_back(void)
{
	struct box	 b;

	new_box(&b);
	t_rm(b.run, "passwd");			/* a deleted base file */
	t_chmod(b.run, "rc.conf", 0600);	/* a mode */
	t_symlink(b.run, "localtime", "/usr/share/zoneinfo/UTC");
	t_mkdir(b.run, "empty");
	t_file(b.run, ".profile", "x\n");
	t_file(b.run, "a name with spaces", "x\n");
	t_file(b.run, "new\nline \xff", "x\n");
	box_expect(&b, "A .profile\nA a name with spaces\nA empty\n"
	    "A localtime\nA new\nline \xff\nD passwd\nm rc.conf\n");
	OK(box_commit(&b, NULL) == 7);
	box_expect(&b, "");
	OK(box_restores(&b));
	box_free(&b);
}

static void
an_owner_is_a_change(void)
{
	struct box	 b;

	if (geteuid() != 0) {
		tap_skip("not root");
		return;
	}
	new_box(&b);
	OK(fchownat(b.run, "rc.conf", 7, 8, 0) == 0);
	OK(fchownat(b.run, "aliases", 7, 8, AT_SYMLINK_NOFOLLOW) == 0);
	box_expect(&b, "m aliases\nm rc.conf\n");
	OK(box_commit(&b, NULL) == 2 && box_restores(&b));
	box_free(&b);
}

static void
what_is_as_in_the_base_again_follows_it(void)
{
	struct box	 b;

	new_box(&b);
	t_file(b.run, "rc.conf", "changed\n");
	t_rm(b.run, "ssh");
	OK(box_commit(&b, NULL) == 2);
	OK(b.ov.n == 2);	/* one whiteout for all of ssh */
	OK(ents_find(&b.ov, "ssh")->type == ENT_WHITEOUT);
	t_file(b.run, "rc.conf", "hostname=\"box\"\n");
	t_file(b.run, "ssh/sshd_config", "Port 22\n");
	t_file(b.run, "ssh/moduli", "2 2 2\n");
	box_expect(&b, "M rc.conf\nA ssh\nA ssh/moduli\nA ssh/sshd_config\n");
	OK(box_commit(&b, NULL) == 2);
	OK(b.ov.n == 0);
	box_expect(&b, "");
	OK(box_restores(&b));
	box_free(&b);
}

static void
a_directory_that_comes_back_brings_nothing_deleted(void)
{
	struct box	 b;

	new_box(&b);
	t_rm(b.run, "rc.d");
	OK(box_commit(&b, NULL) == 1);
	t_file(b.run, "rc.d/three", "3\n");
	box_expect(&b, "A rc.d\nA rc.d/three\n");
	(void)box_commit(&b, NULL);
	box_expect(&b, "");
	OK(box_restores(&b));
	OK(ents_find(&b.ov, "rc.d/one")->type == ENT_WHITEOUT);
	box_free(&b);
}

static void
a_type_may_change_to_any_other(void)
{
	struct box	 b;

	new_box(&b);
	t_rm(b.run, "rc.d");
	t_file(b.run, "rc.d", "a file now\n");
	t_rm(b.run, "rc.conf");
	t_file(b.run, "rc.conf/dir", "a directory now\n");
	t_rm(b.run, "aliases");
	t_fifo(b.run, "aliases");
	box_expect(&b, "T aliases\nT rc.conf\nA rc.conf/dir\nT rc.d\n"
	    "D rc.d/one\nD rc.d/two\n");
	(void)box_commit(&b, NULL);
	box_expect(&b, "");
	OK(box_restores(&b));
	t_rm(b.run, "rc.d");
	t_file(b.run, "rc.d/two", "2\n");
	(void)box_commit(&b, NULL);
	OK(box_restores(&b));
	box_free(&b);
}

static void
hard_links_are_kept_made_and_broken(void)
{
	struct box	 b;

	new_box(&b);
	t_file(b.run, "group.old", "wheel\nstaff\n");	/* through one name */
	box_expect(&b, "M group\nM group.old\n");
	OK(box_commit(&b, NULL) == 2 && box_restores(&b));
	t_link(b.run, "rc.conf", "rc.conf.2");
	box_expect(&b, "m rc.conf\nA rc.conf.2\n");
	OK(box_commit(&b, NULL) == 2 && box_restores(&b));
	t_link(b.run, "rc.conf", "rc.conf.3");
	(void)box_commit(&b, NULL);
	OK(box_restores(&b));
	t_rm(b.run, "rc.conf.2");		/* the others just stay */
	box_expect(&b, "D rc.conf.2\n");
	(void)box_commit(&b, NULL);
	OK(box_restores(&b));
	t_rm(b.run, "rc.conf.3");
	t_file(b.run, "rc.conf.3", "hostname=\"box\"\n");
	box_expect(&b, "m rc.conf\nm rc.conf.3\n");	/* equal, but two */
	(void)box_commit(&b, NULL);
	box_expect(&b, "");
	OK(box_restores(&b));
	t_rm(b.run, "group.old");
	t_rm(b.run, "group");
	t_file(b.run, "group", "wheel\n");
	t_link(b.run, "group", "group.old");
	(void)box_commit(&b, NULL);
	OK(ents_find(&b.ov, "group") == NULL);
	OK(box_restores(&b));
	box_free(&b);
}

static void
links_to_outside_of_the_base_are_none(void)
{
	struct box	 b;
	int		 base = t_dir(), out = t_dir();

	/* An image may be made of links to one copy. */
	t_file(base, "one", "1\n");
	t_file(base, "two", "2\n");
	t_file(base, "dir/three", "3\n");
	OK(linkat(base, "one", out, "1", 0) == 0);
	OK(linkat(base, "two", out, "2", 0) == 0);
	OK(linkat(base, "dir/three", out, "3", 0) == 0);
	box_new(&b, base);
	box_expect(&b, "");
	t_file(b.run, "one", "changed\n");
	box_expect(&b, "M one\n");
	OK(box_commit(&b, NULL) == 1 && box_restores(&b));
	t_link(b.run, "two", "four");
	box_expect(&b, "A four\nm two\n");
	OK(box_commit(&b, NULL) == 2 && box_restores(&b));
	t_rm(b.run, "four");
	t_file(b.run, "one", "1\n");
	box_expect(&b, "D four\nM one\n");
	(void)box_commit(&b, NULL);
	OK(ents_find(&b.ov, "one") == NULL && box_restores(&b));
	box_free(&b);
}

static void
the_journal_says_where_to_look(void)
{
	struct box	 b;

	new_box(&b);
	t_file(b.run, "rc.conf", "one\n");
	t_file(b.run, "passwd", "not journaled\n");
	box_note(&b, "rc.conf", JRN_WRITE, 0, 0, "vi");
	box_note(&b, "rc.conf", JRN_WRITE, 0, 1000, "sed");
	box_note(&b, "ssh/moduli", JRN_WRITE, 0, 0, "cp");
	b.all = false;
	box_expect(&b, "M rc.conf\n");
	OK(b.pend.n == 1 && b.pend.v[0].nwho == 2);
	OK(b.pend.n == 1 && strcmp(b.pend.v[0].who[1].comm, "sed") == 0 &&
	    b.pend.v[0].who[1].uid == 1000);
	OK(!b.pend.scanned);
	box_note(&b, "", JRN_SCAN, JRN_TREE, 0, "cfgfs");
	box_expect(&b, "M passwd\nM rc.conf\n");
	OK(b.pend.scanned);
	OK(b.pend.v[0].nwho == 0 && b.pend.v[1].nwho == 2);
	box_free(&b);
}

static void
a_damaged_journal_hides_nothing(void)
{
	struct box	 b;
	int		 fd;

	new_box(&b);
	t_file(b.run, "passwd", "changed\n");
	box_note(&b, "rc.conf", JRN_WRITE, 0, 0, "vi");
	fd = openat(b.state, "journal.1", O_WRONLY);
	OK(pwrite(fd, "!!!!", 4, 0) == 4);
	(void)close(fd);
	b.all = false;
	box_expect(&b, "M passwd\n");
	box_free(&b);
}

static void
a_renamed_directory_is_two_records(void)
{
	struct box	 b;

	new_box(&b);
	t_rename(b.run, "rc.d", "rc.e");
	box_note(&b, "rc.d", JRN_RENAME, JRN_TREE, 5, "mv");
	box_note(&b, "rc.e", JRN_RENAME, JRN_TREE | JRN_BORN, 5, "mv");
	b.all = false;
	box_expect(&b, "D rc.d\nD rc.d/one\nD rc.d/two\n"
	    "A rc.e\nA rc.e/one\nA rc.e/two\n");
	OK(b.pend.n == 6 && b.pend.v[4].nwho == 1 &&
	    b.pend.v[4].who[0].uid == 5);
	(void)box_commit(&b, NULL);
	OK(box_restores(&b));
	OK(ents_find(&b.ov, "rc.d/one") == NULL);
	box_free(&b);
}

static void
new_parents_are_found_without_a_record(void)
{
	struct box	 b;

	new_box(&b);
	t_file(b.run, "x/y/z", "deep\n");
	box_note(&b, "x/y/z", JRN_CREATE, JRN_BORN, 0, "vi");
	b.all = false;
	box_note(&b, "x", JRN_MKDIR, JRN_BORN, 7, "mkdir");
	box_expect(&b, "A x\nA x/y\nA x/y/z\n");
	OK(b.pend.n == 3 && b.pend.v[2].nwho == 1 &&
	    b.pend.v[2].who[0].uid == 0);
	t_rm(b.run, "ssh");
	box_note(&b, "ssh/moduli", JRN_UNLINK, 0, 0, "rm");
	box_expect(&b, "D ssh\nD ssh/moduli\nD ssh/sshd_config\n"
	    "A x\nA x/y\nA x/y/z\n");
	box_free(&b);
}

static void
a_link_elsewhere_is_found_from_one_record(void)
{
	struct box	 b;

	new_box(&b);
	t_file(b.run, "group", "changed\n");
	box_note(&b, "group", JRN_WRITE, JRN_LINKED, 0, "vi");
	b.all = false;
	box_expect(&b, "M group\nM group.old\n");
	OK(b.pend.n == 2 && b.pend.v[1].nwho == 1);
	box_free(&b);
}

static void
some_paths_alone_can_be_committed(void)
{
	struct box	 b;
	char		*one[] = { NULL };
	char		 x[] = "x/y", d[] = "ssh/moduli";

	new_box(&b);
	t_file(b.run, "rc.conf", "changed\n");
	t_file(b.run, "x/y/z", "deep\n");
	t_file(b.run, "x/other", "deep\n");
	t_rm(b.run, "ssh");
	one[0] = x;
	OK(box_commit(&b, one) == 3);
	box_expect(&b, "M rc.conf\nD ssh\nD ssh/moduli\nD ssh/sshd_config\n"
	    "A x/other\n");
	one[0] = d;
	OK(box_commit(&b, one) == 1);
	box_expect(&b, "M rc.conf\nD ssh\nD ssh/sshd_config\nA x/other\n");
	(void)box_commit(&b, NULL);
	box_expect(&b, "");
	OK(box_restores(&b));
	OK(b.ov.n == 6);
	box_free(&b);
}

static void
what_stays_pending_keeps_its_who(void)
{
	struct box	 b;
	char		 rc[] = "rc.conf";
	char		*one[] = { rc };

	new_box(&b);
	b.all = false;
	t_file(b.run, "rc.conf", "changed\n");
	t_file(b.run, "passwd", "changed\n");
	t_rename(b.run, "rc.d", "rc.e");
	box_note(&b, "rc.conf", JRN_WRITE, 0, 0, "vi");
	box_note(&b, "passwd", JRN_WRITE, 0, 42, "vipw");
	box_note(&b, "rc.d", JRN_RENAME, JRN_TREE, 5, "mv");
	box_note(&b, "rc.e", JRN_RENAME, JRN_TREE, 5, "mv");
	OK(box_commit(&b, one) == 1);
	box_expect(&b, "M passwd\nD rc.d\nD rc.d/one\nD rc.d/two\n"
	    "A rc.e\nA rc.e/one\nA rc.e/two\n");
	OK(b.pend.v[0].nwho == 1 && b.pend.v[0].who[0].uid == 42 &&
	    strcmp(b.pend.v[0].who[0].comm, "vipw") == 0);
	OK(b.pend.v[5].nwho == 1 && b.pend.v[5].who[0].uid == 5);
	OK(box_commit(&b, NULL) > 0 && box_restores(&b));
	box_expect(&b, "");
	box_free(&b);
}

static void
ignored_paths_never_count_and_are_not_forgotten(void)
{
	struct box	 b;

	new_box(&b);
	b.all = false;
	box_ignore(&b, "*.pid\n/cache/\n");
	t_file(b.run, "a.pid", "1\n");
	t_file(b.run, "cache/x", "1\n");
	t_file(b.run, "new/b.pid", "1\n");
	box_note(&b, "a.pid", JRN_CREATE, 0, 0, "d");
	box_note(&b, "cache/x", JRN_CREATE, 0, 0, "d");
	box_note(&b, "new/b.pid", JRN_CREATE, 0, 0, "d");
	box_expect(&b, "A new\n");
	OK(b.pend.nignored == 3);
	OK(box_commit(&b, NULL) == 1);
	OK(ents_find(&b.ov, "new/b.pid") == NULL);
	box_expect(&b, "");
	box_ignore(&b, NULL);
	box_expect(&b, "A a.pid\nA cache\nA cache/x\nA new/b.pid\n");
	box_free(&b);
}

static void
sockets_are_counted_and_left_out(void)
{
	struct sockaddr_un	 s = { .sun_family = AF_UNIX };
	struct box		 b;
	int			 k, cwd = open(".", O_RDONLY);

	new_box(&b);
	t_rm(b.run, "passwd");
	k = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(fchdir(b.run) == 0);
	(void)strcpy(s.sun_path, "passwd");
	OK(bind(k, (struct sockaddr *)&s, sizeof(s)) == 0);
	OK(fchdir(cwd) == 0);
	(void)close(cwd);
	(void)close(k);
	box_expect(&b, "D passwd\n");
	OK(b.pend.nsock == 1);
	OK(box_commit(&b, NULL) == 1);
	box_free(&b);
}

static void
a_path_longer_than_the_system_allows_is_committed(void)
{
	struct box	 b;
	char		 name[201];
	int		 i, fd, up;

	new_box(&b);
	memset(name, 'd', 200);
	name[200] = '\0';
	fd = dup(b.run);
	for (i = 0; i < 40; i++) {
		OK(mkdirat(fd, name, 0755) == 0);
		up = fd;
		fd = openat(up, name, O_RDONLY | O_DIRECTORY);
		(void)close(up);
	}
	t_file(fd, "f", "deep\n");
	(void)close(fd);
	OK(box_commit(&b, NULL) == 41);
	box_expect(&b, "");
	OK(box_restores(&b));
	box_free(&b);
}

static void
the_root_itself_can_change(void)
{
	struct box	 b;

	new_box(&b);
	t_chmod(b.run, "", 0700);
	box_expect(&b, "m \n");
	OK(box_commit(&b, NULL) == 1 && box_restores(&b));
	t_chmod(b.run, "", 0755);
	(void)box_commit(&b, NULL);
	OK(b.ov.n == 0 && box_restores(&b));
	box_free(&b);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "equal trees have nothing pending",
		    equal_trees_have_nothing_pending },
		{ "what save_cfg loses is seen, and comes back",
		    what_save_cfg_loses_is_seen_and_comes_back },
		{ "an owner is a change", an_owner_is_a_change },
		{ "what is as in the base again follows it",
		    what_is_as_in_the_base_again_follows_it },
		{ "a directory that comes back brings nothing deleted",
		    a_directory_that_comes_back_brings_nothing_deleted },
		{ "a type may change to any other",
		    a_type_may_change_to_any_other },
		{ "hard links are kept, made and broken",
		    hard_links_are_kept_made_and_broken },
		{ "links to outside of the base are none",
		    links_to_outside_of_the_base_are_none },
		{ "the journal says where to look",
		    the_journal_says_where_to_look },
		{ "a damaged journal hides nothing",
		    a_damaged_journal_hides_nothing },
		{ "a renamed directory is two records",
		    a_renamed_directory_is_two_records },
		{ "new parents are found without a record",
		    new_parents_are_found_without_a_record },
		{ "a link elsewhere is found from one record",
		    a_link_elsewhere_is_found_from_one_record },
		{ "some paths alone can be committed",
		    some_paths_alone_can_be_committed },
		{ "what stays pending keeps its who",
		    what_stays_pending_keeps_its_who },
		{ "ignored paths never count, and are not forgotten",
		    ignored_paths_never_count_and_are_not_forgotten },
		{ "sockets are counted and left out",
		    sockets_are_counted_and_left_out },
		{ "a path longer than the system allows is committed",
		    a_path_longer_than_the_system_allows_is_committed },
		{ "the root itself can change", the_root_itself_can_change },
	};
	int	 rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));

	t_sweep();
	return rc;
}
