/*
 * fuzzjrn.c: hostile records, their checksums right, do the reader of the
 * journal no harm, and what it gives out is a record as jrn.h says.
 *
 * The input is the records of a segment; their checksums are put right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/crc.h"
#include "../lib/jrn.h"
#include "../lib/path.h"
#include "fuzzrun.h"
#include "simio.h"
#include "tap.h"

/* As cfgjournal(5) has it: size (with a tag in the high byte), checksum,
 * count, which the checksum leaves out. */
#define SIZE	0x00ffffffu
#define SUM_AT	4
#define REST_AT	12

static void
set_sums(uint8_t *p, size_t n)
{
	size_t	 size;

	while (n >= REST_AT) {
		size = get_le32(p) & SIZE;
		if (size < REST_AT || size > n)
			return;
		set_le32(p + SUM_AT, crc32c(crc32c(0, p, SUM_AT),
		    p + REST_AT, size - REST_AT));
		p += size;
		n -= size;
	}
}

/* Put again, and read again, it is the same. */
static void
comes_back(const struct jrn_rec *rec)
{
	struct buf	 b = BUF_INIT;
	struct rd	 r;
	struct jrn_rec	 again;

	jrn_put(&b, rec);
	FUZZ_MUST(!b.bad && get_le32(b.p + JRN_COUNT_OFF) == rec->count);
	r = (struct rd){ b.p, b.len, false };
	FUZZ_MUST(jrn_get(&r, &again) == 1 && r.n == 0);
	FUZZ_MUST(again.op == rec->op && again.flags == rec->flags &&
	    again.uid == rec->uid && again.gid == rec->gid &&
	    again.pid == rec->pid && again.time == rec->time &&
	    again.count == rec->count && again.pathlen == rec->pathlen);
	FUZZ_MUST(strcmp(again.path, rec->path) == 0);
	FUZZ_MUST(strcmp(again.comm, rec->comm) == 0);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t		*copy = xmemdup(p, n);
	struct rd	 r = { copy, n, false };
	struct jrn_rec	 rec;
	size_t		 left;
	int		 got;

	set_sums(copy, n);
	for (left = r.n; (got = jrn_get(&r, &rec)) == 1; left = r.n) {
		FUZZ_MUST(r.n < left);
		FUZZ_MUST(rec.pathlen == strlen(rec.path));
		FUZZ_MUST(path_ok(rec.path, rec.pathlen));
		FUZZ_MUST((const uint8_t *)rec.path > copy &&
		    (const uint8_t *)rec.path + rec.pathlen < copy + n);
		FUZZ_MUST(memchr(rec.comm, '\0', JRN_COMM) != NULL);
		FUZZ_MUST(rec.op >= JRN_CREATE && rec.op <= JRN_SCAN);
		comes_back(&rec);
	}
	FUZZ_MUST(r.n == left);		/* unmoved by what is no record */
	free(copy);
	return 0;
}

#ifndef LIBFUZZER
int
main(int argc, char **argv)
{
	static const char *const paths[] = { "", "rc.conf", "ssh/sshd_config",
	    "a b/\xff\n", "x" };
	struct buf	 seeds[8];
	struct jrn_rec	 rec;
	uint64_t	 rng = tap_seed(17);
	size_t		 i, k;
	int		 rc;

	for (i = 0; i < 8; i++) {
		seeds[i] = (struct buf)BUF_INIT;
		for (k = 0; k < i; k++) {
			memset(&rec, 0, sizeof(rec));
			rec.op = JRN_CREATE + tap_rand(&rng) % JRN_SCAN;
			rec.flags = tap_rand(&rng) & 7;
			rec.uid = (uint32_t)tap_rand(&rng);
			rec.pid = (uint32_t)tap_rand(&rng);
			rec.count = 1;
			rec.time = (int64_t)tap_rand(&rng);
			memcpy(rec.comm, "vi", 3);
			rec.path = paths[tap_rand(&rng) % 5];
			rec.pathlen = strlen(rec.path);
			jrn_put(&seeds[i], &rec);
		}
		put_zero(&seeds[i], 64);
	}
	rc = fuzz_main(argc, argv, seeds, 8, 200000);
	for (i = 0; i < 8; i++)
		buf_free(&seeds[i]);
	return rc;
}
#endif
