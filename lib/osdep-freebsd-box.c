/*
 * osdep-freebsd-box.c: give up what is not needed any more, by Capsicum.
 */
#include <sys/param.h>
#include <sys/capsicum.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <unistd.h>

#include "osdep.h"

int
os_box(struct err *e)
{
	struct rlimit	 none = { 0, 0 };
	int		 no = PROC_TRACE_CTL_DISABLE;

	/* Keys are in memory: no core, and no debugger. */
	(void)setrlimit(RLIMIT_CORE, &none);
	if (procctl(P_PID, getpid(), PROC_TRACE_CTL, &no) == -1)
		return err_set(e, errno, "procctl");
	/* Capability mode still lets a process make pipes and children, but
	 * these have no more than it has. */
	if (cap_enter() == -1 && errno != ENOSYS)
		return err_set(e, errno, "cap_enter");
	return 0;
}
