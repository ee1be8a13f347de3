/*
 * cand.h: inside of pend: the paths that were compared, while it is not
 * known yet which of them are pending.
 */
#ifndef CAND_H
#define CAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fold.h"
#include "links.h"
#include "pend.h"
#include "walk.h"

struct cand {
	struct pent	 p;
	bool		 differ;	/* by itself, not by its links */
	uint64_t	 ino;	/* running inode where it has other names */
	uint64_t	 bino;	/* the base's likewise; 0: it has none */
};

struct finder {
	struct walk_at	 run;	/* the running tree */
	struct walk_at	 base;	/* the base, where there is one */
	struct pers	 pers;	/* near is base */
	char		*buf;	/* owned: to read both into; NULL: not yet */
	const struct patt *ignore;	/* or NULL */
	struct fold	 fold;
	struct cand	*v;	/* those that differ, and all that are linked */
	size_t		 n, cap;
	struct strs	 ign;	/* differ, but are left out; as walk_list() */
	size_t		 nsock, nhidden;
	struct links	 rl, bl, ol;	/* of running, base, overlay: ino is
					   the link number there */
	struct err	*e;
};

/* Where path has a directory. */
#define CAND_RUN	0x1u
#define CAND_WAS	0x2u

/*
 * Compare one path, and put it on the list where it differs or is linked.
 * *dirs says whether to look below; 0 too where it is left out.
 */
int	cand_compare(struct finder *, const char *path, unsigned *dirs);
/* Whether running and persisted differ in content, both being regular
 * files of one size: 1, 0 or -errno. */
int	cand_content(struct finder *, const char *path, const struct ent *was,
	    bool was_base);
/* Fill in hash and size of the regular file e in this tree of the finder;
 * not where it is gone, or not this user's to read. */
int	cand_hash(struct finder *, struct walk_at *tree, struct ent *e);
/* Compare all that is linked with what is on the list, then see whose
 * hard-link group differs; the list is then in order. */
int	cand_links(struct finder *);
/* Whether the running group of c is the base's. */
bool	cand_base_group(const struct finder *, const struct cand *c);

#endif
