/*
 * auto.h: the process that commits by itself.
 *
 * It reads the journal every few seconds, which is in RAM and small: so the
 * daemon knows nothing of it, and the flash is left alone until something
 * is due.  It holds nothing open in the view, which may be unmounted any
 * time.
 */
#ifndef AUTO_H
#define AUTO_H

#include <stdbool.h>
#include <stdint.h>

#include "autoplan.h"
#include "cfg.h"
#include "conf.h"

#define AUTO_KIND	"auto"		/* of process, see bg.h */

struct autos {
	struct cfg	*c;
	struct conf	 conf;
	struct plan	 plan;
	int64_t		 backoff;	/* ns until what was refused is tried
					   again; grows */
	char		 last[512];	/* what the log was told */
};

/* --- autostate.c: STATEDIR/auto/state, in RAM */

/* What was saved; empty where nothing was, or what is there is damaged. */
int	autostate_load(struct plan *, const char *statedir, struct err *);
int	autostate_save(const struct plan *, const char *statedir,
	    struct err *);

/* --- autorun.c */

/*
 * Commit what plan_decide() has marked, as far as it differs from the head;
 * afterwards the plan says what came of it.  -errno: it is to be tried
 * again later, and nothing was decided.
 */
int	auto_commit(struct autos *, int64_t now, struct err *);
/* A line to the log, once. */
void	auto_tell(struct autos *, int level, const char *line);

/* --- auto.c */

/* The process in the background: gives an exit code. */
int	auto_process(struct cfg *);

#endif
