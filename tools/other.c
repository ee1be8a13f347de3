/*
 * other.c: the programs that lie beside cfg, and have more of it.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "remote.h"

bool
config_there(const struct cfg *c)
{
	char	*p;
	bool	 there;

	if (asprintf(&p, "%s/cfgfs/config", cfg_root(c)) == -1)
		return false;
	there = access(p, F_OK) == 0;
	free(p);
	return there;
}

int
other_exec(const struct cfg *c, const char *name, char *const *argv,
    struct err *e)
{
	const char	*self = *c->argv, *slash = strrchr(self, '/');
	char		*p;

	/* Found by PATH, where that is how we were. */
	if (asprintf(&p, "%.*s%s", slash == NULL ? 0 :
	    (int)(slash - self) + 1, self, name) == -1)
		return err_set(e, ENOMEM, "%s", name);
	(void)execvp(p, argv);
	free(p);
	return err_set(e, errno, "run %s", name);
}

int
other_run(const struct cfg *c, const char *name, char *const *argv)
{
	struct err	 ignored;
	sigset_t	 none;
	int		 status = 0;
	pid_t		 pid;

	(void)fflush(stdout);		/* in order, and once */
	if ((pid = fork()) == -1)
		return EX_FAIL;
	if (pid == 0) {
		/* They are blocked while a slice is mounted. */
		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)other_exec(c, name, argv, &ignored);
		_exit(EX_FAIL);
	}
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EX_FAIL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_FAIL;
}

void
mirror_run(const struct cfg *c, const char *what, const char *arg)
{
	char	*argv[] = { *c->argv, (char *)"-m", c->inst.mount,
	    (char *)"mirror", (char *)what,
	    (char *)(c->json ? "--json" : "--"), (char *)arg, NULL };

	if (config_there(c))
		(void)other_run(c, "cfg-mirror", argv);
}

int
trial_run(const struct cfg *c)
{
	char	*argv[] = { *c->argv, (char *)"-m", c->inst.mount,
		    (char *)"trial", (char *)"keep", NULL };

	return other_run(c, "cfg-more", argv);
}

int
auto_run(const struct cfg *c, const char *what)
{
	char	*argv[] = { *c->argv, (char *)"-m", c->inst.mount,
		    (char *)"auto", (char *)(c->json ? "--json" : "--"),
		    (char *)what, NULL };

	return other_run(c, "cfg-more", argv);
}
