/*
 * derived.c: the table of derived databases, and making them anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/path.h"
#include "derived.h"
#include "spawn.h"

#define MAXARG		8

#define IF_THERE	0x1	/* only where the tree has the database */
#define FROM_STDIN	0x2	/* the tool reads the source there */
#define LD_CONF		0x4	/* see ld_conf() */

struct derived {
	const char	*path;		/* what is made */
	const char	*source;	/* from this file */
	const char	*dir;		/* and from those in here, or NULL */
	const char	*need;		/* only where this is there, or NULL */
	int		 flags;
	const char	*args;		/* the command's words, a blank between
					   two; '%' is the tree's directory */
};

/* Of those that make the same database the first that can runs. */
static const struct derived tab[] = {
	{ "pwd.db", "master.passwd", NULL, NULL, 0,
	    "pwd_mkdb -p -d % %/master.passwd" },
	{ "spwd.db", "master.passwd", NULL, NULL, 0, "" },
	{ "login.conf.db", "login.conf", NULL, NULL, 0,
	    "cap_mkdb %/login.conf" },
	{ "services.db", "services", NULL, NULL, IF_THERE,
	    "services_mkdb -q -o %/services.db %/services" },
	{ "aliases.db", "aliases", NULL, "postfix/main.cf", 0,
	    "postalias -c %/postfix %/aliases" },
	{ "aliases.db", "aliases", NULL, "mail/sendmail.cf", 0,
	    "sendmail -bi -OAliasFile=%/aliases" },
	{ "mail/aliases.db", "mail/aliases", NULL, "mail/sendmail.cf", 0,
	    "sendmail -bi -OAliasFile=%/mail/aliases" },
	{ "mail/access.db", "mail/access", NULL, NULL, FROM_STDIN,
	    "makemap hash %/mail/access" },
	{ "mail/genericstable.db", "mail/genericstable", NULL, NULL,
	    FROM_STDIN, "makemap hash %/mail/genericstable" },
	{ "mail/mailertable.db", "mail/mailertable", NULL, NULL, FROM_STDIN,
	    "makemap hash %/mail/mailertable" },
	{ "mail/virtusertable.db", "mail/virtusertable", NULL, NULL,
	    FROM_STDIN, "makemap hash %/mail/virtusertable" },
	{ "ld.so.cache", "ld.so.conf", "ld.so.conf.d", NULL, LD_CONF,
	    "ldconfig -X -C %/ld.so.cache -f %/.ld.so.conf.cfg" },
};

#define NTAB (sizeof(tab) / sizeof(tab[0]))

const char *
derived_path(size_t i)
{
	return i < NTAB ? tab[i].path : NULL;
}

static bool
in_tree(int tree, const char *path)
{
	int	 fd = path_open(tree, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* Whether one of the changed paths is what d is made from. */
static bool
concerns(const struct derived *d, const struct ents *changed)
{
	size_t	 i;

	if (ents_find(changed, d->source) != NULL)
		return true;
	if (d->dir == NULL)
		return false;
	i = ents_lower(changed, d->dir);
	return i < changed->n && path_within(changed->v[i].path, d->dir);
}

/* A word with the tree's directory put in; a new string. */
static char *
expand(const char *word, size_t len, const char *dir)
{
	const char	*pc = memchr(word, '%', len);
	char		*s;

	if (pc == NULL)
		return strndup(word, len);
	return asprintf(&s, "%.*s%s%.*s", (int)(pc - word), word, dir,
	    (int)(word + len - pc - 1), pc + 1) == -1 ? NULL : s;
}

/*
 * ldconfig follows "include /etc/ld.so.conf.d/..." to the /etc of now,
 * which is not yet the tree: give it a copy that names the tree's.
 */
static int
ld_conf(int tree, const char *dir)
{
	struct buf	 b = BUF_INIT;
	char		*line = NULL;
	const char	*p;
	size_t		 cap = 0;
	FILE		*f = NULL;
	int		 fd, rc = -1;

	if ((fd = path_open(tree, "ld.so.conf", O_RDONLY)) < 0 ||
	    (f = fdopen(fd, "r")) == NULL)
		goto out;
	fd = -1;
	while (getline(&line, &cap, f) > 0) {
		p = line + strspn(line, " \t");
		if (strncmp(p, "include", 7) == 0 &&
		    strncmp(p + 7 + strspn(p + 7, " \t"), "/etc/", 5) == 0)
			put_fmt(&b, "include %s/%s", dir,
			    p + 7 + strspn(p + 7, " \t") + 5);
		else
			put_bytes(&b, line, strlen(line));
	}
	(void)unlinkat(tree, ".ld.so.conf.cfg", 0);
	fd = openat(tree, ".ld.so.conf.cfg",
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1 && !b.bad && write(fd, b.p, b.len) == (ssize_t)b.len)
		rc = 0;
out:
	if (f != NULL)
		(void)fclose(f);
	if (fd >= 0)
		(void)close(fd);
	free(line);
	buf_free(&b);
	return rc;
}

/* Run it; NULL, or what went wrong. */
static const char *
run(int tree, const struct derived *d, const char *tool, const char *dir,
    struct err *e)
{
	static char	*const env[] = { NULL };
	char		*argv[MAXARG + 1] = { NULL };
	struct spawn	 s = { .file = tool, .argv = argv, .env = env,
			    .in = -1, .seconds = SPAWN_SECONDS };
	const char	*p = d->args;
	size_t		 i, n;
	int		 rc = 0;

	for (i = 0; i < MAXARG && *p != '\0'; i++, p += n + (p[n] == ' ')) {
		n = strcspn(p, " ");
		if ((argv[i] = expand(p, n, dir)) == NULL)
			rc = err_set(e, ENOMEM, "out of memory");
	}
	if (d->flags & FROM_STDIN && (s.in = path_open(tree, d->source,
	    O_RDONLY)) < 0)
		rc = err_set(e, -s.in, "open %s", d->source);
	if (rc == 0)
		rc = spawn_run(&s, e);
	for (i = 0; i < MAXARG; i++)
		free(argv[i]);
	if (s.in >= 0)
		(void)close(s.in);
	return rc == 0 ? NULL : e->msg;
}

void
derived_make(int tree, const char *dir, const struct ents *changed,
    void (*warn)(void *, const char *), void *arg)
{
	const struct derived	*d;
	const char		*why, *done = NULL;
	char			 tool[64], line[256];
	struct err		 e;
	size_t			 i;

	for (i = 0; i < NTAB; i++) {
		d = &tab[i];
		if (*d->args == '\0' || !concerns(d, changed) ||
		    (done != NULL && strcmp(done, d->path) == 0) ||
		    !spawn_find(d->args, strcspn(d->args, " "), tool,
		    sizeof(tool)) ||
		    !in_tree(tree, d->source) ||
		    (d->need != NULL && !in_tree(tree, d->need)) ||
		    (d->flags & IF_THERE && !in_tree(tree, d->path)))
			continue;
		done = d->path;
		if (d->flags & LD_CONF && ld_conf(tree, dir) == -1)
			why = "cannot prepare its configuration";
		else
			why = run(tree, d, tool, dir, &e);
		if (d->flags & LD_CONF)
			(void)unlinkat(tree, ".ld.so.conf.cfg", 0);
		if (why == NULL)
			continue;
		(void)snprintf(line, sizeof(line), "%s: not made anew: %s: %.128s",
		    d->path, tool, why);
		warn(arg, line);
	}
}
