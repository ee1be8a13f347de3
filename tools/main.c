/*
 * main.c: cfg's options, and the way to the verb.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfg.h"

enum when { AUTO, ALWAYS, NEVER };

static void
help(FILE *f)
{
	const struct cmd	*m;

	(void)fprintf(f, "usage: cfg [-m mount] [-s store] [--json] "
	    "[--color[=auto|always|never]]\n"
	    "           verb [argument ...]\n"
	    "       cfg -h | --help | -V | --version\n\n");
	for (m = cfg_cmds; m->name != NULL; m++)
		(void)fprintf(f, "  cfg %s %s\n\t%s\n", m->name, m->usage,
		    m->what);
}

static int
color_when(const char *arg, enum when *w)
{
	if (arg == NULL || strcmp(arg, "always") == 0)
		*w = ALWAYS;
	else if (strcmp(arg, "auto") == 0)
		*w = AUTO;
	else if (strcmp(arg, "never") == 0)
		*w = NEVER;
	else
		return -1;
	return 0;
}

static bool
color_now(enum when w)
{
	const char	*no = getenv("NO_COLOR"), *term = getenv("TERM");

	if (w != AUTO)
		return w == ALWAYS;
	return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
}

/*
 * The options that every verb has may follow it: take them out of argv.
 * 1 where help is asked for, -1 on a bad one.
 */
static int
common(struct cfg *c, int *argc, char **argv, enum when *w)
{
	int	 i, n = 1;

	for (i = 1; i < *argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return 1;
		if (strcmp(argv[i], "--json") == 0)
			c->json = true;
		else if (strcmp(argv[i], "--color") == 0)
			*w = ALWAYS;
		else if (strncmp(argv[i], "--color=", 8) == 0) {
			if (color_when(argv[i] + 8, w) == -1)
				return -1;
		} else
			argv[n++] = argv[i];
	}
	while (i < *argc)
		argv[n++] = argv[i++];
	argv[n] = NULL;
	*argc = n;
	return 0;
}

static int
verb(struct cfg *c, int argc, char **argv, enum when w)
{
	const struct cmd	*m;
	int			 k, rc;

	for (m = cfg_cmds; m->name != NULL; m++)
		if (strcmp(m->name, argv[0]) == 0)
			break;
	if (m->name == NULL) {
		(void)fprintf(stderr,
		    "cfg: no such verb; cfg --help lists them\n");
		return EX_MISUSE;
	}
	c->verb = m->name;
	if ((k = common(c, &argc, argv, &w)) == -1)
		return cfg_usage(c);
	if (k == 1) {
		(void)printf("usage: cfg %s %s\n       %s\n", m->name,
		    m->usage, m->what);
		return EX_OK;
	}
	c->color = color_now(w);
	optind = 1;
	opterr = 0;		/* the verb's usage is what gets printed */
#ifdef __FreeBSD__
	optreset = 1;
#else
	optind = 0;		/* so glibc begins anew */
#endif
	rc = m->fn(c, argc, argv);
	inst_free(&c->inst);
	return rc;
}

/* The arguments as they are now: verbs move and cut theirs. */
static char **
copy(int argc, char **argv)
{
	char	**p = calloc((size_t)argc + 1, sizeof(*p));
	int	  i;

	for (i = 0; p != NULL && i < argc; i++)
		if ((p[i] = strdup(argv[i])) == NULL)
			p = NULL;
	return p == NULL ? argv : p;
}

/* What is printed counts only when it was written. */
static int
finish(const struct cfg *c, int rc)
{
	int	 bad = ferror(stdout);

	if (fflush(stdout) == EOF || bad) {
		if (errno != EPIPE)
			(void)cfg_failx(c, "write standard output: %s",
			    strerror(errno));
		return EX_FAIL;
	}
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "color", optional_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'J' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	struct cfg	 c = { .mountpt = "/etc", .argv = copy(argc, argv) };
	enum when	 w = AUTO;
	int		 ch, fd;

	/* A store must never become standard output.  At boot there may be no
	 * /dev, but who speaks. */
	do
		if ((fd = open("/dev/null", O_RDWR)) == -1 &&
		    (fd = dup(STDERR_FILENO)) == -1)
			return EX_FAIL;
	while (fd <= STDERR_FILENO);
	(void)close(fd);
	while ((ch = getopt_long(argc, argv, "+hm:s:V", lo, NULL)) != -1)
		switch (ch) {
		case 'C':
			if (color_when(optarg, &w) == -1)
				goto usage;
			break;
		case 'h':
			help(stdout);
			return finish(&c, EX_OK);
		case 'J':
			c.json = true;
			break;
		case 'm':
			c.mountpt = optarg;
			break;
		case 's':
			c.storepath = optarg;
			break;
		case 'V':
			(void)printf("cfg %s\n", CFG_VERSION);
			return finish(&c, EX_OK);
		default:
			goto usage;
		}
	if (optind == argc)
		goto usage;
	return finish(&c, verb(&c, argc - optind, argv + optind, w));
usage:
	help(stderr);
	return EX_MISUSE;
}
