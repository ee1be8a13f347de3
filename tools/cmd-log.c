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
#include "treediff.h"
#include "walk.h"

#define BLOCK	64		/* generations that are looked at first */

struct log {
	const struct cfg *c;
	struct store	*s;
	int		 base;	/* descriptor or -1 */
	struct strs	 paths;	/* only what concerns these; none: all */
	bool		 diff;	/* with the difference, in this form: */
	struct treediff	 t;
	struct buf	*v;	/* a block of generations, as they will be
				   printed, oldest first; owned */
	size_t		 n, cap;
	struct buf	 out;
	uint64_t	 done;	/* number of those in it */
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
		if (l->paths.n > 0 &&
		    !path_within(ch->e.path, l->paths.v[0]))
			continue;
		any = 1;
		switch (hist_letter(h, ch, 0, e)) {
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

	put_fmt(b, "%s@%llu%s", l->c->color ? "\033[33m" : "",
	    (unsigned long long)h->gen, l->c->color ? "\033[m" : "");
	cfg_put_tags(b, l->s, h->gen);
	put_u8(b, ' ');
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
}

/* How the generation differs from the one before it. */
static int
put_diff(struct log *l, struct hist *h, struct buf *b, struct err *e)
{
	struct strs	 among = { NULL, 0, 0 };
	struct tree	 was, now;
	size_t		 i;
	int		 rc = 0;

	tree_over(&was, &h->before);
	tree_over(&now, &h->after);
	was.gen = h->gen - 1;
	now.gen = h->gen;
	l->t.a = &was;
	l->t.b = &now;
	l->t.paths = &l->paths;
	for (i = 0; i < h->rec.n && rc == 0; i++)
		rc = strs_put(&among, strdup(h->rec.v[i].e.path));
	if (rc < 0)
		(void)err_set(e, ENOMEM, "history");
	else if ((rc = trees_below(&was, &now, &among, e)) == 0)
		rc = treediff(&l->t, &among, e);
	put_bytes(b, l->t.out.p, l->t.out.len);
	b->bad = b->bad || l->t.out.bad;
	buf_free(&l->t.out);
	strs_free(&among);
	return rc;
}

static int
put_entry(struct log *l, struct hist *h, const size_t *k, struct buf *b,
    struct err *e)
{
	int	 rc = 0;

