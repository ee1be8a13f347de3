/*
 * seal-write.c: writing a store into a sealed copy, record by record.
 */
#include <errno.h>
#include <string.h>

#include "seal-int.h"

static int
refuse(const struct seal_io *s, struct err *e)
{
	return err_setx(e, EINVAL, "write %s: a sealed copy takes whole "
	    "records alone", s->io.name);
}

int
seal_write_super(struct seal_io *s, const uint8_t *p, size_t n, bool last,
    struct err *e)
{
	int	 rc;

	if (n != SUPER_LEN || memcmp(p, s->super, SUPER_LEN) != 0)
		return refuse(s, e);
	rc = s->below->ops->write(s->below, s->head, SH_LEN, last ?
	    seal_bytes(&s->sb) - SH_LEN : 0, e);
	if (rc == 0 && !last)
		s->first = true;
	return rc;
}

/* Look at the record in front of n bytes; 0, or -EINVAL. */
static int
take_record(const struct seal_io *s, const uint8_t *p, size_t n,
    uint64_t off, uint64_t end, struct seal_frame *f)
{
	struct rec	 r;
	uint64_t	 size;

	if (n < REC_LEN || !rec_get(p, s->sb.id, off, end, &r))
		return -EINVAL;
	size = rec_size(&r, s->sb.align);
	*f = (struct seal_frame){ .type = (uint8_t)r.type, .tag = s->tag,
	    .off = off, .seq = r.seq, .gen = r.gen,
	    .units = (uint32_t)(size / s->sb.align),
	    .len = REC_LEN + (uint64_t)r.metalen + r.datalen };
	/* Padding is not sealed, so it must be what it is read as. */
	return size <= n && seal_blank(p + f->len, (size_t)(size - f->len)) ?
	    0 : -EINVAL;
}

/* The frames of these records, as they lie below. */
static int
seal_all(const struct seal_io *s, const uint8_t *p, size_t n, uint64_t off,
    uint64_t end, struct buf *out)
{
	const uint64_t	 at = seal_place(&s->sb, off);
	struct seal_frame f;
	uint8_t		*b;
	size_t		 len, size, place;
	int		 rc;

	for (; n > 0; p += size, n -= size, off += size) {
		if ((rc = take_record(s, p, n, off, end, &f)) < 0)
			return rc;
		size = (size_t)f.units * s->sb.align;
		/* A multiple of 512 is enough: the next one may be far. */
		len = ((size_t)f.len + SF_MORE + SEAL_OVER - 1) / SEAL_OVER *
		    SEAL_OVER;
		place = (size_t)(seal_place(&s->sb, off) - at);
		put_zero(out, place - out->len);
		if ((b = buf_room(out, len)) == NULL)
			return -ENOMEM;
		seal_frame(b, &f, &s->keys, p);
		memset(b + f.len + SF_MORE, 0, len - (size_t)f.len - SF_MORE);
		out->len += len;
	}
	return out->bad ? -ENOMEM : 0;
}

static int
write_records(struct seal_io *s, const uint8_t *p, size_t n, uint64_t off,
    struct err *e)
{
	struct buf	 b = BUF_INIT;
	uint64_t	 end;
	uint32_t	 area;
	int		 rc;

	if (n == 0 || off % s->sb.align != 0 || n % s->sb.align != 0 ||
	    !seal_in_area(&s->sb, off, &area))
		return refuse(s, e);
	end = s->sb.first + (area + UINT64_C(1)) * s->sb.area;
	rc = n > end - off ? -EINVAL : seal_all(s, p, n, off, end, &b);
	if (rc == -EINVAL)
		rc = refuse(s, e);
	else if (rc < 0)
		rc = err_set(e, -rc, "write %s", s->io.name);
	else
		rc = s->below->ops->write(s->below, b.p, b.len,
		    seal_place(&s->sb, off), e);
	buf_free(&b);
	return rc;
}

int
seal_write(struct io *io, const void *p, size_t n, uint64_t off,
    struct err *e)
{
	struct seal_io	*s = seal_of(io);

	if (!s->write)
		return err_set(e, EROFS, "write %s", io->name);
	if (!seal_within(io, n, off))
		return refuse(s, e);
	seal_drop(s);
	if (off == 0 || off == io->size - SUPER_LEN)
		return seal_write_super(s, p, n, off != 0, e);
	return write_records(s, p, n, off, e);
}

int
seal_flush(struct io *io, struct err *e)
{
	struct io	*below = seal_of(io)->below;

	return below->ops->flush(below, e);
}

int
seal_order(struct io *io, struct err *e)
{
	return io_order(seal_of(io)->below, e);
}
