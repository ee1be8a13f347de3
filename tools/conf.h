/*
 * conf.h: the configuration of the tools, cfgconfig(5): mirrors, a store on
 * another host, and what is to be run when.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/err.h"
#include "autoconf.h"
#include "peerconf.h"
#include "rules.h"

#define CONF_TIMEOUT	30		/* seconds, where none is said */

struct conf_far {		/* one mirror, or the store; strings owned */
	char	*name;		/* of a mirror; of the store "store" */
	char	*url;
	char	*key;		/* option key=, or NULL */
	char	*known;		/* known-hosts= */
	char	*encrypt;	/* encrypt= */
	const char *subsystem;	/* of a peer, else NULL; not owned */
	bool	 manual;	/* no push after a commit */
	int	 timeout;	/* seconds of silence that are borne */
};

struct conf {
	struct conf_far	*mirror;
	size_t		 n;
	struct conf_far	 store;	/* url NULL: there is no such line */
	struct rules	 rules;	/* check, reload, time-limit */
	struct autoconf	 autos;	/* autocommit, budget, churn, keep, ... */
	struct peers	 peers;	/* peer, peer-exclude, peer-subst */
};

/*
 * Read ROOT/cfgfs/config; one that is not there is empty.  -EINVAL:
 * "FILE:LINE: why".
 */
int	conf_read(struct conf *, const char *root, struct err *);
void	conf_free(struct conf *);
void	conf_far_free(struct conf_far *);

/* For modules that have words in the table of conf.c. */
struct conf_at {		/* where a line is */
	const char	*file;
	unsigned	 line;
};
/* -EINVAL, and "FILE:LINE: why: word"; `word` may be NULL. */
int	conf_wrong(const struct conf_at *, struct err *, const char *why,
	    const char *word);
/* One word of a mirror's or a peer's options; -EINVAL where it is none. */
int	conf_option(struct conf_far *, const char *word,
	    const struct conf_at *, struct err *);
/* 1 to 3600 seconds. */
int	conf_seconds(int *, const char *word, const struct conf_at *,
	    struct err *);

/* By name, or NULL. */
struct conf_far *conf_mirror(struct conf *, const char *name);
/* By URL, the store first, or NULL. */
struct conf_far *conf_url(struct conf *, const char *url);

/*
 * Add a line for a mirror, or take the one of this name out: as an editor
 * saves, comments and all else kept.  -EEXIST, -ENOENT; -EINVAL where a
 * value can't be in a line.
 */
int	conf_add(const char *root, const struct conf_far *, struct err *);
int	conf_remove(const char *root, const char *name, struct err *);

/* Whether it can name a mirror: letters, digits, ".", "_", "-", at most
 * 64, a letter or digit first. */
bool	conf_name_ok(const char *);

#endif
