/*
 * cmd-revert.c: cfg revert: give back what is persisted, live, in the
 * paths that are named.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "after.h"
#include "back.h"
#include "cfg.h"
#include "message.h"
#include "walk.h"
#include "work.h"

static void
say(void *arg, const struct pent *p, const char *why)
{
	char	*vis;

	if (why != NULL) {
		cfg_warn(arg, "%s", why);
		return;
	}
	vis = path_vis(*p->path == '\0' ? "." : p->path);
	(void)printf("%c %s\n", pend_letter(p), vis == NULL ? "?" : vis);
	free(vis);
}

/* -n: say what would be done, in the order in which it would be. */
static void
say_all(struct back *b)
{
	const struct pent	*p = b->pend.v;
	size_t			 i;

	for (i = b->pend.n; i-- > 0;)
		if (b->sel[i] && p[i].was.type == ENT_NONE)
			say(b->arg, &p[i], NULL);
	for (i = 0; i < b->pend.n; i++)
		if (b->sel[i] && p[i].was.type != ENT_NONE)
			say(b->arg, &p[i], NULL);
	b->ndone = b->nsel;
}

int
cmd_revert(struct cfg *c, int argc, char **argv)
{
	struct back	 b = { .gen = BACK_HEAD, .tell = say, .arg = c };
	struct work	 w;
	struct err	 e = { 0, "" };
	bool		 dry = false, failed;
	char		*p;
	size_t		 i;
	int		 ch, rc;

	while ((ch = getopt(argc, argv, "n")) != -1) {
		if (ch != 'n')
			return cfg_usage(c);
		dry = true;
	}
	if (optind == argc || c->storepath != NULL)
		return cfg_usage(c);
	if (!dry && geteuid() != 0)
		return cfg_failx(c, "only root reverts: %s",
		    strerror(EPERM));
	if ((rc = work_open(&w, c, &e)) < 0)
		return cfg_fail(c, &e);
	for (; rc == 0 && optind < argc; optind++)
		if ((rc = cfg_path(c, argv[optind], &p, &e)) == 0 &&
		    strs_put(&b.paths, p) < 0)
			rc = err_set(&e, ENOMEM, "revert");
	if (rc == 0 && (rc = back_find(&b, &w, c, &e)) == 0) {
		if (dry)
			say_all(&b);
		else
			rc = back_do(&b, &w, c, &e);
	}
	if (rc == 0)
		(void)printf("%zu path%s %sreverted\n", b.ndone,
		    b.ndone == 1 ? "" : "s", dry ? "would be " : "");
	if (b.left)
		cfg_warn(c, "not all extended attributes could be set");
	failed = b.nfailed > 0;
	/* The root, too: then nothing is left of what it is about. */
	for (i = 0; i < b.paths.n && rc == 0 && !dry && !failed; i++)
		if (*b.paths.v[i] == '\0')
			message_drop(w.state);
	if (!dry)
		after_back(c, &w, &b, w.head, "revert");
	back_free(&b);
	work_close(&w);
	return rc < 0 ? cfg_fail(c, &e) : failed ? EX_FAIL : EX_OK;
}
