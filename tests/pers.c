/*
 * pers.c: what the persisted tree has, of a base and an overlay.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tools/pers.h"
#include "tap.h"
#include "tree.h"

static struct ents	 ov;
static struct pers	 p;

static void
start(void)
{
	int	 d = t_dir();

	t_file(d, "a/b/file", "base\n");
	t_file(d, "a/b.x", "x\n");
	t_file(d, "top", "t\n");
	t_symlink(d, "link", "a");
	p = (struct pers){ d, &ov, NULL, NULL };
}

static void
stop(void)
{
	ents_free(&ov);
	t_sweep();
}

static void
over(const char *path, enum ent_type t)
{
	struct ent	 e = { .type = t, .mode = 0700, .size = 1 };

	e.path = strdup(path);
	if (t == ENT_LNK)
		e.target = strdup("to");
	OK(ents_put(&ov, &e) == 0);
}

/* The type of what is persisted there; -1: it came from the base. */
static int
type(const char *path, bool *base)
{
	struct ent	 e;
	struct err	 err;
	int		 t;

	if (!OK(pers_get(&p, path, 0, &e, base, &err) == 0))
		return -1;
	OK(strcmp(e.path, path) == 0);
	t = (int)e.type;
	ent_free(&e);
	return t;
}

static int
collect(void *arg, const char *path)
{
	struct buf	*b = arg;

	put_fmt(b, "%s,", path);
	return 0;
}

static void
walks(const char *dir, const char *want)
{
	struct buf	 b = BUF_INIT;
	struct err	 e;

	OK(pers_walk(&p, dir, collect, &b, &e) == 0);
	put_u8(&b, '\0');
	if (!OK(strcmp((char *)b.p, want) == 0))
		tap_diag("have %s", (char *)b.p);
	buf_free(&b);
}

static void
the_base_shows_where_the_overlay_is_silent(void)
{
	bool	 base;

	start();
	OK(type("a/b/file", &base) == ENT_REG && base);
	OK(type("nothing", &base) == ENT_NONE);
	OK(type("top/below", &base) == ENT_NONE);
	OK(type("link/b", &base) == ENT_NONE);	/* never through a link */
	OK(type("", &base) == ENT_DIR && base);
	walks("", ",a,a/b,a/b/file,a/b.x,link,top,");
	over("top", ENT_LNK);
	over("new", ENT_DIR);
	over("new/x", ENT_REG);
	OK(type("top", &base) == ENT_LNK && !base);
	walks("", ",a,a/b,a/b/file,a/b.x,link,new,new/x,top,");
	walks("new", "new,new/x,");
	walks("nothing", "");
	walks("top", "top,");
	stop();
}

static void
nothing_is_below_what_is_no_directory(void)
{
	bool	 base;

	start();
	over("a", ENT_WHITEOUT);
	OK(type("a", &base) == ENT_NONE && type("a/b", &base) == ENT_NONE &&
	    type("a/b/file", &base) == ENT_NONE);
	walks("", ",link,top,");
	/* A store may say anything. */
	over("a/b/more", ENT_REG);
	over("link/sub", ENT_REG);
	OK(type("a/b/more", &base) == ENT_NONE);
	OK(type("link/sub", &base) == ENT_NONE);
	walks("", ",link,top,");
	stop();
}

static void
a_directory_that_the_base_lost_takes_its_entries_along(void)
{
	bool	 base;

	start();
	over("gone/x", ENT_REG);
	OK(type("gone/x", &base) == ENT_NONE);
	over("gone", ENT_DIR);
	OK(type("gone/x", &base) == ENT_REG);
	OK(pers_isdir(&p, "gone") == 1 && pers_isdir(&p, "a/b") == 1 &&
	    pers_isdir(&p, "top") == 0 && pers_isdir(&p, "") == 1);
	stop();
}

static void
the_bases_content_is_given(void)
{
	struct buf	 b = BUF_INIT;
	struct ent	 e;
	struct err	 err;
	bool		 base;

	start();
	OK(pers_get(&p, "a/b/file", ENT_HASH, &e, &base, &err) == 0);
	OK(pers_content(&p, &e, base, &b, &err) == 0);
	OK(b.len == 5 && memcmp(b.p, "base\n", 5) == 0);
	OK(pers_content(&p, &e, false, &b, &err) == -EINVAL);
	ent_free(&e);
	buf_free(&b);
	stop();
}

static void
no_base_is_an_empty_one(void)
{
	bool	 base;

	start();
	p.base = -1;
	over("x", ENT_REG);
	OK(type("x", &base) == ENT_REG && type("top", &base) == ENT_NONE);
	walks("", ",x,");
	stop();
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "the base shows where the overlay is silent",
		    the_base_shows_where_the_overlay_is_silent },
		{ "nothing is below what is no directory",
		    nothing_is_below_what_is_no_directory },
		{ "a directory that the base lost takes its entries along",
		    a_directory_that_the_base_lost_takes_its_entries_along },
		{ "the base's content is given", the_bases_content_is_given },
		{ "no base is an empty one", no_base_is_an_empty_one },
	};

	return tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
}
