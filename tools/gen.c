/*
 * gen.c: generations as people name them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cfg.h"

/* A number: 1, 0 where it is none, or -errno. */
static int
by_number(struct store *s, const char *arg, uint64_t *gen, struct err *e)
{
	const uint64_t	 head = store_head(s), oldest = store_oldest(s);
	const char	*p = arg + (*arg == '@');
	bool		 back = *arg == '@' && *p == '-';
	char		*end;
	uint64_t	 n, k;
	size_t		 i;

	p += back;
	errno = 0;
	n = *p >= '0' && *p <= '9' ? strtoull(p, &end, 10) : 0;
	if (*p < '0' || *p > '9' || *end != '\0' || errno != 0)
		return 0;
	if (back && n > head)
		return err_setx(e, ENOENT, "%.100s: there are %" PRIu64
		    " generations", arg, head);
	if (back)
		n = head - n;
	for (i = 0; n < oldest && store_kept(s, i, &k); i++)
		if (k == n)
			break;
	if (n > head || (n < oldest && n != 0 && k != n))
		return err_setx(e, ENOENT, "%.100s: the store has "
		    "generations %" PRIu64 " to %" PRIu64, arg, oldest, head);
	*gen = n;
	return 1;
}

int
cfg_gen(struct store *s, const char *arg, uint64_t *gen, struct err *e)
{
	const char	*name, *p = arg + (*arg == '@');
	struct trial	 t;
	size_t		 i;
	int		 rc;

	*gen = store_head(s);
	if (strcmp(arg, "@head") == 0 || strcmp(arg, "@0") == 0)
		return 0;
	if (strcmp(arg, "@base") == 0) {
		*gen = 0;
		return 0;
	}
	if (strcmp(arg, "@trial") == 0) {
		*gen = STORE_TRIAL;
		if ((rc = store_trial_info(s, &t, e)) == 0)
			trial_free(&t);
		return rc;
	}
	for (i = 0; store_tag_at(s, i, &name, gen); i++)
		if (strcmp(name, p) == 0)
			return 0;
	rc = by_number(s, arg, gen, e);
	return rc == 0 ? err_setx(e, EINVAL, "%.100s: not a generation", arg) :
	    rc < 0 ? rc : 0;
}

void
cfg_put_gen(struct buf *b, uint64_t gen)
{
	if (gen == 0)
		put_fmt(b, "the base");
	else if (gen == STORE_TRIAL)
		put_fmt(b, "the trial");
	else
		put_fmt(b, "generation %" PRIu64, gen);
}

void
cfg_put_tags(struct buf *b, const struct store *s, uint64_t gen)
{
	const char	*name;
	uint64_t	 g;
	size_t		 i, n = 0;

	for (i = 0; store_tag_at(s, i, &name, &g); i++)
		if (g == gen)
			put_fmt(b, "%s%s", n++ == 0 ? " (" : ", ", name);
	if (n > 0)
		put_fmt(b, ")");
}
