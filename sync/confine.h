/*
 * confine.h: give up what is not needed any more.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "../lib/err.h"

/*
 * From here on the process can use the descriptors that it has, memory,
 * clocks and random numbers, and nothing else: it becomes `user` where it
 * is root (NULL: "cfgfs", else "nobody"), no file can be opened, no
 * socket made, no program run (Linux: Landlock and seccomp, as far as the
 * kernel has them; FreeBSD: Capsicum).  No way back.  0 or -errno; what
 * the kernel does not have is no error.
 */
int	confine(const char *user, struct err *);

#endif
