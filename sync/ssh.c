/*
 * ssh.c: a connection to a subsystem of another host, through libssh2,
 * which no other file knows.
 *
 * The library must be called again with the very same bytes where a packet
 * went out in part, whatever else is to be done meanwhile.  So it never
 * sees that: what it sends goes to a buffer of ours, which is emptied to
 * the socket as that takes it, and nothing is begun while much is in there.
 */
#include <errno.h>
#include <fcntl.h>
#include <libssh2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "hello.h"
#include "hostkey.h"
#include "pump.h"
#include "ssh-int.h"
#include "ssh.h"

#define WINDOW		(4u * 1024 * 1024)	/* bytes under way to us */
#define PACKET		32768u
#define OUT_FULL	(128u * 1024)	/* no more data while that many wait */
#define AGENT_MS	60000		/* more, where an agent may ask */
#define CLOSE_MS	1000		/* for good-bye */

/* RSA with SHA-1 is not used; with SHA-2 it can be from 1.11 on. */
#define HAVE_RSA	(LIBSSH2_VERSION_NUM >= 0x010b00)
#define NO_RSA		"this libssh2 (" LIBSSH2_VERSION ") can't use RSA " \
			"keys with SHA-2"
#define RSA_ALGS	"rsa-sha2-512,rsa-sha2-256"

#if LIBSSH2_VERSION_NUM >= 0x010b01
#define SET_CALLBACK(ses, what, fn) \
	(void)libssh2_session_callback_set2(ses, what, \
	    (libssh2_cb_generic *)(fn))
#else
#define SET_CALLBACK(ses, what, fn) \
	(void)libssh2_session_callback_set(ses, what, (void *)(fn))
#endif

struct ssh {
	struct stream	 s;		/* first: the stream is this */
	struct pump	 p;		/* has the socket, which is ours */
	LIBSSH2_SESSION	*ses;		/* owned, like its channel: */
	LIBSSH2_CHANNEL	*ch;
	char		*name;		/* owned: HOST or HOST:PORT */
	int		 seconds;	/* for one step before there is a
					   stream */
	bool		 full;		/* the other side's window is */
	uint64_t	 seen;		/* bytes that had come when a read last
					   gave nothing */
};

/* ---- the socket, as the library has it */

static ssize_t
on_send(libssh2_socket_t fd, const void *p, size_t n, int flags, void **arg)
{
	struct ssh	*s = *arg;

	(void)fd;
	(void)flags;
	return pump_send(&s->p, p, n);
}

static ssize_t
on_recv(libssh2_socket_t fd, void *p, size_t n, int flags, void **arg)
{
	struct ssh	*s = *arg;

	(void)fd;
	(void)flags;
	return pump_recv(&s->p, p, n);
}

/* The other side said that it ends it here. */
static void
on_disconnect(LIBSSH2_SESSION *ses, int reason, const char *text, int n,
    const char *lang, int nlang, void **arg)
{
	struct ssh	*s = *arg;

	(void)ses;
	(void)reason;
	(void)text;
	(void)n;
	(void)lang;
	(void)nlang;
	s->p.ended = true;
}

/* ---- what went wrong */

static int
no_algorithm(const struct ssh *s, const struct hello *h, struct err *e)
{
	if (hello_common(h->hostkey, SSH_KEY_TYPES) ||
	    (HAVE_RSA && hello_common(h->hostkey, RSA_ALGS)))
		return err_setx(e, EPROTO, "%s: no common algorithms", s->name);
	return err_setx(e, EPROTO, "%s: no common host key algorithm: it has "
	    "%s%s", s->name, h->hostkey,
	    !HAVE_RSA && hello_common(h->hostkey, RSA_ALGS) ?
	    "; " NO_RSA ", give it an ed25519 key" : "");
}

