/*
 * patt.c: patterns that name what never counts as pending.
 *
 * A pattern is cut at its slashes, and a path is matched a component at a
 * time.  A "*" never crosses a slash, so within a component only the last
 * star met must be taken back, and among components only the last "**":
 * no pattern costs more than its length times the path's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wctype.h>

#include "../lib/buf.h"
#include "../lib/inst.h"
#include "../lib/path.h"
#include "derived.h"
#include "patt.h"

#define PATT_MAX	(1024 * 1024)	/* bytes of a file of patterns */

struct rule {
	char	*comps;		/* owned: components, each ended by a NUL */
	size_t	 n;		/* how many */
	bool	 negate;	/* "!": what matches is not ignored */
	bool	 dir;		/* matches directories alone */
	bool	 anchored;	/* matches from the root, not any last name */
};

struct patt {
	struct rule	*v;	/* owned, in the order given */
	size_t		 n, cap;
};

/* Editors' temporary and backup files, what mount(8) keeps, what a restore
 * tells of, and our own temporary files (apply.c, derived.c), should we be
 * killed. */
static const char builtin[] =
    ".*.sw[a-p]\n"
    "*~\n"
    ".#*\n"
    "\\#*#\n"
    "/mtab\n"
    "/" INST_PARKED "\n"
    "/" INST_OLDER "\n"
    ".cfg.[0-9]*.tmp\n"
    "/.ld.so.conf.cfg\n";

/* "[:alpha:]", p behind its "[:": its length from p, 0: no such class.
 * What a class has is asked of the C locale. */
static size_t
class_match(const char *p, uint8_t c, bool *hit)
{
	char		 name[8];
	size_t		 n = strcspn(p, ":");
	wctype_t	 class;

	if (n >= sizeof(name) || strncmp(p + n, ":]", 2) != 0)
		return 0;
	memcpy(name, p, n);
	name[n] = '\0';
	if ((class = wctype(name)) == 0)
		return 0;
	if (c < 128 && iswctype(c, class))
		*hit = true;
	return n + 2;
}

/* One character of a set, perhaps quoted: how many bytes, 0 at the end. */
static size_t
set_char(const char *p, uint8_t *c)
{
	size_t	 n = p[0] == '\\' ? 1 : 0;

	*c = (uint8_t)p[n];
	return p[n] == '\0' ? 0 : n + 1;
}

/*
 * A set, p behind its "[": its length with the "]", 0 where it is none;
 * *hit says whether c is in it.
 */
static size_t
set_match(const char *p, uint8_t c, bool *hit)
{
	const char	*start = p;
	bool		 but = *p == '!' || *p == '^', in = false;
	uint8_t		 lo, hi;
	size_t		 n;

	p += but;
	do {
		if (p[0] == '[' && p[1] == ':') {
			if ((n = class_match(p + 2, c, &in)) == 0)
				return 0;
			p += 2 + n;
			continue;
		}
		if ((n = set_char(p, &lo)) == 0)
			return 0;
		p += n;
		hi = lo;
		if (p[0] == '-' && p[1] != ']') {
			if ((n = set_char(p + 1, &hi)) == 0)
				return 0;
			p += 1 + n;
		}
		if (c >= lo && c <= hi)
			in = true;
	} while (*p != ']');
	*hit = in != but;
	return (size_t)(p - start) + 1;
}

/* One element of a component but "*": its length, 0 where c is not it. */
static size_t
elem_match(const char *p, uint8_t c)
{
	bool	 hit = false;
	size_t	 n;

	switch (*p) {
	case '\0':
		return 0;
	case '?':
		return 1;
	case '[':
		n = set_match(p + 1, c, &hit);
		return hit ? n + 1 : 0;
	case '\\':
		return (uint8_t)p[1] == c ? 2 : 0;
	default:
		return (uint8_t)*p == c ? 1 : 0;
	}
}

static bool
comp_match(const char *p, const char *s, size_t n)
{
	const char	*star = NULL, *from = NULL, *end = s + n;
	size_t		 k;

	while (s < end) {
		if (*p == '*') {
			star = ++p;
			from = s;
		} else if ((k = elem_match(p, (uint8_t)*s)) > 0) {
			p += k;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++from;
		} else
			return false;
	}
	while (*p == '*')
		p++;
	return *p == '\0';
}

