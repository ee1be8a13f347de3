/*
 * cmd-tag.c: cfg tag: names for generations, which are then kept.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cfg.h"
#include "out.h"

static int
list(struct cfg *c, struct err *e)
{
	struct cfg_store st = { 0 };
	struct buf	 b = BUF_INIT;
	const char	*name;
	uint64_t	 gen;
	size_t		 i;
	int		 rc;

	rc = cfg_read(c, &st, e);
	if (c->json)
		put_fmt(&b, "[");
	for (i = 0; rc == 0 && store_tag_at(st.s, i, &name, &gen); i++)
		if (c->json)
			put_fmt(&b, "%s{\"tag\":\"%s\",\"generation\":%"
			    PRIu64 "}", i == 0 ? "" : ",", name, gen);
		else
			put_fmt(&b, "%s\t%" PRIu64 "\n", name, gen);
	if (c->json)
		put_fmt(&b, "]\n");
	rc = cfg_end(&st, -1, rc, e);
	if (rc == 0)
		return out_end(&b, true, e);
	buf_free(&b);
	return rc;
}

/* Set it at the generation that `arg` names, or drop it: NULL. */
static int
set(struct cfg *c, const char *name, const char *arg, struct err *e)
{
	struct cfg_store st = { 0 };
	const char	*known;
	uint64_t	 gen = 0, g;
	size_t		 i;
	int		 rc;

	if (c->storepath == NULL && (rc = cfg_inst(c, e)) < 0)
		return rc;
	if ((rc = cfg_open(c, true, &st, e)) < 0)
		return rc;
	if (arg != NULL) {
		if ((rc = cfg_gen(st.s, arg, &gen, e)) == 0 &&
		    (gen == 0 || gen == STORE_TRIAL))
			rc = err_setx(e, EINVAL, "%s: no commit made it", arg);
	} else {
		for (i = 0; store_tag_at(st.s, i, &known, &g); i++)
			if (strcmp(known, name) == 0)
				break;
		if (!store_tag_at(st.s, i, &known, &g))
			rc = err_setx(e, ENOENT, "%s: no such tag", name);
	}
	if (rc == 0)
		rc = store_tag(st.s, name, gen, e);
	return cfg_end(&st, -1, rc, e);
}

int
cmd_tag(struct cfg *c, int argc, char **argv)
{
	struct err	 e = { 0, "" };
	bool		 drop = false;
	int		 ch, n, rc;

	while ((ch = getopt(argc, argv, "d")) != -1) {
		if (ch != 'd')
			return cfg_usage(c);
		drop = true;
	}
	n = argc - optind;
	argv += optind;
	if (drop ? n != 1 : n != 0 && n != 2)
		return cfg_usage(c);
	if (n > 0 && c->storepath == NULL && geteuid() != 0)
		return cfg_failx(c, "only root does that: %s",
		    strerror(EPERM));
	if (n == 0)
		rc = list(c, &e);
	else
		rc = set(c, drop ? argv[0] : argv[1], drop ? NULL : argv[0],
		    &e);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
