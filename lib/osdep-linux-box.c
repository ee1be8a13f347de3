/*
 * osdep-linux-box.c: give up what is not needed any more: Landlock for
 * files and TCP, seccomp for everything else, whichever the kernel has.
 */
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <unistd.h>

#include "osdep.h"

/* ---- Landlock; its header may be older than the kernel */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset	444L
#define SYS_landlock_restrict_self	446L
#endif
#define ASK_VERSION	1u	/* LANDLOCK_CREATE_RULESET_VERSION */

/* struct landlock_ruleset_attr, and how many bytes of it a version knows. */
struct ruleset {
	uint64_t	 fs;		/* rights to files */
	uint64_t	 net;		/* from 4: bind and connect */
	uint64_t	 scoped;	/* from 6: abstract sockets, signals */
};

/* All that a version knows; nothing is then allowed of it. */
static void
deny_all(struct ruleset *r, size_t *n, long version)
{
	int	 bits = version < 2 ? 13 : version < 3 ? 14 :
	    version < 5 ? 15 : 16;

	r->fs = ((uint64_t)1 << bits) - 1;
	r->net = version < 4 ? 0 : 3;
	r->scoped = version < 6 ? 0 : 3;
	*n = version < 4 ? 8 : version < 6 ? 16 : 24;
}

static int
landlock(struct err *e)
{
	struct ruleset	 r;
	size_t		 n;
	long		 version;
	int		 fd, rc = 0;

	version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	if (version < 1)
		return 0;		/* not there, or switched off */
	deny_all(&r, &n, version);
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, n, 0u);
	if (fd == -1)
		return err_set(e, errno, "landlock");
	if (syscall(SYS_landlock_restrict_self, fd, 0u) == -1)
		rc = err_set(e, errno, "landlock");
	(void)close(fd);
	return rc;
}

/* ---- seccomp */

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH	AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__)
#define ARCH	AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEL__)
#define ARCH	AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH	AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH
/* The calls that need no look at what they are given. */
static const int	 calls[] = {
	/* bytes over descriptors that are held */
	SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_close, SYS_lseek,
	SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2,
	SYS_pwritev2, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fallocate,
	SYS_fstat, SYS_fcntl, SYS_flock, SYS_dup,
	SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown,
	SYS_getsockopt, SYS_setsockopt, SYS_getsockname, SYS_getpeername,
	/* waiting, and time */
	SYS_ppoll, SYS_pselect6, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
	SYS_restart_syscall, SYS_sched_yield,
	/* memory */
	SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
	SYS_futex, SYS_getrandom, SYS_sysinfo,
	/* signals that come */
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigpending,
	SYS_rt_sigreturn, SYS_rt_sigsuspend, SYS_rt_sigtimedwait,
	SYS_sigaltstack,
	/* who we are */
	SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid,
	SYS_getgid, SYS_getegid, SYS_getrusage, SYS_times, SYS_uname,
	SYS_exit, SYS_exit_group,
	/* what only some have */
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_time
	SYS_time,
#endif
#ifdef SYS_select
	SYS_select,
#endif
#ifdef SYS__newselect
	SYS__newselect,
#endif
#ifdef SYS_ftruncate64
	SYS_ftruncate64,
#endif
#ifdef SYS_fstat64
	SYS_fstat64,
#endif
#ifdef SYS_fcntl64
	SYS_fcntl64,
#endif
#ifdef SYS__llseek
	SYS__llseek,
#endif
#ifdef SYS_send
	SYS_send, SYS_recv,
#endif
#ifdef SYS_sigreturn
	SYS_sigreturn,
#endif
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64, SYS_clock_nanosleep_time64, SYS_ppoll_time64,
	SYS_pselect6_time64, SYS_futex_time64, SYS_rt_sigtimedwait_time64,
#endif
#ifdef __ARM_NR_cacheflush
	__ARM_NR_cacheflush,
#endif
};
#define NCALLS	(sizeof(calls) / sizeof(calls[0]))

/* Calls that are allowed with one value in the low half of an argument. */
struct only {
	int		 nr;
	unsigned	 arg;		/* which, from 0 */
	uint32_t	 mask;		/* of the bits that count */
	uint32_t	 value;
};

