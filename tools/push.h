/*
 * push.h: a copy of the store on another host, as a job of the confined
 * process: extended, made anew, compared.
 */
#ifndef PUSH_H
#define PUSH_H

#include <stdbool.h>

#include "../lib/io.h"
#include "net.h"

struct push {
	struct io	*from;		/* the store, in memory */
	struct mirror_at at;		/* what the copy is known to have */
	bool		 force;		/* over what is there */
	bool		 whole;		/* believing no header */
};

/* Frames that they send: 'p' le64 done, le64 of; 'l' a line. */
net_job	job_push;
net_job	job_compare;

#endif
