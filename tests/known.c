/*
 * known.c: files of known hosts are read as OpenSSH reads them: what
 * ssh-keygen wrote, hashed and found is the measure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/b64.h"
#include "../sync/keys.h"
#include "../sync/sshwire.h"
#include "tap.h"

#define ED	"ssh-ed25519"
#define EC	"ecdsa-sha2-nistp256"

static char	 dir[64];

/* A key that is none but looks like one: nr tells keys apart. */
static struct buf
key(const char *type, uint32_t nr)
{
	struct buf	 b = BUF_INIT;
	uint8_t		 k[32] = { 9 };

	k[1] = (uint8_t)nr;
	k[2] = (uint8_t)(nr >> 8);
	sw_putstr(&b, type, strlen(type));
	sw_putstr(&b, k, sizeof(k));
	return b;
}

static void
put_line(struct buf *b, const char *names, const char *type, uint32_t nr)
{
	struct buf	 k = key(type, nr);

	put_fmt(b, "%s %s ", names, type);
	b64_put(b, k.p, k.len);
	put_fmt(b, " no. %u\n", nr);
	buf_free(&k);
}

static enum known
check(const struct buf *known, const char *host, uint16_t port,
    const char *type, uint32_t nr, size_t *line)
{
	struct buf	 k = key(type, nr);
	enum known	 r = known_check(known, host, port, k.p, k.len, line);

	buf_free(&k);
	return r;
}

/* Of one line in a file of its own. */
static enum known
one(const char *names, const char *host, uint16_t port, uint32_t nr)
{
	struct buf	 b = BUF_INIT;
	enum known	 r;
	size_t		 line;

	put_line(&b, names, ED, 1);
	r = check(&b, host, port, ED, nr, &line);
	OK(line == (r == KNOWN_NO ? 0 : 1));
	buf_free(&b);
	return r;
}

static void
save(const char *name, const struct buf *b)
{
	char	 path[128];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!OK((f = fopen(path, "w")) != NULL))
		return;
	OK(fwrite(b->p, 1, b->len, f) == b->len);
	OK(fclose(f) == 0);
}

static void
load(const char *name, struct buf *b)
{
	char	 path[128];
	FILE	*f;
	size_t	 n;

	b->len = 0;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (!OK((f = fopen(path, "r")) != NULL))
		return;
	while (buf_room(b, 4096) != NULL &&
	    (n = fread(b->p + b->len, 1, 4096, f)) > 0)
		b->len += n;
	OK(fclose(f) == 0);
}

/* The key of a .pub file. */
static ssize_t
load_pub(const char *name, uint8_t *out, size_t len)
{
	struct buf	 b = BUF_INIT;
	const uint8_t	*p, *q;
	ssize_t		 n = -1;

	load(name, &b);
	put_u8(&b, ' ');
	if ((p = memchr(b.p, ' ', b.len)) != NULL) {
		p++;
		q = memchr(p, ' ', b.len - (size_t)(p - b.p));
		n = b64_get(p, (size_t)(q - p), out, len);
	}
	buf_free(&b);
	return n;
}

static void
names_match_as_they_should(void)
{
	OK(one("box", "box", 22, 1) == KNOWN_YES);
	OK(one("box", "BOX", 22, 1) == KNOWN_YES);
	OK(one("BoX", "box", 22, 1) == KNOWN_YES);
	OK(one("box", "box", 22, 2) == KNOWN_CHANGED);
	OK(one("box", "boxx", 22, 1) == KNOWN_NO);
	OK(one("a,box,b", "box", 22, 1) == KNOWN_YES);
	OK(one("a,boxer,b", "box", 22, 1) == KNOWN_NO);
	OK(one("*.example.org", "a.example.org", 22, 1) == KNOWN_YES);
	OK(one("*.example.org", "example.org", 22, 1) == KNOWN_NO);
	OK(one("*.example.org,!bad.example.org", "bad.example.org", 22, 1) ==
	    KNOWN_NO);
	OK(one("!bad.example.org,*.example.org", "bad.example.org", 22, 1) ==
	    KNOWN_NO);
	OK(one("!bad.example.org,*.example.org", "ok.example.org", 22, 1) ==
	    KNOWN_YES);
	OK(one("!bad", "good", 22, 1) == KNOWN_NO);
	OK(one("b?x", "box", 22, 1) == KNOWN_YES);
	OK(one("b?x", "bx", 22, 1) == KNOWN_NO);
	OK(one("::1", "::1", 22, 1) == KNOWN_YES);
	OK(one("[::1]:2222", "::1", 2222, 1) == KNOWN_YES);
}

