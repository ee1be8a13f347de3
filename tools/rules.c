/*
 * rules.c: what is to be run for which paths, as the configuration says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "conf.h"
#include "rules.h"
#include "spawn.h"

#define BLANK	" \t\r"

/* One word, quotes and all; behind it, or NULL where a quote has no end. */
static const char *
word_cut(const char *p, struct buf *b)
{
	const char	*q;
	size_t		 n;

	while ((n = strcspn(p, BLANK "#'\"")) > 0 || *p == '\'' ||
	    *p == '"') {
		put_bytes(b, p, n);
		p += n;
		if (*p != '\'' && *p != '"')
			break;
		if ((q = strchr(p + 1, *p)) == NULL)
			return NULL;
		put_bytes(b, p + 1, (size_t)(q - p) - 1);
		p = q + 1;
	}
	put_u8(b, '\0');
	return p;
}

int
words_cut(const char *line, struct strs *words, const char **why)
{
	struct buf	 b;
	const char	*p = line + strspn(line, BLANK);

	*why = NULL;
	while (*p != '\0' && *p != '#') {
		b = (struct buf)BUF_INIT;
		if ((p = word_cut(p, &b)) == NULL) {
			buf_free(&b);
			*why = "a quote without its end";
			return -EINVAL;
		}
		if (b.bad || strs_put(words, (char *)b.p) < 0)
			return -ENOMEM;
		p += strspn(p, BLANK);
	}
	return 0;
}

/* What follows a percent in the word that may not, or '\0'. */
static char
odd_percent(const char *w, const char *known)
{
	for (; (w = strchr(w, '%')) != NULL; w += 2)
		if (w[1] == '\0' || strchr(known, w[1]) == NULL)
			return '%';
	return '\0';
}

bool
words_name_file(const struct strs *words)
{
	const char	*w;
	size_t		 i;

	for (i = 0; i < words->n; i++)
		for (w = words->v[i]; (w = strchr(w, '%')) != NULL; w += 2)
			if (w[1] == 'p')
				return true;
	return false;
}

char *
word_expand(const char *w, const char *file, const char *root)
{
	struct buf	 b = BUF_INIT;
	const char	*s;

	for (; *w != '\0'; w++) {
		if (*w != '%' || w[1] == '\0') {
			put_u8(&b, (uint8_t)*w);
			continue;
		}
		w++;
		s = *w == 'p' ? file : *w == 'r' ? root : "%";
		put_bytes(&b, s, strlen(s));
	}
	put_u8(&b, '\0');
	if (!b.bad)
		return (char *)b.p;
	buf_free(&b);
	return NULL;
}

int
words_expand(const struct strs *words, const char *file, const char *root,
    struct strs *argv)
{
	size_t	 i;
	int	 rc = 0;

	for (i = 0; rc == 0 && i < words->n; i++)
		rc = strs_put(argv, word_expand(words->v[i], file, root));
	if (rc == 0)
		rc = more_room(&argv->v, argv->n, &argv->cap,
		    sizeof(*argv->v));
	if (rc == 0)
		argv->v[argv->n] = NULL;
	return rc;
}

bool
words_same(const struct strs *a, const struct strs *b)
{
	size_t	 i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return a->n == b->n;
}

int
rule_pattern(struct rule *r, const struct conf_at *at, struct err *e)
{
	struct err	 why;
	char		*p;
	int		 rc;

	if (r->cmd.n == 0)
		return conf_wrong(at, e, "no pattern", NULL);
	p = r->cmd.v[0];
	if (*p == '\0' || *p == '!' || *p == '#' || strchr(p, '\n') != NULL)
		return conf_wrong(at, e, "not a pattern", p);
	if ((rc = patt_one(&r->patt, p, &why)) < 0)
		return rc == -EINVAL ? conf_wrong(at, e, why.msg, NULL) :
		    err_set(e, -rc, "%s", at->file);
	free(p);
	memmove(r->cmd.v, r->cmd.v + 1, --r->cmd.n * sizeof(*r->cmd.v));
	return 0;
}

static void
rule_free(struct rule *r)
{
	patt_free(r->patt);
	strs_free(&r->cmd);
	memset(r, 0, sizeof(*r));
}

/* A pattern and a command, in which these may follow a percent. */
static int
rule_line(struct rule *r, const char *rest, const char *known,
    const struct conf_at *at, struct err *e)
{
	const char	*why;
	size_t		 i;
	int		 rc;

	memset(r, 0, sizeof(*r));
	if ((rc = words_cut(rest, &r->cmd, &why)) < 0)
		rc = why != NULL ? conf_wrong(at, e, why, NULL) :
		    err_set(e, -rc, "%s", at->file);
	else if ((rc = rule_pattern(r, at, e)) == 0) {
		if (r->cmd.n == 0 || *r->cmd.v[0] == '\0')
			rc = conf_wrong(at, e, "no command", NULL);
		for (i = 0; rc == 0 && i < r->cmd.n; i++)
			if (odd_percent(r->cmd.v[i], known) != '\0')
				rc = conf_wrong(at, e, "an odd %", r->cmd.v[i]);
	}
	if (rc < 0)
		rule_free(r);
	return rc;
}

static int
rule_keep(struct rule **v, size_t *n, size_t *cap, struct rule *r,
    const struct conf_at *at, struct err *e)
{
	if (more_room(v, *n, cap, sizeof(**v)) < 0) {
		rule_free(r);
		return err_set(e, ENOMEM, "%s", at->file);
	}
	(*v)[(*n)++] = *r;
	return 0;
}

int
rules_check(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct rules	*s = &c->rules;
	struct rule	 r;
	int		 rc;

	if ((rc = rule_line(&r, rest, "pr%", at, e)) < 0)
		return rc;
	if (r.cmd.n == 1 && strcmp(r.cmd.v[0], "none") == 0)
		strs_free(&r.cmd);
	return rule_keep(&s->check, &s->ncheck, &s->check_cap, &r, at, e);
}

int
rules_reload(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct rules	*s = &c->rules;
	struct rule	 r;
	int		 rc;

	/* It runs once for all paths, so there is no %p. */
	if ((rc = rule_line(&r, rest, "r%", at, e)) < 0)
		return rc;
	return rule_keep(&s->reload, &s->nreload, &s->reload_cap, &r, at, e);
}

int
rules_limit(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct strs	 w = { NULL, 0, 0 };
	const char	*why;
	int		 n = 0, rc;

	if ((rc = words_cut(rest, &w, &why)) == -ENOMEM)
		rc = err_set(e, ENOMEM, "%s", at->file);
	else if (rc < 0 || w.n != 1)
		rc = conf_wrong(at, e, "time-limit SECONDS is what it takes",
		    NULL);
	else if (c->rules.seconds != 0)
		rc = conf_wrong(at, e, "said twice", "time-limit");
	else if ((rc = conf_seconds(&n, w.v[0], at, e)) == 0)
		c->rules.seconds = (unsigned)n;
	strs_free(&w);
	return rc;
}

void
rules_free(struct rules *s)
{
	while (s->ncheck > 0)
		rule_free(&s->check[--s->ncheck]);
	while (s->nreload > 0)
		rule_free(&s->reload[--s->nreload]);
	free(s->check);
	free(s->reload);
	memset(s, 0, sizeof(*s));
}

unsigned
rules_seconds(const struct rules *s)
{
	return s->seconds == 0 ? SPAWN_SECONDS : s->seconds;
}

bool
rule_covers(const struct rule *r, const char *path, bool dir)
{
	return patt_match(r->patt, path, dir);
}
