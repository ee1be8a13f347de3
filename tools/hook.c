/*
 * hook.c: running the administrator's programs.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "hook.h"
#include "out.h"
#include "spawn.h"

#define NENV	7

struct hooks {
	const struct cfg *c;
	const char	*name;		/* "pre-commit" */
	const struct hook_env *he;
	char		*dir;		/* owned: where they are */
	char		*env[NENV + 1];	/* owned */
	struct buf	 paths;		/* what each reads, a string */
};

bool
hook_there(const char *root, const char *hook)
{
	char	*dir;
	bool	 there;

	if (asprintf(&dir, "%s/cfgfs/hooks/%s", root, hook) == -1)
		return false;
	there = access(dir, F_OK) == 0;
	free(dir);
	return there;
}

void
hook_show(const struct buf *b)
{
	(void)fflush(stdout);
	/* It is only shown: what can't be written is lost. */
	(void)out_fd(STDERR_FILENO, b);
}

/* Hidden files, and what editors and upgrades leave beside a file. */
static bool
passed_over(const char *name)
{
	static const char *const ends[] = { "~", ".bak", ".old", ".orig",
	    ".rej", ".new", ".tmp", ".swp", ".sample", ".dpkg-old",
	    ".dpkg-new", ".dpkg-dist", ".rpmsave", ".rpmnew", ".rpmorig" };
	size_t	 i, n = strlen(name), k;

	if (*name == '.' || name[n - 1] == '/')
		return true;
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		k = strlen(ends[i]);
		if (n > k && strcmp(name + n - k, ends[i]) == 0)
			return true;
	}
	return false;
}

/* Whether root alone can have put it there; said where not. */
static bool
trusted(const struct cfg *c, const char *path, const struct stat *st)
{
	if (st->st_uid == 0 && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0)
		return true;
	cfg_warn(c, "%s: not run: %s", path, st->st_uid != 0 ?
	    "it is not root's" : "others may write to it");
	return false;
}

/* The directory and those above it, up to the tree's root. */
static bool
dirs_trusted(const struct hooks *h)
{
	static const char *const part[] = { "cfgfs", "cfgfs/hooks", NULL };
	struct stat	 st;
	char		*p;
	size_t		 i;
	bool		 ok = true;

	for (i = 0; ok && i < sizeof(part) / sizeof(part[0]); i++) {
		if (part[i] == NULL)
			ok = stat(h->dir, &st) == 0 &&
			    trusted(h->c, h->dir, &st);
		else if (asprintf(&p, "%s/%s", h->he->root, part[i]) == -1)
			ok = false;
		else {
			ok = stat(p, &st) == 0 && trusted(h->c, p, &st);
			free(p);
		}
	}
	return ok;
}

static int
put_env(struct hooks *h, size_t *n, const char *key, const char *v)
{
	if (asprintf(&h->env[*n], "%s=%s", key, v == NULL ? "" : v) == -1) {
		h->env[*n] = NULL;
		return -ENOMEM;
	}
	++*n;
	return 0;
}

static int
prepare(struct hooks *h, const struct strs *paths)
{
	const struct hook_env	*he = h->he;
	char			 gen[24];
	size_t			 i, n = 0;

	(void)snprintf(gen, sizeof(gen), "%llu", (unsigned long long)he->gen);
	if (asprintf(&h->dir, "%s/cfgfs/hooks/%s", he->root, h->name) == -1) {
		h->dir = NULL;
		return -ENOMEM;
	}
	for (i = 0; paths != NULL && i < paths->n; i++) {
		out_path(&h->paths, *paths->v[i] == '\0' ? "." : paths->v[i]);
		put_u8(&h->paths, '\n');
	}
	put_u8(&h->paths, '\0');
	if (h->paths.bad || put_env(h, &n, "PATH", SPAWN_PATH) < 0 ||
	    put_env(h, &n, "CFG_HOOK", h->name) < 0 ||
	    put_env(h, &n, "CFG_MOUNT", he->root) < 0 ||
	    put_env(h, &n, "CFG_GENERATION", gen) < 0 ||
	    put_env(h, &n, "CFG_MESSAGE", he->msg) < 0 ||
	    put_env(h, &n, "CFG_USER", he->user) < 0 ||
	    put_env(h, &n, "CFG_TRIAL", he->trial) < 0)
		return -ENOMEM;
	return 0;
}

/* 1: it failed. */
static int
run_one(const struct hooks *h, const char *name, struct err *e)
{
	struct buf	 said = BUF_INIT;
	struct stat	 st;
	char		*file, *argv[2] = { NULL, NULL };
	struct err	 why;
	int		 rc = 0;

	if (asprintf(&file, "%s/%s", h->dir, name) == -1)
		return err_set(e, ENOMEM, "hooks");
	argv[0] = file;
	if (stat(file, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & 0111) != 0 && trusted(h->c, file, &st)) {
		rc = spawn_run(&(struct spawn){ .file = file, .argv = argv,
		    .env = h->env, .text = (const char *)h->paths.p,
		    .in = -1, .seconds = h->he->seconds == 0 ?
		    SPAWN_SECONDS : h->he->seconds, .out = &said }, &why);
		hook_show(&said);
	}
	if (rc != 0)
		(void)err_setx(e, ECANCELED, "hook %s/%s: %s", h->name,
		    name, why.msg);
	buf_free(&said);
	free(file);
	return rc == 0 ? 0 : 1;
}

static int
run_all(const struct hooks *h, const struct strs *names, struct err *e)
{
	const struct hook_env	*he = h->he;
	size_t			 i;
	int			 rc = 0;

	for (i = 0; rc >= 0 && i < names->n; i++) {
		if (passed_over(names->v[i]) ||
		    (rc = run_one(h, names->v[i], e)) <= 0)
			continue;
		if (he->failed != NULL && strs_path(he->failed, h->name,
		    names->v[i], false) < 0)
			rc = err_set(e, ENOMEM, "hooks");
		else if (he->veto)
			rc = -ECANCELED;
		else
			cfg_warn(h->c, "%s", e->msg);
	}
	return rc < 0 ? rc : 0;
}

int
hook_run(const struct cfg *c, const char *hook, const struct strs *paths,
    const struct hook_env *he, struct err *e)
{
	struct hooks	 h = { .c = c, .name = hook, .he = he };
	struct strs	 names = { NULL, 0, 0 };
	size_t		 i;
	int		 fd = -1, rc;

	if (!hook_there(he->root, hook))
		return 0;
	if ((rc = prepare(&h, paths)) < 0)
		rc = err_set(e, -rc, "hooks");
	else if (!dirs_trusted(&h))
		rc = 0;
	else if ((fd = open(h.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		rc = err_set(e, errno, "%s", h.dir);
	else if ((rc = walk_list(fd, "", &names, e)) == 0) {
		strs_sort(&names);
		rc = run_all(&h, &names, e);
	}
	if (fd != -1)
		(void)close(fd);
	strs_free(&names);
	for (i = 0; i < NENV; i++)
		free(h.env[i]);
	buf_free(&h.paths);
	free(h.dir);
	return rc;
}
