/*
 * fuzzmirror.c: hostile copies of a store, their checksums right, do the
 * mirror no harm; nor do ones that answer twice in two ways.
 *
 * The input: a byte of how to run, then edits of a copy that was up to
 * date some commits ago.  Each is a kind (le8), a place (le16, in units of
 * 512) and what the kind needs.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../sync/store-int.h"
#include "fuzzrun.h"
#include "mirkit.h"

#ifndef EMEDIUMTYPE
#define EMEDIUMTYPE EINVAL
#endif

#define SIZE	(64 * 1024)
#define UNITS	(SIZE / 512)

enum { EDIT_BYTES, EDIT_HEADER, EDIT_BUMP, EDIT_MOVE, EDIT_LIE, EDIT_SHORT,
    EDIT_KINDS };

struct lie {			/* answers that change between reads */
	uint64_t	 rng;
	unsigned	 odds;	/* of 256; 0: none */
};

static void
answer(void *arg, uint8_t *p, size_t n, uint64_t off)
{
	struct lie	*l = arg;

	(void)off;
	if (l->odds == 0 || n == 0)
		return;
	l->rng = l->rng * 6364136223846793005u + 1442695040888963407u;
	if ((l->rng >> 33) % 256 < l->odds)
		p[(l->rng >> 41) % n] ^= (uint8_t)(l->rng >> 20);
}

/* A header of any numbers, its checksum right. */
static void
put_header(struct away *cp, const struct super *sb, uint64_t off,
    struct rd *in)
{
	struct rec	 r;

	memset(&r, 0, sizeof(r));
	r.type = rd_u8(in);
	r.flags = rd_u8(in);
	r.gen = rd_u8(in) - 2u;
	r.seq = rd_u8(in) - 2u;
	r.metalen = rd_le16(in);
	r.rawlen = rd_le32(in);
	r.datalen = rd_le32(in);
	r.life = r.nonce = rd_u8(in);
	r.off = off;
	rec_put(cp->sim->img + off, &r, sb->id);
}

/* The one that is there, with other numbers, and its checksum right. */
static void
bump(struct away *cp, const struct super *sb, uint64_t off, struct rd *in)
{
	uint8_t		*at = cp->sim->img + off;
	unsigned	 gen = rd_u8(in), seq = rd_u8(in);
	struct rec	 r;

	if (!rec_get(at, sb->id, off, SIZE, &r))
		return;
	r.gen += gen % 16 - 8;
	r.seq += seq % 16 - 8;
	r.datalen += gen / 16 * 512;
	rec_put(at, &r, sb->id);
}

static void
edit(struct away *cp, const struct super *sb, struct lie *l, struct rd *in)
{
	unsigned	 kind = rd_u8(in) % EDIT_KINDS;
	uint64_t	 off = rd_le16(in) % UNITS * 512, to;
	const uint8_t	*p;
	size_t		 n;

	switch (kind) {
	case EDIT_BYTES:
		n = rd_u8(in);
		if ((p = rd_bytes(in, n)) != NULL && n > 0)
			memcpy(cp->sim->img + off, p, n);
		break;
	case EDIT_HEADER:
		put_header(cp, sb, off, in);
		break;
	case EDIT_BUMP:
		bump(cp, sb, off, in);
		break;
	case EDIT_MOVE:
		to = rd_le16(in) % UNITS * 512;
		memmove(cp->sim->img + to, cp->sim->img + off, 512);
		break;
	case EDIT_LIE:
		l->odds = rd_u8(in);
		break;
	case EDIT_SHORT:
		if (rd_u8(in) % 8 == 0)
			cp->io.size = off;
		break;
	}
}

static struct drive	 d;	/* the store, made once */
static uint8_t		*old;	/* a copy of it, some commits ago */
static struct super	 sb;
static struct mirror_at	 old_at;

