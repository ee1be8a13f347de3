/*
 * opts.c: the command line of cfgfs, by hand or as mount(8) calls it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "start.h"
#include "sys.h"

#define VERSION "0.1"

static const char usage_line[] =
    "usage: cfgfs [-dfhV] [-o option[,option ...]] [store] mountpoint\n";

static const struct {
	const char	*name;
	size_t		 off;	/* of the string in struct opts */
	const char	*what;
} values[] = {
	{ "store", offsetof(struct opts, store),
	    "where changes are kept: a device or a file" },
	{ "base", offsetof(struct opts, base),
	    "the directory as the image has it (default: the mount point)" },
	{ "tree", offsetof(struct opts, tree),
	    "the running tree, on a RAM disk (default: built)" },
	{ "state", offsetof(struct opts, state),
	    "the state directory" },
	{ "cfg", offsetof(struct opts, cfg),
	    "the program cfg(8)" },
};

static const struct {
	const char	*name;
	unsigned	 flag;	/* 0: means nothing here */
} words[] = {
	{ "nosuid", SYS_NOSUID },
	{ "nodev", SYS_NODEV },
	{ "noexec", SYS_NOEXEC },
	{ "noatime", SYS_NOATIME },
	/* What fstab(5) has for others, or for mount(8). */
	{ "rw", 0 }, { "defaults", 0 }, { "auto", 0 }, { "noauto", 0 },
	{ "nofail", 0 }, { "_netdev", 0 }, { "late", 0 }, { "failok", 0 },
	{ "suid", 0 }, { "dev", 0 }, { "exec", 0 }, { "relatime", 0 },
	/* What any FUSE file system may be given; here it is so anyway. */
	{ "allow_other", 0 }, { "default_permissions", 0 },
};

static void
help(void)
{
	size_t	 i;

	printf("%s\n", usage_line);
	printf("    -d   debug: stay in the foreground, tell each request\n"
	    "    -f   stay in the foreground\n"
	    "    -h, --help   this help\n"
	    "    -V, --version   the version\n");
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		printf("    -o %s=...%*s%s\n", values[i].name,
		    (int)(8 - strlen(values[i].name)), "", values[i].what);
	printf("    -o history        show what was committed, below .cfg\n");
	printf("    -o nosuid, nodev, noexec, noatime: as for mount(8)\n");
}

static int
misuse(const char *what, const char *which)
{
	fprintf(stderr, "cfgfs: %s: %s\n%s", which, what, usage_line);
	return EX_MISUSE;
}

static int
set(char **s, const char *value)
{
	free(*s);
	if ((*s = strdup(value)) != NULL)
		return -1;
	fprintf(stderr, "cfgfs: out of memory\n");
	return EX_FAIL;
}

static int
one(struct opts *o, const char *opt)
{
	size_t	 i, n;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		n = strlen(values[i].name);
		if (strncmp(opt, values[i].name, n) == 0 && opt[n] == '=') {
			if (opt[n + 1] == '\0')
				return misuse("needs a value", opt);
			return set((char **)((char *)o + values[i].off),
			    opt + n + 1);
		}
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(opt, words[i].name) == 0) {
			o->flags |= words[i].flag;
			return -1;
		}
	if (strcmp(opt, "history") == 0) {
		o->history = true;
		return -1;
	}
	if (strcmp(opt, "debug") == 0) {
		o->debug = o->foreground = true;
		return -1;
	}
	if (strncmp(opt, "x-", 2) == 0 || *opt == '\0')
		return -1;	/* a comment, by fstab(5) */
	return misuse("unknown option", opt);
}

/* A list: commas part, "\," is a comma and "\\" a backslash in one. */
static int
list(struct opts *o, const char *s)
{
	char	*opt, *q;
	int	 rc = -1;

	if ((opt = malloc(strlen(s) + 1)) == NULL)
		return EX_FAIL;
	while (rc == -1) {
		for (q = opt; *s != '\0' && *s != ','; s++) {
			if (*s == '\\' && (s[1] == ',' || s[1] == '\\'))
				s++;
			*q++ = *s;
		}
		*q = '\0';
		rc = one(o, opt);
		if (*s++ == '\0')
			break;
	}
	free(opt);
	return rc;
}

static int
option(struct opts *o, int c, char **argv)
{
	switch (c) {
	case 'd':
		o->debug = true;
		/* FALLTHROUGH */
	case 'f':
		o->foreground = true;
		return -1;
	case 'h':
		help();
		return EX_OK;
	case 'V':
		printf("cfgfs %s\n", VERSION);
		return EX_OK;
	case 'o':
		return list(o, optarg);
	case 's':
	case 'n':
	case 'v':
		return -1;	/* mount(8) may pass these to its helpers */
	default:
		(void)argv;
		fputs(usage_line, stderr);
		return EX_MISUSE;
	}
}

int
opts_parse(struct opts *o, int argc, char **argv)
{
	char	*arg[2];
	int	 c, n = 0, rc = -1;

	memset(o, 0, sizeof(*o));
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return option(o, 'h', argv);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return option(o, 'V', argv);
	/* Options may follow arguments, as mount(8) writes it. */
	while (rc == -1 && optind < argc) {
		if ((c = getopt(argc, argv, "+dfhVno:sv")) != -1)
			rc = option(o, c, argv);
		else if (optind < argc && n == 2)
			rc = misuse("too many arguments", argv[optind]);
		else if (optind < argc)
			arg[n++] = argv[optind++];
	}
	if (rc == -1 && n == 0)
		rc = misuse("missing", "mountpoint");
	if (rc == -1)
		rc = set(&o->mount, arg[n - 1]);
	/* mount(8)'s form names a source first. */
	if (rc == -1 && n == 2 && o->store == NULL &&
	    strcmp(arg[0], "none") != 0 && strcmp(arg[0], "cfgfs") != 0)
		rc = set(&o->store, arg[0]);
	return rc;
}

void
opts_free(struct opts *o)
{
	free(o->mount);
	free(o->store);
	free(o->base);
	free(o->tree);
	free(o->state);
	free(o->cfg);
}
