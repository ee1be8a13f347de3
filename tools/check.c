/*
 * check.c: which validators there are for what has changed, and running
 * them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/path.h"
#include "check.h"
#include "out.h"
#include "rules.h"
#include "spawn.h"

#define CONFIG		"cfgfs/config"
#define NPATT		128		/* room for all patterns of the table */

/* The table's patterns, compiled, and its commands, cut. */
struct table {
	struct patt	*patt[NPATT];
	const struct validator *by[NPATT];	/* whose it is */
	size_t		 n;
};

static void
check_free(struct check *k)
{
	strs_free(&k->paths);
	strs_free(&k->argv);
	free(k->file);
	buf_free(&k->said);
}

void
checks_free(struct checks *c)
{
	while (c->n > 0)
		check_free(&c->v[--c->n]);
	free(c->v);
	c->v = NULL;
	c->cap = 0;
	conf_free(&c->conf);
}

const char *
check_tool(const struct check *k)
{
	return k->argv.n == 0 ? "cfg" : path_base(k->argv.v[0]);
}

static void
table_free(struct table *t)
{
	while (t->n > 0)
		patt_free(t->patt[--t->n]);
}

static int
table_make(struct table *t, struct err *e)
{
	const struct validator	*v;
	const char *const	*p;
	size_t			 i;
	int			 rc;

	memset(t, 0, sizeof(*t));
	for (i = 0; (v = validator(i)) != NULL; i++)
		for (p = v->patts; *p != NULL && t->n < NPATT; p++) {
			if ((rc = patt_one(&t->patt[t->n], *p, e)) < 0)
				return rc;
			t->by[t->n++] = v;
		}
	return 0;
}

static struct check *
check_new(struct checks *c)
{
	struct check	*k;

	if (more_room(&c->v, c->n, &c->cap, sizeof(*c->v)) < 0)
		return NULL;
	k = &c->v[c->n++];
	memset(k, 0, sizeof(*k));
	k->ok = true;
	return k;
}

/* The one that runs this command, or a new one. */
static struct check *
check_of(struct checks *c, struct strs *argv, const struct validator *by)
{
	struct check	*k;
	size_t		 i;

	for (i = 0; i < c->n; i++)
		if (c->v[i].argv.n > 0 && words_same(&c->v[i].argv, argv)) {
			strs_free(argv);
			return &c->v[i];
		}
	if ((k = check_new(c)) == NULL)
		return NULL;
	k->argv = *argv;
	k->by = by;
	memset(argv, 0, sizeof(*argv));
	return k;
}

/* A command for a path.  1: it is one to run, 0: not here. */
static int
add(struct checks *c, const struct strs *cmd, const struct validator *by,
    const struct pent *p)
{
	struct strs	 argv = { NULL, 0, 0 };
	struct check	*k = NULL;
	char		*file = NULL, tool[512];
	bool		 found;
	int		 rc = -ENOMEM;

	if (words_name_file(cmd) && p->now.type != ENT_REG)
		return 0;
	if (asprintf(&file, "%s/%s", c->root, p->path) == -1)
		return -ENOMEM;
	if (words_expand(cmd, file, c->root, &argv) < 0)
		goto out;
	found = spawn_find(argv.v[0], strlen(argv.v[0]), tool, sizeof(tool));
	if (!found && by != NULL)
		rc = 0;		/* nobody uses what is not installed */
	else if ((k = check_of(c, &argv, by)) != NULL && (!found ||
	    k->file != NULL || (k->file = strdup(tool)) != NULL) &&
	    ((k->paths.n > 0 && strcmp(k->paths.v[k->paths.n - 1],
	    p->path) == 0) || strs_put(&k->paths, strdup(p->path)) == 0))
		rc = 1;
out:
	strs_free(&argv);
	free(file);
	return rc;
}

static int
add_builtin(struct checks *c, const struct validator *v,
    const struct pent *p)
{
	struct strs	 cmd = { NULL, 0, 0 };
	const char	*why;
	int		 rc;

	if (!validator_wants(v, c->tree, p->path))
		return 0;
	if ((rc = words_cut(v->cmd, &cmd, &why)) == 0)
		rc = add(c, &cmd, v, p);
	strs_free(&cmd);
	return rc;
}

/* Whether a line says that the table does not count for this path. */
static bool
turned_off(const struct rules *s, const char *path)
{
	size_t	 i;

	for (i = 0; i < s->ncheck; i++)
		if (s->check[i].cmd.n == 0 &&
		    rule_covers(&s->check[i], path, false))
			return true;
	return false;
}

/* How many commands there are for this change. */
static int
add_all(struct checks *c, const struct table *t, const struct pent *p)
{
	const struct rules	*s = &c->conf.rules;
	const bool		 off = turned_off(s, p->path);
	size_t			 i;
	int			 n = 0, rc = 0;

	for (i = 0; rc >= 0 && !off && i < t->n; i++)
		if (patt_match(t->patt[i], p->path, false) &&
		    (rc = add_builtin(c, t->by[i], p)) > 0)
			n++;
	for (i = 0; rc >= 0 && i < s->ncheck; i++)
		if (s->check[i].cmd.n > 0 &&
		    rule_covers(&s->check[i], p->path, false) &&
		    (rc = add(c, &s->check[i].cmd, NULL, p)) > 0)
			n++;
	return rc < 0 ? rc : n;
}

