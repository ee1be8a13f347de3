/*
 * cmd-wear.c: cfg wear: what was written, for what, and how long the medium
 * bears that.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out.h"
#include "wear.h"

#define ENDURANCE	3000		/* cycles of a cheap card's cells */
#define DEAREST		10		/* paths that are shown */
#define MOST_YEARS	1000.0

struct day {
	char		 date[16];	/* local */
	uint64_t	 bytes;
	uint64_t	 commits, areas;
};

struct ledger {
	struct day	*v;		/* in order */
	size_t		 n, cap;
	struct day	 all;
	int64_t		 oldest;	/* ns since 1970; 0: nothing is there */
	struct store_space sp;
	struct wear_cost *cost;		/* the dearest first */
	size_t		 ncost;
	uint64_t	 start_bytes;	/* since the start, where that is known */
	uint64_t	 start_commits;
	uint64_t	 counted;	/* those of commits of which also */
	uint64_t	 device;	/* the device's counter is known */
	uint64_t	 endurance;
	double		 per_day;	/* bytes */
	double		 factor;	/* what the device adds to them */
	double		 years;
};

static void
count(struct day *d, const struct store_write *w)
{
	d->bytes += w->bytes;
	d->commits += w->note ? 0 : 1;
	d->areas += w->area ? 1 : 0;
}

