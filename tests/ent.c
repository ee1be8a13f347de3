/*
 * ent.c: the promises of lib/ent.h: entries, ordered sets of them, and
 * reading one from a directory.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/osdep.h"
#include "../lib/path.h"
#include "tap.h"

static char	 dir[64];	/* of this test, on a RAM disk if there is one */
static int	 dfd;

static void
put_file(const char *name, const char *text)
{
	int	 fd;

	fd = openat(dfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	OK(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	OK(close(fd) == 0);
}

static struct ent
named(const char *path, enum ent_type t)
{
	struct ent	 e;

	memset(&e, 0, sizeof(e));
	e.path = strdup(path);
	e.type = t;
	return e;
}

static void
a_set_is_ordered_and_finds_each(void)
{
	static const char *const names[] = { "b", "a/z", "a", "a.b", "",
	    "a b", "c/d/e", "c", "b" };
	const size_t	 n = sizeof(names) / sizeof(names[0]);
	struct ents	 s = { NULL, 0, 0 };
	struct ent	 e;
	size_t		 i;

	for (i = 0; i < n; i++) {
		e = named(names[i], ENT_REG);
		e.size = i;
		OK(ents_put(&s, &e) == 0);
		OK(e.path == NULL);	/* it was taken over */
	}
	OK(s.n == n - 1);
	for (i = 1; i < s.n; i++)
		OK(path_cmp(s.v[i - 1].path, s.v[i].path) < 0);
	for (i = 1; i < n; i++)
		OK(ents_find(&s, names[i]) != NULL &&
		    ents_find(&s, names[i])->size == i);
	OK(ents_find(&s, "a/") == NULL && ents_find(&s, "zz") == NULL);
	OK(ents_lower(&s, "a/") == ents_lower(&s, "a/z"));
	OK(ents_lower(&s, "zz") == s.n && ents_lower(&s, "") == 0);
	ents_del(&s, "a/z");
	ents_del(&s, "nowhere");
	OK(s.n == n - 2 && ents_find(&s, "a/z") == NULL);
	while (s.n > 0)
		ents_del(&s, s.v[s.n / 2].path);
	ents_free(&s);
}

static void
a_random_set_agrees_with_a_plain_list(void)
{
	uint64_t	 r = tap_seed(7);
	struct ents	 s = { NULL, 0, 0 };
	bool		 there[200] = { false };
	struct ent	 e, *f;
	char		 p[16];
	unsigned	 i, k, n;

	for (i = 0; i < 5000; i++) {
		k = (unsigned)(tap_rand(&r) % 200);
		(void)snprintf(p, sizeof(p), "%u/%u", k % 7, k);
		if (tap_rand(&r) % 3 != 0) {
			e = named(p, ENT_REG);
			e.size = k;
			OK(ents_put(&s, &e) == 0);
			there[k] = true;
		} else {
			ents_del(&s, p);
			there[k] = false;
		}
	}
	for (k = 0, n = 0; k < 200; k++) {
		(void)snprintf(p, sizeof(p), "%u/%u", k % 7, k);
		f = ents_find(&s, p);
		OK((f != NULL) == there[k] && (f == NULL || f->size == k));
		n += there[k];
	}
	OK(s.n == n);
	ents_free(&s);
}

static void
sameness_is_what_a_user_sees(void)
{
	struct ent	 a = named("x", ENT_REG), b;
	uint8_t		 x[6] = { 'a', 0, 1, 0, 0, 0 };

	a.mode = 0644;
	a.size = 3;
	OK(ent_copy(&b, &a) == 0 && ent_same(&a, &b));
	b.mtime = 5;
	b.link = 7;
	b.loc = 9;
	OK(ent_same(&a, &b));
	b.mode = 0600;
	OK(!ent_same(&a, &b));
	a.type = b.type = ENT_LNK;	/* the mode of a link is nothing */
	a.target = strdup("t");
	OK(!ent_same(&a, &b));
	b.target = strdup("t");
	OK(ent_same(&a, &b));
	b.uid = 1;
	OK(!ent_same(&a, &b));
	b.uid = 0;
	a.type = b.type = ENT_REG;
	b.mode = a.mode;
	b.hash.b[15] = 1;
	OK(!ent_same(&a, &b));
	b.hash.b[15] = 0;
	a.xattr = malloc(sizeof(x));
	memcpy(a.xattr, x, sizeof(x));
	a.xattrlen = sizeof(x);
	OK(!ent_same(&a, &b));
	ent_free(&b);
	OK(ent_copy(&b, &a) == 0 && ent_same(&a, &b));
	b.xattr[2] = 2;
	OK(!ent_same(&a, &b));
	a.type = ENT_CHR;
	OK(!ent_same(&a, &b));
	b.type = ENT_CHR;
	b.xattr[2] = 1;
	a.minor = 1;
	OK(!ent_same(&a, &b));
	a.type = ENT_WHITEOUT;
	b.type = ENT_NONE;
	OK(ent_same(&a, &b));
	ent_free(&a);
	ent_free(&b);
}

static void
a_file_is_read_with_its_hash(void)
{
	struct ent	 e;
	struct stat	 st;
	struct hash	 h;
	uint64_t	 ino = 0, nlink = 0;
	struct err	 err;

	put_file("f", "hello\n");
	OK(fchmodat(dfd, "f", 04711, 0) == 0);
	OK(linkat(dfd, "f", dfd, "f2", 0) == 0);
	OK(fstatat(dfd, "f", &st, 0) == 0);
	OK(ent_read(dfd, "f", "d/f", ENT_HASH, &e, &ino, &nlink, &err) == 0);
	hash_mem(&h, "hello\n", 6);
	OK(e.type == ENT_REG && e.mode == 04711 && e.size == 6);
	OK(strcmp(e.path, "d/f") == 0 && ino == st.st_ino && nlink == 2);
	OK(memcmp(h.b, e.hash.b, HASH_LEN) == 0);
	OK(e.mtime == st.st_mtim.tv_sec &&
	    e.mtime_ns == (uint32_t)st.st_mtim.tv_nsec);
	OK(e.uid == st.st_uid && e.gid == st.st_gid && e.link == 0);
	ent_free(&e);
	OK(ent_read(dfd, "f", "f", 0, &e, NULL, NULL, &err) == 0);
	OK(e.size == 6 && e.hash.b[0] == 0 && e.hash.b[1] == 0);
	ent_free(&e);
}

static void
a_sparse_file_hashes_as_its_bytes(void)
{
	static uint8_t	 zero[300000];
	struct ent	 e;
	struct hash	 h;
	int		 fd;

	fd = openat(dfd, "sparse", O_RDWR | O_CREAT, 0600);
	OK(fd != -1 && ftruncate(fd, sizeof(zero)) == 0 && close(fd) == 0);
	hash_mem(&h, zero, sizeof(zero));
	OK(ent_read(dfd, "sparse", "s", ENT_HASH, &e, NULL, NULL, NULL) == 0);
	OK(e.size == sizeof(zero) && memcmp(h.b, e.hash.b, HASH_LEN) == 0);
	ent_free(&e);
}

static void
what_is_not_there_is_no_error(void)
{
	struct ent	 e;
	uint64_t	 ino = 5, nlink = 5;
	int		 fd;

	OK(ent_read(dfd, "none", "none", ENT_HASH, &e, &ino, &nlink,
	    NULL) == 0);
	OK(e.type == ENT_NONE && ino == 0 && nlink == 0);
	OK(strcmp(e.path, "none") == 0);
	ent_free(&e);
	OK(mkdirat(dfd, "gone", 0755) == 0);
	fd = openat(dfd, "gone", O_RDONLY | O_DIRECTORY);
	OK(fd != -1 && unlinkat(dfd, "gone", AT_REMOVEDIR) == 0);
	OK(ent_read(fd, "x", "gone/x", 0, &e, &ino, &nlink, NULL) == 0);
	OK(e.type == ENT_NONE && ino == 0 && nlink == 0);
	ent_free(&e);
	(void)close(fd);
}

static void
every_type_is_told(void)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct ent	 e;
	int		 s;

	OK(symlinkat("to/nowhere", dfd, "l") == 0);
	OK(ent_read(dfd, "l", "l", ENT_HASH, &e, NULL, NULL, NULL) == 0);
	OK(e.type == ENT_LNK && strcmp(e.target, "to/nowhere") == 0);
	ent_free(&e);
	OK(mkfifoat(dfd, "p", 0620) == 0);
	OK(ent_read(dfd, "p", "p", ENT_HASH, &e, NULL, NULL, NULL) == 0);
	OK(e.type == ENT_FIFO && e.target == NULL && e.size == 0);
	ent_free(&e);
	OK(ent_read(dfd, ".", "", 0, &e, NULL, NULL, NULL) == 0);
	OK(e.type == ENT_DIR && strcmp(e.path, "") == 0 && e.size == 0);
	ent_free(&e);
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	OK(s != -1 && bind(s, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	OK(ent_read(dfd, "s", "s", ENT_HASH, &e, NULL, NULL, NULL) == 0);
	OK(e.type == ENT_SOCK);
	ent_free(&e);
	(void)close(s);
	if (geteuid() != 0) {
		tap_skip("not root: no devices");
		return;
	}
	OK(mknodat(dfd, "c", S_IFCHR | 0600, makedev(7, 300)) == 0);
	OK(ent_read(dfd, "c", "c", ENT_HASH, &e, NULL, NULL, NULL) == 0);
	OK(e.type == ENT_CHR && e.major == 7 && e.minor == 300);
	ent_free(&e);
	OK(mknodat(dfd, "b", S_IFBLK | 0600, makedev(9, 1)) == 0);
	OK(ent_read(dfd, "b", "b", ENT_HASH, &e, NULL, NULL, NULL) == 0);
	OK(e.type == ENT_BLK && e.major == 9 && e.minor == 1);
	ent_free(&e);
}

static void
attributes_are_in_order_whatever_their_number(void)
{
	static uint8_t	 big[20000];
	char		 a[256], want[256];
	struct ent	 e;
	struct rd	 r;
	size_t		 n;
	int		 i, rc = 0;

	put_file("x", "x");
	rc = os_setxattr(dfd, "x", "user.zz", big, 3000, 0);
	if (rc == -EOPNOTSUPP) {
		tap_skip("no extended attributes in this file system");
		return;
	}
	OK(rc == 0);
	OK(os_setxattr(dfd, "x", "user.aa", "", 0, 0) == 0);
	for (i = 20; i-- > 0 && rc == 0;) {
		(void)snprintf(a, sizeof(a), "user.%0200d", i);
		rc = os_setxattr(dfd, "x", a, &i, 1, 0);
	}
	OK(rc == 0);
	OK(ent_read(dfd, "x", "x", 0, &e, NULL, NULL, NULL) == 0);
	r = (struct rd){ e.xattr, e.xattrlen, false };
	for (i = 0; r.n > 0 && !r.bad; i++) {
		const char *name = (const char *)rd_bytes(&r,
		    strnlen((const char *)r.p, r.n) + 1);
		n = rd_le32(&r);
		(void)rd_bytes(&r, n);
		if (i < 20)
			(void)snprintf(want, sizeof(want), "user.%0200d", i);
		else
			(void)snprintf(want, sizeof(want), "user.%s",
			    i == 20 ? "aa" : "zz");
		OK(name != NULL && strcmp(name, want) == 0);
		OK(n == (i < 20 ? 1u : i == 20 ? 0u : 3000u));
	}
	OK(i == 22 && !r.bad);
	ent_free(&e);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a set is ordered and finds each",
		    a_set_is_ordered_and_finds_each },
		{ "a random set agrees with a plain list",
		    a_random_set_agrees_with_a_plain_list },
		{ "sameness is what a user sees",
		    sameness_is_what_a_user_sees },
		{ "a file is read with its hash",
		    a_file_is_read_with_its_hash },
		{ "a sparse file hashes as its bytes",
		    a_sparse_file_hashes_as_its_bytes },
		{ "what is not there is no error",
		    what_is_not_there_is_no_error },
		{ "every type is told", every_type_is_told },
		{ "attributes are in order, whatever their number",
		    attributes_are_in_order_whatever_their_number },
	};
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "%s/cfgfs-ent.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (mkdtemp(dir) == NULL ||
	    (dfd = open(dir, O_RDONLY | O_DIRECTORY)) == -1) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
