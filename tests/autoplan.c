/*
 * autoplan.c: what is committed by itself, and when, by what the journal
 * says and the time alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../tools/auto.h"
#include "../tools/dur.h"
#include "../tools/wear.h"
#include "tap.h"

#define WALL	(INT64_C(1700000000) * SECOND)
#define START	(1000 * SECOND)		/* uptime when a test begins */

static char	root[] = "/tmp/cfgfs-autoplan.XXXXXX";

/* The journal of a test: who changed what, when, how often. */
struct line {
	const char	*path;
	const char	*comm;
	int		 at;		/* s, the first change */
	uint32_t	 count;
};

static struct conf	 conf;
static struct plan	 plan;

static void
begin(const char *text)
{
	char		 file[128];
	struct err	 e;
	FILE		*f;

	(void)snprintf(file, sizeof(file), "%s/cfgfs/config", root);
	f = fopen(file, "w");
	OK(f != NULL && fputs(text, f) != EOF && fclose(f) == 0);
	if (!OK(conf_read(&conf, root, &e) == 0))
		tap_diag("%s", e.msg);
	memset(&plan, 0, sizeof(plan));
}

static void
end(void)
{
	plan_end(&plan);
	conf_free(&conf);
}

/* The journal says this at second t. */
static void
see_some(int t, const struct line *l, size_t n)
{
	struct fold	 f = { NULL, 0, 0, false };
	size_t		 i;

	for (i = 0; i < n; i++) {
		size_t	 len = strlen(l[i].path);
		bool	 tree = len > 0 && l[i].path[len - 1] == '/';
		char	*p = strndup(l[i].path, tree ? len - 1 : len);

		OK(fold_add(&f, p, tree) == 0);
		free(p);
		f.v[f.n - 1].who = calloc(1, sizeof(struct who));
		f.v[f.n - 1].nwho = 1;
		f.v[f.n - 1].who->count = l[i].count;
		f.v[f.n - 1].who->time = WALL + l[i].at * SECOND;
		(void)snprintf(f.v[f.n - 1].who->comm, JRN_COMM, "%s",
		    l[i].comm);
	}
	OK(fold_sort(&f) == 0);
	OK(plan_see(&plan, &f, NULL, START + t * SECOND,
	    WALL + t * SECOND) == 0);
	fold_free(&f);
}
#define SEE(t, ...) see_some(t, (const struct line[]){ __VA_ARGS__ }, \
    sizeof((const struct line[]){ __VA_ARGS__ }) / sizeof(struct line))

/* At second t these are taken, and in `wake` seconds (-1: never) is more. */
static void
check(int t, const char *want, int wake, int linenr)
{
	struct buf	 b = BUF_INIT;
	int64_t		 w = plan_decide(&plan, &conf.autos, START +
			    t * SECOND);
	size_t		 i;

	for (i = 0; i < plan.n; i++)
		if (plan.v[i].take)
			put_fmt(&b, "%s ", plan.v[i].path);
	put_u8(&b, '\0');
	if (!OK(strcmp((char *)b.p, want) == 0))
		tap_diag("line %d: \"%s\", not \"%s\"", linenr, (char *)b.p,
		    want);
	if (!OK(wake < 0 ? w == PLAN_NEVER : w == START + wake * SECOND))
		tap_diag("line %d: wakes at %lld s, not %d", linenr,
		    w == PLAN_NEVER ? -1 : (long long)((w - START) / SECOND),
		    wake);
	buf_free(&b);
}
#define CHECK(t, want, wake) check(t, want, wake, __LINE__)

