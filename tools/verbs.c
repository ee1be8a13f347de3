/*
 * verbs.c: the table of cfg's verbs: dispatch, usage and help come from it.
 */
#include <stddef.h>

#include "cfg.h"

const struct cmd cfg_cmds[] = {
	{ NULL, NULL, NULL, NULL }
};
