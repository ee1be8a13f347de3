/*
 * viewtool.h: what the system tests of the view drive: one program with
 * a verb for each thing that a script can't do.
 */
#ifndef VIEWTOOL_H
#define VIEWTOOL_H

#include <stdint.h>

/* Each takes the arguments behind the verb; the exit code. */
int	verb_cover(int argc, char **argv);	/* viewcover.c */
int	verb_jrn(int argc, char **argv);
int	verb_saves(int argc, char **argv);	/* viewmany.c */
int	verb_hog(int argc, char **argv);
int	verb_change(int argc, char **argv);	/* viewload.c */
int	verb_load(int argc, char **argv);
int	verb_req(int argc, char **argv);	/* viewreq.c */

/* A value of the daemon's statistics; -1 where it has none. */
int64_t	tool_stat(const char *statedir, const char *name);

#endif
