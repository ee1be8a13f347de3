/*
 * towrite.c: opening the store for a commit.
 */
#include "conf.h"
#include "out.h"
#include "towrite.h"

#define DAY	INT64_C(86400000000000)	/* ns */

/* How much is kept is the store's own affair where it is on its own. */
static void
keep(const struct cfg *c, struct store *s)
{
	struct conf	 conf;
	struct err	 ignored;
	uint64_t	 least;
	int64_t		 since;

	if (c->storepath != NULL || conf_read(&conf, cfg_root(c),
	    &ignored) < 0)
		return;
	least = conf.autos.keep == 0 ? STORE_KEEP : conf.autos.keep;
	since = conf.autos.days == 0 ? 0 : out_now() -
	    (int64_t)conf.autos.days * DAY;
	if (conf.autos.keep != 0 || conf.autos.days != 0)
		store_keep(s, least, since);
	conf_free(&conf);
}

int
towrite_open(struct towrite *t, const struct cfg *c, struct err *e)
{
	int	 rc = cfg_open(c, true, &t->st, e);

	if (rc == 0)
		keep(c, t->st.s);
	return rc;
}

int
towrite_close(struct towrite *t, const struct cfg *c, uint64_t *window_ns,
    struct err *e)
{
	(void)c;
	return cfg_close(&t->st, window_ns, e);
}