static void
another_port_falls_back_to_the_name_where_the_key_is_right(void)
{
	struct buf	 b = BUF_INIT;
	size_t		 line;

	OK(one("[box]:2222", "box", 2222, 1) == KNOWN_YES);
	OK(one("[box]:2222", "box", 2222, 2) == KNOWN_CHANGED);
	OK(one("[box]:2222", "box", 22, 1) == KNOWN_NO);
	OK(one("[box]:2222", "box", 2223, 1) == KNOWN_NO);
	OK(one("[box]:22", "box", 22, 1) == KNOWN_NO);
	OK(one("box", "box", 2222, 1) == KNOWN_YES);
	OK(one("box", "box", 2222, 2) == KNOWN_NO);
	put_line(&b, "box", ED, 1);
	put_line(&b, "[box]:2222", ED, 2);
	OK(check(&b, "box", 2222, ED, 1, &line) == KNOWN_CHANGED && line == 2);
	OK(check(&b, "box", 2222, ED, 2, &line) == KNOWN_YES && line == 2);
	buf_free(&b);
}

static void
a_revoked_key_is_refused_whatever_host_it_names(void)
{
	struct buf	 b = BUF_INIT;
	size_t		 line;

	put_line(&b, "box", ED, 1);
	put_line(&b, "@revoked elsewhere", ED, 1);
	put_line(&b, "@cert-authority *", ED, 3);
	put_line(&b, "@unheard-of box", ED, 4);
	put_line(&b, "\t box", ED, 5);
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_REVOKED && line == 2);
	OK(check(&b, "other", 22, ED, 1, &line) == KNOWN_REVOKED);
	OK(check(&b, "box", 22, ED, 3, &line) == KNOWN_CHANGED && line == 1);
	OK(check(&b, "box", 22, ED, 4, &line) == KNOWN_CHANGED);
	OK(check(&b, "box", 22, ED, 5, &line) == KNOWN_YES && line == 5);
	OK(check(&b, "other", 22, ED, 3, &line) == KNOWN_NO && line == 0);
	buf_free(&b);
}

static void
types_come_in_the_file_s_order(void)
{
	struct buf	 b = BUF_INIT;
	char		 t[64];
	size_t		 line;

	put_line(&b, "box", EC, 1);
	put_line(&b, "@revoked box", "ssh-rsa", 2);
	put_line(&b, "other", "ssh-dss", 1);
	put_line(&b, "box", ED, 1);
	put_line(&b, "box", ED, 2);
	put_line(&b, "[box]:99", ED, 3);
	known_types(&b, "box", 22, t, sizeof(t));
	OK(strcmp(t, EC "," ED) == 0);
	known_types(&b, "box", 99, t, sizeof(t));
	OK(strcmp(t, ED) == 0);
	known_types(&b, "box", 98, t, sizeof(t));
	OK(strcmp(t, EC "," ED) == 0);
	known_types(&b, "nobody", 22, t, sizeof(t));
	OK(*t == '\0');
	known_types(&b, "box", 22, t, sizeof(EC));
	OK(strcmp(t, EC) == 0);
	known_types(&b, "box", 22, t, sizeof(EC) - 1);
	OK(strcmp(t, ED) == 0);
	known_types(&b, "box", 22, t, 1);
	OK(*t == '\0');
	OK(check(&b, "box", 22, "ssh-xyz", 1, &line) == KNOWN_CHANGED);
	OK(check(&b, "box", 22, ED, 2, &line) == KNOWN_YES && line == 5);
	buf_free(&b);
}