/* The configuration: what can't be read is a check that failed. */
static int
read_conf(struct checks *c, bool pending, struct err *e)
{
	struct check	*k;
	struct err	 why;
	int		 rc = conf_read(&c->conf, c->root, &why);

	if (rc == 0 && !pending)
		return 0;
	if (rc == -ENOMEM || (k = check_new(c)) == NULL ||
	    strs_put(&k->paths, strdup(CONFIG)) < 0)
		return err_set(e, ENOMEM, "checks");
	k->ok = rc == 0;
	if (!k->ok)
		k->why = why;
	return 0;
}

static void
sign(struct hash_ctx *h, const struct pent *p)
{
	struct buf	 b = BUF_INIT;

	put_bytes(&b, p->path, strlen(p->path) + 1);
	put_u8(&b, (uint8_t)p->now.type);
	if (p->now.type == ENT_REG) {
		put_le64(&b, p->now.size);
		put_bytes(&b, p->now.hash.b, HASH_LEN);
	} else if (p->now.type == ENT_LNK)
		put_bytes(&b, p->now.target, strlen(p->now.target) + 1);
	put_u8(&b, b.bad);
	if (!b.bad)
		hash_add(h, b.p, b.len);
	buf_free(&b);
}

static bool
is_dir(const struct pent *p)
{
	return p->now.type == ENT_DIR ||
	    (p->now.type == ENT_NONE && p->was.type == ENT_DIR);
}

int
checks_plan(struct checks *c, const struct pend *pend, struct err *e)
{
	struct table	 t = { .n = 0 };
	struct hash_ctx	*h = NULL;
	bool		 config = false;
	size_t		 i;
	int		 n, rc;

	checks_free(c);
	for (i = 0; i < pend->n; i++)
		config |= strcmp(pend->v[i].path, CONFIG) == 0 &&
		    pend->v[i].now.type == ENT_REG;
	if ((rc = read_conf(c, config, e)) < 0 ||
	    (rc = table_make(&t, e)) < 0)
		goto out;
	if (hash_begin(&h) < 0) {
		rc = err_set(e, ENOMEM, "checks");
		goto out;
	}
	for (i = 0; rc == 0 && i < pend->n; i++) {
		n = is_dir(&pend->v[i]) ? 0 : add_all(c, &t, &pend->v[i]);
		if (n < 0)
			rc = err_set(e, -n, "checks");
		else if (n > 0 || strcmp(pend->v[i].path, CONFIG) == 0)
			sign(h, &pend->v[i]);
	}
	hash_end(h, &c->sign);
out:
	table_free(&t);
	return rc;
}

static int
run_one(struct checks *c, struct check *k, struct err *e)
{
	static char	*const env[] = { (char *)"PATH=" SPAWN_PATH,
			    (char *)"LC_ALL=C", (char *)"HOME=/", NULL };
	struct spawn	 s = { .file = k->file, .argv = k->argv.v,
			    .env = env, .in = -1, .out = &k->said,
			    .seconds = rules_seconds(&c->conf.rules) };
	int		 rc;

	if (k->file == NULL) {
		k->ok = false;
		(void)err_setx(&k->why, ENOENT, "there is no such program");
		return 0;
	}
	if ((rc = spawn_run(&s, &k->why)) < 0) {
		*e = k->why;
		return rc;
	}
	put_u8(&k->said, '\0');
	if (k->said.bad)
		return err_set(e, ENOMEM, "checks");
	k->ok = rc == 0 || (k->why.code != ETIMEDOUT && k->by != NULL &&
	    !validator_means(k->by, c->tree, (const char *)k->said.p));
	return 0;
}

int
checks_run(struct checks *c, struct err *e)
{
	size_t	 i;
	int	 bad = 0, rc = 0;

	for (i = 0; rc == 0 && i < c->n; i++) {
		if (c->v[i].argv.n > 0)
			rc = run_one(c, &c->v[i], e);
		if (!c->v[i].ok)
			bad++;
	}
	return rc < 0 ? rc : bad;
}

void
check_words(struct buf *b, const struct check *k, const char *indent)
{
	const char	*p = k->said.len > 0 ? (const char *)k->said.p : "";
	size_t		 n;

	p += strspn(p, "\n");
	if (*p == '\0' || k->why.code == ETIMEDOUT)
		put_fmt(b, "%s%s\n", indent, k->why.msg);
	for (; *p != '\0'; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		put_fmt(b, "%s", n > 0 ? indent : "");
		out_text(b, p, n - (n > 0 && p[n - 1] == '\r'));
		put_u8(b, '\n');
	}
}
