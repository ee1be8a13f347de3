/*
 * checktab.c: validators of common programs.
 *
 * A validator must never stand in the way for reasons of its own: keys
 * that are made later, a kernel without that filter.  So where a program
 * has no way to check the syntax alone, its words say what it is about.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <fcntl.h>
#include <regex.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "checktab.h"

/* Without leave or kernel, no filter can be looked at. */
#define NO_FILTER "Operation not (permitted|supported)|cache initialization" \
	" failed|/dev/pf: |Protocol not supported"

static const struct validator tab[] = {
	{ .patts = { "/rc.conf", "/rc.conf.local", "/rc.conf.d/*", "/rc.d/*",
	    "/rc.local", "/periodic.conf", "/profile" },
	    .cmd = "sh -n %p", .flags = CHECK_SH },
	/* It asks for its directory last, when all else was found good. */
	{ .patts = { "/ssh/sshd_config", "/ssh/sshd_config.d/*" },
	    .cmd = "sshd -t -f %r/ssh/sshd_config",
	    .need = "ssh/sshd_config",
	    .fine = "^Missing privilege separation directory" },
	{ .patts = { "/sudoers", "/sudoers.d/*" },
	    .cmd = "visudo -cf %p", .flags = CHECK_SUDO },
	{ .patts = { "/pf.conf" },
	    .cmd = "pfctl -nf %p", .fine = NO_FILTER },
	{ .patts = { "/nftables.conf", "/nftables.d/*" },
	    .cmd = "nft -c -f %r/nftables.conf", .need = "nftables.conf",
	    .fine = NO_FILTER },
	{ .patts = { "/nftables.nft", "/nftables.d/*" },
	    .cmd = "nft -c -f %r/nftables.nft", .need = "nftables.nft",
	    .fine = NO_FILTER },
	{ .patts = { "/named.conf" }, .cmd = "named-checkconf %p" },
	{ .patts = { "/bind/named.conf*" },
	    .cmd = "named-checkconf %r/bind/named.conf",
	    .need = "bind/named.conf" },
	{ .patts = { "/namedb/named.conf" }, .cmd = "named-checkconf %p" },
	{ .patts = { "/unbound.conf" }, .cmd = "unbound-checkconf %p" },
	{ .patts = { "/unbound/unbound.conf", "/unbound/*.d/*" },
	    .cmd = "unbound-checkconf %r/unbound/unbound.conf",
	    .need = "unbound/unbound.conf" },
	{ .patts = { "/nginx/nginx.conf", "/nginx/*.d/*",
	    "/nginx/sites-enabled/*" },
	    .cmd = "nginx -t -q -c %r/nginx/nginx.conf",
	    .need = "nginx/nginx.conf" },
	/* The exit status is the same for a home that is not there yet. */
	{ .patts = { "/passwd", "/shadow" },
	    .cmd = "pwck -r -q %r/passwd %r/shadow", .need = "shadow",
	    .only = "invalid (shadow )?password file entry|^duplicate " },
	{ .patts = { "/group", "/gshadow" },
	    .cmd = "grpck -r %r/group %r/gshadow", .need = "gshadow",
	    .only = "invalid (shadow )?group file entry|^duplicate " },
	{ .patts = { "/master.passwd" }, .cmd = "pwd_mkdb -C %p" },
};

const struct validator *
validator(size_t i)
{
	return i < sizeof(tab) / sizeof(tab[0]) ? &tab[i] : NULL;
}

static bool
is_file(int tree, const char *path)
{
	const char	*name;
	struct stat	 st;
	int		 dfd = path_parent(tree, path, &name);
	bool		 is;

	if (dfd < 0)
		return false;
	is = fstatat(dfd, name, &st, 0) == 0 && S_ISREG(st.st_mode);
	(void)close(dfd);
	return is;
}

/* Whether sh is what runs it: "#!/bin/sh", or no "#!" at all. */
static bool
is_sh(int tree, const char *path)
{
	char	 line[128];
	ssize_t	 n;
	char	*p;
	int	 fd = path_open(tree, path, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return false;
	n = read(fd, line, sizeof(line) - 1);
	(void)close(fd);
	if (n < 2 || line[0] != '#' || line[1] != '!')
		return n >= 0;
	line[n] = '\0';
	p = line + 2 + strspn(line + 2, " \t");
	return strncmp(p, "/bin/sh", 7) == 0 &&
	    (p[7] == '\0' || isspace((unsigned char)p[7]));
}

/* sudo reads what has no dot in its name and no tilde at its end. */
static bool
sudo_reads(const char *path)
{
	const char	*base = path_base(path);

	return *base != '\0' && strchr(base, '.') == NULL &&
	    base[strlen(base) - 1] != '~';
}

bool
validator_wants(const struct validator *v, int tree, const char *path)
{
	return (v->need == NULL || is_file(tree, v->need)) &&
	    (!(v->flags & CHECK_SH) || is_sh(tree, path)) &&
	    (!(v->flags & CHECK_SUDO) || sudo_reads(path));
}

static bool
has(const char *said, const char *re)
{
	regex_t	 r;
	bool	 yes;

	if (regcomp(&r, re, REG_EXTENDED | REG_NEWLINE | REG_NOSUB) != 0)
		return false;
	yes = regexec(&r, said, 0, NULL, 0) == 0;
	regfree(&r);
	return yes;
}

/* No host key in the tree's own directory: they are made later. */
static bool
keys_to_come(int tree, const char *said)
{
	return has(said, "no hostkeys available") &&
	    !is_file(tree, "ssh/ssh_host_rsa_key") &&
	    !is_file(tree, "ssh/ssh_host_ecdsa_key") &&
	    !is_file(tree, "ssh/ssh_host_ed25519_key");
}

bool
validator_means(const struct validator *v, int tree, const char *said)
{
	if (v->fine != NULL && has(said, v->fine))
		return false;
	if (v->only != NULL && !has(said, v->only))
		return false;
	return !keys_to_come(tree, said);
}
