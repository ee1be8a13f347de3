/*
 * peer-talk.h: the sender's side of what peerwire.h describes, as a job of
 * the confined process.
 */
#ifndef PEER_TALK_H
#define PEER_TALK_H

#include "net.h"

/* Hands frames on to the peer and its answers back, one for each frame but
 * pieces of an offer. */
net_job	job_peer;

/*
 * Send a frame; with `want` wait for the answer, whose type must be in that
 * list.  *r is valid until the next call.  An "E" of the peer is -EIO with
 * its line.
 */
int	talk(struct net *, char type, const void *p, size_t len,
	    const char *want, char *got, struct rd *r, struct err *);

#endif
