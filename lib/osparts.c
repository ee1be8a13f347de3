/*
 * osparts.c: a list of partitions, and how FreeBSD's kernel tells it.
 *
 * kern.geom.confxml, geom(4): in each <class> its <name> and <geom>s; in
 * these <consumer>s, which refer to the provider that they are on, and
 * <provider>s with <mode> (who has it open), <name>, <mediasize> and, where
 * the class is PART, <label> and <rawuuid>.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "osdisk.h"

static void
part_free(struct os_part *p)
{
	free(p->dev);
	free(p->name);
	free(p->id);
}

void
os_parts_free(struct os_part *v, size_t n)
{
	while (n-- > 0)
		part_free(&v[n]);
	free(v);
}

int
os_parts_add(struct os_part **v, size_t *n, size_t *cap, struct os_part *p)
{
	if (p->dev == NULL || more_room(v, *n, cap, sizeof(**v)) < 0) {
		part_free(p);
		return -ENOMEM;
	}
	(*v)[(*n)++] = *p;
	return 0;
}

/* Runs of digits by their value: sda2 before sda10. */
static int
by_name(const void *va, const void *vb)
{
	static const char	 digits[] = "0123456789";
	const char	*a = ((const struct os_part *)va)->dev;
	const char	*b = ((const struct os_part *)vb)->dev;
	size_t		 m, n;

	for (;; a++, b++) {
		m = strspn(a, digits);
		n = strspn(b, digits);
		if (m != n && m > 0 && n > 0)
			return m < n ? -1 : 1;
		if (*a != *b || *a == '\0')
			return (unsigned char)*a - (unsigned char)*b;
	}
}

void
os_parts_sort(struct os_part *v, size_t n)
{
	if (n > 0)
		qsort(v, n, sizeof(*v), by_name);
}

struct span {			/* a piece of the text */
	const char	*p, *end;
};

/* The next element <name ...>...</name> within s, which then begins behind
 * it; its inside, and its attributes from the blank on. */
static bool
element(struct span *s, const char *name, struct span *in, struct span *attr)
{
	const char	*p = s->p, *gt, *close;
	char		 tag[32];
	size_t		 n = strlen(name);

	(void)snprintf(tag, sizeof(tag), "</%s>", name);
	while ((p = memchr(p, '<', (size_t)(s->end - p))) != NULL) {
		p++;
		if ((size_t)(s->end - p) <= n || memcmp(p, name, n) != 0 ||
		    (p[n] != '>' && p[n] != ' '))
			continue;
		gt = memchr(p, '>', (size_t)(s->end - p));
		if (gt == NULL || gt[-1] == '/')
			continue;
		close = memmem(gt, (size_t)(s->end - gt), tag, n + 3);
		if (close == NULL)
			break;
		*in = (struct span){ gt + 1, close };
		if (attr != NULL)
			*attr = (struct span){ p + n, gt };
		s->p = close + n + 3;
		return true;
	}
	s->p = s->end;
	return false;
}

/* The text of the first such element in s, as a new string; NULL: none, or
 * one with characters that have to be escaped. */
static char *
text(struct span s, const char *name)
{
	struct span	 in;

	if (!element(&s, name, &in, NULL) || in.p == in.end ||
	    memchr(in.p, '&', (size_t)(in.end - in.p)) != NULL)
		return NULL;
	return strndup(in.p, (size_t)(in.end - in.p));
}

static bool
is_text(struct span s, const char *name, const char *want)
{
	char	*t = text(s, name);
	bool	 yes = t != NULL && strcmp(t, want) == 0;

	free(t);
	return yes;
}

/* Whether anything but a name for it is on the provider of this id. */
static bool
consumed(struct span all, struct span id)
{
	struct span	 class, cons, p;
	char		*ref;
	bool		 yes = false;

	if (asprintf(&ref, "<provider ref%.*s/>", (int)(id.end - id.p) - 3,
	    id.p + 3) == -1)
		return true;
	while (!yes && element(&all, "class", &class, NULL)) {
		p = class;
		if (is_text(class, "name", "DEV") ||
		    is_text(class, "name", "LABEL"))
			continue;
		while (!yes && element(&p, "consumer", &cons, NULL))
			yes = memmem(cons.p, (size_t)(cons.end - cons.p), ref,
			    strlen(ref)) != NULL;
	}
	free(ref);
	return yes;
}

static int
provider(struct span all, struct span in, struct span id,
    struct os_part *p)
{
	char	*name = text(in, "name"), *size = text(in, "mediasize");
	char	*mode = text(in, "mode");
	int	 rc = -ENOENT;

	memset(p, 0, sizeof(*p));
	if (name != NULL && size != NULL) {
		rc = asprintf(&p->dev, "/dev/%s", name) == -1 ? -ENOMEM : 0;
		if (rc == 0) {
			p->size = strtoull(size, NULL, 10);
			p->name = text(in, "label");
			p->id = text(in, "rawuuid");
			p->used = mode == NULL ||
			    strcmp(mode, "r0w0e0") != 0 || consumed(all, id);
		}
	}
	free(name);
	free(size);
	free(mode);
	return rc;
}

int
geom_parts(const char *xml, struct os_part **v, size_t *n, struct err *e)
{
	struct span	 all = { xml, xml + strlen(xml) }, rest = all;
	struct span	 class, in, id;
	struct os_part	 p;
	size_t		 cap = 0;
	int		 rc = 0;

	*v = NULL;
	*n = 0;
	while (rc == 0 && element(&rest, "class", &class, NULL)) {
		if (!is_text(class, "name", "PART"))
			continue;
		while (rc == 0 && element(&class, "provider", &in, &id)) {
			rc = provider(all, in, id, &p);
			if (rc == 0)
				rc = os_parts_add(v, n, &cap, &p);
			else if (rc == -ENOENT)
				rc = 0;
		}
	}
	if (rc < 0) {
		os_parts_free(*v, *n);
		*v = NULL;
		*n = 0;
		return err_set(e, -rc, "kern.geom.confxml");
	}
	os_parts_sort(*v, *n);
	return 0;
}