static void
lines_that_cant_be_read_are_passed_over(void)
{
	struct buf	 b = BUF_INIT;
	size_t		 line;
	int		 i;

	put_fmt(&b, "# box %s AAAA\n\n \t\nbox\nbox %s\nbox %s AAAA\n", ED, ED,
	    ED);
	put_fmt(&b, "box %s AAAAC3NzaC1lZDI1NTE5AAAAI!!!\n", ED);
	put_line(&b, "|1|AAAA|AAAA", ED, 1);
	put_line(&b, "|2|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|"
	    "3988QV0VE8wmZL7suNrYQLITLCg=", ED, 1);
	for (i = 0; i < 16400; i++)
		put_u8(&b, 'x');
	put_line(&b, ",box", ED, 1);
	put_u8(&b, '\0');
	put_line(&b, ",box", ED, 1);
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_NO);
	put_line(&b, "box", ED, 1);
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_YES && line == 12);
	b.len--;
	put_fmt(&b, "\r\n");
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_YES);
	b.len = 0;
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_NO);
	buf_free(&b);
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_NO);
	put_fmt(&b, "box %s ", ED);
	{	/* neither newline nor comment at the end */
		struct buf	 k = key(ED, 1);

		b64_put(&b, k.p, k.len);
		buf_free(&k);
	}
	OK(check(&b, "box", 22, ED, 1, &line) == KNOWN_YES && line == 1);
	OK(check(&b, "", 22, ED, 1, &line) == KNOWN_NO);
	buf_free(&b);
}

static void
a_line_of_ours_is_found_by_us_and_by_ssh_keygen(void)
{
	static const struct {
		const char	*host;
		uint16_t	 port;
		const char	*name;
	} t[] = { { "box", 22, "box" }, { "Box", 2222, "[box]:2222" },
	    { "::1", 22, "::1" }, { "fe80::1%eth0", 99, "[fe80::1%eth0]:99" } };
	struct buf	 b = BUF_INIT, k = key(ED, 7);
	uint8_t		 evil[] = { 0, 0, 0, 3, 'a', '\n', 'b' };
	char		 cmd[256];
	size_t		 i, line;

	for (i = 0; i < 4; i++)
		OK(known_line(&b, t[i].host, t[i].port, k.p, k.len) == 0);
	save("ours", &b);
	for (i = 0; i < 4; i++) {
		OK(known_check(&b, t[i].host, t[i].port, k.p, k.len, &line) ==
		    KNOWN_YES && line == i + 1);
		(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -f %s/ours -F "
		    "'%s' | grep -q 'found: line %zu'", dir, t[i].name, i + 1);
		OK(system(cmd) == 0);
	}
	line = b.len;
	OK(known_line(&b, "a b", 22, k.p, k.len) < 0);
	OK(known_line(&b, "a,b", 22, k.p, k.len) < 0);
	OK(known_line(&b, "*", 22, k.p, k.len) < 0);
	OK(known_line(&b, "", 22, k.p, k.len) < 0);
	OK(known_line(&b, "box", 22, k.p, 3) < 0);
	OK(known_line(&b, "box", 22, evil, sizeof(evil)) < 0);
	OK(b.len == line);
	buf_free(&b);
	buf_free(&k);
}

