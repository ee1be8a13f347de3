/*
 * dur.c: lengths of time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dur.h"

#define MOST	(INT64_C(366) * 86400 * SECOND)

static const struct {
	char	 letter;
	int64_t	 seconds;
} units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

#define NUNITS	(sizeof(units) / sizeof(*units))

bool
dur_parse(const char *s, int64_t *ns)
{
	unsigned long	 n;
	size_t		 i = 0;
	char		*end;

	*ns = 0;
	while (*s >= '0' && *s <= '9') {
		errno = 0;
		n = strtoul(s, &end, 10);
		/* Each unit once, the larger first. */
		while (i < NUNITS && units[i].letter != *end)
			i++;
		if (i == NUNITS || errno != 0 || n > (unsigned long)(MOST /
		    SECOND / units[i].seconds))
			return false;
		*ns += (int64_t)n * units[i++].seconds * SECOND;
		s = end + 1;
	}
	return *s == '\0' && *ns > 0 && *ns <= MOST;
}

void
dur_put(struct buf *b, int64_t ns)
{
	int64_t	 s = ns < 0 ? 0 : ns / SECOND;
	size_t	 i = 0, k;

	while (i < NUNITS - 1 && s < units[i].seconds)
		i++;
	for (k = i; k < NUNITS && k < i + 2; k++) {
		if (k == i || s >= units[k].seconds)
			put_fmt(b, "%lld%c", (long long)(s /
			    units[k].seconds), units[k].letter);
		s %= units[k].seconds;
	}
}
