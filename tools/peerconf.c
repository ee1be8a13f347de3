/*
 * peerconf.c: what the configuration says of peers.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/url.h"
#include "conf.h"
#include "dur.h"
#include "peerconf.h"

#define SCHEME	"ssh://"
#define FORM	"not ssh://[user@]host[:port]"

/* What a box is and not what it is told: keys, names, and the configuration
 * of this very program, which names the other one. */
static const char builtin[] =
    "/cfgfs\n"
    "/ssh/ssh_host_*\n"
    "/dropbear/*_host_key\n"
    "/dropbear_*_host_key\n"
    "/hostname\n"
    "/hostid\n"
    "/machine-id\n";

void
peer_free(struct peer *p)
{
	if (p->far != NULL)
		conf_far_free(p->far);
	free(p->far);
	free(p->url);
	memset(p, 0, sizeof(*p));
}

void
peers_free(struct peers *p)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		peer_free(&p->v[i]);
	for (i = 0; i < p->nsubst; i++) {
		patt_free(p->subst[i].patt);
		free(p->subst[i].here);
		free(p->subst[i].there);
	}
	free(p->v);
	free(p->subst);
	buf_free(&p->exclude);
	memset(p, 0, sizeof(*p));
}

const struct peer *
peer_find(const struct peers *p, const char *arg)
{
	size_t	 i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->v[i].far->name, arg) == 0 ||
		    strcmp(p->v[i].url, arg) == 0)
			return &p->v[i];
	return NULL;
}

/* The rest of this program knows URLs with a path, of which SSH sees
 * nothing. */
int
peer_of_url(struct peer *p, const char *url, struct err *e)
{
	const char	*rest = url + strlen(SCHEME);
	struct url	 u;
	int		 rc;

	memset(p, 0, sizeof(*p));
	if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || *rest == '\0' ||
	    strchr(rest, '/') != NULL)
		return err_setx(e, EINVAL, "%.100s: " FORM, url);
	p->trial = PEER_TRIAL;
	p->url = strdup(url);
	if ((p->far = calloc(1, sizeof(*p->far))) != NULL) {
		p->far->name = strdup(url);
		p->far->timeout = CONF_TIMEOUT;
		p->far->subsystem = "cfgfs";
		if (asprintf(&p->far->url, "sftp://%s/peer", rest) == -1)
			p->far->url = NULL;
	}
	if (p->far == NULL || p->url == NULL || p->far->name == NULL ||
	    p->far->url == NULL)
		rc = err_set(e, ENOMEM, "%.100s", url);
	else if ((rc = url_parse(&u, p->far->url, e)) == 0)
		url_free(&u);
	else if (rc == -EINVAL)
		rc = err_setx(e, EINVAL, "%.100s: " FORM, url);
	if (rc < 0)
		peer_free(p);
	return rc;
}

static int
option(struct peer *p, const char *w, const struct conf_at *at, struct err *e)
{
	int64_t	 ns;

	if (strcmp(w, "manual") == 0 || strncmp(w, "encrypt=", 8) == 0)
		return conf_wrong(at, e, "not an option of a peer", w);
	if (strncmp(w, "trial=", 6) != 0)
		return conf_option(p->far, w, at, e);
	if (!dur_parse(w + 6, &ns) || ns < PEER_LEAST * SECOND ||
	    ns > PEER_MOST * SECOND)
		return conf_wrong(at, e, "not a time from 10s to 1h", w + 6);
	p->trial = (unsigned)(ns / SECOND);
	return 0;
}

/* The words of a line, at least so many. */
static int
cut(const char *rest, struct strs *w, size_t least, const char *form,
    const struct conf_at *at, struct err *e)
{
	const char	*why;
	int		 rc;

	if ((rc = words_cut(rest, w, &why)) == -ENOMEM)
		return err_set(e, ENOMEM, "%s", at->file);
	if (rc < 0)
		return conf_wrong(at, e, why, NULL);
	if (w->n < least)
		return conf_wrong(at, e, form, NULL);
	return 0;
}

static int
add_peer(struct peers *ps, const struct strs *w, const struct conf_at *at,
    struct err *e)
{
	const char	*name = w->v[0];
	struct peer	 p;
	struct err	 why;
	size_t		 i;
	int		 rc;

	if (!conf_name_ok(name) || strlen(name) > PEER_NAME)
		return conf_wrong(at, e, "not the name of a peer", name);
	if (peer_find(ps, name) != NULL)
		return conf_wrong(at, e, "two peers of one name", name);
	if ((rc = peer_of_url(&p, w->v[1], &why)) < 0)
		return rc == -EINVAL ? conf_wrong(at, e, why.msg, NULL) :
		    err_set(e, -rc, "%s", at->file);
	free(p.far->name);
	if ((p.far->name = strdup(name)) == NULL)
		rc = err_set(e, ENOMEM, "%s", at->file);
	for (i = 2; rc == 0 && i < w->n; i++)
		rc = option(&p, w->v[i], at, e);
	if (rc == 0 && more_room(&ps->v, ps->n, &ps->cap, sizeof(p)) < 0)
		rc = err_set(e, ENOMEM, "%s", at->file);
	if (rc == 0)
		ps->v[ps->n++] = p;
	else
		peer_free(&p);
	return rc;
}

