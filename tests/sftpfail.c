/*
 * sftpfail.c: what fails with a real SFTP server is told, and only that.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include <errno.h>
#ifdef __linux__
#include <sched.h>
#endif
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sftpcase.h"

#define NOBODY	65534

static bool	 own_ns;	/* what is mounted is ours */

static void
ends(void)
{
	static uint8_t	  b[100000], all[70000];
	struct sftp_file *f;
	size_t		  i, got = 9, got2 = 9, got3 = 9;

	for (i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i % 251 + 1);
	memset(b, 0xee, sizeof(b));
	put_file("ends", all, sizeof(all), 0600);
	OK(sftp_file_open(s, at("ends"), SFTP_READ, &f, NULL, &e) == 0);
	OK(sftp_file_read(f, b, 1000, 69001, NULL, &e) == 0);
	OK(sftp_drain(s, &e) == -EIO && says("ends: it ends before"));
	OK(says("read far:/"));
	OK(sftp_drain(s, &e) == 0);		/* told once */
	OK(sftp_file_read(f, b, 1000, 69000, NULL, &e) == 0);
	OK(sftp_drain(s, &e) == 0 && memcmp(b, all + 69000, 1000) == 0);
	OK(sftp_file_read(f, b, sizeof(b), 0, &got, &e) == 0);
	OK(sftp_drain(s, &e) == 0 && got == sizeof(all));
	OK(memcmp(b, all, sizeof(all)) == 0);
	for (i = sizeof(all); i < sizeof(b); i++)
		OK(b[i] == 0);
	OK(sftp_file_read(f, b, 100, 70000, &got2, &e) == 0);
	OK(sftp_file_read(f, b + 100, 100, 69999, &got3, &e) == 0);
	OK(sftp_drain(s, &e) == 0 && got2 == 0 && got3 == 1);
	OK(b[0] == 0 && b[100] == all[69999] && b[101] == 0);
	OK(sftp_file_read(f, b, 0, 70000, &got2, &e) == 0 && got2 == 0);
	sftp_file_close(f);
}

static void
the_end_of_a_file_is_told(void)
{
	with_each(ends);
}

static void
refuses(void)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	bool		  gap = false;

	OK(sftp_stat(s, at("no\nsuch"), &st, &e) == -ENOENT);
	OK(says("stat far:/") && says("/no?such: no such file"));
	OK(st.size == 0 && st.mode == 0);
	OK(sftp_file_open(s, at("nosuch"), SFTP_READ, &f, &st, &e) == -ENOENT);
	OK(f == NULL && says("open far:/") && says("/nosuch: no such file"));
	OK(sftp_remove(s, at("nosuch"), &e) == -ENOENT);
	OK(says("remove far:/") && says("/nosuch: no such file"));
	OK(sftp_rename(s, at("nosuch"), at("other"), &gap, &e) == -ENOENT);
	OK(says("rename far:/") && says("/nosuch: no such file") && !gap);
	(void)mkdir(at("dir"), 0755);
	OK(sftp_stat(s, at("dir"), &st, &e) == 0 && S_ISDIR(st.mode));
	OK(sftp_file_open(s, at("dir"), SFTP_READ | SFTP_WRITE, &f, &st,
	    &e) < 0 && S_ISDIR(st.mode) && says("open far:/"));
	put_file("there", "x", 1, 0600);
	OK(sftp_file_open(s, at("there"), SFTP_WRITE | SFTP_CREAT |
	    SFTP_EXCL, &f, NULL, &e) < 0 && f == NULL);
	OK(file_is("there", "x", 1));
	/* And it goes on. */
	OK(sftp_stat(s, at("there"), &st, &e) == 0 && st.size == 1);
	OK(sftp_remove(s, at("there"), &e) == 0 &&
	    access(at("there"), F_OK) == -1);
	OK(sftp_file_open(s, at("new"), SFTP_WRITE | SFTP_CREAT | SFTP_EXCL,
	    &f, &st, &e) == 0 && st.size == 0 && st.mode == (S_IFREG | 0600));
	OK(sftp_file_size(f, 12345, &e) == 0);
	sftp_file_close(f);
	OK(sftp_stat(s, at("new"), &st, &e) == 0 && st.size == 12345);
	OK(sftp_remove(s, at("new"), &e) == 0);
}

static void
what_is_refused_is_named(void)
{
	with_each(refuses);
}

static void
the_server_s_user_counts(void)
{
	struct sftp_file *f;
	struct sftp_stat  st;
	int		  kind;
	bool		  gap = false;

	if (geteuid() != 0) {
		tap_skip("only root can be someone else");
		return;
	}
	put_file("secret", "abc", 3, 0600);
	(void)mkdir(at("closed"), 0700);
	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind) || !case_begin(kind, NOBODY, 0))
			continue;
		OK(sftp_file_open(s, at("secret"), SFTP_READ, &f, &st,
		    &e) == -EACCES && f == NULL);
		OK(says("/secret: permission denied") && st.size == 3);
		OK(sftp_stat(s, at("closed/x"), &st, &e) == -EACCES);
		OK(sftp_remove(s, at("secret"), &e) == -EACCES);
		OK(sftp_rename(s, at("secret"), at("taken"), &gap,
		    &e) == -EACCES && !gap);
		OK(file_is("secret", "abc", 3));
		case_end();
	}
}

