/*
 * fuzzseal.c: hostile bytes in a sealed copy, their checksums right, do
 * no reader harm, and no content that was not sealed is given out.
 *
 * The input is a list of patches of a copy that is whole: offset (le24),
 * length (u8), bytes; a length of 0 copies 1024 bytes from the offset that
 * follows (le24).  Then all checksums in clear are put right.
 */
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "fuzzrun.h"
#include "sealkit.h"

#define SIZE	(64 * 1024)
#define GENS	60

/* A copy that is whole, made once. */
static uint8_t	*image;
static uint64_t	 image_size;

static void
make_image(void)
{
	struct sim	*sim;
	struct io	*up;

	FUZZ_MUST(seal_init(&er) == 0);
	FUZZ_MUST(begin(SIZE, 512, 3));
	said_commit(GENS);
	sim = sealed_new(&up);
	image_size = sim->io.size;
	image = xmemdup(sim->img, image_size);
	io_close(up);
	sim_free(sim);
	finish();
}

static size_t
rd_place(struct rd *in)
{
	uint64_t	 v = rd_u8(in);

	v |= (uint64_t)rd_le16(in) << 8;
	return (size_t)(v % image_size);
}

static void
patch(uint8_t *img, const uint8_t *p, size_t n)
{
	struct rd	 in = { p, n, false };
	const uint8_t	*b;
	size_t		 to, len, from;

	while (in.n > 4) {
		to = rd_place(&in);
		len = rd_u8(&in);
		from = len == 0 ? rd_place(&in) : 0;
		if (len == 0) {
			len = image_size - (to > from ? to : from);
			memmove(img + to, image + from,
			    len < 1024 ? len : 1024);
			continue;
		}
		if (len > in.n)
			len = in.n;
		b = rd_bytes(&in, len);
		if (b != NULL)
			memcpy(img + to, b, len < image_size - to ? len :
			    image_size - to);
	}
}

/* Of both headers, and of all that begins like a frame. */
static void
set_sums(uint8_t *img)
{
	uint64_t	 len, at;

	seal_head_sum(img);
	seal_head_sum(img + image_size - SH_LEN);
	for (at = SH_LEN; at + 1024 <= image_size - SH_LEN; at += 512) {
		if (memcmp(img + at, "cfSF", 4) != 0)
			continue;
		len = get_le64(img + at + 40);
		if (len <= image_size - at - SF_MORE)
			set_le32(img + at + 48, crc32c(0, img + at + SF_CLEAR,
			    (size_t)len + SF_MORE - SF_CLEAR));
		set_le32(img + at + 52, crc32c(0, img + at, 52));
	}
}

static void
use(uint8_t *img)
{
	struct io	*below, *up;
	uint8_t		 b[8 * REC_LEN] = { 0 };
	struct io_range	 v[8];
	struct err	 e = { 0, "" };
	uint64_t	 head;
	size_t		 i;
	bool		 said;

	head = image_look(img, image_size, &said);
	FUZZ_MUST(head <= GENS);
	FUZZ_MUST(io_mem(&below, image_size, 512, &e) == 0);
	FUZZ_MUST(below->ops->write(below, img, image_size, 0, &e) == 0);
	(void)seal_check(below, NULL, NULL, &e);
	if (seal_open(&up, below, seal_test_key, true, &e) == 0) {
		for (i = 0; i < 8; i++)
			v[i] = (struct io_range){ b + i * REC_LEN, REC_LEN,
			    512 + i * 512 };
		FUZZ_MUST(up->size == SIZE);
		FUZZ_MUST(io_readv(up, v, 8, &e) == 0);
		io_close(up);
	} else
		FUZZ_MUST(e.msg[0] != '\0' && up == NULL);
	io_close(below);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t	*img;

	if (image == NULL)
		make_image();
	img = xmemdup(image, image_size);
	patch(img, p, n);
	set_sums(img);
	use(img);
	free(img);
	return 0;
}

#ifndef LIBFUZZER
/* A patch of n bytes at `to`. */
static void
seed(struct buf *b, size_t to, const uint8_t *p, size_t n)
{
	put_u8(b, (uint8_t)to);
	put_le16(b, (uint16_t)(to >> 8));
	put_u8(b, (uint8_t)n);
	put_bytes(b, p, n);
}

int
main(int argc, char **argv)
{
	struct buf	 seeds[5] = { BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT,
	    BUF_INIT };
	const uint8_t	*frame;
	size_t		 i;
	int		 rc;

	make_image();
	frame = image + SH_LEN;
	seed(&seeds[0], SH_LEN, frame, SF_CLEAR);
	seed(&seeds[1], 0, image, SH_CLEAR);
	seed(&seeds[1], image_size - SH_LEN, image, SH_CLEAR);
	for (i = 0; i < 12; i++)
		seed(&seeds[2], SH_LEN + i * 1024, frame + i * 1024, SF_CLEAR);
	for (i = 0; i < 12; i++) {
		seed(&seeds[3], SH_LEN + i * 1024, NULL, 0);
		put_u8(&seeds[3], (uint8_t)0);
		put_le16(&seeds[3], (uint16_t)(4 + 4 * (i + 3)));
	}
	seed(&seeds[4], SH_LEN + SF_CLEAR, frame + SF_CLEAR, 255);
	rc = fuzz_main(argc, argv, seeds, 5, 3000);
	for (i = 0; i < 5; i++)
		buf_free(&seeds[i]);
	free(image);
	return rc;
}
#endif
