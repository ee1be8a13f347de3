/*
 * confedit.h: what reading and editing the configuration share.
 */
#ifndef CONFEDIT_H
#define CONFEDIT_H

#include "../lib/buf.h"
#include "../lib/err.h"

/* The whole file as a string with its NUL; nothing where it is not there
 * (length 0). */
int	conf_load(const char *file, struct buf *, struct err *);

#endif
