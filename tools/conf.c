/*
 * conf.c: reading the configuration of the tools.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../sync/url.h"
#include "conf.h"
#include "confedit.h"

#define CONF_MAX	(1u << 20)	/* bytes of a file that is read */
#define BLANK		" \t\r"

void
conf_far_free(struct conf_far *f)
{
	free(f->name);
	free(f->url);
	free(f->key);
	free(f->known);
	free(f->encrypt);
	memset(f, 0, sizeof(*f));
}

void
conf_free(struct conf *c)
{
	size_t	 i;

	for (i = 0; i < c->n; i++)
		conf_far_free(&c->mirror[i]);
	free(c->mirror);
	conf_far_free(&c->store);
	rules_free(&c->rules);
	autoconf_free(&c->autos);
	peers_free(&c->peers);
	memset(c, 0, sizeof(*c));
}

bool
conf_name_ok(const char *s)
{
	static const char	 first[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t			 n = strspn(s, first);

	if (n == 0 || strlen(s) > 64)
		return false;
	for (; *s != '\0'; s++)
		if (strchr(first, *s) == NULL && strchr("._-", *s) == NULL)
			return false;
	return true;
}

struct conf_far *
conf_mirror(struct conf *c, const char *name)
{
	size_t	 i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->mirror[i].name, name) == 0)
			return &c->mirror[i];
	return NULL;
}

struct conf_far *
conf_url(struct conf *c, const char *url)
{
	size_t	 i;

	if (c->store.url != NULL && strcmp(c->store.url, url) == 0)
		return &c->store;
	for (i = 0; i < c->n; i++)
		if (strcmp(c->mirror[i].url, url) == 0)
			return &c->mirror[i];
	return NULL;
}

int
conf_wrong(const struct conf_at *at, struct err *e, const char *why,
    const char *word)
{
	return err_setx(e, EINVAL, "%s:%u: %s%s%.100s", at->file, at->line,
	    why, word == NULL ? "" : ": ", word == NULL ? "" : word);
}

static int
set(char **to, const char *v, const struct conf_at *at, struct err *e)
{
	if (*v == '\0')
		return conf_wrong(at, e, "an empty value", NULL);
	if (*to != NULL)
		return conf_wrong(at, e, "said twice", v);
	if ((*to = strdup(v)) == NULL)
		return err_set(e, ENOMEM, "%s", at->file);
	return 0;
}

int
conf_seconds(int *to, const char *v, const struct conf_at *at, struct err *e)
{
	char	*end;
	unsigned long long n = strtoull(v, &end, 10);

	if (*v < '0' || *v > '9' || *end != '\0' || n == 0 || n > 3600)
		return conf_wrong(at, e, "not 1 to 3600 seconds", v);
	*to = (int)n;
	return 0;
}

/* One word behind a URL. */
int
conf_option(struct conf_far *f, const char *word, const struct conf_at *at,
    struct err *e)
{
	if (strncmp(word, "key=", 4) == 0)
		return set(&f->key, word + 4, at, e);
	if (strncmp(word, "known-hosts=", 12) == 0)
		return set(&f->known, word + 12, at, e);
	if (strncmp(word, "encrypt=", 8) == 0)
		return set(&f->encrypt, word + 8, at, e);
	if (strncmp(word, "timeout=", 8) == 0)
		return conf_seconds(&f->timeout, word + 8, at, e);
	if (strcmp(word, "manual") == 0) {
		f->manual = true;
		return 0;
	}
	return conf_wrong(at, e, "unknown option", word);
}

/* URL and options. */
static int
far_line(struct conf_far *f, char **save, const struct conf_at *at,
    struct err *e)
{
	char		*w = strtok_r(NULL, BLANK, save);
	struct url	 u;
	struct err	 why;
	int		 rc;

	f->timeout = CONF_TIMEOUT;
	if (w == NULL)
		return conf_wrong(at, e, "no URL", NULL);
	if (url_parse(&u, w, &why) < 0)
		return conf_wrong(at, e, why.msg, NULL);
	url_free(&u);
	rc = set(&f->url, w, at, e);
	while (rc == 0 && (w = strtok_r(NULL, BLANK, save)) != NULL)
		rc = conf_option(f, w, at, e);
	return rc;
}

/* A line without its comment, where no word can have a "#". */
static char *
plain(char *s)
{
	s[strcspn(s, "#")] = '\0';
	return s;
}

