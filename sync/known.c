/*
 * known.c: files of known hosts, as sshd(8) describes them and OpenSSH
 * reads them.  All in memory: nothing here opens a file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../lib/hash.h"
#include "b64.h"
#include "keys.h"
#include "sshwire.h"

#define LINE_LEN	16384	/* longer ones are passed over */
#define BLOB_LEN	(LINE_LEN / 4 * 3)
#define PATT_LEN	1024	/* of one pattern of a list, as OpenSSH has it */
#define NAME_LEN	320	/* "[host]:port" */

struct word {
	const uint8_t	*p;
	size_t		 n;
};

/* One line, split but not decoded. */
struct kline {
	size_t		 nr;		/* from 1 */
	bool		 revoked;
	struct word	 names;		/* patterns, or a hash */
	struct word	 type;
	struct word	 b64;		/* the key */
};

struct scan {
	struct rd	 rest;
	size_t		 nr;		/* of the line read last */
};

/* The names by which a host may be known, in lower case. */
struct names {
	char	 own[NAME_LEN];		/* "[host]:port", or "host" for 22 */
	char	 plain[NAME_LEN];	/* "host" where own has a port; or "" */
};

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct word
next_word(struct rd *r)
{
	struct word	 w;

	while (r->n > 0 && blank(*r->p))
		(void)rd_bytes(r, 1);
	w.p = r->p;
	w.n = 0;
	while (w.n < r->n && !blank(r->p[w.n]))
		w.n++;
	(void)rd_bytes(r, w.n);
	return w;
}

static bool
word_is(const struct word *w, const char *s)
{
	return w->n == strlen(s) && memcmp(w->p, s, w->n) == 0;
}

/* Split a line; false where it names no host's key. */
static bool
split_line(struct kline *l, const uint8_t *p, size_t n)
{
	struct rd	 r = { p, n, false };

	l->revoked = false;
	if (n > LINE_LEN || memchr(p, '\0', n) != NULL)
		return false;
	l->names = next_word(&r);
	if (l->names.n == 0 || *l->names.p == '#')
		return false;
	if (*l->names.p == '@') {
		if (!word_is(&l->names, "@revoked"))
			return false;
		l->revoked = true;
		l->names = next_word(&r);
	}
	l->type = next_word(&r);
	l->b64 = next_word(&r);
	return l->b64.n > 0;
}

/* The next line that can be split; false at the end. */
static bool
scan_next(struct scan *s, struct kline *l)
{
	const uint8_t	*p, *end;
	size_t		 n;

	while (s->rest.n > 0) {
		p = s->rest.p;
		end = memchr(p, '\n', s->rest.n);
		n = end == NULL ? s->rest.n : (size_t)(end - p);
		(void)rd_bytes(&s->rest, end == NULL ? n : n + 1);
		s->nr++;
		l->nr = s->nr;
		if (split_line(l, p, n))
			return true;
	}
	return false;
}

static void
scan_begin(struct scan *s, const struct buf *known)
{
	s->rest.p = known->p;
	s->rest.n = known->p == NULL ? 0 : known->len;
	s->rest.bad = false;
	s->nr = 0;
}

