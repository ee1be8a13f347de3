/*
 * peerconf.h: lines of the configuration that are about a peer, the other
 * box of a pair: "peer", "peer-exclude", "peer-subst".
 */
#ifndef PEERCONF_H
#define PEERCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../lib/buf.h"
#include "../lib/err.h"
#include "patt.h"

struct conf;
struct conf_at;
struct conf_far;

#define PEER_NAME	16	/* letters of the longest name: it is in a tag */
#define PEER_TRIAL	300	/* seconds, where none is said */
#define PEER_LEAST	10	/* the shortest trial, and the longest */
#define PEER_MOST	3600

struct peer {
	struct conf_far	*far;	/* owned; url is as SSH's part wants it */
	char		*url;	/* owned; as the user wrote it */
	unsigned	 trial;	/* seconds that the peer waits for us */
};

struct subst {
	struct patt	*patt;	/* owned: in which files */
	char		*here;	/* owned: this text is */
	char		*there;	/* owned: that one on the peer */
};

struct peers {
	struct peer	*v;
	size_t		 n, cap;
	struct buf	 exclude; /* patterns, a line each */
	struct subst	*subst;	/* in the order of the lines */
	size_t		 nsubst, subst_cap;
};

/* What conf.c's table of words has; `rest` is what follows the word. */
int	peer_line(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	peer_exclude(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
int	peer_subst(struct conf *, char *rest, const struct conf_at *,
	    struct err *);
void	peers_free(struct peers *);

/* By name or URL, or NULL. */
const struct peer *peer_find(const struct peers *, const char *arg);

/* A peer that the configuration does not have: the URL is its name, too.
 * Ends with peer_free().  -EINVAL where it is none. */
int	peer_of_url(struct peer *, const char *url, struct err *);
void	peer_free(struct peer *);

/* What never crosses: built in, and by lines.  The caller frees it. */
int	peers_excluded(const struct peers *, struct patt **, struct err *);

/*
 * Append the content of a file as the peer has it.  A text is not replaced
 * within a longer word or number, and what was put in is not looked at
 * again: so two names can change places.
 */
void	peers_subst(const struct peers *, const char *path, const uint8_t *,
	    size_t n, struct buf *out);

#endif
