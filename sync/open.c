/*
 * open.c: finding the head.
 *
 * The area of the highest generation whose first record holds has it.
 * One that is newer but does not hold is a switch that a power cut tore,
 * and then the area before has all there is; or it is damage, when
 * something in it proves that it was flushed once.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store-int.h"

#define WIN_LEN		65536u

void
store_note(struct store *s, const char *fmt, ...)
{
	struct buf	 b = BUF_INIT;
	char		 line[512];
	va_list		 ap;

	if (s->damage != NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put_fmt(&b, "%s: %s", s->io->name, line);
	put_u8(&b, '\0');
	if (b.bad)
		buf_free(&b);
	s->damage = (char *)b.p;
}

const char *
store_damage(const struct store *s)
{
	return s->damage;
}

uint64_t
store_cut(const struct store *s)
{
	return s->area[s->cur].cut > s->seq ? s->area[s->cur].cut : 0;
}

bool
store_failed(const struct store *s)
{
	return s->failed;
}

uint64_t
store_id(const struct store *s)
{
	return s->sb.id;
}

uint64_t
store_head(const struct store *s)
{
	return s->seq;
}

void
store_close(struct store *s)
{
	uint32_t	 i;

	if (s == NULL)
		return;
	for (i = 0; s->area != NULL && i < s->sb.areas; i++)
		area_reset(&s->area[i]);
	free(s->area);
	ents_free(&s->head);
	ents_free(&s->memo.ov);
	free(s->damage);
	free(s->win);
	free(s);
}

/* The heads of all areas. */
static int
look(struct store *s)
{
	struct err	 e = { 0, "" };
	struct rec	 r;
	uint32_t	 i;
	int		 rc;

	for (i = 0; i < s->sb.areas; i++) {
		if ((rc = area_head(s, i, &r, &e)) == -ENOMEM)
			return rc;
		if (rc < 0) {
			/* Nobody knows what is in there. */
			store_note(s, "area %" PRIu32 ": %s", i, e.msg);
			s->fresh = true;
		}
		if (s->area[i].state == AREA_GOOD &&
		    s->area[i].gen > s->maxgen)
			s->maxgen = s->area[i].gen;
	}
	return 0;
}

/* The area of the highest generation among the good ones, or -1. */
static int
newest(const struct store *s)
{
	int	 best = -1;
	uint32_t i;

	for (i = 0; i < s->sb.areas; i++)
		if (s->area[i].state == AREA_GOOD &&
		    (best < 0 || s->area[i].gen > s->area[best].gen))
			best = (int)i;
	return best;
}

static void
note_lost(struct store *s, uint64_t from, uint64_t to)
{
	if (from >= to)
		store_note(s, "damaged: generation %" PRIu64 " is lost", to);
	else
		store_note(s, "damaged: generations %" PRIu64 " to %" PRIu64
		    " are lost", from, to);
}

static int
find_head(struct store *s, struct err *e)
{
	struct err	 why = { 0, "" };
	struct area	*a;
	uint64_t	 lost = 0;
	int		 i, rc;

	while ((i = newest(s)) >= 0) {
		a = &s->area[i];
		rc = area_load(s, (uint32_t)i, &s->head, &why);
		if (rc == 0)
			break;
		ents_free(&s->head);
		if (rc != -EBADMSG && rc != -EIO)
			return err_setx(e, -rc, "%s", why.msg);
		/* It must not come back to life over what follows. */
		s->fresh = true;
		a->state = AREA_BAD;
		if (a->lost > lost)
			lost = a->lost;
	}
	if (i < 0)
		return err_setx(e, EBADMSG, "%s: damaged: no generation can "
		    "be read", s->io->name);
	s->cur = (uint32_t)i;
	s->seq = a->rec[a->nrec - 1].seq;
	if (a->lost > lost)
		lost = a->lost;
	if (lost > 0) {
		s->fresh = true;
		note_lost(s, s->seq + 1, lost);
	}
	return 0;
}

/* Areas whose first record is no more: were they newer than the head's? */
static void
look_for_lost(struct store *s)
{
	uint32_t	 i, gen = s->area[s->cur].gen;
	uint64_t	 seq, lost = 0;

	for (i = 0; i < s->sb.areas; i++) {
		if (s->area[i].state != AREA_BAD)
			continue;
		seq = area_scan(s, i, area_off(s, i), gen, 0, &s->maxgen);
		if (seq > lost)
			lost = seq;
	}
	if (lost > s->seq) {
		s->fresh = true;
		note_lost(s, s->seq + 1, lost);
	}
}

static uint64_t
last_written(const struct store *s)
{
	const struct area	*a = &s->area[s->cur];
	const struct rec	*r = &a->rec[a->nrec - 1];
	uint64_t		 n = rec_size(r, s->sb.align);

	if (s->seq == 0)
		return 0;
	if ((r->flags & REC_FIRST) != 0)
		n += rec_size(&a->rec[0], s->sb.align);
	return n;
}

int
store_open(struct store **sp, struct io *io, struct err *e)
{
	struct store	*s;
	bool		 copied;
	int		 rc;

	*sp = NULL;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(e, ENOMEM, "%s", io->name);
	s->io = io;
	s->keep = STORE_KEEP;
	if ((rc = super_read(io, &s->sb, &copied, e)) < 0)
		goto out;
	s->area = calloc(s->sb.areas, sizeof(*s->area));
	s->win = malloc(WIN_LEN);
	if (s->area == NULL || s->win == NULL) {
		rc = err_set(e, ENOMEM, "%s", io->name);
		goto out;
	}
	if (io->size < s->sb.size) {
		store_note(s, "cut short: %" PRIu64 " bytes of %" PRIu64,
		    io->size, s->sb.size);
		s->readonly = true;
	}
	if (s->sb.rocompat != 0 || s->sb.align % io->block != 0)
		s->readonly = true;
	if ((rc = look(s)) < 0) {
		rc = err_set(e, -rc, "%s", io->name);
		goto out;
	}
	if ((rc = find_head(s, e)) < 0)
		goto out;
	look_for_lost(s);
	if (copied)
		store_note(s, "the first superblock is damaged, "
		    "its copy is used");
	s->written = last_written(s);
	*sp = s;
	return 0;
out:
	store_close(s);
	return rc;
}