static void
what_ssh_keygen_hashes_stays_known_and_what_it_removes_does_not(void)
{
	struct buf	 b = BUF_INIT;
	char		 cmd[256];
	size_t		 line;

	put_line(&b, "box.example.org,192.0.2.7", ED, 1);
	put_line(&b, "[box.example.org]:2222", ED, 2);
	put_line(&b, "*.wild.org", ED, 3);
	save("hashed", &b);
	(void)snprintf(cmd, sizeof(cmd),
	    "ssh-keygen -q -H -f %s/hashed > %s/log 2>&1", dir, dir);
	OK(system(cmd) == 0);
	load("hashed", &b);
	put_u8(&b, '\0');
	b.len--;
	OK(strstr((char *)b.p, "box") == NULL);
	OK(check(&b, "Box.example.org", 22, ED, 1, &line) == KNOWN_YES);
	OK(check(&b, "192.0.2.7", 22, ED, 1, &line) == KNOWN_YES);
	OK(check(&b, "box.example.org", 22, ED, 2, &line) == KNOWN_CHANGED);
	OK(check(&b, "box.example.org", 2222, ED, 2, &line) == KNOWN_YES);
	OK(check(&b, "box.example.org", 2222, ED, 1, &line) == KNOWN_CHANGED);
	OK(check(&b, "box.example.org", 23, ED, 1, &line) == KNOWN_YES);
	OK(check(&b, "a.wild.org", 22, ED, 3, &line) == KNOWN_YES);
	OK(check(&b, "192.0.2.8", 22, ED, 1, &line) == KNOWN_NO);
	(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -f %s/hashed "
	    "-R '[box.example.org]:2222' > %s/log 2>&1", dir, dir);
	OK(system(cmd) == 0);
	load("hashed", &b);
	OK(check(&b, "box.example.org", 2222, ED, 2, &line) == KNOWN_NO);
	OK(check(&b, "box.example.org", 22, ED, 1, &line) == KNOWN_YES);
	buf_free(&b);
}

static void
fingerprints_are_those_of_ssh_keygen(void)
{
	static const char *const types[] = { "ed25519", "ecdsa", "rsa" };
	uint8_t		 k[2048];
	char		 cmd[256], out[64];
	size_t		 i;
	ssize_t		 n;

	for (i = 0; i < 3; i++) {
		(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -q -t %s -N '' "
		    "-f %s/%s", types[i], dir, types[i]);
		OK(system(cmd) == 0);
		(void)snprintf(cmd, sizeof(cmd), "%s.pub", types[i]);
		if (!OK((n = load_pub(cmd, k, sizeof(k))) > 0))
			continue;
		known_print(k, (size_t)n, out);
		OK(strlen(out) == 50);
		(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -l -f %s/%s.pub | "
		    "cut -d ' ' -f 2 | grep -Fqx '%s'", dir, types[i], out);
		OK(system(cmd) == 0);
	}
}

static const char *const	 hosts[] = { "a", "b.org", "a.b.org",
    "aa.b.org", "192.0.2.1", "[a]:2222", "[b.org]:22222", "::1", "aab" };
#define NHOSTS	(sizeof(hosts) / sizeof(hosts[0]))

/* A list of patterns from few letters, so that they often match. */
static void
draw_names(uint64_t *rng, char *s, size_t len, bool plain)
{
	static const char *const parts[] = { "a", "b.org", "a.b.org", "*",
	    "*.b.org", "?.b.org", "192.0.2.*", "[a]:2222", "[b.org]:22222",
	    "[*]:*", "::1", "a*b", "*a*", "", "A.B.ORG", "*.org", "a?b*" };
	size_t		 n = 1 + tap_rand(rng) % 4, have = 0;
	const char	*p;

	*s = '\0';
	while (n-- > 0) {
		p = plain ? hosts[tap_rand(rng) % NHOSTS] :
		    parts[tap_rand(rng) % (sizeof(parts) / sizeof(parts[0]))];
		have += (size_t)snprintf(s + have, len - have, "%s%s%s",
		    have > 0 ? "," : "",
		    !plain && tap_rand(rng) % 5 == 0 ? "!" : "", p);
	}
	if (*s == '\0')
		(void)snprintf(s, len, "a");
}