static void
quiet_counts_from_the_last_change(void)
{
	begin("autocommit a quiet 10s\nautocommit b quiet 20s\n");
	SEE(1, { "a", "vi", 1, 1 }, { "c", "cp", 1, 1 });
	CHECK(1, "", 11);
	SEE(5, { "a", "vi", 1, 2 }, { "c", "cp", 1, 1 });
	CHECK(5, "", 15);
	SEE(14, { "a", "vi", 1, 2 }, { "c", "cp", 1, 1 });
	CHECK(14, "", 15);
	CHECK(15, "a ", -1);
	end();
	/* Two classes, two programs: each in its time. */
	begin("autocommit a quiet 10s\nautocommit b quiet 20s\n");
	SEE(1, { "a", "vi", 1, 1 }, { "b", "ed", 1, 1 });
	CHECK(11, "a ", 21);
	CHECK(21, "a b ", -1);
	end();
}

static void
at_most_is_a_limit_under_constant_change(void)
{
	int	 t;

	begin("autocommit a quiet 10s at-most 40s\n");
	for (t = 0; t < 39; t++)
		SEE(t, { "a", "dhcpd", 0, (uint32_t)t + 1 });
	/* Towards the end, 2 s of rest would do. */
	CHECK(38, "", 40);
	SEE(39, { "a", "dhcpd", 0, 39 });
	CHECK(39, "", 40);
	CHECK(40, "a ", -1);
	end();
	begin("autocommit a quiet 10s at-most 40s\n");
	for (t = 0; t <= 31; t++)
		SEE(t, { "a", "dhcpd", 0, (uint32_t)t + 1 });
	CHECK(32, "", 33);
	CHECK(33, "a ", -1);
	end();
}

static void
what_no_line_covers_or_never_stays(void)
{
	begin("autocommit * quiet 10s\nautocommit leases never\n"
	    "autocommit keys/ on-shutdown\n");
	SEE(0, { "leases", "dhcpd", 0, 1 }, { "keys/k", "vi", 0, 1 });
	CHECK(1000, "", -1);
	end();
	begin("autocommit a quiet 10s\n");
	SEE(0, { "b", "vi", 0, 1 });
	CHECK(1000, "", -1);
	end();
}

static void
one_run_is_never_split(void)
{
	/* The other class, and at a shutdown only, go along; what no line
	 * covers and never do not. */
	begin("autocommit master.passwd quiet 10s\n"
	    "autocommit passwd quiet 1h\nautocommit pwd.db on-shutdown\n"
	    "autocommit spwd.db never\n");
	SEE(0, { "master.passwd", "passwd", 0, 1 });
	SEE(3, { "master.passwd", "passwd", 0, 1 },
	    { "passwd", "passwd", 2, 1 }, { "pwd.db", "passwd", 2, 1 },
	    { "spwd.db", "passwd", 2, 1 }, { "group", "passwd", 2, 1 });
	CHECK(11, "", 12);
	CHECK(12, "master.passwd passwd pwd.db ", -1);
	end();
	/* Another run of the same program is another thing. */
	begin("autocommit a quiet 10s\nautocommit b quiet 1h\n");
	SEE(0, { "b", "vi", 0, 1 });
	SEE(100, { "b", "vi", 0, 1 }, { "a", "vi", 100, 1 });
	CHECK(110, "a ", 3700);
	end();
	/* From one to the other, by a third. */
	begin("autocommit a quiet 10s\nautocommit b quiet 1h\n"
	    "autocommit c quiet 1h\n");
	SEE(0, { "a", "x", 0, 1 }, { "b", "x", 0, 1 }, { "c", "y", 0, 1 });
	CHECK(10, "a b ", 3600);
	end();
	/* Two programs at the same time are two runs. */
	begin("autocommit a quiet 10s\nautocommit b quiet 1h\n");
	SEE(0, { "a", "x", 0, 1 }, { "b", "y", 0, 1 });
	CHECK(10, "a ", 3600);
	end();
	/* A change elsewhere by the same program prolongs it. */
	begin("autocommit a quiet 10s\n");
	SEE(0, { "a", "x", 0, 1 });
	SEE(8, { "a", "x", 0, 1 }, { "z", "x", 8, 1 });
	CHECK(10, "", 18);
	CHECK(18, "a ", -1);
	end();
	/* But not one that never counts. */
	begin("autocommit a quiet 10s\nautocommit z never\n");
	SEE(0, { "a", "x", 0, 1 });
	SEE(8, { "a", "x", 0, 1 }, { "z", "x", 8, 1 });
	CHECK(10, "a ", -1);
	end();
}