	if (l->c->json)
		put_json(b, h, k);
	else
		put_text(l, b, h, k);
	if (l->diff && h->kept && !h->alone) {
		put_fmt(b, "%s", l->c->json ? ", \"diff\": " :
		    l->t.form == DIFF_TEXT ? "\n" : "");
		rc = put_diff(l, h, b, e);
	}
	if (l->c->json)
		put_u8(b, '}');
	else if (l->diff)
		put_u8(b, '\n');
	return rc;
}

static int
note(struct log *l, struct hist *h, struct err *e)
{
	size_t	 k[3];
	int	 any;

	if ((any = count(l, h, k, e)) < 0)
		return -e->code;
	if (any == 0 && l->paths.n > 0)
		return 0;
	if (more_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
		return err_set(e, ENOMEM, "history");
	memset(&l->v[l->n], 0, sizeof(*l->v));
	return put_entry(l, h, k, &l->v[l->n++], e);
}

/* The newest of what was noted, up to `max` in all, newest first. */
static void
take(struct log *l, uint64_t max)
{
	const struct buf	*t;

	for (; l->n > 0; buf_free(&l->v[l->n])) {
		t = &l->v[--l->n];
		if (l->done == max)
			continue;
		if (l->c->json && l->done > 0)
			put_fmt(&l->out, ",\n ");
		put_bytes(&l->out, t->p, t->len);
		l->out.bad = l->out.bad || t->bad;
		l->done++;
	}
}

/* The generations from..top, of which the oldest may be gone: *first. */
static int
block(struct log *l, uint64_t from, uint64_t top, uint64_t *first,
    struct err *e)
{
	struct hist	 h;
	int		 rc;

	if ((rc = hist_open(&h, l->s, from, l->base, e)) == 0 && l->diff)
		rc = hist_ahead(&h, e);
	*first = h.gen + 1;
	while (rc == 0 && h.gen < top && (rc = hist_next(&h, e)) == 1)
		rc = note(l, &h, e);
	hist_close(&h);
	return rc;
}

/* Those that are kept beside the others: of them, what they changed is not
 * known any more. */
static int
kept(struct log *l, uint64_t max, struct err *e)
{
	uint64_t	 gen;
	struct hist	 h;
	size_t		 i;
	int		 rc = 0;

	for (i = 0; rc == 0 && l->done < max && l->paths.n == 0 &&
	    store_kept(l->s, i, &gen); i++) {
		if (gen >= store_oldest(l->s))
			continue;
		if ((rc = hist_one(&h, l->s, gen, l->base, e)) == 0 &&
		    (rc = hist_next(&h, e)) == 1)
			rc = note(l, &h, e);
		hist_close(&h);
		take(l, max);
	}
	return rc;
}

/*
 * What was before a change is known to who comes from below, and what is
 * asked for is at the top: so it goes up in blocks, the newest first, each
 * larger than the one before.
 */
static int
run(struct log *l, uint64_t max, struct err *e)
{
	uint64_t	 top = store_head(l->s), n, from, first;
	int		 rc = 0;

	/* Without a path every generation counts: so many will do. */
	n = max > top ? top : l->paths.n == 0 ? max : BLOCK;
	if (l->c->json)
		put_u8(&l->out, '[');
	for (; rc == 0 && top > 0 && l->done < max; n *= 4) {
		from = top > n ? top - n + 1 : 1;
		rc = block(l, from, top, &first, e);
		take(l, max);
		top = first > from ? 0 : from - 1;
	}
	if (rc == 0)
		rc = kept(l, max, e);
	if (l->c->json)
		put_fmt(&l->out, "]\n");
	return rc < 0 ? rc : out_end(&l->out, !l->c->json, e);
}

static int
options(struct log *l, int argc, char **argv, const char **basedir,
    uint64_t *max)
{
	static const struct option	 lo[] = {
		{ "base", required_argument, NULL, 'b' },
		{ "stat", no_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 }
	};
	char	*end;
	int	 ch;

	while ((ch = getopt_long(argc, argv, "n:p", lo, NULL)) != -1)
		switch (ch) {
		case 'b':
			*basedir = optarg;
			break;
		case 'n':
			*max = strtoull(optarg, &end, 10);
			if (*optarg < '0' || *optarg > '9' || *end != '\0')
				return -1;
			break;
		case 'p':
			l->diff = true;
			l->t.form = DIFF_TEXT;
			break;
		case 's':
			l->diff = true;
			l->t.form = DIFF_STAT;
			break;
		default:
			return -1;
		}
	return argc - optind > 1 ? -1 : 0;
}

int
cmd_log(struct cfg *c, int argc, char **argv)
{
	struct log		 l = { .c = c, .base = -1,
				    .t = { .o = { .context = 3 } } };
	struct cfg_store	 st = { 0 };
	struct err		 e = { 0 };
	const char		*basedir = NULL;
	char			*path;
	uint64_t		 max = UINT64_MAX;
	int			 rc;

	if (options(&l, argc, argv, &basedir, &max) == -1)
		return cfg_usage(c);
	if (c->json)
		l.t.form = DIFF_JSON;
	l.t.o.color = c->color && !c->json;
	l.t.o.safe = l.t.o.color || (!c->json && isatty(STDOUT_FILENO));
	if ((rc = cfg_read(c, &st, &e)) == 0 && argc > optind &&
	    (rc = cfg_path(c, argv[optind], &path, &e)) == 0)
		rc = strs_put(&l.paths, path);
	if (rc == 0 && (rc = cfg_base(c, basedir, &l.base, &e)) == 0) {
		l.s = st.s;
		rc = run(&l, max, &e);
	}
	rc = cfg_end(&st, l.base, rc, &e);
	strs_free(&l.paths);
	free(l.v);
	buf_free(&l.out);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
