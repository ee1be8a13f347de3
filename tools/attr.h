/*
 * attr.h: give an inode the attributes of an entry: owner, extended
 * attributes, mode, time.
 */
#ifndef ATTR_H
#define ATTR_H

#include <stdbool.h>

#include "../lib/buf.h"
#include "../lib/ent.h"
#include "../lib/err.h"

/*
 * name in dfd gets what e says ("." is dfd itself); fd is the open file,
 * or -1: then it was made with its mode, which stays.  Attributes that e
 * doesn't have are taken away unless `fresh` says that there can be none.
 * Follows no symbolic link.  Extended attributes that the file system
 * can't hold are left out: then 1.
 */
int	attr_set(int dfd, const char *name, int fd, const struct ent *e,
	    bool fresh, struct err *);

/*
 * The next attribute of a canonical block (lib/ent.h): false at the end,
 * and where r->bad is set, as it is none.
 */
bool	attr_next(struct rd *r, const char **name, const uint8_t **val,
	    size_t *len);

#endif
