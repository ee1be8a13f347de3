/*
 * auth.c: which keys are tried, in which order, and what is said where
 * none is accepted.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "ask.h"
#include "hello.h"
#include "keyfile.h"
#include "ssh-int.h"
#include "sshwire.h"

#define PASSPHRASES	3	/* that are asked for */

struct tries {
	struct buf	 names;		/* keys that the server refused */
	struct buf	 notes;		/* why others were passed over */
	struct agent_keys agent;	/* what the agent has */
};

static void
note(struct tries *t, const char *name, const char *why)
{
	put_fmt(&t->notes, "; %s: %s", name, why);
}

static void
note_rsa(struct tries *t, const char *name)
{
	put_fmt(&t->notes, "; %s: %s; use ed25519", name, ssh_no_rsa());
}

/* One was tried: as the tries' functions return it. */
static int
tried(const struct ssh *s, struct tries *t, int rc, const char *name)
{
	if (rc != TRY_REFUSED)
		return rc;
	put_fmt(&t->names, "%s%s", t->names.len > 0 ? ", " : "", name);
	/* Servers end it after some tries: then there is no next one. */
	return ssh_gone(s) ? TRY_REFUSED : 0;
}

/* Whether a key of the agent is of a type that can be used. */
static bool
usable(const struct buf *blob, bool *rsa)
{
	struct rd	 r = { blob->p, blob->len, false };
	const uint8_t	*p;
	char		 type[64] = "";
	size_t		 n;

	p = sw_rdstr(&r, &n);
	if (p == NULL || n >= sizeof(type))
		return false;
	memcpy(type, p, n);
	*rsa = strcmp(type, "ssh-rsa") == 0;
	return *rsa || hello_common(type, SSH_KEY_TYPES);
}

/* These return 0: the next one; TRY_IN; TRY_REFUSED: no more can be
 * tried; or -errno. */
static int
try_agent(struct ssh *s, const char *user, const struct keys *k,
    struct tries *t, struct err *e)
{
	const struct buf	*blob;
	const char	*name;
	bool		 rsa;
	size_t		 i;
	int		 rc = 0;

	/* An agent that fails is like one that has no keys. */
	if (k->agent == -1 || agent_list(k->agent, &t->agent, NULL) < 0)
		return 0;
	for (i = 0; i < t->agent.n && rc == 0; i++) {
		blob = &t->agent.blob[i];
		name = (const char *)t->agent.comment[i].p;
		if (!usable(blob, &rsa))
			continue;
		if (rsa && ssh_no_rsa() != NULL) {
			note_rsa(t, name);
			continue;
		}
		rc = ssh_try_agent(s, user, k->agent, blob, e);
		rc = tried(s, t, rc, name);
	}
	return rc;
}

static int
try_encrypted(struct ssh *s, const char *user, const struct keys *k,
    size_t i, struct tries *t, struct err *e)
{
	char	 phrase[1024], text[1100];
	int	 n, rc = TRY_UNREADABLE;

	if (k->tty == -1) {
		note(t, k->name[i], "it needs a passphrase, and nobody can be "
		    "asked; use an agent");
		return 0;
	}
	(void)snprintf(text, sizeof(text), "Passphrase of %.1000s: ",
	    k->name[i]);
	for (n = 0; n < PASSPHRASES && rc == TRY_UNREADABLE; n++) {
		if (ask_line(k->tty, text, true, phrase, sizeof(phrase),
		    NULL) < 0 || *phrase == '\0')
			break;
		rc = ssh_try_key(s, user, &k->key[i], phrase, e);
	}
	explicit_bzero(phrase, sizeof(phrase));
	if (rc != TRY_UNREADABLE)
		return tried(s, t, rc, k->name[i]);
	note(t, k->name[i], "no passphrase that fits");
	return 0;
}

/* Whether the agent has that key: then it was tried. */
static bool
agent_has(const struct tries *t, const struct buf *pub)
{
	size_t	 i;

	for (i = 0; i < t->agent.n; i++)
		if (pub->len > 0 && t->agent.blob[i].len == pub->len &&
		    memcmp(t->agent.blob[i].p, pub->p, pub->len) == 0)
			return true;
	return false;
}

static int
try_key(struct ssh *s, const char *user, const struct keys *k, size_t i,
    struct tries *t, struct err *e)
{
	struct keyfile	 f;
	bool		 had;
	int		 rc;

	rc = keyfile_look(&f, &k->key[i]);
	had = agent_has(t, &f.pub);
	buf_free(&f.pub);
	if (rc < 0)
		return err_set(e, -rc, "%s", k->name[i]);
	if (had)
		return 0;
	if (f.rsa && ssh_no_rsa() != NULL) {
		note_rsa(t, k->name[i]);
		return 0;
	}
	if (f.encrypted)
		return try_encrypted(s, user, k, i, t, e);
	/* An empty passphrase, not none: OpenSSL would ask for one. */
	rc = f.is_key ? ssh_try_key(s, user, &k->key[i], "", e) :
	    TRY_UNREADABLE;
	if (rc != TRY_UNREADABLE)
		return tried(s, t, rc, k->name[i]);
	note(t, k->name[i], "no private key that can be read");
	return 0;
}

static int
refused(const struct ssh *s, const char *user, struct tries *t,
    struct err *e)
{
	const char	*names, *end;

	put_u8(&t->names, '\0');
	put_u8(&t->notes, '\0');
	if (t->names.bad || t->notes.bad)
		return err_set(e, ENOMEM, "%s", ssh_name(s));
	names = t->names.len == 1 ? "none" : (const char *)t->names.p;
	end = ssh_gone(s) ? "; then it closed the connection" : "";
	return err_setx(e, EACCES, "%s@%s: no key is accepted (tried: %s%s)%s",
	    user, ssh_name(s), names, end, (const char *)t->notes.p);
}

int
auth_prove(struct ssh *s, const char *user, const struct keys *k,
    struct err *e)
{
	struct tries	 t;
	size_t		 i;
	int		 rc;

	memset(&t, 0, sizeof(t));
	if ((rc = ssh_offers(s, user, e)) == 0)
		rc = try_agent(s, user, k, &t, e);
	for (i = 0; i < k->n && rc == 0; i++)
		rc = try_key(s, user, k, i, &t, e);
	if (rc == 0 || rc == TRY_REFUSED)
		rc = refused(s, user, &t, e);
	agent_free(&t.agent);
	buf_free(&t.names);
	buf_free(&t.notes);
	return rc < 0 ? rc : 0;
}
