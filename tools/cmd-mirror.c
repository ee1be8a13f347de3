/*
 * cmd-mirror.c: cfg mirror: what is asked for, of which mirror.
 */
#include <sys/stat.h>

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sync/seal.h"
#include "../sync/url.h"
#include "mirror.h"
#include "mstate.h"
#include "out.h"

typedef int	one_fn(struct margs *, const struct conf_far *, struct err *);

char *
mirror_conf_dir(const struct cfg *c)
{
	char	*p;

	return asprintf(&p, "%s/cfgfs", cfg_root(c)) == -1 ? NULL : p;
}

int
mirror_file(const struct cfg *c, const char *name, char **p, struct err *e)
{
	*p = NULL;
	if (name == NULL)
		return 0;
	if (*name == '/')
		*p = strdup(name);
	else if (asprintf(p, "%s/cfgfs/%s", cfg_root(c), name) == -1)
		*p = NULL;
	return *p == NULL ? err_set(e, ENOMEM, "%s", name) : 0;
}

/* What the command line says counts, else what the configuration has. */
int
mirror_connect(struct net **n, const struct cfg *c, const struct conf_far *m,
    const struct conf_far *opt, bool ask, struct err *e)
{
	const char	*key = opt != NULL && opt->key != NULL ? opt->key :
	    m->key;
	const char	*known = opt != NULL && opt->known != NULL ?
	    opt->known : m->known;
	const char	*enc = opt != NULL && opt->encrypt != NULL ?
	    opt->encrypt : m->encrypt;
	struct net_where w = { .url = m->url, .timeout = opt != NULL &&
	    opt->timeout > 0 ? opt->timeout : m->timeout, .ask = ask,
	    .subsystem = m->subsystem };
	char		*dir = mirror_conf_dir(c), *f[3] = { NULL, NULL, NULL };
	int		 rc;

	*n = NULL;
	if (dir == NULL)
		return err_set(e, ENOMEM, "%s", m->url);
	if ((rc = mirror_file(c, key, &f[0], e)) == 0 &&
	    (rc = mirror_file(c, known, &f[1], e)) == 0 &&
	    (rc = mirror_file(c, enc, &f[2], e)) == 0) {
		w.conf = dir;
		w.key = f[0];
		w.known = f[1];
		w.encrypt = f[2];
		rc = net_open(n, &w, e);
	}
	free(f[0]);
	free(f[1]);
	free(f[2]);
	free(dir);
	return rc;
}

/* Say of which mirror it is, where the line does not. */
static void
say_failed(const struct margs *a, const struct conf_far *m,
    const struct err *e)
{
	struct buf	 b = BUF_INIT;

	if (a->c->json) {
		put_fmt(&b, "{\"mirror\":");
		json_str(&b, m->name);
		put_fmt(&b, ",\"error\":");
		json_str(&b, e->msg);
		put_fmt(&b, "}\n");
		(void)out_write(&b, false);
		buf_free(&b);
	}
	out_text(&b, e->msg, strlen(e->msg));
	put_u8(&b, '\0');
	if (!b.bad)
		(void)cfg_failx(a->c, "%s: %s", m->name, (char *)b.p);
	buf_free(&b);
}

/* A mirror that the configuration does not have: a URL is its name, too. */
static void
plain(struct conf_far *f, char *url)
{
	memset(f, 0, sizeof(*f));
	f->name = f->url = url;
	f->timeout = CONF_TIMEOUT;
}

static int
find(struct margs *a, char *arg, struct conf_far *unnamed,
    const struct conf_far **m, struct err *e)
{
	if (url_is(arg)) {
		*m = conf_url(&a->conf, arg);
		if (*m == NULL || *m == &a->conf.store) {
			plain(unnamed, arg);
			*m = unnamed;
		}
		return 0;
	}
	if ((*m = conf_mirror(&a->conf, arg)) == NULL)
		return err_setx(e, ENOENT, "%.100s: there is no mirror of "
		    "that name", arg);
	return 0;
}

/* All that were named, or all that there are: the worst exit code. */
static int
each(struct margs *a, one_fn *fn)
{
	const struct conf_far	*m = NULL;
	struct conf_far		 unnamed;
	struct err		 e = { 0, "" };
	int			 i, n = a->n > 0 ? a->n : (int)a->conf.n, rc;
	int			 worst = EX_OK;

	if (n == 0)
		return cfg_failx(a->c, "no mirrors: cfg mirror add URL");
	for (i = 0; i < n; i++) {
		if (a->n > 0 && find(a, a->v[i], &unnamed, &m, &e) < 0) {
			worst = cfg_fail(a->c, &e);
			continue;
		}
		if (a->n == 0)
			m = &a->conf.mirror[i];
		if ((rc = fn(a, m, &e)) < 0) {
			say_failed(a, m, &e);
			worst = EX_FAIL;
		} else if (rc > worst)
			worst = rc;
	}
	return worst;
}

