/*
 * autoconf.c: reading what is committed by itself, and within which bounds.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/buf.h"
#include "conf.h"
#include "dur.h"

#define MOST_KEEP	1000000
#define MOST_DAYS	36500

/* The words of a line; a quote without its end is told. */
static int
cut(const char *rest, struct strs *w, const struct conf_at *at, struct err *e)
{
	const char	*why;
	int		 rc;

	if ((rc = words_cut(rest, w, &why)) == 0)
		return 0;
	strs_free(w);
	return why != NULL ? conf_wrong(at, e, why, NULL) :
	    err_set(e, -rc, "%s", at->file);
}

/* The length of time that follows word i. */
static int
length(const struct strs *w, size_t i, int64_t *ns, const struct conf_at *at,
    struct err *e)
{
	if (*ns != 0)
		return conf_wrong(at, e, "said twice", w->v[i]);
	if (i + 1 == w->n)
		return conf_wrong(at, e, "no time behind", w->v[i]);
	if (!dur_parse(w->v[i + 1], ns))
		return conf_wrong(at, e, "not a time such as 90s, 10m or "
		    "1h30m", w->v[i + 1]);
	return 0;
}

/* What stands behind the pattern. */
static int
options(struct auto_class *k, const struct conf_at *at, struct err *e)
{
	const struct strs	*w = &k->rule.cmd;
	size_t			 i;
	int			 rc = 0;

	if (w->n == 1 && strcmp(w->v[0], "never") == 0) {
		k->never = true;
		return 0;
	}
	for (i = 0; rc == 0 && i < w->n; i++)
		if (strcmp(w->v[i], "quiet") == 0)
			rc = length(w, i++, &k->quiet, at, e);
		else if (strcmp(w->v[i], "at-most") == 0)
			rc = length(w, i++, &k->most, at, e);
		else if (strcmp(w->v[i], "on-shutdown") == 0)
			k->shutdown = true;
		else if (strcmp(w->v[i], "never") == 0)
			rc = conf_wrong(at, e, "never stands alone", NULL);
		else
			rc = conf_wrong(at, e, "unknown option", w->v[i]);
	if (rc < 0)
		return rc;
	/* Only at a shutdown, where nothing else is said. */
	if (k->shutdown && k->quiet == 0 && k->most == 0)
		return 0;
	if (k->quiet == 0)
		k->quiet = k->most != 0 && k->most < AUTO_QUIET ? k->most :
		    AUTO_QUIET;
	if (k->most == 0)
		k->most = k->quiet * 2 > AUTO_MOST ? k->quiet * 2 : AUTO_MOST;
	if (k->quiet < AUTO_LEAST)
		return conf_wrong(at, e, "less than 2s: a program that saves "
		    "two files may take that long", NULL);
	return k->most < k->quiet ? conf_wrong(at, e, "at-most is shorter "
	    "than quiet", NULL) : 0;
}

static void
class_free(struct auto_class *k)
{
	patt_free(k->rule.patt);
	strs_free(&k->rule.cmd);
}

int
auto_line(struct conf *c, char *rest, const struct conf_at *at, struct err *e)
{
	struct autoconf		*a = &c->autos;
	struct auto_class	 k;
	int			 rc;

	memset(&k, 0, sizeof(k));
	if ((rc = cut(rest, &k.rule.cmd, at, e)) < 0)
		return rc;
	if ((rc = rule_pattern(&k.rule, at, e)) == 0)
		rc = options(&k, at, e);
	strs_free(&k.rule.cmd);
	if (rc == 0 && more_room(&a->v, a->n, &a->cap, sizeof(*a->v)) < 0)
		rc = err_set(e, ENOMEM, "%s", at->file);
	if (rc < 0)
		class_free(&k);
	else
		a->v[a->n++] = k;
	return rc;
}

/* A number from 1 to `most`, and where it ends. */
static bool
number(const char *s, uint64_t most, uint64_t *n, char **end)
{
	errno = 0;
	*n = strtoull(s, end, 10);
	return *s >= '0' && *s <= '9' && errno == 0 && *n > 0 && *n <= most;
}

int
auto_budget(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	static const char	 what[] = "budget BYTES per day is what it "
				    "takes";
	struct strs		 w = { NULL, 0, 0 };
	uint64_t		 n;
	char			*end;
	int			 rc, shift = 0;

	if ((rc = cut(rest, &w, at, e)) < 0)
		return rc;
	if (w.n != 3 || strcmp(w.v[1], "per") != 0 ||
	    strcmp(w.v[2], "day") != 0 ||
	    !number(w.v[0], UINT64_C(1) << 40, &n, &end))
		rc = conf_wrong(at, e, what, NULL);
	else {
		if (*end == 'K' || *end == 'M')
			shift = *end++ == 'K' ? 10 : 20;
		if (*end != '\0')
			rc = conf_wrong(at, e, what, w.v[0]);
		else if (c->autos.budget != 0)
			rc = conf_wrong(at, e, "said twice", "budget");
		else
			c->autos.budget = n << shift;
	}
	strs_free(&w);
	return rc;
}

