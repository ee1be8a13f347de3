/*
 * autoconf.h: lines of the configuration that say what is committed by
 * itself, how much may be written, and how much history is kept:
 * "autocommit", "budget", "churn", "keep", "keep-base", "keep-days", "on-shutdown".
 */
#ifndef AUTOCONF_H
#define AUTOCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"
#include "rules.h"

struct conf;
struct conf_at;

#define AUTO_QUIET	(INT64_C(300) * 1000000000)	/* ns, by default */
#define AUTO_MOST	(INT64_C(3600) * 1000000000)
#define AUTO_LEAST	(INT64_C(2) * 1000000000) /* of quiet: within it, a
					   program's next rename comes */
#define AUTO_CHURN	20		/* changes an hour, by default */

enum auto_shutdown {		/* with what no class commits */
	SHUTDOWN_WARN,
	SHUTDOWN_COMMIT,
	SHUTDOWN_IGNORE
};

struct auto_class {		/* one autocommit line */
	struct rule	 rule;		/* for which paths; its words are used
					   up */
	bool		 never;		/* nothing else counts then */
	bool		 shutdown;	/* at a clean shutdown */
	int64_t		 quiet;		/* ns; 0: not while the box runs */
	int64_t		 most;		/* ns; where quiet is not 0 */
};

struct autoconf {
	struct auto_class *v;		/* in the order of the lines */
	size_t		 n, cap;
	uint64_t	 budget;	/* bytes a day; 0: no limit */
	uint32_t	 churn;		/* changes an hour; 0: none is said */
	bool		 hold;		/* what churns is held back */
	bool		 shutdown_said;
	enum auto_shutdown shutdown;
	uint64_t	 keep;		/* generations; 0: none is said */
	unsigned	 days;		/* keep-days; 0: none is said */
	bool		 no_base;	/* keep-base no */
};

/* What conf.c's table of words has; `rest` is what follows the word. */
int	auto_line(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	auto_budget(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	auto_churn(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	auto_keep(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	auto_days(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	auto_base(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	auto_shutdown(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
void	autoconf_free(struct autoconf *);

/* The class of a path: of the last line that covers it, or NULL. */
const struct auto_class *auto_class(const struct autoconf *,
	    const char *path, bool dir);
/* Changes an hour from which on a path churns. */
uint32_t auto_churn_limit(const struct autoconf *);
/* Whether there is anything that is done while the box runs. */
bool	auto_wanted(const struct autoconf *);

#endif
