/*
 * slice.c: the promises of sync/slice.h that need no slice, and a hand on
 * a window for sys-slice.sh:
 *
 *	slice.t hold r|w PATH	open (a writer writes a block and flushes
 *				it), say "open", wait for the end of standard
 *				input, close, say "window NS"
 *	slice.t create PATH	make a file of 64 KiB
 */
#include <sys/stat.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/slice.h"
#include "tap.h"

static char	 dir[64];

static void
a_file_on_a_usable_place_needs_no_window(void)
{
	struct slice	*s;
	struct io	*io;
	struct err	 e;
	uint64_t	 ns = 7;
	char		 p[96];
	uint8_t		 b[512] = { 1 };

	(void)snprintf(p, sizeof(p), "%s/store", dir);
	OK(slice_create(&s, p, 65536, &io, &e) == 0 && io->size == 65536);
	OK(io->ops->write(io, b, 512, 512, &e) == 0);
	OK(slice_close(s, NULL, &e) == 0);
	OK(slice_create(&s, p, 65536, &io, &e) == -EEXIST && s == NULL);
	OK(slice_open(&s, p, true, &io, &e) == 0);
	OK(io->size == 65536 && io->ops->write(io, b, 512, 0, &e) == 0);
	OK(slice_close(s, &ns, &e) == 0 && ns == 0);
	OK(slice_open(&s, p, false, &io, &e) == 0);
	OK(io->ops->write(io, b, 512, 0, &e) < 0);
	OK(slice_close(s, NULL, &e) == 0);
	OK(slice_close(NULL, &ns, &e) == 0);
}

static void
two_writers_at_once_are_one_too_many(void)
{
	struct slice	*s, *t;
	struct io	*io, *jo;
	struct err	 e;
	char		 p[96];

	(void)snprintf(p, sizeof(p), "%s/store", dir);
	OK(slice_open(&s, p, true, &io, &e) == 0);
	OK(slice_open(&t, p, true, &jo, &e) == -EBUSY && t == NULL);
	OK(strstr(e.msg, "in use by another writer") != NULL);
	OK(slice_open(&t, p, false, &jo, &e) == 0);
	OK(slice_close(t, NULL, &e) == 0);
	OK(slice_close(s, NULL, &e) == 0);
}

static void
what_is_not_there_is_named(void)
{
	static const char *const bad[] = { "/nowhere/at/all", "nowhere", "",
	    "/" };
	struct slice	*s;
	struct io	*io;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < 2 * sizeof(bad) / sizeof(bad[0]); i++) {
		OK(slice_open(&s, bad[i / 2], i % 2, &io, &e) < 0);
		OK(s == NULL && io == NULL && strstr(e.msg, bad[i / 2]));
	}
}

static int
fail(const struct err *e)
{
	fprintf(stderr, "slice: %s\n", e->msg);
	return 2;
}

static int
hold(bool write, const char *path)
{
	struct slice	*s;
	struct io	*io;
	struct err	 e;
	uint64_t	 ns;
	uint8_t		 b[4096];
	int		 rc = 0;

	/* A shell has its children in the background ignore these. */
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGQUIT, SIG_DFL);
	if (slice_open(&s, path, write, &io, &e) < 0)
		return fail(&e);
	memset(b, 'W', sizeof(b));
	if (write && ((rc = io->ops->write(io, b, sizeof(b), 0, &e)) < 0 ||
	    (rc = io->ops->flush(io, &e)) < 0))
		(void)fail(&e);
	printf("open\n");
	fflush(stdout);
	while (getchar() != EOF)
		;
	if (slice_close(s, &ns, &e) < 0)
		return fail(&e);
	printf("window %llu\n", (unsigned long long)ns);
	return rc < 0 ? 2 : 0;
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "a file on a usable place needs no window",
		    a_file_on_a_usable_place_needs_no_window },
		{ "two writers at once are one too many",
		    two_writers_at_once_are_one_too_many },
		{ "what is not there is named", what_is_not_there_is_named },
	};
	struct slice	*s;
	struct io	*io;
	struct err	 e;
	char		 rm[128];
	int		 rc;

	if (argc == 4 && strcmp(argv[1], "hold") == 0)
		return hold(*argv[2] == 'w', argv[3]);
	if (argc == 3 && strcmp(argv[1], "create") == 0)
		return slice_create(&s, argv[2], 65536, &io, &e) < 0 ||
		    slice_close(s, NULL, &e) < 0 ? fail(&e) : 0;
	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-slice.XXXXXX");
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
