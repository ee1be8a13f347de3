/*
 * opsbench.c: what one operation of a file system costs, in several
 * directories, interleaved: every round runs each operation once in each
 * directory, straight after one another, and the ratio of a directory to
 * the first one is taken inside a round; so slow drift cancels out.
 *
 *	opsbench [-r rounds] [-t ms] NAME=DIR ...
 *
 * gives lines "operation,name,median_ns,ratio": ratio is the median over
 * rounds, "-" where the operation failed.  Whoever compares daemons
 * starts them and this on one CPU (taskset -c 1, cpuset -l 1).  Writes
 * below DIR/opsbench.*.  Exit code 1 where an operation failed.
 */
#include <sys/types.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "opsbench.h"

#define MAXOPS		64
#define MAXDIRS		16
#define MAXROUNDS	100

struct cell {			/* one operation in one directory */
	double	 ns[MAXROUNDS];
	long	 n;		/* iterations a round */
	bool	 bad;
};

static struct target	 dirs[MAXDIRS];
static int		 ndirs;
static struct cell	 cells[MAXOPS][MAXDIRS];

static void
die(const char *what, const char *arg)
{
	fprintf(stderr, "opsbench: %s %s: %s\n", what, arg, strerror(errno));
	exit(2);
}

static char *fmt(const char *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

/* DIR/..., a new string. */
static char *
fmt(const char *dir, const char *f, ...)
{
	char	*s;
	size_t	 n = strlen(dir);
	va_list	 ap;

	if (n > PATH_MAX - 320 || (s = malloc(n + 256)) == NULL)
		die("name", dir);
	memcpy(s, dir, n);
	s[n] = '/';
	va_start(ap, f);
	vsnprintf(s + n + 1, 255, f, ap);
	va_end(ap);
	return s;
}

static void
make_dir(const char *p)
{
	if (mkdir(p, 0755) == -1 && errno != EEXIST)
		die("mkdir", p);
}

static void
make_file(const char *p, size_t len)
{
	if (bench_put(p, O_CREAT | O_WRONLY | O_TRUNC, len, 0) == -1)
		die("write", p);
}

static void
setup(struct target *t)
{
	char	*p;
	int	 i;

	snprintf(t->tree, sizeof(t->tree), "%s/opsbench.tree", t->dir);
	snprintf(t->work, sizeof(t->work), "%s/opsbench.work", t->dir);
	snprintf(t->fdir, sizeof(t->fdir), "%s/opsbench.tree/f", t->dir);
	snprintf(t->link, sizeof(t->link), "%s/opsbench.tree/ln", t->dir);
	make_dir(t->tree);
	make_dir(t->work);
	make_dir(t->fdir);
	for (i = 0; i < BENCH_FILES; i++) {
		t->fpath[i] = fmt(t->fdir, "service-%03d.conf", i);
		make_file(t->fpath[i], BENCH_SIZE);
	}
	for (i = 0; i < BENCH_TARGETS; i++) {
		t->mpath[i] = fmt(t->fdir, "missing-%03d.conf", i);
		t->wpath[i] = fmt(t->work, "target-%03d.conf", i);
		make_file(t->wpath[i], BENCH_SIZE);
	}
	p = t->tree;
	for (i = 0; i < 6; i++) {
		p = fmt(p, "%c", 'a' + i);
		make_dir(p);
	}
	snprintf(t->deep, sizeof(t->deep), "%s/leaf", p);
	make_file(t->deep, 10);
	if (symlink("f/service-000.conf", t->link) == -1 && errno != EEXIST)
		die("symlink", t->link);
	if ((t->fd_r = open(t->fpath[0], O_RDONLY)) == -1)
		die("open", t->fpath[0]);
	p = fmt(t->work, "open.conf");
	make_file(p, BENCH_SIZE);
	if ((t->fd_w = open(p, O_RDWR)) == -1)
		die("open", p);
}

/* One measurement: ns an iteration, or -1. */
static double
measure(const struct bench_op *o, struct target *t, long n)
{
	uint64_t	 a, b;
	int		 rc;
	long		 i;

	for (i = 0; o->kind != MANY && i < n && i < BENCH_BATCH; i++)
		snprintf(bench_new[i], PATH_MAX, "%s/new.%ld", t->work, i);
	bench_own_ns = 0;
	a = bench_now();
	rc = o->fn(t, n);
	b = bench_now();
	if (rc != 0) {
		fprintf(stderr, "opsbench: %s on %s: %s\n", o->name, t->name,
		    strerror(errno));
		return -1;
	}
	if (bench_own_ns != 0)
		return (double)bench_own_ns / (double)(n < 200 ? 200 : n);
	return (double)(b - a) / (double)n;
}

/* How many iterations fill the time of one measurement. */
static void
calibrate(int o, int d, double ms)
{
	const struct bench_op *op = &bench_ops[o];
	struct cell	*c = &cells[o][d];
	double		 v;

	if (op->kind == FOLLOWS) {
		c->n = cells[o - 1][d].n;
		return;
	}
	for (c->n = 4; c->n < 50000000; c->n *= 4) {
		v = measure(op, &dirs[d], c->n);
		if (bench_ops[o + 1].name != NULL &&
		    bench_ops[o + 1].kind == FOLLOWS)
			(void)measure(&bench_ops[o + 1], &dirs[d], c->n);
		if (v < 0) {
			c->bad = true;
			return;
		}
		if (v * (double)c->n >= ms * 1e6 / 4) {
			c->n = (long)(ms * 1e6 / v) + 1;
			break;
		}
		if (op->kind == BATCH && c->n * 4 > BENCH_BATCH)
			break;
	}
	if (op->kind == BATCH && c->n > BENCH_BATCH)
		c->n = BENCH_BATCH;
}

static void
round_of(int r)
{
	int	 o, k, d;
	bool	 pair;

	for (o = 0; bench_ops[o].name != NULL; o++) {
		if (bench_ops[o].kind == FOLLOWS)
			continue;
		pair = bench_ops[o + 1].name != NULL &&
		    bench_ops[o + 1].kind == FOLLOWS;
		for (k = 0; k < ndirs; k++) {
			d = (k + r) % ndirs;	/* take turns at going first */
			if (cells[o][d].bad)
				continue;
			cells[o][d].ns[r] = measure(&bench_ops[o], &dirs[d],
			    cells[o][d].n);
			cells[o][d].bad = cells[o][d].ns[r] < 0;
			if (!pair)
				continue;
			cells[o + 1][d].ns[r] = measure(&bench_ops[o + 1],
			    &dirs[d], cells[o][d].n);
			cells[o + 1][d].bad = cells[o + 1][d].ns[r] < 0;
		}
	}
}

static int
by_value(const void *a, const void *b)
{
	double	 x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double
median(const double *v, int n)
{
	double	 s[MAXROUNDS];

	memcpy(s, v, (size_t)n * sizeof(*s));
	qsort(s, (size_t)n, sizeof(*s), by_value);
	return n % 2 != 0 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

static int
report(int rounds)
{
	double	 ratio[MAXROUNDS];
	int	 o, d, r, rc = 0;

	for (o = 0; bench_ops[o].name != NULL; o++)
		for (d = 0; d < ndirs; d++) {
			printf("%s,%s,", bench_ops[o].name, dirs[d].name);
			if (cells[o][d].bad || cells[o][0].bad) {
				printf("-,-\n");
				rc = 1;
				continue;
			}
			for (r = 0; r < rounds; r++)
				ratio[r] = cells[o][d].ns[r] /
				    cells[o][0].ns[r];
			printf("%.0f,%.3f\n", median(cells[o][d].ns, rounds),
			    median(ratio, rounds));
		}
	return rc;
}

int
main(int argc, char **argv)
{
	double	 ms = 10;
	int	 rounds = 15, c, i, o, r;
	char	*eq;

	while ((c = getopt(argc, argv, "r:t:")) != -1)
		switch (c) {
		case 'r':
			rounds = atoi(optarg);
			break;
		case 't':
			ms = atof(optarg);
			break;
		default:
			rounds = 0;
		}
	if (rounds < 1 || rounds > MAXROUNDS || optind == argc ||
	    argc - optind > MAXDIRS) {
		fprintf(stderr, "usage: opsbench [-r rounds] [-t ms] NAME=DIR"
		    " ...\n");
		return 64;
	}
	memset(bench_data, 'x', sizeof(bench_data));
	for (i = 63; i < BENCH_SIZE; i += 64)
		bench_data[i] = '\n';
	for (i = 0; i < BENCH_BATCH; i++)
		if ((bench_new[i] = malloc(PATH_MAX)) == NULL)
			die("malloc", "names");
	for (; optind < argc; optind++) {
		dirs[ndirs].name = dirs[ndirs].dir = argv[optind];
		if ((eq = strchr(argv[optind], '=')) != NULL) {
			*eq = '\0';
			dirs[ndirs].dir = eq + 1;
		}
		setup(&dirs[ndirs++]);
	}
	for (o = 0; bench_ops[o].name != NULL; o++)
		for (i = 0; i < ndirs; i++)
			calibrate(o, i, ms);
	for (r = 0; r < rounds; r++)
		round_of(r);
	return report(rounds);
}
