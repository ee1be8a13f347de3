/*
 * cmd-pin.c: cfg pin: which paths stay as they are, whatever a new base
 * brings.  The list is a file of the tree and is committed as any other.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/path.h"
#include "apply.h"
#include "cfg.h"
#include "out.h"
#include "pin.h"
#include "work.h"

#define PIN_DIR		"cfgfs"
#define TEXT_MAX	(1024 * 1024)	/* bytes */

static bool
has(const struct strs *l, const char *path)
{
	size_t	 i;

	for (i = 0; i < l->n; i++)
		if (strcmp(l->v[i], path) == 0)
			return true;
	return false;
}

static int
list(const struct cfg *c, const struct strs *pins, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;

	if (c->json)
		put_fmt(&b, "[");
	for (i = 0; i < pins->n; i++) {
		if (c->json) {
			put_fmt(&b, "%s{", i > 0 ? ",\n " : "");
			json_name(&b, "path", pins->v[i]);
			put_u8(&b, '}');
		} else {
			out_path(&b, pins->v[i]);
			put_u8(&b, '\n');
		}
	}
	if (c->json)
		put_fmt(&b, "]\n");
	return out_end(&b, false, e);
}

/* The text without the lines that are one of these paths. */
static void
without(struct buf *text, const struct strs *paths)
{
	struct buf	 b = BUF_INIT;
	const uint8_t	*s = text->p, *q;
	size_t		 left, n, i;

	for (left = text->len; left > 0; s += n, left -= n) {
		q = memchr(s, '\n', left);
		n = q == NULL ? left : (size_t)(q - s) + 1;
		for (i = 0; i < paths->n; i++)
			if (strlen(paths->v[i]) == n - (q != NULL) &&
			    memcmp(paths->v[i], s, strlen(paths->v[i])) == 0)
				break;
		if (i == paths->n)
			put_bytes(&b, s, n);
	}
	buf_free(text);
	*text = b;
}

static void
with(struct buf *text, const struct strs *pins, const struct strs *paths)
{
	size_t	 i;

	if (text->len > 0 && text->p[text->len - 1] != '\n')
		put_u8(text, '\n');
	for (i = 0; i < paths->n; i++)
		if (!has(pins, paths->v[i]))
			put_fmt(text, "%s\n", paths->v[i]);
}

/* As an editor saves: what the file is besides stays. */
static int
save(int tree, const struct buf *text, struct err *e)
{
	struct apply	 a = APPLY_INIT(tree, true);
	struct ent	 x, dir = { .path = (char *)PIN_DIR, .type = ENT_DIR,
			    .mode = 0755 };
	struct ent	 fresh = { .path = (char *)PIN_FILE, .type = ENT_REG,
			    .mode = 0644 };
	const char	*name;
	int		 dfd, rc;

	memset(&x, 0, sizeof(x));
	dfd = path_parent(tree, PIN_FILE, &name);
	if (dfd == -ENOENT) {
		dir.mtime = time(NULL);
		if ((rc = apply_ent(&a, &dir, NULL, 0, e)) < 0)
			return rc;
	} else if (dfd < 0)
		return err_set(e, -dfd, "%s", PIN_FILE);
	else {
		rc = ent_read(dfd, name, PIN_FILE, 0, &x, NULL, NULL, e);
		(void)close(dfd);
		if (rc < 0)
			return rc;
	}
	x.mtime = fresh.mtime = time(NULL);
	rc = text->bad ? err_set(e, ENOMEM, "%s", PIN_FILE) :
	    apply_ent(&a, x.type == ENT_REG ? &x : &fresh, text->p,
	    text->len, e);
	ent_free(&x);
	apply_free(&a);
	return rc;
}

static int
change(struct work *w, const struct strs *pins, const struct strs *paths,
    bool away, struct err *e)
{
	struct buf	 text = BUF_INIT;
	size_t		 i;
	int		 rc;

	for (i = 0; i < paths->n; i++)
		if (away && !has(pins, paths->v[i]))
			return err_setx(e, ENOENT, "%s is not pinned",
			    paths->v[i]);
	rc = walk_slurp(w->tree, PIN_FILE, TEXT_MAX, &text);
	if (rc < 0 && rc != -ENOENT && rc != -ENOTDIR)
		rc = err_set(e, -rc, "read %s", PIN_FILE);
	else {
		if (away)
			without(&text, paths);
		else
			with(&text, pins, paths);
		rc = save(w->tree, &text, e);
	}
	buf_free(&text);
	return rc;
}

/* A path as a line of the list can hold it. */
static int
add_path(struct cfg *c, struct strs *l, const char *arg, struct err *e)
{
	char	*p, *vis;
	int	 rc;

	if ((rc = cfg_path(c, arg, &p, e)) < 0)
		return rc;
	if (*p == '\0' || *p == '#' || strchr(p, '\n') != NULL) {
		vis = path_vis(p);
		rc = err_setx(e, EINVAL, "%s: can't be pinned",
		    vis == NULL ? "?" : *p == '\0' ? "the whole tree" : vis);
		free(vis);
		free(p);
		return rc;
	}
	return has(l, p) ? (free(p), 0) : strs_put(l, p) < 0 ?
	    err_set(e, ENOMEM, "pin") : 0;
}

int
cmd_pin(struct cfg *c, int argc, char **argv)
{
	struct strs	 pins = { NULL, 0, 0 }, paths = { NULL, 0, 0 };
	struct work	 w;
	struct err	 e = { 0, "" };
	bool		 away = false;
	int		 ch, rc;

	while ((ch = getopt(argc, argv, "d")) != -1) {
		if (ch != 'd')
			return cfg_usage(c);
		away = true;
	}
	if (c->storepath != NULL || (away && optind == argc))
		return cfg_usage(c);
	if (optind < argc && geteuid() != 0)
		return cfg_failx(c, "only root pins: %s", strerror(EPERM));
	if ((rc = work_open(&w, c, &e)) < 0)
		return cfg_fail(c, &e);
	for (; rc == 0 && optind < argc; optind++)
		rc = add_path(c, &paths, argv[optind], &e);
	if (rc == 0 && (rc = pin_read(&pins, w.tree, &e)) == 0)
		rc = paths.n == 0 ? list(c, &pins, &e) :
		    change(&w, &pins, &paths, away, &e);
	strs_free(&pins);
	strs_free(&paths);
	work_close(&w);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
