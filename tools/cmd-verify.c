/*
 * cmd-verify.c: cfg verify: read and check all of the store.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cfg.h"
#include "out.h"
#include "restore.h"

struct verify {
	bool		 json;
	struct buf	 out;	/* faults, one a line or as JSON strings */
	size_t		 n;
};

static void
fault(void *arg, const char *line)
{
	struct verify	*v = arg;

	if (v->json) {
		put_fmt(&v->out, "%s\n  ", v->n > 0 ? "," : "");
		json_str(&v->out, line);
	} else {
		out_text(&v->out, line, strlen(line));
		put_u8(&v->out, '\n');
	}
	v->n++;
}

/* Whether a generation can be had whole, every content too. */
static int
good(struct store *s, uint64_t gen, struct err *e)
{
	struct ents	 ov = { 0 };
	struct buf	 b = BUF_INIT;
	size_t		 i;
	int		 rc;

	rc = store_overlay(s, gen, &ov, e);
	for (i = 0; rc == 0 && i < ov.n; i++) {
		b.len = 0;
		if (ov.v[i].type == ENT_REG)
			rc = store_content(s, &ov.v[i], &b, e);
	}
	ents_free(&ov);
	buf_free(&b);
	return rc;
}

/* The newest generation that is whole; 0: none is, there is the base. */
static int
newest(struct store *s, uint64_t *gen, struct err *e)
{
	uint64_t	 g, low = store_oldest(s);
	int		 rc;

	*gen = 0;
	for (g = store_head(s); g >= low && g > 0; g--) {
		rc = good(s, g, e);
		if (rc == 0) {
			*gen = g;
			return 0;
		}
		if (rc != -EBADMSG && rc != -ENOENT && rc != -EIO)
			return rc;
	}
	return 0;
}

static int
say(struct verify *v, struct store *s, uint64_t gen,
    struct err *e)
{
	struct buf	 b = BUF_INIT;

	if (v->json) {
		put_fmt(&b, "{\"oldest\": %llu, \"newest\": %llu, "
		    "\"newest_good\": %llu, \"cut\": %llu,\n \"faults\": [",
		    (unsigned long long)store_oldest(s),
		    (unsigned long long)store_head(s),
		    (unsigned long long)gen,
		    (unsigned long long)store_cut(s));
		put_bytes(&b, v->out.p, v->out.len);
		put_fmt(&b, "]}\n");
	} else {
		put_bytes(&b, v->out.p, v->out.len);
		put_fmt(&b, "%zu fault%s, generations %llu to %llu, newest "
		    "good one %llu", v->n, v->n == 1 ? "" : "s",
		    (unsigned long long)store_oldest(s),
		    (unsigned long long)store_head(s),
		    (unsigned long long)gen);
		if (store_cut(s) != 0)
			put_fmt(&b, "; %llu is begun and not whole: cut short, "
			    "or damaged", (unsigned long long)store_cut(s));
		put_u8(&b, '\n');
	}
	if (v->out.bad)
		b.bad = true;
	return out_end(&b, false, e);
}

int
cmd_verify(struct cfg *c, int argc, char **argv)
{
	static const struct option lo[] = {
		{ "base", required_argument, NULL, 'b' },
		{ "boot", no_argument, NULL, 'B' },
		{ NULL, 0, NULL, 0 }
	};
	struct cfg_store	 st = { 0 };
	struct verify		 v = { .json = c->json };
	struct err		 e = { 0 };
	const char		*base = NULL;
	uint64_t		 gen = 0;
	bool			 boot = false;
	int			 ch, rc;

	while ((ch = getopt_long(argc, argv, "", lo, NULL)) != -1)
		switch (ch) {
		case 'B':
			boot = true;
			break;
		case 'b':
			base = optarg;
			break;
		default:
			return cfg_usage(c);
		}
	if (argc != optind || (base != NULL && !boot) ||
	    (boot && c->storepath != NULL))
		return cfg_usage(c);
	if (boot)
		return verify_boot(c, base);
	if ((rc = cfg_read(c, &st, &e)) == -EBADMSG) {
		/* A store, but nothing of it can be read: damage. */
		(void)cfg_fail(c, &e);
		return EX_NO;
	}
	if (rc == 0 && store_damage(st.s) != NULL)
		fault(&v, store_damage(st.s));
	if (rc == 0 && (rc = store_verify(st.s, fault, &v, &e)) >= 0 &&
	    (rc = newest(st.s, &gen, &e)) == 0)
		rc = say(&v, st.s, gen, &e);
	rc = cfg_end(&st, -1, rc, &e);
	buf_free(&v.out);
	return rc < 0 ? cfg_fail(c, &e) : v.n > 0 ? EX_NO : EX_OK;
}