static int
push_one(struct margs *a, const struct conf_far *m, struct err *e)
{
	return mirror_push(a, m, false, e);
}

static int
do_push(struct margs *a)
{
	if (a->peer)
		return peer_push(a);
	return a->dry ? cfg_usage(a->c) : each(a, push_one);
}

static int
do_verify(struct margs *a)
{
	return each(a, mirror_verify);
}

static int
do_pull(struct margs *a)
{
	if (a->n > 1 || (a->n == 0 && a->conf.n > 1))
		return cfg_failx(a->c, "pull from which mirror?");
	return each(a, mirror_pull);
}

static int
do_clone(struct margs *a)
{
	struct conf_far	 m;
	struct err	 e;
	uint64_t	 gen;
	bool		 made;
	struct stat	 st;

	if (a->n != 2)
		return cfg_usage(a->c);
	plain(&m, a->v[0]);
	if (!a->force && stat(a->v[1], &st) == 0 && S_ISREG(st.st_mode))
		return cfg_failx(a->c, "%s: is there already; cfg mirror pull "
		    "brings a store up to date", a->v[1]);
	if (pull_into(a->c, &m, &a->opt, a->v[1], a->force, &made, &gen,
	    &e) < 0)
		return cfg_fail(a->c, &e);
	if (a->c->json)
		say_here("store", a->v[1], gen);
	else
		(void)printf("%s: generation %llu\n", a->v[1],
		    (unsigned long long)gen);
	return EX_OK;
}

/* The name where none is given: the host's, as far as it is one. */
static int
default_name(const char *arg, const struct url *u, char **name,
    struct err *e)
{
	size_t		 i;

	if ((*name = strdup(u->host)) == NULL)
		return err_set(e, ENOMEM, "%.100s", arg);
	for (i = 0; (*name)[i] != '\0'; i++)
		if ((*name)[i] == ':')
			(*name)[i] = '-';
	if (!conf_name_ok(*name)) {
		free(*name);
		*name = NULL;
		return err_setx(e, EINVAL, "%.100s: say --name", arg);
	}
	return 0;
}

/* The key of a sealed mirror, made where there is none. */
static int
key_ready(struct margs *a, struct err *e)
{
	struct stat	 st;
	char		*file;
	int		 rc;

	if (a->opt.encrypt == NULL)
		return 0;
	if ((rc = mirror_file(a->c, a->opt.encrypt, &file, e)) < 0)
		return rc;
	if (stat(file, &st) == -1 && errno == ENOENT &&
	    (rc = seal_init(e)) == 0 && (rc = seal_key_make(file, e)) == 0)
		cfg_warn(a->c, "%s: a new key; keep a copy elsewhere, as "
		    "without it nobody can read the mirror", file);
	free(file);
	return rc;
}

static int
do_add(struct margs *a)
{
	struct conf_far	 m = a->opt;
	struct err	 e;
	char		*name = NULL;
	struct url	 u;
	int		 rc;

	if (a->n != 1)
		return cfg_usage(a->c);
	m.url = a->v[0];
	if (m.timeout == 0)
		m.timeout = CONF_TIMEOUT;
	if ((rc = url_parse(&u, m.url, &e)) == 0) {
		if (m.name == NULL)
			rc = default_name(m.url, &u, &name, &e);
		url_free(&u);
	}
	if (m.name == NULL)
		m.name = name;
	if (rc == 0 && (rc = key_ready(a, &e)) == 0)
		rc = conf_add(cfg_root(a->c), &m, &e);
	if (rc == 0)
		(void)printf("mirror %s is in %s/cfgfs/config, which is to be "
		    "committed\n", m.name, cfg_root(a->c));
	free(name);
	return rc < 0 ? cfg_fail(a->c, &e) : EX_OK;
}

static int
do_remove(struct margs *a)
{
	struct err	 e;
	int		 i;

	if (a->n == 0)
		return cfg_usage(a->c);
	for (i = 0; i < a->n; i++) {
		if (conf_remove(cfg_root(a->c), a->v[i], &e) < 0)
			return cfg_fail(a->c, &e);
		if (a->c->inst.state != NULL)
			mstate_forget(a->c->inst.state, a->v[i]);
	}
	return EX_OK;
}

static void
print_fault(void *arg, const char *line)
{
	struct buf	 b = BUF_INIT;

	(void)arg;
	out_text(&b, line, strlen(line));
	put_u8(&b, '\n');
	(void)out_write(&b, false);
	buf_free(&b);
}

