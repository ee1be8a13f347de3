/*
 * ask.c: questions to the user on a terminal.
 *
 * Signals that would end or stop the process are blocked while the echo
 * is off, and looked for ten times a second; one that came takes effect
 * once the terminal is as before.  So no handler is needed, and none of
 * the program's is disturbed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ask.h"

#define LOOK_MS	100

void
ask_say(int tty, const char *text)
{
	size_t	 n = strlen(text);
	ssize_t	 k;

	while (n > 0) {
		if ((k = write(tty, text, n)) == -1) {
			if (errno == EINTR)
				continue;
			return;		/* nobody is there to be told */
		}
		text += k;
		n -= (size_t)k;
	}
}

/* Those of the signals that would do something. */
static void
waiting_signals(sigset_t *set)
{
	static const int	 sigs[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM,
	    SIGTSTP, SIGALRM, SIGPIPE };
	struct sigaction	 sa;
	size_t			 i;

	(void)sigemptyset(set);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		if (sigaction(sigs[i], NULL, &sa) == 0 &&
		    sa.sa_handler != SIG_IGN)
			(void)sigaddset(set, sigs[i]);
}

/* Whether one of the set is there; stop: whether it is SIGTSTP alone. */
static bool
signalled(const sigset_t *set, bool *stop)
{
	sigset_t	 now;
	bool		 any = false;
	int		 i;

	*stop = false;
	if (sigpending(&now) == -1)
		return false;
	for (i = 1; i < 32; i++)
		if (sigismember(set, i) == 1 && sigismember(&now, i) == 1) {
			*stop = i == SIGTSTP && !any;
			any = true;
		}
	return any;
}

/* Read until a newline: 1, or 0 at the end of file, or -1: a signal. */
static int
read_line(int tty, const sigset_t *set, bool *stop, char *line, size_t len)
{
	struct pollfd	 p = { tty, POLLIN, 0 };
	size_t		 n = 0;
	ssize_t		 k;
	char		 c;

	for (;;) {
		if (signalled(set, stop))
			return -1;
		if (poll(&p, 1, LOOK_MS) <= 0)
			continue;
		if ((k = read(tty, &c, 1)) == -1 &&
		    (errno == EINTR || errno == EAGAIN))
			continue;
		if (k <= 0)
			return 0;
		if (c == '\n' || c == '\r') {
			line[n] = '\0';
			return 1;
		}
		if (n + 1 < len)
			line[n++] = c;
	}
}

/* One go: as read_line(), the terminal and the signals as before. */
static int
ask_once(int tty, const char *question, bool secret, bool *stop,
    char *line, size_t len)
{
	struct termios	 was, quiet;
	sigset_t	 set, old;
	bool		 off = false;
	int		 rc;

	waiting_signals(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	if (secret && tcgetattr(tty, &was) == 0) {
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
		off = tcsetattr(tty, TCSAFLUSH, &quiet) == 0;
	}
	/* A secret is not asked for where everybody would see it. */
	rc = 0;
	if (!secret || off) {
		ask_say(tty, question);
		rc = read_line(tty, &set, stop, line, len);
	}
	if (off) {
		(void)tcsetattr(tty, TCSAFLUSH, &was);
		ask_say(tty, "\n");
	}
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

int
ask_line(int tty, const char *question, bool secret, char *line, size_t len,
    struct err *e)
{
	bool	 stop;
	int	 rc;

	do {	/* Who stops us is asked again when he comes back. */
		stop = false;
		rc = ask_once(tty, question, secret, &stop, line, len);
	} while (rc == -1 && stop);
	if (rc == 1)
		return 0;
	explicit_bzero(line, len);
	return err_setx(e, ECANCELED, "not answered");
}
