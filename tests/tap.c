/*
 * tap.c: tests in C, with output that prove(1) reads.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static int		 failed;	/* in the running case */
static const char	*skipped;	/* why, or NULL */

int
tap_ok(int good, const char *what, const char *file, int line)
{
	if (!good) {
		failed++;
		if (failed <= 20)
			printf("# failed: %s at %s:%d\n", what, file, line);
	}
	return good;
}

void
tap_skip(const char *why)
{
	skipped = why;
}

void
tap_diag(const char *fmt, ...)
{
	va_list	 ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

uint64_t
tap_seed(uint64_t fixed)
{
	const char	*s = getenv("SEED");
	uint64_t	 v = s == NULL ? fixed : strtoull(s, NULL, 0);

	if (v == 0)
		v = 1;
	tap_diag("SEED=%llu", (unsigned long long)v);
	return v;
}

uint64_t
tap_rand(uint64_t *state)
{
	uint64_t	 x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1du;
}

int
tap_main(int argc, char **argv, const struct tap_case *c, size_t n)
{
	size_t	 i, k = 0;
	int	 bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < n; i++) {
		if (argc > 1 && strstr(c[i].promise, argv[1]) == NULL)
			continue;
		failed = 0;
		skipped = NULL;
		c[i].fn();
		k++;
		if (skipped != NULL && getenv("CI") != NULL) {
			printf("# nothing may be skipped on CI: %s\n", skipped);
			failed++;
		}
		if (failed > 0)
			bad = 1;
		printf("%sok %zu - %s%s%s\n", failed > 0 ? "not " : "", k,
		    c[i].promise, skipped != NULL ? " # SKIP " : "",
		    skipped != NULL ? skipped : "");
	}
	printf("1..%zu\n", k);
	return bad;
}