/* On the host that keeps a sealed copy. */
static int
do_check(struct margs *a)
{
	struct err	 e;
	struct io	*io;
	int		 i, rc, worst = EX_OK;

	if (a->n == 0)
		return cfg_usage(a->c);
	for (i = 0; i < a->n; i++) {
		if ((rc = io_open(&io, a->v[i], 0, &e)) == 0) {
			rc = seal_check(io, print_fault, NULL, &e);
			io_close(io);
		}
		if (rc < 0)
			return cfg_fail(a->c, &e);
		(void)printf("%s: %d fault%s\n", a->v[i], rc,
		    rc == 1 ? "" : "s");
		if (rc > 0)
			worst = EX_NO;
	}
	return worst;
}

static int
do_lag(struct margs *a)
{
	return a->n == 1 ? mirror_lag(a, strtoull(a->v[0], NULL, 10)) :
	    cfg_usage(a->c);
}

static const struct {
	const char	*name;
	int		 (*fn)(struct margs *);
} verbs[] = {
	{ "add", do_add },
	{ "push", do_push },
	{ "pull", do_pull },
	{ "status", mirror_status },
	{ "verify", do_verify },
	{ "remove", do_remove },
	{ "clone", do_clone },
	{ "check", do_check },
	{ "auto", mirror_auto },	/* what cfg commit and cfgfs start */
	{ "lag", do_lag },		/* what cfg status starts */
};

static int
options(struct margs *a, int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "whole", no_argument, NULL, 'w' },
		{ "manual", no_argument, NULL, 'M' },
		{ "peer", no_argument, NULL, 'p' },
		{ "name", required_argument, NULL, 'N' },
		{ "key", required_argument, NULL, 'k' },
		{ "known-hosts", required_argument, NULL, 'h' },
		{ "encrypt", required_argument, NULL, 'e' },
		{ "timeout", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 }
	};
	char				*end;
	int				 ch;

	while ((ch = getopt_long(argc, argv, "fn", lo, NULL)) != -1)
		switch (ch) {
		case 'f':
			a->force = true;
			break;
		case 'w':
			a->whole = true;
			break;
		case 'M':
			a->opt.manual = true;
			break;
		case 'n':
			a->dry = true;
			break;
		case 'p':
			a->peer = true;
			break;
		case 'N':
			a->opt.name = optarg;
			break;
		case 'k':
			a->opt.key = optarg;
			break;
		case 'h':
			a->opt.known = optarg;
			break;
		case 'e':
			a->opt.encrypt = optarg;
			break;
		case 't':
			a->opt.timeout = (int)strtol(optarg, &end, 10);
			if (*end != '\0' || a->opt.timeout < 1 ||
			    a->opt.timeout > 3600)
				return -1;
			break;
		default:
			return -1;
		}
	return 0;
}

/* Names on the command line are as the user's directory has them; those of
 * add go into the configuration, and are told from there. */
static int
absolute(char **name, struct err *e)
{
	char	*cwd, *p;
	int	 rc;

	if (*name == NULL || **name == '/')
		return 0;
	if ((cwd = getcwd(NULL, 0)) == NULL)
		return err_set(e, errno, "%s", *name);
	rc = asprintf(&p, "%s/%s", cwd, *name);
	free(cwd);
	if (rc == -1)
		return err_set(e, ENOMEM, "%s", *name);
	*name = p;			/* as long as the process */
	return 0;
}

int
cmd_mirror(struct cfg *c, int argc, char **argv)
{
	struct margs	 a = { .c = c };
	struct err	 e = { 0, "" };
	size_t		 i;
	int		 rc;

	if (argc < 2 || *argv[1] == '-')
		return cfg_usage(c);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			break;
	if (i == sizeof(verbs) / sizeof(verbs[0]) ||
	    options(&a, argc - 1, argv + 1) == -1)
		return cfg_usage(c);
	/* Only a push has these. */
	if ((a.peer || a.dry) && verbs[i].fn != do_push)
		return cfg_usage(c);
	a.v = argv + 1 + optind;
	a.n = argc - 1 - optind;
	if (c->storepath == NULL)
		(void)cfg_inst(c, &e);	/* where one is needed, it is said */
	if (verbs[i].fn != do_add && ((rc = absolute(&a.opt.key, &e)) < 0 ||
	    (rc = absolute(&a.opt.known, &e)) < 0 ||
	    (rc = absolute(&a.opt.encrypt, &e)) < 0))
		return cfg_fail(c, &e);
	if (conf_read(&a.conf, cfg_root(c), &e) < 0)
		return cfg_fail(c, &e);
	rc = verbs[i].fn(&a);
	conf_free(&a.conf);
	return rc;
}
