/*
 * older.c: what a restore says in the tree that it could not restore in full.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/inst.h"
#include "older.h"
#include "walk.h"

#define LEN_MAX	32	/* bytes of a number and its end */

int
older_put(int tree, uint64_t gen, struct err *e)
{
	int	 n = -1, fd = openat(tree, INST_OLDER, O_WRONLY | O_CREAT |
		    O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd != -1)
		n = dprintf(fd, "%" PRIu64 "\n", gen);
	if (fd == -1 || (close(fd) == -1) | (n < 0))
		return err_set(e, errno, "write %s", INST_OLDER);
	return 0;
}

void
older_done(int tree)
{
	(void)unlinkat(tree, INST_OLDER, 0);	/* mostly not there */
}

int
older_check(int tree, uint64_t head, struct err *e)
{
	struct buf	 b = BUF_INIT;
	uint64_t	 gen = head;

	if (walk_slurp(tree, INST_OLDER, LEN_MAX, &b) == 0) {
		put_u8(&b, '\0');
		if (!b.bad)
			gen = strtoull((char *)b.p, NULL, 10);
	}
	buf_free(&b);
	if (gen == head) {
		older_done(tree);
		return 0;
	}
	return err_setx(e, ESTALE, "what runs was restored from generation %"
	    PRIu64 ", as the store could not be read in full, and its head is "
	    "%" PRIu64 ": `cfg rollback' goes there, --force commits what runs",
	    gen, head);
}