/* The line for a call of the library that failed with rc. */
static int
fail(struct ssh *s, int rc, struct err *e)
{
	struct hello	 h;
	enum hello_is	 is = hello_look(&h, s->p.first, s->p.nfirst);
	char		*why = NULL;

	if (rc == LIBSSH2_ERROR_ALLOC)
		return err_set(e, ENOMEM, "%s", s->name);
	if (is == HELLO_NOT_SSH)
		return err_setx(e, EPROTO, "%s: not an SSH server", s->name);
	if (s->p.failed != 0)
		return err_set(e, s->p.failed, "%s", s->name);
	if (is == HELLO_LISTS && s->ch == NULL &&
	    libssh2_session_methods(s->ses, LIBSSH2_METHOD_MAC_SC) == NULL &&
	    !s->p.ended)
		return no_algorithm(s, &h, e);
	if (s->p.ended)
		return err_setx(e, ECONNRESET, "%s: closed the connection",
		    s->name);
	(void)libssh2_session_last_error(s->ses, &why, NULL, 0);
	return err_setx(e, EPROTO, "%s: %s", s->name,
	    why == NULL || *why == '\0' ? "SSH failed" : why);
}

/*
 * A step: the library was called, and said rc.  1: call it again; 0: it
 * is done; or -errno.  end: when time is up.
 */
static int
step(struct ssh *s, int rc, int64_t end, struct err *e)
{
	struct hello	 h;
	int64_t	 left;

	if (rc >= 0)
		return 0;
	if (rc != LIBSSH2_ERROR_EAGAIN)
		return fail(s, rc, e);
	if (s->p.failed != 0)
		return fail(s, rc, e);
	s->p.budget = PUMP_BUDGET;
	if ((left = end - pump_now()) > 0) {
		(void)pump_wait(&s->p, left > 1000000 ? 1000000 : (int)left);
		return 1;
	}
	if (hello_look(&h, s->p.first, s->p.nfirst) == HELLO_NOT_SSH)
		return fail(s, rc, e);
	return err_setx(e, ETIMEDOUT, "%s: no answer for %d seconds", s->name,
	    s->seconds);
}

static int64_t
deadline(const struct ssh *s)
{
	return pump_now() + (int64_t)s->seconds * 1000;
}

/* ---- algorithms */

/* The library gets what it has of the lists, first before second. */
static int
prefer(struct ssh *s, int method, const char *first, const char *second,
    struct err *e)
{
	char		 list[512] = "";
	const char	**have = NULL;
	int		 n;

	n = libssh2_session_supported_algs(s->ses, method, &have);
	hello_both(list, sizeof(list), first, have, n < 0 ? 0 : (size_t)n);
	hello_both(list, sizeof(list), second, have, n < 0 ? 0 : (size_t)n);
	libssh2_free(s->ses, (void *)have);
	if (*list != '\0' &&
	    libssh2_session_method_pref(s->ses, method, list) == 0)
		return 0;
	return err_setx(e, ENOTSUP, "libssh2 %s has none of %s",
	    libssh2_version(0), second);
}

static int
prefer_all(struct ssh *s, const struct url *u, const struct keys *k,
    struct err *e)
{
	static const struct {
		int		 method;
		const char	*list;
	} t[] = {
		{ LIBSSH2_METHOD_KEX, "curve25519-sha256,"
		    "curve25519-sha256@libssh.org,ecdh-sha2-nistp256,"
		    "ecdh-sha2-nistp384,ecdh-sha2-nistp521" },
		{ LIBSSH2_METHOD_CRYPT_CS, "aes256-gcm@openssh.com,"
		    "aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,"
		    "aes256-ctr,aes192-ctr,aes128-ctr" },
		{ LIBSSH2_METHOD_MAC_CS, "hmac-sha2-256-etm@openssh.com,"
		    "hmac-sha2-512-etm@openssh.com,hmac-sha2-256,"
		    "hmac-sha2-512" },
		{ LIBSSH2_METHOD_COMP_CS, "none" },
	};
	char	 types[256], *p;
	size_t	 i;
	int	 rc;

