/*
 * hostkey.c: whether the key that a host shows is the one it is known by.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "hostkey.h"
#include "sshwire.h"

/* What is said of a key: its type and fingerprint. */
struct shown {
	char	 type[64];
	char	 print[64];
};

static void
show(struct shown *s, const uint8_t *key, size_t n)
{
	struct rd	 r = { key, n, false };
	const uint8_t	*type;
	size_t		 i, len;

	known_print(key, n, s->print);
	type = sw_rdstr(&r, &len);
	if (type == NULL || len == 0 || len >= sizeof(s->type)) {
		(void)snprintf(s->type, sizeof(s->type), "unknown");
		return;
	}
	/* It goes to a terminal, and comes from who knows where. */
	for (i = 0; i < len; i++)
		s->type[i] = type[i] > ' ' && type[i] < 0x7f ?
		    (char)type[i] : '?';
	s->type[len] = '\0';
}

static int
changed(const char *name, const struct url *u, const struct keys *k,
    const struct shown *s, struct err *e)
{
	char	 text[2048], types[256];

	known_types(&k->known, u->host, u->port, types, sizeof(types));
	(void)snprintf(text, sizeof(text),
	    "\n"
	    "WARNING: %s SHOWS ANOTHER KEY THAN THE ONE IT IS KNOWN BY.\n"
	    "Somebody may be listening in, or the host was set up anew.\n"
	    "It shows     %s %s\n"
	    "It is known by a key of type %s.\n"
	    "Ask who runs it. If this key is right, take the old one out with\n"
	    "ssh-keygen -R, and connect again.\n\n",
	    name, s->type, s->print, types);
	if (k->tty != -1)
		ask_say(k->tty, text);
	return err_setx(e, EPERM, "%s: HOST KEY HAS CHANGED: it shows %s %s, "
	    "but is known by another key (%s); if that is right, remove the "
	    "old one with ssh-keygen -R", name, s->type, s->print, types);
}

/* Append the host's line; 0 or -errno. */
static int
remember(const struct url *u, const struct keys *k, const uint8_t *key,
    size_t n)
{
	struct buf	 b = BUF_INIT;
	struct stat	 st;
	char		 last = '\n';
	ssize_t		 put;
	int		 rc;

	/* A last line without its end would swallow ours. */
	if (fstat(k->learn, &st) == 0 && st.st_size > 0 &&
	    pread(k->learn, &last, 1, st.st_size - 1) == 1 && last != '\n')
		put_u8(&b, '\n');
	if ((rc = known_line(&b, u->host, u->port, key, n)) < 0)
		goto out;
	if ((put = write(k->learn, b.p, b.len)) != (ssize_t)b.len)
		rc = put == -1 ? -errno : -ENOSPC;
	else if (fsync(k->learn) == -1)
		rc = -errno;
out:
	buf_free(&b);
	return rc;
}

static int
unknown(const char *name, const struct url *u, const struct keys *k,
    const uint8_t *key, size_t n, const struct shown *s, struct err *e)
{
	char	 text[1024], line[128];
	int	 rc;

	if (k->tty == -1)
		return err_setx(e, EPERM, "%s: unknown host key %s %s; connect "
		    "once from a terminal, or add it to the known hosts",
		    name, s->type, s->print);
	(void)snprintf(text, sizeof(text),
	    "The host %s is not known.\n"
	    "Its %s key is %s.\n"
	    "Connect, and remember it (yes/no)? ", name, s->type, s->print);
	do {
		if (ask_line(k->tty, text, false, line, sizeof(line), NULL) < 0)
			(void)snprintf(line, sizeof(line), "no");
		(void)snprintf(text, sizeof(text), "Say yes or no: ");
	} while (strcmp(line, "yes") != 0 && strcmp(line, "no") != 0);
	if (strcmp(line, "no") == 0)
		return err_setx(e, EPERM, "%s: unknown host key %s %s, not "
		    "accepted", name, s->type, s->print);
	rc = k->learn == -1 ? -EROFS : remember(u, k, key, n);
	if (rc < 0) {
		(void)snprintf(text, sizeof(text),
		    "It can't be remembered: %s: %s\n",
		    k->learnname == NULL ? "no file of known hosts" :
		    k->learnname, strerror(-rc));
		ask_say(k->tty, text);
	}
	return 0;
}

int
hostkey_check(const char *name, const struct url *u, const struct keys *k,
    const uint8_t *key, size_t n, struct err *e)
{
	struct shown	 s;
	size_t		 line;

	show(&s, key, n);
	switch (known_check(&k->known, u->host, u->port, key, n, &line)) {
	case KNOWN_YES:
		return 0;
	case KNOWN_REVOKED:
		return err_setx(e, EPERM, "%s: HOST KEY IS REVOKED: %s %s",
		    name, s.type, s.print);
	case KNOWN_CHANGED:
		return changed(name, u, k, &s, e);
	case KNOWN_NO:
		break;
	}
	return unknown(name, u, k, key, n, &s, e);
}