static int
of_write(void *arg, const struct store_write *w)
{
	struct ledger	*l = arg;
	struct tm	 tm;
	time_t		 t = (time_t)(w->time / 1000000000);
	char		 date[sizeof(l->v->date)] = "?";
	size_t		 i;

	if (localtime_r(&t, &tm) != NULL)
		(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	for (i = 0; i < l->n && strcmp(l->v[i].date, date) != 0; i++)
		;
	if (i == l->n) {
		if (more_room(&l->v, l->n, &l->cap, sizeof(*l->v)) < 0)
			return -ENOMEM;
		memset(&l->v[l->n], 0, sizeof(*l->v));
		memcpy(l->v[l->n++].date, date, sizeof(date));
	}
	count(&l->v[i], w);
	count(&l->all, w);
	if (l->oldest == 0 || w->time < l->oldest)
		l->oldest = w->time;
	return 0;
}

static int
by_date(const void *a, const void *b)
{
	return strcmp(((const struct day *)a)->date,
	    ((const struct day *)b)->date);
}

/* How long it lasts, if it goes on as it did. */
static void
project(struct ledger *l, int64_t now)
{
	double	 days = (double)(now - l->oldest) / (double)WEAR_DAY;

	/* A day at least: an hour of setting up is no measure. */
	if (l->oldest == 0 || days < 1)
		days = 1;
	l->per_day = (double)l->all.bytes / days;
	l->factor = l->counted > 0 && l->device > l->counted ?
	    (double)l->device / (double)l->counted : 1;
	if (l->per_day > 0)
		l->years = (double)l->sp.size * (double)l->endurance /
		    (l->per_day * l->factor) / 365.25;
}

static int
gather(struct ledger *l, struct cfg *c, struct err *e)
{
	struct cfg_store	 st;
	struct wear_lines	 ram = { NULL, 0, 0 };
	size_t			 i;
	int			 rc;

	if ((rc = cfg_read(c, &st, e)) < 0)
		return rc;
	store_space(st.s, &l->sp);
	if ((rc = store_ledger(st.s, of_write, l, e)) == 0 &&
	    (rc = wear_costs(st.s, 0, &l->cost, &l->ncost, e)) == 0 &&
	    c->storepath == NULL && wear_lines(c, &ram) < 0)
		rc = err_set(e, ENOMEM, "wear");
	rc = cfg_end(&st, -1, rc, e);
	for (i = 0; i < ram.n; i++) {
		l->start_bytes += ram.v[i].bytes;
		l->start_commits++;
		if (ram.v[i].device == 0)
			continue;
		l->counted += ram.v[i].bytes;
		l->device += ram.v[i].device;
	}
	if (l->n > 1)
		qsort(l->v, l->n, sizeof(*l->v), by_date);
	project(l, out_now());
	free(ram.v);
	return rc;
}

static void
put_text(struct buf *b, const struct ledger *l)
{
	size_t	 i;

	for (i = 0; i < l->n; i++) {
		put_fmt(b, "%s  %" PRIu64 " commit%s, %" PRIu64 " area%s "
		    "begun, ", l->v[i].date, l->v[i].commits,
		    l->v[i].commits == 1 ? "" : "s", l->v[i].areas,
		    l->v[i].areas == 1 ? "" : "s");
		out_size(b, l->v[i].bytes);
		put_fmt(b, " in %" PRIu64 " blocks\n", l->v[i].bytes /
		    l->sp.align);
	}
	for (i = 0; i < l->ncost && i < DEAREST; i++) {
		put_fmt(b, "  ");
		out_size(b, l->cost[i].bytes);
		put_fmt(b, " in %" PRIu64 " commit%s: ", l->cost[i].writes,
		    l->cost[i].writes == 1 ? "" : "s");
		out_path(b, *l->cost[i].path == '\0' ? "." : l->cost[i].path);
		put_u8(b, '\n');
	}
	if (l->start_commits > 0) {
		put_fmt(b, "since the start: ");
		out_size(b, l->start_bytes);
		put_fmt(b, " in %" PRIu64 " commit%s", l->start_commits,
		    l->start_commits == 1 ? "" : "s");
		if (l->counted > 0) {
			put_fmt(b, "; the device wrote ");
			out_size(b, l->device);
			put_fmt(b, " for ");
			out_size(b, l->counted);
			put_fmt(b, " of them");
		}
		put_u8(b, '\n');
	}
	if (l->years == 0)
		put_fmt(b, "nothing was written\n");
	else {
		out_size(b, (uint64_t)(l->per_day * l->factor));
		put_fmt(b, " a day: with %" PRIu64 " cycles, the ",
		    l->endurance);
		out_size(b, l->sp.size);
		if (l->years >= MOST_YEARS)
			put_fmt(b, " last more than 1000 years\n");
		else
			put_fmt(b, " last %.1f years\n", l->years);
	}
}

static void
put_json(struct buf *b, const struct ledger *l)
{
	size_t	 i;

	put_fmt(b, "{\"bytes\":%" PRIu64 ",\"blocks\":%" PRIu64
	    ",\"align\":%u,\"size\":%" PRIu64 ",\"commits\":%" PRIu64
	    ",\"areas\":%" PRIu64 ",\"days\":[", l->all.bytes, l->all.bytes /
	    l->sp.align, l->sp.align, l->sp.size, l->all.commits,
	    l->all.areas);
	for (i = 0; i < l->n; i++)
		put_fmt(b, "%s{\"date\":\"%s\",\"bytes\":%" PRIu64
		    ",\"commits\":%" PRIu64 ",\"areas\":%" PRIu64 "}",
		    i == 0 ? "" : ",", l->v[i].date, l->v[i].bytes,
		    l->v[i].commits, l->v[i].areas);
	put_fmt(b, "],\"paths\":[");
	for (i = 0; i < l->ncost; i++) {
		put_fmt(b, "%s{", i == 0 ? "" : ",");
		json_name(b, "path", l->cost[i].path);
		put_fmt(b, ",\"bytes\":%" PRIu64 ",\"commits\":%" PRIu64 "}",
		    l->cost[i].bytes, l->cost[i].writes);
	}
	put_fmt(b, "],\"start\":{\"bytes\":%" PRIu64 ",\"commits\":%" PRIu64
	    ",\"counted\":%" PRIu64 ",\"device\":%" PRIu64
	    "},\"endurance\":%" PRIu64 ",\"bytes_a_day\":%.0f"
	    ",\"amplification\":%.2f,\"years\":%.1f}\n", l->start_bytes,
	    l->start_commits, l->counted, l->device, l->endurance,
	    l->per_day, l->factor, l->years);
}

int
cmd_wear(struct cfg *c, int argc, char **argv)
{
	static const struct option lo[] = {
		{ "endurance", required_argument, NULL, 'e' },
		{ NULL, 0, NULL, 0 }
	};
	struct ledger	 l = { .endurance = ENDURANCE };
	struct buf	 b = BUF_INIT;
	struct err	 e;
	char		*end;
	int		 ch, rc;

	while ((ch = getopt_long(argc, argv, "", lo, NULL)) != -1) {
		if (ch != 'e')
			return cfg_usage(c);
		l.endurance = strtoull(optarg, &end, 10);
		if (*optarg < '0' || *optarg > '9' || *end != '\0' ||
		    l.endurance == 0 || l.endurance > 100000000)
			return cfg_failx(c, "%s: not a number of cycles",
			    optarg);
	}
	if (optind < argc)
		return cfg_usage(c);
	if ((rc = gather(&l, c, &e)) == 0) {
		if (c->json)
			put_json(&b, &l);
		else
			put_text(&b, &l);
		rc = out_end(&b, true, &e);
	}
	buf_free(&b);
	wear_costs_free(l.cost, l.ncost);
	free(l.v);
	return rc < 0 ? cfg_fail(c, &e) : EX_OK;
}