int
peer_line(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct strs	 w = { NULL, 0, 0 };
	int		 rc;

	if ((rc = cut(rest, &w, 2, "peer NAME URL is what it takes", at,
	    e)) == 0)
		rc = add_peer(&c->peers, &w, at, e);
	strs_free(&w);
	return rc;
}

/* A pattern that takes nothing back. */
static int
pattern(struct patt **p, const char *s, const struct conf_at *at,
    struct err *e)
{
	struct err	 why;
	int		 rc;

	*p = NULL;
	if (*s == '\0' || *s == '!' || *s == '#')
		return conf_wrong(at, e, "not a pattern", s);
	if ((rc = patt_one(p, s, &why)) == -EINVAL)
		return conf_wrong(at, e, why.msg, NULL);
	return rc < 0 ? err_set(e, -rc, "%s", at->file) : 0;
}

int
peer_exclude(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct strs	 w = { NULL, 0, 0 };
	struct patt	*p;
	size_t		 i;
	int		 rc;

	rc = cut(rest, &w, 1, "peer-exclude PATTERN is what it takes", at, e);
	for (i = 0; rc == 0 && i < w.n; i++)
		if ((rc = pattern(&p, w.v[i], at, e)) == 0) {
			patt_free(p);
			put_fmt(&c->peers.exclude, "%s\n", w.v[i]);
		}
	if (rc == 0 && c->peers.exclude.bad)
		rc = err_set(e, ENOMEM, "%s", at->file);
	strs_free(&w);
	return rc;
}

int
peer_subst(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	struct peers	*ps = &c->peers;
	struct strs	 w = { NULL, 0, 0 };
	struct subst	 s = { NULL, NULL, NULL };
	int		 rc;

	rc = cut(rest, &w, 3, "peer-subst PATTERN THIS THAT is what it takes",
	    at, e);
	if (rc == 0 && w.n > 3)
		rc = conf_wrong(at, e, "more than three words", w.v[3]);
	if (rc == 0 && *w.v[1] == '\0')
		rc = conf_wrong(at, e, "an empty text can't be replaced",
		    NULL);
	if (rc == 0)
		rc = pattern(&s.patt, w.v[0], at, e);
	if (rc == 0 && ((s.here = strdup(w.v[1])) == NULL ||
	    (s.there = strdup(w.v[2])) == NULL || more_room(&ps->subst,
	    ps->nsubst, &ps->subst_cap, sizeof(s)) < 0))
		rc = err_set(e, ENOMEM, "%s", at->file);
	if (rc == 0)
		ps->subst[ps->nsubst++] = s;
	else {
		patt_free(s.patt);
		free(s.here);
		free(s.there);
	}
	strs_free(&w);
	return rc;
}

int
peers_excluded(const struct peers *ps, struct patt **p, struct err *e)
{
	int	 rc;

	if ((rc = patt_new(p, e)) < 0)
		return rc;
	if ((rc = patt_add(*p, builtin, strlen(builtin), "built in", e)) == 0
	    && ps->exclude.len > 0)
		rc = patt_add(*p, (const char *)ps->exclude.p,
		    ps->exclude.len, "peer-exclude", e);
	if (rc < 0) {
		patt_free(*p);
		*p = NULL;
	}
	return rc;
}

/* Whether two bytes side by side belong to one word or number. */
static bool
joined(int a, int b)
{
	return isalnum(a) && isalnum(b);
}

/* The rule that has its text at p + i, standing alone, or NULL. */
static const struct subst *
rule_at(const struct peers *ps, const bool *on, const uint8_t *p, size_t n,
    size_t i)
{
	const struct subst	*s;
	size_t			 k, len;

	for (k = 0; k < ps->nsubst; k++) {
		s = &ps->subst[k];
		len = strlen(s->here);
		if (on[k] && len <= n - i && memcmp(p + i, s->here, len) == 0
		    && (i == 0 || !joined(p[i - 1], p[i])) &&
		    (i + len == n || !joined(p[i + len - 1], p[i + len])))
			return s;
	}
	return NULL;
}

void
peers_subst(const struct peers *ps, const char *path, const uint8_t *p,
    size_t n, struct buf *out)
{
	const struct subst	*s;
	bool			*on = calloc(ps->nsubst + 1, sizeof(*on));
	bool			 any = false;
	size_t			 i, from = 0;

	if (on == NULL) {
		out->bad = true;
		return;
	}
	for (i = 0; i < ps->nsubst; i++)
		any |= on[i] = patt_match(ps->subst[i].patt, path, false);
	for (i = 0; any && i < n;) {
		if ((s = rule_at(ps, on, p, n, i)) == NULL) {
			i++;
			continue;
		}
		put_bytes(out, p + from, i - from);
		put_bytes(out, s->there, strlen(s->there));
		i += strlen(s->here);
		from = i;
	}
	if (n > from)
		put_bytes(out, p + from, n - from);
	free(on);
}
