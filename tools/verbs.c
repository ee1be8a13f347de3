/*
 * verbs.c: the table of cfg's verbs: dispatch, usage and help come from it.
 */
#include <stddef.h>

#include "cfg.h"

const struct cmd cfg_cmds[] = {
	{ "init", cmd_init,
	    "[--size n[K|M|G]] [--align n] [--areas n] [--force] store",
	    "make an empty store on a device or in a new file" },
	{ "restore", cmd_restore,
	    "[-f] [--store store] [--copy store] [--base base] "
	    "[--no-hooks] tree",
	    "build the running tree from base and store; what boot runs" },
	{ "status", cmd_status,
	    "[-q] [path ...]",
	    "what is pending, and who changed it" },
	{ "diff", cmd_diff,
	    "[-U n] [--stat | --name-only] [--base base] [from [to]] "
	    "[--] [path ...]",
	    "compare what is running, generations, the base" },
	{ "commit", cmd_commit,
	    "[-n] [--force] [-m message] [--trial time] [--confirm-if command] "
	    "[path ...]",
	    "persist what is pending; as a trial it ends by itself" },
	{ "confirm", cmd_confirm,
	    "",
	    "keep the trial that runs: it becomes the head" },
	{ "cancel", cmd_cancel,
	    "",
	    "end the trial that runs: the running tree goes back" },
	{ "trial", cmd_trial,
	    "[keep]",
	    "what trial runs; keep is the process that waits for its end" },
	{ "check", cmd_check,
	    "[path ...]",
	    "have validators look at what is pending, or at these paths" },
	{ "revert", cmd_revert,
	    "[-n] path ...",
	    "give back what is persisted" },
	{ "resolve", cmd_resolve,
	    "[--mine | --theirs | --merged | --edit path ...]",
	    "what a new base and the overlay disagree on" },
	{ "pin", cmd_pin,
	    "[-d] [path ...]",
	    "paths that stay as they are, whatever a new base brings" },
	{ "rollback", cmd_rollback,
	    "[-n] [generation] [--] [path ...]",
	    "make the running tree what it was at a generation" },
	{ "reset", cmd_reset,
	    "[-n] [-y]",
	    "make the running tree what the base is" },
	{ "log", cmd_log,
	    "[-p] [--stat] [-n max] [--base base] [path]",
	    "what was committed, newest first" },
	{ "show", cmd_show,
	    "[--base base] [generation][:path]",
	    "one generation, or what a path held in it" },
	{ "blame", cmd_blame,
	    "[--base base] path",
	    "which generation each line of a file came with" },
	{ "tag", cmd_tag,
	    "[generation name | -d name]",
	    "name a generation, which is then kept; list the names" },
	{ "verify", cmd_verify,
	    "[--boot [--base base]]",
	    "read and check all of the store, or try what the next boot "
	    "gives" },
	{ "import", cmd_import,
	    "[--base base] directory",
	    "commit a plain tree of changed files, as NanoBSD's /cfg" },
	{ "export", cmd_export,
	    "[-f] [--gen generation] [--base base] [--remove-list file] "
	    "directory | --tar file | --git file",
	    "write the overlay as a plain tree or archive, or all for git" },
	{ "mirror", cmd_mirror,
	    "add|push|pull|status|verify|remove|clone|check [-fn] [--peer] "
	    "[--whole] [--manual] [--name n] [--key file] [--known-hosts file] "
	    "[--encrypt file] [--timeout s] [name | url | file ...]",
	    "the copy on another host" },
	{ "peer", cmd_peer,
	    "serve",
	    "what sshd starts for the other box of a pair" },
	{ NULL, NULL, NULL, NULL }
};
