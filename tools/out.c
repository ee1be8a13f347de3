/*
 * out.c: how cfg talks: JSON, times and sizes for people, a pager, a line
 * of progress.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../lib/path.h"
#include "out.h"

void
json_str(struct buf *b, const char *s)
{
	uint32_t	 c;
	size_t		 n;

	put_u8(b, '"');
	for (; *s != '\0'; s += n) {
		if ((n = utf8_get(s, &c)) == 0) {
			n = 1;
			put_fmt(b, "\xef\xbf\xbd");	/* U+FFFD */
		} else if (c == '"' || c == '\\')
			put_fmt(b, "\\%c", (int)c);
		else if (c == '\n' || c == '\t')
			put_fmt(b, "\\%c", c == '\n' ? 'n' : 't');
		else if (!utf8_printable(c))
			put_fmt(b, "\\u%04x", (unsigned)c);
		else
			put_bytes(b, s, n);
	}
	put_u8(b, '"');
}

static bool
is_utf8(const char *s)
{
	uint32_t	 c;
	size_t		 n;

	for (; *s != '\0'; s += n)
		if ((n = utf8_get(s, &c)) == 0)
			return false;
	return true;
}

static void
put_b64(struct buf *b, const uint8_t *p, size_t n)
{
	static const char	 d[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t		 v;

	for (; n > 0; p += 3, n -= n < 3 ? n : 3) {
		v = (uint32_t)p[0] << 16;
		if (n > 1)
			v |= (uint32_t)p[1] << 8;
		if (n > 2)
			v |= p[2];
		put_u8(b, (uint8_t)d[v >> 18]);
		put_u8(b, (uint8_t)d[v >> 12 & 63]);
		put_u8(b, n > 1 ? (uint8_t)d[v >> 6 & 63] : '=');
		put_u8(b, n > 2 ? (uint8_t)d[v & 63] : '=');
	}
}

void
json_name(struct buf *b, const char *key, const char *s)
{
	put_fmt(b, "\"%s\": ", key);
	json_str(b, s);
	if (is_utf8(s))
		return;
	put_fmt(b, ", \"%s_b64\": \"", key);
	put_b64(b, (const uint8_t *)s, strlen(s));
	put_u8(b, '"');
}

void
out_text(struct buf *b, const char *s, size_t len)
{
	const char	*end = s + len;
	char		 tail[8] = { 0 };
	uint32_t	 c;
	size_t		 n;

	for (; s < end; s += n) {
		/* utf8_get() needs a NUL to stop at. */
		if (end - s < 4) {
			memcpy(tail, s, (size_t)(end - s));
			tail[end - s] = '\0';
			n = utf8_get(tail, &c);
		} else
			n = utf8_get(s, &c);
		if (n > 0 && (utf8_printable(c) || c == '\n' || c == '\t'))
			put_bytes(b, s, n);
		else if (n == 1 && c < 0x20)
			put_fmt(b, "^%c", (int)c + '@');
		else {
			n = n == 0 ? 1 : n;
			for (size_t i = 0; i < n; i++)
				put_fmt(b, "\\%03o", (unsigned)(uint8_t)s[i]);
		}
	}
}

int64_t
out_now(void)
{
	struct timespec	 now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
out_time(struct buf *b, int64_t ns)
{
	char		 s[64];
	time_t		 t = (time_t)(ns / 1000000000);
	struct tm	 tm;

	if (ns < 0 && ns % 1000000000 != 0)
		t--;
	if (localtime_r(&t, &tm) == NULL ||
	    strftime(s, sizeof(s), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		put_fmt(b, "@%lld", (long long)t);
	else
		put_fmt(b, "%s", s);
}

void
out_size(struct buf *b, uint64_t n)
{
	static const char	 unit[] = "KMGTPE";
	uint64_t		 of = 1024;
	size_t			 i;

	if (n < 1024) {
		put_fmt(b, "%u B", (unsigned)n);
		return;
	}
	for (i = 0; n / of >= 1024; i++)
		of *= 1024;
	put_fmt(b, "%llu.%llu %cB", (unsigned long long)(n / of),
	    (unsigned long long)(n % of / (of / 1024) * 10 / 1024), unit[i]);
}

void
out_path(struct buf *b, const char *path)
{
	char	*vis = path_vis(*path == '\0' ? "." : path);

	if (vis == NULL)
		b->bad = true;
	else
		put_fmt(b, "%s", vis);
	free(vis);
}

int
out_fd(int fd, const struct buf *b)
{
	size_t	 done;
	ssize_t	 k;

	for (done = 0; done < b->len; done += (size_t)k)
		if ((k = write(fd, b->p + done, b->len - done)) == -1) {
			if (errno != EINTR)
				return -errno;
			k = 0;
		}
	return 0;
}

/* What to page with, or NULL where nothing is to be paged. */
static const char *
pager(void)
{
	const char	*p = getenv("PAGER"), *term = getenv("TERM");

	if (!isatty(STDOUT_FILENO))
		return NULL;
	if (p == NULL)		/* less(1) would ask about such a terminal */
		return term == NULL || strcmp(term, "dumb") == 0 ? NULL :
		    "less -FRX";
	return *p == '\0' || strcmp(p, "cat") == 0 ? NULL : p;
}

/* 1: the pager could not be run, nothing is written. */
static int
page_out(const struct buf *b, const char *prog)
{
	struct sigaction ign = { .sa_handler = SIG_IGN }, pipe_was, int_was;
	int		 p[2], rc, status;
	pid_t		 pid;

	if (pipe2(p, O_CLOEXEC) == -1)
		return 1;
	if ((pid = fork()) == 0) {
		(void)dup2(p[0], STDIN_FILENO);
		(void)execl("/bin/sh", "sh", "-c", prog, (char *)NULL);
		_exit(127);
	}
	(void)close(p[0]);
	if (pid == -1) {
		(void)close(p[1]);
		return 1;
	}
	/* Leaving it early is no error, and ^C is the pager's. */
	(void)sigaction(SIGPIPE, &ign, &pipe_was);
	(void)sigaction(SIGINT, &ign, &int_was);
	if ((rc = out_fd(p[1], b)) == -EPIPE)
		rc = 0;
	(void)close(p[1]);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	(void)sigaction(SIGPIPE, &pipe_was, NULL);
	(void)sigaction(SIGINT, &int_was, NULL);
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? 1 : rc;
}

int
out_write(const struct buf *b, bool page)
{
	const char	*prog = page ? pager() : NULL;
	int		 rc = 1;

	if (b->bad)
		return -ENOMEM;
	if (fflush(stdout) == EOF)
		return -errno;
	if (prog != NULL && b->len > 0)
		rc = page_out(b, prog);
	return rc == 1 ? out_fd(STDOUT_FILENO, b) : rc;
}

int
out_end(struct buf *b, bool page, struct err *e)
{
	int	 rc = out_write(b, page);

	buf_free(b);
	return rc < 0 ? err_set(e, -rc, "write standard output") : 0;
}

static struct {
	bool	 on;		/* something is on the line */
	int64_t	 since;		/* start, then time of the last line, ns */
} progress;

void
out_progress(const char *what, uint64_t done, uint64_t of)
{
	int64_t	 now = out_now();

	if (progress.since == 0)
		progress.since = now;
	if (now - progress.since < 1000000000 || !isatty(STDERR_FILENO))
		return;
	progress.since = now;
	progress.on = true;
	(void)fprintf(stderr, "\r%s: %llu of %llu\033[K", what,
	    (unsigned long long)done, (unsigned long long)of);
}

void
out_progress_end(void)
{
	if (progress.on)
		(void)fprintf(stderr, "\r\033[K");
	progress.on = false;
	progress.since = 0;
}
