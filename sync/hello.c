/*
 * hello.c: what an SSH server says of itself before anything is agreed on.
 */
#include <string.h>

#include "hello.h"
#include "sshwire.h"

#define KEXINIT	20

/* A name-list, as text. */
static void
get_list(struct rd *r, char *out, size_t len)
{
	const uint8_t	*p;
	size_t		 i, n;

	p = sw_rdstr(r, &n);
	if (n > len - 1)
		n = len - 1;
	for (i = 0; i < n; i++)
		out[i] = p[i] > ' ' && p[i] < 0x7f ? (char)p[i] : '?';
	out[n] = '\0';
}

static enum hello_is
get_lists(struct hello *h, struct rd *r)
{
	(void)rd_bytes(r, 5);		/* lengths of packet and padding */
	if (rd_u8(r) != KEXINIT)
		return HELLO_SSH;
	(void)rd_bytes(r, 16);		/* cookie */
	get_list(r, h->kex, sizeof(h->kex));
	get_list(r, h->hostkey, sizeof(h->hostkey));
	return r->bad ? HELLO_SSH : HELLO_LISTS;
}

enum hello_is
hello_look(struct hello *h, const uint8_t *p, size_t n)
{
	struct rd	 r = { p, n, false };
	const uint8_t	*end;

	memset(h, 0, sizeof(*h));
	if (n == 0)
		return HELLO_NOTHING;
	/* Other lines may come first (RFC 4253, section 4.2). */
	while (r.n < 4 || memcmp(r.p, "SSH-", 4) != 0) {
		if ((end = memchr(r.p, '\n', r.n)) == NULL)
			return HELLO_NOT_SSH;
		(void)rd_bytes(&r, (size_t)(end - r.p) + 1);
	}
	if ((end = memchr(r.p, '\n', r.n)) == NULL)
		return HELLO_SSH;
	(void)rd_bytes(&r, (size_t)(end - r.p) + 1);
	return get_lists(h, &r);
}

bool
hello_common(const char *a, const char *b)
{
	const char	*q;
	size_t		 n, m;

	for (; *a != '\0'; a += n + (a[n] == ',')) {
		n = strcspn(a, ",");
		for (q = b; *q != '\0'; q += m + (q[m] == ',')) {
			m = strcspn(q, ",");
			if (n == m && memcmp(a, q, n) == 0)
				return true;
		}
	}
	return false;
}

void
hello_both(char *out, size_t len, const char *list, const char *const *have,
    size_t n)
{
	char	 word[64];
	size_t	 i, k, used = strlen(out);

	for (; *list != '\0'; list += k + (list[k] == ',')) {
		k = strcspn(list, ",");
		if (k == 0 || k >= sizeof(word) || k + 2 > len - used)
			continue;
		memcpy(word, list, k);
		word[k] = '\0';
		for (i = 0; i < n && strcmp(have[i], word) != 0; i++)
			;
		if (i == n || hello_common(out, word))
			continue;
		if (used > 0)
			out[used++] = ',';
		memcpy(out + used, word, k + 1);
		used += k;
	}
}
