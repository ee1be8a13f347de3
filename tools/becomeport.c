/*
 * becomeport.c: cfg becomes cfg-port for what is done once in the life of
 * a machine: taking a plain tree over, and giving one back.
 */
#include "remote.h"

static int
port(const struct cfg *c)
{
	struct err	 e;

	(void)other_exec(c, "cfg-port", c->argv, &e);
	return cfg_fail(c, &e);
}

int
cmd_import(struct cfg *c, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return port(c);
}

int
cmd_export(struct cfg *c, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return port(c);
}