	known_types(&k->known, u->host, u->port, types, sizeof(types) - 32);
	if (!HAVE_RSA && strcmp(types, "ssh-rsa") == 0)
		return err_setx(e, EPERM, "%s: it is known by its RSA key "
		    "alone, and " NO_RSA "; add its ed25519 key to the known "
		    "hosts", s->name);
	/* A key of type ssh-rsa signs by algorithms of other names. */
	if (HAVE_RSA && (p = strstr(types, "ssh-rsa")) != NULL) {
		memmove(p + strlen(RSA_ALGS), p + 7, strlen(p + 7) + 1);
		memcpy(p, RSA_ALGS, strlen(RSA_ALGS));
	}
	if ((rc = prefer(s, LIBSSH2_METHOD_HOSTKEY, types,
	    HAVE_RSA ? SSH_KEY_TYPES "," RSA_ALGS : SSH_KEY_TYPES, e)) < 0)
		return rc;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		if ((rc = prefer(s, t[i].method, "", t[i].list, e)) < 0)
			return rc;
		/* The other direction's number is the next one. */
		if (t[i].method != LIBSSH2_METHOD_KEX &&
		    (rc = prefer(s, t[i].method + 1, "", t[i].list, e)) < 0)
			return rc;
	}
	return 0;
}

/* ---- who we are */

const char *
ssh_no_rsa(void)
{
	return HAVE_RSA ? NULL : NO_RSA;
}

const char *
ssh_name(const struct ssh *s)
{
	return s->name;
}

bool
ssh_gone(const struct ssh *s)
{
	return s->p.ended || s->p.failed != 0;
}

struct signer {
	int		 agent;
	const struct buf *blob;		/* whose key is to sign */
};

static int
on_sign(LIBSSH2_SESSION *ses, unsigned char **sig, size_t *len,
    const unsigned char *p, size_t n, void **arg)
{
	const struct signer	*g = *arg;
	struct buf	 out = BUF_INIT;

	(void)ses;
	if (agent_sign(g->agent, g->blob, p, n, &out, NULL) < 0) {
		buf_free(&out);
		return -1;
	}
	*sig = out.p;			/* the library's now, to free() */
	*len = out.len;
	return 0;
}

/* What the library says of a key that it offered. */
static int
try_result(struct ssh *s, int rc, struct err *e)
{
	if (rc == 0)
		return TRY_IN;
	return rc == LIBSSH2_ERROR_ALLOC ? fail(s, rc, e) : TRY_REFUSED;
}

int
ssh_try_agent(struct ssh *s, const char *user, int agent,
    const struct buf *blob, struct err *e)
{
	struct signer	 g = { agent, blob };
	void		*arg = &g;
	int64_t		 end = deadline(s) + AGENT_MS;
	int		 rc, r;

	while ((rc = libssh2_userauth_publickey(s->ses, user, blob->p,
	    blob->len, on_sign, &arg)) == LIBSSH2_ERROR_EAGAIN)
		if ((r = step(s, rc, end, e)) < 0)
			return r;
	return try_result(s, rc, e);
}

int
ssh_try_key(struct ssh *s, const char *user, const struct buf *key,
    const char *phrase, struct err *e)
{
	uint64_t	 before = s->p.nout + pump_waiting(&s->p);
	int64_t		 end = deadline(s);
	int		 rc, r;

	while ((rc = libssh2_userauth_publickey_frommemory(s->ses, user,
	    strlen(user), NULL, 0, (const char *)key->p, key->len, phrase)) ==
	    LIBSSH2_ERROR_EAGAIN)
		if ((r = step(s, rc, end, e)) < 0)
			return r;
	/* Only a key that was understood is offered to the server. */
	if (rc != 0 && s->p.nout + pump_waiting(&s->p) == before &&
	    !ssh_gone(s))
		return TRY_UNREADABLE;
	return try_result(s, rc, e);
}

/* What the server lets us try. */
int
ssh_offers(struct ssh *s, const char *user, struct err *e)
{
	int64_t	 end = deadline(s);
	char	*list;
	int	 r;

	while ((list = libssh2_userauth_list(s->ses, user,
	    (unsigned)strlen(user))) == NULL) {
		if (libssh2_userauth_authenticated(s->ses))
			return 1;
		if ((r = step(s, libssh2_session_last_errno(s->ses), end,
		    e)) <= 0)
			return r;
	}
	if (hello_common(list, "publickey"))
		return 0;
	return err_setx(e, EACCES, "%s@%s: keys are not accepted there, only "
	    "%s", user, s->name, list);
}

