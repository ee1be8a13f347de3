/*
 * peer-tag.c: the generations that two boxes have agreed on, as tags.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peerset.h"

#define PREFIX	"peer."
#define HEX	"0123456789abcdef"

/* The number behind the last dot, of which there are n bytes. */
static bool
last_hex(const char *s, size_t *n, uint64_t *v)
{
	size_t	 i = *n, k;

	while (i > 0 && s[i - 1] != '.')
		i--;
	k = *n - i;
	if (i == 0 || k == 0 || k > 16 || strspn(s + i, HEX) < k)
		return false;
	*v = strtoull(s + i, NULL, 16);
	*n = i - 1;
	return true;
}

bool
pair_parse(struct pair *p, const char *tag, uint64_t gen)
{
	size_t	 n = strlen(tag), least = strlen(PREFIX);

	memset(p, 0, sizeof(*p));
	if (n >= sizeof(p->tag) || strncmp(tag, PREFIX, least) != 0)
		return false;
	memcpy(p->tag, tag, n);
	p->mine = gen;
	if (!last_hex(tag, &n, &p->theirs) || !last_hex(tag, &n, &p->id) ||
	    n + 1 < least)
		return false;
	if (n > least) {
		if (n - least > PEER_NAME)
			return false;
		memcpy(p->name, tag + least, n - least);
	}
	return p->id != 0;
}

bool
pair_at(const struct store *s, uint64_t id, size_t i, struct pair *p)
{
	const char	*tag;
	uint64_t	 gen;
	size_t		 k;

	for (k = 0; store_tag_at(s, k, &tag, &gen); k++)
		if (pair_parse(p, tag, gen) && (id == 0 || p->id == id) &&
		    i-- == 0)
			return true;
	memset(p, 0, sizeof(*p));
	return false;
}

bool
pair_newest(const struct store *s, uint64_t id, struct pair *p)
{
	struct pair	 q;
	size_t		 i;

	memset(p, 0, sizeof(*p));
	for (i = 0; pair_at(s, id, i, &q); i++)
		if (q.mine > p->mine || (q.mine == p->mine &&
		    q.theirs > p->theirs))
			*p = q;
	return i > 0;
}

static int
keep(struct store *s, uint64_t id, const char *name, uint64_t mine,
    uint64_t theirs, bool alone, struct err *e)
{
	struct pair	 old, p;
	char		 tag[sizeof(p.tag)];
	size_t		 i = 0;
	int		 n, rc;

	if (name == NULL)
		name = pair_newest(s, id, &old) ? old.name : "";
	n = snprintf(tag, sizeof(tag), PREFIX "%s%s%" PRIx64 ".%" PRIx64,
	    name, *name == '\0' ? "" : ".", id, theirs);
	if (n < 0 || (size_t)n >= sizeof(tag))
		return err_set(e, ENAMETOOLONG, "%s", name);
	for (; pair_at(s, id, i, &p); i++)
		if (strcmp(p.tag, tag) == 0 && p.mine == mine)
			break;
	rc = p.id != 0 ? 0 : store_tag(s, tag, mine, e);
	for (i = 0; rc == 0 && alone && pair_at(s, id, i, &p);)
		if (strcmp(p.tag, tag) == 0)
			i++;
		else
			rc = store_tag(s, p.tag, 0, e);
	return rc;
}

int
pair_keep(struct cfg *c, uint64_t id, const char *name, uint64_t mine,
    uint64_t theirs, bool alone, struct err *e)
{
	struct cfg_store	 st;
	int			 rc;

	if (mine == 0)
		return 0;		/* nothing is no generation */
	if ((rc = cfg_open(c, true, &st, e)) < 0)
		return rc;
	rc = keep(st.s, id, name, mine, theirs, alone, e);
	return cfg_end(&st, -1, rc, e);
}
