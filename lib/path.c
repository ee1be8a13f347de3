/*
 * path.c: paths inside a tree, and reaching them without names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "path.h"

#ifndef O_PATH			/* FreeBSD before 13.1 */
#define O_PATH O_RDONLY
#endif

static bool
name_ok(const char *p, size_t n)
{
	if (n == 0 || n > PATH_NAME_MAX)
		return false;
	if (p[0] == '.' && (n == 1 || (n == 2 && p[1] == '.')))
		return false;
	return memchr(p, '\0', n) == NULL;
}

bool
path_ok(const char *p, size_t n)
{
	const char	*slash;
	size_t		 k;

	if (n == 0)
		return true;
	if (n > PATH_LIMIT)
		return false;
	for (;;) {
		slash = memchr(p, '/', n);
		k = slash == NULL ? n : (size_t)(slash - p);
		if (!name_ok(p, k))
			return false;
		if (slash == NULL)
			return true;
		p += k + 1;
		n -= k + 1;
	}
}

int
path_cmp(const char *a, const char *b)
{
	unsigned char	 x, y;

	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	x = (unsigned char)*a;
	y = (unsigned char)*b;
	if (x == y)
		return 0;
	if (x == '\0' || y == '\0')
		return x == '\0' ? -1 : 1;
	if (x == '/' || y == '/')
		return x == '/' ? -1 : 1;
	return x < y ? -1 : 1;
}

bool
path_within(const char *path, const char *dir)
{
	size_t	 n = strlen(dir);

	if (n == 0)
		return true;
	return strncmp(path, dir, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/');
}

const char *
path_base(const char *path)
{
	const char	*slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

char *
path_join(const char *dir, const char *name)
{
	size_t	 n = strlen(dir), k = strlen(name);
	char	*p;

	if ((p = malloc(n + k + 2)) == NULL)
		return NULL;
	memcpy(p, dir, n);
	if (n > 0 && k > 0)
		p[n++] = '/';
	memcpy(p + n, name, k + 1);
	return p;
}

int
path_parent(int root, const char *path, const char **name)
{
	char		 part[PATH_NAME_MAX + 1];
	const char	*slash;
	size_t		 k;
	int		 fd, next, saved;

	if ((fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return -errno;
	*name = ".";
	if (*path == '\0')
		return fd;
	while ((slash = strchr(path, '/')) != NULL) {
		k = (size_t)(slash - path);
		if (!name_ok(path, k)) {
			(void)close(fd);
			return -EINVAL;
		}
		memcpy(part, path, k);
		part[k] = '\0';
		next = openat(fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW |
		    O_CLOEXEC);
		saved = errno;
		(void)close(fd);
		if (next == -1)
			return -saved;
		fd = next;
		path = slash + 1;
	}
	if (!name_ok(path, strlen(path))) {
		(void)close(fd);
		return strlen(path) > PATH_NAME_MAX ? -ENAMETOOLONG : -EINVAL;
	}
	*name = path;
	return fd;
}

int
path_open(int root, const char *path, int flags)
{
	const char	*name;
	int		 dfd, fd;

	if ((dfd = path_parent(root, path, &name)) < 0)
		return dfd;
	fd = openat(dfd, name, flags | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		fd = -errno;
	(void)close(dfd);
	return fd;
}

size_t
utf8_get(const char *str, uint32_t *cp)
{
	const unsigned char	*s = (const unsigned char *)str;
	uint32_t		 c, least;
	size_t			 n, i;

	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		n = 2;
		c = s[0] & 0x1fu;
		least = 0x80;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		c = s[0] & 0x0fu;
		least = 0x800;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		n = 4;
		c = s[0] & 0x07u;
		least = 0x10000;
	} else
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return n;
}

bool
utf8_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		return false;
	/* Nor what turns a line of text around: bidi, line separators. */
	return !((c >= 0x200e && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069));
}

char *
path_vis(const char *path)
{
	const unsigned char	*s = (const unsigned char *)path;
	struct buf		 b = BUF_INIT;
	bool			 quote = false;
	uint32_t		 c;
	size_t			 n;

	put_u8(&b, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\') {
			put_fmt(&b, "\\%c", *s);
			quote = true;
		} else if (*s == '\n' || *s == '\t') {
			put_fmt(&b, "\\%c", *s == '\n' ? 'n' : 't');
			quote = true;
		} else if ((n = utf8_get((const char *)s, &c)) > 0 &&
		    utf8_printable(c)) {
			put_bytes(&b, s, n);
			s += n - 1;
		} else {
			put_fmt(&b, "\\%03o", (unsigned)*s);
			quote = true;
		}
	}
	put_u8(&b, '"');
	put_u8(&b, '\0');
	if (b.bad) {
		buf_free(&b);
		return NULL;
	}
	if (!quote) {
		/* Without the quotes: shift, and cut the closing one. */
		memmove(b.p, b.p + 1, b.len - 1);
		b.p[b.len - 3] = '\0';
	}
	return (char *)b.p;
}
