/*
 * complete.c: print what shells complete, from the table of verbs: its
 * usage lines say which options and arguments there are.  A program for the
 * build alone, made by the build machine's own compiler.
 *
 *	complete sh	tables that bash and zsh read
 *	complete fish	fish's commands
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cfg.h"
#include "remote.h"
#include "restore.h"

/* What an argument is completed with; the names are functions in the
 * shells' files. */
static const struct kind {
	const char	*verb;		/* NULL: of any */
	const char	*word;		/* in the usage line */
	const char	*name;
} kinds[] = {
	{ "mirror", "name", "mirror" },
	{ "mirror", "url", "none" },
	{ "tag", "name", "tag" },
	{ "log", "path", "tree" },
	{ "blame", "path", "tree" },
	{ "pin", "path", "tree" },
	{ NULL, "base", "dir" },
	{ NULL, "directory", "dir" },
	{ NULL, "tree", "dir" },
	{ NULL, "path", "path" },
	{ NULL, "from", "gen" },
	{ NULL, "to", "gen" },
	{ NULL, "generation", "gen" },
	{ NULL, "command", "command" },
	{ NULL, "n", "none" },
	{ NULL, "s", "none" },
	{ NULL, "max", "none" },
	{ NULL, "message", "none" },
	{ NULL, "time", "none" },
	{ NULL, "keep", NULL },		/* to be typed as they are */
	{ NULL, "serve", NULL },
	{ NULL, "status", NULL },
};

/* A word of a usage line without its brackets. */
struct word {
	char	 s[80];
	bool	 last;		/* no argument of an option can follow */
};

/* Take a word from the line; false: there is none. */
static bool
word(const char **p, struct word *w)
{
	const char	*s = *p + strspn(*p, " ["), *end, *cut;
	size_t		 n;

	if (*s == '\0')
		return false;
	end = s + strcspn(s, " ");
	cut = s + strcspn(s, "[] ");
	n = (size_t)(cut - s);
	if (n >= sizeof(w->s))
		n = sizeof(w->s) - 1;
	memcpy(w->s, s, n);
	w->s[n] = '\0';
	*p = end;
	w->last = end[-1] == ']' || *end == '\0' || strchr("[|-.", end[1]) != NULL;
	return true;
}

static const char *
kind(const char *verb, const char *s)
{
	size_t	 i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, s) == 0 && (kinds[i].verb == NULL ||
		    strcmp(kinds[i].verb, verb) == 0))
			return kinds[i].name;
	return "file";
}

/* A line of the table: what is called for each option and argument. */
struct out {
	/* kind is NULL where the option has no argument */
	void	(*option)(const char *verb, const char *name,
		    const char *kind);
	/* kind is NULL where the word stands for itself */
	void	(*argument)(const char *verb, const char *s, const char *kind);
};

static void
options(const struct cmd *m, const struct out *o)
{
	const char	*p = m->usage, *q, *k;
	struct word	 w, a;
	char		 one[3] = "-";
	size_t		 i;

	while (word(&p, &w)) {
		if (w.s[0] != '-' || strcmp(w.s, "--") == 0)
			continue;
		k = NULL;
		q = p;
		if (!w.last && word(&q, &a) && strncmp(q, " ...", 4) != 0) {
			k = kind(m->name, a.s);
			p = q;
		}
		if (w.s[1] == '-') {
			o->option(m->name, w.s, k);
			continue;
		}
		for (i = 1; w.s[i] != '\0'; i++) {
			one[1] = w.s[i];
			o->option(m->name, one, k);
		}
	}
}

/* "add|push|pull": each stands for itself. */
static void
choice(const struct cmd *m, const struct out *o, char *s)
{
	char	*p;

	for (p = strtok(s, "|"); p != NULL; p = strtok(NULL, "|"))
		o->argument(m->name, p, NULL);
}