static int
mirror_line(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	char		*save, *name = strtok_r(plain(rest), BLANK, &save);
	struct conf_far	*v;
	int		 rc;

	if (name == NULL || !conf_name_ok(name))
		return conf_wrong(at, e, "not the name of a mirror", name);
	if (conf_mirror(c, name) != NULL)
		return conf_wrong(at, e, "two mirrors of one name", name);
	if ((v = realloc(c->mirror, (c->n + 1) * sizeof(*v))) == NULL)
		return err_set(e, ENOMEM, "%s", at->file);
	c->mirror = v;
	v += c->n++;
	memset(v, 0, sizeof(*v));
	if ((rc = set(&v->name, name, at, e)) < 0) {
		c->n--;
		return rc;
	}
	return far_line(v, &save, at, e);
}

static int
store_line(struct conf *c, char *rest, const struct conf_at *at,
    struct err *e)
{
	char	*save, *eq = strtok_r(plain(rest), BLANK, &save);
	int	 rc;

	if (eq == NULL || strcmp(eq, "=") != 0)
		return conf_wrong(at, e, "store = URL is what it takes", NULL);
	if (c->store.url != NULL)
		return conf_wrong(at, e, "a second store", NULL);
	if ((rc = far_line(&c->store, &save, at, e)) == 0 &&
	    c->store.encrypt != NULL)
		rc = conf_wrong(at, e, "a store can't be sealed, a mirror can",
		    NULL);
	return rc == 0 ? set(&c->store.name, "store", at, e) : rc;
}

/*
 * The words that a line may begin with.  What has a new word adds a line
 * here, and to struct conf what it fills in.
 */
static const struct conf_word {
	const char	*word;
	int		(*fn)(struct conf *, char *rest,
			    const struct conf_at *, struct err *);
} words[] = {
	{ "autocommit", auto_line },
	{ "budget", auto_budget },
	{ "check", rules_check },
	{ "churn", auto_churn },
	{ "keep", auto_keep },
	{ "keep-base", auto_base },
	{ "keep-days", auto_days },
	{ "mirror", mirror_line },
	{ "on-shutdown", auto_shutdown },
	{ "peer", peer_line },
	{ "peer-exclude", peer_exclude },
	{ "peer-subst", peer_subst },
	{ "reload", rules_reload },
	{ "store", store_line },
	{ "time-limit", rules_limit },
};

static int
line(struct conf *c, char *s, const struct conf_at *at, struct err *e)
{
	size_t	 i, n;

	s += strspn(s, BLANK);
	n = strcspn(s, BLANK "#");
	if (n == 0)
		return 0;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].word) == n &&
		    strncmp(words[i].word, s, n) == 0)
			return words[i].fn(c, s + n, at, e);
	s[n] = '\0';
	return conf_wrong(at, e, "unknown word", s);
}

/* The file as a string; *b stays empty where there is none. */
int
conf_load(const char *file, struct buf *b, struct err *e)
{
	uint8_t	*p;
	ssize_t	 n = 1;
	int	 fd, rc = 0;

	fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT || errno == ENOTDIR ? 0 :
		    err_set(e, errno, "open %s", file);
	while (rc == 0 && n > 0) {
		if (b->len > CONF_MAX)
			rc = err_set(e, EFBIG, "read %s", file);
		else if ((p = buf_room(b, 4096)) == NULL)
			rc = err_set(e, ENOMEM, "read %s", file);
		else if ((n = read(fd, p, 4096)) > 0)
			b->len += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
		else if (n == -1)
			rc = err_set(e, errno, "read %s", file);
	}
	(void)close(fd);
	if (rc == 0 && b->len > 0 && memchr(b->p, '\0', b->len) != NULL)
		rc = err_setx(e, EINVAL, "%s: not a text", file);
	put_u8(b, '\0');
	return rc == 0 && b->bad ? err_set(e, ENOMEM, "%s", file) : rc;
}

int
conf_read(struct conf *c, const char *root, struct err *e)
{
	struct buf	 b = BUF_INIT;
	struct conf_at	 at = { NULL, 0 };
	char		*file, *p, *nl;
	int		 rc;

	memset(c, 0, sizeof(*c));
	if (asprintf(&file, "%s/cfgfs/config", root) == -1)
		return err_set(e, ENOMEM, "configuration");
	at.file = file;
	rc = conf_load(file, &b, e);
	for (p = (char *)b.p; rc == 0 && p != NULL && *p != '\0'; p = nl) {
		nl = p + strcspn(p, "\n");
		if (*nl == '\n')
			*nl++ = '\0';
		at.line++;
		rc = line(c, p, &at, e);
	}
	if (rc < 0)
		conf_free(c);
	buf_free(&b);
	free(file);
	return rc;
}
