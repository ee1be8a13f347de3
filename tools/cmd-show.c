/*
 * cmd-show.c: cfg show: one generation with its changes, or the content
 * that a path had in it.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/path.h"
#include "cfg.h"
#include "hist.h"
#include "out.h"
#include "trees.h"

/* The message, each line set in. */
static void
put_message(struct buf *b, const char *msg)
{
	const char	*q;

	put_u8(b, '\n');
	for (; *msg != '\0'; msg = q + (*q == '\n')) {
		q = msg + strcspn(msg, "\n");
		put_fmt(b, "    ");
		out_text(b, msg, (size_t)(q - msg));
		put_u8(b, '\n');
	}
}

static void
put_head(struct buf *b, const struct cfg *c, const struct hist *h)
{
	const struct commit	*r = &h->rec;

	put_fmt(b, "%s", c->color ? "\033[33m" : "");
	cfg_put_gen(b, h->gen);
	cfg_put_tags(b, h->s, h->gen);
	put_fmt(b, "%s\n", c->color ? "\033[m" : "");
	if (!h->kept) {
		put_fmt(b, "only its state is kept\n");
		return;
	}
	put_fmt(b, "time ");
	out_time(b, r->time);
	put_fmt(b, "\nby ");
	hist_user(h, b);
	put_fmt(b, " (uid %u)\n", r->uid);
	if (r->msg != NULL && *r->msg != '\0')
		put_message(b, r->msg);
	put_u8(b, '\n');
}

static void
put_change(struct buf *b, const struct change *ch, char letter)
{
	put_fmt(b, "%c ", letter);
	out_path(b, ch->e.path);
	if (ch->comm[0] != '\0') {
		put_fmt(b, "  (");
		out_text(b, ch->comm, strlen(ch->comm));
		put_fmt(b, " by %s)", cfg_user(ch->uid));
	}
	put_u8(b, '\n');
}

static void
put_json_change(struct buf *b, const struct change *ch, char letter,
    bool first)
{
	char	 comm[sizeof(ch->comm) + 1] = "";

	memcpy(comm, ch->comm, sizeof(ch->comm));
	put_fmt(b, "%s\n  {", first ? "" : ",");
	json_name(b, "path", ch->e.path);
	put_fmt(b, ", \"change\": \"%c\", \"uid\": %u, ", letter, ch->uid);
	json_name(b, "program", comm);
	put_u8(b, '}');
}

static int
show_gen(const struct cfg *c, struct store *s, uint64_t gen, int base,
    struct err *e)
{
	struct hist	 h;
	struct buf	 b = BUF_INIT;
	size_t		 i;
	char		 l;
	int		 rc;

	if (gen == 0)
		return err_setx(e, ENOENT, "@0: nothing is committed yet");
	if ((rc = hist_one(&h, s, gen, base, e)) < 0 ||
	    (rc = hist_next(&h, e)) < 0)
		goto out;
	if (c->json)
		hist_json(&h, &b);
	else
		put_head(&b, c, &h);
	if (c->json)
		put_fmt(&b, ",\n \"changes\": [");
	for (i = 0; i < h.rec.n; i++) {
		if ((l = hist_letter(&h, &h.rec.v[i], ENT_HASH,
		    e)) == 'E') {
			rc = -e->code;
			goto out;
		}
		if (c->json)
			put_json_change(&b, &h.rec.v[i], l, i == 0);
		else
			put_change(&b, &h.rec.v[i], l);
	}
	if (c->json)
		put_fmt(&b, "]}\n");
	rc = out_end(&b, !c->json, e);
out:
	hist_close(&h);
	buf_free(&b);
	return rc;
}

/* What a path is in a generation, as bytes. */
static int
content(const struct pers *p, const char *path, const char *vis,
    struct buf *b, struct err *e)
{
	struct ent	 x;
	bool		 known;
	int		 rc;

	if ((rc = pers_know(p, path, ENT_HASH, &x, &known, e)) < 0)
		return rc;
	if (!known) {
		ent_free(&x);
		return err_setx(e, ENOENT, "%s: the store does not have it; "
		    "whether the base has, --base tells", vis);
	}
	switch (x.type) {
	case ENT_REG:
		rc = pers_content(p, &x, pers_over(p, path) == NULL, b, e);
		break;
	case ENT_LNK:
		put_fmt(b, "%s\n", x.target);
		break;
	case ENT_DIR:
		rc = err_set(e, EISDIR, "%s", vis);
		break;
	case ENT_NONE:
	case ENT_WHITEOUT:
		rc = err_set(e, ENOENT, "%s", vis);
		break;
	default:
		rc = err_setx(e, EINVAL, "%s: has no content", vis);
		break;
	}
	ent_free(&x);
	return rc;
}

static int
show_path(struct store *s, uint64_t gen, const char *path, int base,
    struct err *e)
{
	struct ents	 ov = { 0 };
	struct pers	 p = { base, &ov, s, NULL };
	struct buf	 b = BUF_INIT;
	char		*vis = path_vis(path);
	int		 rc;

	if (vis == NULL)
		return err_set(e, ENOMEM, "show");
	if ((rc = store_overlay(s, gen, &ov, e)) == 0 &&
	    (rc = content(&p, path, vis, &b, e)) == 0)
		rc = out_end(&b, false, e);
	ents_free(&ov);
	buf_free(&b);
	free(vis);
	return rc;
}

int
cmd_show(struct cfg *c, int argc, char **argv)
{
	struct cfg_store	 st = { 0 };
	struct err		 e = { 0 };
	const char		*basedir = NULL;
	char			*colon = NULL, *path = NULL, *arg;
	uint64_t		 gen = 0;
	int			 ch, base = -1, rc;

	while ((ch = getopt_long(argc, argv, "", cfg_base_opt,
	    NULL)) != -1)
		switch (ch) {
		case 'b':
			basedir = optarg;
			break;
		default:
			return cfg_usage(c);
		}
	if (argc - optind > 1)
		return cfg_usage(c);
	arg = argc > optind ? argv[optind] : NULL;
	if (arg != NULL && (colon = strchr(arg, ':')) != NULL)
		*colon++ = '\0';
	if ((rc = cfg_read(c, &st, &e)) == 0)
		rc = cfg_gen(st.s, arg == NULL || *arg == '\0' ? "@0" : arg,
		    &gen, &e);
	if (rc == 0 && colon != NULL)
		rc = cfg_path(c, colon, &path, &e);
	if (rc == 0 && (rc = cfg_base(c, basedir, &base, &e)) == 0)
		rc = path != NULL ? show_path(st.s, gen, path, base, &e) :
		    show_gen(c, st.s, gen, base, &e);
	rc = cfg_end(&st, base, rc, &e);
	free(path);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
