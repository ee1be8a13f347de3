/*
 * cmd-setup.c: cfg setup: say what would be done on this machine, ask, do it;
 * or take it back.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "ask.h"
#include "cfg.h"
#include "init.h"
#include "out.h"
#include "setup.h"
#include "setup-do.h"
#include "work.h"

struct args {
	const char	*store, *base;
	uint64_t	 size;
	bool		 dry, yes, undo;
	bool		 discard, remove_store;
};

static int
show(const struct setup *p, struct err *e)
{
	struct buf	 b = BUF_INIT;

	setup_say(&b, p);
	if (setup_done(p))
		put_fmt(&b, "\n# All of it is there: nothing to do.\n");
	return out_end(&b, false, e);
}

static void
say_end(const struct setup *p)
{
	const char	*m = p->f->mount;
	const char	*opt = strcmp(m, "/etc") == 0 ? "" : " -m ";

	if (*opt == '\0')
		m = "";
	(void)printf("Done.  What is changed from now on is pending until it "
	    "is committed:\n"
	    "\tcfg%s%s status\n\tcfg%s%s commit -m 'what for'\n"
	    "cfg%s%s setup --undo takes all this back.\n", opt, m, opt, m,
	    opt, m);
	if (p->image_lines.n > 0)
		(void)printf("The image needs the lines above, or the next "
		    "boot knows of nothing.\n");
}

/* Gives the exit code. */
static int
setup(struct cfg *c, const struct args *a)
{
	struct facts	 f;
	struct setup	 p = { .n = 0 };
	struct err	 e = { 0, "" };
	int		 rc, code = EX_OK;

	rc = facts_find(&f, c, a->store, a->base, &e);
	f.size = a->size;
	if (rc < 0 || (rc = setup_plan(&p, &f, &e)) < 0 ||
	    (rc = show(&p, &e)) < 0 || a->dry || p.n == 0)
		goto out;
	(void)printf("\n");
	if ((code = ask_to_do(c, a->yes)) == EX_OK &&
	    (rc = setup_do(c, &p, &e)) == 0)
		say_end(&p);
out:
	setup_free(&p);
	facts_free(&f);
	return rc < 0 ? cfg_fail(c, &e) : code;
}

/*
 * What is pending in a tree in RAM has no other place: not even a base that
 * it could be written to.
 */
static int
check_pending(struct undo *u, struct err *e)
{
	struct work	 w;
	struct pend	 p;
	size_t		 n;
	int		 rc;

	if (!u->live || u->real || u->discard)
		return 0;
	if ((rc = work_open(&w, u->c, e)) < 0)
		return rc;
	if ((rc = work_find(&w, UINT64_MAX, &p, e)) == 0) {
		n = p.n;
		pend_free(&p);
		if (n > 0)
			rc = err_setx(e, EBUSY, "%zu path%s pending, and "
			    "would be lost with the next boot: cfg commit, "
			    "or --discard", n, n == 1 ? " is" : "s are");
	}
	work_close(&w);
	return rc;
}

static int
undo(struct cfg *c, const struct args *a)
{
	struct undo	 u = { .c = c, .discard = a->discard,
			    .remove_store = a->remove_store };
	struct err	 e = { 0, "" };
	size_t		 i;
	int		 rc, code = EX_OK;

	if ((rc = undo_find(&u, &e)) < 0 ||
	    (rc = check_pending(&u, &e)) < 0)
		goto out;
	for (i = 0; i < u.say.n; i++)
		(void)printf("%s\n", u.say.v[i]);
	if (a->dry)
		goto out;
	if ((code = ask_to_do(c, a->yes)) != EX_OK)
		goto out;
	if ((rc = undo_do(&u, &e)) == 0)
		(void)printf("Done.\n");
	else
		(void)printf("cfg setup --undo goes on when that is "
		    "mended.\n");
out:
	undo_free(&u);
	return rc < 0 ? cfg_fail(c, &e) : code;
}

int
cmd_setup(struct cfg *c, int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "base", required_argument, NULL, 'b' },
		{ "discard", no_argument, NULL, 'd' },
		{ "remove-store", no_argument, NULL, 'r' },
		{ "size", required_argument, NULL, 'z' },
		{ "store", required_argument, NULL, 's' },
		{ "undo", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 }
	};
	struct args	 a = { .store = c->storepath };
	int		 ch;

	while ((ch = getopt_long(argc, argv, "ny", lo, NULL)) != -1)
		switch (ch) {
		case 'b':
			a.base = optarg;
			break;
		case 'd':
			a.discard = true;
			break;
		case 'n':
			a.dry = true;
			break;
		case 'r':
			a.remove_store = true;
			break;
		case 's':
			a.store = optarg;
			break;
		case 'u':
			a.undo = true;
			break;
		case 'y':
			a.yes = true;
			break;
		case 'z':
			if (init_size(optarg, &a.size) < 0 || a.size == 0)
				return cfg_usage(c);
			break;
		default:
			return cfg_usage(c);
		}
	if (optind < argc || (a.undo ? a.store != NULL || a.base != NULL ||
	    a.size != 0 : a.discard || a.remove_store))
		return cfg_usage(c);
	if (geteuid() != 0)
		return cfg_failx(c, "only root sets up: %s", strerror(EPERM));
	c->storepath = NULL;
	return a.undo ? undo(c, &a) : setup(c, &a);
}