int
auto_churn(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct autoconf	*a = &c->autos;
	struct strs	 w = { NULL, 0, 0 };
	uint64_t	 n;
	char		*end;
	size_t		 i;
	int		 rc;

	if ((rc = cut(rest, &w, at, e)) < 0)
		return rc;
	if (w.n == 0)
		rc = conf_wrong(at, e, "churn hold or churn N/1h is what it "
		    "takes", NULL);
	for (i = 0; rc == 0 && i < w.n; i++)
		if (strcmp(w.v[i], "hold") == 0 && !a->hold)
			a->hold = true;
		else if (number(w.v[i], UINT32_MAX, &n, &end) &&
		    strcmp(end, "/1h") == 0 && a->churn == 0)
			a->churn = (uint32_t)n;
		else
			rc = conf_wrong(at, e, "not hold, not N/1h, or said "
			    "twice", w.v[i]);
	strs_free(&w);
	return rc;
}

/* The one number of a line. */
static int
one_number(char *rest, const char *word, uint64_t most, uint64_t was,
    uint64_t *n, const struct conf_at *at, struct err *e)
{
	struct strs	 w = { NULL, 0, 0 };
	char		*end = NULL;
	int		 rc;

	if ((rc = cut(rest, &w, at, e)) < 0)
		return rc;
	if (w.n != 1 || !number(w.v[0], most, n, &end) || *end != '\0')
		rc = conf_wrong(at, e, "one number above 0 is what it takes",
		    word);
	else if (was != 0)
		rc = conf_wrong(at, e, "said twice", word);
	strs_free(&w);
	return rc;
}

int
auto_keep(struct conf *c, char *rest, const struct conf_at *at, struct err *e)
{
	uint64_t	 n;
	int		 rc;

	if ((rc = one_number(rest, "keep", MOST_KEEP, c->autos.keep, &n, at,
	    e)) == 0)
		c->autos.keep = n;
	return rc;
}

int
auto_days(struct conf *c, char *rest, const struct conf_at *at, struct err *e)
{
	uint64_t	 n;
	int		 rc;

	if ((rc = one_number(rest, "keep-days", MOST_DAYS, c->autos.days, &n,
	    at, e)) == 0)
		c->autos.days = (unsigned)n;
	return rc;
}

int
auto_base(struct conf *c, char *rest, const struct conf_at *at, struct err *e)
{
	struct strs	 w = { NULL, 0, 0 };
	bool		 yes;
	int		 rc;

	if ((rc = cut(rest, &w, at, e)) < 0)
		return rc;
	yes = w.n == 1 && strcmp(w.v[0], "yes") == 0;
	if (!yes && (w.n != 1 || strcmp(w.v[0], "no") != 0))
		rc = conf_wrong(at, e, "keep-base yes or no is what it takes",
		    NULL);
	c->autos.no_base = !yes;
	strs_free(&w);
	return rc;
}

int
auto_shutdown(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	static const char *const names[] = { "warn", "commit", "ignore" };
	struct autoconf	*a = &c->autos;
	struct strs	 w = { NULL, 0, 0 };
	int		 i, rc;

	if ((rc = cut(rest, &w, at, e)) < 0)
		return rc;
	for (i = 0; w.n == 1 && i < 3; i++)
		if (strcmp(w.v[0], names[i]) == 0)
			break;
	if (w.n != 1 || i == 3)
		rc = conf_wrong(at, e, "on-shutdown warn, commit or ignore "
		    "is what it takes", NULL);
	else if (a->shutdown_said)
		rc = conf_wrong(at, e, "said twice", "on-shutdown");
	else {
		a->shutdown = (enum auto_shutdown)i;
		a->shutdown_said = true;
	}
	strs_free(&w);
	return rc;
}

void
autoconf_free(struct autoconf *a)
{
	while (a->n > 0)
		class_free(&a->v[--a->n]);
	free(a->v);
	memset(a, 0, sizeof(*a));
}

const struct auto_class *
auto_class(const struct autoconf *a, const char *path, bool dir)
{
	size_t	 i = a->n;

	while (i-- > 0)
		if (rule_covers(&a->v[i].rule, path, dir))
			return &a->v[i];
	return NULL;
}

uint32_t
auto_churn_limit(const struct autoconf *a)
{
	return a->churn == 0 ? AUTO_CHURN : a->churn;
}

bool
auto_wanted(const struct autoconf *a)
{
	size_t	 i;

	for (i = 0; i < a->n; i++)
		if (a->v[i].quiet != 0)
			return true;
	return false;
}
