/*
 * create.c: making an empty store.
 *
 * First the old superblocks go, then two areas get a checkpoint, so that
 * there is one to fall back to from the begin, and last come the new
 * superblocks: a cut leaves no store, or this one.
 * Whatever else is on the medium does not have the new store's id.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/osdep.h"
#include "draft.h"

#define ALIGN_DEFAULT	4096u
#define AREAS_DEFAULT	4u

static bool
lay_out(struct super *sb, uint32_t align, uint32_t areas)
{
	uint64_t	 end;

	if (align == 0 || areas == 0)
		return false;
	/* The copy of the superblock has the last unit for itself. */
	end = (sb->size - SUPER_LEN) / align * align;
	if (end <= align)
		return false;
	sb->align = align;
	sb->areas = areas;
	sb->first = align;
	sb->area = (end - align) / areas / align * align;
	return super_geom_ok(sb);
}

static int
choose(struct super *sb, const struct io *io, const struct store_geom *g,
    struct err *e)
{
	uint32_t	 areas = g->areas == 0 ? AREAS_DEFAULT : g->areas;
	uint32_t	 align = g->align;

	sb->size = io->size;
	if (io->size < STORE_LEAST)
		return err_setx(e, EINVAL, "%s: %" PRIu64 " bytes are too "
		    "little for a store, %d is the least", io->name, io->size,
		    STORE_LEAST);
	if (align == 0) {
		align = io->phys > ALIGN_DEFAULT ? io->phys : ALIGN_DEFAULT;
		if (align > ALIGN_MOST || (align & (align - 1)) != 0)
			align = ALIGN_MOST;
		while (align > io->block && !lay_out(sb, align, areas))
			align /= 2;
	}
	if (align < io->block || align < ALIGN_LEAST || align > ALIGN_MOST ||
	    !lay_out(sb, align, areas))
		return err_setx(e, EINVAL, "%s: %" PRIu32 " areas in units of "
		    "%" PRIu32 " bytes can't be", io->name, areas, align);
	return 0;
}

/* The superblock or, where buf is all zero, none. */
static int
put_supers(struct io *io, uint8_t *buf, const uint8_t *sb, struct err *e)
{
	int	 rc;

	memset(buf, 0, io->block);
	memcpy(buf + io->block - SUPER_LEN, sb, SUPER_LEN);
	rc = io->ops->write(io, buf, io->block, io->size - io->block, e);
	if (rc < 0)
		return rc;
	memset(buf, 0, io->block);
	memcpy(buf, sb, SUPER_LEN);
	if ((rc = io->ops->write(io, buf, io->block, 0, e)) < 0)
		return rc;
	return io->ops->flush(io, e);	/* COMMIT POINT */
}

/* The checkpoint of generation 0 in an area. */
static int
put_empty(struct io *io, const struct super *sb, uint32_t area, uint32_t gen,
    struct err *e)
{
	static const struct ents	 none;
	static const struct blobs	 noblobs;
	struct meta			 m;
	struct store			 s;
	struct buf			 out = BUF_INIT;
	struct draft			 d;
	int				 rc;

	memset(&m, 0, sizeof(m));
	memset(&s, 0, sizeof(s));
	s.io = io;
	s.sb = *sb;
	d = (struct draft){ .m = &m, .before = &none, .old = &none,
	    .bases = &noblobs, .r = { .type = REC_CHECK, .gen = gen,
	    .off = sb->first + area * sb->area } };
	while (d.r.nonce == 0)
		os_random(&d.r.nonce, sizeof(d.r.nonce));
	d.r.life = d.r.nonce;
	if ((rc = draft_make(&s, &d, e)) == 0 &&
	    (rc = draft_put(&s, &d, &out, e)) == 0)
		rc = io->ops->write(io, out.p, out.len, d.r.off, e);
	draft_free(&d);
	buf_free(&out);
	return rc;
}

int
store_create(struct io *io, const struct store_geom *g, struct err *e)
{
	static uint8_t	 zero[SUPER_LEN];
	uint8_t			 buf[SUPER_LEN], *block;
	struct super		 sb;
	int			 rc;

	memset(&sb, 0, sizeof(sb));
	if ((rc = choose(&sb, io, g, e)) < 0)
		return rc;
	os_random(&sb.id, sizeof(sb.id));
	super_put(buf, &sb);
	if ((block = malloc(io->block)) == NULL)
		return err_set(e, ENOMEM, "%s", io->name);
	if ((rc = put_supers(io, block, zero, e)) == 0 &&
	    (rc = put_empty(io, &sb, 1, 1, e)) == 0 &&
	    (rc = put_empty(io, &sb, 0, 2, e)) == 0 &&
	    (rc = io->ops->flush(io, e)) == 0)
		rc = put_supers(io, block, buf, e);
	free(block);
	return rc;
}
