/*
 * fuzzrun.c: run a fuzz target without a fuzzer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzzrun.h"
#include "simio.h"
#include "tap.h"

void
fuzz_must(int good, const char *what, const char *file, int line)
{
	if (good)
		return;
	printf("# failed: %s at %s:%d\n", what, file, line);
	fflush(stdout);
	abort();
}

/* One small change, as fuzzers make them. */
static void
mutate(struct buf *b, const struct buf *other, uint64_t *rng)
{
	static const uint32_t	 odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff,
	    0xffff, 0x7fffffff, 0x80000000u, 0xffffffffu };
	size_t	 at = b->len == 0 ? 0 : tap_rand(rng) % b->len;
	size_t	 n = 1 + tap_rand(rng) % 16, from;

	if (n > b->len - at)
		n = b->len - at;
	switch (tap_rand(rng) % 8) {
	case 0:
	case 1:
		if (n > 0)
			b->p[at] ^= (uint8_t)(1u << tap_rand(rng) % 8);
		break;
	case 2:
		if (n > 0)
			b->p[at] = (uint8_t)(tap_rand(rng) >> 32);
		break;
	case 3:
		if (n >= 4)
			set_le32(b->p + at, odd[tap_rand(rng) % 10]);
		break;
	case 4:		/* some bytes go */
		memmove(b->p + at, b->p + at + n, b->len - at - n);
		b->len -= n;
		break;
	case 5:		/* or come twice */
		if (n == 0 || buf_room(b, n) == NULL)
			break;
		memmove(b->p + at + n, b->p + at, b->len - at);
		b->len += n;
		break;
	case 6:		/* or come from another seed */
		if (other->len == 0 || n == 0)
			break;
		from = tap_rand(rng) % other->len;
		if (n > other->len - from)
			n = other->len - from;
		memcpy(b->p + at, other->p + from, n);
		break;
	default:
		if (tap_rand(rng) % 8 == 0)
			b->len = at;
		else if (n > 0)
			b->p[at] += (uint8_t)(tap_rand(rng) % 3) - 1;
	}
}

static int
write_seeds(const char *dir, const struct buf *seeds, size_t n)
{
	char	 path[4096];
	FILE	*f;
	size_t	 i, put;

	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/seed%zu", dir, i);
		if ((f = fopen(path, "w")) == NULL)
			return 2;
		put = fwrite(seeds[i].p, 1, seeds[i].len, f);
		if (fclose(f) != 0 || put != seeds[i].len)
			return 2;
	}
	return 0;
}

int
fuzz_main(int argc, char **argv, const struct buf *seeds, size_t n,
    size_t runs)
{
	uint64_t	 rng;
	size_t		 i, k;

	if (argc == 3 && strcmp(argv[1], "-w") == 0)
		return write_seeds(argv[2], seeds, n);
	setvbuf(stdout, NULL, _IOLBF, 0);
	runs = env_count("FUZZ_RUNS", runs, true);
	rng = tap_seed(1234567);
	for (i = 0; i < n; i++)
		(void)LLVMFuzzerTestOneInput(seeds[i].p, seeds[i].len);
	for (i = 0; i < runs; i++) {
		const struct buf	*from = &seeds[tap_rand(&rng) % n];
		struct buf		 b = BUF_INIT;

		put_bytes(&b, from->p, from->len);
		for (k = 1 + tap_rand(&rng) % 6; k > 0; k--)
			mutate(&b, &seeds[tap_rand(&rng) % n], &rng);
		/* A copy of its own size, so that a sanitizer sees its end. */
		{
			uint8_t	*p = xmemdup(b.p, b.len);

			(void)LLVMFuzzerTestOneInput(p, b.len);
			free(p);
		}
		buf_free(&b);
	}
	printf("ok 1 - %zu seeds and %zu mutations do no harm\n1..1\n", n,
	    runs);
	return 0;
}
