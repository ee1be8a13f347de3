/*
 * cmd-log.c: cfg log: what was committed, newest first.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/buf.h"
#include "../lib/path.h"
#include "cfg.h"
#include "hist.h"
#include "out.h"

struct entry {			/* one generation, as it will be printed */
	struct buf	 text;
};

struct log {
	const struct cfg *c;
	char		*path;	/* only what concerns this, or NULL */
	struct entry	*v;	/* oldest first */
	size_t		 n, cap;
};

static const char	 letters[] = "AMD";

/* Count the changes that concern the path, by letter; -1 on error. */
static int
count(const struct log *l, struct hist *h, size_t *k, struct err *e)
{
	const struct change	*ch;
	size_t			 i;
	int			 any = 0;

	memset(k, 0, 3 * sizeof(*k));
	for (i = 0; i < h->rec.n; i++) {
		ch = &h->rec.v[i];
		if (l->path != NULL && !path_within(ch->e.path, l->path))
			continue;
		any = 1;
		switch (hist_letter(h, ch, e)) {
		case 'E':
			return -1;
		case 'A':
			k[0]++;
			break;
		case 'D':
			k[2]++;
			break;
		default:
			k[1]++;
			break;
		}
	}
	return any;
}

/* The first line of a message, safe to print. */
static void
put_subject(struct buf *b, const char *msg)
{
	out_text(b, msg, strcspn(msg, "\n"));
}

static void
put_text(const struct log *l, struct buf *b, const struct hist *h,
    const size_t *k)
{
	size_t	 i;

	put_fmt(b, "%s@%llu%s ", l->c->color ? "\033[33m" : "",
	    (unsigned long long)h->gen, l->c->color ? "\033[m" : "");
	if (!h->kept) {
		put_fmt(b, " (only its state is kept)\n");
		return;
	}
	put_u8(b, ' ');
	out_time(b, h->rec.time);
	put_fmt(b, "  ");
	hist_user(h, b);
	put_u8(b, ' ');
	for (i = 0; i < 3; i++)
		if (k[i] > 0)
			put_fmt(b, " %c%zu", letters[i], k[i]);
	if (h->rec.msg != NULL && *h->rec.msg != '\0') {
		put_fmt(b, "  ");
		put_subject(b, h->rec.msg);
	}
	put_u8(b, '\n');
}

static void
put_json(struct buf *b, const struct hist *h, const size_t *k)
{
	hist_json(h, b);
	if (h->kept)
		put_fmt(b, ", \"added\": %zu, \"modified\": %zu, "
		    "\"deleted\": %zu", k[0], k[1], k[2]);
	put_u8(b, '}');
}

static int
note(struct log *l, struct hist *h, struct err *e)
{
	size_t	 k[3];
	int	 any;

	if ((any = count(l, h, k, e)) < 0)
		return -e->code;
	if (any == 0 && l->path != NULL)
		return 0;
	if (more_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return err_set(e, ENOMEM, "history");
	memset(&l->v[l->n], 0, sizeof(*l->v));
	if (l->c->json)
		put_json(&l->v[l->n].text, h, k);
	else
		put_text(l, &l->v[l->n].text, h, k);
	l->n++;
	return 0;
}

/* The newest `max` of what was noted, newest first. */
static int
show(struct log *l, uint64_t max, struct err *e)
{
	struct buf	 b = BUF_INIT;
	size_t		 i;

	put_fmt(&b, "%s", l->c->json ? "[" : "");
	for (i = 0; i < l->n && i < max; i++) {
		const struct buf	*t = &l->v[l->n - 1 - i].text;

		put_fmt(&b, "%s", !l->c->json ? "" : i > 0 ? ",\n " : "");
		put_bytes(&b, t->p, t->len);
		b.bad = b.bad || t->bad;
	}
	put_fmt(&b, "%s", l->c->json ? "]\n" : "");
	return out_end(&b, !l->c->json, e);
}

static int
run(struct log *l, struct store *s, int base, uint64_t max, struct err *e)
{
	struct hist	 h;
	uint64_t	 from = 1;
	size_t		 i;
	int		 rc;

	/* Without a path every generation counts: the last ones will do. */
	if (l->path == NULL && store_head(s) > max)
		from = store_head(s) - max + 1;
	if ((rc = hist_open(&h, s, from, base, e)) == 0)
		while ((rc = hist_next(&h, e)) == 1)
			if ((rc = note(l, &h, e)) < 0)
				break;
	if (rc == 0)
		rc = show(l, max, e);
	hist_close(&h);
	for (i = 0; i < l->n; i++)
		buf_free(&l->v[i].text);
	free(l->v);
	return rc;
}

int
cmd_log(struct cfg *c, int argc, char **argv)
{
	struct log		 l = { .c = c };
	struct cfg_store	 st = { 0 };
	struct err		 e = { 0 };
	const char		*basedir = NULL;
	char			*end;
	unsigned long long	 max = UINT64_MAX;
	int			 ch, base = -1, rc;

	while ((ch = getopt_long(argc, argv, "n:", cfg_base_opt,
	    NULL)) != -1)
		switch (ch) {
		case 'b':
			basedir = optarg;
			break;
		case 'n':
			max = strtoull(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != '\0')
				return cfg_usage(c);
			break;
		default:
			return cfg_usage(c);
		}
	if (argc - optind > 1)
		return cfg_usage(c);
	if ((rc = cfg_read(c, &st, &e)) == 0 && argc > optind)
		rc = cfg_path(c, argv[optind], &l.path, &e);
	if (rc == 0 && (rc = cfg_base(c, basedir, &base, &e)) == 0)
		rc = run(&l, st.s, base, max, &e);
	rc = cfg_end(&st, base, rc, &e);
	free(l.path);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
