/*
 * cfg.h: what every verb of cfg gets.
 */
#ifndef CFG_H
#define CFG_H

#include <getopt.h>
#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"
#include "../lib/inst.h"
#include "../lib/io.h"
#include "../sync/slice.h"
#include "../sync/store.h"

#define CFG_VERSION	"0.1"

#define EX_OK		0
#define EX_NO		1	/* "no": differences, damage, pending */
#define EX_FAIL		2	/* failed, one line said why */
#define EX_MISUSE	64	/* usage */

struct cfg {
	const char	*verb;		/* argv[0] of the verb, for messages */
	const char	*mountpt;	/* -m, or "/etc" */
	const char	*storepath;	/* -s: work on this store alone; or NULL */
	const char	*base;		/* --base of a restore: it has the
					   configuration then; or NULL */
	char		**argv;		/* of the program, untouched by getopt:
					   see remote.h */
	bool		 json;		/* --json */
	bool		 color;		/* colour was asked for, or a terminal */
	struct inst	 inst;		/* valid where storepath is NULL and
					   cfg_inst() succeeded */
};

struct cmd {
	const char	*name;
	/* argv[0] is the verb; getopt is reset.  Gives an exit code. */
	int		(*fn)(struct cfg *, int argc, char **argv);
	const char	*usage;		/* its arguments, one line */
	const char	*what;		/* what it does, one line */
};

/* The table, in the order that --help shows; ends with a NULL name. */
extern const struct cmd cfg_cmds[];

/* Print "cfg: VERB: e->msg" to stderr, give EX_FAIL. */
int	cfg_fail(const struct cfg *, const struct err *);
/* The same from a format. */
int	cfg_failx(const struct cfg *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));
/* Print the verb's usage to stderr, give EX_MISUSE. */
int	cfg_usage(const struct cfg *);
/* A warning to stderr: "cfg: VERB: ...". */
void	cfg_warn(const struct cfg *, const char *, ...)
	    __attribute__((format(printf, 2, 3)));

/* Fill in c->inst for c->mountpt. */
int	cfg_inst(struct cfg *, struct err *);
/* The same for the instance that has this store, under whatever name; all
 * zeros where there is none. */
void	cfg_served(struct cfg *, const char *store);

/* The tree that has the configuration, as cfgfs/config. */
const char *cfg_root(const struct cfg *);

/*
 * Turn an argument of the user's into a path inside the tree: absolute
 * below the mount point, or relative to the current directory where that
 * lies below the mount point, else relative to the tree's root.  A new
 * string in *path; -EINVAL where it can't be one.
 */
int	cfg_path(const struct cfg *, const char *arg, char **path,
	    struct err *);

/* How many arguments are behind "--": ask before getopt(3) moves them. */
int	cfg_behind(int argc, char **argv);

/* The store that this run works on, opened; released by cfg_close(),
 * which may be called on one that is all zeros, too. */
struct cfg_store {
	struct slice	*slice;		/* NULL: on another host */
	struct io	*io;
	struct store	*s;
};
/*
 * For verbs that only read: the store of -s, or that of the instance,
 * which is then filled in.
 */
int	cfg_read(struct cfg *, struct cfg_store *, struct err *);
/*
 * The base: `dir`, or where that is NULL the instance's; *fd is -1 where
 * neither is there.
 */
extern const struct option cfg_base_opt[];	/* "--base dir": 'b' */
int	cfg_base(const struct cfg *, const char *dir, int *fd, struct err *);
/* Says on stderr what opening found damaged (store_damage()). */
int	cfg_open(const struct cfg *, bool write, struct cfg_store *,
	    struct err *);
int	cfg_close(struct cfg_store *, uint64_t *window_ns, struct err *);
/*
 * Close both, `base` where it is not -1, after what gave rc: the result is
 * rc, or where that is no error that of closing.
 */
int	cfg_end(struct cfg_store *, int base, int rc, struct err *);

/*
 * A generation as the user names it: "@0" and "@head" the head, "@-1" the
 * one before, "@N" or "N" generation N, "@base" 0, "@trial" STORE_TRIAL, a
 * tag or "@TAG" that of the tag.  -ENOENT where there is none, -EINVAL
 * where it is no such name.
 */
int	cfg_gen(struct store *, const char *arg, uint64_t *gen, struct err *);
/* Append "generation 7", "the base", "the trial". */
void	cfg_put_gen(struct buf *, uint64_t gen);
/* Append " (TAG, TAG)", the tags of it, if there are any. */
void	cfg_put_tags(struct buf *, const struct store *, uint64_t gen);

/*
 * A login name for a uid, or the number: a string that is valid until
 * the next call.  (cfg may look users up; cfgfs may not.)
 */
const char *cfg_user(uint32_t uid);

/* The verbs, one in each file cmd-NAME.c. */
int	cmd_init(struct cfg *, int, char **);
int	cmd_setup(struct cfg *, int, char **);
int	cmd_restore(struct cfg *, int, char **);
int	cmd_status(struct cfg *, int, char **);
int	cmd_diff(struct cfg *, int, char **);
int	cmd_commit(struct cfg *, int, char **);
int	cmd_confirm(struct cfg *, int, char **);
int	cmd_cancel(struct cfg *, int, char **);
int	cmd_trial(struct cfg *, int, char **);
int	cmd_check(struct cfg *, int, char **);
int	cmd_auto(struct cfg *, int, char **);
int	cmd_revert(struct cfg *, int, char **);
int	cmd_resolve(struct cfg *, int, char **);
int	cmd_pin(struct cfg *, int, char **);
int	cmd_rollback(struct cfg *, int, char **);
int	cmd_reset(struct cfg *, int, char **);
int	cmd_log(struct cfg *, int, char **);
int	cmd_show(struct cfg *, int, char **);
int	cmd_blame(struct cfg *, int, char **);
int	cmd_tag(struct cfg *, int, char **);
int	cmd_verify(struct cfg *, int, char **);
int	cmd_wear(struct cfg *, int, char **);
int	cmd_import(struct cfg *, int, char **);
int	cmd_export(struct cfg *, int, char **);
int	cmd_mirror(struct cfg *, int, char **);
int	cmd_peer(struct cfg *, int, char **);

#endif
