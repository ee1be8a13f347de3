/*
 * seal-open.c: sealed copies: opening them, making them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seal-int.h"

static void
seal_close(struct io *io)
{
	struct seal_io	*s = seal_of(io);

	/* What was read of the store is nobody else's business. */
	if (s->open != NULL)
		explicit_bzero(s->open, (size_t)s->sb.area);
	free(s->open);
	buf_free(&s->raw);
	seal_forget(&s->keys);
	free(s);
}

static const struct io_ops seal_ops = {
	.read = seal_read, .write = seal_write, .flush = seal_flush,
	.close = seal_close, .readv = seal_readv, .order = seal_order
};

static int
make(struct seal_io **sp, struct io *below, bool write, struct err *e)
{
	struct seal_io	*s;

	*sp = NULL;
	/* Frames begin at multiples of 512, not more. */
	if (write && below->block > SEAL_OVER)
		return err_setx(e, EINVAL, "%s: a sealed copy can't be on a "
		    "medium with blocks of %u bytes", below->name,
		    (unsigned)below->block);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return err_set(e, ENOMEM, "%s", below->name);
	s->io.ops = &seal_ops;
	s->io.name = below->name;
	s->io.block = SEAL_OVER;
	s->below = below;
	s->write = write;
	s->area = NO_AREA;
	*sp = s;
	return 0;
}

/* The header at `off`: what of it is wrong, or 0 and s has all of it. */
static int
try_head(struct seal_io *s, const uint8_t key[SEAL_KEY], uint64_t off,
    struct err *e)
{
	struct seal_head	 h;
	int			 rc;

	if ((rc = seal_below(s, s->head, SH_LEN, off, e)) < 0 ||
	    (rc = seal_head_get(s->head, &h)) < 0 ||
	    (rc = seal_unsuper(s->head, &h, &s->keys, key, s->super)) < 0)
		return rc;
	/* Who has the key says the same within as in clear. */
	if (super_parse(s->super, s->io.name, &s->sb, NULL) < 0 ||
	    s->sb.size != h.sb.size || s->sb.align != h.sb.align ||
	    s->sb.areas != h.sb.areas || s->sb.area != h.sb.area ||
	    s->sb.first != h.sb.first)
		return -EBADMSG;
	s->tag = seal_tag(h.salt);
	s->io.size = s->sb.size;
	return 0;
}

static int
explain(int rc, const char *name, struct err *e)
{
	switch (-rc) {
	case EACCES:
		return err_setx(e, EACCES, "%s: sealed with another key",
		    name);
	case EINVAL:
		return err_setx(e, EINVAL, "%s: not a sealed copy", name);
	case EPROTONOSUPPORT:
		return err_setx(e, EPROTONOSUPPORT, "%s: sealed in a format "
		    "that is newer than this program's", name);
	case EFBIG:
	case EBADMSG:
		return err_setx(e, EBADMSG, "%s: the sealed copy's header is "
		    "damaged", name);
	default:
		return rc;	/* reading failed, and *e says so */
	}
}

int
seal_open(struct io **iop, struct io *below, const uint8_t key[SEAL_KEY],
    bool write, struct err *e)
{
	struct seal_io	*s;
	int		 rc, last;

	*iop = NULL;
	if ((rc = make(&s, below, write, e)) < 0)
		return rc;
	if ((rc = try_head(s, key, 0, e)) == 0)
		s->first = true;
	else if (below->size >= 2 * SH_LEN) {
		last = try_head(s, key, below->size - SH_LEN, e);
		/* The first one's word counts, unless it says nothing. */
		if (last == 0 && seal_bytes(&s->sb) != below->size)
			last = -EBADMSG;
		if (last == 0 || rc == -EINVAL || last == -EACCES)
			rc = last;
	}
	if (rc < 0) {
		seal_close(&s->io);
		return explain(rc, below->name, e);
	}
	*iop = &s->io;
	return 0;
}

int
seal_create(struct io **iop, struct io *below, const uint8_t key[SEAL_KEY],
    const uint8_t super[SUPER_LEN], struct err *e)
{
	struct seal_io	*s;
	struct seal_head h = { .salt = { 0 } };
	int		 rc;

	*iop = NULL;
	if ((rc = make(&s, below, true, e)) < 0)
		return rc;
	if ((rc = super_parse(super, below->name, &h.sb, e)) == 0 &&
	    (rc = seal_fits(&h.sb, below->name, e)) == 0) {
		s->sb = h.sb;
		s->io.size = h.sb.size;
		memcpy(s->super, super, SUPER_LEN);
		seal_super(s->head, &h, &s->keys, key, super);
		s->tag = seal_tag(h.salt);
		rc = seal_write_super(s, super, SUPER_LEN, false, e);
	}
	if (rc < 0)
		seal_close(&s->io);
	else
		*iop = &s->io;
	return rc;
}

bool
seal_probe(struct io *below)
{
	uint8_t		 b[8];
	struct err	 ignored;
	uint64_t	 size = below->size;

	if (size >= SH_LEN && below->ops->read(below, b, sizeof(b), 0,
	    &ignored) == 0 && seal_head_magic(b))
		return true;
	return size >= 2 * SH_LEN && below->ops->read(below, b, sizeof(b),
	    size - SH_LEN, &ignored) == 0 && seal_head_magic(b);
}
