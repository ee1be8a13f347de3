/*
 * url.c: take the address of a store on another host apart.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "url.h"

#define URL_MAX		1024
#define SCHEME_LEN	7	/* of "sftp://" */

static const char no_memory[] = "out of memory";

/* The parts as they stand in the text, before anything is decoded. */
struct parts {
	const char	*user, *host, *port, *path;	/* user, port: or NULL */
	size_t		 nuser, nhost, nport;
};

/*
 * Messages show the address, but never what could be a password: all that
 * is between the first ':' and the last '@' behind it.
 */
static int
bad(const char *url, const char *why, struct err *e)
{
	const char	*from, *to;

	if (why == no_memory)
		return err_setx(e, ENOMEM, "%s", why);
	if (strlen(url) > URL_MAX)
		return err_setx(e, EINVAL, "sftp://...: %s", why);
	if (url_is(url) && (from = strchr(url + SCHEME_LEN, ':')) != NULL &&
	    (to = strrchr(from, '@')) != NULL)
		return err_setx(e, EINVAL, "%.*s:...%s: %s",
		    (int)(from - url), url, to, why);
	return err_setx(e, EINVAL, "%s: %s", url, why);
}

static int
hexval(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode n bytes into a new string; NULL and *why where that fails. */
static char *
decode(const char *s, size_t n, const char **why)
{
	char	*to = malloc(n + 1);
	size_t	 i, k = 0;
	int	 c;

	if (to == NULL) {
		*why = no_memory;
		return NULL;
	}
	for (i = 0; i < n; i++) {
		c = (unsigned char)s[i];
		if (c == '%') {
			c = -1;
			if (n - i > 2 && hexval(s[i + 1]) >= 0 &&
			    hexval(s[i + 2]) >= 0)
				c = hexval(s[i + 1]) * 16 + hexval(s[i + 2]);
			*why = "'%' must be followed by two hex digits";
			i += 2;
		}
		if (c >= 0 && (c < ' ' || c == 0x7f)) {
			*why = "control characters are not allowed";
			c = -1;
		}
		if (c < 0) {
			free(to);
			return NULL;
		}
		to[k++] = (char)c;
	}
	to[k] = '\0';
	return to;
}

/* "host", "host:port", "[v6]" or "[v6]:port"; NULL, or what is wrong. */
static const char *
split_host(struct parts *p, const char *s, size_t n)
{
	const char	*end = s + n, *q;

	p->host = s;
	if (n > 0 && *s == '[') {
		if ((q = memchr(s, ']', n)) == NULL)
			return "no ']' behind an IPv6 address";
		p->host++;
		p->nhost = (size_t)(q - p->host);
		q++;
		if (memchr(p->host, ':', p->nhost) == NULL)
			return "only an IPv6 address stands in brackets";
	} else {
		if ((q = memchr(s, ':', n)) == NULL)
			q = end;
		p->nhost = (size_t)(q - s);
	}
	if (p->nhost == 0)
		return "no host";
	if (q == end)
		return NULL;
	if (*q != ':')
		return "only ':' and a port may follow ']'";
	p->port = q + 1;
	p->nport = (size_t)(end - p->port);
	if (memchr(p->port, ':', p->nport) != NULL)
		return "an IPv6 address must stand in brackets";
	return NULL;
}

/* NULL, or what is wrong. */
static const char *
split(struct parts *p, const char *url)
{
	const char	*s, *at = NULL, *q, *end;

	memset(p, 0, sizeof(*p));
	if (!url_is(url))
		return "not sftp://[user@]host[:port]/path";
	s = url + SCHEME_LEN;
	end = s + strcspn(s, "/");
	for (q = s; q < end; q++)
		if (*q == '@')
			at = q;		/* the last one: names may have it */
	if (at != NULL) {
		p->user = s;
		p->nuser = (size_t)(at - s);
		if (memchr(s, ':', p->nuser) != NULL)
			return "a password can't be in it; use a key";
		if (p->nuser == 0)
			return "no user in front of '@'";
		s = at + 1;
	}
	p->path = end;
	return split_host(p, s, (size_t)(end - s));
}

/*
 * Names and addresses, and a scope behind '%' of an address: nothing that
 * has a meaning in a file of known hosts, or for a terminal.
 */
static const char *
check_host(const struct parts *p)
{
	size_t	 i, n = p->nhost;
	bool	 v6 = memchr(p->host, ':', n) != NULL;

	if (*p->host == '-')
		return "a host can't begin with '-'";
	if (n > 255)
		return "the host's name is too long";
	for (i = 0; i < n; i++) {
		char	 c = p->host[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '.' ||
		    c == '_' || (v6 && (c == ':' || c == '%')))
			continue;
		return "a host has letters, digits, '-', '_' and '.'";
	}
	return NULL;
}

static const char *
get_port(const struct parts *p, uint16_t *port)
{
	uint32_t	 v = 0;
	size_t		 i;

	*port = 22;
	if (p->port == NULL)
		return NULL;
	for (i = 0; i < p->nport; i++) {
		if (p->port[i] < '0' || p->port[i] > '9')
			v = 65536;
		else if (v < 65536)
			v = v * 10 + (uint32_t)(p->port[i] - '0');
	}
	if (v == 0 || v > 65535)
		return "a port is a number from 1 to 65535";
	*port = (uint16_t)v;
	return NULL;
}

static const char *
get_path(const struct parts *p, char **path)
{
	const char	*s = p->path, *why;

	if (strncmp(s, "/~/", 3) == 0)
		s += 2 + strspn(s + 2, "/");
	if (s[strspn(s, "/")] == '\0')
		return "no path";
	if ((*path = decode(s, strlen(s), &why)) == NULL)
		return why;
	return NULL;
}

static const char *
get_user(const struct parts *p, char **user)
{
	const char	*why;

	if (p->user == NULL)
		return NULL;
	if ((*user = decode(p->user, p->nuser, &why)) == NULL)
		return why;
	if (**user == '-')
		return "a user can't begin with '-'";
	return NULL;
}

int
url_parse(struct url *u, const char *s, struct err *e)
{
	struct parts	 p;
	const char	*why;

	memset(u, 0, sizeof(*u));
	if (strlen(s) > URL_MAX)
		return bad(s, "longer than 1024 bytes", e);
	if ((why = split(&p, s)) != NULL ||
	    (why = check_host(&p)) != NULL ||
	    (why = get_port(&p, &u->port)) != NULL ||
	    (why = get_user(&p, &u->user)) != NULL ||
	    (why = get_path(&p, &u->path)) != NULL) {
		url_free(u);
		return bad(s, why, e);
	}
	if ((u->host = strndup(p.host, p.nhost)) == NULL) {
		url_free(u);
		return bad(s, no_memory, e);
	}
	return 0;
}

void
url_free(struct url *u)
{
	free(u->user);
	free(u->host);
	free(u->path);
	memset(u, 0, sizeof(*u));
}