/* A line's key; -1 where it is none, or of another type than it says. */
static ssize_t
line_key(const struct kline *l, uint8_t blob[BLOB_LEN])
{
	ssize_t		 n = b64_get(l->b64.p, l->b64.n, blob, BLOB_LEN);
	struct rd	 r = { blob, n < 0 ? 0 : (size_t)n, false };
	const uint8_t	*type;
	size_t		 len;

	type = sw_rdstr(&r, &len);
	if (type == NULL || len != l->type.n || len == 0 ||
	    memcmp(type, l->type.p, len) != 0)
		return -1;
	return n;
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

/* Whether all of s is as the pattern says, '*' and '?' in it. */
static bool
glob(const char *s, const uint8_t *p, size_t n)
{
	const char	*retry = NULL;	/* where the last '*' may go on */
	size_t		 i = 0, star = 0;

	while (*s != '\0') {
		if (i < n && p[i] == '*') {
			star = ++i;
			retry = s;
		} else if (i < n &&
		    (p[i] == '?' || lower(p[i]) == (uint8_t)*s)) {
			i++;
			s++;
		} else if (retry != NULL) {
			i = star;
			s = ++retry;
		} else
			return false;
	}
	while (i < n && p[i] == '*')
		i++;
	return i == n;
}

/* Patterns with commas between: one must match, and none behind a '!'. */
static bool
list_match(const char *host, const struct word *list)
{
	const uint8_t	*p = list->p, *end = list->p + list->n, *q;
	bool		 not, yes = false;
	size_t		 n;

	for (; p < end; p = q + 1) {
		if ((q = memchr(p, ',', (size_t)(end - p))) == NULL)
			q = end;
		not = p < q && *p == '!';
		if (not)
			p++;
		n = (size_t)(q - p);
		if (n >= PATT_LEN)
			return false;
		if (!glob(host, p, n))
			continue;
		if (not)
			return false;
		yes = true;
	}
	return yes;
}

/* "|1|salt|hash" */
static bool
hash_match(const char *host, const struct word *w)
{
	uint8_t		 salt[SHA1_LEN], want[SHA1_LEN], have[SHA1_LEN];
	const uint8_t	*p = w->p + 3, *end = w->p + w->n, *bar;

	if (w->n < 3 || memcmp(w->p, "|1|", 3) != 0 ||
	    (bar = memchr(p, '|', (size_t)(end - p))) == NULL)
		return false;
	if (b64_get(p, (size_t)(bar - p), salt, sizeof(salt)) != SHA1_LEN ||
	    b64_get(bar + 1, (size_t)(end - bar - 1), want, sizeof(want)) !=
	    SHA1_LEN)
		return false;
	hash_hmac_sha1(salt, sizeof(salt), host, strlen(host), have);
	return memcmp(have, want, sizeof(have)) == 0;
}

static bool
line_names(const struct kline *l, const char *host)
{
	if (*host == '\0')
		return false;
	if (*l->names.p == '|')
		return hash_match(host, &l->names);
	return list_match(host, &l->names);
}

static int
names_set(struct names *v, const char *host, uint16_t port)
{
	char	*p;
	int	 n;

	memset(v, 0, sizeof(*v));
	if (port == 22 || port == 0)
		n = snprintf(v->own, sizeof(v->own), "%s", host);
	else {
		n = snprintf(v->own, sizeof(v->own), "[%s]:%u", host,
		    (unsigned)port);
		(void)snprintf(v->plain, sizeof(v->plain), "%s", host);
	}
	if (n < 0 || (size_t)n >= sizeof(v->own) || *host == '\0')
		return -EINVAL;
	for (p = v->own; *p != '\0'; p++)
		*p = (char)lower((uint8_t)*p);
	for (p = v->plain; *p != '\0'; p++)
		*p = (char)lower((uint8_t)*p);
	return 0;
}

/*
 * As OpenSSH: a host on another port is known by lines of that port; where
 * there are none, by a line of the plain name that has this very key, but
 * another key there says nothing.
 */
enum known
known_check(const struct buf *known, const char *host, uint16_t port,
    const uint8_t *key, size_t n, size_t *line)
{
	uint8_t		 blob[BLOB_LEN];
	struct kline	 l;
	struct scan	 s;
	struct names	 v;
	size_t		 yes = 0, other = 0, plain = 0;
	ssize_t		 len;
	bool		 same;

	*line = 0;
	if (names_set(&v, host, port) < 0)
		return KNOWN_NO;
	scan_begin(&s, known);
	while (scan_next(&s, &l)) {
		if ((len = line_key(&l, blob)) < 0)
			continue;
		same = (size_t)len == n && memcmp(blob, key, n) == 0;
		if (l.revoked) {
			if (!same)
				continue;
			*line = l.nr;
			return KNOWN_REVOKED;
		}
		if (line_names(&l, v.own)) {
			if (same && yes == 0)
				yes = l.nr;
			if (!same && other == 0)
				other = l.nr;
		} else if (same && plain == 0 && line_names(&l, v.plain))
			plain = l.nr;
	}
	*line = yes != 0 ? yes : other != 0 ? other : plain;
	if (yes != 0)
		return KNOWN_YES;
	if (other != 0)
		return KNOWN_CHANGED;
	return plain != 0 ? KNOWN_YES : KNOWN_NO;
}

/* Whether a list with commas has this word. */
static bool
has_word(const char *list, const struct word *w)
{
	size_t	 n;

	for (; *list != '\0'; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == w->n && memcmp(list, w->p, n) == 0)
			return true;
	}
	return false;
}

static void
types_of(const struct buf *known, const char *name, char *types, size_t len)
{
	uint8_t		 blob[BLOB_LEN];
	struct kline	 l;
	struct scan	 s;
	size_t		 have = 0;

	*types = '\0';
	scan_begin(&s, known);
	while (scan_next(&s, &l)) {
		if (l.revoked || !line_names(&l, name) ||
		    has_word(types, &l.type) || line_key(&l, blob) < 0 ||
		    memchr(l.type.p, ',', l.type.n) != NULL)
			continue;
		/* With the comma in front and the NUL behind it. */
		if (l.type.n + (have > 0) >= len - have)
			continue;
		if (have > 0)
			types[have++] = ',';
		memcpy(types + have, l.type.p, l.type.n);
		have += l.type.n;
		types[have] = '\0';
	}
}

void
known_types(const struct buf *known, const char *host, uint16_t port,
    char *types, size_t len)
{
	struct names	 v;

	if (len == 0)
		return;
	*types = '\0';
	if (names_set(&v, host, port) < 0)
		return;
	types_of(known, v.own, types, len);
	if (*types == '\0')
		types_of(known, v.plain, types, len);
}

void
known_print(const uint8_t *key, size_t n, char out[64])
{
	uint8_t		 sum[SHA256_LEN];
	struct buf	 b = BUF_INIT;

	hash_sha256(key, n, sum);
	b64_put(&b, sum, sizeof(sum));
	if (b.bad)
		(void)snprintf(out, 64, "SHA256:?");
	else	/* ssh-keygen leaves the padding out */
		(void)snprintf(out, 64, "SHA256:%.43s", (const char *)b.p);
	buf_free(&b);
}

int
known_line(struct buf *b, const char *host, uint16_t port,
    const uint8_t *key, size_t n)
{
	struct rd	 r = { key, n, false };
	struct names	 v;
	const uint8_t	*type;
	size_t		 len, i;

	type = sw_rdstr(&r, &len);
	if (names_set(&v, host, port) < 0 || type == NULL || len == 0 ||
	    v.own[strcspn(v.own, " \t\r\n,*?!|#@")] != '\0')
		return -EINVAL;
	for (i = 0; i < len; i++)
		if (type[i] <= ' ' || type[i] >= 0x7f)
			return -EINVAL;
	put_fmt(b, "%s %.*s ", v.own, (int)len, (const char *)type);
	b64_put(b, key, n);
	put_u8(b, '\n');
	return b->bad ? -ENOMEM : 0;
}