/* Which of the lines ssh-keygen finds: a bit each. */
static uint64_t
found_by_ssh_keygen(const char *file, const char *host)
{
	char		 cmd[256], s[16384];
	unsigned	 nr;
	uint64_t	 set = 0;
	FILE		*f;
	const char	*p;

	(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -f %s/%s -F '%s' 2>&1",
	    dir, file, host);
	if (!OK((f = popen(cmd, "r")) != NULL))
		return 0;
	while (fgets(s, sizeof(s), f) != NULL)
		if (*s != '#' && (p = strstr(s, " no. ")) != NULL &&
		    sscanf(p, " no. %u", &nr) == 1)
			set |= (uint64_t)1 << nr;
	(void)pclose(f);	/* 1: none is found */
	return set;
}

static uint64_t
found_by_us(const struct buf *b, const char *host)
{
	char		 name[64];
	unsigned	 port = 22;
	uint64_t	 set = 0;
	uint32_t	 nr;
	size_t		 line;

	if (sscanf(host, "[%63[^]]]:%u", name, &port) != 2)
		(void)snprintf(name, sizeof(name), "%s", host);
	for (nr = 0; nr < 40; nr++)
		if (check(b, name, (uint16_t)port, ED, nr, &line) == KNOWN_YES)
			set |= (uint64_t)1 << nr;
	return set;
}

static void
random_files_are_read_as_ssh_keygen_reads_them(void)
{
	uint64_t	 rng = tap_seed(20261123), ours, theirs;
	struct buf	 b = BUF_INIT;
	char		 names[256], cmd[256];
	unsigned	 round, matches = 0;
	uint32_t	 nr;
	size_t		 i;

	for (round = 0; round < 12; round++) {
		b.len = 0;
		/* ssh-keygen has no fall-back: each file has one kind. */
		for (nr = 0; nr < 40; nr++) {
			draw_names(&rng, names, sizeof(names), round % 3 == 0);
			put_line(&b, names, ED, nr);
		}
		save("random", &b);
		if (round % 3 == 0) {
			(void)snprintf(cmd, sizeof(cmd), "ssh-keygen -q -H "
			    "-f %s/random > %s/log 2>&1", dir, dir);
			OK(system(cmd) == 0);
			load("random", &b);
		}
		for (i = 0; i < NHOSTS; i++) {
			ours = found_by_us(&b, hosts[i]);
			theirs = found_by_ssh_keygen("random", hosts[i]);
			/* With no line of the port, the name counts for us. */
			if (theirs == 0 && *hosts[i] == '[')
				continue;
			if (!OK(ours == theirs))
				tap_diag("round %u, %s: %llx, not %llx", round,
				    hosts[i], (unsigned long long)ours,
				    (unsigned long long)theirs);
			matches += ours != 0;
		}
	}
	OK(matches > 50);
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	static const struct tap_case c[] = {
		{ "names match as they should", names_match_as_they_should },
		{ "another port falls back to the name where the key is right",
		    another_port_falls_back_to_the_name_where_the_key_is_right
		},
		{ "a revoked key is refused whatever host it names",
		    a_revoked_key_is_refused_whatever_host_it_names },
		{ "types come in the file's order",
		    types_come_in_the_file_s_order },
		{ "lines that can't be read are passed over",
		    lines_that_cant_be_read_are_passed_over },
		{ "a line of ours is found by us and by ssh-keygen",
		    a_line_of_ours_is_found_by_us_and_by_ssh_keygen },
		{ "what ssh-keygen hashes stays known, what it removes does "
		    "not",
	    what_ssh_keygen_hashes_stays_known_and_what_it_removes_does_not },
		{ "fingerprints are those of ssh-keygen",
		    fingerprints_are_those_of_ssh_keygen },
		{ "random files are read as ssh-keygen reads them",
		    random_files_are_read_as_ssh_keygen_reads_them },
	};
	char	 rm[128];
	int	 rc;

	(void)snprintf(dir, sizeof(dir), "/tmp/cfgfs-known.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	rc = tap_main(argc, argv, c, sizeof(c) / sizeof(c[0]));
	(void)snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	if (system(rm) != 0)
		rc = 1;
	return rc;
}
