/*
 * cmd-init.c: cfg init: an empty store, as init.h makes it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/ctl.h"
#include "cfg.h"
#include "init.h"

static int
parse_u32(const char *s, uint32_t *v)
{
	uint64_t	 n;

	if (init_size(s, &n) < 0 || n == 0 || n > UINT32_MAX)
		return -EINVAL;
	*v = (uint32_t)n;
	return 0;
}

/*
 * Where a daemon runs with this store.  Its journal is of the store's head:
 * with another head, what is pending would not be seen.  When it starts
 * again all is compared.
 */
static const char *
serving(struct cfg *c, const char *path)
{
	struct err	 ignored;
	int		 ctl;

	cfg_served(c, path);
	if (c->inst.state == NULL ||
	    (ctl = ctl_connect(c->inst.state, &ignored)) < 0)
		return NULL;
	(void)close(ctl);
	return c->inst.mount;
}

int
cmd_init(struct cfg *c, int argc, char **argv)
{
	static const struct option	 lo[] = {
		{ "align", required_argument, NULL, 'a' },
		{ "areas", required_argument, NULL, 'k' },
		{ "force", no_argument, NULL, 'f' },
		{ "size", required_argument, NULL, 'z' },
		{ NULL, 0, NULL, 0 }
	};
	struct init	 in = { .c = c };
	const char	*served;
	struct err	 e = { 0 };
	int		 ch;

	while ((ch = getopt_long(argc, argv, "", lo, NULL)) != -1)
		switch (ch) {
		case 'a':
			if (parse_u32(optarg, &in.geom.align) < 0)
				return cfg_usage(c);
			break;
		case 'k':
			if (parse_u32(optarg, &in.geom.areas) < 0)
				return cfg_usage(c);
			break;
		case 'f':
			in.force = true;
			break;
		case 'z':
			if (init_size(optarg, &in.size) < 0 || in.size == 0)
				return cfg_usage(c);
			break;
		default:
			return cfg_usage(c);
		}
	if (argc - optind == (c->storepath == NULL ? 1 : 0))
		in.path = c->storepath == NULL ? argv[optind] : c->storepath;
	else
		return cfg_usage(c);
	if ((served = serving(c, in.path)) != NULL)
		return cfg_failx(c, "%s: cfgfs on %s has it: unmount that "
		    "first", in.path, served);
	return init_store(&in, &e) < 0 ? cfg_fail(c, &e) : EX_OK;
}
