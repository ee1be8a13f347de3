/*
 * peerconf.c: the lines about peers: what is taken, what is refused with the
 * line that is wrong; what never crosses; how a text becomes the peer's.
 */
#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../tools/conf.h"
#include "tap.h"

static char	root[] = "/tmp/cfgfs-peer.XXXXXX";
static char	file[128];

static void
write_conf(const char *text)
{
	FILE	*f = fopen(file, "w");

	OK(f != NULL && fputs(text, f) != EOF && fclose(f) == 0);
}

static int
read_conf(struct conf *c, const char *text, struct err *e)
{
	write_conf(text);
	return conf_read(c, root, e);
}

static void
lines_are_read(void)
{
	const struct peer	*p;
	struct conf		 c;
	struct err		 e;

	if (!OK(read_conf(&c, "peer fw2 ssh://root@10.0.0.2:2222 key=k "
	    "trial=90s timeout=7 # the other\n"
	    "peer b ssh://h\npeer-exclude /a '/b c'\n"
	    "peer-subst *.conf 'fw 1' \"fw 2\"\n", &e) == 0)) {
		tap_diag("%s", e.msg);
		return;
	}
	OK(c.peers.n == 2 && c.peers.nsubst == 1 && c.n == 0);
	OK((p = peer_find(&c.peers, "fw2")) != NULL && p->trial == 90);
	OK(p == peer_find(&c.peers, "ssh://root@10.0.0.2:2222"));
	OK(strcmp(p->far->url, "sftp://root@10.0.0.2:2222/peer") == 0);
	OK(strcmp(p->far->key, "k") == 0 && p->far->timeout == 7);
	OK((p = peer_find(&c.peers, "b")) != NULL &&
	    p->trial == PEER_TRIAL && strcmp(p->far->subsystem, "cfgfs") == 0);
	OK(strcmp(c.peers.subst[0].here, "fw 1") == 0);
	OK(strcmp(c.peers.subst[0].there, "fw 2") == 0);
	conf_free(&c);
}

static void
bad_lines_are_named(void)
{
	static const char *const bad[] = {
		"peer\n", "peer a\n", "peer a sftp://h/p\n",
		"peer a ssh://\n", "peer a ssh://h/p\n", "peer -a ssh://h\n",
		"peer a2345678901234567 ssh://h\n",
		"peer a ssh://h manual\n", "peer a ssh://h encrypt=k\n",
		"peer a ssh://h trial=1s\n", "peer a ssh://h trial=2h\n",
		"peer a ssh://h trial=5\n", "peer a ssh://h odd\n",
		"peer a ssh://h:99999\n",
		"peer-exclude\n", "peer-exclude !a\n", "peer-exclude 'a\n",
		"peer-subst a\n", "peer-subst a b\n", "peer-subst a '' c\n",
		"peer-subst a b c d\n", "peer-subst !a b c\n",
	};
	char		 text[128], want[160];
	struct conf	 c;
	struct err	 e;
	size_t		 i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "\n%s", bad[i]);
		snprintf(want, sizeof(want), "%s:2: ", file);
		if (!OK(read_conf(&c, text, &e) == -EINVAL &&
		    strncmp(e.msg, want, strlen(want)) == 0))
			tap_diag("%s", bad[i]);
	}
	OK(read_conf(&c, "peer a ssh://h\npeer a ssh://i\n", &e) == -EINVAL);
}

static void
some_paths_never_cross(void)
{
	static const char *const never[] = { "cfgfs", "cfgfs/config",
	    "cfgfs/hooks/x", "ssh/ssh_host_ed25519_key", "hostname",
	    "machine-id", "hostid", "dropbear/dropbear_rsa_host_key",
	    "dropbear_rsa_host_key", "mine", "mine/too" };
	static const char *const do_cross[] = { "rc.conf", "ssh/sshd_config",
	    "d/hostname", "ssh" };
	struct patt	*p;
	struct conf	 c;
	struct err	 e;
	size_t		 i;

	OK(read_conf(&c, "peer-exclude /mine\n", &e) == 0);
	if (!OK(peers_excluded(&c.peers, &p, &e) == 0))
		return;
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (!OK(patt_match(p, never[i], false)))
			tap_diag("%s", never[i]);
	for (i = 0; i < sizeof(do_cross) / sizeof(do_cross[0]); i++)
		if (!OK(!patt_match(p, do_cross[i], false)))
			tap_diag("%s", do_cross[i]);
	patt_free(p);
	conf_free(&c);
}

static bool
becomes(const struct peers *ps, const char *path, const char *in,
    const char *want)
{
	struct buf	 b = BUF_INIT;
	bool		 yes;

	peers_subst(ps, path, (const uint8_t *)in, strlen(in), &b);
	yes = !b.bad && b.len == strlen(want) &&
	    (b.len == 0 || memcmp(b.p, want, b.len) == 0);
	if (!yes)
		tap_diag("%.*s", (int)b.len, (char *)b.p);
	buf_free(&b);
	return yes;
}

static void
texts_become_the_peers(void)
{
	struct conf	 c;
	struct err	 e;

	OK(read_conf(&c, "peer-subst hosts 10.0.0.1 10.0.0.2\n"
	    "peer-subst hosts 10.0.0.2 10.0.0.1\n"
	    "peer-subst *.conf fw1 firewall2\n"
	    "peer-subst *.conf '-x ' ''\n", &e) == 0);
	OK(becomes(&c.peers, "hosts", "10.0.0.1 a\n10.0.0.2 b\n",
	    "10.0.0.2 a\n10.0.0.1 b\n"));
	OK(becomes(&c.peers, "hosts", "10.0.0.12 110.0.0.1", "10.0.0.12 110.0.0.1"));
	OK(becomes(&c.peers, "d/a.conf", "fw1", "firewall2"));
	OK(becomes(&c.peers, "d/a.conf", "afw1 fw12 fw1-a.fw1",
	    "afw1 fw12 firewall2-a.firewall2"));
	OK(becomes(&c.peers, "a.conf", "-x -x fw1", "firewall2"));
	OK(becomes(&c.peers, "a.txt", "fw1", "fw1"));
	OK(becomes(&c.peers, "a.conf", "", ""));
	conf_free(&c);
}

static const struct tap_case cases[] = {
	{ "lines are read", lines_are_read },
	{ "bad lines are named", bad_lines_are_named },
	{ "some paths never cross", some_paths_never_cross },
	{ "texts become the peer's", texts_become_the_peers },
};

int
main(int argc, char **argv)
{
	char	 dir[64];
	int	 rc;

	if (mkdtemp(root) == NULL)
		return 2;
	(void)snprintf(dir, sizeof(dir), "%s/cfgfs", root);
	(void)snprintf(file, sizeof(file), "%s/config", dir);
	if (mkdir(dir, 0755) == -1)
		return 2;
	rc = tap_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
	(void)unlink(file);
	(void)rmdir(dir);
	(void)rmdir(root);
	return rc;
}
