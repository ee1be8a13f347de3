/*
 * touch.h: the daemon's end of the change journal: what is touched is
 * written down before it is changed.
 */
#ifndef TOUCH_H
#define TOUCH_H

#include <stdint.h>

#include "../lib/err.h"
#include "../lib/jrn.h"
#include "view.h"

/*
 * Take over the journal in the state directory dirfd (which stays the
 * caller's): its newest segment is appended to.  root is the running
 * tree's descriptor, to look at what is gone again.
 */
int	touch_open(struct touch **, int dirfd, int root, struct err *);
void	touch_close(struct touch *);

/*
 * The path of `name` in dir (of dir itself: name NULL) is about to be
 * changed.  touch_again() is 1 where it is written down already, with
 * this user and program, and JRN_TREE if that is among the flags: then
 * the change only costs a counter.  Otherwise 0, and then
 * touch_new() adds a record.  Both fail with -errno where the path can't
 * be told or written down; then nothing may be changed.
 */
int	touch_again(struct touch *, const struct node *dir, const char *name,
	    unsigned flags, const struct who *);
int	touch_new(struct touch *, const struct node *dir, const char *name,
	    enum jrn_op, unsigned flags, const struct who *);

/* Nobody knows what changed.  0 or -errno. */
int	touch_scan(struct touch *);

/* End the segment where it holds anything; the number of the last ended
 * one (0: none). */
int	touch_rotate(struct touch *, uint64_t *ended, struct err *);

/* For statistics. */
uint64_t touch_bytes(const struct touch *);
uint64_t touch_records(const struct touch *);
uint64_t touch_segment(const struct touch *);

#endif