#define LOW(arg) (offsetof(struct seccomp_data, args) + 8 * (arg))

static const struct only	 onlys[] = {
	{ SYS_ioctl, 1, ~0u, TCGETS },
	{ SYS_ioctl, 1, ~0u, TCSETS },
	{ SYS_ioctl, 1, ~0u, TCSETSW },
	{ SYS_ioctl, 1, ~0u, TCSETSF },
	{ SYS_ioctl, 1, ~0u, TIOCGWINSZ },
	/* A libc's fstat(): of a descriptor, without a name. */
#ifdef SYS_newfstatat
	{ SYS_newfstatat, 3, 0x1000, 0x1000 },
#endif
#ifdef SYS_statx
	{ SYS_statx, 2, 0x1000, 0x1000 },
#endif
	/* No memory that can be written is run. */
#ifdef SYS_mmap
	{ SYS_mmap, 2, 4, 0 },
#endif
#ifdef SYS_mmap2
	{ SYS_mmap2, 2, 4, 0 },
#endif
	{ SYS_mprotect, 2, 4, 0 },
};
#define NONLYS	(sizeof(onlys) / sizeof(onlys[0]))

/* abort() and raise() signal ourselves. */
static const int	 own[] = { SYS_kill, SYS_tgkill };
#define NOWN	(sizeof(own) / sizeof(own[0]))

struct prog {
	struct sock_filter	 f[16 + 2 * NCALLS + 6 * (NONLYS + NOWN)];
	unsigned short		 n;
};

static void
put(struct prog *p, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
	p->f[p->n++] = (struct sock_filter){ (uint16_t)code, (uint8_t)yes,
	    (uint8_t)no, k };
}

#define LOAD	(BPF_LD | BPF_W | BPF_ABS)
#define EQUAL	(BPF_JMP | BPF_JEQ | BPF_K)
#define RETURN	(BPF_RET | BPF_K)
#define DENY	(SECCOMP_RET_ERRNO | EPERM)

/* The call's number is loaded, and is again where it is not this one. */
static void
put_only(struct prog *p, const struct only *o)
{
	put(p, EQUAL, (uint32_t)o->nr, 0, 5);
	put(p, LOAD, (uint32_t)LOW(o->arg), 0, 0);
	put(p, BPF_ALU | BPF_AND | BPF_K, o->mask, 0, 0);
	put(p, EQUAL, o->value, 0, 1);
	put(p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	put(p, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
}

static int
seccomp(struct err *e)
{
	struct prog		 p = { .n = 0 };
	struct sock_fprog	 prog;
	struct only		 me = { 0, 0, ~0u, (uint32_t)getpid() };
	size_t			 i;

	put(&p, LOAD, offsetof(struct seccomp_data, arch), 0, 0);
	put(&p, EQUAL, ARCH, 1, 0);
	put(&p, RETURN, DENY, 0, 0);
	put(&p, LOAD, offsetof(struct seccomp_data, nr), 0, 0);
	for (i = 0; i < NCALLS; i++) {
		put(&p, EQUAL, (uint32_t)calls[i], 0, 1);
		put(&p, RETURN, SECCOMP_RET_ALLOW, 0, 0);
	}
	for (i = 0; i < NONLYS; i++)
		put_only(&p, &onlys[i]);
	for (i = 0; i < NOWN; i++) {
		me.nr = own[i];
		put_only(&p, &me);
	}
	put(&p, RETURN, DENY, 0, 0);
	prog.len = p.n;
	prog.filter = p.f;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == -1 &&
	    errno != EINVAL && errno != ENOSYS)
		return err_set(e, errno, "seccomp");
	return 0;
}
#else
static int
seccomp(struct err *e)
{
	(void)e;
	return 0;	/* the numbers of its calls are not known here */
}
#endif

int
os_box(struct err *e)
{
	struct rlimit	 none = { 0, 0 };
	int		 rc;

	/* Keys are in memory: no core, and no debugger. */
	(void)setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_DUMPABLE, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return err_set(e, errno, "prctl");
	if ((rc = landlock(e)) < 0)
		return rc;
	return seccomp(e);
}