static void
arguments(const struct cmd *m, const struct out *o)
{
	const char	*p = m->usage, *q;
	struct word	 w, a;

	while (word(&p, &w)) {
		q = p;
		if (w.s[0] == '-') {
			if (!w.last && word(&q, &a) &&
			    strncmp(q, " ...", 4) != 0)
				p = q;
		} else if (strcmp(w.s, "...") == 0 || strcmp(w.s, "|") == 0)
			continue;
		else if (strchr(w.s, '|') != NULL)
			choice(m, o, w.s);
		else
			o->argument(m->name, w.s, kind(m->name, w.s));
	}
}

/* In single quotes, as all three shells understand them. */
static void
quoted(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s == '\'')
			(void)printf("'\\''");
		else
			(void)putchar(*s);
}

static void
sh_option(const char *verb, const char *name, const char *k)
{
	(void)verb;
	(void)printf(k == NULL ? " %s" : " %s:%s", name, k);
}

static void
sh_argument(const char *verb, const char *s, const char *k)
{
	(void)verb;
	if (k == NULL)
		(void)printf(" =%s", s);
	else
		(void)printf(" %s", k);
}

static void
sh(void)
{
	static const struct out	 o = { sh_option, sh_argument };
	const struct cmd	*m;

	(void)printf("_cfg_verbs=(\n");
	for (m = cfg_cmds; m->name != NULL; m++) {
		(void)printf("\t'%s:", m->name);
		quoted(m->what);
		(void)printf("'\n");
	}
	(void)printf(")\n\n_cfg_table() {\n\tcase $1 in\n");
	for (m = cfg_cmds; m->name != NULL; m++) {
		(void)printf("\t%s)\n\t\topts='", m->name);
		options(m, &o);
		(void)printf("'\n\t\targs='");
		arguments(m, &o);
		(void)printf("' ;;\n");
	}
	(void)printf("\tesac\n}\n");
}

static void
fish_option(const char *verb, const char *name, const char *k)
{
	const char	*p = name + strspn(name, "-");

	(void)printf("complete -c cfg -n '__cfg_is %s' -%c %s", verb,
	    p - name == 2 ? 'l' : 's', p);
	if (k == NULL)
		(void)printf(" -f\n");
	else
		(void)printf(" -xa '(__cfg_%s)'\n", k);
}

static void
fish_argument(const char *verb, const char *s, const char *k)
{
	if (k == NULL)
		(void)printf("complete -c cfg -n '__cfg_alone %s' -fa %s\n",
		    verb, s);
	else
		(void)printf("complete -c cfg -n '__cfg_is %s' "
		    "-fa '(__cfg_%s)'\n", verb, k);
}

static void
fish(void)
{
	static const struct out	 o = { fish_option, fish_argument };
	const struct cmd	*m;

	for (m = cfg_cmds; m->name != NULL; m++) {
		(void)printf("complete -c cfg -n __cfg_first -fa %s -d '",
		    m->name);
		quoted(m->what);
		(void)printf("'\n");
		options(m, &o);
		arguments(m, &o);
	}
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "sh") == 0)
		sh();
	else if (argc == 2 && strcmp(argv[1], "fish") == 0)
		fish();
	else
		return EX_MISUSE;
	return fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_FAIL;
}

/* What the table names; nothing of it is called here. */
#define VERB(fn)							\
int									\
fn(struct cfg *c, int argc, char **argv)				\
{									\
	(void)c;							\
	(void)argc;							\
	(void)argv;							\
	return EX_FAIL;							\
}

VERB(cmd_restore)
VERB(cmd_status)
VERB(cmd_diff)
VERB(cmd_log)
VERB(cmd_show)
VERB(cmd_verify)
VERB(cmd_mirror)

int
cfg_fail(const struct cfg *c, const struct err *e)
{
	(void)c;
	(void)e;
	return EX_FAIL;
}

int
other_exec(const struct cfg *c, const char *name, char *const *argv,
    struct err *e)
{
	(void)c;
	(void)name;
	(void)argv;
	(void)e;
	return -1;
}
