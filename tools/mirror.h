/*
 * mirror.h: what the parts of "cfg mirror" share.
 */
#ifndef TOOLS_MIRROR_H
#define TOOLS_MIRROR_H

#include <stdbool.h>

#include "cfg.h"
#include "conf.h"
#include "net.h"

/* What was asked for behind "cfg mirror VERB". */
struct margs {
	struct cfg	*c;
	struct conf	 conf;		/* as the configuration has it */
	struct conf_far	 opt;		/* of the command line; borrowed */
	bool		 force;		/* -f */
	bool		 whole;		/* --whole */
	bool		 dry;		/* -n */
	bool		 peer;		/* --peer */
	char		**v;		/* names, URLs, files */
	int		 n;
};

/* ROOT/cfgfs, where relative names of keys are; a new string. */
char	*mirror_conf_dir(const struct cfg *);
/*
 * A connection to this mirror (or store), options of the command line
 * (NULL: none) first.
 */
int	mirror_connect(struct net **, const struct cfg *,
	    const struct conf_far *, const struct conf_far *opt, bool ask,
	    struct err *);
/* A relative name of a file, in the configuration's directory; a new
 * string, NULL of NULL. */
int	mirror_file(const struct cfg *, const char *name, char **,
	    struct err *);

/*
 * Push to one mirror, and note in the state directory how that went.
 * Prints the line that says so; quiet: nothing.  0 or -errno.
 */
int	mirror_push(struct margs *, const struct conf_far *, bool quiet,
	    struct err *);
/* Offer the head to peers, as the arguments name them: an exit code. */
int	peer_push(struct margs *);
/* 1: it differs, said line by line. */
int	mirror_verify(struct margs *, const struct conf_far *, struct err *);
/* Bring the store what the mirror has, and it lacks. */
int	mirror_pull(struct margs *, const struct conf_far *, struct err *);

/*
 * A new store at `path`, or an old one brought up to date, from a store on
 * another host.  *made: it is new.
 */
int	pull_into(struct cfg *, const struct conf_far *,
	    const struct conf_far *opt, const char *path, bool force,
	    bool *made, uint64_t *gen, struct err *);
/* For --json: which generation NAME, of this kind, has now. */
void	say_here(const char *kind, const char *name, uint64_t gen);

/* Push in the background until every mirror is up to date. */
int	mirror_auto(struct margs *);
/* For status: a line for each mirror, head being the store's; or, with
 * --json, what follows in the object. */
int	mirror_lag(struct margs *, uint64_t head);
int	mirror_status(struct margs *);

#endif