static void
a_full_disk_is_told(void)
{
	static uint8_t	  b[1 << 20];
	struct sftp_file *f;
	int		  kind, rc;

	if (!own_ns) {
		tap_skip("no mount namespace of its own");
		return;
	}
	(void)mkdir(at("disk"), 0755);
#ifdef __linux__
	OK(mount("none", at("disk"), "tmpfs", 0, "size=256k") == 0);
#endif
	for (kind = 0; kind < KINDS; kind++) {
		if (!host_has(kind) || !case_begin(kind, 0, 0))
			continue;
		OK(sftp_file_open(s, at("disk/f"), SFTP_WRITE | SFTP_CREAT,
		    &f, NULL, &e) == 0);
		OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
		rc = sftp_drain(s, &e);
		/* One of them says why, the other only that. */
		OK(rc == (kind == OPENSSH ? -EIO : -ENOSPC));
		OK(says("write far:/") && says("/disk/f: "));
		OK(sftp_drain(s, &e) == 0);
		OK(sftp_file_failed(f, &e) == rc && says("/disk/f: "));
		sftp_file_close(f);
		OK(sftp_remove(s, at("disk/f"), &e) == 0);
		case_end();
	}
	(void)umount(at("disk"));
}

static void
dies(void)
{
	static uint8_t	  b[1 << 20];
	struct sftp_file *f;
	struct sftp_stat  st;
	struct err	  first;

	OK(sftp_file_open(s, at("dies"), SFTP_READ | SFTP_WRITE | SFTP_CREAT |
	    SFTP_TRUNC, &f, NULL, &e) == 0);
	OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
	OK(sftp_drain(s, &e) == 0);
	OK(sftp_file_read(f, b, sizeof(b), 0, NULL, &e) == 0);
	OK(kill(host.pid, SIGKILL) == 0);
	OK(sftp_file_read(f, b, 100, 0, NULL, &e) == 0 || e.code != 0);
	OK(sftp_drain(s, &e) < 0 && says("far: the connection was closed"));
	first = e;
	/* And so it stays, without anybody waiting. */
	OK(sftp_drain(s, &e) == -first.code && strcmp(e.msg, first.msg) == 0);
	OK(sftp_file_write(f, b, 5, 0, &e) == -first.code);
	OK(sftp_file_sync(f, &e) < 0 || !sftp_can_fsync(s));
	OK(sftp_stat(s, at("dies"), &st, &e) == -first.code);
	sftp_file_close(f);
}

static void
a_server_that_dies_ends_the_session(void)
{
	with_each(dies);
}

/* A server that stands still takes no memory and no more than a second. */
static void
a_server_that_is_silent_is_not_waited_for(void)
{
	static uint8_t	  b[65536];
	struct sftp_file *f;
	size_t		  n = 0;

	if (!OK(host_start(&host, OPENSSH, 0, 0)))
		return;
	OK(sftp_open(&s, host.st, 1, &e) == 0);
	OK(sftp_file_open(s, at("silent"), SFTP_WRITE | SFTP_CREAT, &f, NULL,
	    &e) == 0);
	OK(kill(host.pid, SIGSTOP) == 0);
	while (n < 64u << 20 &&
	    sftp_file_write(f, b, sizeof(b), n, &e) == 0)
		n += sizeof(b);
	OK(n >= 1u << 20 && n <= 4u << 20);
	OK(e.code == ETIMEDOUT && says("far: no answer for 1 second"));
	OK(sftp_drain(s, &e) == -ETIMEDOUT);
	sftp_file_close(f);
	case_end();
}

static void
several_files_fail_each_for_itself(void)
{
	static uint8_t	  b[8192];
	struct sftp_file *f, *g;

	if (!case_begin(OPENSSH, 0, 65536))
		return;
	OK(sftp_file_open(s, at("f"), SFTP_WRITE | SFTP_CREAT | SFTP_TRUNC,
	    &f, NULL, &e) == 0);
	OK(sftp_file_open(s, at("g"), SFTP_WRITE | SFTP_CREAT | SFTP_TRUNC,
	    &g, NULL, &e) == 0);
	OK(sftp_file_write(f, b, sizeof(b), 65536, &e) == 0);
	OK(sftp_file_write(g, b, sizeof(b), 0, &e) == 0);
	OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
	OK(sftp_file_sync(f, &e) == 0);
	OK(sftp_drain(s, &e) == -EIO && says("/f: Failure"));
	OK(sftp_drain(s, &e) == 0);
	OK(sftp_file_failed(f, &e) == -EIO && says("write far:/"));
	OK(sftp_file_failed(g, &e) == 0);
	/* What is closed with answers due is freed with the last of them. */
	OK(sftp_file_write(f, b, sizeof(b), 0, &e) == 0);
	sftp_file_close(f);
	sftp_file_close(g);
	case_end();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "the end of a file is told", the_end_of_a_file_is_told },
		{ "what is refused is named, and the session goes on",
		    what_is_refused_is_named },
		{ "what the server's user may not, we may not",
		    the_server_s_user_counts },
		{ "a full disk is told", a_full_disk_is_told },
		{ "a server that dies ends the session",
		    a_server_that_dies_ends_the_session },
		{ "a server that is silent costs its time, and no memory",
		    a_server_that_is_silent_is_not_waited_for },
		{ "each file has failures of its own",
		    several_files_fail_each_for_itself },
	};

#ifdef __linux__
	own_ns = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
#endif
	return case_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