static void
make_once(void)
{
	struct away		*cp;
	struct mirror_job	 j = { .at = &old_at };
	struct err		 e = { 0, "" };
	bool			 copied;

	if (old != NULL)
		return;
	cp = away_new(SIZE, SIZE);
	FUZZ_MUST(drive_begin(&d, SIZE, 512, 4, 3) && areas(&d, 3) &&
	    commits(&d, 3));
	j.from = &d.sim->io;
	j.to = &cp->io;
	FUZZ_MUST(mirror_fill(&j, 0, &e) == 0);
	FUZZ_MUST(super_read(&d.sim->io, &sb, &copied, &e) == 0);
	old = xmemdup(cp->sim->img, SIZE);
	away_free(cp);
	FUZZ_MUST(areas(&d, 1) && commits(&d, 12));
}

static void
hear(void *arg, const char *line)
{
	(void)arg;
	FUZZ_MUST(line[0] != '\0');
}

/* What an honest medium has after a whole update is the store. */
static void
must_be_whole(struct away *cp)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = &d.sim->io, .to = &cp->io,
	    .at = &at };
	struct err		 e = { 0, "" };
	uint64_t		 behind = 1;

	FUZZ_MUST(mirror_compare(&j, &behind, NULL, NULL, &e) == 0);
	FUZZ_MUST(behind == 0);
}

static void
use(struct away *cp, unsigned how, struct lie *l)
{
	struct mirror_at	 at = { 0, 0, 0, 0 };
	struct mirror_job	 j = { .from = &d.sim->io, .to = &cp->io,
	    .at = &at };
	struct err		 e = { 0, "" };
	uint64_t		 behind;
	int			 rc;

	if (how & 1)
		at = old_at;
	if (how & 8)
		at.off = (uint64_t)how << 9;
	if (how & 2) {
		rc = mirror_compare(&j, &behind, hear, NULL, &e);
		FUZZ_MUST(rc >= 0 || e.msg[0] != '\0');
		at = old_at;
	}
	if (how & 4)
		(void)mirror_update(&j, &e);
	l->odds = 0;
	memset(&at, 0, sizeof(at));
	j.whole = true;
	e.msg[0] = '\0';
	if ((rc = mirror_update(&j, &e)) == 0)
		must_be_whole(cp);
	else {
		FUZZ_MUST(e.msg[0] != '\0' && j.sent == 0 && at.id == 0);
		FUZZ_MUST(rc == -ESTALE || rc == -EEXIST ||
		    rc == -EMEDIUMTYPE);
	}
	FUZZ_MUST(cp->sim->bad == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rd	 in = { p, n, false };
	struct away	*cp;
	struct lie	 l = { 1, 0 };
	unsigned	 how;

	make_once();
	cp = away_new(SIZE, SIZE);
	cp->grows = false;
	sim_load(cp->sim, old);
	how = rd_u8(&in);
	while (in.n > 3 && !in.bad)
		edit(cp, &sb, &l, &in);
	l.rng = n + 1;
	cp->answer = answer;
	cp->arg = &l;
	sim_forget(cp->sim);
	use(cp, how, &l);
	away_free(cp);
	return 0;
}

#ifndef LIBFUZZER
/* Edits of each kind, at the heads of areas and behind their records. */
static void
seed_of(struct buf *out, unsigned how, unsigned kind)
{
	const struct store	*s = d.s;
	uint32_t		 a;
	unsigned		 k;

	put_u8(out, (uint8_t)how);
	for (a = 0; a < s->sb.areas; a++) {
		put_u8(out, (uint8_t)kind);
		put_le16(out, (uint16_t)((area_off(s, a) + (how % 4) * 512) /
		    512));
		put_u8(out, (uint8_t)(kind == EDIT_BYTES ? 12 : 1 + how));
		for (k = 1; k < 16; k++)
			put_u8(out, (uint8_t)(k * (how + 3)));
	}
}

int
main(int argc, char **argv)
{
	struct buf	 seeds[4 * EDIT_KINDS];
	size_t		 i;
	int		 rc;

	make_once();
	for (i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		seeds[i] = (struct buf)BUF_INIT;
		seed_of(&seeds[i], (unsigned)(i / EDIT_KINDS * 5 + i % 8),
		    (unsigned)(i % EDIT_KINDS));
	}
	rc = fuzz_main(argc, argv, seeds, i, 1000);
	while (i-- > 0)
		buf_free(&seeds[i]);
	drive_end(&d);
	free(old);
	return rc;
}
#endif
