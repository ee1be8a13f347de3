/*
 * setup.h: cfg setup: what is there on this machine, and the plan that comes
 * of it.  Facts are looked up in setup-look.c and setup-place.c; the plan
 * comes of them alone, so it can be tried for any machine.
 */
#ifndef SETUP_H
#define SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/err.h"
#include "walk.h"

#define SETUP_BLANK_MOST (64u << 20)	/* bytes of a partition that is taken
					   because it is blank */
#define SETUP_LEAST	(256u << 10)	/* and the least of one */
#define SETUP_FILE	(4u << 20)	/* bytes of a new file */

enum setup_holds {
	SETUP_NONE,		/* no such file: a new one */
	SETUP_BLANK,		/* zeros, wherever it was looked */
	SETUP_STORE,
	SETUP_OTHER
};

struct setup_place {		/* where a store is, or could be */
	char		*path;	/* owned; NULL: there is no such place */
	char		*name;	/* owned, as struct os_part */
	char		*id;	/* owned, as struct os_part */
	uint64_t	 size;	/* bytes of a device */
	bool		 file;
	bool		 used;	/* mounted, swapped to, part of something */
	bool		 fstab;	/* a line there names it */
	enum setup_holds holds;
	char		*what;	/* owned: of SETUP_OTHER, "swap space" */
};

enum setup_init {
	SETUP_NOINIT,
	SETUP_SYSTEMD,
	SETUP_OPENRC,
	SETUP_RC
};

struct facts {			/* strings are owned */
	/* What is asked for. */
	struct setup_place asked; /* --store */
	uint64_t	 size;	/* --size, or 0 */
	char		*basearg; /* --base, or NULL */
	/* The tree. */
	bool		 bsd;	/* as os_bsd() */
	char		*rundir;
	char		*mount;
	char		*tag;	/* its name in rundir: "etc" */
	char		*type, *from; /* of the file system that it is on */
	bool		 ram;	/* which is a RAM disk */
	bool		 ro;	/* and can't be written to */
	bool		 own;	/* it is mounted there itself */
	char		*conf_base; /* NanoBSD's base, where it is there */
	bool		 under;	/* below that RAM disk the root has one, too */
	char		*below;	/* something is mounted there, below the tree */
	char		*served; /* cfgfs serves it, from this store */
	struct setup_place now;	/* which is this */
	char		*served_base;
	char		*record; /* what cfg setup did is in this file */
	/* Where a store could be. */
	struct setup_place set;	/* the settings name it */
	char		*set_in; /* they are in this file */
	bool		 enabled; /* rc.conf has cfgfs_enable */
	struct setup_place *v;	/* partitions */
	size_t		 n;
	char		*cfg;	/* what fstab mounts noauto: "/cfg" */
	struct setup_place in_cfg; /* a file there */
	struct setup_place file; /* a file where one can be kept */
	/* What a boot has of ours. */
	enum setup_init	 init;
	struct strs	 units;	/* installed, and not enabled */
	struct strs	 on;	/* enabled */
	bool		 initramfs, dracut;
};

enum setup_kind {
	SETUP_MAKE,		/* the store */
	SETUP_IMPORT,		/* what /cfg has */
	SETUP_LINES,		/* settings */
	SETUP_ENABLE,		/* boot parts */
	SETUP_INITRD,
	SETUP_VIEW
};

struct setup_step {
	enum setup_kind	 kind;
	char		*say;	/* owned: a sentence or two */
	struct strs	 cmds;	/* that do it, for a shell */
};

struct setup {
	const struct facts *f;
	const struct setup_place *at; /* the store */
	char		*setting; /* owned: how the settings name it */
	char		*base;	/* owned */
	char		*image;	/* owned: the root is to be bound here, since
				   the base is hidden; or NULL */
	char		*record; /* owned: where it is noted down */
	bool		 guessed; /* nobody has named the store's place */
	bool		 hand;	/* the settings are the image's, and are to be
				   written there by hand */
	char		*conf;	/* owned: the file with the settings */
	struct strs	 lines;	/* that it lacks */
	struct setup_step v[6];
	size_t		 n;
	struct strs	 image_lines; /* of `hand`: "FILE: LINE" */
};

/* -errno: this can't be set up, and e says why. */
int	setup_plan(struct setup *, const struct facts *, struct err *);
/* The part of it that says what the store and the base are. */
int	setup_choose(struct setup *, struct err *);
void	setup_free(struct setup *);
/* Whether all is there already. */
bool	setup_done(const struct setup *);

/* Look: `store` and `base` are as the user said, or NULL. */
struct cfg;
int	facts_find(struct facts *, struct cfg *, const char *store,
	    const char *base, struct err *);
void	facts_free(struct facts *);

/* What is at p->path: of a device whether it is blank in its first
 * SETUP_BLANK_MOST bytes and at its end. */
int	place_look(struct setup_place *p, struct err *);
void	place_free(struct setup_place *);
/* All that facts have of places; the rest of them is there already. */
int	places_find(struct facts *, const char *store, struct err *);

/* Facts and plan as text: comments, and commands for a shell. */
struct buf;
void	setup_say(struct buf *, const struct setup *);

#endif