static void
what_was_refused_waits_for_a_change(void)
{
	struct plan_path	*q;

	begin("autocommit a quiet 10s\n");
	SEE(0, { "a", "vi", 0, 1 });
	CHECK(10, "a ", -1);
	q = plan_find(&plan, "a");
	q->tried = q->mark;
	q->again = START + 600 * SECOND;
	SEE(11, { "a", "vi", 0, 1 });
	CHECK(11, "", 600);
	CHECK(600, "a ", -1);
	SEE(20, { "a", "vi", 0, 2 });
	CHECK(20, "", 30);
	CHECK(30, "a ", -1);
	end();
}

static void
the_budget_holds_all_of_it_back(void)
{
	static const struct wear_line v[] = {
		{ WALL - 80000 * SECOND, 600, 0 },
		{ WALL - 3600 * SECOND, 300, 0 }, { WALL, 200, 0 },
	};
	struct wear_lines l = { (struct wear_line *)(uintptr_t)v, 3, 3 };

	begin("autocommit a quiet 10s at-most 20s\n");
	SEE(0, { "a", "vi", 0, 1 });
	plan.wait = START + 500 * SECOND;
	CHECK(499, "", 500);
	CHECK(500, "a ", -1);
	end();
	OK(wear_until(&l, 0, WALL) == 0);
	OK(wear_until(&l, 1101, WALL) == 0);
	OK(wear_until(&l, 1100, WALL) == 6400 * SECOND);
	OK(wear_until(&l, 501, WALL) == 6400 * SECOND);
	OK(wear_until(&l, 500, WALL) == 82800 * SECOND);
	OK(wear_until(&l, 200, WALL) == 86400 * SECOND);
}

static void
churn_is_counted_by_the_hour(void)
{
	const struct plan_churn	*c;

	begin("autocommit a quiet 10s\nchurn 20/1h hold\n");
	SEE(0, { "a", "dhcpd", 0, 19 });
	c = plan_churn(&plan, "a");
	OK(c != NULL && plan_rate(c, START) == 19 &&
	    !plan_churns(c, &conf.autos, START));
	CHECK(10, "a ", -1);
	SEE(20, { "a", "dhcpd", 0, 20 });
	OK(plan_churns(plan_churn(&plan, "a"), &conf.autos,
	    START + 20 * SECOND));
	CHECK(1000, "", -1);
	/* It stays pending when it rests, and is committed then. */
	SEE(5000, { "a", "dhcpd", 0, 20 });
	CHECK(5000, "a ", -1);
	end();
	/* An old record with a large count is no churn. */
	begin("autocommit a quiet 10s\nchurn 20/1h\n");
	SEE(0, { "a", "cron", -900, 100 });
	OK(plan_churns(plan_churn(&plan, "a"), &conf.autos, START));
	plan_end(&plan);
	see_some(36000, (const struct line[]){ { "a", "cron", 0, 100 } }, 1);
	OK(!plan_churns(plan_churn(&plan, "a"), &conf.autos,
	    START + 36000 * SECOND));
	/* Without hold it is only named. */
	CHECK(37000, "a ", -1);
	end();
	/* Back and forth. */
	begin("autocommit a quiet 10s\nchurn hold\n");
	SEE(0, { "a", "x", 0, 1 });
	plan_equal(&plan, plan_find(&plan, "a"), START);
	CHECK(10, "", -1);
	SEE(20, { "a", "x", 0, 2 });
	plan_equal(&plan, plan_find(&plan, "a"), START);
	SEE(40, { "a", "x", 0, 3 });
	CHECK(50, "a ", -1);
	plan_equal(&plan, plan_find(&plan, "a"), START);
	SEE(60, { "a", "x", 0, 4 });
	CHECK(100, "", -1);
	end();
}

