/*
 * rules.h: lines of the configuration that say what is to be run for which
 * paths: "check", "reload", and "time-limit".
 */
#ifndef RULES_H
#define RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "../lib/err.h"
#include "patt.h"
#include "walk.h"

struct conf;
struct conf_at;

struct rule {
	struct patt	*patt;	/* owned: for which paths */
	struct strs	 cmd;	/* the command's words, with %p, %r and %% in
				   them; none: "check PATTERN none" */
};

struct rules {			/* each list in the order of the lines */
	struct rule	*check;
	size_t		 ncheck, check_cap;
	struct rule	*reload;
	size_t		 nreload, reload_cap;
	unsigned	 seconds;	/* time-limit; 0: none is said */
};

/* What conf.c's table of words has; `rest` is what follows the word. */
int	rules_check(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	rules_reload(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	rules_limit(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
void	rules_free(struct rules *);

/* The limit in seconds that counts. */
unsigned rules_seconds(const struct rules *);
/* For other lines that begin with a pattern: make it of the first word,
 * which is taken out.  -EINVAL says why it is none. */
int	rule_pattern(struct rule *, const struct conf_at *, struct err *);
/* Whether the pattern of a rule covers this path, or one above it. */
bool	rule_covers(const struct rule *, const char *path, bool dir);

/*
 * Words as a shell would cut them, but nothing else: blanks between them,
 * '...' and "..." around what has blanks, a "#" outside of these ends the
 * line.  A backslash is a backslash.  *why is set on -EINVAL.
 */
int	words_cut(const char *line, struct strs *, const char **why);

/*
 * A word with the file's absolute path for %p, the tree's root for %r and
 * a percent for %%.  A new string, or NULL: out of memory.
 */
char	*word_expand(const char *word, const char *file, const char *root);
/* Each of them so; a NULL that is not counted ends argv.  -ENOMEM. */
int	words_expand(const struct strs *, const char *file, const char *root,
	    struct strs *argv);
bool	words_same(const struct strs *, const struct strs *);
/* Whether %p is in one of the words. */
bool	words_name_file(const struct strs *);

#endif
