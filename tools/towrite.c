/*
 * towrite.c: opening the store for a commit.
 */
#include <syslog.h>

#include "conf.h"
#include "out.h"
#include "towrite.h"
#include "wear.h"

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
	    (int64_t)conf.autos.days * WEAR_DAY;
	if (conf.autos.keep != 0 || conf.autos.days != 0)
		store_keep(s, least, since);
	conf_free(&conf);
}

bool
towrite_keep_base(const struct cfg *c)
{
	struct conf	 conf;
	struct err	 ignored;
	bool		 yes = true;

	if (conf_read(&conf, cfg_root(c), &ignored) == 0) {
		yes = !conf.autos.no_base;
		conf_free(&conf);
	}
	return yes;
}

int
towrite_open(struct towrite *t, const struct cfg *c, struct err *e)
{
	const char	*store = c->storepath == NULL ? c->inst.store :
			    c->storepath;
	int		 rc;

	t->dev = 0;
	t->counts = wear_device(store, &t->dev, &t->device);
	if ((rc = cfg_open(c, true, &t->st, e)) < 0)
		return rc;
	/* A slice that is mounted for this alone is there only now. */
	if (!t->counts)
		t->counts = wear_device(store, &t->dev, &t->device);
	keep(c, t->st.s);
	return 0;
}

/* That something was writable is never left untold. */
static void
log_window(const struct cfg *c, uint64_t ns)
{
	openlog("cfg", LOG_PID, LOG_DAEMON);
	syslog(LOG_NOTICE, "%s: the slice of %s was writable for %llu ms",
	    c->verb, c->storepath == NULL ? c->inst.store : c->storepath,
	    (unsigned long long)((ns + 999999) / 1000000));
	closelog();
}

int
towrite_close(struct towrite *t, const struct cfg *c, uint64_t *window_ns,
    struct err *e)
{
	struct wear_line	 l = { .time = out_now() };
	struct store_space	 sp = { 0 };
	uint64_t		 now, window = 0;
	int			 rc;

	if (t->st.s != NULL)
		store_space(t->st.s, &sp);
	l.bytes = sp.written;
	rc = cfg_close(&t->st, &window, e);
	if (window_ns != NULL)
		*window_ns = window;
	else if (window > 0)
		log_window(c, window);
	if (l.bytes == 0)
		return rc;
	if (t->counts && wear_device(NULL, &t->dev, &now) && now > t->device)
		l.device = now - t->device;
	wear_note(c, &l);
	return rc;
}
