/*
 * become.c: cfg becomes cfg-mirror where another host is asked for.
 */
#include <errno.h>

#include "remote.h"

int
remote_open(struct io **io, const struct cfg *c, const char *url, bool write,
    uint64_t size, struct err *e)
{
	(void)url;
	(void)write;
	(void)size;
	*io = NULL;
	return other_exec(c, "cfg-mirror", c->argv, e);
}

int
remote_copy(const struct cfg *c, const char *url, const char *copy,
    struct err *e)
{
	(void)url;
	(void)copy;
	return other_exec(c, "cfg-mirror", c->argv, e);
}

const char *
remote_store(const struct cfg *c)
{
	struct err	 ignored;

	if (config_there(c))
		(void)other_exec(c, "cfg-mirror", c->argv, &ignored);
	return NULL;
}

int
cmd_mirror(struct cfg *c, int argc, char **argv)
{
	struct err	 e;

	(void)argc;
	(void)argv;
	(void)other_exec(c, "cfg-mirror", c->argv, &e);
	return cfg_fail(c, &e);
}