/* ---- the stream */

/* The stream's counts are those of the socket. */
static void
count(struct ssh *s)
{
	s->s.in = s->p.nin;
	s->s.out = s->p.nout;
}

static ssize_t
ssh_read(struct stream *st, void *p, size_t n, struct err *e)
{
	struct ssh	*s = (struct ssh *)st;
	ssize_t		 k;

	if (n == 0)
		return 0;
	pump_flush(&s->p);
	s->p.budget = PUMP_BUDGET;
	k = libssh2_channel_read(s->ch, p, n);
	count(s);
	if (k > 0)
		return k;
	if (k == 0 && libssh2_channel_eof(s->ch))
		return 0;
	if (k == 0 || k == LIBSSH2_ERROR_EAGAIN) {
		s->seen = s->p.nin;
		return ssh_gone(s) ? fail(s, (int)k, e) : -EAGAIN;
	}
	/* The end of the connection is no regular end of the stream. */
	return fail(s, (int)k, e);
}

static ssize_t
ssh_write(struct stream *st, const void *p, size_t n, struct err *e)
{
	struct ssh	*s = (struct ssh *)st;
	ssize_t		 k;

	if (n == 0)
		return 0;
	pump_flush(&s->p);
	if (s->p.failed != 0)
		return fail(s, 0, e);
	s->full = false;
	s->p.budget = PUMP_BUDGET;
	if (pump_waiting(&s->p) >= OUT_FULL)
		return -EAGAIN;
	k = libssh2_channel_write(s->ch, p, n);
	count(s);
	if (k > 0)
		return k;
	if (k == 0 || k == LIBSSH2_ERROR_EAGAIN) {
		s->full = true;
		return -EAGAIN;
	}
	return fail(s, (int)k, e);
}

static int
ssh_wait(struct stream *st, int writing, int ms, struct err *e)
{
	struct ssh	*s = (struct ssh *)st;
	int		 rc;

	pump_flush(&s->p);
	/*
	 * What came while something was written lies in the library: the
	 * socket has nothing more to say about it.
	 */
	if (s->p.failed != 0 || s->p.ended || s->p.nin != s->seen)
		return 0;
	if (writing && !s->full && pump_waiting(&s->p) < OUT_FULL)
		return 0;
	rc = pump_wait(&s->p, ms);
	count(s);
	if (rc != 0)
		return 0;
	return err_setx(e, ETIMEDOUT, "%s: no answer for %d seconds", s->name,
	    ms / 1000);
}

/* Say good-bye where that does not take long, and release all. */
static void
ssh_close(struct stream *st)
{
	struct ssh	*s = (struct ssh *)st;
	int		 i;

	if (s->ses != NULL) {
		if (s->p.failed == 0 && !s->p.ended)
			(void)libssh2_session_disconnect(s->ses, "done");
		if (s->p.failed == 0 && pump_waiting(&s->p) > 0)
			(void)pump_wait(&s->p, CLOSE_MS);
		/* From here on it sends and gets nothing: it can't wait. */
		s->p.failed = EPIPE;
		for (i = 0; i < 100 && libssh2_session_free(s->ses) ==
		    LIBSSH2_ERROR_EAGAIN; i++)
			;
	}
	(void)close(s->p.fd);	/* nothing is lost that was answered */
	buf_free(&s->p.out);
	free(s->name);
	free(s);
}

static int
start(struct ssh *s, const char *subsystem, struct err *e)
{
	int64_t	 end = deadline(s);
	int	 rc, r = 0;

	while ((s->ch = libssh2_channel_open_ex(s->ses, "session", 7, WINDOW,
	    PACKET, NULL, 0)) == NULL)
		if ((r = step(s, libssh2_session_last_errno(s->ses), end,
		    e)) <= 0)
			return r == 0 ? fail(s, LIBSSH2_ERROR_PROTO, e) : r;
	/* What it says beside that would fill the window. */
	(void)libssh2_channel_handle_extended_data2(s->ch,
	    LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE);
	do {
		rc = libssh2_channel_process_startup(s->ch, "subsystem", 9,
		    subsystem, (unsigned)strlen(subsystem));
	} while (rc == LIBSSH2_ERROR_EAGAIN && (r = step(s, rc, end, e)) == 1);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return r;
	if (rc == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED)
		return err_setx(e, ENOTSUP, "%s: it has no %s, or not for "
		    "this user", s->name, strcmp(subsystem, "sftp") == 0 ?
		    "SFTP" : subsystem);
	return rc < 0 ? fail(s, rc, e) : 0;
}