/* Behind the component at s. */
static const char *
comp_next(const char *s, const char *end, size_t *len)
{
	const char	*q = memchr(s, '/', (size_t)(end - s));

	*len = (size_t)((q == NULL ? end : q) - s);
	return q == NULL ? end : q + 1;
}

static bool
anchored_match(const struct rule *r, const char *s, const char *end)
{
	const char	*p = r->comps, *starp = NULL, *stars = NULL, *next;
	size_t		 k = 0, stark = 0, len;

	for (;;) {
		if (k < r->n && strcmp(p, "**") == 0) {
			/* The last one must match something. */
			if (k + 1 == r->n)
				return s < end;
			starp = p += 3;
			stark = ++k;
			stars = s;
			continue;
		}
		if (k == r->n && s == end)
			return true;
		if (k < r->n && s < end) {
			next = comp_next(s, end, &len);
			if (comp_match(p, s, len)) {
				p += strlen(p) + 1;
				k++;
				s = next;
				continue;
			}
		}
		if (starp == NULL || stars == end)
			return false;
		s = stars = comp_next(stars, end, &len);
		p = starp;
		k = stark;
	}
}

static bool
rule_match(const struct rule *r, const char *path, size_t n, bool dir)
{
	const char	*base = path + n;

	if (r->dir && !dir)
		return false;
	if (r->anchored)
		return anchored_match(r, path, path + n);
	while (base > path && base[-1] != '/')
		base--;
	return comp_match(r->comps, base, (size_t)(path + n - base));
}

/* Whether the last rule that matches these n bytes ignores them. */
static bool
prefix_match(const struct patt *pt, const char *path, size_t n, bool dir)
{
	size_t	 i;

	for (i = pt->n; i-- > 0;)
		if (rule_match(&pt->v[i], path, n, dir))
			return !pt->v[i].negate;
	return false;
}

bool
patt_match(const struct patt *pt, const char *path, bool dir)
{
	size_t	 i;

	if (*path == '\0')
		return false;
	for (i = 0; path[i] != '\0'; i++)
		if (path[i] == '/' && prefix_match(pt, path, i, true))
			return true;
	return prefix_match(pt, path, i, dir);
}

/* Why a component is no pattern, or NULL. */
static const char *
comp_bad(const char *p)
{
	bool	 hit;
	size_t	 n;

	while (*p != '\0') {
		if (*p == '[') {
			if ((n = set_match(p + 1, 0, &hit)) == 0)
				return "bad set in brackets";
			p += n + 1;
		} else if (*p == '\\') {
			if (p[1] == '\0')
				return "backslash before nothing or a slash";
			p += 2;
		} else
			p++;
	}
	return NULL;
}

static int
rule_put(struct patt *pt, struct rule *r)
{
	if (more_room(&pt->v, pt->n, &pt->cap, sizeof(*pt->v)) < 0)
		return -ENOMEM;
	pt->v[pt->n++] = *r;
	return 0;
}

/* The line without its end's spaces, but one that a backslash quotes. */
static size_t
trim(const char *s, size_t n)
{
	size_t	 i, keep = 0;

	if (n > 0 && s[n - 1] == '\r')
		n--;
	for (i = 0; i < n; i++) {
		if (s[i] == '\\' && i + 1 < n)
			i++;
		else if (s[i] == ' ')
			continue;
		keep = i + 1;
	}
	return keep;
}

/* One line of n bytes; *why is set where it is a bad one. */
static int
line_add(struct patt *pt, const char *s, size_t n, const char **why)
{
	struct rule	 r = { 0 };
	char		*p;
	size_t		 i;
	int		 rc;

	*why = NULL;
	if (memchr(s, '\0', n) != NULL) {
		*why = "NUL byte";
		return -EINVAL;
	}
	if (s[0] == '#' || (n = trim(s, n)) == 0)
		return 0;
	if (s[0] == '!') {
		r.negate = true;
		s++;
		n--;
	}
	if (n > 0 && s[n - 1] == '/') {
		r.dir = true;
		n--;
	}
	r.anchored = memchr(s, '/', n) != NULL;
	if (n > 0 && s[0] == '/') {
		s++;
		n--;
	}
	if ((r.comps = p = calloc(n + 1, 1)) == NULL)
		return -ENOMEM;
	memcpy(p, s, n);
	for (i = r.n = 1; i <= n; i++)
		if (p[i - 1] == '/') {
			p[i - 1] = '\0';
			r.n++;
		}
	for (i = 0; i < r.n && *why == NULL; i++, p += strlen(p) + 1)
		*why = comp_bad(p);
	rc = *why != NULL ? -EINVAL : rule_put(pt, &r);
	if (rc < 0)
		free(r.comps);
	return rc;
}

