/*
 * whole.c: a random test of the whole, tree, journal and store, against a
 * model so simple that it must be right: plain directories.
 *
 * Operations are done to the view and to the directory "run" alike; what
 * is persisted is the directory "head".  Whatever needs programs is asked
 * of the script that started this one: a line on descriptor 3, answered
 * by an exit code on descriptor 4.  sys-whole.sh knows the words.
 */
#include <sys/types.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "whole.h"

struct test {
	struct whole	 w;
	const char	*run;	/* what the running tree must be */
	const char	*head;	/* what the persisted one must be */
	const char	*out;	/* where "restored" builds a tree */
	FILE		*answers;
	unsigned long	 n;	/* operations so far */
	unsigned long	 commits, partial, kills, cuts, reverts, torn, wipes;
};

static __attribute__((noreturn, format(printf, 2, 3))) void
fail(const struct test *t, const char *fmt, ...)
{
	va_list	 ap;

	fprintf(stderr, "# after %lu operations: ", t->n);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

/* Ask the script; its exit code. */
static __attribute__((format(printf, 2, 3))) int
ask(struct test *t, const char *fmt, ...)
{
	char	 line[256], answer[32];
	va_list	 ap;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	line[n] = '\n';
	if (write(3, line, (size_t)n + 1) != n + 1 ||
	    fgets(answer, sizeof(answer), t->answers) == NULL)
		fail(t, "the script is gone");
	return atoi(answer);
}

/* Ask for what must succeed. */
static __attribute__((format(printf, 2, 3))) void
must(struct test *t, const char *fmt, ...)
{
	char	 line[256];
	va_list	 ap;
	int	 rc;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if ((rc = ask(t, "%s", line)) != 0)
		fail(t, "%s: exit code %d", line, rc);
}

static void
same(const struct test *t, const char *a, const char *b, const char *when)
{
	if (!whole_same(a, b, true))
		fail(t, "trees differ %s", when);
}

/* What would come back now, and whether status knows. */
static void
check_head(struct test *t, const char *when)
{
	int	 rc;

	must(t, "restored");
	same(t, t->head, t->out, when);
	rc = ask(t, "status");
	if (rc != !whole_same(t->run, t->head, false))
		fail(t, "status says %d %s", rc, when);
}

static unsigned
below(struct test *t, unsigned n)
{
	return (unsigned)((tap_rand(&t->w.rng) >> 33) % n);
}

static void
commit_all(struct test *t)
{
	must(t, "commit");
	must(t, "copy run head");
	t->commits++;
	check_head(t, "after a commit");
}

static void
commit_some(struct test *t)
{
	unsigned	 top = below(t, TOPS);

	if (t->w.cross)		/* then no part stands alone */
		return;
	must(t, "commit d%u", top);
	must(t, "copy run head d%u", top);
	t->partial++;
	check_head(t, "after a commit of a part");
}

static void
revert(struct test *t)
{
	unsigned	 top = below(t, TOPS);

	if (t->w.cross)
		return;
	whole_let_go();		/* what is reverted may be another inode */
	must(t, "revert d%u", top);
	must(t, "copy head run d%u", top);
	t->reverts++;
	same(t, t->run, t->w.view, "after a revert");
}

static void
kill_daemon(struct test *t)
{
	whole_let_go();
	must(t, "kill");
	t->kills++;
	same(t, t->run, t->w.view, "after the daemon was killed");
	check_head(t, "after the daemon was killed");
}

static void
cut_power(struct test *t)
{
	whole_let_go();
	must(t, "cut");
	must(t, "copy head run");
	t->cuts++;
	same(t, t->run, t->w.view, "after a power cut");
	check_head(t, "after a power cut");
}

/* The power fails while a commit is under way: all of it, or nothing. */
static void
tear_commit(struct test *t)
{
	whole_let_go();
	must(t, "torn 0.0%02u", below(t, 30));
	t->torn++;
	if (whole_same(t->run, t->w.view, false)) {
		must(t, "copy run head");
	} else {
		must(t, "copy head run");
		same(t, t->run, t->w.view, "after a power cut in a commit");
	}
	check_head(t, "after a power cut in a commit");
}

static void
wipe(struct test *t)
{
	unsigned	 a = below(t, TOPS), b = below(t, TOPS);

	if (a == b)
		return;
	must(t, "wipe d%u", a);
	if (below(t, 2) == 0)
		must(t, "double d%u d%u", b, a);
	t->wipes++;
}

static void
something(struct test *t)
{
	static const struct {
		void		(*fn)(struct test *);
		unsigned	 weight;
	} events[] = {
		{ commit_all, 40 }, { commit_some, 20 }, { revert, 6 },
		{ kill_daemon, 10 }, { cut_power, 8 }, { tear_commit, 6 },
		{ wipe, 10 }
	};
	unsigned	 k = below(t, 100);
	size_t		 i;

	for (i = 0; k >= events[i].weight; i++)
		k -= events[i].weight;
	events[i].fn(t);
}

int
main(int argc, char **argv)
{
	struct test	 t = { .n = 0 };
	unsigned long	 ops, every;

	if (argc != 7) {
		fprintf(stderr, "usage: whole VIEW RUN HEAD OUT OPS EVERY\n"
		    "VIEW may be \"\": operations on RUN alone\n");
		return 64;
	}
	t.w.view = argv[1][0] == '\0' ? NULL : argv[1];
	t.w.model = t.run = argv[2];
	t.head = argv[3];
	t.out = argv[4];
	ops = strtoul(argv[5], NULL, 10);
	every = strtoul(argv[6], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	t.w.rng = tap_seed(20261123);
	t.w.cross = (t.w.rng & 1) == 0;
	t.w.rng = t.w.rng * 2 + (t.w.view != NULL);
	if (t.w.view != NULL && (t.answers = fdopen(4, "r")) == NULL)
		return 2;

	for (; t.n < ops; t.n++) {
		if (!whole_op(&t.w, t.n))
			fail(&t, "the view differs from the model");
		if (t.w.view != NULL && below(&t, (unsigned)every) == 0)
			something(&t);
	}
	if (t.w.view != NULL) {
		same(&t, t.run, t.w.view, "at the end");
		commit_all(&t);
		cut_power(&t);
	}
	tap_diag("%lu operations, %lu of them succeeded; %lu commits, %lu of a "
	    "part, %lu reverts, %lu daemons killed, %lu power cuts, %lu in a "
	    "commit, %lu directories wiped", t.n, t.w.good, t.commits,
	    t.partial, t.reverts, t.kills, t.cuts, t.torn, t.wipes);
	return 0;
}