static int
handshake(struct ssh *s, const struct url *u, const struct keys *k,
    struct err *e)
{
	int64_t		 end = deadline(s);
	const char	*key;
	size_t		 n;
	int		 rc, type;

	if ((rc = prefer_all(s, u, k, e)) < 0)
		return rc;
	while ((rc = step(s, libssh2_session_handshake(s->ses, s->p.fd), end,
	    e)) == 1)
		;
	if (rc < 0)
		return rc;
	if ((key = libssh2_session_hostkey(s->ses, &n, &type)) == NULL)
		return err_setx(e, EPROTO, "%s: it shows no key", s->name);
	return hostkey_check(s->name, u, k, (const uint8_t *)key, n, e);
}

static struct ssh *
ssh_new(int fd, const struct url *u, int seconds)
{
	struct ssh	*s = calloc(1, sizeof(*s));
	bool		 v6 = strchr(u->host, ':') != NULL;
	struct buf	 name = BUF_INIT;

	if (s == NULL)
		return NULL;
	if (u->port == 22)
		put_fmt(&name, "%s", u->host);
	else
		put_fmt(&name, v6 ? "[%s]:%u" : "%s:%u", u->host,
		    (unsigned)u->port);
	put_u8(&name, '\0');
	s->s = (struct stream){ ssh_read, ssh_write, ssh_wait, ssh_close,
	    NULL, 0, 0 };
	s->p.fd = fd;
	s->p.budget = PUMP_BUDGET;
	s->seconds = seconds;
	s->name = (char *)name.p;
	s->s.name = s->name;
	s->ses = name.bad ? NULL : libssh2_session_init_ex(NULL, NULL, NULL, s);
	if (s->ses == NULL) {
		s->p.fd = -1;
		ssh_close(&s->s);
		return NULL;
	}
	libssh2_session_set_blocking(s->ses, 0);
	SET_CALLBACK(s->ses, LIBSSH2_CALLBACK_SEND, on_send);
	SET_CALLBACK(s->ses, LIBSSH2_CALLBACK_RECV, on_recv);
	SET_CALLBACK(s->ses, LIBSSH2_CALLBACK_DISCONNECT, on_disconnect);
	return s;
}

int
ssh_open(struct stream **st, int fd, const struct url *u, const char *login,
    const struct keys *k, const char *subsystem, int seconds, struct err *e)
{
	const char	*user = u->user != NULL ? u->user : login;
	struct ssh	*s;
	int		 rc;

	*st = NULL;
	if ((s = ssh_new(fd, u, seconds)) == NULL) {
		(void)close(fd);
		return err_set(e, ENOMEM, "%s", u->host);
	}
	if (user == NULL || *user == '\0')
		rc = err_setx(e, EINVAL, "%s: as which user?", s->name);
	else if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		rc = err_set(e, errno, "%s", s->name);
	else if ((rc = handshake(s, u, k, e)) == 0 &&
	    (rc = auth_prove(s, user, k, e)) == 0)
		rc = start(s, subsystem, e);
	if (rc < 0)
		ssh_close(&s->s);
	else
		*st = &s->s;
	return rc;
}

int
ssh_init(struct err *e)
{
	LIBSSH2_SESSION	*ses;

	if (libssh2_init(0) != 0 || (ses = libssh2_session_init()) == NULL)
		return err_setx(e, EIO, "libssh2 can't be started");
	/* OpenSSL reads its configuration with the first key that it is
	 * given, even if that is none: a policy that it sets must hold. */
	(void)libssh2_userauth_publickey_frommemory(ses, "", 0, NULL, 0,
	    "-", 1, "");
	(void)libssh2_session_free(ses);	/* it never was connected */
	return 0;
}