int
patt_add(struct patt *pt, const char *text, size_t n, const char *name,
    struct err *e)
{
	const char	*s = text, *end = text + n, *q, *why;
	size_t		 line;
	int		 rc;

	for (line = 1; s < end; line++, s = q + 1) {
		if ((q = memchr(s, '\n', (size_t)(end - s))) == NULL)
			q = end;
		if (q == s)
			continue;
		if ((rc = line_add(pt, s, (size_t)(q - s), &why)) == -EINVAL)
			return err_setx(e, EINVAL, "%s: line %zu: %s", name,
			    line, why);
		if (rc < 0)
			return err_set(e, -rc, "%s", name);
	}
	return 0;
}

int
patt_new(struct patt **ptp, struct err *e)
{
	struct patt	*pt;
	struct buf	 b = BUF_INIT;
	const char	*p;
	size_t		 i;
	int		 rc;

	put_fmt(&b, "%s", builtin);
	for (i = 0; (p = derived_path(i)) != NULL; i++)
		put_fmt(&b, "/%s\n", p);
	if ((pt = calloc(1, sizeof(*pt))) == NULL || b.bad)
		rc = err_set(e, ENOMEM, "patterns");
	else
		rc = patt_add(pt, (const char *)b.p, b.len,
		    "built-in patterns", e);
	buf_free(&b);
	if (rc < 0) {
		patt_free(pt);
		pt = NULL;
	}
	*ptp = pt;
	return rc;
}

int
patt_one(struct patt **ptp, const char *pattern, struct err *e)
{
	const char	*why;
	int		 rc;

	if ((*ptp = calloc(1, sizeof(**ptp))) == NULL)
		return err_set(e, ENOMEM, "pattern");
	rc = line_add(*ptp, pattern, strlen(pattern), &why);
	if (rc < 0) {
		patt_free(*ptp);
		*ptp = NULL;
	}
	return rc == -EINVAL ? err_setx(e, EINVAL, "%s: %.100s", why,
	    pattern) : rc < 0 ? err_set(e, -rc, "pattern") : 0;
}

/* All of a file, up to PATT_MAX. */
static int
slurp(int fd, struct buf *b)
{
	uint8_t	*p;
	ssize_t	 k = 1;

	while (k > 0 && b->len <= PATT_MAX) {
		if ((p = buf_room(b, 4096)) == NULL)
			return -ENOMEM;
		if ((k = read(fd, p, 4096)) == -1) {
			if (errno != EINTR)
				return -errno;
			k = 1;
			continue;
		}
		b->len += (size_t)k;
	}
	return b->len > PATT_MAX ? -EFBIG : 0;
}

int
patt_load(struct patt **ptp, int tree, struct err *e)
{
	struct buf	 b = BUF_INIT;
	int		 fd, rc;

	if ((rc = patt_new(ptp, e)) < 0)
		return rc;
	/* Not waiting for a writer, should it be a fifo. */
	fd = path_open(tree, PATT_FILE, O_RDONLY | O_NONBLOCK);
	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	if (fd < 0 || (rc = slurp(fd, &b)) < 0)
		rc = err_set(e, fd < 0 ? -fd : -rc, "read %s", PATT_FILE);
	else
		rc = patt_add(*ptp, b.len > 0 ? (const char *)b.p : "", b.len,
		    PATT_FILE, e);
	if (fd >= 0)
		(void)close(fd);	/* only read */
	buf_free(&b);
	if (rc < 0) {
		patt_free(*ptp);
		*ptp = NULL;
	}
	return rc;
}

void
patt_free(struct patt *pt)
{
	size_t	 i;

	if (pt == NULL)
		return;
	for (i = 0; i < pt->n; i++)
		free(pt->v[i].comps);
	free(pt->v);
	free(pt);
}