static void
a_subtree_is_looked_into_when_the_first_may_be_due(void)
{
	begin("autocommit d/a quiet 10s\nautocommit d/b quiet 20s\n");
	SEE(0, { "d/", "mv", 0, 1 });
	CHECK(9, "", 10);
	CHECK(10, "d ", -1);
	OK(plan_adopt(&plan, plan_find(&plan, "d"), "d/a") == 0);
	OK(plan_adopt(&plan, plan_find(&plan, "d"), "d/b") == 0);
	OK(plan_adopt(&plan, plan_find(&plan, "d"), "d/c") == 0);
	plan_find(&plan, "d")->tried = plan_find(&plan, "d")->mark;
	/* One program did it: it goes as one. */
	CHECK(10, "d d/a d/b ", -1);
	SEE(11, { "d/", "mv", 0, 1 });
	OK(plan.n == 4);
	SEE(12, { "d/x", "mv", 0, 1 });
	OK(plan.n == 1);
	end();
}

static void
the_plan_outlives_the_process(void)
{
	struct plan	 was;
	struct err	 e;
	struct stat	 st;
	char		 dir[128];
	off_t		 len;

	(void)snprintf(dir, sizeof(dir), "%s/auto", root);
	(void)mkdir(dir, 0755);
	begin("autocommit a quiet 10s at-most 30s\n");
	SEE(0, { "a", "vi", 0, 1 }, { "b c\n", "x y", 0, 3 });
	plan.failed = strdup("why\nnot");
	OK(autostate_save(&plan, root, &e) == 0);
	was = plan;
	OK(autostate_load(&plan, root, &e) == 0);
	OK(plan.n == 2 && plan.nchurn == 2 && plan.looked == was.looked);
	OK(strcmp(plan.failed, "why\nnot") == 0);
	OK(strcmp(plan.v[1].path, "b c\n") == 0);
	SEE(9, { "a", "vi", 0, 1 });
	CHECK(9, "", 10);
	CHECK(10, "a ", -1);
	end();
	/* What is damaged is nothing, at whatever byte it ends. */
	(void)snprintf(dir, sizeof(dir), "%s/auto/state", root);
	for (len = 0; len < 600 && stat(dir, &st) == 0; len++) {
		OK(autostate_save(&was, root, &e) == 0);
		if (stat(dir, &st) == -1 || len >= st.st_size)
			break;
		OK(truncate(dir, len) == 0);
		OK(autostate_load(&plan, root, &e) == 0 && plan.n == 0);
	}
	OK(len > 100 && len == st.st_size);
	plan_end(&was);
	(void)unlink(dir);
	OK(autostate_load(&plan, root, &e) == 0 && plan.n == 0);
	(void)snprintf(dir, sizeof(dir), "%s/auto", root);
	(void)rmdir(dir);
}

static const struct tap_case cases[] = {
	{ "quiet counts from the last change",
	    quiet_counts_from_the_last_change },
	{ "at-most is a limit under constant change",
	    at_most_is_a_limit_under_constant_change },
	{ "what no line covers, or never, stays",
	    what_no_line_covers_or_never_stays },
	{ "one run is never split", one_run_is_never_split },
	{ "what was refused waits for a change",
	    what_was_refused_waits_for_a_change },
	{ "the budget holds all of it back",
	    the_budget_holds_all_of_it_back },
	{ "churn is counted by the hour", churn_is_counted_by_the_hour },
	{ "a subtree is looked into when the first may be due",
	    a_subtree_is_looked_into_when_the_first_may_be_due },
	{ "the plan outlives the process", the_plan_outlives_the_process },
};

int
main(int argc, char **argv)
{
	char	 dir[64], file[128];
	int	 rc;

	if (mkdtemp(root) == NULL)
		return 2;
	(void)snprintf(dir, sizeof(dir), "%s/cfgfs", root);
	(void)snprintf(file, sizeof(file), "%s/config", dir);
	if (mkdir(dir, 0755) == -1)
		return 2;
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	(void)unlink(file);
	(void)rmdir(dir);
	(void)rmdir(root);
	return rc;
}
